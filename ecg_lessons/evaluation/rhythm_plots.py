"""Pictures of lesson 2: spectrograms, augmented signals, what spoke when. Functions give a Figure and show nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.paper import INK
from ecg_lessons.evaluation.plots import BLUE, GREY, VERMILION, _axes

#: Groups that stand in one picture, by colour, marker and dash.
_STYLES = ((GREY, "s", "-"), (BLUE, "o", "--"), (VERMILION, "^", ":"))


def spectrograms(pictures: Mapping[str, np.ndarray], step: float, highest: float = 150.0) -> Figure:
    """Draw log-spectrograms one below the other, all in one scale of colours.

    Parameters
    ----------
    pictures : mapping of str to ndarray, shape (frames, frequencies)
        By title; natural logarithm of the power.
    step : float
        Seconds from one frame to the next.
    highest : float
        Frequency of the last row (Hz); the first stands for 0.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if not pictures:
        raise InputError("There is no spectrogram to draw: give one or more.")
    figure = Figure(figsize=(7.5, 0.7 + 1.25 * len(pictures)), layout="constrained", facecolor="white")
    axes = figure.subplots(len(pictures), 1, sharex=True, squeeze=False)[:, 0]
    low, high = np.percentile(np.concatenate([one.ravel() for one in pictures.values()]), [2, 99.5])
    for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
        row = highest / (picture.shape[1] - 1)
        box = (0, len(picture) * step, -row / 2, highest + row / 2)
        style = {"cmap": "cividis", "vmin": low, "vmax": high, "interpolation": "nearest"}
        shade = ax.imshow(picture.T, origin="lower", aspect="auto", extent=box, **style)
        ax.set_title(title, fontsize=9, loc="left", pad=2)
        ax.set_ylabel("frequency (Hz)", fontsize=7)
        ax.set_yticks(np.linspace(0, highest, 4).round())
        ax.tick_params(labelsize=7)
    axes[-1].set_xlabel("time (s)", fontsize=8)
    bar = figure.colorbar(shade, ax=list(axes), pad=0.01, aspect=30)
    bar.set_label("log power (µV²/Hz)", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure


def traces(signals: Mapping[str, np.ndarray], rate: float) -> Figure:
    """Draw versions of a signal one below the other, on one axis of time and one scale.

    Parameters
    ----------
    signals : mapping of str to ndarray, shape (samples,)
        By title, mV.
    rate : float
        Hz.
    """
    figure = Figure(figsize=(7.5, 0.6 + 1.0 * len(signals)), layout="constrained", facecolor="white")
    axes = figure.subplots(len(signals), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for ax, (title, signal) in zip(axes, signals.items(), strict=True):
        ax.plot(np.arange(len(signal)) / rate, signal, color=INK, linewidth=0.8)
        ax.set_title(title, fontsize=9, loc="left", pad=2)
        ax.set_ylabel("mV", fontsize=8)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set(xlabel="time (s)", xlim=(0, max(len(one) for one in signals.values()) / rate))
    return figure


def dots(groups: Mapping[str, np.ndarray], label: str, most: float, seed: int = 0) -> Figure:
    """Draw a dot an example, one row a class, with the median of each.

    Parameters
    ----------
    groups : mapping of str to ndarray, shape (n,)
        By class.
    label : str
        The axis, with its unit.
    most : float
        Where the axis ends; what lies beyond is drawn there.
    seed : int
        For the heights of the dots, which mean nothing.
    """
    figure, (ax,) = _axes(6.5, 0.8 + 0.5 * len(groups))
    rng = np.random.default_rng(seed)
    for row, values in enumerate(groups.values()):
        height = row + rng.uniform(-0.28, 0.28, len(values))
        ax.plot(np.minimum(values, most), height, ".", color=BLUE, markersize=4, markeredgecolor="none")
        ax.plot([np.median(values)] * 2, [row - 0.36, row + 0.36], color=VERMILION, linewidth=2.5)
    ax.plot([], [], color=VERMILION, linewidth=2.5, label="median")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set(xlabel=label, xlim=(0, 1.02 * most), ylim=(len(groups) - 0.5, -0.5))
    figure.legend(loc="outside upper right", frameon=False, fontsize=8)
    return figure


def over_time(
    signal: np.ndarray, rate: float, start: np.ndarray, seconds: float, falls: Mapping[str, np.ndarray]
) -> Figure:
    """Draw a recording, and below it how far a probability falls where a stretch is erased.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        mV.
    rate : float
        Hz.
    start : ndarray, shape (n,)
        Where each stretch begins (s).
    seconds : float
        How long a stretch is.
    falls : mapping of str to ndarray, shape (n,)
        By network, up to three.

    Raises
    ------
    InputError
        If stretches and falls are not of one length.
    """
    if any(len(fall) != len(start) for fall in falls.values()):
        raise InputError(f"{len(start)} stretches need as many falls of the probability.")
    figure = Figure(figsize=(8.5, 3.6), layout="constrained", facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    first = np.maximum(next(iter(falls.values())), 0)
    strength = first / max(first.max(initial=0), 1e-12)
    for begin, share in zip(start, strength, strict=True):
        above.axvspan(begin, begin + seconds, color=VERMILION, alpha=0.25 * share, linewidth=0)
    above.plot(np.arange(len(signal)) / rate, signal, color=INK, linewidth=0.7)
    above.set_ylabel("mV")
    looks = ((VERMILION, "o", "-"), (BLUE, "s", "--"), (GREY, "^", ":"))
    for (name, fall), (colour, marker, dash) in zip(falls.items(), looks, strict=False):
        below.plot(
            start + seconds / 2, fall, color=colour, marker=marker, linestyle=dash, markersize=3, label=name
        )
    below.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    below.set(xlabel="time (s)", ylabel="fall of\nprobability", xlim=(0, len(signal) / rate))
    for ax in (above, below):
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=3, frameon=False, fontsize=8)
    return figure


def by_class(
    names: Sequence[str], arms: Mapping[str, Mapping[str, Mapping[str, float] | float]], measure: str = "F1"
) -> Figure:
    """Draw a score class by class, up to three arms side by side.

    Parameters
    ----------
    names : sequence of str
        Classes, the first on top.
    arms : mapping of str to mapping
        By arm and class a number from 0 to 1, or ``{"value", "low", "high"}``; a class may be missing.
    measure : str
        Label of the axis.
    """
    figure, (ax,) = _axes(6.5, 1.0 + 0.55 * len(names))
    shifts = 0.2 * (np.arange(len(arms)) - (len(arms) - 1) / 2)
    for (arm, scores), shift, (colour, marker, _) in zip(arms.items(), shifts, _STYLES, strict=False):
        for row, name in enumerate(names):
            if (score := scores.get(name)) is None:
                continue
            value = score["value"] if isinstance(score, Mapping) else score
            if isinstance(score, Mapping) and score["low"] is not None:
                ax.plot([score["low"], score["high"]], [row + shift] * 2, color=colour, linewidth=1.2)
            ax.plot(value, row + shift, marker, color=colour, markersize=7)
        ax.plot([], [], marker, color=colour, label=arm)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=measure, ylim=(len(names) - 0.5, -0.5))
    ax.set_xlim(right=1)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return figure
