"""Databases to arrays, a row a beat."""

import numpy as np
import pytest

from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.signals import beat_sets, labels

SAMPLES, SYMBOLS = [30, 100, 150, 220, 280, 340, 390], list("NN+V!NN")


def recording(name="r", leads=("V5", "MLII"), samples=SAMPLES, symbols=SYMBOLS):
    """400 samples at 100 Hz; the lead in column k is the sample number plus 1000 k."""
    signal = np.arange(400, dtype=np.float32)[:, None] + 1000 * np.arange(len(leads), dtype=np.float32)
    beats = recordings.Beats(np.array(samples), np.array(symbols))
    return recordings.Recording(name, "Anna", signal, 100.0, leads, beats)


def test_table_lists_peaks_and_their_intervals():
    rows = beat_sets.table(recording())
    assert rows["symbol"].tolist() == list("NNV!NN")
    assert set(rows["patient"]) == {"Anna"}
    np.testing.assert_allclose(rows["time"], [0.3, 1.0, 2.2, 2.8, 3.4, 3.9])
    np.testing.assert_allclose(rows["previous"], [0.7, 0.7, 1.2, 0.6, 0.6, 0.5], rtol=1e-6)
    np.testing.assert_allclose(rows["next"], [0.7, 1.2, 0.6, 0.6, 0.5, 0.5], rtol=1e-6)


def test_fixed_windows_take_the_named_lead_wherever_it_stands():
    x, info = beat_sets.fixed_windows(iter([recording(), recording("s", ("MLII", "V1"))]), 20, 30)
    assert x.shape == (8, 50, 1)
    assert x.dtype == np.float32
    assert info["symbol"].tolist() == list("NNVN") * 2  # no flutter wave, and the last beat does not fit
    np.testing.assert_array_equal(x[:4, 20, 0], 1000 + info["sample"][:4])
    np.testing.assert_array_equal(x[4:, 20, 0], info["sample"][4:])


def test_all_leads_with_mlii_in_front():
    x, _ = beat_sets.fixed_windows([recording()], 20, 30, leads=None)
    np.testing.assert_array_equal(x[0, 0], [1010, 10])


def test_chosen_symbols_do_not_change_the_intervals():
    _, info = beat_sets.fixed_windows([recording()], 20, 30, symbols="V")
    assert info[["symbol", "sample", "previous", "next"]].to_numpy().tolist() == [
        ["V", 220, pytest.approx(1.2), pytest.approx(0.6)]
    ]


def test_between_neighbours_is_as_the_paper_cuts():
    signal, info = beat_sets.between_neighbours([recording(), recording("s")])
    assert signal.shape == (800,)
    assert info["symbol"].tolist() == list("NV!N") * 2
    assert info[["start", "stop"]].to_numpy().tolist()[:4] == [[50, 200], [120, 260], [240, 320], [300, 370]]
    for row in info.itertuples():
        cut = signal[row.start : row.stop]
        assert (cut[0], cut[-1]) == (1000 + row.start % 400, 1000 + row.stop % 400 - 1)
        assert row.sample in cut - 1000


def test_neighbours_too_near_leave_nothing_to_draw():
    near = recording(samples=[100, 110, 120, 200, 300], symbols=list("NNNNN"))
    assert beat_sets.between_neighbours([near])[1]["sample"].tolist() == [120, 200]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (recording(samples=[100], symbols=["+"]), "Record r has no annotated beats"),
        (recordings.Recording("r", "a", np.zeros((9, 1)), 1.0, ("MLII",)), "Record r has no annotated beats"),
        (recording(samples=[100, 400], symbols=["N", "N"]), "beat at sample 400 lies beyond the signal's end"),
        (recording(samples=[100], symbols=["Z"]), "Unknown beat symbols 'Z'"),
        (recording(leads=("V5", "V2")), "Record r has no lead MLII, only V5, V2"),
    ],
)
def test_mistakes_are_told_in_one_sentence(given, words):
    with pytest.raises(InputError, match=words):
        beat_sets.fixed_windows([given], 10, 10)


def test_no_recordings_at_all():
    for turn in (lambda: beat_sets.fixed_windows([], 1, 1), lambda: beat_sets.between_neighbours([])):
        with pytest.raises(InputError, match="No recordings"):
            turn()


@pytest.fixture(scope="module")
def mitdb(real):
    return real / "mitdb" / "1.0.0"


def test_real_share_of_normal_beats_is_that_of_lesson_4(mitdb):
    x, info = beat_sets.fixed_windows(recordings.mitdb(mitdb), 80, 80, None, labels.FOURTEEN)
    assert x.shape == (109_438, 160, 2)
    assert round(100 * (info["symbol"] == "N").mean(), 2) == 68.56
    assert np.isfinite(info[["previous", "next", "local"]]).all(axis=None)
    assert len(np.unique(info["patient"])) == 47


def test_real_stretches_between_neighbours(mitdb):
    signal, info = beat_sets.between_neighbours(recordings.mitdb(mitdb))
    counted = info["symbol"].value_counts()
    # Lesson 3's counts, less the first and the last peak of every record.
    whole = {"N": 75_052, "/": 7_028, "L": 8_075, "R": 7_259, "V": 7_130, "A": 2_546, "!": 472, "E": 106}
    missing = {symbol: count - int(counted[symbol]) for symbol, count in whole.items()}
    assert missing == {"N": 68, "/": 8, "L": 6, "R": 9, "V": 2, "A": 2, "!": 0, "E": 0}
    assert info.groupby("symbol")["record"].nunique()[["/", "L", "R", "!"]].tolist() == [4, 4, 6, 1]
    assert signal.nbytes < 128 * 2**20


def test_real_records_without_mlii(mitdb):
    for name, leads in (("102", "V5, V2"), ("104", "V5, V2")):
        (one,) = recordings.mitdb(mitdb, [name])
        with pytest.raises(InputError, match=f"Record {name} has no lead MLII, only {leads}"):
            beat_sets.fixed_windows([one], 80, 80)
    (swapped,) = recordings.mitdb(mitdb, [114])
    x, info = beat_sets.fixed_windows([swapped], 0, 1)
    np.testing.assert_array_equal(x[:, 0, 0], swapped.signal[info["sample"], 1])
