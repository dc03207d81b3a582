"""Pictures of lesson 4: hearts side by side, patients before and after. Functions give a Figure and show nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.plots import BLUE, GREY, VERMILION, _axes, _percent

#: Arms that stand in one picture, by colour, marker and dash.
_STYLES = ((BLUE, "o", "-"), (GREY, "s", "--"), (VERMILION, "^", ":"))


def hearts(groups: Mapping[str, np.ndarray], rate: float, before: int, most: int = 40) -> Figure:
    """Draw some beats of every patient with their median in front, one panel a patient, all on one scale.

    Parameters
    ----------
    groups : mapping of str to ndarray, shape (n, samples)
        By the title of the panel, one lead, scaled as the network sees it.
    rate : float
        Hz.
    before : int
        Samples before the annotation, which stands at 0 s.
    most : int
        So many beats are drawn, evenly taken.
    """
    figure, axes = _axes(1.6 * len(groups), 2.2, len(groups))
    for ax, (title, group) in zip(axes, groups.items(), strict=True):
        if not len(group):
            raise InputError(f"There is no beat of {title} to draw: leave it out.")
        time = (np.arange(group.shape[1]) - before) / rate
        some = group[np.unique(np.linspace(0, len(group) - 1, most).astype(int))]
        ax.plot(time, some.T, color=GREY, linewidth=0.4, alpha=0.5)
        ax.plot(time, np.median(group, axis=0), color=BLUE, linewidth=2)
        ax.set(xlim=(time[0], time[-1]), xlabel="time (s)")
        ax.set_title(title, fontsize=9)
        ax.tick_params(labelleft=ax is axes[0])
    limits = np.array([ax.get_ylim() for ax in axes])
    for ax in axes:
        ax.set_ylim(limits[:, 0].min(), limits[:, 1].max())
    axes[0].set_ylabel("lead, scaled")
    return figure


def slopes(
    before: Mapping[str, float],
    after: Mapping[str, float],
    measure: str,
    names: Collection[str] | None = None,
    ends: Sequence[str] = ("generic", "adapted"),
    margin: float = 0.005,
) -> Figure:
    """Draw one line a patient from a score before to the score after, those who lose in another colour and dash.

    Parameters
    ----------
    before, after : mapping of str to float
        Scores from 0 to 1 by patient; who has none is left out.
    measure : str
        Label of the axis.
    names : collection of str, optional
        Whom to name at the right end; everybody unless said.
    ends : sequence of str
        The words under the two ends.
    margin : float
        A loss up to this counts as none.

    Raises
    ------
    InputError
        If the two are not of the same patients.
    """
    if set(before) != set(after):
        odd = sorted(set(before) ^ set(after))[0]
        raise InputError(f"Patient {odd!r} has a score on one side only: give both sides the same patients.")
    pairs = {name: (before[name], after[name]) for name in before}
    pairs = {name: pair for name, pair in pairs.items() if np.isfinite(np.array(pair, float)).all()}
    figure, (ax,) = _axes(4.6, 3.9)
    for pair in pairs.values():
        lost = pair[1] < pair[0] - margin
        style = {"color": VERMILION, "linestyle": "--", "marker": "s", "zorder": 3, "linewidth": 2}
        ax.plot(
            (0, 1),
            pair,
            markersize=4,
            **(style if lost else {"color": BLUE, "marker": "o", "linewidth": 0.9, "alpha": 0.7}),
        )
    named = sorted((pairs[name][1], name) for name in (pairs if names is None else names) if name in pairs)
    for height, (value, name) in zip(_spread([value for value, _ in named], 0.037), named, strict=True):
        ax.plot((1.02, 1.07), (value, height), color=GREY, linewidth=0.5, clip_on=False)
        ax.text(1.08, height, name, va="center", fontsize=8)
    ax.plot([], [], color=BLUE, marker="o", label="gains, or stays")
    ax.plot([], [], color=VERMILION, marker="s", linestyle="--", label="loses")
    ax.set_xticks((0, 1), ends)
    ax.set(xlim=(-0.08, 1.25), ylim=(-0.02, 1.02), ylabel=measure)
    ax.yaxis.set_major_formatter(_percent())
    ax.grid(axis="y", color="0.9")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure


def _spread(values: Sequence[float], gap: float) -> np.ndarray:
    """Move ascending heights apart, at least by `gap`, none above the highest value."""
    heights = np.array(values, dtype=float)
    for i in range(len(heights) - 2, -1, -1):
        heights[i] = min(heights[i], heights[i + 1] - gap)
    return heights


def adaptation(
    arms: Mapping[str, Mapping[float, Mapping[str, float]]], measure: str, floor: float = 0
) -> Figure:
    """Draw a score against the minutes of adaptation.

    Parameters
    ----------
    arms : mapping of str to mapping of float to mapping
        By arm and minutes: ``{"value", "low", "high"}``, from 0 to 1. Up to three arms.
    measure : str
        Label of the axis.
    floor : float
        Where the axis begins.
    """
    figure, (ax,) = _axes(5.6, 3.2)
    for shift, (arm, curve), (colour, marker, dash) in zip(
        (-0.07, 0.07, 0), arms.items(), _STYLES, strict=False
    ):
        at = np.array(sorted(curve))
        value, low, high = (np.array([curve[m][k] for m in at], float) for k in ("value", "low", "high"))
        whiskers = np.maximum([value - low, high - value], 0)
        style = {"color": colour, "marker": marker, "linestyle": dash, "markersize": 6, "capsize": 3}
        ax.errorbar(at + shift, value, whiskers, label=arm, elinewidth=0.8, **style)
    ticks = sorted({minutes for curve in arms.values() for minutes in curve})
    ax.set_xticks(ticks, [f"{minutes:g}" for minutes in ticks])
    ax.set(xlabel="minutes of adaptation", ylabel=measure, ylim=(floor, 1.01))
    ax.yaxis.set_major_formatter(_percent())
    ax.grid(axis="y", color="0.9")
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def reliability(arms: Mapping[str, tuple[np.ndarray, np.ndarray]], least: int = 20) -> Figure:
    """Draw how often a verdict is right against the probability that the network gave it.

    Parameters
    ----------
    arms : mapping of str to (ndarray, ndarray), each of shape (n,)
        By arm, up to three: the probability of every verdict, and whether it is right.
    least : int
        A tenth of the axis with fewer verdicts is not drawn.
    """
    figure, (ax,) = _axes(4.2, 3.9)
    ax.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    ax.text(0.12, 0.16, "as sure as right", rotation=45, fontsize=8, color=GREY, ha="center", va="center")
    for (arm, (probability, right)), (colour, marker, dash) in zip(arms.items(), _STYLES, strict=False):
        tenth = np.clip((10 * np.asarray(probability)).astype(int), 0, 9)
        n = np.bincount(tenth, minlength=10)
        kept = n >= max(least, 1)
        said, was = (np.bincount(tenth, v, 10)[kept] / n[kept] for v in (probability, right))
        ax.plot(said, was, color=colour, marker=marker, linestyle=dash, markersize=6, label=arm)
    ax.set(
        xlim=(0, 1.01), ylim=(0, 1.01), xlabel="probability of the verdict", ylabel="verdicts that are right"
    )
    ax.set_aspect("equal")
    ax.xaxis.set_major_formatter(_percent())
    ax.yaxis.set_major_formatter(_percent())
    ax.grid(color="0.92")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure
