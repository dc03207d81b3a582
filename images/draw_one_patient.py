"""Draw the protocol of lesson 4: ``python images/draw_one_patient.py`` writes the .svg and the .png.

The strip is of a simulated patient of `ecg_lessons.simulator`.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from saving import save

from ecg_lessons import simulator
from ecg_lessons.data import recordings

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
INK, BLUE, ORANGE, PALE, GREY = "#1a1a1a", "#0072b2", "#b34700", "#fde3cf", "#6e6e6e"
SECONDS = 3.0


def box(axes: Axes, left: float, width: float, words: str, colour: str) -> None:
    """Draw a rounded box in the upper row with words in it."""
    shape = FancyBboxPatch((left, 0.56), width, 0.3, boxstyle="round,pad=0,rounding_size=0.03")
    shape.set(facecolor="white", edgecolor=colour, linewidth=1.6)
    axes.add_patch(shape)
    axes.text(left + width / 2, 0.71, words, ha="center", va="center", color=colour)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow from one place to another."""
    style = {"arrowstyle": "-|>", "mutation_scale": 14, "color": INK, "linewidth": 1.2}
    axes.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **style))


def strip(axes: Axes, left: float, width: float, start: float) -> None:
    """Draw some seconds of a simulated patient, from `start` (s) on, in the lower row."""
    one = next(iter(recordings.mitdb(simulator.sample_arrhythmias())))
    signal = one.signal[round(start * one.rate) : round((start + SECONDS) * one.rate), 0]
    height = 0.14 * (signal - np.median(signal)) / np.ptp(signal)
    axes.plot(left + width * np.linspace(0, 1, len(signal)), 0.2 + height, color=INK, linewidth=1)


def draw() -> Figure:
    """Draw everybody else above, one patient's record below, and the arrows between them."""
    figure = Figure(figsize=(9.5, 2.9), facecolor="white")
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98), xlim=(0, 3.1), ylim=(0, 1))
    axes.set_axis_off()
    box(axes, 0.05, 0.7, "everybody else", GREY)
    box(axes, 1.05, 0.85, "generic network\nhas never met the patient", BLUE)
    box(axes, 2.2, 0.85, "adapted network\nknows this heart", ORANGE)
    arrow(axes, (0.75, 0.71), (1.05, 0.71))
    arrow(axes, (1.9, 0.71), (2.2, 0.71))
    axes.axvspan(1.05, 1.9, 0.1, 0.4, color=PALE, linewidth=0)
    axes.axvspan(2.0, 3.05, 0.1, 0.4, facecolor="white", edgecolor=ORANGE, linestyle="--")
    for left, width, start in ((1.08, 0.79, 0), (2.03, 0.99, 20)):
        strip(axes, left, width, start)
    arrow(axes, (1.9, 0.4), (2.2, 0.56))
    arrow(axes, (2.62, 0.56), (2.62, 0.4))
    for x, words in ((1.475, "minutes 0 to 10: adapt"), (2.525, "from minute 10 on: test")):
        axes.text(x, 0.03, words, ha="center", va="center", color=ORANGE)
    axes.text(0.4, 0.27, "one patient,\nleft out above", ha="center", va="center", color=INK)
    arrow(axes, (0.75, 0.25), (1.0, 0.25))
    for x, words in ((0.9, "pre-train"), (2.05, "adapt")):
        axes.text(x, 0.78, words, ha="center", va="bottom", fontsize=9, color=INK)
    return figure


if __name__ == "__main__":
    save("one_patient", "Leave one patient out, adapt to the first ten minutes, test on the rest", draw(), dpi=180)
