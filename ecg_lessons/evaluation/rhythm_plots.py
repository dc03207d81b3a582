"""Pictures of spectrograms, augmented signals, and of what spoke when. Functions give a Figure and show nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import BLUE, GREY, LOOKS, VERMILION, class_rows, head, interval, key, legend, panels
from ecg_lessons.evaluation.paper import INK


def spectrograms(pictures: Mapping[str, np.ndarray], step: float) -> Figure:
    """Draw log-spectrograms (frames, frequencies to 150 Hz), a frame every `step` s, in one scale of colours."""
    if not pictures:
        raise InputError("There is no spectrogram to draw: give one or more.")
    figure, axes = panels(7.5, 0.7 + 1.25 * len(pictures), rows=len(pictures), framed=True, sharex=True)
    low, high = np.percentile(np.concatenate([picture.ravel() for picture in pictures.values()]), [2, 99.5])
    for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
        row = 150 / (picture.shape[1] - 1)
        box = (0, len(picture) * step, -row / 2, 150 + row / 2)
        style = {"cmap": "cividis", "vmin": low, "vmax": high, "interpolation": "nearest"}
        shade = ax.imshow(picture.T, origin="lower", aspect="auto", extent=box, **style)
        head(ax, title, "frequency (Hz)", 7)
        ax.set_yticks((0, 50, 100, 150))
    axes[-1].set_xlabel("time (s)", fontsize=8)
    legend(figure, axes, shade, "log power (µV²/Hz)", pad=0.01, aspect=30)
    return figure


def traces(signals: Mapping[str, np.ndarray], rate: float, shaded: Mapping[str, np.ndarray] | None = None) -> Figure:
    """Draw versions of a signal (samples,) in mV by title one below the other, on one axis of time and one scale.

    `shaded` marks samples of some of them, (samples,).
    """
    figure, axes = panels(7.5, 0.6 + len(signals), rows=len(signals), sharex=True, sharey=True)
    for ax, (title, signal) in zip(axes, signals.items(), strict=True):
        ax.plot(np.arange(len(signal)) / rate, signal, color=INK, linewidth=0.8)
        if shaded and title in shaded:
            low, high = ax.get_ylim()
            ax.fill_between(np.arange(len(signal)) / rate, low, high, where=shaded[title], color=BLUE, alpha=0.25, lw=0)
        head(ax, title, "mV")
    axes[-1].set(xlabel="time (s)", xlim=(0, max(map(len, signals.values())) / rate))
    return figure


def dots(groups: Mapping[str, np.ndarray], label: str, most: float, seed: int = 0) -> Figure:
    """Draw a dot an example (at random heights), a row a class, and medians; what lies beyond `most` is drawn there."""
    figure, (ax,) = panels(6.5, 0.8 + 0.5 * len(groups))
    rng = np.random.default_rng(seed)
    for row, values in enumerate(groups.values()):
        height = row + rng.uniform(-0.28, 0.28, len(values))
        ax.plot(np.minimum(values, most), height, ".", color=BLUE, markersize=4, markeredgecolor="none")
        ax.plot([np.median(values)] * 2, [row - 0.36, row + 0.36], color=VERMILION, linewidth=2.5)
    ax.plot([], [], color=VERMILION, linewidth=2.5, label="median")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set(xlabel=label, xlim=(0, 1.02 * most), ylim=(len(groups) - 0.5, -0.5))
    return key(figure, 1, "upper right")


def over_time(signal: np.ndarray, rate: float, start: np.ndarray, seconds: float, falls: Mapping) -> Figure:
    """Draw a recording in mV, and how far probabilities (by network) fall where stretches of it are erased."""
    if any(len(fall) != len(start) for fall in falls.values()):
        raise InputError(f"{len(start)} stretches need as many falls of the probability.")
    figure, (above, below) = panels(8.5, 3.6, rows=2, sharex=True, height_ratios=(3, 2))
    first = np.maximum(next(iter(falls.values())), 0)
    for begin, share in zip(start, first / max(first.max(initial=0), 1e-12), strict=True):
        above.axvspan(begin, begin + seconds, color=VERMILION, alpha=0.25 * share, linewidth=0)
    above.plot(np.arange(len(signal)) / rate, signal, color=INK, linewidth=0.7)
    above.set_ylabel("mV")
    looks = ((VERMILION, "o", "-"), (BLUE, "s", "--"), (GREY, "^", ":"))
    for (name, fall), (colour, marker, dash) in zip(falls.items(), looks, strict=False):
        below.plot(start + seconds / 2, fall, marker, linestyle=dash, color=colour, label=name, markersize=3)
    below.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    below.set(xlabel="time (s)", ylabel="fall of\nprobability", xlim=(0, len(signal) / rate))
    return key(figure, 3, "upper right")


def by_class(names: Sequence[str], arms: Mapping[str, Mapping], measure: str = "F1") -> Figure:
    """Draw a score class by class, up to three arms: a number, ``{"value", "low", "high"}``, or nothing."""
    figure, (ax,) = panels(6.5, 1.0 + 0.55 * len(names))
    shifts = 0.2 * (np.arange(len(arms)) - (len(arms) - 1) / 2)
    for (arm, scores), shift, look in zip(arms.items(), shifts, LOOKS, strict=False):
        for row, name in enumerate(names):
            if (score := scores.get(name)) is not None:
                score = score if isinstance(score, Mapping) else {"value": score, "low": None}
                interval(ax, score, row + shift, look, 1.2)
        ax.plot([], [], look[1], color=look[0], label=arm)
    class_rows(ax, names, measure, right=1)
    return key(figure, 3)
