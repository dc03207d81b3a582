"""Lesson 4, patient by patient: pre-train on the others, adapt to the first minutes, judge what follows, keep it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import patients as lesson
from ecg_lessons.lessons.beat_images import thin
from ecg_lessons.lessons.patient_arms import Arms, Key
from ecg_lessons.lessons.patient_files import Cohort
from ecg_lessons.lessons.patient_pretraining import Plain, Say, Shared
from ecg_lessons.lessons.patients import Settings
from ecg_lessons.plans import Plan
from ecg_lessons.splits import persons


def train(
    out: str | Path,
    source: str = "sample",
    patients: Iterable[str] | None = None,
    minutes: float = 10,
    plan: Plan | None = None,
    settings: Settings | None = None,
    *,
    plain: bool = False,
    given: Examples | None = None,
    tensorboard: bool = False,
    say: Say = lambda line: None,
) -> Cohort:
    """Leave each patient out once, and keep what every arm says of them.

    A patient that cannot be done is told and kept with the reason; the others go on. Interrupted, the same call
    goes on: finished patients and finished phases are not trained again. Called for other patients, it adds them.

    Parameters
    ----------
    out : str or Path
        The folder: see `patient_files`.
    patients : iterable of str, optional
        Whom to leave out, everybody unless said. All others train in any case.
    minutes : float
        The adaptation; what follows is tested. Shorter lengths of `lesson.lengths` are measured on the way.
    plan, settings : Plan and Settings, optional
        Those of the laptop preset unless given; the plan is that of the pre-training.
    plain : bool
        Pre-train from scratch for each patient: see `patient_pretraining`.
    source, given : str, and Examples, optional
        See `lesson.examples`; `given` is what it gave, to spare loading it again.
    tensorboard, say
        As for `patient_pretraining.Plain`.

    Raises
    ------
    InputError
        If a patient is unknown, the folder holds another run, or no patient at all can be done.
    """
    _refuse(minutes, tensorboard)
    plan, settings = plan or lesson.plan(), settings or lesson.SETTINGS["laptop"]
    given = given if given is not None else lesson.examples(source)
    wanted = lesson.people(given, patients)
    cohort = Cohort(Path(out))
    taught = given if settings.most is None else thin(given, settings.most, plan.seed)
    args = (taught, cohort.pretraining, plan, tensorboard, say)
    pretraining = Plain(*args) if plain else Shared(*args, folds=settings.folds)
    asked = {"source": source, "minutes": float(minutes), "plain": plain, **asdict(settings)}
    cohort.prepare(_about(given) | asked, plan)
    arms = Arms(settings.adaptation, plan.seed)
    for number, patient in enumerate(wanted, start=1):
        before = "finished before. " if patient in cohort.finished() else ""
        if not before:
            _do(cohort, patient, given, pretraining, arms, minutes, plan.seed)
        say(f"{patient} ({number}/{len(wanted)}): {before}{told(cohort.metrics(patient))}")
    reasons = [cohort.metrics(patient).get("refused") for patient in wanted]
    if all(reasons):
        raise InputError(f"No patient could be done. {reasons[0]}")
    return cohort


def _about(given: Examples) -> dict:
    """Say what the folder is, and of which beats."""
    people = len(lesson.people(given))
    return {"lesson": "patients", "protocol": "leave-one-out", "beats": len(given), "people": people}


def _refuse(minutes: float, tensorboard: bool) -> None:
    """Refuse what no patient's data could make possible."""
    if not 0 < minutes < float("inf"):
        raise InputError(f"{minutes:g} minutes are no adaptation: give a number above 0.")
    if tensorboard:
        training.require_tensorboard()


def told(metrics: dict) -> str:
    """Say in one line how a patient went, with the notes."""
    if "refused" in metrics:
        return f"left out. {metrics['refused']}"
    longest = max(one["minutes"] for one in metrics["arms"].values())
    shown = {arm: metrics["arms"].get(_name((arm, m))) for arm, m in (("generic", 0.0), ("whole", longest))}
    main = next(iter(lesson.SCORES))
    line = ", ".join(f"{arm} {one[main]:.3f}" for arm, one in shown.items() if one and one[main] is not None)
    return " ".join([f"{main}: {line}." if line else "", *metrics["notes"]]).strip()


def _do(
    cohort: Cohort,
    patient: str,
    given: Examples,
    pretraining: Plain,
    arms: Arms,
    minutes: float,
    seed: int,
) -> None:
    """Train and judge one patient, and keep the result."""
    own = given.take(persons(given.patient) == patient)
    try:
        parts = lesson.split(own, patient, minutes)
    except InputError as error:
        cohort.store(patient, {"patient": patient, "refused": str(error)})
        return
    first, test = own.take(parts.train), own.take(parts.test)
    start = time.perf_counter()
    generic = pretraining.weights(patient)
    middle = time.perf_counter()
    answers = arms.answers(generic, first, test.x, lesson.lengths(minutes), seed)
    end = time.perf_counter()
    metrics = {
        "patient": patient,
        "records": sorted(set(own.info["record"])),
        "adapted on": _beats(first),
        "tested on": _beats(test),
        "notes": _notes(first, test, lesson.lengths(minutes)),
        "seconds": {"pretraining": round(middle - start, 2), "adaptation": round(end - middle, 2)},
        "arms": {_name(key): _scored(key, probability, test) for key, probability in answers.items()},
    }
    cohort.store(patient, metrics, _predictions(test, answers))


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]:g}"


def _beats(part: Examples) -> dict[str, int]:
    """Count beats by class, the classes that occur."""
    return {name: int(n) for name, n in part.counts()["examples"].items() if n}


def _notes(first: Examples, test: Examples, lengths: tuple[float, ...]) -> list[str]:
    """Say what is peculiar about a patient's first minutes."""
    notes = []
    time_ = first.info["time"].to_numpy()
    empty = [f"{one:g}" for one in lengths if not (time_ < 60 * one).any()]
    if empty:
        notes.append(f"No beat before minute {empty[-1]}: not adapted on {' or '.join(empty)}.")
    learnt, asked = (set(_beats(part)) for part in (first, test))
    if len(learnt) == 1:
        notes.append(f"Only {next(iter(learnt))} in the first {lengths[-1]:g} minutes.")
    if asked - learnt:
        notes.append(f"Not met in them, but tested: {' '.join(sorted(asked - learnt))}.")
    return notes


def _scored(key: Key, probability: np.ndarray, test: Examples) -> dict:
    verdict = probability.argmax(axis=1)
    counts = scores.Scores.of(test.y, verdict, np.zeros(len(test)), test.classes).confusion
    found = scores.plain(lesson.score(test.y, verdict))
    confusion = {
        name: {test.classes[k]: int(row[k]) for k in np.flatnonzero(row)}
        for name, row in zip(test.classes, counts, strict=True)
        if row.any()
    }
    return {"arm": key[0], "minutes": key[1], **found, "confusion": confusion}


def _predictions(test: Examples, answers: dict[Key, np.ndarray]) -> pd.DataFrame:
    """Set out verdicts and their probabilities, one row a beat."""
    symbols, columns = np.array(test.classes), {}
    for key, probability in answers.items():
        columns[_name(key)] = symbols[probability.argmax(axis=1)]
        columns[f"{_name(key)} p"] = probability.max(axis=1).astype(np.float32)
    return test.info[["record", "sample", "time", "symbol"]].assign(**columns)
