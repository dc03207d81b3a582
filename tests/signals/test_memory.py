"""A Holter recording of many hours never stands in memory in double precision: peaks are told in its size as int16."""

import tracemalloc

import numpy as np
import pytest

from ecg_lessons import simulator
from ecg_lessons.data import plain_wfdb, recordings
from ecg_lessons.signals import beat_sets, beats, images, kachuee, quality, unusual

HOURS = 6


def one(path):
    return beat_sets.with_beats(recordings.read(path))


def curves(path):
    signal, info = beat_sets.between_neighbours([lead := one(path)], leads=lead.leads)
    images.curves(signal, info["start"].to_numpy(), info["stop"].to_numpy() - 1)


def comparisons(path):
    lead = one(path)
    unusual.comparisons([lead], kachuee.annotated([lead], lead.leads)[1], lead.leads)


def diagnosis(path):
    lead = recordings.read(path).only("MLII")
    quality.refuse_poor(lead, beat_sets.LEAST)
    kachuee.beat_of_diagnosis(lead, "unknown", lead.leads[0])


# In single precision the recording is 2, and one of its two leads 1; the rest is an hour of filters, and the beats.
@pytest.mark.filterwarnings("ignore:.*checksum")
@pytest.mark.parametrize(
    ("work", "most"), [(recordings.read, 3.5), (one, 5), (curves, 5), (comparisons, 5), (diagnosis, 5)]
)
def test_a_holter_takes_a_few_times_its_size(tmp_path, work, most):
    short = simulator.sample_arrhythmias(40) / "a001"
    about = plain_wfdb.header(short)
    again = HOURS * 3600 * about.fs // about.sig_len
    (tmp_path / "a001.dat").write_bytes(short.with_suffix(".dat").read_bytes() * again)
    header = short.with_suffix(".hea").read_text().replace(f" {about.sig_len}\n", f" {about.sig_len * again}\n")
    (tmp_path / "a001.hea").write_text(header)
    tracemalloc.start()
    work(tmp_path / "a001")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ratio = peak / (2 * about.sig_len * again * about.n_sig)
    print(f"\n{work.__name__}: {ratio:.2f} times the recording as int16")
    assert ratio < most


def test_filters_of_hours_are_those_of_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(3 * 3600 * 20 + 7, 2)).astype(np.float32).cumsum(axis=0) / 50
    signal[5_000:5_100, 0] = np.nan
    by_hour = [beats.resample(signal, 20, 15), beats.bandpass(signal, 20)]
    monkeypatch.setattr(beats, "_by_hour", lambda signal, rate, change, ratio=1: change(signal))
    for found, want in zip(by_hour, [beats.resample(signal, 20, 15), beats.bandpass(signal, 20)], strict=True):
        np.testing.assert_allclose(found, want, atol=1e-4)
