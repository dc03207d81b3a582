"""Pictures of lesson 2: what is drawn, and what is refused."""

import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import rhythm_plots


def test_spectrograms_share_colours_and_stand_at_their_seconds_and_hertz():
    pictures = {"N": np.arange(330.0).reshape(10, 33), "A": np.zeros((10, 33))}
    *axes, _ = rhythm_plots.spectrograms(pictures, step=0.5).axes
    images = [ax.images[0] for ax in axes]
    assert images[0].get_clim() == images[1].get_clim()
    np.testing.assert_array_equal(images[0].get_array(), pictures["N"].T)
    left, right, low, high = images[0].get_extent()
    assert (left, right) == (0, 5)
    assert low + high == 150
    with pytest.raises(InputError, match="no spectrogram"):
        rhythm_plots.spectrograms({}, step=0.5)


def test_versions_of_a_signal_share_their_axes():
    axes = rhythm_plots.traces({"before": np.ones(600), "after": 3 * np.ones(300)}, 300).axes
    assert [line.get_xdata()[-1] for ax in axes for line in ax.lines] == pytest.approx([599 / 300, 299 / 300])
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[0].get_xlim() == (0, 2)


def test_every_example_has_a_dot_within_the_axis():
    groups = {"N": np.array([1.0, 2.0, 9.0]), "A": np.array([5.0])}
    (ax,) = rhythm_plots.dots(groups, "irregularity (%)", most=8).axes
    drawn = [line for line in ax.lines if line.get_marker() == "."]
    assert [line.get_xdata().tolist() for line in drawn] == [[1, 2, 8], [5]]
    medians = [line.get_xdata()[0] for line in ax.lines if line.get_linewidth() == 2.5 and len(line.get_xdata())]
    assert medians == [2, 5]


def test_stretches_that_matter_are_shaded_and_each_network_has_its_curve():
    start, fall = np.arange(4.0), np.array([0.0, 0.4, 0.2, -0.1])
    above, below = rhythm_plots.over_time(np.zeros(1500), 300, start, 2, {"trained": fall, "chance": 0 * fall}).axes
    shades = [patch.get_alpha() for patch in above.patches]
    assert shades == pytest.approx([0, 0.25, 0.125, 0])
    curves = {line.get_label(): line for line in below.lines}
    np.testing.assert_allclose(curves["trained"].get_ydata(), fall)
    np.testing.assert_allclose(curves["trained"].get_xdata(), start + 1)
    assert curves["trained"].get_linestyle() != curves["chance"].get_linestyle()


def test_falls_of_another_number_are_refused():
    with pytest.raises(InputError, match="4 stretches"):
        rhythm_plots.over_time(np.zeros(1500), 300, np.arange(4.0), 2, {"trained": np.zeros(3)})


def test_scores_stand_class_by_class_with_their_intervals():
    ours = {"N": {"value": 0.9, "low": 0.85, "high": 0.92}, "~": {"value": 0.5, "low": None, "high": None}}
    (ax,) = rhythm_plots.by_class("NA~", {"claimed": {"N": 0.88, "A": 0.76}, "ours": ours}).axes
    points = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    assert points == [0.88, 0.76, 0.9, 0.5]
    (interval,) = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert list(interval.get_xdata()) == [0.85, 0.92]
