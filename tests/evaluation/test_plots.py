import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecg_lessons.data.recordings import LEADS, Recording
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import paper, plots

RATE = 500
TIME = np.arange(10 * RATE) / RATE


def pulses(rate: int = RATE, seconds: float = 10.0) -> np.ndarray:
    """Twelve leads, each a spike a second, as high in tenths of mV as its place in the order."""
    time = np.arange(round(seconds * rate)) / rate
    spike = (np.round(time % 1, 6) == 0.5).astype(float)
    return spike[:, None] * np.arange(1, 13) / 10


def lines(figure) -> dict:
    """Give the drawn leads by name; the rhythm strip comes last and is named 'rhythm'."""
    traces = [line for line in figure.axes[0].lines if line.get_label() in LEADS]
    return {line.get_label(): line for line in traces[:-1]} | {"rhythm": traces[-1]}


def millimetres(figure, x, y) -> np.ndarray:
    """Where a point of the axes lies on the printed sheet, in mm."""
    return figure.axes[0].transData.transform((x, y)) / figure.dpi * 25.4


def test_the_paper_is_true_to_scale():
    figure = plots.ecg_page(pulses(), RATE)
    np.testing.assert_allclose(figure.get_size_inches() * 25.4, (285, 185))
    rhythm = lines(figure)["rhythm"]
    x, y = rhythm.get_data()
    second = millimetres(figure, x[RATE], 0) - millimetres(figure, x[0], 0)
    assert second[0] == pytest.approx(25)
    spike = millimetres(figure, 0, y.max()) - millimetres(figure, 0, np.median(y))
    assert spike[1] == pytest.approx(0.2 * 10)  # lead II is 0.2 mV high
    np.testing.assert_allclose(millimetres(figure, 285, 185), (285, 185))


def test_the_grid_has_a_thin_line_each_mm_and_a_bold_one_each_5_mm():
    thin_down, thin_across, bold_down, bold_across = plots.ecg_page(pulses(), RATE).axes[0].collections[:4]
    assert np.allclose(np.diff([segment[0, 0] for segment in thin_down.get_segments()]), 1)
    assert np.allclose(np.diff([segment[0, 1] for segment in bold_across.get_segments()]), 5)
    assert len(thin_across.get_segments()) == 186
    assert bold_down.get_linewidth()[0] > thin_down.get_linewidth()[0]


