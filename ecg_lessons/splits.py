"""Splits: who trains and who is tested. Nobody, and no beat, stands on two sides, however it is spelled.

The names of splits are those of the command line: by-patient, fold-K, de-chazal, leave-out-PATIENT keep patients apart;
random-beats and beats-fold-K do not, to measure what that costs; first-minutes stays within one patient.
"""

import itertools
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from ecg_lessons import files
from ecg_lessons.data.recordings import DS1, DS2, PACED, SAME_PERSON
from ecg_lessons.errors import InputError, choice
from ecg_lessons.examples import Arrays, Examples

SIDES = ("train", "validation", "test")
FOLDS, BEAT_FOLDS = 5, 10
#: The seed of Zihlmann et al. (2017).
SEED = 14
#: What every row of a table without patients may be split by: the beats of one heart fall on every side.
RANDOM = "random-beats"
#: Patients apart; rows at random, whoever they belong to; one patient, earlier rows on one side, later on another.
KINDS = ("apart", "leaky", "personal")


@dataclass(frozen=True)
class Split:
    """Row numbers for three sides, read-only, so that what was guarded stays guarded; `kind` is one of `KINDS`."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    name: str
    kind: str = "apart"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise choice("kind of split", self.kind, KINDS)
        for side, rows in self.sides.items():
            rows = np.asarray(rows)
            if rows.ndim != 1 or (len(rows) and (rows.dtype.kind not in "iu" or rows.min() < 0)):
                raise self._wrong(f"give {side} as row numbers, whole and from 0 on")
            rows = np.array(rows, dtype=int)
            rows.setflags(write=False)
            object.__setattr__(self, side, rows)

    @property
    def sides(self) -> dict[str, np.ndarray]:
        """The three parts by name."""
        return {side: getattr(self, side) for side in SIDES}

    def guard(self, patient: np.ndarray, record=None, content=None, time=None) -> Self:
        """Refuse the split if a row, a copy of a row, a patient or a record stands on two sides.

        Give arrays of one value a row: whose it is, and where known its recording (of one person, whatever `patient`
        says), its fingerprint, and seconds since the start of the recording. Patients and records may stand on two
        sides of a leaky split; a personal one holds one patient, and trains before it validates and tests.
        """
        largest = max((int(rows.max()) for rows in self.sides.values() if len(rows)), default=-1)
        if largest >= len(patient):
            raise self._wrong(f"there is no row {largest}, the examples have {len(patient)}")
        self._apart("row", np.arange(len(patient)), "make the sides anew")
        if content is not None:
            _, first, copies = np.unique(content, return_index=True, return_inverse=True)
            self._apart("a copy of row", first[copies], "keep one of the copies")
        if self.kind == "personal":
            parts = [rows for rows in self.sides.values() if len(rows)]
            if time is None or not parts or len(np.unique(persons(patient)[np.concatenate(parts)])) > 1:
                raise self._wrong("it needs the time of every row, and rows of one patient only")
            if any(np.max(time[earlier]) >= np.min(time[later]) for earlier, later in itertools.pairwise(parts)):
                raise self._wrong("a row to learn from is not earlier than a row to judge")
        if self.kind == "apart":
            remedy = "split by patient, or call the split leaky to measure what that costs"
            self._apart("patient", persons(patient), remedy)
            if record is not None:
                record = _spelled_alike(record)
                if np.isin(record, DS1 + DS2 + PACED).all():  # elsewhere 201 and 202 may well be two people
                    record = persons(record)
                self._apart("record", record, f"give every recording its own name, and {remedy}")
        return self

    def covers(self, y: np.ndarray, classes: tuple[str, ...]) -> Self:
        """Refuse the split if a class that has rows at all has none on one of the sides."""
        for side, rows in self.sides.items():
            for absent in np.setdiff1d(y, y[rows]):
                missing = f"class {classes[absent]!r} has no row in {side}"
                raise self._wrong(f"{missing}; take fewer folds, or leave the class out")
        return self

    def _wrong(self, words: str) -> InputError:
        return InputError(f"Split {self.name!r}: {words}.")

    def _apart(self, what: str, names: np.ndarray, remedy: str) -> None:
        code, names = pd.factorize(names)
        stands = np.stack([np.bincount(code[rows], minlength=len(names)) > 0 for rows in self.sides.values()], axis=1)
        for twice in np.flatnonzero(stands.sum(axis=1) > 1)[:1]:
            one, two = np.array(SIDES)[stands[twice]][:2]
            raise self._wrong(f"{what} {names[twice]} stands in {one} and in {two}; {remedy}")


def persons(names: np.ndarray) -> np.ndarray:
    """Give every person (201 and 202 are one) one name, however written: capitals, blanks, 201 as 201.0."""
    return pd.Series(_spelled_alike(names), dtype=object).replace(SAME_PERSON).to_numpy(str)


def _spelled_alike(names: np.ndarray) -> np.ndarray:
    code, spellings = pd.factorize(np.asarray(names, dtype=object), use_na_sentinel=False)
    return np.array([_plain(name) for name in spellings], dtype=str)[code]


def _plain(name: object) -> str:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] not in "CZ")
    return re.sub(r"^0*(\d+)(\.0*)?$", r"\1", text)


def fingerprints(x: Arrays) -> np.ndarray:
    """Give rows whole numbers that are equal where the inputs are; flat rows say nothing and all differ."""
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


def by_patient(examples: Examples, validation: float = 0.2, test: float = 0.2, seed: int = 0) -> Split:
    """Split patients at random with classes spread evenly; the shares of the rows come out about right."""
    parts = round(1 / min(validation, test))
    fold = _folds(examples.y, examples.patient, parts, seed)
    for_test = round(test * parts)
    held = for_test + round(validation * parts)
    sides = (fold >= held, (fold >= for_test) & (fold < held), fold < for_test)
    return _split(sides, "by-patient").guard(**known(examples))


def random_beats(examples: Examples, validation: float = 0.2, test: float = 0.2, seed: int = 0) -> Split:
    """Split rows at random, whoever they belong to: the leaky way, kept to measure what it costs."""
    order = np.random.default_rng(seed).permutation(len(examples))
    for_test, held, train = np.split(order, [round(test * len(order)), round((test + validation) * len(order))])
    return Split(train, held, for_test, RANDOM, "leaky").guard(**known(examples))


def stratified_folds(examples: Examples, folds: int = BEAT_FOLDS, seed: int = 0) -> Iterator[Split]:
    """Test every row once, classes spread evenly, as leaky as `random_beats`; half of the next fold validates."""
    shuffled = np.random.default_rng(seed).permutation(len(examples))
    half = np.empty(len(examples), dtype=int)
    # Class by class, deal the shuffled rows out like cards.
    half[shuffled[np.argsort(examples.y[shuffled], kind="stable")]] = np.arange(len(examples)) % (2 * folds)
    for split in _halves(examples, half, folds, "beats-fold", "leaky"):
        yield split.covers(examples.y, examples.classes)


def grouped_folds(examples: Examples, folds: int = FOLDS, seed: int = 0, every_class: bool = False) -> Iterator[Split]:
    """Test every patient once, with patients apart; half of the next fold validates.

    `every_class` refuses folds in which a class stands on one side only; rare classes live in few patients.
    """
    for split in _halves(examples, _folds(examples.y, examples.patient, 2 * folds, seed), folds, "fold", "apart"):
        yield split.covers(examples.y, examples.classes) if every_class else split


def de_chazal(examples: Examples, validation: float = 0.2, seed: int = 0, leave_out: str = "201") -> Split:
    """Split the MIT-BIH Arrhythmia Database as de Chazal et al. (2004): DS1 trains, DS2 is tested.

    The published division has one person on both sides: record 201 in DS1, 202 in DS2. Here 201 stays out, so that
    the test set is the published one; paced records stand on no side. About the share `validation` of DS1, whole
    patients, validates: drawn so that every class keeps near to this share.
    """
    if leave_out not in ("201", "202"):
        raise InputError(f"Leave out record 201 or 202, the two of one person, not {leave_out!r}.")
    record = np.char.strip(_column(examples, "record").astype(str))
    for name in record[~np.isin(record, DS1 + DS2 + PACED)][:1].tolist():
        raise InputError(f"Record {name!r} is in neither DS1 nor DS2: split other databases by patient.")
    one, two = (np.flatnonzero(np.isin(record, part) & (record != leave_out)) for part in (DS1, DS2))
    if not len(one) or not len(two):
        raise InputError(f"No rows of {'DS1' if not len(one) else 'DS2'}: read all records of mitdb.")
    held = _even(examples.y[one], examples.patient[one], validation, seed)
    return Split(one[~held], one[held], two, "de-chazal").guard(**known(examples))


def leave_one_patient_out(examples: Examples, seed: int = 0) -> Iterator[Split]:
    """Test each patient once, in the order of their names; of the others about a tenth validates, whole patients."""
    about = known(examples)
    people, person = np.unique(about["patient"]), about["patient"]
    fold = _folds(examples.y, person, max(3, min(10, len(people))), seed)
    used = np.unique(fold)
    for name in people:
        test = person == name
        held = used[(np.searchsorted(used, fold[test][0]) + 1) % len(used)]
        yield _split((~test & (fold != held), fold == held, test), f"leave-out-{name}").guard(**about)


def first_minutes(examples: Examples, patient: str, minutes: float = 10, validation: float = 0.2) -> Split:
    """Split one patient's rows in time: learn from the first minutes, whose last share validates; test the rest."""
    time = _column(examples, "time").astype(float)
    person = persons(examples.patient)
    if not (own := person == persons(np.array([patient]))[0]).any():
        raise choice("patient", patient, np.unique(examples.patient))
    begin, end = 60 * minutes * (1 - validation), 60 * minutes
    sides = (own & (time < begin), own & (time >= begin) & (time < end), own & (time >= end))
    for side, where in ((sides[0], "before"), (sides[2], "after")):
        if not side.any():
            raise InputError(f"Patient {patient!r} has no rows {where} minute {minutes:g}: choose another.")
    return _split(sides, "first-minutes", "personal").guard(person, time=time)


