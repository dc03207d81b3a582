"""What figures share: colours, empty panels, axes, keys, curves with their intervals.

Colours are those of Okabe and Ito (2008), which people with any colour vision tell apart; where two bars or
lines meet, they also differ in lightness, hatching or dash, so that a grey print can be read.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ecg_lessons.errors import InputError

BLUE, VERMILION, SKY, GREY = "#0072b2", "#d55e00", "#56b4e9", "#6e6e6e"
#: By arm and place on the axis: ``{"value", "low", "high"}``, from 0 to 1.
Curves = Mapping[str, Mapping[float, Mapping[str, float]]]
#: Arrays by the name under which they are drawn.
Groups = Mapping[str, np.ndarray]
Panels = tuple[Figure, list[Axes]]
#: Up to three groups in one picture, by colour, marker and dash.
LOOKS = ((GREY, "s", "-"), (BLUE, "o", "--"), (VERMILION, "^", ":"))


def panels(width: float, height: float, columns: int = 1, rows: int = 1, framed: bool = False, **options) -> Panels:
    """Give an empty figure (inches) and its panels, row by row; `options` are those of `Figure.subplots`."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).ravel())
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(framed)
    return figure, axes


def percent(*axes: Axis, decimals: int | None = None) -> None:
    """Write shares as per cent, with as many decimals as the axis needs unless said."""
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1, decimals, " %"))


def key(figure: Figure, columns: int, place: str = "upper center", **handles) -> Figure:
    """Explain colours and markers beside the panels."""
    figure.legend(loc=f"outside {place}", ncols=columns, frameon=False, fontsize=8, **handles)
    return figure


def class_rows(ax: Axes, names: Sequence[str], measure: str, **limits) -> None:
    """Set one row a class, the first on top, against a share, with its limits."""
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel=measure, axisbelow=True)
    ax.set_xlim(**limits)
    percent(ax.xaxis, decimals=0)
    ax.grid(axis="x", color="0.9")


def interval(ax: Axes, score: Mapping[str, float], row: float, look: Sequence[str], width: float, off=0.0) -> None:
    """Mark a score, ``{"value", "low", "high"}``, in a row, and `off` it its interval, where there is one."""
    colour, marker, *_ = look
    if score["low"] is not None:
        ax.plot([score["low"], score["high"]], [row + off] * 2, color=colour, linewidth=width)
    ax.plot(score["value"], row, marker, color=colour, markersize=7)


def curves(size: tuple, arms: Curves, looks: Sequence, places: Sequence[Callable], tick: Callable, **axes) -> Figure:
    """Draw up to three arms, each moved to a place of its own along the axis; `axes` is what `Axes.set` takes."""
    figure, (ax,) = panels(*size)
    ax.set(xscale=axes.pop("xscale", "linear"))
    for (arm, curve), (colour, marker, dash), place in zip(arms.items(), looks, places, strict=False):
        at = np.array(sorted(curve))
        value, low, high = np.array([[curve[x][part] for x in at] for part in ("value", "low", "high")], float)
        style = {"color": colour, "marker": marker, "linestyle": dash, "markersize": 6, "capsize": 3}
        ax.errorbar(place(at), value, whiskers(value, low, high), label=arm, elinewidth=0.8, **style)
    ticks = sorted({x for curve in arms.values() for x in curve})
    ax.set(xticks=ticks, xticklabels=[tick(x) for x in ticks], **axes)
    ax.minorticks_off()
    percent(ax.yaxis)
    ax.grid(axis="y", color="0.9")
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def whiskers(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Give the lengths of error bars, none of them negative."""
    return np.maximum([value - low, high - value], 0)


def typical_beats(groups: Groups, rate: float, before: int, most: int, height: float, measure: str) -> Panels:
    """Draw some beats (n, samples) of every group, one panel a group, the median of all in front."""
    figure, axes = panels(1.6 * len(groups), height, len(groups))
    for ax, (title, group) in zip(axes, groups.items(), strict=True):
        if not len(group):
            raise InputError(f"There is no beat of {title} to draw: leave it out.")
        time = (np.arange(group.shape[1]) - before) / rate
        some = group[np.unique(np.linspace(0, len(group) - 1, most).astype(int))]
        ax.plot(time, some.T, color=GREY, linewidth=0.4, alpha=0.5)
        ax.plot(time, np.median(group, axis=0), color=BLUE, linewidth=2)
        ax.set(xlim=(time[0], time[-1]), xlabel="time (s)")
        ax.set_title(title, fontsize=9)
    axes[0].set_ylabel(measure)
    return figure, axes


def head(ax: Axes, title: str, measure: str, size: int = 8) -> None:
    """Head one of several panels that stand one below the other, and say what it measures."""
    ax.set_title(title, fontsize=9, loc="left", pad=2)
    ax.set_ylabel(measure, fontsize=size)
    ax.tick_params(labelsize=size)


def legend(figure: Figure, axes: Sequence[Axes], shade, label: str, **options) -> None:
    """Set a scale of colours beside panels."""
    bar = figure.colorbar(shade, ax=axes, **options)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
