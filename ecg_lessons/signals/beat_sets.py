"""A whole database of annotated recordings to arrays, one row a beat."""

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import Recording, is_ecg
from ecg_lessons.errors import InputError, note
from ecg_lessons.signals import beats, labels, quality

Names, Recordings = Collection[str], Iterable[Recording]
#: What was cut, and a row about each beat.
BeatSet = tuple[np.ndarray, pd.DataFrame]


def table(recording: Recording) -> pd.DataFrame:
    """List the annotated peaks of a recording, beats and flutter waves, one row each; times and intervals in s."""
    marks = recording.beats
    try:
        peak = labels.is_peak(marks.symbols) if marks is not None else np.zeros(0, bool)
    except InputError as error:
        raise InputError(f"Record {recording.name}: {error}") from None
    if not peak.any():
        raise InputError(f"Record {recording.name} has no annotated beats: leave it out, or annotate it.")
    samples, symbols = marks.samples[peak], marks.symbols[peak]
    again = np.append(False, np.diff(samples) == 0)
    if again.any():
        note(f"Record {recording.name}: {again.sum()} beats stand twice in its annotations, and count once.")
        samples, symbols = samples[~again], symbols[~again]
    if samples[-1] >= len(recording.signal):
        place = f"a beat at sample {samples[-1]} lies beyond the signal's end ({len(recording.signal)})"
        raise InputError(f"Record {recording.name}: {place}: read the record again.")
    rows = {"record": recording.name, "patient": recording.patient, "symbol": symbols}
    rows |= {"sample": samples, "time": samples / recording.rate}
    return pd.DataFrame(rows | dict(zip(beats.RR, beats.rr_intervals(samples, recording.rate).T, strict=True)))


def fixed_windows(
    recordings: Recordings, before: int, after: int, leads: Names | None = ("MLII",), symbols: Names = labels.BEATS
) -> BeatSet:
    """Turn a database into windows, float32 (beats, before + after, leads) in mV, and their rows of `table`.

    Recordings are taken one at a time: an iterator such as ``mitdb(folder)`` never fills the memory. One lead is
    taken, by name, in order of preference; where `leads` is None all of them, with MLII in front. Beats whose window
    does not fit are left out; neighbours and RR intervals count all peaks, whatever the `symbols`.
    """
    cut, info = [], []
    for recording in recordings:
        rows = table(recording)
        rows = rows[rows["symbol"].isin(list(symbols))]
        x, fits = beats.windows(_channels(recording, leads), rows["sample"].to_numpy(), before, after)
        cut.append(x)
        info.append(rows[fits])
    return together(cut, info)


def between_neighbours(
    recordings: Recordings, margin: int = 20, leads: Names = ("MLII", "V5"), symbols: Names = tuple(labels.EIGHT)
) -> BeatSet:
    """Find the stretch of every beat from neighbour to neighbour, as Jun et al. (2018, arXiv 1804.06812) cut it.

    It stays `margin` samples away from both; the first and the last peak of a recording are left out. V5 serves where a
    record has no MLII (102 and 104). Nothing is copied per beat: gives one lead of all recordings, one after the other,
    in mV, and the rows of `table` with `start` and `stop`: beat i is ``signal[start[i]:stop[i]]``.
    """
    signals, info, offset = [], [], 0
    for recording in recordings:
        rows = table(recording)
        sample = rows["sample"]
        start, stop = sample.shift(1, fill_value=-1) + margin, sample.shift(-1, fill_value=-1) - margin
        rows["start"], rows["stop"] = offset + start, offset + stop
        inner = rows["symbol"].isin(list(symbols)) & (start < stop)
        inner.iloc[[0, -1]] = False
        signals.append(np.ascontiguousarray(_channels(recording, leads)[:, 0]))
        inner[inner] = beats.without_gaps(signals[-1], start[inner].to_numpy(), stop[inner].to_numpy())
        info.append(rows[inner])
        offset += len(recording.signal)
    return together(signals, info)


def together(cut: list[np.ndarray], info: list[pd.DataFrame]) -> BeatSet:
    """Join what was cut out of each recording."""
    if not cut:
        raise InputError("No recordings to take beats from: name at least one record.")
    return (np.concatenate(cut) if len(cut) > 1 else cut[0]), pd.concat(info, ignore_index=True)


def _channels(recording: Recording, names: Collection[str] | None) -> np.ndarray:
    if names is not None:
        return beats.lead(recording, *names)[:, None]
    order = sorted(range(len(recording.leads)), key=lambda k: recording.leads[k] != "MLII")
    return _taken(recording.signal, order)


def _taken(signal: np.ndarray, leads: list[int]) -> np.ndarray:
    """Take leads, without a copy of a long recording where they are all, as they are."""
    return signal if leads == list(range(signal.shape[1])) else signal[:, leads]


#: The lead of MIT-BIH, and what is nearest to it where a record has other leads.
KIN_OF_MLII = ("MLII", "II", "V5", "I", "ECG")
MITDB_RATE = 360
#: The shortest recording whose beats are judged (s).
LEAST = 2


def with_beats(recording: Recording, lead: str | None = None) -> Recording:
    """Give one lead at the 360 Hz of MIT-BIH, with its annotated beats; without annotations beats are found, as N.

    They are found in all leads that are known to be an ECG, or in the one that somebody chose. ``labels["annotated"]``
    tells which; beats that lie in a gap are left out.
    """
    one = recording.only(*KIN_OF_MLII, lead=lead)
    quality.refuse_poor(one, LEAST)
    signal = beats.resample(one.signal, recording.rate, MITDB_RATE)
    if marks := recording.beats:
        samples = np.rint(marks.samples * (MITDB_RATE / recording.rate)).astype(int)
        samples, symbols = np.minimum(samples, len(signal) - 1), marks.symbols
    else:
        ecg = [k for k, name in enumerate(recording.leads) if is_ecg(name)]
        every = one.signal if lead or not ecg else _taken(recording.signal, ecg)
        samples = beats.r_peaks(every, recording.rate, MITDB_RATE)
        symbols = np.full(len(samples), "N")
    there = np.isfinite(signal[samples, 0])
    samples, symbols = samples[there], symbols[there]
    if not marks and len(samples) < 3:
        what = f"{len(samples)} R peaks found, and a beat needs a neighbour on both sides: is a lead off, or is it"
        raise InputError(f"Record {recording.name}: {what} too short? Leave it out, or annotate it.")
    found = recordings.Beats(samples, symbols)
    about = {"annotated": marks is not None}
    return replace(one, signal=signal, rate=MITDB_RATE, beats=found, labels=about)
