"""Lesson 4 measured on the MIT-BIH Arrhythmia Database: everybody left out once, the fast way and the plain one.

Both are folders of `patient_runs`, so an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ecg_lessons import training
from ecg_lessons.data import catalog
from ecg_lessons.evaluation.scores import plain
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import measuring
from ecg_lessons.lessons import patient_results as results
from ecg_lessons.lessons import patient_runs as runs
from ecg_lessons.lessons import patients as lesson
from ecg_lessons.lessons.patient_files import Cohort

#: The plain way, which takes long, is measured on every so manyeth patient.
EVERY = 3


@dataclass(frozen=True)
class Job:
    """Patients left out, each in turn, after the fast way of pre-training or the plain one."""

    plain: bool

    def folder(self, base: Path) -> Path:
        """Give the folder of all patients of this way."""
        return base / "patients" / ("plain" if self.plain else "fast")


@cache
def _loaded() -> Examples:
    return lesson.examples("physionet")


def jobs() -> list[Job]:
    """List the two ways."""
    return [Job(False), Job(True)]


def run(job: Job, base: Path) -> None:
    """Leave patients out, those that are not done: everybody, or every third the plain way."""
    people = lesson.people(_loaded())[:: EVERY if job.plain else 1]
    runs.train(job.folder(base), "physionet", people, plain=job.plain, given=_loaded())


def write(done: list[Job], base: Path, to: Path) -> Path:
    """Gather the scores of all patients into ``patients.json``."""
    fast, slow = (Cohort(job.folder(base)) for job in done)
    summary, given = results.summarise(fast), _loaded()
    counts = given.counts()
    result = {
        "what": "Fourteen kinds of heartbeat in two leads, MIT-BIH Arrhythmia Database "
        f"{catalog.get('mitdb').version}, everybody left out once; see data/README.md.",
        "protocol": "Each of the people (201 and 202 are one) is left out of the pre-training; the first ten minutes "
        "of each record adapt, what follows is tested. Means over people, 95 % intervals by bootstrap over them; gain: "
        "paired difference to generic. F1 frequent: mean F1 of a patient's classes with at least ten test beats. The "
        "scaling and the plan were chosen by a look at a few patients' test parts.",
        "claimed": None,
        "data": {name: {k: int(v) for k, v in counts[name].items()} for name in counts},
        "summary": summary.as_dict(),
        "over alone": {
            f"{minutes:g}": plain(summary.gain("whole", "alone", minutes))
            for minutes in lesson.lengths(summary.minutes)
        },
        "whole over majority": plain(summary.gain("whole", "majority", score="macro F1")),
        "fast against plain": _compared(fast, slow),
        "plan": {
            "epochs": training.Run(fast.folder).plan.epochs,
            "seed": training.Run(fast.folder).plan.seed,
        },
        **measuring.stamp(),
    }
    to.mkdir(parents=True, exist_ok=True)
    return training.Run(to).write("patients.json", result)


def _compared(fast: Cohort, slow: Cohort) -> dict:
    """Compare the generic networks of both ways on the patients that both have, and what the pre-training took."""
    both = sorted(set(slow.finished()) & set(fast.finished()))
    of = [{name: cohort.metrics(name) for name in both} for cohort in (fast, slow)]
    score = {
        name: results.mean(
            np.array(
                [
                    of[0][one]["arms"]["generic 0"][name] - of[1][one]["arms"]["generic 0"][name]
                    for one in both
                ]
            )
        )
        for name in lesson.SCORES
    }
    spent = [sum(c.metrics(name)["seconds"]["pretraining"] for name in c.finished()) for c in (fast, slow)]
    a_patient = [total / len(c.finished()) for total, c in zip(spent, (fast, slow), strict=True)]
    return {
        "patients": len(both),
        "generic, fast minus plain": plain(score),
        "pre-training, seconds a patient": {"fast": round(a_patient[0], 2), "plain": round(a_patient[1], 2)},
        "times faster": round(a_patient[1] / a_patient[0], 1),
    }


def read(folder: str | Path) -> dict:
    """Read the stored results."""
    return measuring.read(folder, "patients")
