"""Lesson 2 from files to verdicts: the rhythm of every recording, by one network or by the vote of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import rhythm as lesson
from ecg_lessons.lessons import rhythm_runs as runs
from ecg_lessons.models.crnn import SAMPLES
from ecg_lessons.signals import beats
from ecg_lessons.signals.spectrograms import RATE

#: The hand-held device of CinC 2017 records lead I; the nearest to it that a record has is judged.
LEADS = ("I", "ECG", "MLII", "II")


def verdicts(several: Sequence[training.Run], path: str | Path) -> pd.DataFrame:
    """Judge a recording, or all of a folder.

    Parameters
    ----------
    several : sequence of Run
        More than one vote: see `rhythm_runs.vote`.
    path : str or Path
        A .mat file of CinC 2017, a WFDB record, or a folder of either.

    Returns
    -------
    DataFrame
        ID, SECONDS, CLASS (N, A, O or ~), and the PROBABILITY of that class, or the share of the votes for it.

    Raises
    ------
    InputError
        If a recording is missing or damaged, or longer than 61 s.
    """
    given = lesson.from_recordings(map(read, found(path)))
    probability = np.stack([runs.predict(run, given) for run in several])
    alone = len(several) == 1
    chosen = (probability[0] if alone else runs.vote(probability)).argmax(axis=1)
    sure = probability[0].max(axis=1) if alone else (probability.argmax(axis=2) == chosen).mean(axis=0)
    return pd.DataFrame(
        {
            "ID": given.info["record"],
            "SECONDS": given.info["seconds"].round(2),
            "CLASS": np.array(given.classes)[chosen],
            "PROBABILITY": sure.round(4),
        }
    )


def found(path: str | Path) -> list[Path]:
    """List the recordings that a path stands for."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    names = {one.with_suffix("") for one in path.iterdir() if one.suffix in {".mat", ".hea"}}
    if not names:
        raise InputError(
            f"No recordings (.mat or .hea) in {path}: give a recording or a folder of recordings."
        )
    return [
        one.with_suffix(".hea") if one.with_suffix(".hea").exists() else one.with_suffix(".mat")
        for one in sorted(names)
    ]


def read(path: Path) -> recordings.Recording:
    """Read a recording as the network wants it: one lead, 300 Hz."""
    one = recordings.read(path)
    lead = next((lead for lead in LEADS if lead in one.leads), one.leads[0])
    signal = one.signal[:, [one.leads.index(lead)]]
    if one.rate != RATE:
        signal = beats.resample(signal, one.rate, RATE)
    if len(signal) > SAMPLES:
        raise InputError(
            f"Recording {one.name} lasts {len(signal) / RATE:.0f} s: lesson 2 judges up to "
            f"{SAMPLES / RATE:.0f} s, so cut it into pieces."
        )
    return replace(one, signal=signal, rate=RATE, leads=("ECG",))
