"""One lead of a heart, as two hands on a recorder see it: fingers on two plates, trembling, moving, letting go.

The levels were set so that noise at rest, its share below 1 Hz, and the largest excursions come close to those of the
real recordings of CinC 2017 with the same label (`tests/simulator/test_rhythm_realism.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import signal as filters
from scipy.spatial.transform import Rotation

from ecg_lessons.simulator import body, courses, dipole
from ecg_lessons.simulator import patients as people
from ecg_lessons.simulator.courses import Course
from ecg_lessons.simulator.dipole import BEATS, Waves

RATE = 300
#: The recorder's band in Hz (set by the spectra of the real recordings).
_BAND = (0.5, 40.0)
#: The recorder writes no more than this (mV).
_FULL_SCALE = 9.0
#: How strong the lead is between two hands, against lead I of PTB-XL: median, and deviation of the logarithm.
_STRENGTH = (1.10, 0.22)
#: How much larger T and smaller P are against QRS than in PTB-XL, after the medians of the real recordings.
_T, _P = 1.4, 0.8


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
_USUAL = ((0.06, 0.6), (0.0075, 0.65), (6.0, 1.1), (0.5, 0.6), (0.45, 1.1))
_NOISY = ((0.09, 0.6), (0.016, 0.9), (28, 0.5), (0.9, 0.6), (0.9, 0.8))


def hold(rng: Generator, noisy: bool) -> Hold:
    """Draw how the recorder is held; `noisy` so badly that the rhythm can hardly be told."""
    upside_down = rng.random() < 0.2
    levels = [median * rng.lognormal(0, spread) for median, spread in (_NOISY if noisy else _USUAL)]
    if noisy:
        bursts = rng.uniform(0, 0.6)
        lost = float(rng.choice([0.0, rng.uniform(0.1, 0.6)], p=[0.6, 0.4]))
        return Hold(*levels, bursts, lost, rng.uniform(0.3, 0.9), upside_down)
    return Hold(*levels, float(rng.choice([0.0, rng.uniform(0, 0.3)], p=[0.7, 0.3])), 0.0, 1.0, upside_down)


def record(rng: Generator, held: Hold, heart: np.ndarray) -> np.ndarray:
    """Record a heart's lead I: mV at `RATE`, shape (samples,), in and out."""
    samples, time = len(heart), np.arange(len(heart)) / RATE
    slow = _coloured(rng, samples, lambda f: np.where(f < 0.8, 1 / (f + 0.2), 0))
    tremor = _coloured(rng, samples, lambda f: f / (f + 2) / (1 + f / 8) / (1 + (f / 60) ** 2))
    tension = np.exp(0.35 * _coloured(rng, samples, lambda f: np.where(f < 0.3, 1.0, 0)))
    tension *= 1 + 4 * _spells(rng, samples, held.bursts, 1.5)
    noise = held.wander * slow + held.muscle * tension * tremor + _moves(rng, held, time)
    # The fingers find the plates: a decay, and a swing or two.
    decay = np.exp(-time / rng.uniform(0.1, 0.5)) * rng.choice([-1, 1])
    swing = np.exp(-time / rng.uniform(0.15, 0.35)) * np.sin(2 * np.pi * rng.uniform(1, 3) * time)
    noise += held.settling * (1.5 * decay + rng.normal() * swing)
    touched = 1 - _spells(rng, samples, held.lost, 3.0)
    raw = held.contact * touched * heart + noise
    if held.lost:
        raw += (1 - touched) * 0.15 * _coloured(rng, samples, lambda f: 1 / (f + 1)) * rng.lognormal(0, 1.2)
    raw = np.clip(raw, -_FULL_SCALE, _FULL_SCALE)
    for order, edge, kind in ((2, _BAND[1], "low"), (1, _BAND[0], "high")):
        sections = filters.butter(order, edge, kind, fs=RATE, output="sos")
        # The filters have seen the first value for long: no jump at the start but the fingers' own.
        raw, _ = filters.sosfilt(sections, raw, zi=filters.sosfilt_zi(sections) * raw[0])
    return -raw if held.upside_down else raw


def _coloured(rng: Generator, samples: int, shape) -> np.ndarray:
    return body.coloured(rng, samples, 1, RATE, shape)[:, 0]


def _moves(rng: Generator, held: Hold, time: np.ndarray) -> np.ndarray:
    """Draw movements: bumps of some tenths of a second, often two or three of different sign together."""
    total = np.zeros(len(time))
    for start in rng.uniform(0, time[-1], rng.poisson(held.moves * time[-1] / 60)):
        count = rng.integers(1, 4)
        centre = start + np.cumsum(rng.uniform(0.1, 0.5, count))
        width, height = rng.uniform(0.04, 0.25, count), held.size * rng.normal(0, 1, count)
        first, last = np.searchsorted(time, [start - 0.8, centre[-1] + 1.0])
        total[first:last] += np.exp(-0.5 * ((time[first:last, None] - centre) / width) ** 2) @ height
    return total