def is_leaky(name: str) -> bool:
    """Tell the names of splits that ask nobody whose a beat is."""
    return name == RANDOM or name.startswith("beats-fold-")


def named(examples: Examples, name: str, seed: int = 42) -> Split:
    """Split beats in the way that a name of the command line stands for: see the module."""
    makers = {RANDOM: random_beats, "by-patient": by_patient, "de-chazal": de_chazal}
    if name in makers:
        return makers[name](examples, seed=seed)
    folds = [f"fold-{k}" for k in range(FOLDS)] + [f"beats-fold-{k}" for k in range(BEAT_FOLDS)]
    if name not in folds:
        raise choice("split", name, [*makers, *folds])
    made = stratified_folds if is_leaky(name) else grouped_folds
    return {split.name: split for split in made(examples, seed=seed)}[name]


def few(examples: Examples, rows: np.ndarray, share: float, seed: int = 42) -> np.ndarray:
    """Keep the rows of a share of the patients, drawn at random; at least one patient of every class.

    With one seed, a small share is among a larger one, but for those added so that no class goes without.
    """
    if not 0 < share <= 1:
        raise InputError(f"{share:g} is no share of the patients: give a number above 0, at most 1.")
    person = pd.factorize(persons(examples.patient[rows]), sort=True)[0]
    order = np.random.default_rng(seed).permutation(person.max(initial=-1) + 1)
    rank = np.argsort(order)[person]
    most = max(1, round(share * len(order)))
    first = pd.Series(rank).groupby(examples.y[rows]).min()
    return rows[(rank < most) | np.isin(rank, first[first >= most])]


