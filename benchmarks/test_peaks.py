"""R peaks against wfdb's XQRS and NeuroKit2, time and score in one run: a lead of each record, its first five minutes.

NeuroKit2 is no part of the course: ``pip install neurokit2``.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from wfdb import processing

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import beat_sets, beats

SECONDS, TOLERANCE = 300, 0.15  # the tolerance of ANSI/AAMI EC57


@pytest.fixture(scope="module")
def strips():
    root = os.environ.get("ECG_LESSONS_DATA")
    folder = Path(root) / "mitdb" / "1.0.0" if root else simulator.sample_arrhythmias()
    found = []
    for recording in recordings.mitdb(folder):
        lead = beats.lead(recording, "MLII", "V5")[: round(SECONDS * recording.rate)].copy()
        peaks = beat_sets.table(recording)["sample"].to_numpy()
        found.append((lead, recording.rate, peaks[peaks < len(lead)]))
    return found


def f1(strips, found) -> float:
    right = told = true = 0
    for (_, rate, peaks), places in zip(strips, found, strict=True):
        right += processing.compare_annotations(peaks, places, round(TOLERANCE * rate)).tp if len(places) else 0
        told, true = told + len(places), true + len(peaks)
    return 2 * right / (told + true)


def xqrs(lead, rate):
    detector = processing.XQRS(lead.astype(float), rate)
    detector.detect(verbose=False)
    return detector.qrs_inds


def neurokit(lead, rate):
    neurokit2 = pytest.importorskip("neurokit2", reason="NeuroKit2 is not installed: pip install neurokit2")
    cleaned = neurokit2.ecg_clean(lead, sampling_rate=rate)
    return neurokit2.ecg_peaks(cleaned, sampling_rate=rate)[1]["ECG_R_Peaks"]


@pytest.mark.parametrize(("peer", "rounds"), [(xqrs, 1), (neurokit, 5)])
@pytest.mark.filterwarnings("ignore")
def test_r_peaks(in_turn, benchmark, strips, peer, rounds):
    def by(detector):
        return lambda: [np.asarray(detector(lead, rate), int) for lead, rate, _ in strips]

    ours, what = by(lambda lead, rate: beats.r_peaks(lead[:, None], rate)), f"R peaks, against {peer.__name__}"
    pair = in_turn(ours, by(peer), what, rounds=rounds)
    own, theirs = (f1(strips, found) for found in pair)
    benchmark.extra_info["F1"] = f"{own:.4f} and {theirs:.4f}"
    print(f"F1 {own:.4f}, theirs {theirs:.4f}")
    assert own > theirs - 0.002
