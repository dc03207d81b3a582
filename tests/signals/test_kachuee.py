"""Beats as Kachuee et al. cut them."""

import time

import numpy as np
import pytest

from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.signals import beats, kachuee, labels


def heart(at, seconds=20.0, rate=125.0, gain=1.0):
    """Narrow peaks at the given times (s) on a floor of 0, one sample of -0.2 before each."""
    t = np.arange(round(seconds * rate)) / rate
    wave = np.exp(-0.5 * ((t[:, None] - np.asarray(at)) / 0.02) ** 2).sum(axis=1)
    wave -= 0.2 * np.exp(-0.5 * ((t[:, None] - np.asarray(at) + 0.1) / 0.02) ** 2).sum(axis=1)
    return (gain * wave).astype(np.float32)


def recording(signal, at=None, symbols=None, rate=125.0, leads=("MLII",)):
    columns = np.stack([signal] * len(leads), axis=1)
    marks = None
    if at is not None:
        symbols = np.array(list(symbols or "N" * len(at)))
        marks = recordings.Beats(np.round(np.asarray(at) * rate).astype(int), symbols)
    return recordings.Recording("r", "Anna", columns, rate, leads, marks)


def lengths(x):
    """Where the zeros begin."""
    return 187 - (x[:, ::-1] > 0).argmax(axis=1)


def by_hand(signal):
    """The published rule window by window, with loops; the recording is whole windows at 125 Hz."""
    found, rows = [], []
    for start in range(0, len(signal), 1250):
        window = signal[start : start + 1250]
        low, high = window.min(), window.max()
        peaks = [
            place
            for place in range(max(start, 1), min(start + 1250, len(signal) - 1))
            if signal[place - 1] < signal[place] > signal[place + 1] and (signal[place] - low) / (high - low) > 0.9
        ]
        if len(peaks) < 2:
            continue
        length = round(1.2 * float(np.median(np.diff(peaks))))
        for peak in peaks:
            stretch = ((signal[peak : peak + min(length, 187)] - low) / (high - low)).clip(0, 1)
            rows.append(np.append(stretch, np.zeros(187 - len(stretch))))
            found.append(peak)
    return np.array(rows), found


@pytest.mark.parametrize("seed", range(5))
def test_the_published_rule_is_that_of_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.uniform(0.4, 1.6, 60))
    signal = heart(at[at < 39.5], 40) * np.repeat(rng.uniform(0.5, 2, 4), 1250).astype(np.float32)
    signal += rng.normal(0, 0.03, 5000).astype(np.float32)
    x, info = kachuee.beat_of_diagnosis(recording(signal, leads=("II",)), "infarction")
    rows, found = by_hand(signal)
    assert len(found) > 10
    assert info["sample"].tolist() == found
    assert set(info["label"]) == {"infarction"}
    np.testing.assert_allclose(x, rows, atol=1e-6)


def test_a_beat_is_one_and_a_fifth_of_the_median_interval():
    at = np.arange(0.4, 19.5, 0.8)
    x, info = kachuee.annotated([recording(heart(at), at)])
    assert x.dtype == np.float32
    assert x.shape == (len(at), 187)
    np.testing.assert_allclose(x[:-1, 0], 1, atol=0.02)
    np.testing.assert_allclose(x[:-1, 100], 1, atol=0.02)  # the next beat, after 0.8 s
    assert set(lengths(x[:-1])) == {120}
    np.testing.assert_allclose(info["time"], at)


def test_scaled_window_by_window():
    at = np.arange(0.4, 19.5, 0.8)
    loud = heart(at) * np.repeat(np.float32([1, 5]), 1250)
    x, _ = kachuee.annotated([recording(heart(at), at)])
    y, _ = kachuee.annotated([recording(loud + np.float32(3), at)])
    inner = np.arange(len(at)) != 11  # its stretch runs into the louder window
    np.testing.assert_allclose(x[inner], y[inner], atol=1e-5)
    assert y.max() <= 1


def test_the_last_beat_is_padded_and_the_rest_belongs_to_the_last_window():
    at = np.arange(0.4, 24.0, 1.0)
    x, _ = kachuee.annotated([recording(heart(at, 24.0), at)])
    assert len(x) == 24
    assert lengths(x).tolist() == [150] * 23 + [75]  # 0.6 s of the last were recorded


def test_a_slow_heart_fills_the_row():
    at = np.arange(0.4, 19.5, 1.8)
    x, _ = kachuee.annotated([recording(heart(at), at)])
    assert set(lengths(x[:-1])) == {187}


