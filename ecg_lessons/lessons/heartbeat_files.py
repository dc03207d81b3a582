"""Lesson 5 from WFDB records to verdicts: the class of every beat, or infarction or not for every recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import beat_image_files, heartbeat
from ecg_lessons.lessons import heartbeat_runs as runs
from ecg_lessons.signals import kachuee, unusual


def verdicts(run: training.Run, path: str | Path) -> pd.DataFrame:
    """Judge one WFDB record or a folder of records.

    Parameters
    ----------
    run : Run
    path : str or Path

    Returns
    -------
    DataFrame
        Of heartbeats one row each: ID (record and sample at 360 Hz), TIME (s), CLASS, PROBABILITY, and ANNOTATED, the
        symbol where an ``.atr`` file stands beside the record; without one, the R peaks are found first. Of infarctions
        one row a recording: ID, BEATS, CLASS, and the mean PROBABILITY of that class over the beats of lead II;
        "no beats" where the published rule finds no two R peaks.

    Raises
    ------
    InputError
        If a record is missing or damaged, or has no such lead.
    """
    found = beat_image_files.records(path)
    return _of_beats(run, found) if run.about["task"] == "heartbeat" else _of_recordings(run, found)


def _of_beats(run: training.Run, found: list[Path]) -> pd.DataFrame:
    read = [beat_image_files.with_beats(one) for one in found]
    cut, info = kachuee.annotated(read, beat_image_files.LEADS)
    if not len(cut):
        raise InputError(f"Record {found[0].name} has no beat of the five classes: take another one.")
    annotated = info["record"].map({one.name: beat_image_files.annotated(one) for one in found})
    compared = unusual.comparisons(read, info, beat_image_files.LEADS)
    probability = runs.probabilities(run, heartbeat.inputs(cut, compared))
    return pd.DataFrame(
        {
            "ID": heartbeat.names_of(info),
            "TIME": info["time"].round(3),
            "CLASS": np.array(heartbeat.CLASSES["heartbeat"])[probability.argmax(axis=1)],
            "PROBABILITY": probability.max(axis=1).round(4),
            "ANNOTATED": info["symbol"].where(annotated, ""),
        }
    )


def _of_recordings(run: training.Run, found: list[Path]) -> pd.DataFrame:
    cut, _ = zip(*(kachuee.beat_of_diagnosis(recordings.read(one), "unknown") for one in found), strict=True)
    count = np.array([len(one) for one in cut])
    table = pd.DataFrame(
        {"ID": [one.name for one in found], "BEATS": count, "CLASS": "no beats", "PROBABILITY": 0.0}
    )
    if count.any():
        x = heartbeat.inputs(np.concatenate(cut))
        probability = pd.DataFrame(runs.probabilities(run, x))
        mean = probability.groupby(np.repeat(np.arange(len(found)), count)).mean().to_numpy()
        table.loc[count > 0, "CLASS"] = np.array(heartbeat.CLASSES["infarction"])[mean.argmax(axis=1)]
        table.loc[count > 0, "PROBABILITY"] = mean.max(axis=1).round(4)
    return table