def recording_fold(examples: Examples, number: int, folds=FOLDS, validation=1 / 6, seed: int = SEED) -> Split:
    """Give one of the stratified folds of recordings of Zihlmann et al. (2017, arXiv 1710.06122).

    Of the recordings that are not tested a share validates: a sixth leaves 5,685 of the 8,528 of CinC 2017 to train,
    1,137 to validate and 1,706 to test.
    """
    if folds < 2:
        raise InputError(f"{folds} is too few: cross-validation needs 2 folds or more.")
    if not 0 <= number < folds:
        raise InputError(f"There is no fold {number}: choose one from 0 to {folds - 1}.")
    if not 0 < validation < 1:
        raise InputError(f"{validation:g} is no share for validation: give a number between 0 and 1.")
    _drawable(examples, folds)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    rest, test = list(splitter.split(examples.y, examples.y))[number]
    held = _draw(examples, rest, round(validation * len(rest)), seed)
    split = Split(np.setdiff1d(rest, held), held, test, f"fold-{number}")
    return split.guard(**known(examples)).covers(examples.y, examples.classes)


def sized(examples: Examples, train: float, validation: float, test: float, seed: int = SEED) -> Split:
    """Draw recordings, with classes spread evenly, for sides of chosen sizes, shares or numbers; the rest stays out."""
    sizes = (train, validation, test)
    counts = _counts(sizes, len(examples))
    _drawable(examples, len(SIDES))
    rest, sides = np.arange(len(examples)), {}
    for side, count in zip(reversed(SIDES), reversed(counts), strict=True):
        sides[side] = _draw(examples, rest, count, seed)
        rest = np.setdiff1d(rest, sides[side])
    name = "-".join(["shares" if max(sizes) < 1 else "recordings", *(f"{size:g}" for size in sizes)])
    return Split(**sides, name=name).guard(**known(examples)).covers(examples.y, examples.classes)


