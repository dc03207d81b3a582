"""Pictures of lesson 4: what is drawn, and what is refused."""

import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import patient_plots
from ecg_lessons.evaluation.plots import BLUE, VERMILION


def test_every_heart_has_its_median_in_front_and_one_scale():
    groups = {"a": np.random.default_rng(0).random((90, 160)), "b": 3 * np.ones((3, 160))}
    axes = patient_plots.hearts(groups, 360, 80, most=40).axes
    for ax, group, drawn in zip(axes, groups.values(), (40, 3), strict=True):
        assert len(ax.lines) == drawn + 1
        np.testing.assert_allclose(ax.lines[-1].get_ydata(), np.median(group, axis=0))
        assert ax.lines[-1].get_xdata()[80] == 0
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[0].get_ylim()[1] > 3


def test_a_heart_without_beats_is_refused():
    with pytest.raises(InputError, match="no beat of b to draw"):
        patient_plots.hearts({"b": np.zeros((0, 160))}, 360, 80)


def test_patients_stand_sorted_by_gain_and_who_loses_has_another_colour_and_mark():
    before = {"100": 0.5, "200": 0.6, "205": 0.7, "300": np.nan}
    after = {"100": 0.9, "200": 0.4, "205": 0.698, "300": 0.5}
    (ax,) = patient_plots.gains(before, after, "F1", names=["200", "300"]).axes
    generic, adapted, lower = ax.lines
    assert list(generic.get_ydata()) == [0.6, 0.7, 0.5]
    assert list(adapted.get_ydata()) == [0.698, 0.9]
    assert list(lower.get_ydata()) == [0.4]
    assert (lower.get_color(), adapted.get_color()) == (VERMILION, BLUE)
    assert lower.get_marker() != adapted.get_marker()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["200"]


def test_nobody_who_loses_needs_no_key():
    (ax,) = patient_plots.gains({"a": 0.5}, {"a": 0.6}, "F1").axes
    assert [line.get_label() for line in ax.lines] == ["generic", "adapted"]


def test_a_patient_on_one_side_is_refused():
    with pytest.raises(InputError, match="'200' has a score on one side only"):
        patient_plots.gains({"100": 0.5}, {"100": 0.5, "200": 0.6}, "F1")


def test_minutes_are_drawn_in_their_order_with_their_intervals():
    curve = {10: {"value": 0.8, "low": 0.7, "high": 0.9}, 0: {"value": 0.6, "low": 0.5, "high": 0.75}}
    (ax,) = patient_plots.adaptation({"adapted": curve, "alone": {10: curve[10]}}, "F1", floor=0.3).axes
    line, _, (whiskers,) = next(one for one in ax.containers if one.get_label() == "adapted").lines
    np.testing.assert_allclose(line.get_ydata(), [0.6, 0.8])
    np.testing.assert_allclose([w[:, 1] for w in whiskers.get_segments()], [[0.5, 0.75], [0.7, 0.9]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "10"]
    assert ax.get_ylim()[0] == 0.3
