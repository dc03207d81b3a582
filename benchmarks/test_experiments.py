"""A sweep side by side against one trial after the other, start and end included."""

import os
import time
from pathlib import Path

import pytest

from ecg_lessons import trials
from ecg_lessons.sweeps import JobFile

SMOKE = Path(__file__).parents[1] / "experiments" / "jobs" / "smoke.toml"


def prepared(out):
    job = JobFile.read(SMOKE)
    planned = job.trials(out)
    for model, trial in planned:
        job.prepare(model, trial.folder)
    return [trial for _, trial in planned]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one CPU cannot hold two trials")
def test_a_sweep_side_by_side_is_shorter(tmp_path):
    load = os.getloadavg()[0]
    if load > 1:
        pytest.skip(f"the machine has other work (load {load:.1f}): times would say nothing")
    tell = lambda trial, event: None  # noqa: E731
    seconds = []
    for number in (2, 1):  # one worker has the threads that each of two has
        start = time.perf_counter()
        with trials.Workers(number, 1, "rhythm") as pool:
            assert not pool.run(prepared(tmp_path / str(number)), tell, lambda: None)
        seconds.append(time.perf_counter() - start)
    ratio = seconds[0] / seconds[1]
    print(f"\nfour trials: {seconds[0]:.1f} s side by side, {seconds[1]:.1f} s one after the other: {ratio:.2f}")
    assert ratio < 0.75
