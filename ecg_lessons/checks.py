"""Small checks inside the lessons: they say whether a thing is as it should be, and hint, never tell.

``expect("00.einthoven", answer)`` looks at what a student computed; ``verdict("accuracy above 90 %", x > 0.9)``
writes a trained score as a sentence that is the same on every machine.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ecg_lessons import files
from ecg_lessons.errors import InputError, pick
from ecg_lessons.signals import leads
from ecg_lessons.signals.leads import RA_RL, SWAPS
from ecg_lessons.splits import persons


def near(wanted: Any, tolerance: float = 1e-6) -> Callable[[Any], bool]:
    """Accept numbers, truth values or arrays of the shape of `wanted` and nowhere further from it."""

    def right(value: Any) -> bool:
        value = np.asarray(value)
        return value.shape == np.shape(wanted) and bool(np.all(np.abs(value.astype(float) - wanted) <= tolerance))

    return right


def computes(wanted: Callable, *inputs: tuple, tolerance: float = 1e-6) -> Callable[[Callable], bool]:
    """Accept a function that gives for each tuple of arguments what `wanted` gives."""
    return lambda function: all(near(wanted(*values), tolerance)(function(*values)) for values in inputs)


_rng = np.random.default_rng
_EVEN = np.array([0.8, 0.8])
_I, _II = np.array([0.3, 1.1, -0.2, 0.0]), np.array([0.5, 0.7, 0.4, -0.9])
_SIGNAL = np.arange(24.0).reshape(2, 12) ** 1.5
_TWELVE = _rng(1).normal(size=(50, 12))
_PEAKS = np.array([0, 300, 620, 850, 1300])
_PICTURE = np.arange(128 * 128).reshape(128, 128)
_CORNERS = {128 * top + left for top in (0, 16, 32) for left in (0, 16, 32)}
_MITDB = np.array(["100", "202", "106", "201", "202", "100"])
_TIMES = np.array([30.0, 90.0, 599.0, 600.0, 601.0, 1500.0])
_WINDOW = 1 + np.arange(1250.0)
_CONFUSION = np.array([[90, 8, 2], [5, 12, 3], [1, 0, 4]])
_THREE = _rng(2).dirichlet(np.ones(3), 6)
_RECORDS = np.array(["b", "b", "a", "c", "a", "b"])
_FEATURES = _rng(3).normal(size=(9, 4))
_FOUR = np.array([[50, 2, 7, 1], [1, 20, 3, 0], [6, 4, 30, 2], [2, 5, 1, 6]])
_VERDICTS = np.array([[0, 1, 3, 2], [0, 1, 2, 2], [1, 1, 2, 0]])


def _corner(crop: np.ndarray) -> int | None:
    # The number in the corner of a crop of _PICTURE, 96 x 96; None for another size.
    return int(crop[0, 0]) if np.shape(crop) == (96, 96) else None


def frequent_f1(confusion: np.ndarray) -> float:
    """Give the mean F1 over the classes with ten beats or more."""
    return scores_of(confusion)[2][confusion.sum(axis=1) >= 10].mean()


def beat_of(window: np.ndarray, peak: int, period: float) -> np.ndarray:
    """Cut 1.2 periods from a peak on, 187 samples with zeros behind."""
    part = window[peak : peak + min(187, round(1.2 * period))]
    return np.pad(part, (0, 187 - len(part)))


def scores_of(confusion: np.ndarray) -> np.ndarray:
    """Give precision, recall and F1 of every class, shape (3, classes)."""
    right, rows, columns = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return np.stack([right / columns, right / rows, 2 * right / (rows + columns)])


def by_recording(probability: np.ndarray, record: np.ndarray) -> np.ndarray:
    """Give the mean probabilities of each record, in the order of appearance."""
    return np.stack([probability[record == name].mean(axis=0) for name in dict.fromkeys(record)])


def majority_of(verdicts: np.ndarray) -> np.ndarray:
    """Give the class that most networks, shape (networks, n), name; the first of those that tie."""
    return (verdicts[..., None] == np.arange(4)).sum(axis=0).argmax(axis=-1)


#: All checks, by lesson and name: what an answer must fulfil.
CHECKS: dict[str, Callable[[Any], bool]] = {
    "00.rate": computes(lambda rr: 60 / np.median(rr), (_EVEN,), (np.array([0.9, 1.0, 1.4]),)),
    "00.einthoven": computes(lambda one, two: two - one, (_I, _II), (_II, _I)),
    "00.axis": computes(lambda one, avf: np.degrees(np.arctan2(avf * 2 / 3**0.5, one)), (1, 1), (-1, 2), tolerance=0.1),
    "00.goldberger": computes(lambda one, two: one - two / 2, (_I, _II), (_II, _I)),
    "01.arms": computes(lambda signal: leads.swap(signal, SWAPS["LA/RA"]), (_SIGNAL,), tolerance=1e-4),
    "01.flat": computes(lambda signal: signal[:, 1].std() < 0.1 * signal[:, 2].std(), (_TWELVE,), (_TWELVE @ RA_RL.T,)),
    "01.ppv": computes(lambda se, sp, p: se * p / (se * p + (1 - sp) * (1 - p)), (0.9, 0.8, 0.1), (0.5, 0.99, 0.5)),
    "02.irregular": computes(lambda rr: np.std(rr) / np.mean(rr), (_EVEN,), (np.array([0.6, 1.1, 0.7]),)),
    "02.frames": computes(lambda samples: (samples - 64) // 32 + 1, (18_286,), (9000,), (64,), (127,)),
    "02.mean": computes(lambda features, true: features[:true].mean(axis=0), (_FEATURES, 9), (_FEATURES, 4)),
    "02.score": computes(lambda confusion: scores_of(confusion)[2][:3].mean(), (_FOUR,), (_FOUR.T,)),
    "02.vote": computes(majority_of, (_VERDICTS,), (_VERDICTS[:, ::-1],)),
    "03.cut": computes(lambda peaks, i: (peaks[i - 1] + 20, peaks[i + 1] - 20), (_PEAKS, 1), (_PEAKS, 3)),
    "03.crops": lambda windows: {_corner(_PICTURE[window]) for window in windows()} == _CORNERS and len(windows()) == 9,
    "03.random_crop": lambda crop: {_corner(crop(_PICTURE, _rng(seed))) for seed in range(200)} == _CORNERS,
    "04.others": computes(lambda record, who: persons(record) != who, (_MITDB, "201"), (_MITDB, "100")),
    "04.sides": computes(lambda time, minutes: np.stack([time < 60 * minutes, time >= 600]), (_TIMES, 1), (_TIMES, 10)),
    "04.frequent": computes(frequent_f1, (_CONFUSION,), (_CONFUSION.T,)),
    "05.cut": computes(beat_of, (_WINDOW, 100, 90.0), (_WINDOW, 3, 170.0), (_WINDOW, 1200, 100.0)),
    "05.scores": computes(scores_of, (_CONFUSION,), (_CONFUSION.T,)),
    "05.by_recording": computes(by_recording, (_THREE, _RECORDS), (_THREE[::-1], _RECORDS)),
}
#: What `expect` says of an answer that is not right yet: a hint, by the name of the check.
HINTS = files.read_toml(Path(__file__).with_suffix(".toml"))


def own_seed(name: str) -> int:
    """Turn a student's name into the seed of an assignment's data, however it is spaced and capitalised."""
    return int.from_bytes(hashlib.sha256(" ".join(name.casefold().split()).encode()).digest()[:4], "big")


def expect(name: str, value: Any) -> None:
    """Say in one line whether a number, a truth value, an array or a function is as check `name` wants it."""
    check, stumble = pick("check", name, CHECKS), ""
    try:
        right = bool(check(value))
    except Exception as error:  # a student's function may raise anything
        right, stumble = False, f"it stops with {type(error).__name__} ({error}); "
    print(f"{name}: yes" if right else f"{name}: not yet: {stumble}{HINTS[name]}")


def verdict(sentence: str, truth: bool) -> None:
    """Print "`sentence`: yes" or "no", for scores whose digits depend on the machine."""
    if not isinstance(truth, bool | np.bool_):
        raise InputError(f"'{sentence}' needs yes or no: compare {truth!r} with a bound, as in score > 0.9.")
    print(f"{sentence}: {'yes' if truth else 'no'}")
