"""A verdict on ECG paper, and where the network looked."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_lessons.data.recordings import LEADS, Recording
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import BLUE, VERMILION
from ecg_lessons.evaluation.paper import INK, SPEED, ecg_page, ecg_strip

#: What a sheet holds (s).
SECONDS = 10.0
#: A change of a probability below this is not shaded: it is nothing.
_NOTHING = 0.005
#: The darkest shade lets the paper through, and stands for the largest change, if that is so large.
_DARKEST, _STRONG = 0.55, 0.1


def verdict(
    recording: Recording,
    title: str,
    stretches: np.ndarray,
    change: np.ndarray,
    start: float = 0.0,
    beats: Mapping[float, str] | None = None,
    every_beat: bool = False,
) -> Figure:
    """Draw ten seconds of a recording, shaded where erasing a stretch, (n, 2) in s, changes the verdict's probability.

    Orange: the probability falls, the stretch spoke for the verdict; blue: it rises. Twelve leads are drawn as a page,
    fewer as strips. `beats` are the names of beats by their times (s), written below; stretches of `every_beat` were
    erased together.
    """
    if len(stretches) != len(change):
        raise InputError(f"{len(stretches)} stretches need as many changes of the probability.")
    first, last = (round(at * recording.rate) for at in (start, min(start + SECONDS, recording.seconds)))
    signal = recording.signal[first:last]
    there = [lead for lead, values in zip(recording.leads, signal.T, strict=True) if np.isfinite(values).any()]
    if not there:
        raise InputError(f"Recording {recording.name} has nothing from {start:g} s on: begin elsewhere, with --start.")
    room = np.full((round(SECONDS * recording.rate) - len(signal), signal.shape[1]), np.nan, signal.dtype)
    sheet = np.concatenate([signal, room])  # so wide that the words fit
    leads, draw, left = (LEADS, ecg_page, 25.0) if set(LEADS) <= set(there) else (there, ecg_strip, 20.0)
    more = {"title": title} | ({} if draw is ecg_page else {"leads": leads})
    figure = draw(sheet[:, [recording.leads.index(lead) for lead in leads]], recording.rate, **more)
    axes = figure.axes[0]
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    strongest = np.nanmax(np.abs(change), initial=0)
    edge = left + SPEED * (last - first) / recording.rate
    for (begin, end), by in zip(left + SPEED * (np.asarray(stretches) - start), change, strict=True):
        begin, end = max(begin, left), min(end, edge)
        if begin < end and abs(by) > _NOTHING:
            style = {"color": VERMILION if by < 0 else BLUE, "alpha": _DARKEST * abs(by) / max(strongest, _STRONG)}
            axes.fill_between((begin, end), 13.5, height - 11.5, linewidth=0, zorder=0.5, **style)
    style = {
        "fontsize": 8,
        "color": INK,
        "va": "center",
        "bbox": {"facecolor": "#fffafa", "edgecolor": "none", "pad": 1},
    }
    for time, name in (beats or {}).items():
        if start <= time < last / recording.rate:
            axes.text(left + SPEED * (time - start), 10.5, name, ha="center", weight="bold", **style)
    axes.text(width - 5, 5, _legend(change, strongest, every_beat), ha="right", **style)
    return figure


def _legend(change: Sequence[float], strongest: float, every_beat: bool) -> str:
    if not strongest > _NOTHING:
        return f"Nothing is shaded: no straight line changes the probability of the verdict by {_NOTHING:g}."
    fall, rise = (float(np.nanmax(sign * np.asarray(change), initial=0)) for sign in (-1, 1))
    told = [f"falls (orange, by {fall:.2f} at most)"] * (fall > _NOTHING)
    told += [f"rises (blue, by {rise:.2f} at most)"] * (rise > _NOTHING)
    line = f"with a straight line there{', in all beats at once,' if every_beat else ''}"
    return f"Shaded: {line} the probability of the verdict {' or '.join(told)}."
