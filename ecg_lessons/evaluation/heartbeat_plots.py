"""Pictures of beats cut and compared, and of infarctions by territory. Functions give a Figure and show nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import BLUE, GREY, LOOKS, SKY, VERMILION, Curves, curves, key, panels, typical_beats
from ecg_lessons.evaluation.paper import GAIN, INK, MARK, SCALE, SPEED, sheet


def peaks(scaled: np.ndarray, rate: float, found: np.ndarray, annotated: np.ndarray, cut: slice) -> Figure:
    """Draw a window scaled to [0, 1] with the peaks above 0.9, and those of all R peaks that this rule misses."""
    figure, (ax,) = panels(7.5, 2.5)
    time = np.arange(len(scaled)) / rate
    apart = [np.abs(found - peak).min(initial=len(scaled)) > round(0.15 * rate) for peak in annotated]
    missed = np.asarray(annotated, int)[np.array(apart, bool)]
    ax.axvspan(cut.start / rate, cut.stop / rate, color=SKY, alpha=0.3, linewidth=0, label="one beat: 1.2 T")
    ax.plot(time, scaled, color=INK, linewidth=0.9)
    ax.axhline(0.9, color=GREY, linewidth=1, linestyle="--")
    ax.plot(found / rate, scaled[found], "o", color=BLUE, markersize=6, label="above 0.9: found")
    style = {"color": VERMILION, "markersize": 7, "fillstyle": "none", "markeredgewidth": 1.5}
    ax.plot(missed / rate, scaled[missed], "v", label="below: missed", **style)
    ax.set(xlabel="time (s)", ylabel="share of the window", xlim=(0, time[-1]), ylim=(-0.03, 1.08))
    return key(figure, 3)


def beats(groups: Mapping[str, np.ndarray], rate: float, most: int = 40) -> Figure:
    """Draw some beats (n, samples) of every group, one panel a group, the median of all in front."""
    figure, axes = typical_beats(groups, rate, 0, most, 2.1, "share of the window")
    for ax in axes:
        ax.set(ylim=(-0.03, 1.03), yticks=(0, 1))
    return figure


def territories(rows: Mapping[str, Mapping], rate: float, leads: Sequence[str], marked: str = "") -> Figure:
    """Draw typical beats on ECG paper: a row for each group, a column for each lead; one may be printed in bold.

    By group and phase a beat (samples, leads) in mV: the first phase is thin and black, the second thick and blue.
    """
    length = max(len(beat) for phases in rows.values() for beat in phases.values()) / rate
    across, down, left = 5 * np.ceil((SPEED * length + 4) / 5), 25.0, 35.0
    height = down * len(rows) + 20
    figure, axes = sheet(left + across * len(leads) + 5, height)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
    for column, lead in enumerate(leads):
        style = {"fontsize": 10, "weight": "bold" if lead == marked else "normal", "bbox": box}
        axes.text(left + across * (column + 0.5), height - 5, lead, ha="center", va="center", **style)
    styles = ((INK, 0.8), (MARK, 1.6))
    names = list(dict.fromkeys(phase for phases in rows.values() for phase in phases))
    for row, (group, phases) in enumerate(rows.items()):
        level = height - 10 - down * (row + 0.6)
        axes.text(3, level, group, va="center", fontsize=9, bbox=box)
        for phase, beat in phases.items():
            if beat.shape[1] != len(leads):
                raise InputError(f"{group}: {beat.shape[1]} columns cannot be drawn as {len(leads)} leads.")
            colour, thickness = styles[names.index(phase) % 2]
            x = left + 2 + across * np.arange(len(leads)) + SPEED * np.arange(len(beat))[:, None] / rate
            axes.plot(x, level + GAIN * beat, color=colour, linewidth=thickness)
    handles = [axes.plot([], [], color=c, linewidth=w)[0] for c, w in styles[: len(names)]]
    axes.legend(handles, names, loc="lower right", ncols=len(names), fontsize=8, frameon=True, borderpad=0.3)
    axes.text(3, 4, SCALE, va="center", fontsize=8, bbox=box)
    return figure


def shares(arms: Curves, measure: str, floor: float = 0, always: float | None = None) -> Figure:
    """Draw a score against the share of the patients to learn from, with that of always naming one class."""
    places = (lambda at: 0.93 * at, lambda at: at, lambda at: 1.07 * at)
    axes = {"xscale": "log", "xlabel": "share of the patients to learn from", "ylabel": measure, "ylim": (floor, 1)}
    figure = curves((5.2, 3.1), arms, LOOKS, places, lambda share: f"{100 * share:g} %", **axes)
    if always is not None:
        figure.axes[0].axhline(always, color=GREY, linestyle=":", linewidth=1)
    return figure


def unusual(groups: Mapping[str, tuple[np.ndarray, np.ndarray]], early: str, alike: str, most: float = 2) -> Figure:
    """Draw, class by class, how early each beat comes against how much it looks like the usual one (1 is usual)."""
    figure, (ax,) = panels(5.8, 3.4)
    styles = ((GREY, "s", 0.25), (VERMILION, "^", 0.6), (BLUE, "o", 0.6))
    for (name, (x, y)), (colour, marker, alpha) in zip(groups.items(), styles, strict=False):
        ax.plot(x, y, marker, color=colour, markersize=3.5, alpha=alpha, markeredgewidth=0, label=name)
    ax.axvline(1, color="0.8", linewidth=1, zorder=0)
    ax.set(xlabel=early, ylabel=alike, xlim=(0, most))
    for handle in ax.legend(frameon=False, fontsize=9, markerscale=2, loc="lower right").legend_handles:
        handle.set_alpha(1)
    return figure
