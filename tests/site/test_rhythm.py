"""The page that plays strips agrees with lesson 2, and asks for a guess before it tells."""

import re

import numpy as np
import pytest

from ecg_lessons.lessons import rhythm
from ecg_lessons.models import crnn

from .conftest import stroke
from .stored import LIVE, array, constant, cost, numbers, unfold

DATA, STRIPS = constant("rhythm"), constant("rhythm", "STRIPS")
#: What one step of a strip is worth (µV), and how long a strip is, in samples.
STEP, LENGTH = 4, 9000


@pytest.fixture
def page(visit):
    return visit(LIVE / "rhythm.html")


@pytest.fixture(scope="module")
def given():
    return rhythm.examples("sample")


def restored():
    """Build the network from the page's weights."""
    network = crnn.build(rhythm.design("compact"))
    unfold(network.get_layer("convolutions").layers, DATA["network"]["stages"])
    read = network.get_layer("recurrence_1")
    for layer, cell in zip((read.forward_layer, read.backward_layer), DATA["network"]["recurrence"], strict=True):
        parts = cell["read"], cell["remembered"]
        biases = np.stack([array(part["offset"]) for part in parts])
        layer.set_weights([*(array(part["kernel"]) for part in parts), biases])
    network.get_layer("class").set_weights([array(DATA["network"]["class"][name]) for name in ("kernel", "offset")])
    return network


def signals(examples) -> list[list[int]]:
    return [row[:n].tolist() for row, (n,) in zip(examples.x["signal"], examples.x["length"], strict=True)]


def test_the_page_and_keras_agree_on_fifty_recordings_and_it_is_as_good_as_it_says(page, given):
    test = given.take(rhythm.split(given, "fold-0").test)
    wanted = restored().predict(dict(test.x), verbose=0)
    assert (wanted.argmax(axis=1) == test.y).mean() == pytest.approx(DATA["right"], abs=0.02)
    few = np.flatnonzero(test.x["length"][:, 0] < 50 * 300)[
        :50
    ]  # with room for the silence behind the end, as on the page
    answer = "(signals) => signals.map((one) => probabilities(Float64Array.from(one)))"
    np.testing.assert_allclose(page.evaluate(answer, signals(test.take(few))), wanted[few], atol=1e-4)


def test_strips_are_of_people_whom_the_network_never_met(page, given):
    test = given.take(rhythm.split(given, "fold-0").test)
    assert sorted(one["truth"] for one in STRIPS) == sorted(3 * list(range(4)))
    for k, strip in enumerate(STRIPS):
        signal = STEP * np.cumsum(numbers(strip["data"], "i1").astype(int))
        np.testing.assert_array_equal(page.evaluate(f"[...signalOf(STRIPS[{k}])]"), signal)
        away = np.abs(test.x["signal"][:, :LENGTH] - signal)
        nearest = np.median(away, axis=1).argmin()
        assert test.y[nearest] == strip["truth"]
        assert (away[nearest] <= STEP / 2).mean() > 0.95  # after a steep slope it takes some samples


def test_two_seconds_become_a_straight_line(page):
    signal = np.random.default_rng(0).normal(size=LENGTH)
    found = np.array(page.evaluate("(signal) => [...without(Float64Array.from(signal), 3)]", signal.tolist()))
    signal[900:1500] = np.linspace(signal[900], signal[1499], 600)
    np.testing.assert_allclose(found, signal, atol=1e-9)


def test_a_strip_runs_is_guessed_and_then_explained(page):
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("at > 6.1")
    page.get_by_role("button", name="Pause").click()
    assert not page.is_visible("#answer")
    page.get_by_role("button", name="noise").focus()
    page.keyboard.press("Enter")
    truth = DATA["classes"][STRIPS[0]["truth"]]
    assert page.inner_text("#say").startswith(f"It is {truth}, ")
    assert page.is_disabled("#guesses button:first-child")
    assert page.locator("#verdict li.counts").count() == 1
    page.wait_for_selector("#whole[data-done='0']")
    opacity = page.locator("#whole .shade").evaluate_all(
        "(all) => all.map((one) => Number(one.getAttribute('opacity')))"
    )
    assert len(opacity) == 30
    falls = "probabilities(signalOf(STRIPS[0])), after = probabilities(without(signalOf(STRIPS[0]), 0))"
    fall = page.evaluate(f"{{ const before = {falls}, top = likeliest(before); before[top] - after[top] }}")
    full = int(re.search(r"0 +−(\d+) percentage points or more, in every strip", page.inner_text("#scale"))[1]) / 100
    assert opacity[0] == pytest.approx(0.6 * max(fall, 0) / full, abs=1e-6)  # the first second, as the scale shows it
    assert 0 < max(opacity) < 0.6  # other strips are darker
    page.get_by_role("button", name="Next strip").click()
    assert page.input_value("#strip") == "1"
    assert not page.is_visible("#answer")
    assert page.faults == []


def test_a_finger_moves_the_strip_guesses_and_goes_on(visit):
    page = visit(LIVE / "rhythm.html", 390, touch=True)
    page.locator("#play").tap()
    page.wait_for_function("at > 6.1")
    time = page.locator("#time").bounding_box()
    left, right, y = time["x"] + 8, time["x"] + time["width"] - 8, time["y"] + time["height"] / 2
    stroke(page, *np.linspace((left, y), ((left + right) / 2, y), 6).tolist())
    assert page.evaluate("at") == pytest.approx(18, abs=1)  # the slider goes from 6 to 30 s
    assert page.inner_text("#play") == "Play"  # a hand on the slider stops the strip
    stroke(page, *np.linspace(((left + right) / 2, y), (right, y), 6).tolist())
    assert page.evaluate("at") == 30
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="noise").tap()
    assert page.inner_text("#say").startswith("It is ")
    page.wait_for_selector("#whole[data-done='0']")
    page.locator("#next").tap()
    assert page.input_value("#strip") == "1"
    assert page.faults == []


def test_it_begins_with_a_strip_that_the_network_names_right_and_shows_all(page):
    right = page.evaluate("STRIPS.map((one) => likeliest(probabilities(signalOf(one))) === one.truth)")
    assert right[0]
    assert not all(right)
    assert page.locator("#strip option").count() == 12


def test_after_the_last_strip_it_tells_the_score_and_begins_again(page):
    page.select_option("#strip", "3")  # in any order
    for _ in range(12):
        page.get_by_role("button", name="normal rhythm").click()
        told = page.inner_text("#say")
        last = page.inner_text("#next")
        page.click("#next")
    assert re.search(r"All 12 done: you 3, the network \d+\. Begin again\?$", told)
    assert last == "Begin again"
    assert page.input_value("#strip") == "0"
    assert page.inner_text("#say") == ""
    page.get_by_role("button", name="noise").click()
    assert "So far, of 1: you 0, the network 1." in page.inner_text("#say")
    assert page.inner_text("#next") == "Next strip"
    assert page.faults == []


def test_it_answers_in_time(page):
    assert cost(page, "guess(0); looking = null") < 0.6  # it is 0.3
