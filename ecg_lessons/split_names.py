"""What a command asks of a split of beats: its name, and how few patients are to learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecg_lessons import splits
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.guard import Split, persons

FOLDS, BEAT_FOLDS = 5, 10
#: What every row of a table without patients may be split by: the beats of one heart fall on every side.
RANDOM = "random-beats"


def is_leaky(name: str) -> bool:
    """Tell the splits that ask nobody whose a beat is."""
    return name == RANDOM or name.startswith("beats-fold-")


def named(examples: Examples, name: str, seed: int = 42) -> Split:
    """Split beats in the way that a name stands for.

    Parameters
    ----------
    examples : Examples
    name : str
        ``random-beats`` (leaky, as published), ``by-patient``, ``fold-K`` of five with patients apart,
        ``beats-fold-K`` of ten over beats (leaky), or ``de-chazal`` (DS1 against DS2 of MIT-BIH).
    seed : int

    Raises
    ------
    InputError
        If there is no such split, or it is not possible: see the functions of `splits`.
    """
    kind, _, number = name.rpartition("fold-")
    if name == RANDOM:
        return splits.random_beats(examples, seed=seed)
    if name == "by-patient":
        return splits.by_patient(examples, seed=seed)
    if name == "de-chazal":
        return splits.de_chazal(examples, seed=seed)
    if kind == "" and number in map(str, range(FOLDS)):
        return list(splits.grouped_folds(examples, FOLDS, seed))[int(number)]
    if kind == "beats-" and number in map(str, range(BEAT_FOLDS)):
        return list(splits.stratified_folds(examples, BEAT_FOLDS, seed))[int(number)]
    raise InputError(
        f"There is no split {name!r}: choose random-beats, by-patient, de-chazal, fold-0 to fold-{FOLDS - 1}, or "
        f"beats-fold-0 to beats-fold-{BEAT_FOLDS - 1}."
    )


def few(given: Examples, rows: np.ndarray, share: float, seed: int = 42) -> np.ndarray:
    """Keep the rows of a share of the patients, drawn at random; at least one patient of every class.

    Parameters
    ----------
    given : Examples
    rows : ndarray of int
        One side of a split.
    share : float
        Above 0, at most 1. With one seed, the patients of a small share are among those of a larger one, but
        for those added so that no class goes without.
    seed : int

    Returns
    -------
    ndarray of int

    Raises
    ------
    InputError
        If it is no share.
    """
    if not 0 < share <= 1:
        raise InputError(f"{share:g} is no share of the patients: give a number above 0, at most 1.")
    person = pd.factorize(persons(given.patient[rows]), sort=True)[0]
    order = np.random.default_rng(seed).permutation(person.max(initial=-1) + 1)
    rank = np.argsort(order)[person]
    most = max(1, round(share * len(order)))
    y = given.y[rows]
    first = pd.Series(rank).groupby(y).min()
    return rows[(rank < most) | np.isin(rank, first[first >= most])]
