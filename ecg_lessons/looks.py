"""Where a network looked in a recording: a stretch becomes a straight line, and the verdict is asked again.

It asks `judge` as anybody may, and so works for every lesson and on every backend. It finds what a network needs at one
place; of what stands in two places, each may be missing without any loss.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import Beats, Recording
from ecg_lessons.data.voltages import How, is_ecg
from ecg_lessons.errors import InputError, Note
from ecg_lessons.lesson import Lesson
from ecg_lessons.signals import beats
from ecg_lessons.training import Opened, Run, Tick

#: Seconds that are drawn, the length of one stretch, and the part of every beat that is looked through, from R on.
SHOWN, STRETCH, AROUND = 10.0, 0.2, (-0.36, 0.52)
#: Of every beat at once shorter stretches are erased; the middle of one is R.
FINE = 0.08
#: What a beat is judged with, before and after the seconds that are drawn.
CONTEXT = 20.0


@dataclass(frozen=True)
class Looked:
    """A recording, its verdicts, and what became of them: a stretch (start and end, s) and a change, a row each.

    A change is that of the probability of the verdict, of the beat that changed most; NaN where nothing could be judged
    any more. `chosen` is the class of every verdict. With `every_beat` the stretches are erased around all R peaks at
    once, and count from them.
    """

    recording: Recording
    verdicts: pd.DataFrame
    chosen: np.ndarray
    start: float
    stretches: np.ndarray
    change: np.ndarray
    peaks: np.ndarray
    every_beat: bool


def look(
    lesson: Lesson, run: Run, path: str | Path, start: float = 0.0, tick: Tick | None = None, **options: Any
) -> Looked:
    """Judge a recording, and judge it again with one stretch after the other erased, over ten seconds from `start`."""
    recording = _read(path, options.get("how"))
    if not 0 <= start < recording.seconds:
        lasts = f"{recording.name} lasts {recording.seconds:.3g} s"
        raise InputError(f"Recording {lasts}, and --start {start:g} is not within it: give a smaller number.")
    start = min(start, max(0.0, recording.seconds - SHOWN))
    opened = Opened(run.folder, run.model)
    verdicts = lesson.judge(opened, recording, **options)
    if "probability" not in verdicts.attrs:
        # Without beats, say, or of a lesson whose judge leaves out table.attrs["probability"] and "classes".
        what = f"Recording {recording.name} got no verdict with a probability"
        raise InputError(f"{what}, so there is nothing to draw: give another one, or --to instead of --plot.")
    chosen = _chosen(verdicts)
    ecg = [k for k, name in enumerate(recording.leads) if is_ecg(name)] or slice(None)
    every_beat = verdicts.attrs.get("every_beat", False)
    if recording.beats is None and ("TIME" in verdicts or every_beat):  # the same beats, whatever is erased
        peaks = beats.r_peaks(recording.signal[:, ecg], recording.rate)
        recording = replace(recording, beats=Beats(peaks, np.full(len(peaks), "N")))
    peaks = recording.beats.samples / recording.rate if recording.beats else np.zeros(0)
    end = min(start + SHOWN, recording.seconds)
    first, last, step = (*AROUND, FINE) if every_beat else (start, end, STRETCH)
    at = first + step * np.arange(int((last - first) / step + 1e-6))
    stretches = np.stack([at, at + step], axis=1)
    change = np.full(len(at), np.nan)
    shown, before_it = recording, 0.0
    if "TIME" in verdicts:  # a beat depends on those around it, not on hours
        shown, before_it = _around(recording, start, end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # told once
        before = _probability(lesson, opened, shown, options)
        for k, stretch in enumerate(stretches):
            places = peaks[:, None] + stretch if every_beat else stretch[None] - before_it
            after = _probability(lesson, opened, erased(shown, places), options)
            if before is not None and after is not None and after.shape == before.shape:
                own = np.arange(len(before)), chosen if len(chosen) == len(before) else before.argmax(axis=1)
                changes = after[own] - before[own]
                change[k] = changes[np.abs(changes).argmax()]
            if tick:
                tick(k + 1, len(stretches))
    return Looked(recording, verdicts, chosen, start, stretches, change, peaks, every_beat)


def erased(recording: Recording, stretches: np.ndarray) -> Recording:
    """Draw a straight line over stretches (n, 2), in s, of all leads; what is missing stays so."""
    signal, rate, last = recording.signal.copy(), recording.rate, len(recording.signal) - 1
    for begin, end in np.clip(np.rint(stretches * rate).astype(int), 0, last):
        if begin < end:
            line = np.linspace(signal[begin], signal[end], end - begin + 1)
            signal[begin : end + 1] = np.where(np.isfinite(line), line, signal[begin : end + 1])
    return replace(recording, signal=signal)


def _chosen(verdicts: pd.DataFrame) -> np.ndarray:
    """Give the class of every verdict: the likeliest, or what a threshold has made of it."""
    likeliest = verdicts.attrs["probability"].argmax(axis=1)
    return verdicts["TARGET"].fillna(pd.Series(likeliest)).to_numpy(int) if "TARGET" in verdicts else likeliest


def _around(recording: Recording, start: float, end: float) -> tuple[Recording, float]:
    """Cut a stretch (s) and what lies around it out of a recording; tell where the cut begins (s)."""
    rate, marks = recording.rate, recording.beats
    first, last = max(0, round((start - CONTEXT) * rate)), round((end + CONTEXT) * rate)
    within = (marks.samples >= first) & (marks.samples < last)
    cut = Beats(marks.samples[within] - first, marks.symbols[within])
    return replace(recording, signal=recording.signal[first:last], beats=cut), first / rate


def _read(path: str | Path, how: How | None) -> Recording:
    if Path(path).is_dir():
        raise InputError(f"{path} is a folder, and --plot draws one recording: name one of those in it.")
    file = recordings.paths(path)[0]
    annotated = file.with_suffix(".atr").exists()
    return recordings.read(file, annotator="atr" if annotated else None, how=how)


def _probability(lesson: Lesson, run: Run, recording: Recording, options: Mapping[str, Any]) -> np.ndarray | None:
    """Give the probabilities of the classes, (rows, classes); nothing where the recording is refused."""
    try:
        return lesson.judge(run, recording, **options).attrs.get("probability")
    except InputError:
        return None
