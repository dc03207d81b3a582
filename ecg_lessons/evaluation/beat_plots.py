"""Pictures of beats and of what networks make of them. Every function gives a Figure and shows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.paper import ecg_strip
from ecg_lessons.evaluation.plots import BLUE, GREY, SKY, VERMILION, _axes, _percent


def gallery(pictures: np.ndarray, titles: Sequence[str], columns: int = 8) -> Figure:
    """Draw pictures of beats in rows, dark ink on white.

    Parameters
    ----------
    pictures : ndarray, shape (n, rows, columns) or (n, rows, columns, 1)
        Ink is high, as `signals.images.draw` gives it.
    titles : sequence of str
        One a picture.
    columns : int
        Pictures in a row.
    """
    pictures = np.asarray(pictures).reshape(len(pictures), *np.shape(pictures)[1:3])
    if len(titles) != len(pictures):
        raise InputError(f"{len(pictures)} pictures need as many titles, not {len(titles)}.")
    rows = -(-len(pictures) // columns)
    figure = Figure(
        figsize=(1.1 * min(columns, len(pictures)), 1.35 * rows), layout="constrained", facecolor="white"
    )
    axes = figure.subplots(rows, min(columns, len(pictures)), squeeze=False).ravel()
    for ax in axes[len(pictures) :]:
        ax.set_visible(False)
    for ax, picture, title in zip(axes, pictures, titles, strict=False):
        ax.imshow(picture, cmap="gray_r", interpolation="nearest")
        ax.set(xticks=(), yticks=())
        ax.set_title(title, fontsize=9)
    return figure


def beat_strip(
    signal: np.ndarray,
    rate: float,
    samples: np.ndarray,
    symbols: Sequence[str],
    lead: str = "MLII",
    title: str | None = None,
) -> Figure:
    """Draw one lead on ECG paper with the letter of every beat above it.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        mV.
    rate : float
        Hz.
    samples : ndarray of int, shape (beats,)
        Where the beats are.
    symbols : sequence of str
        What they are.
    lead, title : str
    """
    figure = ecg_strip(signal, rate, (lead,), title)
    (ax,) = figure.axes
    top = ax.get_ylim()[1]
    for sample, symbol in zip(samples, symbols, strict=True):
        # As `ecg_strip` lays it out: the trace begins 20 mm from the left, and a second is 25 mm.
        ax.text(20 + 25 * sample / rate, top - 9, symbol, ha="center", va="top", fontsize=11, weight="bold")
    return figure


def protocols(names: Sequence[str], scores: Mapping[str, Sequence[Mapping[str, float] | None]]) -> Figure:
    """Draw, class by class, what two protocols find, and the fall between them.

    Parameters
    ----------
    names : sequence of str
        Classes, the first on top.
    scores : mapping of str to sequence
        Two protocols; for each class ``{"value", "low", "high"}`` from 0 to 1 (None for bounds that one patient
        cannot give), or None where it cannot be scored.
    """
    figure, (ax,) = _axes(6, 0.9 + 0.36 * len(names))
    (first, above), (second, below) = scores.items()
    for row, (one, two) in enumerate(zip(above, below, strict=True)):
        if one and two:
            ax.plot([one["value"], two["value"]], [row, row], color=SKY, linewidth=4, zorder=1)
        for score, colour, marker, shift in ((one, GREY, "s", -0.12), (two, BLUE, "o", 0.12)):
            if not score:
                ax.text(0.01, row + shift, "cannot be scored", va="center", fontsize=8, color=GREY)
                continue
            if score["low"] is not None:
                ax.plot([score["low"], score["high"]], [row + shift] * 2, color=colour, linewidth=1)
            ax.plot(score["value"], row, marker, color=colour, markersize=7, zorder=2)
    for label, colour, marker in ((first, GREY, "s"), (second, BLUE, "o")):
        ax.plot([], [], marker, color=colour, label=label)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(0, 1.02), ylim=(len(names) - 0.5, -0.5), xlabel="sensitivity")
    ax.xaxis.set_major_formatter(_percent())
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure


def distributions(groups: Mapping[str, np.ndarray], label: str, most: float) -> Figure:
    """Draw the distribution of a number in two groups.

    Parameters
    ----------
    groups : mapping of str to ndarray, shape (n,)
        Two groups.
    label : str
        The axis, with its unit.
    most : float
        Where the axis ends; it begins at 0.
    """
    figure, (ax,) = _axes(5.5, 2.6)
    edges = np.linspace(0, most, 61)
    for (name, values), colour, hatch in zip(groups.items(), (GREY, VERMILION), ("", "////"), strict=True):
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        ax.stairs(
            share, edges, fill=not hatch, color=colour, alpha=1 if hatch else 0.5, hatch=hatch, label=name
        )
    ax.set(xlabel=label, ylabel="share of the beats", xlim=(0, most))
    ax.yaxis.set_major_formatter(_percent())
    ax.legend(frameon=False, fontsize=8)
    return figure