def test_leads_stand_where_a_cardiologist_looks_for_them():
    figure = plots.ecg_page(pulses(), RATE)
    traces = lines(figure)
    for names in (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")):
        starts = [traces[name].get_xdata()[0] for name in names]
        np.testing.assert_allclose(np.diff(starts), 62.5)  # 2.5 s
        assert len({float(np.median(traces[name].get_ydata())) for name in names}) == 1
    levels = [np.median(traces[name].get_ydata()) for name in ("I", "II", "III", "rhythm")]
    assert levels == sorted(levels, reverse=True)
    for i, lead in enumerate(LEADS):  # each trace is that of its own lead
        assert np.ptp(traces[lead].get_ydata()) == pytest.approx(i + 1)
    assert len(traces["rhythm"].get_xdata()) == 10 * RATE


def test_four_calibration_pulses_of_1_mv_and_0_2_s():
    pulses_drawn = [line for line in plots.ecg_page(pulses(), RATE).axes[0].lines if line.get_label() == "1 mV"]
    assert len(pulses_drawn) == 4
    for line in pulses_drawn:
        x, y = line.get_data()
        assert np.ptp(y) == 10
        assert np.ptp(x[y == y.max()]) == 5


def test_name_and_scale_are_printed():
    words = [text.get_text() for text in plots.ecg_page(pulses(), RATE, title="Record 7", note="PTB-XL").axes[0].texts]
    assert {"25 mm/s  10 mm/mV", "Record 7", "PTB-XL", *LEADS} == set(words)


def test_highlight_marks_only_the_leads_asked_for():
    traces = lines(plots.ecg_page(pulses(), RATE, highlight=("I", "aVL")))
    assert {name for name, line in traces.items() if line.get_color() == paper.MARK} == {"I", "aVL"}
    with pytest.raises(InputError, match="no lead 'V7'"):
        plots.ecg_page(pulses(), RATE, highlight=("V7",))


@pytest.mark.parametrize(("rate", "seconds"), [(250, 10.0), (1000, 10.0), (500, 8.7), (500, 30.0)])
def test_other_rates_and_lengths_keep_the_scale(rate, seconds):
    traces = lines(plots.ecg_page(pulses(rate, seconds), rate))
    x = traces["rhythm"].get_xdata()
    assert x[-1] - x[0] == pytest.approx(25 * (min(seconds, 10) - 1 / rate))
    assert len(traces["I"].get_xdata()) == round(2.5 * rate)


def test_a_recording_brings_its_name_rate_and_order_of_leads():
    order = LEADS[::-1]
    recording = Recording("00007", "1", pulses(250)[:, ::-1].astype(np.float32), 250.0, order)
    figure = plots.ecg_page(recording)
    assert "Record 00007" in [text.get_text() for text in figure.axes[0].texts]
    assert np.ptp(lines(figure)["V6"].get_ydata()) == pytest.approx(12)


def test_a_record_of_three_leads_is_refused():
    three = Recording("short", "1", np.zeros((5000, 3), np.float32), 500.0, ("I", "II", "III"))
    with pytest.raises(InputError, match=r"short has 3 leads.*lacks.*12-lead"):
        plots.ecg_page(three)
    with pytest.raises(InputError, match=r"\(5000, 3\)"):
        plots.ecg_page(np.zeros((5000, 3)), RATE)
    with pytest.raises(InputError, match="sampling rate"):
        plots.ecg_page(pulses())


def test_a_strip_has_the_same_scale_and_room_for_tall_waves():
    signal = np.stack([3 * np.sin(2 * np.pi * TIME), 0.1 * TIME], axis=1)
    figure = plots.ecg_strip(signal, RATE, ("V2", "II"), highlight=("II",))
    tall, flat = (line for line in figure.axes[0].lines if line.get_label() in LEADS)
    assert np.ptp(tall.get_ydata()) == pytest.approx(60, rel=1e-3)
    x = tall.get_xdata()
    np.testing.assert_allclose(millimetres(figure, x[RATE], 0) - millimetres(figure, x[0], 0), (25, 0), atol=1e-6)
    assert tall.get_ydata().min() > flat.get_ydata().max()
    assert tall.get_ydata().max() < figure.axes[0].get_ylim()[1]
    assert flat.get_color() == paper.MARK
    with pytest.raises(InputError, match="as 1 leads"):
        plots.ecg_strip(signal, RATE)


def test_confusion_prints_counts_and_shades_shares():
    figure = plots.confusion([[1500, 0], [1, 3]], ["N", "S"])
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.texts] == ["1,500", "1", "3"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[1, 0], [0.25, 0.75]])
    with pytest.raises(InputError, match="3 names"):
        plots.confusion([[1, 0], [0, 1]], ["a", "b", "c"])


def test_learning_curves_ring_the_epoch_that_was_kept_and_no_other():
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 2.8], "accuracy": [0.1, 0.5, 0.9]}
    kept = [line for line in plots.learning_curves(history, kept=2).axes[0].lines if line.get_label() == "kept"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in kept] == [(2, 2.5)]
    labels = [line.get_label() for ax in plots.learning_curves(history).axes for line in ax.lines]
    assert labels == ["training", "validation", "training"]


def test_an_empty_history_is_refused():
    with pytest.raises(InputError, match="at least one epoch"):
        plots.learning_curves({"loss": []})


def test_three_numbers_draws_and_explains_what_is_known_only():
    rows = [{"name": "a", "claimed": 0.9905}, {"name": "b", "claimed": None, "honest": (0.6, 0.5, 0.7)}]
    figure = plots.three_numbers(rows, always=0.7)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == ["99.05", "60.0"]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["claimed", "honest (patient split)", "always one class"]


def test_sensitivities_draw_values_and_intervals_in_order():
    ax = plots.sensitivities(["LA/RA", "LA/LL"], [0.98, 0.49], [0.9, 0.4], [1.0, 0.6]).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["LA/RA", "LA/LL"]
    assert ax.yaxis_inverted()
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0.98, 0.49])
    np.testing.assert_allclose(
        [segment[:, 0] for segment in ax.collections[0].get_segments()], [[0.9, 1.0], [0.4, 0.6]]
    )
    with pytest.raises(InputError, match="one length"):
        plots.sensitivities(["a"], [1, 2], [1], [1])


def test_positive_predictive_value_follows_bayes():
    ax = plots.ppv_curve(0.9, 0.95, (0.02,)).axes[0]
    assert ax.lines[1].get_ydata()[0] == pytest.approx(0.9 * 0.02 / (0.9 * 0.02 + 0.05 * 0.98))
    assert ax.texts[0].get_text() == "27 % true\nat 2 %"
    with pytest.raises(InputError, match="between 0 and 1"):
        plots.ppv_curve(90, 95)


def test_no_figure_stays_open_in_pyplot():
    plots.ecg_page(pulses(), RATE)
    plots.ppv_curve(0.9, 0.9)
    assert plt.get_fignums() == []
