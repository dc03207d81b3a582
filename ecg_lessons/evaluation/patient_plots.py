"""Pictures of hearts side by side, and of patients before and after. Functions give a Figure and show nothing."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import (
    BLUE,
    GREY,
    LOOKS,
    VERMILION,
    Curves,
    curves,
    key,
    panels,
    percent,
    typical_beats,
)


def hearts(groups: Mapping[str, np.ndarray], rate: float, before: int, most: int = 40) -> Figure:
    """Draw some beats (n, samples) of every patient and their median on one scale; the annotation is at 0 s."""
    figure, axes = typical_beats(groups, rate, before, most, 2.2, "lead, scaled")
    limits = np.array([ax.get_ylim() for ax in axes])
    for ax in axes:
        ax.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        ax.tick_params(labelleft=ax is axes[0])
    return figure


def gains(before: Mapping[str, float], after: Mapping[str, float], measure: str, names=None) -> Figure:
    """Draw what every patient gains, from a score before to the score after, sorted; losses in another colour and mark.

    A loss up to 0.005 counts as none; who has no score is left out. `names` stand below the axis, else everybody.
    """
    if odd := sorted(set(before) ^ set(after)):
        raise InputError(f"Patient {odd[0]!r} has a score on one side only: give both sides the same patients.")
    pairs = {k: (before[k], after[k]) for k in before if np.isfinite(np.array([before[k], after[k]], float)).all()}
    order = sorted(pairs, key=lambda name: (pairs[name][1] - pairs[name][0], pairs[name][0]))
    first, last = np.array([pairs[name] for name in order]).reshape(-1, 2).T
    lost, at = last < first - 0.005, np.arange(len(order))
    figure, (ax,) = panels(1.5 + max(3.0, 0.13 * len(order)), 3.3)
    ax.vlines(at, first, last, colors=np.where(lost, VERMILION, BLUE), linewidth=1.5)
    ax.plot(at, first, "o", color=GREY, markersize=3.5, label="generic")
    ax.plot(at[~lost], last[~lost], "o", color=BLUE, markersize=5, label="adapted")
    if lost.any():
        ax.plot(at[lost], last[lost], "s", color=VERMILION, markersize=5, label="adapted, lower")
    shown = [k for k, name in enumerate(order) if names is None or name in names]
    ax.set_xticks(shown, [order[k] for k in shown], rotation=90, fontsize=8)
    ax.set(ylim=(-0.02, 1.02), ylabel=measure, xlabel=f"{len(order)} patients, by gain")
    percent(ax.yaxis)
    ax.grid(axis="y", color="0.9")
    return key(figure, 3)


def adaptation(arms: Curves, measure: str, floor: float = 0) -> Figure:
    """Draw a score against the minutes of adaptation, up to three arms; the axis begins at the floor."""
    places = (lambda at: at - 0.07, lambda at: at + 0.07, lambda at: at)
    axes = {"xlabel": "minutes of adaptation", "ylabel": measure, "ylim": (floor, 1.01)}
    # What is adapted is blue in every figure of patients.
    return curves((5.6, 3.2), arms, (LOOKS[1], LOOKS[0], LOOKS[2]), places, lambda minutes: f"{minutes:g}", **axes)
