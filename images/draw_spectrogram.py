"""Draw how a spectrogram is made: ``python images/draw_spectrogram.py`` writes the .svg and the .png.

The strip is the first simulated recording with atrial fibrillation of `ecg_lessons.simulator`.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from saving import save
from scipy.signal import get_window

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals.spectrograms import RATE, STEP, TAPER, WINDOW, log_spectrogram

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
INK, BLUE, ORANGE = "#1a1a1a", "#0072b2", "#b34700"
SECONDS = 6
#: The window that is followed through the drawing.
FRAME = 14


def strip() -> np.ndarray:
    """Give some seconds of atrial fibrillation, in microvolts."""
    folder = simulator.sample_rhythms(120)
    found = recordings.challenge_2017(folder)
    one = next(one for one in found if one.labels["rhythm"] == "A")
    return 1000 * one.signal[: round(SECONDS * RATE), 0]


def panel(axes: Axes, title: str, **settings: object) -> None:
    """Dress a panel."""
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(**settings)


def draw() -> Figure:
    """Draw the strip above, one window and its spectrum below, and the picture that all windows make."""
    signal = strip()
    time = np.arange(len(signal)) / RATE
    here = slice(FRAME * STEP, FRAME * STEP + WINDOW)
    power = log_spectrogram(signal)
    figure = Figure(figsize=(9.5, 4.6), layout="constrained", facecolor="white")
    axes = figure.subplot_mosaic(
        [["strip", "strip", "strip", "strip"], ["window", "spectrum", "picture", "picture"]], height_ratios=(2, 3)
    )
    limits = {"xlim": (0, SECONDS), "xlabel": "time (s)"}
    axes["strip"].plot(time, signal / 1000, color=INK, linewidth=0.9)
    panel(axes["strip"], "a hand-held ECG (simulated)", ylabel="mV", **limits)
    axes["strip"].axvspan(time[here.start], time[here.stop], color=ORANGE, alpha=0.3, linewidth=0)
    part = (signal[here] - signal[here].mean()) / 1000
    moment = 1000 * np.arange(WINDOW) / RATE
    axes["window"].plot(moment, part, color=INK, linewidth=1, linestyle=":")
    axes["window"].plot(moment, part * get_window(TAPER, WINDOW), color=ORANGE, linewidth=1.6)
    panel(axes["window"], "1  cut and taper", xlabel="time (ms)", ylabel="mV")
    hertz = np.linspace(0, RATE / 2, power.shape[1])
    axes["spectrum"].plot(power[FRAME], hertz, color=ORANGE, marker=".", markersize=4)
    panel(axes["spectrum"], "2  power at 33 frequencies", xlabel="log power (µV²/Hz)", ylabel="Hz")
    low, high = np.percentile(power, [3, 99.5])
    box = (0, len(power) * STEP / RATE, 0, RATE / 2)
    axes["picture"].imshow(power.T, origin="lower", aspect="auto", extent=box, cmap="cividis", vmin=low, vmax=high)
    left = FRAME * STEP / RATE
    axes["picture"].axvspan(left, left + STEP / RATE, facecolor="none", edgecolor="white", linewidth=1.5)
    panel(axes["picture"], "3  one column of the picture", ylabel="Hz", **limits)
    style = {"arrowstyle": "-|>", "mutation_scale": 12, "color": BLUE, "linewidth": 1.2}
    start = (time[here.start], axes["strip"].get_ylim()[0])
    line = ConnectionPatch(start, (0.6, 1.12), axes["strip"].transData, axes["window"].transAxes, **style, zorder=5)
    figure.add_artist(line)
    return figure


if __name__ == "__main__":
    save("spectrogram", "A window of the signal becomes one column of the spectrogram", draw(), dpi=180)
