"""The page that reads a drawn beat agrees with lesson 3: picture, nine crops, and what the network says of each."""

import numpy as np
import pytest

from ecg_lessons.lessons import beat_images
from ecg_lessons.models import beat_image as models
from ecg_lessons.signals.augment import DrawBeats, nine_crops

from .conftest import stroke
from .stored import LIVE, array, constant, cost, unfold

DATA = constant("beat")


@pytest.fixture
def page(visit):
    return visit(LIVE / "beat.html")


@pytest.fixture(scope="module")
def crops():
    """Fifty beats of all classes, and their nine crops (9, 50, 128, 128, 1)."""
    beats = beat_images.examples("sample")
    curves = beats.x["curve"][np.concatenate([np.flatnonzero(beats.y == k)[:700:100] for k in range(8)])][:50]
    assert len(curves) >= 40
    return curves, nine_crops(np.asarray(DrawBeats()(curves)))


def test_crops_are_those_of_the_package(page, crops):
    curves, wanted = crops
    found = page.evaluate(
        "(curves) => curves.map((one) => nineCrops(picture(one)).map((x) => [...x.values]))", curves[:5].tolist()
    )
    np.testing.assert_allclose(np.swapaxes(found, 0, 1), wanted[:, :5].reshape(9, 5, -1), atol=1e-5)


def test_the_page_and_keras_agree_on_fifty_beats(page, crops):
    curves, views = crops
    network = models.from_layer(models.light(len(DATA["classes"])), "draw_beats")
    unfold(network.layers, DATA["network"]["stages"])
    network.get_layer("class").set_weights([array(DATA["network"]["class"][name]) for name in ("kernel", "offset")])
    wanted = np.stack([network.predict(view, verbose=0) for view in views], axis=1)
    found = page.evaluate(
        "(curves) => curves.map((one) => nineCrops(picture(stretched(one))).map(read))", curves.tolist()
    )
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    together = page.evaluate("(curve) => mean(nineCrops(picture(curve)).map(read))", curves[0].tolist())
    np.testing.assert_allclose(together, wanted[0].mean(axis=0), atol=1e-4)


def test_beats_of_every_class_can_be_taken_by_keys(page):
    assert list(beat_images.CLASSES) == DATA["classes"]
    assert sorted(one["truth"] for one in DATA["examples"]) == sorted(3 * list(range(8)))
    for k, symbol in enumerate(DATA["classes"]):
        page.locator("#kinds button").nth(k).focus()
        page.keyboard.press("Enter")
        assert page.inner_text("#say").startswith(f"A simulated beat: {symbol}, ")
        assert "of the nine crops" in page.inner_text("#say")
    assert page.faults == []


def test_a_hand_draws_and_the_network_answers(page):
    page.get_by_role("button", name="Empty paper").click()
    assert set(page.evaluate("drawn")) == {0.5}
    board = page.locator("#board").bounding_box()
    x, y, wide, high = (board[name] for name in ("x", "y", "width", "height"))
    page.mouse.move(x + 2, y + 0.8 * high)
    page.mouse.down()
    for across, down in ((0.45, 0.8), (0.5, 0.1), (0.55, 0.8), (0.99, 0.8)):
        page.mouse.move(x + across * wide, y + down * high, steps=5)
    page.mouse.up()
    drawn = np.array(page.evaluate("drawn"))
    assert drawn[256] > 0.9
    assert np.ptp(drawn[10:220]) < 0.02
    assert page.inner_text("#say").startswith("Your drawing.")
    assert page.locator("#verdict li.counts").count() == 1
    assert page.faults == []


def places(page, *shares):
    """Give points of the board by their shares of its width and height."""
    board = page.locator("#board").bounding_box()
    return [(board["x"] + x * board["width"], board["y"] + y * board["height"]) for x, y in shares]


#: A flat line with one high peak, as a finger draws it.
PEAK = (0.01, 0.8), (0.2, 0.8), (0.45, 0.8), (0.5, 0.1), (0.55, 0.8), (0.8, 0.8), (0.99, 0.8)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("old", [False, True])
def test_a_finger_draws_and_the_page_stays(visit, width, old):
    page = visit(LIVE / "beat.html", width, touch=True)
    if old:  # as in Safari, and wherever the page does not come by HTTPS
        page.evaluate("delete PointerEvent.prototype.getCoalescedEvents")
    page.locator("#kinds button").last.tap()  # empty paper
    assert set(page.evaluate("drawn")) == {0.5}
    page.evaluate("scrollTo(0, 50)")  # it could move both ways
    before = page.evaluate("scrollY")
    stroke(page, *places(page, *PEAK))
    drawn = np.array(page.evaluate("drawn"))
    assert drawn[256] > 0.9
    assert np.ptp(drawn[10:220]) < 0.02
    assert page.inner_text("#say").startswith("Your drawing. The network says ")
    assert page.evaluate("scrollY") == before
    assert page.faults == []


def test_a_second_finger_or_a_palm_draws_nothing(visit):
    page = visit(LIVE / "beat.html", 390, touch=True)
    page.evaluate("drawn.fill(0.5)")
    touch = page.context.new_cdp_session(page)

    def send(kind, *fingers):
        points = [{"id": k, "x": x, "y": y} for k, (x, y) in enumerate(fingers)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    (x, y), (far, low) = places(page, (0.1, 0.8), (0.9, 0.95))
    send("touchStart", (x, y))
    send("touchStart", (x, y), (far, low))
    for step in range(4):
        send("touchMove", (x + 10 * step, y), (far, low - 5 * step))
    send("touchMove", (x + 40, y))  # the second one has left
    assert page.inner_text("#say").startswith("A simulated beat: ")  # the first still draws
    send("touchEnd")
    assert page.inner_text("#say").startswith("Your drawing.")
    assert set(page.evaluate("drawn.slice(150)")) == {0.5}
    assert page.faults == []


def test_only_the_main_button_draws(page):
    before = page.evaluate("drawn")
    board = page.locator("#board").bounding_box()
    for button in ("right", "middle"):
        page.mouse.click(board["x"] + 20, board["y"] + 20, button=button)
    assert page.evaluate("drawn") == before
    assert page.inner_text("#say").startswith("A simulated beat: ")


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_each_name_fits_beside_its_bar(visit, width):
    page = visit(LIVE / "beat.html", width)
    for k, symbol in enumerate(DATA["classes"]):  # the likeliest is bold
        page.evaluate(f"take({k})")
        names = page.locator("#verdict li span:first-child")
        assert names.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)"), symbol


def test_it_tells_how_often_it_is_right(page):
    assert page.locator("#right th").all_inner_texts() == DATA["classes"]
    assert page.locator("#right td").all_inner_texts() == [f"{100 * share:.0f}" for share in DATA["right"]]


def test_it_answers_in_time(page):
    assert cost(page, "show()") < 1.6  # it is 0.8
