"""Whether a recording can be judged at all: how much of it is there, flat leads, impossible heights, no heartbeat."""

import numpy as np

from ecg_lessons.data.recordings import Recording
from ecg_lessons.errors import InputError
from ecg_lessons.signals import beats

#: Between the 1st and the 99th percentile a lead spans more than the first, and less than the second (mV).
FLAT, HUGE = 0.02, 20.0
#: How alike the beats of a recording are at least: the median correlation with their median.
LIKENESS = 0.5
#: Less alike than this, or fewer than this, beats must be so many times as steep as what lies between them.
DOUBTFUL, FEW, CONTRAST = 0.7, 6, 2.1
#: Seconds from the middle that are enough to tell.
_MOST = 300


def spans(signal: np.ndarray, rate: float) -> np.ndarray:
    """Give how far each lead spans in mV, but for baseline and outliers; 0 for a lead that is missing."""
    band = beats.bandpass(signal, rate)
    missing = np.isnan(band).all(axis=0)
    low, high = np.nanpercentile(np.where(missing, 0, band), (1, 99), axis=0)
    return high - low


def beating(signal: np.ndarray, rate: float) -> bool:
    """Tell whether there is a heartbeat that comes again: there is none in white noise and breathing."""
    peaks = beats.r_peaks(signal, rate)
    if len(peaks) < 3 or (alike := likeness(signal, rate, peaks)) < LIKENESS:
        return False
    return (alike >= DOUBTFUL and len(peaks) >= FEW) or contrast(signal, rate, peaks) >= CONTRAST


def likeness(signal: np.ndarray, rate: float, peaks: np.ndarray) -> float:
    """Give how alike the beats around the R peaks are, -1 to 1."""
    band, width = beats.bandpass(signal, rate, 1.0, 30.0), round(0.12 * rate)
    cut, _ = beats.windows(band, peaks, width, width)
    if len(cut) < 3:
        return 0.0
    cut = cut.reshape(len(cut), -1) - cut.reshape(len(cut), -1).mean(axis=1, keepdims=True)
    usual = np.median(cut, axis=0)
    size = np.sqrt((cut**2).sum(axis=1) * (usual**2).sum()) + 1e-9
    return float(np.median(cut @ usual / size))


def contrast(signal: np.ndarray, rate: float, peaks: np.ndarray) -> float:
    """Give how much steeper the signal is around its R peaks than between them: few times in noise."""
    energy = np.sqrt((beats.bandpass(signal, rate, 5.0, 25.0) ** 2).mean(axis=1))
    sample = np.arange(len(energy))
    after = np.searchsorted(peaks, sample).clip(1, len(peaks) - 1)
    away = np.minimum(abs(sample - peaks[after - 1]), abs(sample - peaks[after])) / rate
    around, between = energy[away < 0.06], energy[away > 0.15]
    return float(np.nanmedian(around) / (np.nanmedian(between) + 1e-9)) if len(between) else 0.0


def refuse_poor(recording: Recording, seconds: float, *, heart: bool = True, flat: tuple[str, ...] = ()) -> None:
    """Refuse a recording of which fewer `seconds` are there, with a flat lead, or of no heart's height.

    It must show a `heart` that beats, unless told otherwise; the leads `flat` may be flat.
    """
    what, rate, length = f"Record {recording.name}", recording.rate, len(recording.signal)
    if recording.seconds < seconds:
        raise InputError(f"{what} lasts {recording.seconds:.3g} s: this lesson needs {seconds:g} s or more.")
    missing = np.isnan(recording.signal)
    lost = missing.all(axis=0)
    there = 0.0 if lost.all() else (~missing[:, ~lost].any(axis=1)).sum() / rate
    if there < seconds:
        raise InputError(f"{what} has {there:.3g} s without missing samples: this lesson needs {seconds:g} s or more.")
    middle = slice(*(round(length / 2 + sign * min(length, _MOST * rate) / 2) for sign in (-1, 1)))
    signal = recording.signal[middle]
    span = spans(signal, rate)
    if off := [lead for lead, wide in zip(recording.leads, span, strict=True) if wide < FLAT and lead not in flat]:
        how = "is a flat line or missing" if len(off) == 1 else "are flat lines or missing"
        others = recording.labels.get("others") or ""
        others = others and f", or choose another with --lead: {', '.join(others)}"
        raise InputError(f"{what}: {', '.join(off)} {how}: leave the record out{others}.")
    if (large := span > HUGE).any():
        lead, height = np.array(recording.leads)[large][0], span[large][0]
        raise InputError(f"{what}: {lead} spans {height:.4g} mV, and no heart does: mend its unit or gain.")
    if heart and not beating(signal, rate):
        raise InputError(f"{what} shows no heartbeat that comes again: is it an ECG? Leave it out.")
