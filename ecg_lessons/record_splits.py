"""Splits of whole recordings: the published stratified folds, other sizes, and files that keep them.

For examples of one row a recording and one recording a patient, as the public part of CinC 2017 is read: it publishes
no patient identity, so that "patient" there can mean no more than "recording".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from ecg_lessons.data.text_files import replacing
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.guard import Split, known, persons

SIDES = ("train", "validation", "test")
#: The seed of Zihlmann et al. (2017).
SEED = 14


def fold(
    examples: Examples, number: int, folds: int = 5, validation: float = 1 / 6, seed: int = SEED
) -> Split:
    """Give one of the stratified folds of Zihlmann et al. (2017, arXiv 1710.06122).

    Parameters
    ----------
    examples : Examples
    number : int
        From 0 to ``folds - 1``: which fifth is tested.
    folds : int
    validation : float
        Share of the recordings that are not tested. Of the 8,528 of CinC 2017, a sixth leaves 5,685 to train,
        1,137 to validate and 1,706 to test.
    seed : int

    Returns
    -------
    Split
        Called ``fold_0_of_5``, or with another seed ``fold_0_of_5_seed_7``.

    Raises
    ------
    InputError
        If there is no such fold, a patient has several recordings, or a class has too few for every side.
    """
    if folds < 2:
        raise InputError(f"{folds} is too few: cross-validation needs 2 folds or more.")
    if not 0 <= number < folds:
        raise InputError(f"There is no fold {number}: choose one from 0 to {folds - 1}.")
    if not 0 < validation < 1:
        raise InputError(f"{validation:g} is no share for validation: give a number between 0 and 1.")
    _one_each(examples)
    _enough(examples, folds)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    rest, test = list(splitter.split(examples.y, examples.y))[number]
    held = _draw(examples, rest, round(validation * len(rest)), seed)
    name = f"fold_{number}_of_{folds}" + (f"_seed_{seed}" if seed != SEED else "")
    split = Split(np.setdiff1d(rest, held), held, test, name)
    return split.guard(**known(examples)).covers(examples.y, examples.classes)


def sized(examples: Examples, train: float, validation: float, test: float, seed: int = SEED) -> Split:
    """Draw sides of chosen sizes, with classes spread evenly.

    Parameters
    ----------
    examples : Examples
    train, validation, test : float
        Shares of the recordings, such as 0.6, 0.2 and 0.2, or numbers of recordings. What they leave over stands on
        no side.
    seed : int

    Returns
    -------
    Split
        Called ``shares_0.6_0.2_0.2_seed_14`` or ``recordings_5000_1000_1000_seed_14``.

    Raises
    ------
    InputError
        If the sizes are neither, or more than there are; if a patient has several recordings, or a class too few.
    """
    sizes = dict(zip(SIDES, (train, validation, test), strict=True))
    count = _counts(sizes, len(examples))
    _one_each(examples)
    _enough(examples, len(SIDES))
    rest, sides = np.arange(len(examples)), {}
    for side in reversed(SIDES):
        sides[side] = _draw(examples, rest, count[side], seed)
        rest = np.setdiff1d(rest, sides[side])
    kind = "shares" if all(size < 1 for size in sizes.values()) else "recordings"
    name = "_".join([kind, *(f"{size:g}" for size in sizes.values()), "seed", str(seed)])
    split = Split(*(sides[side] for side in SIDES), name)
    return split.guard(**known(examples)).covers(examples.y, examples.classes)


def write(split: Split, examples: Examples, path: str | Path, made: dict | None = None) -> Path:
    """Keep a split as JSON: how it was made, the classes on each side, and the names of the recordings.

    Parameters
    ----------
    split : Split
    examples : Examples
        With ``info["record"]``.
    path : str or Path
        Written whole or not at all.
    made : dict, optional
        Anything else worth keeping, such as sizes and seed.
    """
    record = _records(examples)
    path = Path(path)
    sides = {side: np.sort(rows) for side, rows in split.sides.items()}
    sides["unused"] = np.setdiff1d(np.arange(len(examples)), np.concatenate(list(sides.values())))
    content = {"name": split.name, "made": made or {}, "classes": {}}
    for side, rows in sides.items():
        found = np.bincount(examples.y[rows], minlength=len(examples.classes))
        content["classes"][side] = dict(zip(examples.classes, found.tolist(), strict=True))
    content |= {side: record[rows].tolist() for side, rows in sides.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")
    return path


def read(path: str | Path, examples: Examples) -> Split:
    """Read a split that `write` kept.

    Raises
    ------
    InputError
        If the file is missing or no such JSON, names a recording twice or one that is not among the examples, or
        leaves one of the examples out: what is to stand on no side is named under "unused".
    """
    path = Path(path)
    content = _content(path)
    record = _records(examples)
    row = pd.Series(np.arange(len(record)), index=record)
    where = {}
    for side, name in _named(path, content):
        if name in where:
            place = f"twice in {side}" if where[name] == side else f"in {where[name]} and in {side}"
            raise InputError(f"{path}: recording {name!r} stands {place}; keep it in one place.")
        if name not in row.index:
            raise InputError(
                f"{path}: recording {name!r} of {side} is not among the {len(record):,} recordings read; was the "
                "split made from another source?"
            )
        where[name] = side
    absent = row.index.difference(list(where))
    if len(absent):
        raise InputError(
            f'{path} does not name recording {absent[0]!r}: make the split anew, or name it under "unused".'
        )
    sides = (row[content[side]].to_numpy() for side in SIDES)
    return Split(*sides, content["name"]).guard(**known(examples))


def _content(path: Path) -> dict:
    """Read the JSON of a split and check its form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Cannot read {path} ({error.strerror}): make a split with 'ecg-lessons split --to {path}'."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON ({error}): make the split anew.") from None
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise InputError(f"{path} is no split: make one with 'ecg-lessons split'.")
    for side in SIDES:
        if not isinstance(content.get(side), list) or not content[side]:
            raise InputError(f"{path}: {side!r} lists no recordings; make the split anew.")
    return content


