from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.signals import beat_sets, beats
from ecg_lessons.simulator import layouts, simulate_arrhythmias


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return simulate_arrhythmias(tmp_path_factory.mktemp("cohorts") / "forty", patients=40, minutes=3)


@pytest.fixture(scope="module")
def read(folder) -> list[recordings.Recording]:
    return list(recordings.mitdb(folder))


def test_wfdb_reads_it_and_agrees_with_the_checksums(folder):
    for name in ("a001", "a014"):
        record = wfdb.rdrecord(str(folder / name), physical=False)
        assert (record.fs, record.sig_len, record.fmt) == (360, 64800, ["212", "212"])
        assert (record.adc_gain, record.adc_res, record.adc_zero) == ([200.0] * 2, [11] * 2, [1024] * 2)
        assert record.calc_checksum() == record.checksum
        assert record.init_value == list(record.d_signal[0])


def test_format_212_keeps_every_step(tmp_path):
    steps = np.random.default_rng(0).integers(0, 2048, (500, 2))
    layouts.write_two(tmp_path / "x", (steps - 1024) / 200, ("MLII", "V1"))
    np.testing.assert_array_equal(wfdb.rdrecord(str(tmp_path / "x"), physical=False).d_signal, steps)
    layouts.write_two(tmp_path / "y", np.array([[9.0, -9.0], [0.0, 0.0]]), ("MLII", "V1"))
    clipped = wfdb.rdrecord(str(tmp_path / "y"), physical=False).d_signal
    np.testing.assert_array_equal(clipped, [[2047, 0], [1024, 1024]])


def test_the_library_reads_it_as_the_mit_bih_database(read):
    assert [recording.patient for recording in read] == [f"a{k:03d}" for k in range(1, 41)]
    assert {recording.leads[0] for recording in read} == {"MLII"}
    assert {recording.leads[1] for recording in read} == {"V1", "V2", "V5"}
    for recording in read:
        assert recording.signal.shape == (64800, 2)
        assert (np.diff(recording.beats.samples) >= 0).all()
        peaks = beat_sets.table(recording)["sample"]
        assert peaks.diff().min() > 0.2 * 360  # the fastest flutter
        assert peaks.iloc[0] < 3 * 360  # annotated from the start to the end
        assert peaks.iloc[-1] > 177 * 360


def test_amplitudes_fit_the_range_of_the_converter(read):
    top = np.array([np.abs(recording.signal).max() for recording in read])
    assert top.max() <= 5.12
    assert (top < 5.1).mean() > 0.9  # clipping is an exception
    assert 1 < np.median(top) < 4


def test_there_are_enough_patients_of_every_class(read):
    _, info = beat_sets.between_neighbours(read, symbols=tuple("NLRAV/E!F"))
    count = info.groupby("symbol")["patient"].agg(["nunique", "size"])
    for symbol, patients in {"N": 12, "L": 8, "R": 8, "A": 12, "V": 20, "/": 6, "E": 4, "!": 4, "F": 4}.items():
        assert count.loc[symbol, "nunique"] >= patients, symbol
    assert count.loc[list("ALNRV!/E"), "size"].sum() == pytest.approx(9000, abs=1000)
    assert count["size"].min() >= 40
    assert (count.loc[["A", "V", "!"], "size"] > 180).all()


def test_flutter_stands_in_brackets(read):
    episodes = 0
    for recording in read:
        inside = False
        for symbol in recording.beats.symbols:
            assert inside or symbol not in ("!", "]"), recording.name
            assert not inside or symbol in ("!", "]"), recording.name
            inside = symbol != "]" if inside else symbol == "["
            episodes += symbol == "]"
        assert not inside
    assert episodes >= 6  # of eight that are planned, a late one may find no time


def test_flutter_is_a_wave_at_the_rate_of_its_marks(read):
    """The strongest frequency of the larger lead makes as many waves as there are marks."""
    seen = 0
    for recording in read:
        at = recording.beats.samples[recording.beats.symbols == "!"][:16]
        if len(at):
            part = recording.signal[at[0] : at[-1]]
            part = part[:, part.std(axis=0).argmax()]
            power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
            assert power[5:].argmax() + 5 == pytest.approx(15, abs=1), recording.name
            assert 0.1 < part.std() < 1.2
            seen += 1
    assert seen == 4


def test_patients_differ_and_each_stays_itself(read):
    """Median beats of two halves of one recording agree better than those of two patients."""
    halves = []
    for recording in read:
        table = beat_sets.table(recording).iloc[1:-1]
        at = table["sample"][table["symbol"] == table["symbol"].mode()[0]].to_numpy()
        signal = beats.bandpass(recording.signal[:, 0], 360, 0.5, 40)
        cut, _ = beats.windows(signal, at, 72, 144)
        halves.append([np.median(part, axis=0) for part in (cut[: len(cut) // 2], cut[len(cut) // 2 :])])
    one, two = np.swapaxes(halves, 0, 1)
    apart = np.linalg.norm(one[:, None] - two, axis=2)
    assert (apart.argmin(axis=1) == np.arange(len(read))).mean() > 0.9
    assert np.median(apart[~np.eye(len(read), dtype=bool)]) > 5 * np.median(np.diag(apart))


@pytest.mark.parametrize("minutes", [0.5, float("nan")])
def test_a_length_that_cannot_be_used_is_refused(tmp_path, minutes):
    with pytest.raises(InputError, match="1 to 60 minutes"):
        simulate_arrhythmias(tmp_path / "none", minutes=minutes)