def write(split: Split, examples: Examples, path: str | Path, made: dict | None = None) -> Path:
    """Keep a split of recordings as JSON: how it was made, classes and names of the recordings on each side."""
    record = _records(examples)
    sides = {side: np.sort(rows) for side, rows in split.sides.items()}
    sides["unused"] = np.setdiff1d(np.arange(len(examples)), np.concatenate(list(sides.values())))
    kind = {"kind": split.kind} if split.kind != "apart" else {}
    content = {"name": split.name, **kind, "made": made or {}, "classes": {}}
    for side, rows in sides.items():
        counts = np.bincount(examples.y[rows], minlength=len(examples.classes)).tolist()
        content["classes"][side] = dict(zip(examples.classes, counts, strict=True))
        content[side] = record[rows].tolist()
    return files.write(path, content)


def read(path: str | Path, examples: Examples) -> Split:
    """Read a split that `write` kept; it must name every recording, under "unused" what stands on no side."""
    try:
        content = files.read_json(path, "make the split anew with 'ecg-lessons split'")
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): make it with 'ecg-lessons split --to'.") from None
    if not isinstance(content.get("name"), str):
        raise InputError(f"{path} is no split: make one with 'ecg-lessons split'.")
    row = {name: number for number, name in enumerate(_records(examples))}
    where = {}
    for side in (*SIDES, "unused"):
        names = content.get(side, [])
        strings = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not strings or (side in SIDES and not names):
            raise InputError(f"{path}: {side!r} must list the names of recordings; make the split anew.")
        for name in names:
            if name in where:
                place = f"twice in {side}" if where[name] == side else f"in {where[name]} and in {side}"
                raise InputError(f"{path}: recording {name!r} stands {place}; keep it in one place.")
            if name not in row:
                what = f"{name!r} of {side} is not among the {len(row):,} recordings"
                raise InputError(f"{path}: {what}; was the split made from another source?")
            where[name] = side
    for absent in sorted(row.keys() - where.keys()):
        raise InputError(f'{path} does not name recording {absent!r}: name it, under "unused" if need be.')
    sides = (np.array([row[name] for name in content[side]]) for side in SIDES)
    return Split(*sides, content["name"], content.get("kind", "apart")).guard(**known(examples))


def _split(sides: tuple[np.ndarray, ...], name: str, kind: str = "apart") -> Split:
    return Split(*map(np.flatnonzero, sides), name, kind)


