"""The CSV tables of lesson 5: beats and their classes, as Kachuee et al. (2018, arXiv 1805.00794) published them.

mitbih_train.csv and mitbih_test.csv hold classes 0-4 (N S V F Q), ptbdb_normal.csv and ptbdb_abnormal.csv
0 and 1. There is no header; a line is the 187 samples of a beat at 125 Hz and its class, all as floats. The tables do
not tell whose beats they are: a split of their lines puts beats of one patient on both sides.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from ecg_lessons.data.text_files import finite, first_line, replacing
from ecg_lessons.errors import InputError

SAMPLES = 187
_EXPECTED = f"{SAMPLES} samples and the class = {SAMPLES + 1} columns, without a header"


def read_beats(path: str | Path, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Read a table of beats.

    Parameters
    ----------
    path : str or Path
    classes : int
        How many classes there are: 5 in the tables of MIT-BIH, 2 in those of the PTB database.

    Returns
    -------
    x : ndarray of float32, shape (n, SAMPLES)
        As given, in [0, 1] in the published tables.
    y : ndarray of int, shape (n,)
        0 to classes - 1.

    Raises
    ------
    InputError
        In one sentence naming file and row: no file, not a CSV, no rows, too few or too many columns, a value
        that is no finite number, a class that is not whole or not below `classes`.
    """
    path = Path(path)
    line = first_line(path)
    if not line.strip():
        raise InputError(f"{path} is empty or begins with an empty line: expected {_EXPECTED}.")
    columns = line.count(",") + 1
    if columns != SAMPLES + 1:
        raise InputError(f"{path} has {columns} columns: expected {_EXPECTED}.")
    try:
        with np.errstate(over="ignore"):  # too large a number becomes infinite, and is found below
            frame = pd.read_csv(
                path, header=None, dtype=np.float32, na_filter=False, low_memory=False, encoding="utf-8-sig"
            )
    except ValueError as error:  # ParserError among them
        _explain(path, str(error))
    values = frame.to_numpy()
    if not np.isfinite(values).all():
        _explain(path, "a value is missing or not finite")
    x, label = values[:, :-1], values[:, -1]
    wrong = np.flatnonzero((label != np.round(label)) | (label < 0) | (label >= classes))
    if len(wrong):
        raise InputError(
            f"{path}, row {wrong[0] + 1}: the class (column {SAMPLES + 1}) is {label[wrong[0]]:g}: "
            f"expected a whole number from 0 to {classes - 1}."
        )
    return np.ascontiguousarray(x), label.astype(int)


def write_beats(path: str | Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write a table of beats, exactly enough for float32 to come back as it was.

    Parameters
    ----------
    path : str or Path
    x : ndarray, shape (n, SAMPLES)
    y : ndarray of int, shape (n,)
        Classes from 0 on.

    Raises
    ------
    InputError
        If shapes do not fit, there are no beats, a value is not finite, a class is not a whole number from
        0 on, or the file cannot be written.
    """
    x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
    if x.shape != (len(y), SAMPLES) or not len(y) or not np.isfinite(x).all():
        raise InputError(
            f"Cannot write {path}: beats have shape {x.shape}; they must be finite numbers of shape "
            f"({len(y) or 'n'}, {SAMPLES})."
        )
    if y.dtype.kind not in "iu" or y.min() < 0:
        raise InputError(f"Cannot write {path}: classes must be whole numbers from 0 on.")
    line = ",".join(["%.9g"] * SAMPLES) + ",%d.0\n"
    with replacing(Path(path)) as file:
        for row, label in zip(x, y.tolist(), strict=True):
            file.write(line % (*row.tolist(), label))


def _explain(path: Path, reason: str) -> NoReturn:
    """Find the first row that pandas could not take; slow, so only after a failure."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate((row for row in csv.reader(file) if row), start=1):
            place = f"{path}, row {number}"
            if len(row) != SAMPLES + 1:
                raise InputError(f"{place}: {len(row)} values, expected {_EXPECTED}: mend or remove the row.")
            if not finite(row):
                column, cell = next(pair for pair in enumerate(row, start=1) if not finite(pair[1:]))
                what = f"{cell[:20]!r} is not a finite number" if cell.strip() else "the cell is empty"
                raise InputError(f"{place}, column {column}: {what}: mend or remove the row.")
    raise InputError(f"{path} cannot be read as a table ({reason}): export it again as CSV.")
