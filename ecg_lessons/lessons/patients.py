"""Lesson 4: one patient at a time. Everybody else trains, the patient's first minutes adapt, what follows is tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ecg_lessons import simulator, splits
from ecg_lessons.data import fetch, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.plans import Plan, preset_of
from ecg_lessons.signals import beat_sets, labels
from ecg_lessons.splits import Split, persons

CLASSES = labels.classes("fourteen")
#: Samples before and from the annotation on, at `RATE` (Hz).
BEFORE = AFTER = 80
RATE = 360
#: The lengths of an adaptation curve, minutes.
MINUTES = (1.0, 2.0, 5.0, 10.0)
#: A class with fewer test beats does not count in `frequent_f1`: one beat would move it by a tenth or more.
FREQUENT = 10
#: Length of the simulated recordings, minutes: ten to learn from, five to be tested on.
SAMPLE_MINUTES = 15


@dataclass(frozen=True)
class Adaptation:
    """How a network is trained on a patient's first minutes, whatever their number.

    Attributes
    ----------
    steps, batch_size : int
        So many batches of so many beats: the same for one minute as for ten.
    learning_rate : float
        Of Adam.
    balance : float
        A class with n beats in these minutes is drawn n ** (1 - balance) times as often as one with a single beat:
        0 draws as the heart does, 1 draws all classes alike.
    """

    steps: int = 240
    batch_size: int = 32
    learning_rate: float = 1e-3
    balance: float = 0.5


@dataclass(frozen=True)
class Settings:
    """What a preset chooses beside the plan of the pre-training.

    Attributes
    ----------
    folds : int
        Of the shared first phase; see `patient_pretraining`.
    most : int or None
        Pre-train on at most so many beats of each class of each patient; adaptation and tests use all.
    adaptation : Adaptation
    """

    folds: int = 5
    most: int | None = None
    adaptation: Adaptation = Adaptation()


_OURS = Plan(epochs=8, batch_size=128, learning_rate=1e-3, patience=2)
PLANS = {
    "patient": {
        "laptop": _OURS,
        "quick": _OURS.but(epochs=3, batch_size=64),
        "paper": Plan(epochs=10, batch_size=32, keep="last"),
    }
}
SETTINGS = {
    "laptop": Settings(most=300),
    "quick": Settings(folds=4, most=100, adaptation=Adaptation(steps=120)),
    "paper": Settings(adaptation=Adaptation(balance=0.0)),
}


def plan(preset: str = "laptop") -> Plan:
    """Give the plan of the pre-training.

    Raises
    ------
    InputError
        For an unknown preset.
    """
    return preset_of(PLANS, "patients", "patient", preset)


def examples(source: str = "sample", patients: int = 20) -> Examples:
    """Load beats of fourteen kinds, in two leads.

    Parameters
    ----------
    source : {"sample", "physionet"}
        The built-in simulated cohort, in recordings of SAMPLE_MINUTES, or the MIT-BIH Arrhythmia Database.
    patients : int
        Size of the built-in cohort.

    Returns
    -------
    table : Examples
        ``x`` (n, BEFORE + AFTER, 2), see `scaled`; ``info`` has record, symbol, sample and time (s).
    """
    if source == "sample":
        return from_recordings(recordings.mitdb(simulator.sample_arrhythmias(patients, SAMPLE_MINUTES)))
    if source == "physionet":
        return from_recordings(recordings.mitdb(fetch.locate("mitdb")))
    raise InputError(f"There is no source {source!r}: choose sample or physionet.")


def from_recordings(found: Iterable[recordings.Recording]) -> Examples:
    """Turn annotated recordings into examples, one a beat whose window lies inside the recording."""
    x, info = beat_sets.fixed_windows(scaled(found), BEFORE, AFTER, None, CLASSES)
    y = labels.encode(info["symbol"].to_numpy(), "fourteen")
    patient = info["patient"].to_numpy().astype(str)
    return Examples(x, y, patient, CLASSES, info[["record", "symbol", "sample", "time"]].copy())


def scaled(found: Iterable[recordings.Recording], seconds: float = 60) -> Iterator[recordings.Recording]:
    """Scale each lead by what it shows in the first minute: no later sample, and no annotation, has a say.

    The median of that minute becomes 0, and half the way from its 1st to its 99th percentile becomes 1.
    A lead that is small in it has its half taken for 0.25 mV, or its noise would be blown up: the second lead of
    record 200 grows fourfold after ten minutes.

    Raises
    ------
    InputError
        If a recording has not two leads at RATE.
    """
    for recording in found:
        if recording.signal.shape[1] != 2 or recording.rate != RATE:
            raise InputError(
                f"Record {recording.name} has {recording.signal.shape[1]} leads at {recording.rate:g} Hz, and this "
                f"lesson takes two leads at {RATE} Hz: leave it out, or convert it."
            )
        first = recording.signal[: round(seconds * RATE)]
        low, middle, high = np.percentile(first, [1, 50, 99], axis=0)
        scale = np.maximum((high - low) / 2, 0.25)
        yield replace(recording, signal=((recording.signal - middle) / scale).astype(np.float32))


def people(given: Examples, wanted: Iterable[str] | None = None) -> list[str]:
    """List the patients, or check and put in order those that are wanted.

    A record of a patient with two (202 of 201) stands for the patient.

    Raises
    ------
    InputError
        If there is no such patient.
    """
    known = np.unique(persons(given.patient)).tolist()
    if wanted is None:
        return known
    asked = [str(name).strip() for name in wanted]
    named = persons(np.array(asked)).tolist() if asked else []
    for name, spelled in zip(named, asked, strict=True):
        if name not in known:
            raise InputError(f"There is no patient {spelled!r}; there are {', '.join(known)}.")
    if not named:
        raise InputError("No patient is named: give names such as 100,106, or leave --patients out for all.")
    return [name for name in known if name in named]


def split(given: Examples, patient: str, minutes: float = 10) -> Split:
    """Split one patient's beats in time: the first minutes of each recording adapt, the rest is tested.

    Parameters
    ----------
    given : Examples
        With rows of others too, which stand on no side.
    patient : str
    minutes : float
        The test part starts here however short an adaptation is.

    Raises
    ------
    InputError
        If a side is empty.
    """
    return splits.first_minutes(given, patient, minutes, validation=0)


def lengths(minutes: float) -> tuple[float, ...]:
    """Give the lengths of the adaptation curve up to `minutes`."""
    return (*(one for one in MINUTES if one < minutes), float(minutes))


def frequent_f1(counts: np.ndarray) -> np.ndarray:
    """Give the mean F1 over the classes with at least FREQUENT beats; NaN where no class has so many.

    Parameters
    ----------
    counts : ndarray, shape (..., K, K)
        How often class k was called m.

    Returns
    -------
    ndarray, shape (...)
    """
    found = np.where(counts.sum(-1) >= FREQUENT, scores.f1(counts), np.nan)
    number = np.isfinite(found).sum(-1)
    total = np.nansum(found, axis=-1)
    return np.divide(total, number, out=np.full(np.shape(total), np.nan), where=number > 0)


#: The scores of one patient, the one to compare by first.
SCORES = {"F1 frequent": frequent_f1, "macro F1": scores.macro_f1, "accuracy": scores.accuracy}


def score(y: np.ndarray, verdict: np.ndarray) -> dict[str, float]:
    """Score one patient's beats.

    ``F1 frequent`` is the one to compare by: classes with one to four test beats rule ``macro F1``, and accuracy
    hardly asks for anything but normal beats.

    Parameters
    ----------
    y, verdict : ndarray of int, shape (n,)
        True and given classes.
    """
    counts = scores.Scores.of(y, verdict, np.zeros(len(y)), CLASSES).counts
    return {name: float(statistic(counts)[0]) for name, statistic in SCORES.items()}
