"""Lesson 1 from file to file: read recordings that are to be judged, give verdicts, write the original's CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.data import recordings, tables
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import inversion as lesson
from ecg_lessons.lessons import inversion_runs as runs
from ecg_lessons.signals import leads


def export(given: Examples, to: str | Path, seed: int = 42) -> Path:
    """Write the original's CSV files: ``data.csv`` and ``labels.csv``, half of the ECGs with exchanged electrodes.

    Parameters
    ----------
    given : Examples
        Correct recordings; their middle three seconds are written.
    to : str or Path
        The folder.
    seed : int
        For the draw of the swaps.
    """
    to = Path(to)
    drawn = lesson.fresh_swaps(given, np.random.default_rng(seed))
    names = drawn.info["record"].tolist()
    to.mkdir(parents=True, exist_ok=True)
    tables.write_ecgs(to / "data.csv", names, lesson.fit_length(drawn.x["signal"], tables.ECG_SAMPLES))
    tables.write_labels(to / "labels.csv", names, (drawn.y > 0).astype(int))
    return to


def read_input(path: str | Path) -> Examples:
    """Read what is to be judged: a CSV of the original's format, one WFDB record, or a folder of records."""
    path = Path(path)
    if path.suffix == ".csv":
        return lesson.from_csv(path)
    if not path.is_dir():
        return lesson.from_recordings([recordings.read(path)])
    headers = sorted(path.glob("*.hea"))
    if not headers:
        raise InputError(
            f"No WFDB headers (.hea) in {path}: give a record, a folder of records, or a CSV file."
        )
    return lesson.from_recordings(recordings.read(header) for header in headers)


def verdicts(run: training.Run, given: Examples, threshold: float = 0.5) -> pd.DataFrame:
    """Judge recordings: one row each with ID, TARGET (1 = inverted), PROBABILITY and, where known, SWAP.

    A flat lead II is called RA/RL without asking the network: that exchange cannot be undone, and no
    network here has seen it.
    """
    probability = runs.predict(run, given)
    inverted = 1 - probability[:, 0]
    flat = np.array([leads.lead_two_is_flat(signal) for signal in given.x["signal"]])
    inverted[flat] = 1.0
    table = pd.DataFrame({"ID": given.info["record"], "TARGET": (inverted > threshold).astype(int)})
    table["PROBABILITY"] = inverted.round(4)
    if probability.shape[1] > 2:
        likeliest = np.array(lesson.STATES)[1 + probability[:, 1:].argmax(axis=1)]
        table["SWAP"] = np.where(flat, "RA/RL", np.where(table["TARGET"] == 1, likeliest, "none"))
    return table
