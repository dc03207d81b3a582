"""Heartbeats: where they are, and what the typical beat of a recording looks like."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import scipy.signal

from ecg_lessons.data.recordings import Recording
from ecg_lessons.errors import InputError

#: The median beat of the lessons: samples per second, and seconds before and after the R peak.
BEAT_RATE = 250
BEAT_BEFORE, BEAT_AFTER = 0.3, 0.5
BEAT_SAMPLES = round((BEAT_BEFORE + BEAT_AFTER) * BEAT_RATE)
#: The columns of `rr_intervals`, in s.
RR = ("previous", "next", "local")


def filled(signal: np.ndarray) -> np.ndarray:
    """Draw straight lines over missing samples (NaN) along the first axis; a lead of nothing else becomes 0.

    Filters need a value everywhere. What they make of a gap is taken out again: see `resample` and `bandpass`.
    """
    if np.isfinite(signal).all():
        return signal
    lead = signal.reshape(len(signal), -1).copy()
    for column in lead.T:
        there = np.isfinite(column)
        column[~there] = np.interp(np.flatnonzero(~there), np.flatnonzero(there), column[there]) if there.any() else 0
    return lead.reshape(signal.shape)


def resample(signal: np.ndarray, rate: float, new_rate: float) -> np.ndarray:
    """Change the sampling rate along the first axis, with the anti-alias filter of `resample_poly`; gaps stay gaps."""
    ratio = Fraction(new_rate / rate).limit_denominator(1000)
    if ratio == 1:
        return signal

    def change(signal: np.ndarray) -> np.ndarray:
        whole = filled(signal)
        padded = scipy.signal.resample_poly(whole, ratio.numerator, ratio.denominator, axis=0, padtype="line")
        padded = padded.astype(signal.dtype)
        if whole is not signal:
            before = np.minimum(np.arange(len(padded)) * ratio.denominator // ratio.numerator, len(signal) - 1)
            padded[np.isnan(signal)[before] | np.isnan(signal)[np.minimum(before + 1, len(signal) - 1)]] = np.nan
        return padded

    return _by_hour(signal, rate, change, ratio)


def _by_hour(
    signal: np.ndarray, rate: float, change: Callable[[np.ndarray], np.ndarray], ratio: Fraction = Fraction(1)
) -> np.ndarray:
    """Change a long recording an hour after the other: filters make copies, and count in double precision.

    Ten seconds around each hour take part. `ratio` is that of the new length to the old one.
    """
    hour, around = (-(-round(seconds * rate) // ratio.denominator) * ratio.denominator for seconds in (3600, 10))
    if len(signal) <= 2 * hour:
        return change(signal)
    made = []
    for start in range(0, len(signal), hour):
        first = max(0, start - around)
        within = slice(*((place - first) * ratio.numerator // ratio.denominator for place in (start, start + hour)))
        made.append(change(signal[first : start + hour + around])[within])
    return np.concatenate(made)


def bandpass(signal: np.ndarray, rate: float, low: float = 0.5, high: float = 40.0) -> np.ndarray:
    """Remove baseline wander and mains hum without shifting waves in time (Butterworth, both ways); gaps stay gaps.

    A slow recording has nothing above half its rate: there the band ends below it.
    """
    sections = _sections(low, min(high, 0.45 * rate), rate)

    def change(signal: np.ndarray) -> np.ndarray:
        whole = filled(signal)
        found = scipy.signal.sosfiltfilt(sections, whole, axis=0).astype(np.float32)
        if whole is not signal:
            found[np.isnan(signal)] = np.nan
        return found

    return _by_hour(signal, rate, change)


@cache  # its design takes a third of the time in which ten seconds of twelve leads are filtered
def _sections(low: float, high: float, rate: float) -> np.ndarray:
    return scipy.signal.butter(2, (low, high), "bandpass", fs=rate, output="sos")


def r_peaks(signal: np.ndarray, rate: float, new_rate: float | None = None) -> np.ndarray:
    """Find the R peaks, at least 300 ms apart, from all leads together, (samples, leads); none in a gap.

    The detector looks at the root mean square over the leads, which exchanged electrodes leave as it is: the same peaks
    are found before and after. With a `new_rate` they are looked for, and told, in the signal at that rate. Of a long
    recording an hour is looked at after the other: filters take memory.
    """
    new_rate = new_rate or rate
    hour, around, length = round(3600 * rate), round(5 * rate), len(signal)
    if length <= 2 * hour:
        return _r_peaks(resample(signal, rate, new_rate), new_rate)
    found = []
    for start in range(0, length, hour):
        first = max(0, start - around)
        stretch = resample(signal[first : start + hour + around], rate, new_rate)
        peaks = _r_peaks(stretch, new_rate) + round(first * new_rate / rate)
        within = (np.array([start, start + hour]) * new_rate / rate).round()
        found.append(peaks[(peaks >= within[0]) & (peaks < within[1])])
    found = np.concatenate(found)
    return found[np.diff(found, prepend=-new_rate) >= 0.3 * new_rate]


def _r_peaks(signal: np.ndarray, rate: float) -> np.ndarray:
    band = bandpass(signal, rate, 5.0, 25.0)
    gap = np.isnan(band).all(axis=1)
    energy = np.sqrt((np.nan_to_num(band, copy=False) ** 2).mean(axis=1))
    width = round(0.06 * rate)
    energy = np.convolve(energy, np.hanning(width) / np.hanning(width).sum(), mode="same")
    energy[gap] = 0
    # A robust maximum: one second at a time, so that a burst of noise does not set the threshold.
    seconds = np.array([chunk.max() for chunk in np.array_split(energy, max(1, round(len(energy) / rate / 1.5)))])
    height = 0.4 * np.median(seconds[seconds > 0] if gap.any() and seconds.any() else seconds)
    return scipy.signal.find_peaks(energy, height=height, distance=round(0.3 * rate))[0]


def median_beat(signal: np.ndarray, rate: float) -> np.ndarray:
    """Give the median beat of a recording of at least 1 s, its median level taken off: (BEAT_SAMPLES, leads).

    Beats that touch a gap do not count.
    """
    signal = bandpass(resample(signal, rate, BEAT_RATE), BEAT_RATE)
    before, peaks = round(BEAT_BEFORE * BEAT_RATE), r_peaks(signal, BEAT_RATE)
    whole = peaks[(peaks >= before) & (peaks <= len(signal) - (BEAT_SAMPLES - before))]
    around = np.arange(-before, BEAT_SAMPLES - before)
    if np.isnan(signal).any():
        whole = whole[np.isfinite(signal[whole[:, None] + around]).all(axis=(1, 2))]
        if not len(whole):
            raise InputError("No beat lies between the gaps of this recording: give one with fewer missing samples.")
    if not len(whole):  # a very slow heart or a very short strip: take the strongest place that fits
        fits = signal[before : len(signal) - BEAT_SAMPLES + before + 1]
        whole = np.array([before + np.abs(fits).sum(axis=1).argmax()])
    beat = np.median(signal[whole[:, None] + around], axis=0)
    return beat - np.median(beat, axis=0)


def lead(recording: Recording, *names: str) -> np.ndarray:
    """Give the first of some leads that a recording has, shape (samples,), in mV.

    By name, not by place: record 114 of the MIT-BIH database has MLII second, 102 and 104 do not have it.
    """
    for name in names:
        if name in recording.leads:
            return recording.signal[:, recording.leads.index(name)]
    what = f"has no lead {' or '.join(names)}, only {', '.join(recording.leads)}"
    raise InputError(f"Record {recording.name} {what}: name one of these, or leave the record out.")


def windows(signal: np.ndarray, samples: np.ndarray, before: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut windows around beats, `before` samples and `after`, where they lie inside and touch no gap; tell which."""
    width, shape = before + after, signal.shape[1:]
    start = np.asarray(samples, dtype=int) - before
    fits = (start >= 0) & (start + width <= len(signal))
    fits[fits] = without_gaps(signal, start[fits], start[fits] + width)
    if not fits.any():
        return np.empty((0, width, *shape), signal.dtype), fits
    # One row of memory per window: seven times faster than a loop over slices, and no table of indices.
    step, flat = int(np.prod(shape)), np.ascontiguousarray(signal).reshape(-1)
    cut = np.lib.stride_tricks.sliding_window_view(flat, width * step)[start[fits] * step]
    return cut.reshape(-1, width, *shape), fits


def without_gaps(signal: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Tell the stretches of a signal in which no sample is missing."""
    missing = np.isnan(signal)
    if not missing.any():
        return np.ones(len(start), bool)
    before = np.append(0, np.cumsum(missing.reshape(len(signal), -1).any(axis=1)))
    return before[stop] == before[start]


def rr_intervals(samples: np.ndarray, rate: float) -> np.ndarray:
    """Measure the distances in s between the beats of one recording: `RR`, float32 (beats, 3); NaN of a single beat.

    The local one is the mean of the last ten intervals up to this beat (fewer at the start). The first beat borrows the
    interval after it, the last the one before it.
    """
    interval = np.diff(samples) / rate
    if not len(interval):
        return np.full((len(samples), 3), np.nan, np.float32)
    previous, following = np.append(interval[:1], interval), np.append(interval, interval[-1:])
    total = np.append(0, np.cumsum(previous))
    first = np.maximum(np.arange(len(samples)) - 9, 0)
    local = (total[1:] - total[first]) / (np.arange(1, len(samples) + 1) - first)
    return np.stack([previous, following, local], axis=1).astype(np.float32)