def _spells(rng: Generator, samples: int, share: float, seconds: float) -> np.ndarray:
    """Draw a curve from 0 to 1 that is near 1 for a share of the time, in spells of about so many seconds."""
    if not share:
        return np.zeros(samples)
    slow = _coloured(rng, samples, lambda f: np.where(f < 0.5 / seconds, 1.0, 0))
    return 1 / (1 + np.exp(-12 * (slow - np.quantile(slow, 1 - share))))


def recording(rng: Generator, label: str) -> tuple[np.ndarray, str]:
    """Draw a recording with a label: mV at `RATE`, and its kind in `courses.KINDS`, of ``~`` what lies below."""
    kind = courses.KINDS[name := courses.draw(rng, label)]
    # Seven in ten last 30 s, as in the real set.
    spans = ((30.0, 30.0), (9.0, 29.0), (31.0, 59.0), (60.0, 60.95))
    seconds = float(rng.uniform(*spans[rng.choice(4, p=[0.70, 0.13, 0.07, 0.10])]))
    course = kind.go(rng, seconds)
    heart = _lead(rng, course, kind.beats[rng.integers(len(kind.beats))], round(seconds * RATE))
    return record(rng, hold(rng, label == "~"), heart), name


def _lead(rng: Generator, course: Course, beat: str, samples: int) -> np.ndarray:
    """Draw what the heart shows between two hands, without noise, mV."""
    waves = people.person(rng, beat, BEATS[beat]).waves
    waves = waves.scaled(np.where(waves.repolarisation, _T, np.where(waves.atrial, _P, 1.0))[:, None])
    atria, rest = _part(waves, waves.atrial), _part(waves, ~waves.atrial)
    vector, centre = atria.vector * rng.uniform(-0.9, 0.6), atria.centre + rng.uniform(0, 0.03)
    elsewhere = atria.changed(vector=vector, centre=centre)
    parts = (rest, _focus(rng), atria, elsewhere)
    everything = np.sort(np.concatenate([course.beats, course.ventricular]))
    adapted = dipole.adapted(everything, 0.3, 1.6)
    moments = np.zeros((samples, 9))
    for part, times in zip(parts, (course.beats, course.ventricular, course.sinus, course.ectopic), strict=True):
        if len(times):
            moments += dipole.dipoles(part, times, np.interp(times, everything, adapted), samples, RATE)
    lead = moments @ np.tile(dipole.DOWER[0], 3)
    lead *= 1 + rng.uniform(0.02, 0.12) * _coloured(rng, samples, lambda f: f < 0.5)
    if course.fibrillating:
        lead += _f_waves(rng, samples)
    if course.flutter:
        lead += _flutter_waves(rng, samples, course.flutter)
    return lead * _STRENGTH[0] * rng.lognormal(0, _STRENGTH[1])


def _part(waves: Waves, rows: np.ndarray) -> Waves:
    return Waves(**{name: values[rows] for name, values in vars(waves).items()})


def _focus(rng: Generator) -> Waves:
    """Draw the ventricular beats of a person: wide as in bundle branch block, larger, and turned anywhere."""
    block = BEATS[str(rng.choice(["CLBBB", "CRBBB"]))]
    waves = _part(block, ~block.atrial)
    turn = Rotation.from_euler("zyx", rng.normal(0, (70, 30, 30)), degrees=True)
    wide = np.where(waves.repolarisation, rng.uniform(1.0, 1.1), rng.uniform(1.2, 1.6))
    vector = turn.apply(waves.vector) * rng.uniform(1.1, 2.0)
    return waves.changed(vector=vector, centre=waves.centre * wide, width=waves.width * wide)


def _f_waves(rng: Generator, samples: int) -> np.ndarray:
    """Draw the waves of fibrillating atria: 4 to 9 a second, fine or coarse, ever changing."""
    slow = body.coloured(rng, samples, 2, RATE, lambda f: f < 0.7)
    frequency = np.clip(rng.uniform(4.8, 7.5) + 0.6 * slow[:, 0], 4, 9)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    wave = np.sin(phase) + 0.35 * np.sin(2 * phase + rng.uniform(0, 2 * np.pi))
    return 0.020 * rng.lognormal(0, 0.6) * np.exp(0.4 * slow[:, 1]) * wave


def _flutter_waves(rng: Generator, samples: int, cycle: float) -> np.ndarray:
    """Draw the sawtooth of fluttering atria, always alike; in lead I it is often small."""
    phase, order = 2 * np.pi * (np.arange(samples) / RATE / cycle + rng.uniform()), np.arange(1, 5)
    saw = np.sin(np.outer(phase, order) + rng.uniform(-0.4, 0.4, 4)) @ (1 / order**1.3)
    return rng.choice([-1, 1]) * 0.05 * rng.lognormal(0, 0.5) * saw
