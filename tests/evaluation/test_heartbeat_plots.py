"""Pictures of lesson 5: what is drawn, and what is refused."""

import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import heartbeat_plots
from ecg_lessons.evaluation.paper import GAIN, SPEED


def test_peaks_below_the_line_are_marked_as_missed():
    scaled = np.zeros(1250)
    found, annotated = np.array([100, 500]), np.array([101, 300, 502])
    scaled[[100, 300, 500]] = 1, 0.5, 0.95
    figure = heartbeat_plots.peaks(scaled, 125, found, annotated, slice(100, 250))
    (ax,) = figure.axes
    marks = {line.get_label(): line.get_xdata() for line in ax.lines}
    np.testing.assert_allclose(marks["above 0.9: found"], [0.8, 4.0])
    np.testing.assert_allclose(marks["below: missed"], [2.4])
    assert ax.patches[0].get_x() == pytest.approx(0.8)
    assert ax.patches[0].get_width() == pytest.approx(1.2)


def test_without_a_peak_above_the_line_all_are_missed():
    figure = heartbeat_plots.peaks(np.zeros(500), 125, np.array([], int), np.array([100, 300]), slice(0, 1))
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [500, 2, 0, 2]


def test_every_group_of_beats_has_its_median_in_front():
    groups = {"N": np.random.default_rng(0).random((90, 187)), "F": np.random.default_rng(1).random((3, 187))}
    figure = heartbeat_plots.beats(groups, 125, most=40)
    assert [ax.get_title() for ax in figure.axes] == ["N", "F"]
    for ax, group, drawn in zip(figure.axes, groups.values(), (40, 3), strict=True):
        assert len(ax.lines) == drawn + 1
        np.testing.assert_allclose(ax.lines[-1].get_ydata(), np.median(group, axis=0))


def test_an_empty_group_of_beats_is_refused():
    with pytest.raises(InputError, match="no beat of F to draw"):
        heartbeat_plots.beats({"F": np.zeros((0, 187))}, 125)


def test_territories_are_drawn_to_scale_and_phases_differ():
    beat = np.zeros((200, 2))
    beat[75] = 1.0  # mV
    rows = {"normal": {"old": beat}, "inferior": {"old": beat, "acute": 2 * beat}}
    figure = heartbeat_plots.territories(rows, 250, ("II", "V2"), marked="II")
    (ax,) = figure.axes
    traces = [line for line in ax.lines if len(line.get_xdata()) == 200]
    assert len(traces) == 2 * 3
    assert np.ptp(traces[0].get_ydata()) == pytest.approx(GAIN)
    assert np.ptp(traces[-1].get_ydata()) == pytest.approx(2 * GAIN)
    assert np.ptp(traces[0].get_xdata()) == pytest.approx(SPEED * 199 / 250)
    assert traces[-1].get_linewidth() > traces[0].get_linewidth()
    assert traces[2].get_ydata()[0] < traces[0].get_ydata()[0]  # the second row lies below
    assert {text.get_text(): text.get_weight() for text in ax.texts}["II"] == "bold"


def test_territories_refuse_columns_without_a_lead():
    with pytest.raises(InputError, match="inferior: 2 columns cannot be drawn as 1 leads"):
        heartbeat_plots.territories({"inferior": {"old": np.zeros((200, 2))}}, 250, ("II",))


def test_shares_are_drawn_in_their_order_with_their_intervals():
    scratch = {1.0: {"value": 0.8, "low": 0.7, "high": 0.9}, 0.1: {"value": 0.6, "low": 0.5, "high": 0.75}}
    figure = heartbeat_plots.shares({"scratch": scratch, "frozen": scratch}, "macro F1", floor=0.3)
    (ax,) = figure.axes
    bars = {one.get_label(): one for one in ax.containers}
    assert list(bars) == ["scratch", "frozen"]
    line, _, (whiskers,) = bars["scratch"].lines
    np.testing.assert_allclose(line.get_ydata(), [0.6, 0.8])
    np.testing.assert_allclose([w[:, 1] for w in whiskers.get_segments()], [[0.5, 0.75], [0.7, 0.9]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["10 %", "100 %"]
    assert ax.get_ylim() == (0.3, 1.0)


def test_unusual_beats_are_drawn_class_by_class():
    groups = {"N": (np.ones(5), np.ones(5)), "S": (np.full(2, 0.7), np.ones(2))}
    (ax,) = heartbeat_plots.unusual(groups, "early", "alike").axes
    marks = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(marks["S"].get_xdata(), 0.7)
    assert len(marks["N"].get_xdata()) == 5
    assert marks["N"].get_marker() != marks["S"].get_marker()
