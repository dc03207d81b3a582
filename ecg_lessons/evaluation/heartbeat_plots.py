"""Pictures of lesson 5: beats cut and compared, infarctions by territory. Functions give a Figure and show nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.paper import GAIN, INK, MARK, SPEED, sheet
from ecg_lessons.evaluation.plots import BLUE, GREY, SKY, VERMILION, _axes, _percent

#: Groups that stand in one picture, by colour, marker and dash.
_STYLES = ((GREY, "s", "-"), (BLUE, "o", "--"), (VERMILION, "^", ":"))


def peaks(scaled: np.ndarray, rate: float, found: np.ndarray, annotated: np.ndarray, cut: slice) -> Figure:
    """Draw a window scaled to [0, 1] with the peaks that the published rule finds, and those that it misses.

    Parameters
    ----------
    scaled : ndarray, shape (samples,)
        From 0 to 1.
    rate : float
        Hz.
    found, annotated : ndarray of int
        Samples of the peaks above 0.9, and of all R peaks.
    cut : slice
        The samples of one beat, to be shaded.
    """
    figure, (ax,) = _axes(7.5, 2.5)
    time = np.arange(len(scaled)) / rate
    tolerance = round(0.15 * rate)
    missed = np.array([a for a in annotated if np.abs(found - a).min(initial=len(scaled)) > tolerance], int)
    ax.axvspan(cut.start / rate, cut.stop / rate, color=SKY, alpha=0.3, linewidth=0, label="one beat: 1.2 T")
    ax.plot(time, scaled, color=INK, linewidth=0.9)
    ax.axhline(0.9, color=GREY, linewidth=1, linestyle="--")
    ax.plot(found / rate, scaled[found], "o", color=BLUE, markersize=6, label="above 0.9: found")
    style = {"color": VERMILION, "markersize": 7, "fillstyle": "none", "markeredgewidth": 1.5}
    ax.plot(missed / rate, scaled[missed], "v", label="below: missed", **style)
    ax.set(xlabel="time (s)", ylabel="share of the window", xlim=(0, time[-1]), ylim=(-0.03, 1.08))
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return figure


def beats(groups: Mapping[str, np.ndarray], rate: float, most: int = 40) -> Figure:
    """Draw some beats of every group, one panel a group, the median of all in front.

    Parameters
    ----------
    groups : mapping of str to ndarray, shape (n, samples)
        By the title of the panel.
    rate : float
        Hz.
    most : int
        So many beats are drawn, evenly taken.
    """
    figure, axes = _axes(1.6 * len(groups), 2.1, len(groups))
    for ax, (title, group) in zip(axes, groups.items(), strict=True):
        if not len(group):
            raise InputError(f"There is no beat of {title} to draw: leave it out.")
        time = np.arange(group.shape[1]) / rate
        some = group[np.unique(np.linspace(0, len(group) - 1, most).astype(int))]
        ax.plot(time, some.T, color=GREY, linewidth=0.4, alpha=0.5)
        ax.plot(time, np.median(group, axis=0), color=BLUE, linewidth=2)
        ax.set(xlim=(0, time[-1]), ylim=(-0.03, 1.03), xlabel="time (s)", yticks=(0, 1))
        ax.set_title(title, fontsize=9)
    axes[0].set_ylabel("share of the window")
    return figure


def territories(
    rows: Mapping[str, Mapping[str, np.ndarray]], rate: float, leads: Sequence[str], marked: str = ""
) -> Figure:
    """Draw typical beats on ECG paper: a row for each group, a column for each lead.

    Parameters
    ----------
    rows : mapping of str to mapping of str to ndarray, shape (samples, leads)
        By group, then by phase: the first phase is drawn thin and black, the second thick and blue. In mV.
    rate : float
        Hz.
    leads : sequence of str
        The columns of every array.
    marked : str
        A lead to print in bold.
    """
    length = max(len(beat) for phases in rows.values() for beat in phases.values()) / rate
    across, down, left = 5 * np.ceil((SPEED * length + 4) / 5), 25.0, 35.0
    width, height = left + across * len(leads) + 5, down * len(rows) + 20
    figure, axes = sheet(width, height)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
    for column, lead in enumerate(leads):
        weight = "bold" if lead == marked else "normal"
        place = (left + across * (column + 0.5), height - 5)
        axes.text(*place, lead, ha="center", va="center", fontsize=10, weight=weight, bbox=box)
    styles = ((INK, 0.8), (MARK, 1.6))
    names = list(dict.fromkeys(phase for phases in rows.values() for phase in phases))
    for row, (group, phases) in enumerate(rows.items()):
        level = height - 10 - down * (row + 0.6)
        axes.text(3, level, group, va="center", fontsize=9, bbox=box)
        for phase, beat in phases.items():
            if beat.shape[1] != len(leads):
                raise InputError(f"{group}: {beat.shape[1]} columns cannot be drawn as {len(leads)} leads.")
            colour, thickness = styles[names.index(phase) % 2]
            for column in range(len(leads)):
                x = left + 2 + across * column + SPEED * np.arange(len(beat)) / rate
                axes.plot(x, level + GAIN * beat[:, column], color=colour, linewidth=thickness)
    handles = [axes.plot([], [], color=c, linewidth=w)[0] for c, w in styles[: len(names)]]
    axes.legend(handles, names, loc="lower right", ncols=len(names), fontsize=8, frameon=True, borderpad=0.3)
    axes.text(3, 4, f"{SPEED:g} mm/s  {GAIN:g} mm/mV", va="center", fontsize=8, bbox=box)
    return figure


def shares(arms: Mapping[str, Mapping[float, Mapping[str, float]]], measure: str, floor: float = 0) -> Figure:
    """Draw a score against the share of the patients that a network learns from.

    Parameters
    ----------
    arms : mapping of str to mapping of float to mapping
        By arm and share: ``{"value", "low", "high"}``, from 0 to 1. Up to three arms.
    measure : str
        Label of the axis.
    floor : float
        Where the axis begins; a score that costs nothing, such as that of a coin, helps to read it.
    """
    figure, (ax,) = _axes(5.2, 3.1)
    for shift, (arm, by_share), (colour, marker, dash) in zip(
        (0.93, 1, 1.07), arms.items(), _STYLES, strict=False
    ):
        at = np.array(sorted(by_share))
        value, low, high = (np.array([by_share[s][k] for s in at]) for k in ("value", "low", "high"))
        whiskers = np.maximum([value - low, high - value], 0)
        style = {"color": colour, "marker": marker, "linestyle": dash, "markersize": 6, "capsize": 3}
        ax.errorbar(shift * at, value, whiskers, label=arm, elinewidth=0.8, **style)
    ax.set_xscale("log")
    ticks = sorted({share for by_share in arms.values() for share in by_share})
    ax.set_xticks(ticks, [f"{100 * share:g} %" for share in ticks])
    ax.minorticks_off()
    ax.set(xlabel="share of the patients to learn from", ylabel=measure, ylim=(floor, 1))
    ax.yaxis.set_major_formatter(_percent())
    ax.grid(axis="y", color="0.9")
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def unusual(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]], early: str, alike: str, most: float = 2
) -> Figure:
    """Draw how early each beat comes against how much it looks like the usual beat of its heart.

    Parameters
    ----------
    groups : mapping of str to (ndarray, ndarray), each of shape (n,)
        By class, up to three, the last in front: the two numbers of every beat; 1 is what is usual.
    early, alike : str
        Labels of the axes.
    most : float
        Where the axis of `early` ends; it begins at 0.
    """
    figure, (ax,) = _axes(5.8, 3.4)
    styles = ((GREY, "s", 0.25), (VERMILION, "^", 0.6), (BLUE, "o", 0.6))
    for (name, (x, y)), (colour, marker, alpha) in zip(groups.items(), styles, strict=False):
        ax.plot(x, y, marker, color=colour, markersize=3.5, alpha=alpha, markeredgewidth=0, label=name)
    ax.axvline(1, color="0.8", linewidth=1, zorder=0)
    ax.set(xlabel=early, ylabel=alike, xlim=(0, most))
    keys = ax.legend(frameon=False, fontsize=9, markerscale=2, loc="lower right")
    for handle in keys.legend_handles:
        handle.set_alpha(1)
    return figure