def _named(path: Path, content: dict) -> Iterator[tuple[str, str]]:
    """Go through the names of a file, with their sides."""
    for side in (*SIDES, "unused"):
        names = content.get(side, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{path}: {side!r} must be a list of recordings' names; make the split anew.")
        yield from ((side, name) for name in names)


def _records(examples: Examples) -> np.ndarray:
    """Give the name of each row's recording; a recording may have one row only."""
    if "record" not in examples.info:
        raise InputError("These examples do not name the recording of a row: put it into info['record'].")
    record = examples.info["record"].to_numpy().astype(str).astype(object)
    name, count = np.unique(record, return_counts=True)
    if (count > 1).any():
        raise InputError(
            f"Recording {name[count.argmax()]!r} has {count.max()} rows: files of splits are for examples of one "
            "row a recording."
        )
    return record


def _one_each(examples: Examples) -> None:
    """Refuse patients with several recordings: these splits would put them on two sides."""
    name, count = np.unique(persons(examples.patient), return_counts=True)
    if (count > 1).any():
        raise InputError(
            f"Patient {name[count.argmax()]} has {count.max()} recordings: keep patients apart with "
            "splits.grouped_folds or splits.by_patient."
        )


def _enough(examples: Examples, least: int) -> None:
    """Refuse classes that cannot stand on every side."""
    count = np.bincount(examples.y, minlength=len(examples.classes)).tolist()
    for name, n in zip(examples.classes, count, strict=True):
        if 0 < n < least:
            raise InputError(
                f"Class {name!r} has {n} recording{'s' * (n != 1)}, fewer than {least}: take more recordings, or "
                "fewer folds."
            )


def _counts(sizes: dict[str, float], n: int) -> dict[str, int]:
    """Turn shares, or numbers, into numbers of recordings."""
    if all(0 < size < 1 for size in sizes.values()):
        if sum(sizes.values()) > 1 + 1e-9:
            raise InputError(f"The shares come to {sum(sizes.values()):g}: give at most 1 in all.")
        ends = [round(n * share) for share in np.cumsum(list(sizes.values()))]
        return dict(zip(sizes, np.diff([0, *ends]).tolist(), strict=True))
    for side, size in sorted(sizes.items(), key=lambda item: item[1]):
        if size < 1 or size != int(size):
            raise InputError(
                f"{size:g} is no size for {side}: give shares below 1, such as 0.6 0.2 0.2, or whole numbers."
            )
    if sum(sizes.values()) > n:
        raise InputError(f"{sum(sizes.values()):g} recordings are asked for, and there are {n:,}.")
    return {side: int(size) for side, size in sizes.items()}


def _draw(examples: Examples, among: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw so many of the rows, with classes spread evenly."""
    if count >= len(among):
        return among
    y = examples.y[among]
    try:
        return np.sort(train_test_split(among, train_size=max(count, 1), stratify=y, random_state=seed)[0])
    except ValueError:
        raise InputError(
            f"{count} of {len(among)} recordings cannot hold each of the {len(np.unique(y))} classes on every side: "
            "choose other sizes, or take more recordings."
        ) from None