def test_a_beat_alone_in_its_window():
    at = [1.0, 2.0, 3.0, 14.0]
    x, info = kachuee.annotated([recording(heart(at), at)])
    assert info["time"].tolist() == at
    assert lengths(x)[3] == 150  # the usual interval of the recording is 1 s
    _, info = kachuee.published([recording(heart(at), at)])
    assert info["time"].tolist() == at[:3]
    assert info.attrs["dropped"] == {"alone": 1, "unlabelled": 0}
    x, _ = kachuee.annotated([recording(heart([5.0]), [5.0])])
    assert lengths(x) == [187]  # no interval at all


def test_a_found_peak_takes_the_label_of_the_nearest_annotation():
    at = np.arange(0.4, 19.6, 1.0)
    marks, symbols = at.copy(), ["N"] * 20
    marks[3] += 0.136
    marks[4] += 0.16
    symbols[3], symbols[5], symbols[6], symbols[7] = "V", "!", "A", "+"
    _, info = kachuee.published([recording(heart(at), marks, symbols)])
    assert info["label"].tolist() == ["N", "N", "N", "V", "S", *"N" * 12]
    assert info["symbol"].tolist()[3:5] == ["V", "A"]
    assert info["time"].tolist() == np.delete(at, [4, 5, 7]).round(3).tolist()
    assert info.attrs["dropped"] == {"alone": 0, "unlabelled": 3}
    np.testing.assert_allclose(info["previous"], 1, atol=0.01)  # of found peaks, dropped ones too


def test_flutter_waves_count_as_peaks_and_are_not_cut():
    at = np.arange(0.4, 19.6, 1.0)
    x, info = kachuee.annotated([recording(heart(at), at, "N!" * 10)])
    assert x.shape == (10, 187)
    assert set(info["symbol"]) == {"N"}
    np.testing.assert_allclose(info["previous"], 1)
    assert set(lengths(x)) == {150}


def test_other_sampling_rates_and_leads():
    at = np.arange(0.4, 19.5, 0.8)
    x, _ = kachuee.annotated([recording(heart(at), at)])
    y, info = kachuee.annotated([recording(heart(at, rate=500.0), at, rate=500.0, leads=("V1", "V5"))])
    np.testing.assert_allclose(x, y, atol=0.03)
    assert info["sample"].tolist() == np.round(at * 500).astype(int).tolist()
    _, info = kachuee.published([recording(heart(at, rate=500.0), at, rate=500.0)])
    np.testing.assert_allclose(info["time"], at, atol=0.004)
    np.testing.assert_allclose(info["sample"], at * 500, atol=2)


def test_a_flat_line_has_no_beats():
    x, info = kachuee.beat_of_diagnosis(recording(np.zeros(1250, np.float32), leads=("II",)), "normal")
    assert (x.shape, len(info)) == ((0, 187), 0)
    assert {"record", "patient", "label", *beats.RR} <= set(info.columns)


def test_mistakes_are_told_in_one_sentence():
    with pytest.raises(InputError, match="No recordings"):
        kachuee.annotated([])
    with pytest.raises(InputError, match="Record r has no annotated beats"):
        kachuee.published([recording(heart([1, 2]))])
    with pytest.raises(InputError, match="Record r has no lead II, only MLII"):
        kachuee.beat_of_diagnosis(recording(heart([1, 2])), "normal")


@pytest.fixture(scope="module")
def mitdb(real):
    return real / "mitdb" / "1.0.0"


def test_real_counts_of_annotated_beats(mitdb):
    started = time.process_time()
    x, info = kachuee.annotated(recordings.mitdb(mitdb))
    assert time.process_time() - started < 15
    assert x.shape == (109_494, 187)
    assert (x.min(), x.max()) == (0, 1)
    assert (x.max(axis=1) > 0).all()

    def counts(rows):
        return [int((rows["label"] == label).sum()) for label in labels.classes("aami")]

    assert counts(info[info["record"].isin(recordings.DS1)]) == [45_866, 944, 3_788, 415, 8]
    assert counts(info[info["record"].isin(recordings.DS2)]) == [44_259, 1_837, 3_221, 388, 7]
    published = info.drop(info.groupby("record").tail(1).index)
    assert len(published) == 109_446  # of the CSV files
    assert info["patient"].nunique() == 47
    assert np.isfinite(info[list(beats.RR)]).all(axis=None)


def test_real_peaks_of_the_published_rule(mitdb):
    x, info = kachuee.published(recordings.mitdb(mitdb, ["220", "208"]))
    assert x.shape == (len(info), 187)
    assert (x[:, 0] > 0.89).all()
    found = info.groupby("record").size()
    assert found["220"] > 0.95 * 2048  # beats all alike
    assert found["208"] < 0.30 * 2955  # tall ventricular beats hide the others


def test_real_ptb_xl(real):
    found = [one for one, _ in zip(recordings.ptb_xl(real / "ptb-xl" / "1.0.3"), range(20), strict=False)]
    counted = [len(kachuee.beat_of_diagnosis(one, "any")[0]) for one in found]
    assert sum(counted) / len(counted) > 5
