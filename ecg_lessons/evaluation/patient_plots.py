"""Pictures of hearts side by side, and of patients before and after. Functions give a Figure and show nothing."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import BLUE, GREY, VERMILION, Curves, curves, key, panels, percent, typical_beats

#: Up to three arms in one picture, by colour, marker and dash.
_LOOKS = ((BLUE, "o", "-"), (GREY, "s", "--"), (VERMILION, "^", ":"))


def hearts(groups: Mapping[str, np.ndarray], rate: float, before: int, most: int = 40) -> Figure:
    """Draw some beats (n, samples) of every patient and their median on one scale; the annotation is at 0 s."""
    figure, axes = typical_beats(groups, rate, before, most, 2.2, "lead, scaled")
    limits = np.array([ax.get_ylim() for ax in axes])
    for ax in axes:
        ax.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        ax.tick_params(labelleft=ax is axes[0])
    return figure


def slopes(before: Mapping[str, float], after: Mapping[str, float], measure: str, names=None) -> Figure:
    """Draw one line a patient from a score before to the score after, those who lose in another colour and dash.

    A loss up to 0.005 counts as none; who has no score is left out. `names` stand at the right end, else everybody.
    """
    if odd := sorted(set(before) ^ set(after)):
        raise InputError(f"Patient {odd[0]!r} has a score on one side only: give both sides the same patients.")
    pairs = {k: (before[k], after[k]) for k in before if np.isfinite(np.array([before[k], after[k]], float)).all()}
    figure, (ax,) = panels(4.6, 3.9)
    usual = {"color": BLUE, "marker": "o", "linewidth": 0.9, "alpha": 0.7}
    loser = {"color": VERMILION, "linestyle": "--", "marker": "s", "zorder": 3, "linewidth": 2}
    for pair in pairs.values():
        ax.plot((0, 1), pair, markersize=4, **(loser if pair[1] < pair[0] - 0.005 else usual))
    named = sorted((pairs[name][1], name) for name in (pairs if names is None else names) if name in pairs)
    # Names move down until they are apart.
    steps = 0.037 * np.arange(len(named))
    heights = np.minimum.accumulate(([value for value, _ in named] - steps)[::-1])[::-1] + steps
    for height, (value, name) in zip(heights, named, strict=True):
        ax.plot((1.02, 1.07), (value, height), color=GREY, linewidth=0.5, clip_on=False)
        ax.text(1.08, height, name, va="center", fontsize=8)
    ax.plot([], [], color=BLUE, marker="o", label="gains, or stays")
    ax.plot([], [], color=VERMILION, marker="s", linestyle="--", label="loses")
    ax.set(xticks=(0, 1), xticklabels=("generic", "adapted"), xlim=(-0.08, 1.25), ylim=(-0.02, 1.02), ylabel=measure)
    percent(ax.yaxis)
    ax.grid(axis="y", color="0.9")
    return key(figure, 2)


def adaptation(arms: Curves, measure: str, floor: float = 0) -> Figure:
    """Draw a score against the minutes of adaptation, up to three arms; the axis begins at the floor."""
    places = (lambda at: at - 0.07, lambda at: at + 0.07, lambda at: at)
    axes = {"xlabel": "minutes of adaptation", "ylabel": measure, "ylim": (floor, 1.01)}
    return curves((5.6, 3.2), arms, _LOOKS, places, lambda minutes: f"{minutes:g}", **axes)


def reliability(arms: Mapping[str, tuple[np.ndarray, np.ndarray]], least: int = 20) -> Figure:
    """Draw how often verdicts, (n,) by arm, are right against their probability, in tenths with `least` or more."""
    figure, (ax,) = panels(4.2, 3.9)
    ax.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    ax.text(0.12, 0.16, "as sure as right", rotation=45, fontsize=8, color=GREY, ha="center", va="center")
    for (arm, (probability, right)), (colour, marker, dash) in zip(arms.items(), _LOOKS, strict=False):
        tenth = np.clip((10 * np.asarray(probability)).astype(int), 0, 9)
        kept = (n := np.bincount(tenth, minlength=10)) >= max(least, 1)
        said, was = (np.bincount(tenth, v, 10)[kept] / n[kept] for v in (probability, right))
        ax.plot(said, was, color=colour, marker=marker, linestyle=dash, markersize=6, label=arm)
    ax.set(xlim=(0, 1.01), ylim=(0, 1.01), aspect="equal")
    ax.set(xlabel="probability of the verdict", ylabel="verdicts that are right")
    percent(ax.xaxis, ax.yaxis)
    ax.grid(color="0.92")
    return key(figure, 2)
