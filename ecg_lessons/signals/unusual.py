"""How unusual a beat is for its own heart: its place in the rhythm and its shape, against the usual ones.

Sick hearts differ more from one another than the beats of one heart do. A network that is to judge strangers
therefore sees comparisons instead of beats: logarithms of ratios of intervals, and likenesses of waves.
De Chazal et al. (2004, https://doi.org/10.1109/TBME.2004.827359) took the mean intervals of the recording for the
first half; here its usual beat is the second half. No label is looked at, but the whole recording is: this is for
recordings that are over. At the bedside the usual is what the first minutes have shown (`learn` seconds), and what is
around lies in the past, four beats of delay apart.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from ecg_lessons.data.recordings import Recording
from ecg_lessons.signals import beats

#: Hz; samples before the R peak and from it on.
RATE, BEFORE, AFTER = 125, 48, 80
#: Where the waves are, in samples of this window.
WAVES = {"P": (0, 40), "PR": (20, 42), "QRS": (36, 62), "T": (62, 110), "beat": (0, BEFORE + AFTER)}
ALL = slice(None)
#: Neighbours on both sides that tell what is usual at the moment.
AROUND = 20
#: Beats before and after whose intervals are seen one by one.
SEEN = range(-3, 5)
#: Quantiles of the intervals, of the recording and around, that stand for a heart that nothing disturbs: long ones,
#: since half of all beats and more can be premature.
LONG, LONG_AROUND = 0.9, 0.8
#: An interval this much (logarithm) below a long one is early: 14 %.
EARLY = 0.15
#: Logarithms of ratios beyond this, a factor of 4.5, say no more.
MOST = 1.5
#: To make `thinned` hearts: how many premature beats one needs, and of the normal beats after them keep every k-th.
PREMATURE, KEPT = 50, (1, 2, 3, 5)
RHYTHM = (
    *(f"RR {k:+d}" for k in SEEN),
    "RR by usual", "RR by last ten", "RR by median around", "RR by long around",
    "next by usual", "next by last ten", "next by median around", "next by long around",
    "median around", "long around", "changes", "large changes", "early beats", "spread",
)  # fmt: skip
SHAPE = (
    *(f"{wave} {what}" for wave in WAVES for what in ("likeness", "difference", "size")),
    "QRS slopes", "QRS slopes by usual", "QRS width", "QRS width over usual", "P steady",
)  # fmt: skip
NAMES = (*RHYTHM, *SHAPE)


def comparisons(
    recordings: Iterable[Recording], info: pd.DataFrame, leads: Collection[str], learn: float | None = None
) -> np.ndarray:
    """Compare beats, rows of `beat_sets.table`, with what is usual for their heart: float32 (beats, len(NAMES)).

    What is usual is taken from the whole recording, or from the first `learn` seconds, or ten beats if they are more.
    """
    return _each(recordings, [info], leads, learn)[0]


def _each(
    recordings: Iterable[Recording], tables: Sequence[pd.DataFrame], leads: Collection[str], learn: float | None
) -> list[np.ndarray]:
    made = [np.zeros((len(info), len(NAMES)), np.float32) for info in tables]
    rows_of = [info.groupby("record").indices for info in tables]
    for recording in recordings:
        if not any(recording.name in rows for rows in rows_of):
            continue
        signal = beats.resample(beats.lead(recording, *leads), recording.rate, RATE)
        padded = np.pad(beats.filled(beats.bandpass(signal, RATE)), (BEFORE, AFTER), mode="edge")
        for info, rows, to in zip(tables, (of.get(recording.name) for of in rows_of), made, strict=True):
            if rows is not None:
                heart = info.iloc[rows]
                place = np.round(heart["sample"].to_numpy() * (RATE / recording.rate)).astype(int)
                cut = np.lib.stride_tricks.sliding_window_view(padded, BEFORE + AFTER)
                window = cut[np.minimum(place, len(signal) - 1)]
                first = np.arange(len(rows)) < max(10, (heart["time"] < (np.inf if learn is None else learn)).sum())
                past = learn is not None
                to[rows] = np.hstack([rhythm(heart, first, past), shape(window, in_time(heart, first), first, past)])
    return made


def thinned(
    recordings: Iterable[Recording], info: pd.DataFrame, leads: Collection[str], learn: float | None = None
) -> np.ndarray:
    """Compare beats as if their heart had hardly any but premature ones: float32 (beats, len(KEPT), len(NAMES)).

    There are few such hearts to learn from. These are made from those with at least PREMATURE beats of class S: all of
    them stay, and of the normal beats that follow one, each with the pause before it, every k-th. It looks at
    ``label``, the AAMI class: for training alone. Zeros for beats that stand in no such heart.
    """
    made = np.zeros((len(info), len(KEPT), len(NAMES)), np.float32)
    is_early = info["label"] == "S"
    premature = (is_early & (is_early.groupby(info["record"]).transform("sum") >= PREMATURE)).to_numpy()
    after = np.flatnonzero(premature[:-1] & (info["label"] == "N").to_numpy()[1:]) + 1
    after = after[info["record"].to_numpy()[after] == info["record"].to_numpy()[after - 1]]
    kept = [np.union1d(np.flatnonzero(premature), after[::step]) for step in KEPT]
    for k, found in enumerate(_each(recordings, [info.iloc[rows] for rows in kept], leads, learn)):
        made[kept[k], k] = found
    return made


def in_time(info: pd.DataFrame, first: slice | np.ndarray = ALL) -> np.ndarray:
    """Mark the beats of one recording that do not come early, by its long intervals, or those of its `first` beats."""
    before = _intervals(info, "previous")
    return (before >= before[first].quantile(LONG) - EARLY).to_numpy()


def rhythm(info: pd.DataFrame, first: slice | np.ndarray = ALL, past: bool = False) -> np.ndarray:
    """Compare the intervals of one recording with its usual ones, or those of its `first` beats: (beats, len(RHYTHM)).

    Logarithms of ratios: the intervals before the beat and its neighbours (SEEN) by the long ones of the recording;
    the intervals before and after the beat by the median of the recording, by the mean of the last ten, by the median
    and by the long ones around; the median around by that of the recording, the long ones around by those of the
    recording. Then how restless the rhythm is around: logarithms of the median and of the 80th percentile of the
    change from beat to beat, of the share of early beats, and of the quartile distance. Where every interval differs,
    as in atrial fibrillation, an early beat means nothing.
    """
    before, after, local = (_intervals(info, name) for name in ("previous", "next", "local"))
    long, usual, near = before[first].quantile(LONG), before[first].median(), _around(before, past)
    of_long, of_median = near.quantile(LONG_AROUND), near.median()
    seen = np.arange(len(info)) + np.array(SEEN)[:, None]
    ratios = list(before.to_numpy()[seen.clip(0, len(info) - 1)] - long)
    ratios += [interval - by for interval in (before, after) for by in (usual, local, of_median, of_long)]
    ratios += [of_median - usual, of_long - long]
    changes = _around(before.diff().abs().shift(-1).ffill().fillna(0), past)
    early = _around((before < of_long - EARLY).astype(float), past).mean()
    restless = [changes.median(), changes.quantile(0.8), early, near.quantile(0.75) - near.quantile(0.25)]
    return np.hstack([np.stack(ratios, axis=1).clip(-MOST, MOST), np.log(np.stack(restless, axis=1) + 0.02)])


def shape(window: np.ndarray, late: np.ndarray, first: slice | np.ndarray = ALL, past: bool = False) -> np.ndarray:
    """Compare the beats of one recording with its usual beat, or that of its `first` beats, wave by wave.

    From windows (beats, BEFORE + AFTER) to (beats, len(SHAPE)). The usual beat is the median over those that did not
    come early (`late`): where most beats are premature, the median over all would be one of them. Of each of WAVES
    the correlation, the mean absolute difference in parts of the usual beat's range, and the logarithm of the ratio
    of the ranges. Of QRS the sum of absolute slopes in parts of the usual range, that by the usual one, and the width
    (spread of the slopes over time, in samples) with its excess over the usual one. And how alike the P waves around
    are that did not come early: in atrial fibrillation there is none.
    """
    usual = np.median(window[first][late[first]], axis=0, keepdims=True)
    span = max(float(np.ptp(usual)), 1e-6)
    window, usual = window / span, usual / span
    made = []
    for begin, end in WAVES.values():
        wave, normal = window[:, begin:end], usual[:, begin:end]
        size = np.log((np.ptp(wave, axis=1) + 0.02) / (np.ptp(normal, axis=1) + 0.02))
        a, b = (rows - rows.mean(axis=1, keepdims=True) for rows in (wave, normal))
        likeness = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1) + 1e-9)  # 0 where flat
        made += [likeness, np.abs(wave - normal).mean(axis=1), size.clip(-MOST, MOST)]
    (slopes, width), (usual_slopes, usual_width) = _slopes(window), _slopes(usual)
    made += [slopes, slopes / (usual_slopes + 1e-3), width, width - usual_width]
    alike = pd.Series(made[0]).where(late)
    made.append(_around(alike, past).median().fillna(alike[first].median()))
    return np.stack(made, axis=1).clip(-10, 10)


def _intervals(info: pd.DataFrame, name: str) -> pd.Series:
    """Give the logarithms of intervals; of a single beat there is none, and nothing unusual."""
    return pd.Series(np.log(info[name].to_numpy(float))).fillna(0)


def _around(values: pd.Series, past: bool = False) -> pd.api.typing.Rolling:
    return values.rolling(2 * AROUND + 1, center=not past, min_periods=1)


def _slopes(window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the sum of the absolute slopes of QRS, and over how many samples those around it spread."""
    first, last = WAVES["QRS"]
    total = np.abs(np.diff(window[:, first:last], axis=1)).sum(axis=1)
    slope = np.abs(np.diff(window[:, first - 6 : last + 8], axis=1)) + 1e-9
    weight, place = slope / slope.sum(axis=1, keepdims=True), np.arange(slope.shape[1])
    middle = (weight * place).sum(axis=1, keepdims=True)
    return total, np.sqrt((weight * (place - middle) ** 2).sum(axis=1))
