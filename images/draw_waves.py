"""Draw one heartbeat with its waves and intervals: ``python images/draw_waves.py`` writes waves.svg and .png.

The beat is simulated: lead II of a patient of `ecg_lessons.simulator`, whose Q and S waves are easy to see.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from saving import save

from ecg_lessons.simulator import dipole, patients
from ecg_lessons.simulator.dipole import REFERENCE_RR

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
INK, BLUE, ORANGE = "#1a1a1a", "#0072b2", "#b34700"
SHEET, THIN, BOLD = "#fffafa", "#f8dcdc", "#efb4b4"
LEFT, RIGHT, BOTTOM, TOP = -10, 15, -9, 16  # mm of ECG paper; the R peak is at 0
PATIENT = 2707


def beat() -> np.ndarray:
    """Simulate lead II of one healthy beat (mV), 1,000 samples a second, from -0.5 s to 0.7 s."""
    patient = patients.draw(np.random.default_rng(PATIENT), "NORM")
    moments = dipole.dipoles(patient.waves, np.array([0.5]), np.array([REFERENCE_RR]), 1200, 1000)
    return moments @ dipole.lead_matrix()[1]


def borders(signal: np.ndarray) -> dict[str, float]:
    """Find where the waves begin and end (ms from the R peak)."""
    time = np.arange(len(signal)) - 500
    active = np.abs(signal) > np.where(time < 80, 0.008, 0.02)
    p, qrs, t = (time[active & part] for part in (time < -70, (time > -70) & (time < 80), time > 80))
    return {"P": p[0], "P end": p[-1], "Q": qrs[0], "J": qrs[-1], "T": t[0], "T end": t[-1]}


def span(axes: Axes, start: float, end: float, level: float, words: str, colour: str) -> None:
    """Draw a bracket from `start` to `end` (ms) at `level` (mm) and say what it is."""
    left, right = start / 40, end / 40
    arrow = {"arrowstyle": "|-|,widthA=0.3,widthB=0.3", "color": colour, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (left, level), (right, level), arrowprops=arrow | {"linewidth": 1.6})
    box = {"facecolor": SHEET, "edgecolor": "none", "pad": 1}
    text = f"{words}\n{end - start:.0f} ms"
    axes.text((left + right) / 2, level - 0.35, text, color=colour, ha="center", va="top", bbox=box, size=9.5)


def draw() -> Figure:
    """Draw the beat on ECG paper, magnified."""
    figure = Figure(figsize=(7.5, 7.5), facecolor=SHEET, layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(LEFT, RIGHT), ylim=(BOTTOM, TOP))
    axes.set_axis_off()
    for step, colour, width in ((1, THIN, 0.8), (5, BOLD, 1.2)):
        axes.vlines(np.arange(-10, 16, step), BOTTOM, TOP, colors=colour, linewidths=width, zorder=0)
        axes.hlines(np.arange(-10, 17, step), LEFT, RIGHT, colors=colour, linewidths=width, zorder=0)
    signal = beat()
    time = (np.arange(len(signal)) - 500) / 40
    seen = (time > LEFT + 1) & (time < RIGHT - 1)
    axes.plot(time[seen], 10 * signal[seen], color=INK, linewidth=2, zorder=4)

    at = borders(signal)
    for name, low in (("P", -3.2), ("Q", -6.3), ("J", -3.2), ("T", -3.2), ("T end", -6.3)):
        axes.vlines(at[name] / 40, low, 0, colors=INK, linewidths=0.8, linestyles=(0, (2, 2)), zorder=3)
    span(axes, at["P"], at["Q"], -3.2, "PR interval", BLUE)
    span(axes, at["Q"], at["J"], -3.2, "QRS", ORANGE)
    span(axes, at["J"], at["T"], -3.2, "ST segment", BLUE)
    span(axes, at["Q"], at["T end"], -6.3, "QT interval", ORANGE)
    box = {"facecolor": SHEET, "edgecolor": "none", "pad": 1}
    letters = {"ha": "center", "va": "center", "weight": "bold", "size": 14, "color": INK, "zorder": 5}
    parts = {"P": signal[:430], "Q": -signal[430:500], "R": signal, "S": -signal[500:580], "T": signal[600:]}
    starts = {"P": 0, "Q": 430, "R": 0, "S": 500, "T": 600}
    for name, part in parts.items():
        peak = starts[name] + int(part.argmax())
        side = {"Q": (-0.85, -0.3), "S": (0.95, -0.2)}.get(name, (0, 0.9))
        axes.text(time[peak] + side[0], 10 * signal[peak] + side[1], name, **letters)
    for x, y, words in (
        (time[int(signal[:430].argmax())], 3.1, "atria\ndepolarise"),
        (1.0, 10.0, "ventricles\ndepolarise"),
        (time[600 + int(signal[600:].argmax())], 5.3, "ventricles\nrepolarise"),
    ):
        align = "left" if x == 1.0 else "center"
        axes.text(x, y, words, ha=align, va="bottom", size=9.5, color=INK, bbox=box, zorder=3)
    axes.annotate("J point", (at["J"] / 40, 0), (3.1, 3.3), ha="center", size=9.5, color=INK,
                  arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8})  # fmt: skip

    arrow = {"arrowstyle": "<|-|>", "color": INK, "linewidth": 1, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
    axes.annotate("", (-5, 10), (-10 + 0.02, 10), arrowprops=arrow)
    axes.text(-7.5, 9.7, "0.2 s (5 mm)", ha="center", va="top", size=9.5, bbox=box)
    axes.annotate("", (-5, 15), (-5, 10), arrowprops=arrow)
    axes.text(-5.3, 12.5, "0.5 mV\n(5 mm)", ha="right", va="center", size=9.5, bbox=box)
    axes.text(14.6, 15.4, "25 mm/s  10 mm/mV, magnified; a simulated beat, lead II", ha="right", va="center",
              size=8.5, color=INK, bbox=box)  # fmt: skip
    return figure


if __name__ == "__main__":
    save("waves", "The waves and intervals of a heartbeat (simulated)", draw(), dpi=200, colours=128)
