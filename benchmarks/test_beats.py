"""Speed of cutting and reading beats, as a ratio to doing the same in a Python loop, in one run.

Half an hour of two leads at 360 Hz, as a record of the MIT-BIH Arrhythmia Database.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import beat_sets, beats, labels

RATE, SAMPLES, BEATS = 360, 650_000, 2_300


@pytest.fixture(scope="module")
def record():
    rng = np.random.default_rng(0)
    return rng.normal(size=(SAMPLES, 2)).astype(np.float32), np.sort(rng.integers(0, SAMPLES, BEATS))


def test_windows(compare, record):
    signal, samples = record

    def theirs():
        return np.array([signal[at - 80 : at + 80] for at in samples if 80 <= at <= SAMPLES - 80])

    compare(lambda: beats.windows(signal, samples, 80, 80)[0], theirs, "fixed windows", tolerance=0)


def test_rr_intervals(compare, record):
    samples = record[1]

    def theirs():
        rows = []
        for i, at in enumerate(samples):
            before = [samples[j] - samples[j - 1] for j in range(max(1, i - 9), i + 1)]
            before = [samples[1] - samples[0]] * (i < 10) + before
            after = samples[i + 1] - at if i + 1 < len(samples) else before[-1]
            rows.append([before[-1] / RATE, after / RATE, np.mean(before) / RATE])
        return np.array(rows)

    compare(lambda: beats.rr_intervals(samples, RATE), theirs, "RR intervals", least=10)


def test_labels(compare):
    symbols = np.random.default_rng(0).choice(list(labels.AAMI), 100_000)
    names = labels.classes("aami")

    def theirs():
        return np.array([names.index(labels.AAMI[symbol]) for symbol in symbols])

    compare(lambda: labels.encode(symbols, "aami"), theirs, "labels", tolerance=0)


def test_whole_database(in_turn):
    """From the WFDB files to every beat with its label and RR intervals, against a plain loop that only reads them."""
    root = os.environ.get("ECG_LESSONS_DATA")
    folder = Path(root) / "mitdb" / "1.0.0" if root else simulator.sample_arrhythmias()
    names = (folder / "RECORDS").read_text().split()

    def ours():
        rows = pd.concat(beat_sets.table(one) for one in recordings.mitdb(folder))
        return labels.encode(rows["symbol"], "aami")

    def theirs():
        return [(wfdb.rdrecord(str(folder / name)), wfdb.rdann(str(folder / name), "atr")) for name in names]

    y, _ = in_turn(ours, theirs, "from the files to beats", least=2, rounds=5)
    assert not root or (y >= 0).sum() == 109_494
