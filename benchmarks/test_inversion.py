"""Speed of lesson 1's heavy steps, as a ratio to doing the same the original's way, in one run.

``make benchmarks`` prints the table; the ratios stand in the column of extra information and on the screen.
"""

import numpy as np
import pytest

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.lessons import inversion as lesson
from ecg_lessons.signals import beats, leads


@pytest.fixture(scope="module")
def correct():
    return lesson.examples("sample")


def test_median_beats_of_every_swap(compare, correct):
    """Exchange the median beats, instead of exchanging signals and finding beats anew."""
    signal = correct.x["signal"][:20]
    typical = np.stack([beats.median_beat(one, 250) for one in signal])
    few = correct.take(np.arange(20))
    few.x["beat"][:] = typical

    def theirs():
        maps = [np.eye(12, dtype=np.float32), *leads.SWAPS.values()]
        signals = [leads.swap(signal, m) for m in maps for signal in few.x["signal"]]
        return np.stack([beats.median_beat(signal, 250) for signal in signals])

    def ours():
        return lesson.every_state(few).x["beat"]

    compare(ours, theirs, "median beats of every swap")


def test_reading(benchmark):
    """Read the built-in cohort from WFDB: seconds for the table, no ratio."""
    folder = simulator.sample_cohort()
    found = benchmark.pedantic(lambda: list(recordings.ptb_xl(folder)), rounds=3)
    benchmark.extra_info["recordings"] = len(found)
