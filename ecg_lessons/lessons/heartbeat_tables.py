"""The CSV files of lesson 5: beats without patients, read as examples and written from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons.data.tables import read_beats, write_beats
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.lessons.heartbeat import CLASSES

#: By task, the original's two files.
NAMES = {
    "heartbeat": ("mitbih_train.csv", "mitbih_test.csv"),
    "infarction": ("ptbdb_normal.csv", "ptbdb_abnormal.csv"),
}


def from_csv(task: str, *paths: str | Path) -> Examples:
    """Read beats from the original's CSV files.

    The files do not tell whose beats they are: every row counts as somebody of its own, and no split by patient
    is possible.

    Parameters
    ----------
    task : {"heartbeat", "infarction"}
    *paths : str or Path
        Two files: mitbih_train.csv and mitbih_test.csv, which are a split as they stand, or ptbdb_normal.csv
        and ptbdb_abnormal.csv. One is enough to judge it.

    Returns
    -------
    table : Examples
        ``x["beat"]`` (n, SAMPLES, 1) only. ``info`` has ``record`` (the file), ``sample`` (the row, from 1 on),
        ``part`` (0 for the first file) and ``known``, which is False.

    Raises
    ------
    InputError
        See `tables.read_beats`; and if both files have one name.
    """
    names = [Path(path).name for path in paths]
    if len(set(names)) < len(names):
        raise InputError(f"Two files are called {names[0]}: give two files with names of their own.")
    read = [read_beats(path, len(CLASSES[task])) for path in paths]
    info = pd.concat(
        [
            pd.DataFrame({"record": name, "sample": np.arange(1, len(y) + 1), "part": part, "known": False})
            for part, (name, (_, y)) in enumerate(zip(names, read, strict=True))
        ],
        ignore_index=True,
    )
    patient = ("row " + info["sample"].astype(str) + " of " + info["record"]).to_numpy().astype(str)
    x = {"beat": np.concatenate([x for x, _ in read])[..., None]}
    return Examples(x, np.concatenate([y for _, y in read]), patient, CLASSES[task], info)


def export(task: str, given: Examples, to: str | Path, seed: int = 42) -> Path:
    """Write the original's two CSV files.

    A random fifth of the heartbeats goes into the test file, whosever they are, as in the original; of the
    infarction task each class has a file.

    Parameters
    ----------
    task : {"heartbeat", "infarction"}
    given : Examples
        From `heartbeat.load`.
    to : str or Path
        A new folder, or an empty one.
    seed : int

    Raises
    ------
    InputError
        If the folder holds something, a file would be empty, or it cannot be written.
    """
    to = Path(to)
    refuse_full(to)
    if task == "heartbeat":
        order = np.random.default_rng(seed).permutation(len(given))
        fifth = round(0.2 * len(given))
        parts = order[fifth:], order[:fifth]
    else:
        parts = np.flatnonzero(given.y == 0), np.flatnonzero(given.y == 1)
    to.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(NAMES[task], parts, strict=True):
        write_beats(to / name, given.x["beat"][rows, :, 0], given.y[rows])
    return to


def refuse_full(to: str | Path) -> None:
    """Refuse to write into a folder that holds something."""
    to = Path(to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InputError(f"{to} exists and is not empty: give a new folder for the CSV files.")
