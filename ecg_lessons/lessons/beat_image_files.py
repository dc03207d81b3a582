"""Lesson 3 from file to file: write beats as pictures, name the beats of recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.data import pictures, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import beat_image_runs as runs
from ecg_lessons.lessons import beat_images as lesson
from ecg_lessons.signals import beats, images, labels

#: The rate of MIT-BIH: a beat is cut at so many samples from its neighbours.
RATE = 360
#: What a network of this lesson is shown: the lead of MIT-BIH, or its nearest kin.
LEADS = ("MLII", "II", "V5", "I", "ECG")
_CHUNK = 4096


def export(given: Examples, to: str | Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write every beat as a PNG file into a folder of its class.

    Parameters
    ----------
    given : Examples
        From `lesson.examples`.
    to : str or Path
        A new folder.
    progress : callable, optional
        Called with the number of pictures written and of all.
    """
    names = pictures.picture_names(given.info["record"], given.info["sample"])
    symbols = np.array(given.classes)[given.y]

    def chunks():
        for start in range(0, len(given), _CHUNK):
            part = slice(start, start + _CHUNK)
            yield images.draw(given.x["curve"][part]), names[part], symbols[part]
            if progress:
                progress(min(start + _CHUNK, len(given)), len(given))

    return pictures.write_pictures(to, chunks())


def read_input(path: str | Path) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Read one WFDB record or a folder of records, with annotations or without.

    Where no ``.atr`` file stands beside a record, its R peaks are found first.

    Returns
    -------
    x, info
        See `lesson.inputs`; beats of any kind. Without annotations ``info["symbol"]`` is "".
    """
    found = records(path)
    x, info = lesson.inputs(map(with_beats, found), LEADS, labels.PEAKS)
    info["symbol"] = info["symbol"].where(info["record"].map({one.name: annotated(one) for one in found}), "")
    return x, info


def records(path: str | Path) -> list[Path]:
    """List the records, without ending, that a path stands for: one record, or all of a folder."""
    path = Path(path)
    if not path.is_dir():
        return [path.with_suffix("") if path.suffix in {".hea", ".dat", ".atr"} else path]
    found = sorted(header.with_suffix("") for header in path.glob("*.hea"))
    if not found:
        raise InputError(f"No WFDB headers (.hea) in {path}: give a record or a folder of records.")
    return found


def annotated(base: Path) -> bool:
    """Tell whether an ``.atr`` file stands beside a record."""
    return base.with_name(f"{base.name}.atr").exists()


def with_beats(base: Path) -> recordings.Recording:
    """Read a record at `RATE`, and find its beats if nobody has annotated them."""
    known = annotated(base)
    recording = recordings.read(base, annotator="atr" if known else None)
    signal = beats.resample(recording.signal, recording.rate, RATE)
    if known:
        marks = recording.beats
        samples = np.rint(marks.samples * (RATE / recording.rate)).astype(int)
        found = replace(marks, samples=np.minimum(samples, len(signal) - 1))
    else:
        samples = beats.r_peaks(signal, RATE)
        if len(samples) < 3:
            raise InputError(
                f"Record {base.name}: {len(samples)} R peaks found, and a beat needs a neighbour on both sides: is a "
                "lead off, or the record too short? Leave it out, or annotate it."
            )
        found = recordings.Beats(samples, np.full(len(samples), "N"))
    return replace(recording, signal=signal, rate=RATE, beats=found)


def verdicts(run: training.Run, x: dict[str, np.ndarray], info: pd.DataFrame) -> pd.DataFrame:
    """Name beats: one row each with ID (record and sample at `RATE`), TIME (s), CLASS, PROBABILITY, ANNOTATED."""
    probability = runs.probabilities(run, x)
    return pd.DataFrame(
        {
            "ID": runs.names_of(info),
            "TIME": info["time"].round(3),
            "CLASS": np.array(lesson.CLASSES)[probability.argmax(axis=1)],
            "PROBABILITY": probability.max(axis=1).round(4),
            "ANNOTATED": info["symbol"],
        }
    )
