"""What a hand-held recorder of one lead adds to the heart: fingers on two plates, trembling, moving, letting go.

The levels were set so that noise at rest, its share below 1 Hz, and the largest excursions come close to those of the
real recordings of CinC 2017 with the same label (`tests/simulator/test_rhythm_realism.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import signal as filters

from ecg_lessons.simulator import body

RATE = 300
#: The recorder's band in Hz (set by the spectra of the real recordings).
_BAND = (0.5, 34.0)
#: The recorder writes no more than this (mV).
_FULL_SCALE = 9.0


@dataclass(frozen=True)
class Hold:
    """How a person holds the recorder."""

    wander: float  # baseline wander at rest (deviation, mV)
    muscle: float  # muscle noise at rest (deviation, mV)
    moves: float  # movements per minute
    size: float  # how large they are (mV)
    settling: float  # size of the disturbance in the first second or two (mV)
    bursts: float  # share of the time in which the arms are tense
    lost: float  # share of the time in which a plate is not touched
    contact: float  # how much of the heart's signal arrives
    upside_down: bool  # the hands are exchanged: the signal is inverted


#: Medians of wander, muscle, moves, size and settling, with the deviation of their logarithms.
_USUAL = ((0.06, 0.6), (0.014, 0.6), (6.0, 1.1), (0.5, 0.6), (0.45, 1.1))
_NOISY = ((0.11, 0.6), (0.022, 0.7), (30, 0.5), (1.1, 0.6), (1.0, 0.8))


def draw(rng: Generator, noisy: bool) -> Hold:
    """Draw how the recorder is held; `noisy` so badly that the rhythm can hardly be told."""
    upside_down = rng.random() < 0.2
    levels = [median * rng.lognormal(0, spread) for median, spread in (_NOISY if noisy else _USUAL)]
    if noisy:
        bursts = rng.uniform(0, 0.6)
        lost = float(rng.choice([0.0, rng.uniform(0.1, 0.6)], p=[0.6, 0.4]))
        return Hold(*levels, bursts, lost, rng.uniform(0.3, 0.9), upside_down)
    bursts = float(rng.choice([0.0, rng.uniform(0, 0.3)], p=[0.7, 0.3]))
    return Hold(*levels, bursts, 0.0, 1.0, upside_down)


def record(rng: Generator, hold: Hold, heart: np.ndarray) -> np.ndarray:
    """Record a heart's lead I: mV at `RATE`, shape (samples,), in and out."""
    samples = len(heart)
    time = np.arange(samples) / RATE
    slow = _coloured(rng, samples, lambda f: np.where(f < 0.8, 1 / (f + 0.2), 0))
    tremor = _coloured(rng, samples, lambda f: f / (f + 1) / (1 + (f / 6) ** 2))
    tension = np.exp(0.35 * _coloured(rng, samples, lambda f: np.where(f < 0.3, 1.0, 0)))
    tension *= 1 + 4 * _spells(rng, samples, hold.bursts, 1.5)
    noise = hold.wander * slow + hold.muscle * tension * tremor + _moves(rng, hold, time)
    noise += hold.settling * _settling(rng, time)
    touched = 1 - _spells(rng, samples, hold.lost, 3.0)
    raw = hold.contact * touched * heart + noise
    if hold.lost:
        raw += (1 - touched) * 0.15 * _coloured(rng, samples, lambda f: 1 / (f + 1)) * rng.lognormal(0, 1.2)
    raw = np.clip(raw, -_FULL_SCALE, _FULL_SCALE)
    for order, edge, kind in ((2, _BAND[1], "low"), (1, _BAND[0], "high")):
        sections = filters.butter(order, edge, kind, fs=RATE, output="sos")
        # The filters have seen the first value for long: no jump at the start but the fingers' own.
        raw, _ = filters.sosfilt(sections, raw, zi=filters.sosfilt_zi(sections) * raw[0])
    return -raw if hold.upside_down else raw


def _coloured(rng: Generator, samples: int, shape) -> np.ndarray:
    return body.coloured(rng, samples, 1, RATE, shape)[:, 0]


def _moves(rng: Generator, hold: Hold, time: np.ndarray) -> np.ndarray:
    """Draw movements: bumps of some tenths of a second, often two or three of different sign together."""
    total = np.zeros(len(time))
    for start in rng.uniform(0, time[-1], rng.poisson(hold.moves * time[-1] / 60)):
        count = rng.integers(1, 4)
        centre = start + np.cumsum(rng.uniform(0.1, 0.5, count))
        width, height = rng.uniform(0.04, 0.25, count), hold.size * rng.normal(0, 1, count)
        first, last = np.searchsorted(time, [start - 0.8, centre[-1] + 1.0])
        near = time[first:last, None]
        total[first:last] += np.exp(-0.5 * ((near - centre) / width) ** 2) @ height
    return total


def _settling(rng: Generator, time: np.ndarray) -> np.ndarray:
    """Draw what happens when the fingers find the plates: a decay, and a swing or two."""
    decay = np.exp(-time / rng.uniform(0.1, 0.5)) * rng.choice([-1, 1])
    swing = np.exp(-time / rng.uniform(0.15, 0.35)) * np.sin(2 * np.pi * rng.uniform(1, 3) * time)
    return 1.5 * decay + rng.normal() * swing


def _spells(rng: Generator, samples: int, share: float, seconds: float) -> np.ndarray:
    """Draw a curve from 0 to 1 that is near 1 for a share of the time, in spells of about so many seconds."""
    if not share:
        return np.zeros(samples)
    slow = _coloured(rng, samples, lambda f: np.where(f < 0.5 / seconds, 1.0, 0))
    return 1 / (1 + np.exp(-12 * (slow - np.quantile(slow, 1 - share))))
