"""Draw the chest leads of an ECG whose electrodes may have been exchanged: ``python images/draw_record_497.py``.

It writes record_497.svg and .png. The ECG is real, ecg_id 497 of PTB-XL (CC BY 4.0, see data/README.md), and is looked
for in ECG_LESSONS_DATA.
"""

import matplotlib as mpl
import numpy as np
from draw_waves import BOLD, INK, ORANGE, SHEET, THIN
from matplotlib.figure import Figure
from saving import save

from ecg_lessons.data import fetch, recordings
from ecg_lessons.signals import beats

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 11})
RECORD, CHEST = "497", recordings.LEADS[6:]
LOW, HIGH, SECONDS, R = -1.2, 3.0, 0.8, 75


def chest() -> np.ndarray:
    """Give the median beat in V1 to V6, in mV above the level before QRS: (200, 6) at 250 Hz."""
    found = next(one for one in recordings.ptb_xl(fetch.locate("ptb-xl")) if one.name == RECORD)
    beat = beats.median_beat(found.twelve(), found.rate)[:, 6:]
    return beat - beat[R - 17 : R - 12].mean(axis=0)


def draw() -> Figure:
    """Draw the six leads side by side on ECG paper, each with the height of its R wave."""
    figure = Figure(figsize=(10, 3.6), facecolor="white", layout="constrained")
    for axes, name, lead in zip(figure.subplots(1, 6), CHEST, chest().T, strict=True):
        axes.set(xlim=(0, SECONDS), ylim=(LOW, HIGH), facecolor=SHEET, xticks=[], yticks=[])
        for step, colour, width in ((1, THIN, 0.6), (5, BOLD, 0.9)):
            axes.vlines(0.04 * np.arange(0, 21, step), LOW, HIGH, colors=colour, linewidths=width, zorder=0)
            axes.hlines(0.1 * np.arange(-10, 31, step), 0, SECONDS, colors=colour, linewidths=width, zorder=0)
        axes.plot(np.arange(len(lead)) / beats.BEAT_RATE, lead, color=INK, linewidth=1.5)
        axes.set_title(name, weight="bold", color=ORANGE if name in ("V2", "V3") else INK)
        axes.set_xlabel(f"R {lead[R - 15 : R + 20].max():.1f} mV")
    return figure


if __name__ == "__main__":
    save(f"record_{RECORD}", f"Chest leads of record {RECORD} of PTB-XL", draw(), dpi=90, colours=32)
