"""Draw the places of the ten electrodes: ``python images/draw_electrodes.py`` writes electrodes.svg and .png.

Places after Kligfield et al. 2007 (Circulation 115:1306, doi:10.1161/CIRCULATIONAHA.106.180200). Body lengths
are in cm, seen from the front: the patient's right is on the left of the picture.
"""

import itertools

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from saving import save
from scipy.interpolate import CubicSpline

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
LIMB, CHEST, INK, SOFT = "#0072b2", "#b34700", "#1a1a1a", "#5a5a5a"  # Okabe and Ito, the orange darkened
SKIN, EDGE, BONE, BONE_EDGE, HEART = "#f6eee7", "#a08b7c", "#ffffff", "#b9aca2", "#f0cfc8"

# Half outlines of a body, from the neck down; the other half is the mirror image.
BODY = """4.6 158  5 153  9 149.5  16 147  21 142.5  23 135  24.3 126  27 114  30 102  32.6 91  35.5 83  35 75.5
    32.2 76  30.6 82  28.6 91  25.3 102  21.6 113  19 124  17.2 131.5  16.8 124  15.2 113  14.4 105  15.6 97
    17.6 87  17.6 76  16 61  13.4 48  13.8 37  11 20  9.4 9.5  12 4  11 1  6 1  5.3 9.5  4.2 22  3.6 37
    4.2 48  3.2 62  1.5 76  0 81"""
TORSO = "5.2 9  6 4.5  11 2.6  18 1  22.6 -3  24.2 -9  24.9 -18  25.4 -28"
FLANK = "20.3 -28  19.7 -18  18.6 -10  17.4 -7.2  17.2 -12  16.6 -19  15.8 -28"
STERNUM = "0 0  2.6 0.6  2.5 -1.8  1.5 -4.6  1.5 -5.4  2 -10  1.9 -15.4  0.8 -16.6  0.5 -18.6  0 -19.2"
HEART_OUTLINE = """-1 -5.6  -3 -9  -3.7 -13  -1.5 -16.2  4 -17.2  8.6 -16.9  8 -13  5.4 -8.6  2.5 -5.4  0.6 -4.7
    -1 -5.6"""
#: Ribs 1 to 7: height at the sternum, how far they sink on the way out, and where they turn to the back.
RIBS = (
    (-2.2, 0.0, 6.6, -0.2),
    (-5.0, 0.1, 10.6, -2.4),
    (-7.9, 0.5, 12.8, -5.4),
    (-10.6, 1.1, 14.0, -8.6),
    (-13.2, 1.9, 14.8, -11.6),
    (-15.2, 3.0, 15.3, -14.6),
    (-16.5, 4.9, 15.3, -18.2),
)
MIDCLAVICULAR, ANTERIOR_AXILLARY, MIDAXILLARY, FIFTH_SPACE = 9.0, 13.2, 16.4, -16.1
V1, V2, V4 = np.array([-3.0, -12.2]), np.array([3.0, -12.2]), np.array([MIDCLAVICULAR, FIFTH_SPACE])
V = (V1, V2, (V2 + V4) / 2, V4, np.array([ANTERIOR_AXILLARY, FIFTH_SPACE]), np.array([MIDAXILLARY, FIFTH_SPACE]))
PLACES = (
    ("V1", "4th intercostal space, right edge of the sternum"),
    ("V2", "4th intercostal space, left edge of the sternum"),
    ("V3", "halfway between V2 and V4"),
    ("V4", "5th intercostal space, midclavicular line"),
    ("V5", "anterior axillary line, at the height of V4"),
    ("V6", "midaxillary line, at the height of V4"),
)


def smooth(points: np.ndarray, steps: int = 12) -> np.ndarray:
    """Draw a soft curve through the points."""
    length = np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)).cumsum()
    at = np.concatenate([[0], length])
    return CubicSpline(at, points)(np.linspace(0, at[-1], steps * len(points)))


def half(text: str) -> np.ndarray:
    """Read the points of a half outline and smooth them."""
    return smooth(np.array(text.split(), float).reshape(-1, 2))


