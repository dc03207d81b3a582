"""Beats as Kachuee et al. (2018, https://arxiv.org/abs/1805.00794) cut them, with their patients.

A recording is resampled to 125 Hz and divided into windows of 10 s, each scaled to [0, 1]. T is the median distance
of the R peaks in a window. A beat is the stretch of 1.2 T from its R peak on, zero-padded to 187 samples; a longer
one is cut. The rules differ in the R peaks: `published` takes the local maxima above 0.9, as the paper says;
`annotated` takes the cardiologists' annotations, which finds every beat.

Three things the paper leaves open. A stretch may run past the end of its window into the next one; it keeps the
scale of its own window and is clipped to [0, 1]. At the end of the recording it is padded with zeros, so the last
beat is kept, though cut short. What remains after the last whole window belongs to that window.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import scipy.signal

from ecg_lessons.data.recordings import Recording
from ecg_lessons.signals import beats, labels
from ecg_lessons.signals.beat_sets import table, together

#: Hz, samples of a beat, and seconds of a window.
RATE, SAMPLES, WINDOW = 125, 187, 10
#: R peaks are maxima above this share of the window's range; a beat is this many median RR intervals long.
HEIGHT, STRETCH = 0.9, 1.2
#: A found peak takes the label of an annotation at most so far away, in s (the tolerance of ANSI/AAMI EC57).
TOLERANCE = 0.15
LEADS = ("MLII", "V5")
#: So many beats are cut at a time: the places of a day of them would take more memory than the day.
_CHUNK = 4096


def annotated(recordings: Iterable[Recording], leads: Collection[str] = LEADS) -> tuple[np.ndarray, pd.DataFrame]:
    """Cut every annotated beat into float32 (beats, SAMPLES) in [0, 1]: the rule that keeps them all.

    T is the median distance of the annotated peaks in the same window of 10 s; that of the whole recording where a
    window has one peak only. Flutter waves count as peaks and are not cut. The whole MIT-BIH database gives 109,494
    beats; without the last of each of its 48 records they are 109,446, as many as the published CSV files hold. V5
    serves where a record has no MLII (102 and 104). Rows of `beat_sets.table` come with `label`, the AAMI class.
    """
    cut, info = [], []
    for recording in recordings:
        strip = _Strip.of(recording, leads)
        rows = table(recording)
        peaks = strip.places(rows["sample"].to_numpy(), recording.rate)
        period = strip.periods(peaks)
        usual = np.median(np.diff(peaks)) if len(peaks) > 1 else SAMPLES / STRETCH
        rows["label"] = rows["symbol"].map(labels.AAMI)
        period = np.where(np.isnan(period), usual, period)
        wanted = rows["label"].notna().to_numpy() & strip.without_gaps(peaks, period)
        cut.append(strip.cut(peaks[wanted], period[wanted]))
        info.append(rows[wanted])
    return together(cut, info)


def published(recordings: Iterable[Recording], leads: Collection[str] = LEADS) -> tuple[np.ndarray, pd.DataFrame]:
    """Cut the beats of annotated recordings as `annotated` does, but at the peaks that the paper's rule finds.

    The rows hold `record`, `patient`, `symbol` and `label` (AAMI) of the nearest annotation, `sample` and `time` (s) of
    the found peak, `previous`, `next`, `local` (s) between found peaks. ``info.attrs["dropped"]`` counts the peaks left
    out: ``alone`` in their window, so that it has no T, and ``unlabelled``, without an annotated beat within TOLERANCE.
    """
    cut, info, alone, unlabelled = [], [], 0, 0
    for recording in recordings:
        marks = table(recording)
        strip = _Strip.of(recording, leads)
        rows, peaks, period = _by_height(recording, strip)
        marked, found = marks["sample"].to_numpy(), rows["sample"].to_numpy()
        after = np.searchsorted(marked, found).clip(0, len(marked) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(marked[before] - found) <= np.abs(marked[after] - found), before, after)
        rows["symbol"] = marks["symbol"].to_numpy()[nearest]
        near = np.abs(marked[nearest] - found) <= TOLERANCE * recording.rate
        rows["label"] = rows["symbol"].map(labels.AAMI).where(near)
        regular = ~np.isnan(period) & strip.without_gaps(peaks, period)
        known = rows["label"].notna().to_numpy()
        alone += int((~regular).sum())
        unlabelled += int((regular & ~known).sum())
        wanted = regular & known
        cut.append(strip.cut(peaks[wanted], period[wanted]))
        info.append(rows[wanted])
    x, rows = together(cut, info)
    rows.attrs["dropped"] = {"alone": alone, "unlabelled": unlabelled}
    return x, rows


def beat_of_diagnosis(recording: Recording, label: str, lead: str = "II") -> tuple[np.ndarray, pd.DataFrame]:
    """Cut the beats of a recording without annotations, and call them all by its diagnosis, as the paper did.

    A window with fewer than two peaks above 0.9 gives no beat. Gives what `published` does, without `symbol`.
    """
    strip = _Strip.of(recording, (lead,))
    rows, peaks, period = _by_height(recording, strip)
    regular = ~np.isnan(period) & strip.without_gaps(peaks, period)
    return strip.cut(peaks[regular], period[regular]), rows[regular].reset_index(drop=True).assign(label=label)


@dataclass(frozen=True)
class _Strip:
    """One lead at 125 Hz, with the lowest value and the range of every window."""

    signal: np.ndarray
    low: np.ndarray
    span: np.ndarray

    @classmethod
    def of(cls, recording: Recording, leads: Collection[str]) -> Self:
        signal = beats.resample(beats.lead(recording, *leads), recording.rate, RATE)
        starts = np.arange(max(1, len(signal) // (RATE * WINDOW))) * (RATE * WINDOW)
        low = np.fmin.reduceat(signal, starts)  # of what is there
        span = np.fmax.reduceat(signal, starts) - low
        return cls(signal, low, np.where(span > 0, span, 1))

    def window(self, places: np.ndarray) -> np.ndarray:
        """Tell in which window a place is."""
        return np.minimum(places // (RATE * WINDOW), len(self.low) - 1)

    def places(self, samples: np.ndarray, rate: float) -> np.ndarray:
        """Turn samples of the recording into samples at 125 Hz."""
        return np.minimum(np.round(samples * (RATE / rate)).astype(int), len(self.signal) - 1)

    def periods(self, peaks: np.ndarray) -> np.ndarray:
        """Give T in samples for every peak; NaN where it is alone in its window."""
        window = self.window(peaks)
        inside = np.diff(window) == 0
        return pd.Series(np.diff(peaks)[inside]).groupby(window[1:][inside]).median().reindex(window).to_numpy(float)

    def without_gaps(self, peaks: np.ndarray, period: np.ndarray) -> np.ndarray:
        """Tell the stretches in which no sample is missing."""
        stop = peaks + np.minimum(np.round(STRETCH * np.nan_to_num(period)).astype(int), SAMPLES)
        return beats.without_gaps(self.signal, peaks, np.minimum(stop, len(self.signal)))

    def cut(self, peaks: np.ndarray, period: np.ndarray) -> np.ndarray:
        """Cut and scale the stretches, some at a time; zeros follow short ones, and stand after the recording's end."""
        made = np.empty((len(peaks), SAMPLES), np.float32)
        for start in range(0, len(peaks), _CHUNK):
            some, length = (part[start : start + _CHUNK, None] for part in (peaks, np.round(STRETCH * period)))
            place, window = some + np.arange(SAMPLES), self.window(some)
            inside = (np.arange(SAMPLES) < length) & (place < len(self.signal))
            scaled = (self.signal[np.minimum(place, len(self.signal) - 1)] - self.low[window]) / self.span[window]
            made[start : start + _CHUNK] = np.where(inside, scaled.clip(0, 1), 0)
        return made


def _by_height(recording: Recording, strip: _Strip) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Apply the published rule: a row for every peak, the peaks at 125 Hz, and T in samples."""
    maxima = _maxima(beats.filled(strip.signal))
    maxima = maxima[np.isfinite(strip.signal[maxima])]
    window = strip.window(maxima)
    peaks = maxima[strip.signal[maxima] - strip.low[window] > HEIGHT * strip.span[window]]
    rows = pd.DataFrame({"record": recording.name, "patient": recording.patient, "time": peaks / RATE})
    rows.insert(2, "sample", np.round(peaks * (recording.rate / RATE)).astype(int))
    rows[list(beats.RR)] = beats.rr_intervals(peaks, RATE)
    return rows, peaks, strip.periods(peaks)


def _maxima(signal: np.ndarray) -> np.ndarray:
    """Find where the derivative crosses zero, hour by hour: SciPy takes 20 bytes a sample."""
    found, hour, around = [], 3600 * RATE, 10 * RATE
    for start in range(0, len(signal), hour):
        first = max(0, start - around)
        maxima = first + scipy.signal.find_peaks(signal[first : start + hour + around])[0]
        found.append(maxima[(maxima >= start) & (maxima < start + hour)])
    return np.concatenate(found)
