"""Four short trials on two CPUs: side by side by Ray against one after the other, Ray's start left out."""

import os
import time
from pathlib import Path

import pytest
from ecg_lessons.experiments import jobs, runners, trials

from ecg_lessons.cli import experiments as cli

SMOKE = Path(__file__).parents[1] / "experiments" / "jobs" / "smoke.toml"


def prepared(out):
    found = trials.of(jobs.read(SMOKE), out)
    for trial in found:
        trial.prepare()
    return found


@pytest.mark.skipif(not runners.ray_is_there(), reason="Ray is not installed")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one CPU cannot hold two trials")
def test_a_sweep_by_ray_is_shorter(tmp_path, monkeypatch):
    # One after the other, a trial may use all the CPUs that a trial of the sweep has: the job's one.
    wiring = cli.LESSONS["rhythm"]
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    began = []

    def tell(trial, event):
        began.append(time.perf_counter())

    asked = time.perf_counter()
    refused = runners.by_ray(
        prepared(tmp_path / "ray"), wiring.train, tell, lambda: None, cpus=2, imports=wiring.imports
    )
    side_by_side, in_all = began[-1] - began[0], time.perf_counter() - asked
    assert not refused
    start = time.perf_counter()
    assert not runners.serial(prepared(tmp_path / "serial"), wiring.train, lambda trial, event: None, lambda: None)
    serial = time.perf_counter() - start
    print(
        f"\nfour trials: {side_by_side:.1f} s by Ray, {serial:.1f} s one after the other: {side_by_side / serial:.2f}; "
        f"with Ray's start and end {in_all:.1f} s: {in_all / serial:.2f}"
    )
    assert side_by_side / serial <= 0.65
