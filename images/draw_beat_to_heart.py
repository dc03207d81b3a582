"""Draw how one network answers two questions: ``python images/draw_beat_to_heart.py`` writes the .svg and the .png.

The beat is of a simulated patient of `ecg_lessons.simulator`.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from saving import save

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import beats, kachuee, labels

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
INK, BLUE, ORANGE, PALE, SKY = "#1a1a1a", "#0072b2", "#b34700", "#fde3cf", "#d6ebf8"


def strip() -> tuple[np.ndarray, np.ndarray]:
    """Give four seconds around a ventricular premature beat between normal ones, scaled to [0, 1], and the peaks."""
    for recording in recordings.mitdb(simulator.sample_arrhythmias()):
        peak = labels.is_peak(recording.beats.symbols)
        samples, symbols = recording.beats.samples[peak], recording.beats.symbols[peak]
        for i in range(2, len(samples) - 2):
            if "".join(symbols[i - 2 : i + 3]) == "NNVNN":
                lead = beats.resample(recording.signal[:, 0], recording.rate, kachuee.RATE)
                places = np.round(samples * kachuee.RATE / recording.rate).astype(int)
                start = places[i - 2] - 50
                part = lead[start : start + 4 * kachuee.RATE]
                inside = places[(places >= start) & (places < start + len(part))] - start
                return (part - part.min()) / np.ptp(part), inside
    raise SystemExit("The cohort has no ventricular premature beat between normal ones.")


def box(ax: Axes, x: float, y: float, words: str, colour: str, wide: float = 1.5, tall: float = 0.62) -> None:
    """Draw a box with words around a place."""
    shape = FancyBboxPatch((x - wide / 2, y - tall / 2), wide, tall, "round,pad=0.02,rounding_size=0.1")
    shape.set(facecolor=colour, edgecolor=INK, linewidth=1)
    ax.add_patch(shape)
    ax.text(x, y, words, ha="center", va="center", fontsize=9.5)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=INK, linewidth=1.2))


def draw() -> Figure:
    """Draw the strip, the beat, and the network with its two heads."""
    signal, peaks = strip()
    period = float(np.median(np.diff(peaks)))
    first, width = int(peaks[2]), round(1.2 * period)
    figure = Figure(figsize=(10, 3), facecolor="white", layout="constrained")
    long, short, network = figure.subplots(1, 3, width_ratios=(1.7, 1, 2))
    time = np.arange(len(signal)) / kachuee.RATE
    long.axvspan(first / kachuee.RATE, (first + width) / kachuee.RATE, color=PALE, linewidth=0)
    long.plot(time, signal, color=INK, linewidth=1.2)
    long.plot(peaks / kachuee.RATE, signal[peaks] + 0.05, "v", color=BLUE, markersize=5)
    long.set(xlim=(0, time[-1]), ylim=(-0.05, 1.15), xlabel="time (s)", yticks=(0, 1))
    long.set_title("1  R peaks, and 1.2 T", color=BLUE, fontsize=10)
    beat = np.zeros(kachuee.SAMPLES)
    part = signal[first : first + width][: kachuee.SAMPLES]
    beat[: len(part)] = part
    short.plot(beat, color=INK, linewidth=1.2)
    short.set(xlim=(0, kachuee.SAMPLES - 1), ylim=(-0.05, 1.1), xticks=(0, 186), yticks=(0, 1), facecolor=PALE)
    short.set_xlabel("samples")
    short.set_title("2  one beat", color=BLUE, fontsize=10)
    network.set(xlim=(0, 5), ylim=(0, 3))
    network.set_axis_off()
    network.set_title("3  one network, two questions", color=BLUE, fontsize=10)
    box(network, 1.05, 1.5, "layers that learnt\nfrom heartbeats", SKY, wide=1.8, tall=1.5)
    box(network, 3.75, 2.3, "which class?\nN  S  V  F  Q", "white", wide=2.1, tall=0.75)
    box(network, 3.75, 0.7, "a new head:\ninfarction?", PALE, wide=2.1, tall=0.75)
    arrow(network, (2.0, 1.75), (2.66, 2.25))
    arrow(network, (2.0, 1.25), (2.66, 0.75))
    for axes in (long, short):
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("a simulated patient, lead MLII at 125 Hz, scaled to 0 and 1", size=8.5, color=ORANGE)
    return figure


if __name__ == "__main__":
    save("beat_to_heart", "From one beat to its class and to infarction (simulated)", draw(), dpi=180)
