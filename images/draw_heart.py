"""Draw the chambers of the heart and the way of a beat: ``python images/draw_heart.py`` writes heart.svg and .png."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from saving import save
from scipy.interpolate import splev, splprep

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 11})
INK, MUSCLE, CHAMBER, BLUE, ORANGE = "#1a1a1a", "#eec3bb", "#fff8f6", "#0072b2", "#b34700"

OUTER = [(2.2, 8.6), (1.2, 7.2), (1.3, 5.4), (2.0, 3.6), (3.6, 1.6), (5.9, 0.3), (7.6, 0.5), (8.9, 2.4), (9.2, 4.6),
         (8.8, 6.6), (8.0, 8.6), (6.6, 9.4), (5.2, 8.9), (3.6, 9.4)]  # fmt: skip
CHAMBERS = {
    "right atrium": [(1.8, 7.3), (2.3, 8.5), (3.6, 8.9), (4.5, 8.2), (4.4, 6.7), (3.2, 6.0), (2.0, 6.2)],
    "left atrium": [(5.4, 8.2), (6.5, 8.9), (7.7, 8.3), (8.2, 7.2), (7.2, 6.5), (5.9, 6.6), (5.3, 7.2)],
    "right ventricle": [(2.0, 5.5), (3.4, 5.4), (4.5, 5.7), (4.7, 4.2), (5.5, 1.7), (4.6, 1.6), (3.2, 2.9), (2.3, 4.2)],
    "left ventricle": [(5.8, 5.8), (7.0, 5.8), (7.9, 5.7), (8.2, 4.4), (7.9, 2.6), (7.1, 1.6), (6.5, 2.4), (5.8, 4.4)],
}
NAMES = {
    "right atrium": (2.95, 6.95),
    "left atrium": (6.75, 7.7),
    "right ventricle": (3.5, 3.9),
    "left ventricle": (6.95, 5.1),
}
#: What carries the beat, and where: (x, y) of the way, and of the words.
BUNDLE = [(4.35, 6.45), (4.9, 6.0), (5.1, 5.4)]
RIGHT = [(5.1, 5.4), (5.0, 4.2), (5.5, 2.2), (5.2, 1.3), (4.2, 1.6), (3.2, 2.5)]
LEFT = [(5.1, 5.4), (5.45, 4.9), (5.5, 4.5)]
ANTERIOR = [(5.5, 4.5), (6.0, 3.4), (7.4, 1.2), (8.25, 2.4), (8.5, 4.6)]
POSTERIOR = [(5.5, 4.5), (5.7, 3.2), (6.2, 1.5), (6.9, 0.95)]


def smooth(points: list, closed: bool = False) -> np.ndarray:
    """Lay a smooth line through points, shape (200, 2)."""
    x, y = np.array(points + points[:1] * closed, dtype=float).T
    curve, _ = splprep([x, y], s=0, per=closed, k=min(3, len(x) - 1))
    return np.stack(splev(np.linspace(0, 1, 200), curve), axis=1)


def note(axes: Axes, words: str, at: tuple, place: tuple, align: str) -> None:
    """Name a part from outside the heart."""
    line = {"arrowstyle": "-", "color": INK, "linewidth": 0.8, "shrinkA": 2, "shrinkB": 3}
    axes.annotate(words, at, place, ha=align, va="center", color=INK, arrowprops=line, zorder=6)


def draw() -> Figure:
    """Draw four chambers, and what leads the wave from the sinus node to the ventricles."""
    figure = Figure(figsize=(9, 5.6), facecolor="white", layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-5.0, 14.7), ylim=(-0.9, 11.35), aspect="equal")
    axes.set_axis_off()
    axes.fill(*smooth(OUTER, closed=True).T, facecolor=MUSCLE, edgecolor=INK, linewidth=1.5)
    for name, points in CHAMBERS.items():
        axes.fill(*smooth(points, closed=True).T, facecolor=CHAMBER, edgecolor="#b98478", linewidth=1)
        axes.text(*NAMES[name], name.replace(" ", "\n"), ha="center", va="center", color="#6b4a43", size=9.5)
    for way, colour in ((BUNDLE, INK), (RIGHT, BLUE), (LEFT, ORANGE), (ANTERIOR, ORANGE), (POSTERIOR, ORANGE)):
        axes.plot(*smooth(way).T, color=colour, linewidth=3, solid_capstyle="round", zorder=4)
    for x, y in ((2.35, 8.35), (4.35, 6.45)):
        axes.plot(x, y, "o", color=INK, markersize=11, zorder=5)
    for end in ((4.2, 6.75), (5.9, 8.45)):
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1, "linestyle": (0, (3, 2)), "shrinkB": 4}
        axes.annotate("", end, (2.35, 8.35), arrowprops=arrow | {"connectionstyle": "arc3,rad=-0.2"}, zorder=3)
    note(axes, "1 · sinus node:\nhere a beat begins; P wave", (2.35, 8.35), (0.4, 9.9), "right")
    note(axes, "2 · AV node: the beat waits,\nPR interval", (4.35, 6.45), (0.4, 6.4), "right")
    note(axes, "3 · bundle of His", (4.9, 6.0), (0.4, 4.9), "right")
    note(axes, "4 · right bundle branch", (5.2, 3.2), (0.4, 1.6), "right")
    note(axes, "4 · left bundle branch", (5.5, 4.6), (9.9, 3.1), "left")
    note(axes, "anterior fascicle,\nup and to the left", (8.55, 4.3), (9.9, 5.2), "left")
    note(axes, "posterior fascicle", (6.0, 2.1), (9.9, 1.0), "left")
    note(axes, "5 · muscle of the\nventricles: QRS, then T", (8.6, 6.2), (9.9, 7.4), "left")
    axes.text(
        5.25,
        10.75,
        "The patient faces you: the patient's right is on your left.",
        ha="center",
        size=9.5,
        color="#555555",
    )
    return figure


if __name__ == "__main__":
    save("heart", "Chambers and conduction system of the heart", draw())
