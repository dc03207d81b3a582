"""Lesson 2: name the rhythm of a single-lead recording: normal, atrial fibrillation, another, or too noisy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import simulator, splits
from ecg_lessons.data import fetch
from ecg_lessons.data.recordings import RHYTHMS, Recording, challenge_2017
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.models.crnn import SAMPLES
from ecg_lessons.models.crnn_design import Augmentation, Design
from ecg_lessons.signals.spectrograms import RATE, WINDOW
from ecg_lessons.splits import Split

CLASSES = RHYTHMS
#: How many classes count in the challenge's score: normal, atrial fibrillation, other. Noise does not.
SCORED = 3
FOLDS = 5
#: What the best epoch may be best in, on the validation part.
WATCHED = ("loss", "accuracy", "mean_f1")
#: Where the model files are: beside the package, in the project's own folder.
MODELS = Path(__file__).parents[2] / "experiments" / "models"


def examples(
    source: str = "sample", recordings: int = 600, progress: Callable[[int, int], None] | None = None
) -> Examples:
    """Load recordings with their rhythm.

    Parameters
    ----------
    source : {"sample", "physionet"}
        The built-in simulated cohort, or the training set of CinC 2017.
    recordings : int
        Size of the built-in cohort.
    progress : callable, optional
        Called with the number of recordings read and of all.

    Returns
    -------
    table : Examples
        See `from_recordings`.

    Raises
    ------
    InputError
        For an unknown source, or recordings that are not there.
    """
    if source not in {"sample", "physionet"}:
        raise InputError(f"There is no source {source!r}: choose sample or physionet.")
    folder = simulator.sample_rhythms(recordings) if source == "sample" else fetch.locate("challenge-2017")
    return from_recordings(challenge_2017(folder, progress=progress))


def from_recordings(found: Iterable[Recording]) -> Examples:
    """Turn recordings into examples, one each.

    Parameters
    ----------
    found : iterable of Recording
        One lead at 300 Hz; where ``labels["rhythm"]`` is missing, the label is the first class.

    Returns
    -------
    table : Examples
        ``x["signal"]``, int16 (n, 18286), in microvolts, which are the raw steps of the challenge, with zeros behind
        the end; ``x["length"]``, int32 (n, 1), the true length. ``info`` has ``record`` and ``seconds``. CinC 2017 does
        not say who was recorded, so the patient of a recording is its own name.

    Raises
    ------
    InputError
        If a recording is shorter than one window of the spectrogram or longer than 61 s, has another rate or several
        leads, or if there is none.
    """
    signals, lengths, labels, names = [], [], [], []
    for one in found:
        length = _checked(one)
        row = np.zeros(SAMPLES, dtype=np.int16)
        row[:length] = np.clip(np.rint(one.signal[:, 0] * 1000), -32768, 32767)
        signals.append(row)
        lengths.append(length)
        labels.append(CLASSES.index(one.labels.get("rhythm", CLASSES[0])))
        names.append(one.name)
    if not names:
        raise InputError("There is no recording to read: give a folder that holds some.")
    x = {"signal": np.stack(signals), "length": np.array(lengths, dtype=np.int32)[:, None]}
    info = pd.DataFrame({"record": names, "seconds": np.array(lengths) / RATE})
    return Examples(x, np.array(labels), np.array(names), CLASSES, info)


def _checked(one: Recording) -> int:
    """Give the length of a recording that fits, in samples."""
    length = len(one.signal)
    if one.rate != RATE or one.signal.shape[1] != 1:
        raise InputError(
            f"Recording {one.name} has {one.signal.shape[1]} leads at {one.rate:g} Hz: lesson 2 reads one lead at "
            f"{RATE:g} Hz."
        )
    if not WINDOW <= length <= SAMPLES:
        raise InputError(
            f"Recording {one.name} has {length} samples: give one of {WINDOW} (one window of the spectrogram, 0.2 s) "
            f"to {SAMPLES} ({SAMPLES / RATE:.0f} s)."
        )
    return length


def design(model: str | Path, *, augmented: bool = True, **plan: object) -> Design:
    """Read a model file by its name (one of `networks`) or path, with changes.

    Parameters
    ----------
    model : str or Path
    augmented : bool
        False trains on the signal as it is; only the cut to windows stays.
    **plan
        Entries of the plan to change; ``epochs`` is the number for every phase.

    Raises
    ------
    InputError
        If there is no such model, or something in its file is wrong.
    """
    path = Path(model)
    if path.suffix != ".toml":
        if str(model) not in networks():
            known = ", ".join(networks()) or f"none is in {MODELS}"
            raise InputError(f"Lesson 2 has no network {str(model)!r}: choose {known}, or a .toml file.")
        path = MODELS / f"{model}.toml"
    read = Design.read(path)
    if read.training.best_by not in WATCHED:
        raise InputError(
            f"{path}: training.best_by = {read.training.best_by!r}; choose one of {', '.join(WATCHED)}."
        )
    table = read.table()
    changes = {name: value for name, value in plan.items() if value is not None}
    table["training"] |= changes
    if "epochs" in changes and "warmup" not in changes:  # a short trial warms up for less
        table["training"]["warmup"] = min(read.training.warmup, changes["epochs"] - 1)
    for phase in table["phases"]:
        phase |= {name: value for name, value in changes.items() if name in phase}
    if not augmented:
        table["augmentation"] = {"window_seconds": read.augmentation.window_seconds}
    return Design.of(table)


def networks() -> tuple[str, ...]:
    """Name the model files of the project."""
    return tuple(sorted(path.stem for path in MODELS.glob("*.toml")))


def is_augmented(chosen: Design) -> bool:
    """Tell whether a design augments more than by cutting windows."""
    return chosen.augmentation != Augmentation(window_seconds=chosen.augmentation.window_seconds)


def split(given: Examples, name: str = "fold-0", validation: float = 1 / 6) -> Split:
    """Split recordings.

    Parameters
    ----------
    given : Examples
    name : str
        ``fold-K`` of the paper's five stratified folds, or a file of `splits.write`.
    validation : float
        Share of the recordings of a fold that are not tested; more where the rarest class would have none.

    Raises
    ------
    InputError
        If there is no such fold or file.
    """
    if name.endswith(".json"):
        return splits.read(name, given)
    kind, _, number = name.rpartition("-")
    if kind != "fold" or number not in map(str, range(FOLDS)):
        raise InputError(
            f"There is no split {name!r}: choose fold-0 to fold-{FOLDS - 1}, or a .json file of 'ecg-lessons split'."
        )
    rarest = np.bincount(given.y).min() * (1 - 1 / FOLDS)
    return splits.recording_fold(given, int(number), FOLDS, max(validation, min(1 / max(rarest, 1), 0.5)))


def mean_f1(counts: np.ndarray) -> np.ndarray:
    """Mean F1 of N, A and O, the score of the challenge; noise counts only where it is mistaken for a rhythm."""
    return np.nanmean(scores.f1(counts)[..., :SCORED], axis=-1)


def score(probability: np.ndarray, given: Examples) -> dict:
    """Score the likeliest classes, with 95 % intervals over recordings.

    Returns
    -------
    dict of Estimate
        ``mean_f1`` (N, A, O), ``mean_f1_with_noise``, ``accuracy``, ``majority`` (its baseline); ``by_class``: ``f1``,
        ``sensitivity``, ``precision`` and the number of ``recordings``.
    """
    counted = scores.Scores.of(given.y, probability.argmax(axis=1), given.patient, given.classes)
    overall = {"mean_f1": mean_f1, "mean_f1_with_noise": scores.macro_f1}
    overall |= {"accuracy": scores.accuracy, "majority": scores.majority}
    each = {"f1": scores.f1, "sensitivity": scores.recall, "precision": scores.precision}
    by_score = {name: counted.estimate(statistic) for name, statistic in each.items()}
    number = counted.confusion.sum(axis=1)
    by_class = {
        name: {one: values[k] for one, values in by_score.items()} | {"recordings": int(number[k])}
        for k, name in enumerate(given.classes)
        if number[k]
    }
    return {name: counted.estimate(statistic) for name, statistic in overall.items()} | {"by_class": by_class}
