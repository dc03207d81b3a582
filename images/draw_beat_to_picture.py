"""Draw the way of a beat to its picture: ``python images/draw_beat_to_picture.py`` writes the .svg and the .png.

The beat is a premature one of a simulated patient of `ecg_lessons.simulator`.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from saving import save

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.signals import images, labels

mpl.rcParams.update({"svg.hashsalt": "ecg-lessons", "font.size": 10})
INK, BLUE, ORANGE, PALE = "#1a1a1a", "#0072b2", "#b34700", "#fde3cf"


def premature() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find a ventricular premature beat between normal ones: its signal (mV), the five peaks and their letters."""
    for recording in recordings.mitdb(simulator.sample_arrhythmias()):
        peak = labels.is_peak(recording.beats.symbols)
        samples, symbols = recording.beats.samples[peak], recording.beats.symbols[peak]
        for i in range(2, len(samples) - 2):
            if "".join(symbols[i - 2 : i + 3]) == "NNVNN":
                start, stop = samples[i - 2] - 150, samples[i + 2] + 250
                return recording.signal[start:stop, 0], samples[i - 2 : i + 3] - start, symbols[i - 2 : i + 3]
    raise SystemExit("The cohort has no ventricular premature beat between normal ones.")


def draw() -> Figure:
    """Draw the three steps side by side."""
    signal, peaks, letters = premature()
    first, last = peaks[1] + 20, peaks[3] - 20
    curve = images.curves(signal, np.array([first]), np.array([last - 1]))[0]
    figure = Figure(figsize=(9.5, 2.9), facecolor="white", layout="constrained")
    strip, stretched, picture = figure.subplots(1, 3, width_ratios=(2.3, 1.1, 1.1))
    time = np.arange(len(signal)) / 360
    strip.axvspan(first / 360, last / 360, color=PALE, linewidth=0)
    strip.plot(time, signal, color=INK, linewidth=1.2)
    for peak, letter in zip(peaks, letters, strict=True):
        strip.text(peak / 360, signal.max() + 0.25, letter, ha="center", weight="bold")
    strip.set(xlim=(0, time[-1]), ylim=(signal.min() - 0.2, signal.max() + 0.7), xlabel="time (s)", ylabel="mV")
    strip.set_title("1  cut: from neighbour to neighbour", color=BLUE, fontsize=10)
    stretched.plot(np.linspace(0, 1, len(curve)), curve, color=INK, linewidth=1.2)
    stretched.set(xlim=(0, 1), ylim=(-0.05, 1.05), xticks=(0, 1), yticks=(0, 1), facecolor=PALE)
    stretched.set_title("2  stretch: 0 to 1", color=BLUE, fontsize=10)
    picture.imshow(images.draw(curve[None])[0], cmap="gray_r", interpolation="nearest")
    picture.set(xticks=(0, 127), yticks=(0, 127))
    picture.set_title("3  draw: 128 x 128", color=BLUE, fontsize=10)
    for axes in (strip, stretched):
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("a simulated patient, lead MLII; seconds and millivolts are gone", size=8.5, color=ORANGE)
    return figure


if __name__ == "__main__":
    save("beat_to_picture", "From the recording to a picture of one beat (simulated)", draw(), dpi=180)
