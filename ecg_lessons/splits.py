"""Splits: who trains and who is tested. A patient stands on one side only."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ecg_lessons.data.recordings import DS1, DS2, PACED
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.guard import LEAKY, PERSONAL, Split, known, persons


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
    fold = _folds(examples.y, examples.patient, parts, seed)
    for_test = round(test * parts)
    for_validation = round(validation * parts)
    return Split(
        np.flatnonzero(fold >= for_test + for_validation),
        np.flatnonzero((fold >= for_test) & (fold < for_test + for_validation)),
        np.flatnonzero(fold < for_test),
        "by_patient",
    ).guard(**known(examples))


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
    return Split(order[two:], order[one:two], order[:one], LEAKY).guard(**known(examples))


def stratified_folds(examples: Examples, folds: int = 10, seed: int = 0) -> Iterator[Split]:
    """Cross-validate over rows, whoever they belong to, with classes spread evenly: as leaky as `random_beats`.

    Every row is tested once. The validation part of fold k is half of the test part of fold k + 1.

    Yields
    ------
    Split
        All of them called ``random_beats``.

    Raises
    ------
    InputError
        If a class has too few rows to stand on every side of every fold.
    """
    shuffled = np.random.default_rng(seed).permutation(len(examples))
    half = np.empty(len(examples), dtype=int)
    # Class by class, deal the shuffled rows out like cards.
    half[shuffled[np.argsort(examples.y[shuffled], kind="stable")]] = np.arange(len(examples)) % (2 * folds)
    about = known(examples)
    for k in range(folds):
        yield _fold(half, k, folds, LEAKY).guard(**about).covers(examples.y, examples.classes)


def grouped_folds(
    examples: Examples, folds: int = 5, seed: int = 0, every_class: bool = False
) -> Iterator[Split]:
    """Cross-validate with patients apart: every patient is tested once.

    The validation part of fold k is half of the test part of fold k + 1.

    Parameters
    ----------
    examples : Examples
    folds, seed : int
    every_class : bool
        Refuse folds in which a class stands on one side only. Off, because rare classes live in few patients.

    Yields
    ------
    Split

    Raises
    ------
    InputError
        If there are fewer than 2 patients for each fold.
    """
    half = _folds(examples.y, examples.patient, 2 * folds, seed)
    about = known(examples)
    for k in range(folds):
        split = _fold(half, k, folds, f"fold_{k}_of_{folds}").guard(**about)
        yield split.covers(examples.y, examples.classes) if every_class else split


def de_chazal(examples: Examples, validation: float = 0.2, seed: int = 0, leave_out: str = "201") -> Split:
    """Split the MIT-BIH Arrhythmia Database as de Chazal et al. (2004): DS1 trains, DS2 is tested.

    The published division has one person on both sides: record 201 in DS1, 202 in DS2. Here 201 stays out,
    so that the test set is the published one.

    Parameters
    ----------
    examples : Examples
        With ``info["record"]``; rows of paced records stand on no side.
    validation : float
        Share of DS1, about: whole patients, drawn by the seed so that every class keeps near to this share.
    seed : int
    leave_out : {"201", "202"}
        Which record of the one person stands on no side.

    Raises
    ------
    InputError
        If a record is not of this database, or one of the two parts is empty.
    """
    if leave_out not in ("201", "202"):
        raise InputError(f"Leave out record 201 or 202, the two of one person, not {leave_out!r}.")
    record = np.char.strip(_column(examples, "record").astype(str))
    foreign = ~np.isin(record, DS1 + DS2 + PACED)
    if foreign.any():
        raise InputError(
            f"Record {str(record[foreign][0])!r} is in neither DS1 nor DS2: split other databases by patient."
        )
    one, two = (np.flatnonzero(np.isin(record, part) & (record != leave_out)) for part in (DS1, DS2))
    if not len(one) or not len(two):
        raise InputError(f"No rows of {'DS1' if not len(one) else 'DS2'}: read all records of mitdb.")
    held = _even(examples.y[one], examples.patient[one], validation, seed)
    return Split(one[~held], one[held], two, "de_chazal").guard(**known(examples))


def leave_one_patient_out(examples: Examples, seed: int = 0) -> Iterator[Split]:
    """Test each patient once; of the others about a tenth, whole patients, validate and the rest train.

    Yields
    ------
    Split
        Called ``leave_out_<patient>``, in the order of the patients' names.

    Raises
    ------
    InputError
        If there are fewer than 3 patients.
    """
    about = known(examples)
    person = about["patient"]
    people = np.unique(person)
    fold = _folds(examples.y, person, max(3, min(10, len(people))), seed)
    used = np.unique(fold)
    for name in people:
        test = person == name
        held = used[(np.searchsorted(used, fold[test][0]) + 1) % len(used)]
        sides = (~test & (fold != held), fold == held, test)
        yield Split(*map(np.flatnonzero, sides), f"leave_out_{name}").guard(**about)


def first_minutes(examples: Examples, patient: str, minutes: float = 10, validation: float = 0.2) -> Split:
    """Split one patient's rows in time: learn from the first minutes of each recording, test on what follows.

    Parameters
    ----------
    examples : Examples
        With ``info["time"]``, seconds since the start of the recording.
    patient : str
    minutes : float
    validation : float
        Share of these minutes, the last of them, for validation.

    Raises
    ------
    InputError
        If there is no such patient, or no row before or after the minutes.
    """
    time = _column(examples, "time").astype(float)
    person = persons(examples.patient)
    own = person == persons(np.array([patient]))[0]
    if not own.any():
        raise InputError(
            f"There is no patient {patient!r}; there are {', '.join(np.unique(examples.patient)[:5])} ..."
        )
    end = 60 * minutes
    begin = end * (1 - validation)
    sides = (own & (time < begin), own & (time >= begin) & (time < end), own & (time >= end))
    for side, where in zip((sides[0], sides[2]), ("before", "after"), strict=True):
        if not side.any():
            raise InputError(
                f"Patient {patient!r} has no rows {where} minute {minutes:g}: choose other minutes."
            )
    return Split(*map(np.flatnonzero, sides), PERSONAL).guard(person, time=time)


def _column(examples: Examples, name: str) -> np.ndarray:
    if name not in examples.info:
        raise InputError(f"These examples do not say the {name} of a row: put it into info[{name!r}].")
    return examples.info[name].to_numpy()


def _fold(half: np.ndarray, k: int, folds: int, name: str) -> Split:
    """Fold k from numbers of half folds: two halves test, one half of the next fold validates."""
    held = 2 * ((k + 1) % folds)
    sides = ((half // 2 != k) & (half != held), half == held, half // 2 == k)
    return Split(*map(np.flatnonzero, sides), name)


def _even(y: np.ndarray, patient: np.ndarray, share: float, seed: int, draws: int = 500) -> np.ndarray:
    """Mark the rows of about a share of the patients: of many draws, the one that takes as much of every class."""
    person, number = np.unique(persons(patient), return_inverse=True)
    if len(person) < 3:
        raise InputError(
            f"{len(person)} patients are too few to train and to validate: read all records of mitdb."
        )
    owned = np.zeros((len(person), y.max() + 1))
    np.add.at(owned, (number, y), 1)
    owned /= np.maximum(owned.sum(axis=0), 1)  # a patient's part of each class
    drawn = np.zeros((draws, len(person)))
    count = max(1, round(share * len(person)))
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(len(person)), (draws, 1)), axis=1)
    np.put_along_axis(drawn, order[:, :count], 1, axis=1)
    best = np.square(drawn @ owned - share * owned.any(axis=0)).sum(axis=1).argmin()
    return drawn[best, number] == 1


def _folds(y: np.ndarray, patient: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Give every row the number of its fold, patients kept whole and classes spread evenly."""
    person = persons(patient)
    people = len(np.unique(person))
    if people < max(folds, 3):
        raise InputError(
            f"{people} patients are too few for {folds} folds: take fewer folds or more patients."
        )
    number = np.empty(len(y), dtype=int)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer rows than folds: `Split.covers` tells of them
        for k, (_, test) in enumerate(splitter.split(person, y, person)):
            number[test] = k
    return number
