"""Leads in mV, NaN where none is: what every reader of recordings gives, and what none may give."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np

from ecg_lessons.errors import InputError, note, shown

#: The order of the standard 12-lead electrocardiogram.
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_SPELLING = {lead.lower(): lead for lead in (*LEADS, "MLII")}
#: The rate of the hand-held device of CinC 2017 (Hz).
RHYTHM_RATE = 300.0
_MILLIVOLTS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_RATES = (10.0, 50_000.0)
#: The most samples that one recording may bring into memory, all leads together: 24 hours of 12 leads at 250 Hz.
_MOST = 2**28
OWN = "mend the file, or leave it out"
#: Names of leads as monitors and Holters write them, beside those that begin with ECG.
_ECG = re.compile(r"(ecg|ekg|lead).*|m?l?i{1,3}|-?av[rlf]|m?v[1-9xyz]?r?|(mod\.)?v\d|mcl ?\d?|[cm][cmls]\d?|d[1-3]")


class Leads(NamedTuple):
    """The leads of one file: float32, shape (samples, leads), in mV, NaN where samples are missing; rate in Hz."""

    signal: np.ndarray
    rate: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class How:
    """What a file does not tell and somebody says: its rate in Hz, its unit; and how many seconds of its middle."""

    rate: float | None = None
    unit: str | None = None
    middle: float | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not _RATES[0] <= self.rate <= _RATES[1]:
            raise InputError(f"--rate {self.rate:g}: give the samples per second, from 10 to 50000.")
        if self.unit is not None and _factor(self.unit) is None:
            raise InputError(f"--unit {shown(self.unit)} is no voltage: choose V, mV, uV or nV.")


def is_ecg(name: str) -> bool:
    """Tell whether the name of a signal is that of an ECG lead."""
    return bool(_ECG.fullmatch(name.strip().lower()))


def spelled(names: Sequence[str | None]) -> tuple[str, ...]:
    """Spell leads in one way; leads without a name are numbered, and so are those whose name comes again."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        name = " ".join((name or "").split()) or f"lead {number}"
        bare = re.sub(r"^(lead|ecg|ekg)[ _-]*", "", name.lower())
        name = _SPELLING.get(bare, name)
        again = sum(one.partition(" #")[0] == name for one in found)
        found.append(f"{name} #{again + 1}" if again else name)
    return tuple(found)


def checked(columns: Sequence[np.ndarray], rates: Sequence[float], units: Sequence[str], names, what: str) -> Leads:
    """Put the voltages of a file together, in mV: those of the rate of its fastest ECG lead.

    What is no voltage, such as a blood pressure, is left out; an ECG lead in such a unit is refused.
    """
    names = spelled(names)
    factors = [_factor(unit) for unit in units]
    for name, unit, factor in zip(names, units, factors, strict=True):
        if factor is None and (is_ecg(name) or len(names) == 1):
            raise InputError(f"{what}: lead {shown(name)} is in {shown(unit)}, which is no voltage: {OWN}.")
    volts = [k for k, factor in enumerate(factors) if factor is not None]
    if not volts:
        raise InputError(f"{what} holds no voltage, only {', '.join(map(shown, names))}: give an ECG.")
    rate = max(rates[k] for k in [k for k in volts if is_ecg(names[k])] or volts)
    kept = [k for k in volts if rates[k] == rate]
    if slower := [f"{names[k]} ({rates[k]:g} Hz)" for k in volts if k not in kept and is_ecg(names[k])]:
        note(f"{what}: {', '.join(slower)} left out, since the other leads have {rate:g} Hz.")
    if not (isfinite(rate) and _RATES[0] <= rate <= _RATES[1]):
        raise InputError(f"{what} has {rate:g} samples per second, and an ECG 10 to 50000: {OWN}.")
    if not len(columns[kept[0]]):
        raise InputError(f"{what} holds no samples: {OWN}.")
    whole = isinstance(columns, np.ndarray) and columns.dtype == np.float32 and len(kept) == len(columns)
    signal = np.ascontiguousarray(columns.T) if whole else np.empty((len(columns[kept[0]]), len(kept)), np.float32)
    for lead, k in zip(signal.T, kept, strict=True):
        if not whole:
            lead[:] = columns[k]
        if factors[k] != 1:
            lead *= factors[k]
        lead[~np.isfinite(lead)] = np.nan
    return Leads(signal, float(rate), tuple(names[k] for k in kept))


def _factor(unit: str) -> float | None:
    return _MILLIVOLTS.get(unit.strip().replace("µ", "u").replace("μ", "u").lower())  # two letters look like a mu


def refuse_large(samples: float, what: str) -> None:
    """Refuse what would not fit into memory, before it is read."""
    if not 0 <= samples <= _MOST:
        raise InputError(f"{what} holds {samples:.3g} values, and {_MOST:.3g} can be read: cut it into pieces.")
