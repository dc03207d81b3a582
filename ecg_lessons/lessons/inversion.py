"""Lesson 1: find out whether electrodes were exchanged, and which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ecg_lessons import simulator, splits
from ecg_lessons.data import fetch, recordings, tables
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.models import inversion as models
from ecg_lessons.plans import Plan, preset_of
from ecg_lessons.signals import beats, leads

RATE = 250
SECONDS = 10
#: The states of a recording: as it should be, then every swap.
STATES = ("correct", *leads.SWAPS)
_MAPS = np.stack([np.eye(12, dtype=np.float32), *leads.SWAPS.values()])


@dataclass(frozen=True)
class Network:
    """A network of this lesson: how to build it, what it looks at, and its plans by preset."""

    build: Callable[..., keras.Model]
    sees: str
    plans: dict[str, Plan]


_ORIGINAL = Plan(epochs=20, batch_size=32, optimizer="rmsprop", patience=3)
_OURS = Plan(epochs=30, batch_size=32, optimizer="adamw", learning_rate=2e-3, schedule="cosine", keep="last")
NETWORKS = {
    "usoltsev": Network(models.usoltsev, "signal", {"laptop": _ORIGINAL.but(epochs=8), "paper": _ORIGINAL}),
    "plain": Network(models.plain, "beat", {"laptop": _OURS, "paper": _OURS.but(epochs=60)}),
    "hypotheses": Network(models.hypotheses, "beat", {"laptop": _OURS, "paper": _OURS.but(epochs=60)}),
}


def examples(source: str = "sample", patients: int = 120) -> Examples:
    """Load correctly recorded 12-lead ECGs, ten seconds each.

    Parameters
    ----------
    source : {"sample", "physionet", "ludb"}
        The built-in simulated cohort; PTB-XL; or LUDB, the outside test.
    patients : int
        Size of the built-in cohort.

    Returns
    -------
    table : Examples
        ``x["signal"]`` (n, 2500, 12) and ``x["beat"]`` (n, 200, 12), in mV at 250 Hz; all of class "correct".
    """
    if source == "sample":
        return from_recordings(recordings.ptb_xl(simulator.sample_cohort(patients)))
    if source == "physionet":
        return from_recordings(recordings.ptb_xl(fetch.locate("ptb-xl")))
    if source == "ludb":
        return from_recordings(recordings.ludb(fetch.locate("ludb")))
    raise InputError(f"There is no source {source!r}: choose sample, physionet or ludb.")


def from_recordings(found: Iterable[recordings.Recording]) -> Examples:
    """Turn 12-lead recordings into examples, all taken to be correct."""
    signals, typical, patient, names, diagnoses = [], [], [], [], []
    for recording in found:
        if recording.seconds < 2:
            raise InputError(
                f"Record {recording.name} lasts {recording.seconds:.1f} s: this lesson needs 2 s or more."
            )
        signal = beats.resample(recording.twelve(), recording.rate, RATE)
        _refuse_flat(signal, f"Record {recording.name}")
        signals.append(fit_length(beats.bandpass(signal, RATE), RATE * SECONDS))
        typical.append(beats.median_beat(signal, RATE))
        patient.append(recording.patient)
        names.append(recording.name)
        diagnoses.append(" ".join(recording.labels.get("diagnoses", ())))
    x = {"signal": np.stack(signals), "beat": np.stack(typical)}
    y = np.zeros(len(names), dtype=int)
    info = pd.DataFrame({"record": names, "diagnoses": diagnoses, "state": "correct"})
    return Examples(x, y, np.array(patient), STATES, info)


def _refuse_flat(signal: np.ndarray, what: str) -> None:
    if not np.ptp(signal, axis=0).any():
        raise InputError(f"{what} is a flat line in every lead: leave it out.")


def fit_length(signal: np.ndarray, samples: int) -> np.ndarray:
    """Give the middle `samples` of recordings (..., time, 12), or hold the first and last values around them."""
    room = signal.shape[-2] - samples
    if room >= 0:
        return signal[..., room // 2 : room // 2 + samples, :]
    widths = [(0, 0)] * (signal.ndim - 2) + [(-room // 2, -room - -room // 2), (0, 0)]
    return np.pad(signal, widths, mode="edge")


def from_csv(data: str | Path, labels: str | Path | None = None) -> Examples:
    """Read the original's CSV files: 750 samples of 12 leads a row, and 0 or 1.

    The format names no patient: every row counts as a patient of its own, and nobody can check it.
    """
    names, signal = tables.read_ecgs(data)
    for name, one in zip(names, signal, strict=True):
        _refuse_flat(one, f"{data}: the ECG with ID {name}")
    signal = np.stack([beats.bandpass(one, RATE) for one in signal])
    y = tables.read_labels(labels, names) if labels else np.zeros(len(names), dtype=int)
    x = {"signal": signal, "beat": np.stack([beats.median_beat(one, RATE) for one in signal])}
    info = pd.DataFrame({"record": names, "state": np.where(y, "inverted", "correct")})
    return Examples(
        x, np.asarray(y), np.array([f"row {name}" for name in names]), ("correct", "inverted"), info
    )


def swapped(correct: Examples, state: np.ndarray) -> Examples:
    """Exchange electrodes: row i gets the swap ``STATES[state[i]]``.

    The median beat need not be computed again: exchanging leads and taking the median commute.
    """
    state = np.broadcast_to(state, len(correct))
    maps = _MAPS[state]
    x = {name: np.matmul(part, maps.transpose(0, 2, 1)) for name, part in correct.x.items()}
    info = correct.info.assign(state=np.array(STATES)[state])
    return Examples(x, state.copy(), correct.patient, STATES, info)


def every_state(correct: Examples) -> Examples:
    """Give each recording ten times: correct, and with every swap."""
    again = correct.take(np.tile(np.arange(len(correct)), len(STATES)))
    return swapped(again, np.repeat(np.arange(len(STATES)), len(correct)))


def fresh_swaps(correct: Examples, rng: np.random.Generator) -> Examples:
    """Leave half of the recordings as they are and give each other one a swap drawn at random."""
    state = rng.integers(1, len(STATES), len(correct)) * (rng.random(len(correct)) < 0.5)
    return swapped(correct, state)


def rolled(given: Examples, rng: np.random.Generator, copies: int = 5) -> Examples:
    """Add shifted copies the original's way: ``np.roll`` by 10 to 740 samples, which joins end to start.

    Only ``x["signal"]`` is kept, cut to the original's three seconds.
    """
    signal = fit_length(given.x["signal"], models.SAMPLES)
    again = np.repeat(np.arange(len(given)), copies + 1)
    shift = rng.integers(10, 741, len(again))
    shift[:: copies + 1] = 0
    x = {"signal": np.stack([np.roll(signal[i], by, axis=0) for i, by in zip(again, shift, strict=True)])}
    copied = given.take(again)
    return Examples(x, copied.y, copied.patient, copied.classes, copied.info)


def binary(given: Examples) -> Examples:
    """Merge the swaps into one class, "inverted"."""
    return Examples(given.x, (given.y > 0).astype(int), given.patient, ("correct", "inverted"), given.info)


def seen_by(network: str, given: Examples) -> Examples:
    """Keep the one input that the network looks at."""
    return Examples(given.x[NETWORKS[network].sees], given.y, given.patient, given.classes, given.info)


def for_judging(network: str, given: Examples) -> Examples:
    """Keep only what the network looks at, so that ten states of a whole database fit into memory.

    Signals are cut to the middle three seconds, which is all that evaluation sees of them.
    """
    sees = NETWORKS[network].sees
    x = fit_length(given.x[sees], models.SAMPLES) if sees == "signal" else given.x[sees]
    return Examples({sees: x}, given.y, given.patient, given.classes, given.info)


def plan(network: str, preset: str = "laptop") -> Plan:
    """Give the plan of a network.

    Raises
    ------
    InputError
        For an unknown network or preset.
    """
    return preset_of({name: one.plans for name, one in NETWORKS.items()}, "inversion", network, preset)


def split(correct: Examples, name: str = "by-patient", seed: int = 42) -> splits.Split:
    """Split recordings: ``by-patient``, ``random`` (the original's kind), or ``fold-K`` of five."""
    if name == "by-patient":
        return splits.by_patient(correct, seed=seed)
    if name == "random":
        return splits.random_beats(correct, seed=seed)
    if name in {f"fold-{k}" for k in range(5)}:
        return list(splits.grouped_folds(correct, 5, seed))[int(name[-1])]
    raise InputError(f"There is no split {name!r}: choose by-patient, random, or fold-0 to fold-4.")


def score(probability: np.ndarray, given: Examples) -> dict:
    """Score the two tasks: inverted or not, and which swap.

    Parameters
    ----------
    probability : ndarray, shape (n, 2) or (n, len(STATES))
        Column 0 is the probability of "correct".
    given : Examples
        From `every_state` for a sensitivity per swap, or with two classes.

    Returns
    -------
    dict of Estimate, of dict of Estimate ("sensitivity" by swap), and of float ("auc")
    """
    inverted = probability[:, 0] < 0.5
    verdict = scores.Scores.of(given.y, inverted, given.patient, given.classes, verdicts=2)
    result = {
        "balanced_accuracy": verdict.estimate(scores.balanced_detection),
        "specificity": verdict.estimate(scores.specificity),
        "mean_sensitivity": verdict.estimate(scores.mean_detection),
        "sensitivity": dict(zip(given.classes[1:], verdict.estimate(scores.detection), strict=True)),
    }
    if len(np.unique(given.y)) > 1:
        result["auc"] = float(roc_auc_score(given.y > 0, 1 - probability[:, 0]))
    if probability.shape[1] == len(given.classes) > 2:
        which = scores.Scores.of(given.y, probability.argmax(axis=1), given.patient, given.classes)
        result["which_swap"] = which.estimate(scores.balanced_accuracy)
    return result
