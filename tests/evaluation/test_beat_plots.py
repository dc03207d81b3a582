"""Pictures of beats: what is drawn, and what is refused."""

import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import beat_plots


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_gallery_shows_every_picture_in_rows():
    pictures = np.random.default_rng(0).integers(0, 256, (5, 16, 16), dtype=np.uint8)
    figure = beat_plots.gallery(pictures[..., None], list("NLRAV"), columns=3)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == list("NLRAV")
    for ax, picture in zip(shown, pictures, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), picture)


def test_gallery_refuses_missing_titles():
    with pytest.raises(InputError, match="3 pictures need as many titles, not 2"):
        beat_plots.gallery(np.zeros((3, 8, 8)), ["a", "b"])


def test_letters_stand_above_their_beats():
    rate, samples = 360, np.array([200, 560, 900])
    signal = np.zeros(1200)
    signal[samples] = 1.0
    figure = beat_plots.beat_strip(signal, rate, samples, "NVN")
    (ax,) = figure.axes
    letters = [text for text in ax.texts if text.get_text() in {"N", "V"}]
    trace = max(ax.lines, key=lambda line: len(line.get_xdata()))
    peaks = trace.get_xdata()[samples]
    assert [text.get_position()[0] for text in letters] == pytest.approx(peaks.tolist(), abs=0.2)
    assert all(text.get_position()[1] > trace.get_ydata().max() for text in letters)


def test_protocols_say_what_cannot_be_scored():
    score = {"value": 0.9, "low": 0.8, "high": 0.95}
    figure = beat_plots.protocols(["N", "!"], {"mixed": [score, score], "apart": [score, None]})
    assert texts(figure) == ["cannot be scored"]
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["N", "!"]
    assert figure.legends[0].get_texts()[1].get_text() == "apart"


def test_distributions_are_shares():
    figure = beat_plots.distributions({"N": np.full(10, 1.0), "A": np.array([0.5, 0.7])}, "ratio", 1.6)
    (ax,) = figure.axes
    for patch in ax.patches:
        assert patch.get_data().values.sum() == pytest.approx(1)
