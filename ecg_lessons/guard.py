"""The guard of every split: nobody, and no beat, on two sides, under whatever name."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from ecg_lessons.data.recordings import DS1, DS2, PACED, SAME_PERSON
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Arrays, Examples

#: The one split that may put a patient on two sides: the lessons measure on purpose what that costs.
LEAKY = "random_beats"
#: A network learns one patient's habits: this split stays within one patient, earlier rows on one side, later ones on
#: another.
PERSONAL = "first_minutes"


@dataclass(frozen=True)
class Split:
    """Row numbers for training, validation and test, made by the functions of `ecg_lessons.splits`.

    Attributes
    ----------
    train, validation, test : ndarray of int
        Positions in the examples; no row stands in two of them. Copies, read-only: what was guarded stays guarded.
    name : str
        How the split was made.

    Raises
    ------
    InputError
        If a side is a mask, or holds anything but row numbers from 0 on.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    name: str

    def __post_init__(self) -> None:
        for side, rows in self.sides.items():
            rows = np.asarray(rows)
            if rows.ndim != 1 or (len(rows) and (rows.dtype.kind not in "iu" or rows.min() < 0)):
                raise InputError(f"Split {self.name!r}: give {side} as row numbers, whole and from 0 on.")
            rows = np.array(rows, dtype=int)
            rows.setflags(write=False)
            object.__setattr__(self, side, rows)

    @property
    def sides(self) -> dict[str, np.ndarray]:
        """The three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def guard(
        self,
        patient: np.ndarray,
        record: np.ndarray | None = None,
        content: np.ndarray | None = None,
        time: np.ndarray | None = None,
    ) -> Split:
        """Refuse the split if a row, a patient, a record or a copy of a row stands on two sides.

        Parameters
        ----------
        patient : ndarray, shape (rows,)
            Whose each row is. Spelling does not matter: see `persons`.
        record : ndarray, shape (rows,), optional
            The recording it comes from, which belongs to one person whatever `patient` says.
        content : ndarray of int, shape (rows,), optional
            `fingerprints` of the inputs.
        time : ndarray, shape (rows,), optional
            Seconds since the start of the recording; ``first_minutes`` needs it.

        Raises
        ------
        InputError
            Naming what stands on two sides. Patients and records may in the leaky ``random_beats``; and
            ``first_minutes`` may hold one patient, if it trains before it validates and tests.
        """
        largest = max((int(rows.max()) for rows in self.sides.values() if len(rows)), default=-1)
        if largest >= len(patient):
            raise InputError(
                f"Split {self.name!r}: there is no row {largest}, the examples have {len(patient)}."
            )
        self._apart(np.arange(len(patient)), "row {}", "make the sides anew")
        if content is not None:
            _, first, copies = np.unique(content, return_index=True, return_inverse=True)
            self._apart(copies, "a copy of row {}", "keep one of the copies", first)
        if self.name == LEAKY:
            return self
        remedy = f"split by patient, or call it {LEAKY!r} to measure the leak"
        person, names = pd.factorize(persons(patient))
        if self.name == PERSONAL:
            self._one_person_in_time(person, time)
            return self
        self._apart(person, "patient {}", remedy, names)
        if record is not None:
            record = _spelled_alike(record)
            if np.isin(record, DS1 + DS2 + PACED).all():  # elsewhere 201 and 202 may well be two people
                record = persons(record)
            record, names = pd.factorize(record)
            self._apart(record, "record {}", f"give every recording its own name, and {remedy}", names)
        return self

    def covers(self, y: np.ndarray, classes: tuple[str, ...]) -> Split:
        """Refuse the split if a class that has rows at all has none on one of the sides."""
        for side, rows in self.sides.items():
            absent = np.setdiff1d(y, y[rows])
            if len(absent):
                raise InputError(
                    f"Split {self.name!r}: class {classes[absent[0]]!r} has no row in {side}; take fewer folds, or "
                    "leave the class out."
                )
        return self

    def _apart(self, code: np.ndarray, what: str, remedy: str, names: np.ndarray | None = None) -> None:
        stands = np.zeros((code.max(initial=-1) + 1, 3), dtype=bool)
        for side, rows in enumerate(self.sides.values()):
            stands[code[rows], side] = True
        twice = np.flatnonzero(stands.sum(axis=1) > 1)
        if len(twice):
            one, two = np.array(list(self.sides))[stands[twice[0]]][:2]
            name = twice[0] if names is None else names[twice[0]]
            raise InputError(
                f"Split {self.name!r}: {what.format(name)} stands in {one} and in {two}; {remedy}."
            )

    def _one_person_in_time(self, person: np.ndarray, time: np.ndarray | None) -> None:
        parts = [rows for rows in self.sides.values() if len(rows)]
        alone = len(np.unique(person[np.concatenate(parts)])) == 1 if parts else False
        if time is None or not alone:
            raise InputError(
                f"Split {self.name!r}: it needs the time of every row, and rows of one patient only."
            )
        for earlier, later in itertools.pairwise(parts):
            if np.max(time[earlier]) >= np.min(time[later]):
                raise InputError(
                    f"Split {self.name!r}: a row to learn from is not earlier than a row to judge."
                )


def persons(names: np.ndarray) -> np.ndarray:
    """Give every person one name, however it is written.

    Capitals, blanks, invisible characters, numbers as text, whole numbers as 201 or 201.0: all one. Records 201
    and 202 of the MIT-BIH database are one person.

    Parameters
    ----------
    names : array, shape (rows,)
        Patients or records, as text or numbers.

    Returns
    -------
    ndarray of str, shape (rows,)
    """
    names = _spelled_alike(names)
    for record, same in SAME_PERSON.items():
        names = np.where(names == record, same, names)
    return names


def _spelled_alike(names: np.ndarray) -> np.ndarray:
    code, found = pd.factorize(np.asarray(names, dtype=object), use_na_sentinel=False)
    return np.array([_plain(name) for name in found], dtype=str)[code]


def _plain(name: object) -> str:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] not in "CZ")
    number = re.fullmatch(r"0*(\d+)(\.0*)?", text)
    return number[1] if number else text


def fingerprints(x: Arrays) -> np.ndarray:
    """Give rows numbers that are equal where the inputs are; flat rows say nothing and all differ.

    Parameters
    ----------
    x : array or mapping of arrays, first axis = rows

    Returns
    -------
    ndarray of int, shape (rows,)
    """
    parts = list(x.values()) if isinstance(x, Mapping) else [x]
    parts = [np.ascontiguousarray(part).reshape(len(part), int(np.prod(part.shape[1:]))) for part in parts]
    digests = (blake2b(b"".join(row), digest_size=8).digest() for row in zip(*parts, strict=True))
    code = np.unique(np.frombuffer(b"".join(digests), np.uint64), return_inverse=True)[1]
    flat = np.all([part.max(axis=1) == part.min(axis=1) for part in parts], axis=0)
    return np.where(flat, len(code) + np.arange(len(code)), code)


def known(examples: Examples) -> dict[str, np.ndarray]:
    """Gather what `Split.guard` wants to know of examples."""
    about = {name: examples.info[name].to_numpy() for name in ("record", "time") if name in examples.info}
    # Beats only: of whole recordings some are published twice (PTB-XL's 137 and 138), which is no user's mistake.
    if "time" in about:
        about["content"] = fingerprints(examples.x)
    return {"patient": persons(examples.patient), **about}
