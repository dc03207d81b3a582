"""ECG paper: 25 mm a second, 10 mm a millivolt, true to scale when printed at 100 %."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecg_lessons.data.recordings import LEADS, Recording
from ecg_lessons.errors import InputError

SPEED = 25.0  # mm per second
GAIN = 10.0  # mm per millivolt
SCALE = f"{SPEED:g} mm/s  {GAIN:g} mm/mV"
MM = 1 / 25.4  # one millimetre in inches, matplotlib's unit of length
#: Three rows of four columns, 2.5 s each, as on a hospital's printout.
ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
INK = "#1a1a1a"
MARK = "#0072b2"  # Okabe-Ito blue: stands out from ink and paper for every kind of sight
_SHEET, _THIN, _BOLD = "#fffafa", "#f8dcdc", "#efb4b4"


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """Give a sheet of ECG paper whose data coordinates are millimetres from the lower left corner."""
    # The axes fill the sheet, whatever layout a notebook has chosen for its figures.
    figure = Figure(figsize=(width * MM, height * MM), facecolor=_SHEET, layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    for step, colour, thickness in ((1, _THIN, 0.35), (5, _BOLD, 0.6)):
        lines = {"colors": colour, "linewidths": thickness, "zorder": 0}
        axes.vlines(np.arange(0, width + step, step), 0, height, **lines)
        axes.hlines(np.arange(0, height + step, step), 0, width, **lines)
    return figure, axes


def ecg_page(recording: Recording | np.ndarray, rate=None, title="", highlight: Sequence[str] = (), note="") -> Figure:
    """Draw a 12-lead page, 285 mm x 185 mm: 3 rows of 4 leads, 2.5 s each, and lead II for 10 s as the rhythm strip.

    All rows run on in time: the second column begins at 2.5 s, not at 0. An array is (samples, 12) in mV and needs its
    rate. Leads to highlight are blue and thicker; the note stands below at the right.
    """
    if isinstance(recording, Recording):
        signal, rate, title = recording.twelve(), recording.rate, title or f"Record {recording.name}"
    else:
        signal = np.asarray(recording)
    _check(signal, rate, LEADS, highlight)
    signal = signal[: round(10 * rate)] - np.nanmedian(signal[: round(10 * rate)], axis=0)
    figure, axes = sheet(285, 185)
    left, tops, column = 25.0, (145.0, 110.0, 75.0, 35.0), round(2.5 * rate)
    for top, names in zip(tops, ROWS, strict=False):
        for i, lead in enumerate(names):
            if i:  # the short double stroke that parts two leads
                axes.vlines(left + 62.5 * i, top - 3, top + 3, colors=INK, linewidths=0.6)
            values = signal[i * column : (i + 1) * column, LEADS.index(lead)]
            _trace(axes, values, rate, left + 62.5 * i, top, lead, lead in highlight)
    _trace(axes, signal[:, 1], rate, left, tops[3], "II", "II" in highlight)
    for top in tops:
        _calibration(axes, left - 10, top)
    _letters(axes, 285, 185, title, note)
    return figure


def ecg_strip(signal: np.ndarray, rate: float, leads=("II",), title="", highlight=(), start: float = 0.0) -> Figure:
    """Draw leads (samples, leads) in mV one below the other on ECG paper; `start` (s) is printed where it is not 0."""
    signal = np.asarray(signal).reshape(len(signal), -1)
    _check(signal, rate, leads, highlight)
    signal = signal - np.nanmedian(signal, axis=0)
    # Each lead gets the room that it needs above (15 mm or more) and below its line, in whole big squares.
    up = [5 * np.ceil(max(15, GAIN * high + 3) / 5) for high in np.nanmax(signal, axis=0)]
    down = [5 * np.ceil(max(5, 2 - GAIN * low) / 5) for low in np.nanmin(signal, axis=0)]
    width, height = 5 * np.ceil((len(signal) / rate * SPEED + 25) / 5), 20.0 + sum(up) + sum(down)
    figure, axes = sheet(width, height)
    level = height - 10
    for i, lead in enumerate(leads):
        level -= up[i]
        _trace(axes, signal[:, i], rate, 20.0, level, lead, lead in highlight)
        _calibration(axes, 10.0, level)
        level -= down[i]
    _letters(axes, width, height, title, f"from {start:g} s" if start else "")
    return figure


def _trace(axes: Axes, values: np.ndarray, rate: float, left: float, level: float, lead: str, marked: bool) -> None:
    # From `left` at the height `level` (mm); its name stands above its beginning.
    colour, width = (MARK, 1.3) if marked else (INK, 0.75)
    x = left + SPEED * np.arange(len(values)) / rate
    axes.plot(x, level + GAIN * values, color=colour, linewidth=width, solid_joinstyle="round", label=lead)
    style = {"weight": "bold" if marked else "normal", "bbox": {"facecolor": _SHEET, "edgecolor": "none", "pad": 0.6}}
    axes.text(left + 2, level + 11, lead, fontsize=9, color=colour, zorder=1, **style)


def _calibration(axes: Axes, left: float, level: float) -> None:
    x = left + np.array([0, 1.5, 1.5, 6.5, 6.5, 8])
    axes.plot(x, level + GAIN * np.array([0, 0, 1, 1, 0, 0]), color=INK, linewidth=0.75, label="1 mV")


def _letters(axes: Axes, width: float, height: float, title: str, note: str) -> None:
    style = {"fontsize": 8, "color": INK, "bbox": {"facecolor": _SHEET, "edgecolor": "none", "pad": 1.0}}
    if title:
        axes.text(10, height - 7.5, title, weight="bold", va="center", **style)
    axes.text(10, 5, SCALE, va="center", **style)
    if note:
        axes.text(width - 5, 5, note, va="center", ha="right", **style)


def _check(signal: np.ndarray, rate: float | None, leads: Sequence[str], marked: Sequence[str]) -> None:
    if rate is None or not rate > 0:
        raise InputError("An array needs its sampling rate in Hz to be drawn: give rate=500, for example.")
    if signal.ndim != 2 or signal.shape[1] != len(leads) or not len(signal):
        what = f"An array of shape {signal.shape} cannot be drawn as {len(leads)} leads ({', '.join(leads)})"
        raise InputError(f"{what}: give one column per lead.")
    if unknown := [name for name in marked if name not in leads]:
        raise InputError(f"There is no lead {unknown[0]!r} to mark: the leads are {', '.join(leads)}.")
