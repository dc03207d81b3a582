"""Pictures of beats and of what networks make of them. Every function gives a Figure and shows nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import BLUE, GREY, LOOKS, SKY, VERMILION, class_rows, interval, key, panels, percent
from ecg_lessons.evaluation.paper import ecg_strip


def gallery(pictures: np.ndarray, titles: Sequence[str], columns: int = 8) -> Figure:
    """Draw pictures of beats, (n, rows, columns) as `signals.images.draw` gives them, with dark ink on white."""
    pictures = np.asarray(pictures).reshape(len(pictures), *np.shape(pictures)[1:3])
    if len(titles) != len(pictures):
        raise InputError(f"{len(pictures)} pictures need as many titles, not {len(titles)}.")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure, axes = panels(1.1 * columns, 1.35 * rows, columns, rows, framed=True)
    for ax in axes[len(pictures) :]:
        ax.set_visible(False)
    for ax, picture, title in zip(axes, pictures, titles, strict=False):
        ax.imshow(picture, cmap="gray_r", interpolation="nearest")
        ax.set(xticks=(), yticks=())
        ax.set_title(title, fontsize=9)
    return figure


def beat_strip(signal: np.ndarray, rate: float, samples, symbols, lead: str = "MLII", title: str = "") -> Figure:
    """Draw one lead (samples,) in mV on ECG paper with the symbol of every beat above its sample."""
    figure = ecg_strip(signal, rate, (lead,), title)
    (ax,) = figure.axes
    for sample, symbol in zip(samples, symbols, strict=True):
        # As `ecg_strip` lays it out: the trace begins 20 mm from the left, and a second is 25 mm.
        ax.text(
            20 + 25 * sample / rate, ax.get_ylim()[1] - 9, symbol, ha="center", va="top", fontsize=11, weight="bold"
        )
    return figure


def protocols(names: Sequence[str], scores: Mapping[str, Sequence[Mapping[str, float] | None]]) -> Figure:
    """Draw, class by class, what two protocols find, and the difference between them.

    Of each class a protocol has ``{"value", "low", "high"}`` from 0 to 1 (None for bounds that one patient cannot
    give), or None where it cannot be scored.
    """
    figure, (ax,) = panels(6, 0.9 + 0.36 * len(names))
    for (protocol, row_scores), look, shift in zip(scores.items(), LOOKS, (-0.12, 0.12), strict=False):
        ax.plot([], [], look[1], color=look[0], label=protocol)
        for row, score in enumerate(row_scores):
            if score:
                interval(ax, score, row, look, 1, shift)
            else:
                ax.text(0.01, row + shift, "cannot be scored", va="center", fontsize=8, color=GREY)
    for row, pair in enumerate(zip(*scores.values(), strict=True)):
        if all(pair):
            ax.plot([score["value"] for score in pair], [row, row], color=SKY, linewidth=4, zorder=1)
    ax.plot([], [], color=SKY, linewidth=4, label="difference")
    class_rows(ax, names, "sensitivity", left=-0.02, right=1.02)
    return key(figure, 3)


def twins(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw accuracy over the epochs, in training and validation, of trainings side by side on one scale."""
    figure, axes = panels(3.4 * len(histories), 2.9, len(histories), sharey=True)
    for ax, (name, history) in zip(axes, histories.items(), strict=True):
        ax.plot(history["epoch"], history["accuracy"], "o-", color=BLUE, markersize=3, label="training")
        ax.plot(history["epoch"], history["val_accuracy"], "s--", color=VERMILION, markersize=3, label="validation")
        ax.set(xlabel="epoch", title=name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="y", color="0.9")
    axes[0].set_ylabel("accuracy")
    percent(axes[0].yaxis)
    axes[-1].legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def distributions(groups: Mapping[str, np.ndarray], label: str, most: float) -> Figure:
    """Draw the distribution of a number in two groups, from 0 to `most`; the label names its unit."""
    figure, (ax,) = panels(5.5, 2.6)
    edges = np.linspace(0, most, 61)
    styles = ({"color": GREY, "alpha": 0.5, "fill": True}, {"color": VERMILION, "hatch": "////"})
    for (name, values), style in zip(groups.items(), styles, strict=True):
        ax.stairs(np.histogram(values, edges)[0] / max(len(values), 1), edges, label=name, **style)
    ax.set(xlabel=label, ylabel="share of the beats", xlim=(0, most))
    percent(ax.yaxis)
    ax.legend(frameon=False, fontsize=8)
    return figure