def mirrored(outline: np.ndarray) -> np.ndarray:
    """Complete a half outline."""
    return np.vstack([outline, outline[::-1] * (-1, 1)])


def electrode(axes: Axes, place: np.ndarray, name: str, colour: str, size: float) -> None:
    """Draw one electrode: a disc with its name."""
    axes.plot(*place, "o", markersize=size, color=colour, markeredgecolor="white", markeredgewidth=1.2, zorder=8)
    axes.text(*place, name, color="white", weight="bold", size=9, ha="center", va="center_baseline", zorder=9)


def limbs(axes: Axes) -> None:
    """Draw the whole body, the limb electrodes and Einthoven's triangle."""
    axes.fill(*mirrored(half(BODY)).T, facecolor=SKIN, edgecolor=EDGE, linewidth=1.2, zorder=1)
    turn = np.linspace(0, 2 * np.pi, 90)
    head = np.stack([8.2 * np.cos(turn), 167 + 11.5 * np.sin(turn)], axis=1)
    axes.fill(*head.T, facecolor=SKIN, edgecolor=EDGE, linewidth=1.2, zorder=1.5)

    corners = {"RA": np.array([-15, 139.5]), "LA": np.array([15, 139.5]), "LL": np.array([4.5, 86])}
    ends = {"RA": (-30.6, 91.5), "LA": (30.6, 91.5), "RL": (-7.5, 12), "LL": (7.5, 12)}
    for name, via in {"RA": "-21 128  -25 111", "LA": "21 128  25 111", "LL": "9 68  8.8 40"}.items():
        way = np.vstack([corners[name], np.array(via.split(), float).reshape(-1, 2), ends[name]])
        axes.plot(*smooth(way).T, color=LIMB, linewidth=1.3, linestyle=(0, (1, 2)), zorder=2)
    letters = {"ha": "center", "va": "center", "weight": "bold", "color": LIMB, "zorder": 4}
    box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": LIMB, "linewidth": 1}
    arrow = {"arrowstyle": "-|>", "color": LIMB, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    for lead, minus, plus in (("I", "RA", "LA"), ("II", "RA", "LL"), ("III", "LA", "LL")):
        axes.annotate("", corners[plus], corners[minus], arrowprops=arrow, zorder=3)
        axes.text(*((corners[minus] + corners[plus]) / 2), lead, size=10, bbox=box, **letters)
    for sign, places in {"−": "-14 143  -8.6 129  10.6 129", "+": "14 143.3  -1.6 89.5  9.3 89.5"}.items():
        for x, y in np.array(places.split(), float).reshape(-1, 2):
            axes.text(x, y, sign, size=12, **letters)
    for name, place in ends.items():
        electrode(axes, np.array(place), name, SOFT if name == "RL" else LIMB, 20)
    for x, y, words in (
        (-37, 91.5, "right\narm"),
        (37, 91.5, "left\narm"),
        (14.5, 12, "left leg"),
        (-14.5, 12, "right leg:\nground only,\nin no lead"),
    ):
        axes.text(x, y, words, ha="left" if x > 0 else "right", va="center", color=SOFT, size=9)
    axes.set(xlim=(-48, 48), ylim=(-4, 192))


def cage(axes: Axes) -> None:
    """Draw heart, ribs, sternum and clavicles."""
    axes.fill(*half(HEART_OUTLINE).T, facecolor=HEART, edgecolor="none", zorder=2)
    bone = {"solid_capstyle": "round", "solid_joinstyle": "round"}
    for side in (-1, 1):
        for start, sink, edge, end in RIBS:
            low = start - sink
            way = [(1.6, start), (0.3 * edge, start - 0.45 * sink), (0.5 * edge, low)]
            way = smooth(np.array([*way, (0.86 * edge, (low + end) / 2), (edge, end)]))
            for width, colour, z in ((7.5, BONE_EDGE, 3), (5.5, BONE, 3.1)):
                axes.plot(side * way[:, 0], way[:, 1], color=colour, linewidth=width, zorder=z, **bone)
        collar = smooth(np.array([(1.6, 0.0), (6, 0.2), (11, 1.5), (16.2, 1.0)]))
        for width, colour, z in ((8.5, BONE_EDGE, 3.4), (6.5, BONE, 3.5)):
            axes.plot(side * collar[:, 0], collar[:, 1], color=colour, linewidth=width, zorder=z, **bone)
    sternum = mirrored(np.array(STERNUM.split(), float).reshape(-1, 2))
    axes.fill(*sternum.T, facecolor=BONE, edgecolor=BONE_EDGE, linewidth=1.1, zorder=3.6)
    axes.plot([-1.5, 1.5], [-5, -5], color=BONE_EDGE, linewidth=1, zorder=3.7)


def chest(axes: Axes) -> None:
    """Draw the chest and V1 to V6."""
    outline, flank = half(TORSO), half(FLANK)
    axes.fill(*mirrored(np.vstack([outline, flank])).T, facecolor=SKIN, edgecolor="none", zorder=1)
    for part in (outline, flank):
        for side in (-1, 1):
            axes.plot(side * part[:, 0], part[:, 1], color=EDGE, linewidth=1.2, zorder=1.2)
    cage(axes)
    for x, top, bottom, words in (
        (MIDCLAVICULAR, 1.0, -23.0, "midclavicular line"),
        (ANTERIOR_AXILLARY, -7.5, -25.0, "anterior axillary line"),
        (MIDAXILLARY, -7.5, -27.0, "midaxillary line"),
    ):
        axes.plot([x, x], [top, bottom], color=CHEST, linewidth=1, linestyle=(0, (4, 2)), zorder=5)
        axes.text(x - 0.4, bottom + 0.1, words, ha="right", va="bottom", size=9, color=CHEST, zorder=5)
    axes.plot([V4[0], V[5][0]], [FIFTH_SPACE] * 2, color=CHEST, linewidth=1, zorder=5)
    for number, (above, below) in enumerate(itertools.pairwise(RIBS[:6]), 1):
        middle = (above[0] - 0.7 * above[1] + below[0] - 0.7 * below[1]) / 2
        weight = "bold" if number > 3 else "normal"
        axes.text(-5.6, middle, number, size=8.5, ha="center", va="center", color=INK, weight=weight, zorder=6)
    words = "1 to 5: intercostal\nspaces; count from the\n2nd rib, which meets\nthe sternal angle"
    axes.text(-9.2, -24.4, words, size=8.5, color=INK, ha="center", va="center", linespacing=1.3)
    for (name, _), place in zip(PLACES, V, strict=True):
        electrode(axes, place, name, CHEST, 19)
    axes.set(xlim=(-26.5, 26.5), ylim=(-28, 9))


def draw() -> Figure:
    """Draw both panels and the list of places."""
    figure = Figure(figsize=(10, 6.4), facecolor="white", layout="none")
    left = figure.add_axes((0.005, 0.055, 0.385, 0.88), aspect="equal")
    right = figure.add_axes((0.40, 0.24, 0.595, 0.69), aspect="equal")
    limbs(left)
    chest(right)
    for axes in (left, right):
        axes.set_axis_off()
    heading = {"ha": "center", "size": 11, "weight": "bold", "color": INK}
    figure.text(0.1975, 0.95, "Four limb electrodes, Einthoven's triangle", **heading)
    figure.text(0.6975, 0.95, "Six chest electrodes", **heading)
    for i, (name, words) in enumerate(PLACES):
        x, y = 0.402 + 0.325 * (i // 3), 0.175 - 0.042 * (i % 3)
        figure.text(x, y, name, weight="bold", color=CHEST, size=9)
        figure.text(x + 0.024, y, words, color=INK, size=8.2)
    words = "The patient faces you: the patient's right is on your left."
    figure.text(0.5, 0.018, words, ha="center", size=9, color=SOFT)
    return figure


if __name__ == "__main__":
    title = "The ten electrodes of the electrocardiogram, and Einthoven's triangle"
    save("electrodes", title, draw(), dpi=200, colours=128)
