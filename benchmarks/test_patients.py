"""Speed of leaving everybody out once, in two phases, as a ratio to pre-training from scratch for each patient.

Both on the built-in cohort after the same plan, compiling included. What follows, the adaptation, is the same for both.
"""

import time

import numpy as np
import pytest

from ecg_lessons import machine

machine.setup()

from ecg_lessons import simulator  # noqa: E402
from ecg_lessons.data import recordings  # noqa: E402
from ecg_lessons.lessons import patients as lesson  # noqa: E402
from ecg_lessons.lessons.beat_images import thin  # noqa: E402
from ecg_lessons.lessons.patient_arms import Plain, Shared  # noqa: E402

PLAN = lesson.plan(None, "quick").but(epochs=4, patience=0)


@pytest.fixture(scope="module")
def taught():
    given = lesson.from_recordings(recordings.mitdb(simulator.sample_arrhythmias(40)))
    return thin(given, 100)


def test_leaving_everybody_out_once(benchmark, taught, tmp_path):
    """Plain training is timed on four of the forty patients: they cost alike."""
    people = lesson.people(taught)
    shared, plain = Shared(taught, tmp_path / "shared", PLAN), Plain(taught, tmp_path / "plain", PLAN)

    def everybody():
        return [shared.weights(patient) for patient in people]

    networks = benchmark.pedantic(everybody, rounds=1)
    assert len(networks) == len(people)
    assert not np.allclose(networks[0][0], networks[1][0])
    seconds = []
    for patient in people[::10]:
        start = time.perf_counter()
        plain.weights(patient)
        seconds.append(time.perf_counter() - start)
    ratio = float(np.mean(seconds)) * len(people) / benchmark.stats.stats.min
    benchmark.extra_info["times faster"] = round(ratio, 1)
    print(f"\nleaving each of {len(people)} patients out once: {ratio:.1f} times faster than one by one")
    assert ratio > 4
