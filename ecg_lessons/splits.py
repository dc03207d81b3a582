"""Splits: who trains and who is tested. A patient stands on one side only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples

#: Records of the MIT-BIH Arrhythmia Database that come from one person (Moody & Mark, database directory).
SAME_PERSON = {"202": "201"}
#: The one split that may put a patient on two sides: the lessons measure on purpose what that costs.
LEAKY = "random_beats"


@dataclass(frozen=True)
class Split:
    """Row numbers for training, validation and test, made by the functions of this module.

    Attributes
    ----------
    train, validation, test : ndarray of int
        Positions in the examples; no row stands in two of them.
    name : str
        How the split was made.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    name: str

    @property
    def sides(self) -> dict[str, np.ndarray]:
        """The three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def guard(self, patient: np.ndarray) -> Split:
        """Refuse the split if a row or a patient stands on two sides.

        Parameters
        ----------
        patient : ndarray of str
            Whose each row is.

        Raises
        ------
        InputError
            Naming the patient, unless the split is the leaky ``random_beats``.
        """
        person = np.array([SAME_PERSON.get(str(p), str(p)) for p in patient])
        for (a, one), (b, two) in itertools.combinations(self.sides.items(), 2):
            if len(np.intersect1d(one, two)):
                raise InputError(
                    f"Split {self.name!r}: row {np.intersect1d(one, two)[0]} stands in {a} and in {b}."
                )
            both = np.intersect1d(person[one], person[two])
            if len(both) and self.name != LEAKY:
                raise InputError(
                    f"Split {self.name!r}: patient {both[0]} stands in {a} and in {b}; split by patient, or call "
                    f"it {LEAKY!r} to measure the leak."
                )
        return self


def by_patient(examples: Examples, validation: float = 0.2, test: float = 0.2, seed: int = 0) -> Split:
    """Split patients at random, so that nobody is on two sides, with classes spread evenly.

    Parameters
    ----------
    examples : Examples
    validation, test : float
        Shares of the examples, about.
    seed : int

    Raises
    ------
    InputError
        If there are too few patients for three sides.
    """
    parts = round(1 / min(validation, test))
    fold = _folds(examples, parts, seed)
    for_test = round(test * parts)
    for_validation = round(validation * parts)
    return Split(
        np.flatnonzero(fold >= for_test + for_validation),
        np.flatnonzero((fold >= for_test) & (fold < for_test + for_validation)),
        np.flatnonzero(fold < for_test),
        "by_patient",
    ).guard(examples.patient)


def random_beats(examples: Examples, validation: float = 0.2, test: float = 0.2, seed: int = 0) -> Split:
    """Split rows at random, whoever they belong to: the leaky way, kept to measure what it costs.

    Parameters
    ----------
    examples : Examples
    validation, test : float
        Shares of the rows.
    seed : int
    """
    order = np.random.default_rng(seed).permutation(len(examples))
    one, two = round(test * len(order)), round((test + validation) * len(order))
    return Split(order[two:], order[one:two], order[:one], LEAKY).guard(examples.patient)


def grouped_folds(examples: Examples, folds: int = 5, seed: int = 0) -> Iterator[Split]:
    """Cross-validate with patients apart: every patient is tested once.

    The validation part of fold k is half of the test part of fold k + 1.

    Yields
    ------
    Split
    """
    half = _folds(examples, 2 * folds, seed)
    for k in range(folds):
        held = 2 * ((k + 1) % folds)
        yield Split(
            np.flatnonzero((half // 2 != k) & (half != held)),
            np.flatnonzero(half == held),
            np.flatnonzero(half // 2 == k),
            f"fold_{k}_of_{folds}",
        ).guard(examples.patient)


def _folds(examples: Examples, folds: int, seed: int) -> np.ndarray:
    """Give every row the number of its fold, patients kept whole and classes spread evenly."""
    person = np.array([SAME_PERSON.get(str(p), str(p)) for p in examples.patient])
    people = len(np.unique(person))
    if people < max(folds, 3):
        raise InputError(
            f"{people} patients are too few for {folds} folds: take fewer folds or more patients."
        )
    number = np.empty(len(examples), dtype=int)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for k, (_, test) in enumerate(splitter.split(person, examples.y, person)):
        number[test] = k
    return number
