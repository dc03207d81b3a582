"""Pictures of how far verdicts can be trusted. Functions give a Figure and show nothing."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.evaluation.panels import GREY, LOOKS, Curves, curves, key, panels, percent


def reliability(arms: Mapping[str, tuple[np.ndarray, np.ndarray]], least: int = 20) -> Figure:
    """Draw how often verdicts, (n,) by arm, are right against their probability, in tenths with `least` or more.

    The area of a mark is the share of the verdicts of its arm.
    """
    figure, (ax,) = panels(4.2, 3.9)
    # Of two verdicts the likelier has one half or more.
    start = 0.5 * (min(np.min(probability) for probability, _ in arms.values()) >= 0.5)
    ax.plot((start, 1), (start, 1), color="0.7", linewidth=1)
    if not start:
        ax.text(0.12, 0.16, "as sure as right", rotation=45, fontsize=8, color=GREY, ha="center", va="center")
    for (arm, (probability, right)), (colour, marker, dash) in zip(arms.items(), LOOKS, strict=False):
        tenth = np.clip((10 * np.asarray(probability)).astype(int), 0, 9)
        kept = (n := np.bincount(tenth, minlength=10)) >= max(least, 1)
        said, was = (np.bincount(tenth, v, 10)[kept] / n[kept] for v in (probability, right))
        ax.plot(said, was, color=colour, marker=marker, linestyle=dash, markersize=4, label=arm)
        ax.scatter(said, was, 250 * n[kept] / n.sum() + 10, color=colour, marker=marker, alpha=0.4)
    ax.set(xlim=(start, 1.01), ylim=(start, 1.01), aspect="equal")
    ax.set(xlabel="probability of the verdict", ylabel="verdicts that are right")
    percent(ax.xaxis, ax.yaxis)
    ax.grid(color="0.92")
    return key(figure, 2)


def wrong_by_coverage(arms: Curves) -> Figure:
    """Draw which share of verdicts is wrong where only the surest are given, up to three arms by that share."""
    places = (lambda at: at - 0.005, lambda at: at, lambda at: at + 0.005)
    axes = {"xlabel": "verdicts given, the surest", "ylabel": "of these, wrong", "ylim": (0, None)}
    figure = curves((5.6, 3.2), arms, LOOKS, places, lambda share: f"{100 * share:.0f} %", **axes)
    figure.axes[0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure
