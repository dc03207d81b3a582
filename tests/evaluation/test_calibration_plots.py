import numpy as np

from ecg_lessons.evaluation import calibration_plots


def test_reliability_sets_what_was_said_against_what_was_right():
    probability = np.repeat([0.95, 0.55, 0.15], [100, 40, 3])
    right = np.concatenate([np.arange(100) < 80, np.arange(40) < 30, np.ones(3, bool)])
    (ax,) = calibration_plots.reliability({"generic": (probability, right)}, least=20).axes
    line = next(one for one in ax.lines if one.get_label() == "generic")
    np.testing.assert_allclose(line.get_xdata(), [0.55, 0.95])
    np.testing.assert_allclose(line.get_ydata(), [0.75, 0.8])


def test_a_verdict_that_is_certain_belongs_to_the_last_tenth():
    (ax,) = calibration_plots.reliability({"sure": (np.ones(20), np.ones(20, bool))}).axes
    line = next(one for one in ax.lines if one.get_label() == "sure")
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1.0], [1.0])


def test_the_picture_of_two_verdicts_begins_at_one_half():
    probability = np.repeat([0.65, 0.95], 30)
    (ax,) = calibration_plots.reliability({"which": (probability, np.ones(60, bool))}).axes
    assert ax.get_xlim()[0] == ax.get_ylim()[0] == 0.5


def test_wrong_verdicts_stand_over_the_share_that_is_given():
    curve = {0.5: {"value": 0.01, "low": 0.0, "high": 0.02}, 1.0: {"value": 0.09, "low": 0.07, "high": 0.11}}
    (ax,) = calibration_plots.wrong_by_coverage({"LUDB": curve}).axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.01, 0.09])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["50 %", "100 %"]
