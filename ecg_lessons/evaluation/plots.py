"""Pictures of recordings and of results. Every function gives a Figure and shows nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import (
    BLUE,
    GREY,
    SKY,
    VERMILION,
    class_rows,
    interval,
    key,
    panels,
    percent,
    whiskers,
)
from ecg_lessons.evaluation.paper import ecg_page, ecg_strip
from ecg_lessons.evaluation.scores import predictive_value

__all__ = ["confusion", "ecg_page", "ecg_strip", "learning_curves", "ppv_curve", "sensitivities", "three_numbers"]

_NO_MEASURES = {"epoch", "lr", "learning_rate", "seconds"}
#: The three numbers: key, words, place in the row, colour and mark.
_NUMBERS = (("claimed", "claimed", -0.22, GREY, "D"), ("same", "same protocol", 0, SKY, "o"))
_NUMBERS += (("honest", "honest (patient split)", 0.22, BLUE, "s"),)


def confusion(matrix: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw a confusion matrix: counts but zeros, and shade by the share of the true class; rows are the truth."""
    matrix = np.asarray(matrix)
    if matrix.shape != (len(names), len(names)):
        raise InputError(f"A confusion matrix of shape {matrix.shape} does not fit {len(names)} names of classes.")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    size = 1.8 + 0.55 * len(names)
    figure, (ax,) = panels(size + 0.6, size)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if share[row, column] > 0.55 else "black"
        if value:
            ax.text(column, row, f"{value:,}", ha="center", va="center", color=colour, fontsize=8)
    turn = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 4 else {}
    ax.set_xticks(range(len(names)), names, **turn)
    ax.set(yticks=range(len(names)), yticklabels=names, xlabel="predicted", ylabel="true")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def learning_curves(history: pd.DataFrame | Mapping[str, Sequence[float]], kept: int | None = None) -> Figure:
    """Draw every measure over the epochs, training beside validation (``val_...``); ring the epoch that was kept."""
    history = pd.DataFrame(history)
    measures = [name for name in history if not name.startswith("val_") and name not in _NO_MEASURES]
    if not measures or not len(history):
        raise InputError("The history of the training is empty: train for at least one epoch.")
    figure, axes = panels(3.6 * len(measures), 2.9, len(measures))
    epochs = np.arange(1, len(history) + 1)
    for ax, name in zip(axes, measures, strict=True):
        ax.plot(epochs, history[name], "o-", color=BLUE, markersize=3, label="training")
        if f"val_{name}" in history:
            validation = history[f"val_{name}"].to_numpy()
            ax.plot(epochs, validation, "s--", color=VERMILION, markersize=3, label="validation")
            if kept is not None:
                ring = {"color": GREY, "markersize": 10, "fillstyle": "none"}
                ax.plot(kept, validation[kept - 1], "o", label="kept", **ring)
        ax.set(xlabel="epoch", ylabel=name.replace("_", " "))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="y", color="0.9")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def three_numbers(rows: Sequence[Mapping], measure: str = "accuracy", always: float | None = None) -> Figure:
    """Draw, for each network, what was claimed, what the same protocol gives, and what an honest one gives.

    A row is ``{"name": str, "claimed": ..., "same": ..., "honest": ...}``. A value is a number from 0 to 1, a triple
    (value, low, high) with its interval, or None: what nobody knows is not drawn. `always` is the score of naming one
    class.
    """
    figure, (ax,) = panels(6.5, 0.9 + 0.62 * len(rows))
    kinds = [kind for kind in _NUMBERS if any(row.get(kind[0]) is not None for row in rows)]
    for at, row in enumerate(rows):
        for kind, _, shift, colour, mark in kinds:
            if (value := row.get(kind)) is None:
                continue
            value, low, high = value if isinstance(value, tuple | list) else (value, None, None)
            score = {"value": value, "low": low, "high": high}
            interval(ax, score, at + shift, (colour, mark), 1.2)
            words = f"{100 * value:.2f}".removesuffix("0") if kind == "claimed" else f"{100 * value:.1f}"
            ax.text((value if high is None else high) + 0.02, at + shift, words, va="center", fontsize=8)
    for _, words, _, colour, mark in kinds:
        ax.plot([], [], mark, color=colour, label=words)
    if always is not None:
        ax.axvline(always, color=GREY, linestyle=":", linewidth=1, label="always one class")
    class_rows(ax, [row["name"] for row in rows], measure, left=0, right=1.09)
    return key(figure, 2)


def sensitivities(names: Sequence[str], values: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Figure:
    """Draw one dot per class, a value from 0 to 1 with its interval, the first class on top."""
    if not len(names) == len(values) == len(low) == len(high):
        raise InputError("Names, values and the bounds of their intervals must be of one length.")
    values, low, high = (np.asarray(array, dtype=float) for array in (values, low, high))
    figure, (ax,) = panels(5.2, 0.9 + 0.3 * len(names))
    style = {"fmt": "o", "color": BLUE, "ecolor": GREY, "capsize": 3, "markersize": 6}
    ax.errorbar(values, range(len(names)), xerr=whiskers(values, low, high), **style)
    for row, value in enumerate(values):
        ax.text(1.03, row, f"{100 * value:.1f} %", va="center", fontsize=8, transform=ax.get_yaxis_transform())
    class_rows(ax, names, "sensitivity", left=0, right=1.02)
    return figure


def ppv_curve(sensitivity: float, specificity: float, marks: Sequence[float] = (0.02, 0.5)) -> Figure:
    """Draw how likely a positive answer is true, against how common the thing is (Bayes), some places marked."""
    if not all(0 <= share <= 1 for share in (sensitivity, specificity, *marks)):
        raise InputError("Sensitivity, specificity and prevalences are shares between 0 and 1.")

    def value(prevalence):
        return predictive_value(sensitivity, specificity, np.asarray(prevalence))

    figure, (ax,) = panels(4.8, 3.2)
    prevalence = np.geomspace(0.001, 1, 400)
    ax.semilogx(prevalence, value(prevalence), color=BLUE, linewidth=2)
    for mark in marks:
        ax.plot(mark, value(mark), "o", color=VERMILION, markersize=7)
        words = f"{100 * value(mark):.0f} % true\nat {100 * mark:g} %"
        shift, va = (0, "center") if value(mark) > 0.8 else (5, "bottom")  # where there is no room above the curve
        style = {"xytext": (-9, shift), "textcoords": "offset points", "ha": "right", "va": va, "fontsize": 8}
        ax.annotate(words, (mark, value(mark)), **style)
    ax.set(xlim=(0.001, 1), ylim=(0, 1.03), xlabel="prevalence", ylabel="positive predictive value")
    ax.set_title(f"sensitivity {100 * sensitivity:.1f} %, specificity {100 * specificity:.1f} %", fontsize=9)
    ax.set_xticks([0.001, 0.01, 0.1, 1], ["0.1 %", "1 %", "10 %", "100 %"])
    percent(ax.yaxis)
    ax.grid(color="0.92")
    return figure
