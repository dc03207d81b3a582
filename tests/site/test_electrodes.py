"""The live page agrees with the package: every swap, the network, and what a hand does on a torso."""

import numpy as np
import pytest

from ecg_lessons.lessons import inversion
from ecg_lessons.models import inversion as models
from ecg_lessons.signals import leads

from .conftest import stroke
from .stored import LIVE, array, constant, cost, unfold

DATA = constant("electrodes")
#: Wires that trade places, for every swap of the package but the whole row.
PAIRS = {name: name.split("/") for name in leads.SWAPS if "/" in name}


@pytest.fixture
def page(visit):
    return visit(LIVE / "electrodes.html")


def exchanged(page, pairs):
    """Give the page's matrix after some wires have traded places."""
    page.evaluate("place = Object.fromEntries(WIRES.map((wire) => [wire, wire]))")
    for a, b in pairs:
        page.evaluate(f"exchange('{a}', '{b}')")
    return np.array(page.evaluate("matrixOf(place)"))


def test_every_swap_is_the_matrix_of_the_package(page):
    for name, pair in PAIRS.items():
        np.testing.assert_allclose(exchanged(page, [pair]), leads.SWAPS[name], atol=1e-9, err_msg=name)
    row = [("V1", "V6"), ("V2", "V5"), ("V3", "V4")]
    np.testing.assert_allclose(exchanged(page, row), leads.SWAPS["V1-V6 reversed"], atol=1e-9)
    assert page.faults == []


def test_the_right_leg_makes_lead_two_flat(page):
    beat = np.random.default_rng(0).normal(size=(50, 2)) @ np.array(
        [[1, 0, -1, -0.5, 1, -0.5], [0, 1, 1, -0.5, -0.5, 1]]
    )
    twelve = np.hstack([beat, np.random.default_rng(1).normal(size=(50, 6))])
    np.testing.assert_allclose(twelve @ exchanged(page, [("RA", "RL")]).T, twelve @ leads.RA_RL.T, atol=1e-6)


def restored():
    """Build the network from the page's weights."""
    network = models.hypotheses()
    inner = network.get_layer("looks_right")
    unfold(inner.layers, DATA["network"]["stages"])
    inner.layers[-1].set_weights([array(DATA["network"]["last"])[:, None]])
    return network


def test_the_page_and_keras_agree_on_fifty_recordings(page):
    correct = inversion.examples("sample").take(np.arange(50))
    beats = correct.x["beat"].astype("f4")
    for k in range(0, 50, 5):  # some of them exchanged
        beats[k] = leads.swap(beats[k], list(leads.SWAPS.values())[k // 5 % 9])
    wanted = restored().predict(beats, verbose=0)
    found = np.array(page.evaluate("(beats) => beats.map(probabilities)", np.swapaxes(beats, 1, 2).tolist()))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()


def middles(page, *wires):
    boxes = [page.locator(f"#wire-{wire} circle").bounding_box() for wire in wires]
    return [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]


def said(page):
    return page.inner_text("#say").replace("\xa0", " ")


def test_a_hand_exchanges_the_arms_by_mouse_and_by_keys(page):
    middle = middles(page, "RA", "LA")
    page.mouse.move(*middle[0])
    page.mouse.down()
    page.mouse.move(*middle[1], steps=4)
    page.mouse.up()
    assert said(page) == "RA and LA exchanged. The network says LA/RA: 100 %."
    assert page.locator(".strip.changed").count() == 5
    assert page.inner_text("#verdict li:first-child").startswith("LA/RA")
    page.locator("#wire-RA").focus()
    page.keyboard.press("Enter")
    page.locator("#wire-LA").focus()
    page.keyboard.press("Enter")
    assert page.locator(".strip.changed").count() == 0  # twice is never
    assert page.inner_text("#verdict li:first-child").startswith("correct")
    assert page.faults == []


@pytest.mark.parametrize(("a", "b"), [("RA", "LA"), ("RL", "V4")])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_finger_exchanges_electrodes_and_the_page_stays(visit, width, a, b):
    page = visit(LIVE / "electrodes.html", width, touch=True)
    page.evaluate("scrollTo(0, 100)")  # it could move both ways
    stroke(page, *np.linspace(*middles(page, a, b), 6).tolist())
    assert said(page).startswith(f"{a} and {b} exchanged. The network says ")
    assert page.evaluate("scrollY") == 100
    assert page.faults == []


@pytest.mark.parametrize("touch", [False, True])
def test_one_is_chosen_and_then_another(visit, touch):
    page = visit(LIVE / "electrodes.html", touch=touch)
    press = page.touchscreen.tap if touch else page.mouse.click
    press(*middles(page, "V2")[0])
    assert said(page) == "V2 is chosen: now choose another."
    assert page.get_attribute("#wire-V2", "aria-pressed") == "true"
    press(*middles(page, "V1")[0])
    assert said(page).startswith("V2 and V1 exchanged. The network says V1/V2: ")
    assert page.locator(".wire[aria-pressed=true]").count() == 0
    press(*middles(page, "LL")[0])
    press(*middles(page, "LL")[0])  # the same one lets it go
    assert said(page) == ""
    assert page.locator(".strip.changed").count() == 2
    assert page.faults == []


def test_only_the_main_button_takes_an_electrode(page):
    page.mouse.click(*middles(page, "V2")[0], button="right")
    assert said(page) == ""


def test_the_verdict_is_in_sight_and_the_matrix_fits(visit):
    page = visit(LIVE / "electrodes.html")
    verdict = page.locator("#verdict").bounding_box()
    assert verdict["y"] + verdict["height"] <= 900
    for width in (390, 680):
        page = visit(LIVE / "electrodes.html", width)
        page.evaluate("exchange('RA', 'V1')")
        wide, seen = page.evaluate("[get('matrix').scrollWidth, get('matrix').parentElement.clientWidth]")
        assert wide <= seen


def test_it_tells_what_it_has_learnt_and_that_it_is_sure_of_something_else(page):
    told = page.inner_text("#limits").replace("\xa0", " ")
    assert all(name in told for name in [*PAIRS, "V1 to V6 in reverse order"])
    page.evaluate("exchange('RA', 'V1')")
    assert page.locator("#person option:checked").inner_text().startswith("patient 12,")
    first = page.inner_text("#verdict li:first-child").replace("\xa0", " ").split("\n")
    assert told.endswith(f"exchange RA and V1 (patient 12), and it says “{first[0]}”, {first[-1]}.")
    assert first == ["correct", "97.8 %"]


def test_nobody_is_listed_twice_by_the_same_name(page):
    names = page.locator("#person option").all_inner_texts()
    assert len(set(names)) == len(names) == len(DATA["people"])
    assert "patient 22 (second recording), healthy heart" in names


def test_it_answers_in_time(page):
    assert cost(page, "show()") < 0.5  # it is 0.25
