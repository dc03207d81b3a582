"""Draw two seconds of each kind of beat, and how to tell it: ``python images/draw_beat_kinds.py``.

It writes beat_kinds.svg and .png. The strips are lead MLII of the built-in cohort of arrhythmias.
"""

import matplotlib as mpl
import numpy as np
from draw_waves import BOLD, INK, ORANGE, SHEET, THIN
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from saving import save

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import labels

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
KINDS = {
    "N": "normal: narrow QRS after a P wave",
    "A": "atrial premature: early, and looks nearly normal",
    "V": "ventricular premature: early, wide, no P wave",
    "E": "ventricular escape: late and wide, after a pause",
    "L": "left bundle branch block: wide, slurred or notched",
    "R": "right bundle branch block: a wide last part",
    "/": "paced: a sharp spike, then a wide QRS",
    "!": "flutter waves: no QRS, no line between the waves",
}


def strip(cohort: list, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find two seconds of lead MLII around a beat of a kind: mV without drift, seconds of the beats, their letters."""
    best = None
    for one in cohort:
        peak = labels.is_peak(one.beats.symbols)
        samples, symbols = one.beats.samples[peak], one.beats.symbols[peak]
        for i in np.flatnonzero(symbols == kind):
            begin = samples[i] - round(1.1 * one.rate)
            inside = (samples >= begin) & (samples < begin + 2 * one.rate)
            wanted = (symbols[inside] == kind).all() if kind in "NLR/!" else set(symbols[inside]) == {"N", kind}
            if begin < 0 or begin + 2 * one.rate > len(one.signal) or not wanted:
                continue
            lead = one.signal[int(begin) : int(begin + 2 * one.rate), 0]
            drift = np.abs(np.median(lead[: len(lead) // 2]) - np.median(lead[len(lead) // 2 :]))
            over = np.maximum(np.abs(lead - np.median(lead)) - 1.5, 0).max()  # what would reach the letters
            if best is None or drift + over < best[0]:
                best = drift + over, lead - np.median(lead), (samples[inside] - begin) / one.rate, symbols[inside]
    return best[1:]


def paper(axes: Axes, low: float, high: float) -> None:
    """Lay ECG paper of two seconds under a strip; mV from `low` to `high`."""
    axes.set(xlim=(0, 2), ylim=(low, high), facecolor=SHEET, xticks=[], yticks=[])
    for step, colour, width in ((1, THIN, 0.6), (5, BOLD, 0.9)):
        axes.vlines(0.04 * np.arange(0, 51, step), low, high, colors=colour, linewidths=width, zorder=0)
        axes.hlines(
            0.1 * np.arange(round(10 * low), round(10 * high) + 1, step),
            0,
            2,
            colors=colour,
            linewidths=width,
            zorder=0,
        )


def draw() -> Figure:
    """Draw the eight strips, two a row, with one scale."""
    cohort = list(recordings.mitdb(simulator.sample_arrhythmias()))
    figure = Figure(figsize=(10, 11.5), facecolor="white", layout="constrained")
    for axes, (kind, words) in zip(figure.subplots(4, 2).flat, KINDS.items(), strict=True):
        lead, seconds, letters = strip(cohort, kind)
        paper(axes, -1.7, 2.1)
        axes.plot(np.arange(len(lead)) / 360, lead, color=INK, linewidth=1.3)
        for at, letter in zip(seconds, letters, strict=True):
            colour = ORANGE if letter == kind else INK
            axes.text(at, 1.87, letter, ha="center", va="center", weight="bold", color=colour, clip_on=True)
        axes.set_title(f"{kind}   {words}", loc="left", size=10.5)
    return figure


if __name__ == "__main__":
    save("beat_kinds", "Kinds of heartbeats (simulated)", draw(), dpi=110)