def _column(examples: Examples, name: str) -> np.ndarray:
    if name not in examples.info:
        raise InputError(f"These examples do not say the {name} of a row: put it into info[{name!r}].")
    return examples.info[name].to_numpy()


def _halves(examples: Examples, half: np.ndarray, folds: int, name: str, kind: str) -> Iterator[Split]:
    about = known(examples)
    for k in range(folds):
        held = 2 * ((k + 1) % folds)  # two halves of a fold test, one half of the next fold validates
        sides = ((half // 2 != k) & (half != held), half == held, half // 2 == k)
        yield _split(sides, f"{name}-{k}", kind).guard(**about)


def _even(y: np.ndarray, patient: np.ndarray, share: float, seed: int, draws: int = 500) -> np.ndarray:
    # Of many draws of patients, the one that takes as much of every class.
    person, number = np.unique(persons(patient), return_inverse=True)
    if len(person) < 3:
        raise InputError(f"{len(person)} patients are too few to train and to validate: read all of mitdb.")
    owned = pd.crosstab(number, y, normalize="columns").to_numpy()  # a patient's part of each class
    drawn = np.zeros((draws, len(person)))
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(len(person)), (draws, 1)), axis=1)
    np.put_along_axis(drawn, order[:, : max(1, round(share * len(person)))], 1, axis=1)
    best = np.square(drawn @ owned - share * owned.any(axis=0)).sum(axis=1).argmin()
    return drawn[best, number] == 1


def _folds(y: np.ndarray, patient: np.ndarray, folds: int, seed: int) -> np.ndarray:
    person = persons(patient)
    if (people := len(np.unique(person))) < max(folds, 3):
        raise InputError(f"{people} patients are too few for {folds} folds: take fewer folds, or more people.")
    number = np.empty(len(y), dtype=int)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer rows than folds: `Split.covers` tells of them
        for k, (_, test) in enumerate(splitter.split(person, y, person)):
            number[test] = k
    return number


def _records(examples: Examples) -> np.ndarray:
    record = _column(examples, "record").astype(str).astype(object)
    if (most := pd.Series(record).value_counts()).max() > 1:
        rows = f"{most.index[0]!r} has {most.iloc[0]} rows"
        raise InputError(f"Recording {rows}: files of splits are for examples of one row a recording.")
    return record


def _drawable(examples: Examples, least: int) -> None:
    if (most := pd.Series(persons(examples.patient)).value_counts()).max() > 1:  # would stand on two sides
        rows = f"{most.index[0]} has {most.iloc[0]} recordings"
        raise InputError(f"Patient {rows}: keep patients apart with splits.grouped_folds or by_patient.")
    for name, n in examples.counts()["examples"].items():
        if 0 < n < least:
            rows = f"{n} recording{'s' * (n != 1)}, fewer than {least}"
            raise InputError(f"Class {name!r} has {rows}: take more recordings, or fewer folds.")


def _counts(sizes: tuple[float, ...], n: int) -> list[int]:
    if all(0 < size < 1 for size in sizes):
        if sum(sizes) > 1 + 1e-9:
            raise InputError(f"The shares come to {sum(sizes):g}: give at most 1 in all.")
        return np.diff(np.rint(n * np.cumsum([0, *sizes]))).astype(int).tolist()
    for size, side in sorted(zip(sizes, SIDES, strict=True)):
        if size < 1 or size != int(size):
            raise InputError(f"{size:g} is no size for {side}: give shares such as 0.6, or whole numbers.")
    if sum(sizes) > n:
        raise InputError(f"{sum(sizes):g} recordings are asked for, and there are {n:,}.")
    return list(map(int, sizes))


def _draw(examples: Examples, among: np.ndarray, count: int, seed: int) -> np.ndarray:
    if count >= len(among):
        return among
    y = examples.y[among]
    try:
        return np.sort(train_test_split(among, train_size=max(count, 1), stratify=y, random_state=seed)[0])
    except ValueError:
        classes = f"each of the {len(np.unique(y))} classes on every side"
        raise InputError(f"{count} of {len(among)} recordings cannot hold {classes}: choose other sizes.") from None
