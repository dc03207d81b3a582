"""Pictures of verdicts: a recording on ECG paper, what it was called, and where that comes from."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_lessons import files
from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import LEADS, Recording
from ecg_lessons.data.voltages import How
from ecg_lessons.errors import InputError, choice, shown
from ecg_lessons.evaluation import beat_plots, paper, rhythm_plots
from ecg_lessons.lessons import rhythm
from ecg_lessons.signals import beat_sets, beats, leads
from ecg_lessons.training import Run

KINDS = (".png", ".svg", ".pdf")
#: Of a long recording so many seconds are drawn.
SECONDS = 10
#: A stretch so long (s) is bridged by a line, one after the other, to see what the verdict rests on.
STRETCH = 2


def refuse(lesson: str, to: Path, path: Path, force: bool) -> None:
    """Refuse a picture of many recordings, of another kind, or where something stands already."""
    if lesson not in _DRAWN:
        raise InputError(f"--plot draws no verdicts of lesson {lesson}: leave it out.")
    if to.suffix.lower() not in KINDS:
        raise choice("ending of --plot", to.suffix, KINDS)
    if path.is_dir():
        raise InputError(f"--plot draws one recording, and {path} is a folder: name a recording in it.")
    if path.suffix.lower() == ".csv":
        from ecg_lessons.data.tables import is_ecgs

        if is_ecgs(path):
            raise InputError(f"--plot draws a recording, and {path} is a table of many: leave --plot out.")
    if to.exists() and not force:
        raise InputError(f"--plot {to} exists: name another file, or add --force.")


def draw(lesson: str, run: Run, path: Path, table: pd.DataFrame, lead: str | None, how: How | None, to: Path) -> None:
    """Draw a recording with the verdicts of a lesson's `judge` into a file, whole or not at all."""
    figure = _DRAWN[lesson](run, recordings.read(path, how=how), table, lead)
    with io.BytesIO() as held:
        figure.savefig(held, format=to.suffix[1:].lower(), dpi=150)
        files.write(to, held.getvalue())


def exchange(run: Run, recording: Recording, table: pd.DataFrame, lead: str | None = None) -> Figure:
    """Draw twelve leads, those in blue that the exchange has changed."""
    row = table.iloc[0]
    found, p = row.get("SWAP", "none"), row["PROBABILITY"]
    verdict = f"electrodes exchanged ({p:.2f})" if p > 0.5 else f"electrodes where they belong ({1 - p:.2f})"
    verdict = f"unsure (exchanged: {p:.2f})" if pd.isna(row["TARGET"]) else verdict
    matrix = leads.RA_RL if found == "RA/RL" else leads.SWAPS.get(found, np.eye(12))
    changed = [lead for lead, is_so in zip(LEADS, (matrix != np.eye(12)).any(axis=1), strict=True) if is_so]
    named, note = (f", most likely {found}", "blue: leads that this exchange changes") if changed else ("", "")
    signal = beats.filled(recording.twelve()).astype(float)
    title = f"{shown(recording.name)}: {verdict}{named}"
    return paper.ecg_page(signal, recording.rate, title=title, highlight=changed, note=note)


def heard(run: Run, recording: Recording, table: pd.DataFrame, lead: str | None = None) -> Figure:
    """Draw the lead that was judged, and how far the probability of the verdict falls without two seconds of it."""
    one, row = rhythm.fitted(recording, lead), table.iloc[0]
    start = np.arange(max(1, int(one.seconds) - STRETCH + 1))
    copies = [one.signal.copy() for _ in range(len(start) + 1)]
    for copy, at in zip(copies[1:], start, strict=True):
        part = copy[round(at * one.rate) : round((at + STRETCH) * one.rate)]
        part[:] = np.linspace(part[0], part[-1], len(part))
    examples = rhythm.from_recordings([replace(one, signal=copy) for copy in copies])
    p = rhythm.predict_rows(run, examples.x)[:, rhythm.CLASSES.index(row["CLASS"])]
    falls = {f"probability of {row['CLASS']}": p[0] - p[1:]}
    figure = rhythm_plots.over_time(one.signal[:, 0], one.rate, start, STRETCH, falls)
    below = f"below, how far this falls without {STRETCH} s"
    figure.suptitle(f"{shown(recording.name)}: {row['CLASS']} ({row['PROBABILITY']:.2f}); {below}", fontsize=10)
    return figure


def named(run: Run, recording: Recording, table: pd.DataFrame, lead: str | None = None) -> Figure:
    """Draw ten seconds of the lead that was judged and what each beat was called, where most are not N."""
    one, time = beat_sets.with_beats(recording, lead), table["TIME"].to_numpy()
    odd = table["CLASS"].ne("N").to_numpy()
    before = np.concatenate([[0], np.cumsum(odd)])
    begin = np.clip(time - 0.5, 0, max(0.0, one.seconds - SECONDS))
    many = before[np.searchsorted(time, begin + SECONDS)] - before[np.searchsorted(time, begin)]
    start = begin[many.argmax()]
    here = (time >= start) & (time < start + SECONDS)
    signal = beats.filled(one.signal[:, :1])[round(start * one.rate) :][: round(SECONDS * one.rate), 0]
    title = f"{shown(recording.name)} from {start:.1f} s; of all {len(table):,} beats {odd.sum():,} are not N"
    at = (time[here] - start) * one.rate
    return beat_plots.beat_strip(signal, one.rate, at, table["CLASS"][here], one.leads[0], title)


def infarction(run: Run, recording: Recording, table: pd.DataFrame, lead: str | None = None) -> Figure:
    """Draw twelve leads, the one that was judged in blue; of fewer leads that one alone."""
    row, one = table.iloc[0], recording.only(lead=lead or "II")
    title = f"{shown(recording.name)}: {row['CLASS']} ({row['PROBABILITY']:.2f}), the mean over {row['BEATS']} beats"
    if set(LEADS) <= set(recording.leads):
        signal, note = beats.filled(recording.twelve()).astype(float), f"blue: lead {one.leads[0]} was judged"
        return paper.ecg_page(signal, recording.rate, title=title, highlight=one.leads, note=note)
    return paper.ecg_strip(beats.filled(one.signal[: round(SECONDS * one.rate)]), one.rate, one.leads, title)


_DRAWN = {"inversion": exchange, "rhythm": heard, "beat-images": named, "heartbeat": named, "infarction": infarction}
