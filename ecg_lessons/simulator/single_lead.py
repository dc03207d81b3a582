"""One lead of a heart, as two hands on a recorder see it, with whatever rhythm a label stands for."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from ecg_lessons.simulator import body, courses, dipole, handheld
from ecg_lessons.simulator import patients as people
from ecg_lessons.simulator.courses import Course
from ecg_lessons.simulator.waves import BEATS, Waves

#: How strong the lead is between two hands, against lead I of PTB-XL: median, and deviation of the logarithm.
_STRENGTH = (1.10, 0.22)
#: How much larger T and smaller P are against QRS than in PTB-XL, after the medians of the real recordings.
_T, _P = 1.4, 0.8


def draw(rng: Generator, label: str) -> tuple[np.ndarray, str]:
    """Draw a recording with a label: the signal in mV at `handheld.RATE`, and its kind in `courses.KINDS`.

    For the label ``~`` the kind is what lies below the noise.
    """
    name = courses.draw(rng, label)
    kind = courses.KINDS[name]
    seconds = _seconds(rng)
    course = kind.go(rng, seconds)
    heart = _lead(rng, course, kind.beats[rng.integers(len(kind.beats))], round(seconds * handheld.RATE))
    return handheld.record(rng, handheld.draw(rng, label == "~"), heart), name


def _seconds(rng: Generator) -> float:
    """Draw a length; seven in ten last 30 s, as in the real set."""
    spans = ((30.0, 30.0), (9.0, 29.0), (31.0, 59.0), (60.0, 60.95))
    return float(rng.uniform(*spans[rng.choice(4, p=[0.70, 0.13, 0.07, 0.10])]))


def _lead(rng: Generator, course: Course, beat: str, samples: int) -> np.ndarray:
    """Draw what the heart shows between two hands, without noise, mV."""
    rate = handheld.RATE
    waves = people.person(rng, beat, BEATS[beat]).waves
    gain = np.where(waves.repolarisation, _T, np.where(waves.atrial, _P, 1.0))
    waves = waves.scaled(gain[:, None])
    atria, rest = _part(waves, waves.atrial), _part(waves, ~waves.atrial)
    turned, late = rng.uniform(-0.9, 0.6), rng.uniform(0, 0.03)
    elsewhere = atria.changed(vector=atria.vector * turned, centre=atria.centre + late)
    focus = _focus(rng)
    everything = np.sort(np.concatenate([course.beats, course.ventricular]))
    adapted = dipole.adapted(everything, 0.3, 1.6)
    moments = np.zeros((samples, 6))
    parts = (rest, focus, atria, elsewhere)
    for part, times in zip(parts, (course.beats, course.ventricular, course.sinus, course.ectopic), strict=True):
        if len(times):
            moments += dipole.dipoles(part, times, np.interp(times, everything, adapted), samples, rate)
    lead = moments @ np.r_[dipole.DOWER[0], dipole.DOWER[0]]
    lead *= 1 + rng.uniform(0.02, 0.12) * body.coloured(rng, samples, 1, rate, lambda f: f < 0.5)[:, 0]
    if course.fibrillating:
        lead += _f_waves(rng, samples)
    if course.flutter:
        lead += _flutter_waves(rng, samples, course.flutter)
    return lead * _STRENGTH[0] * rng.lognormal(0, _STRENGTH[1])


def _part(waves: Waves, rows: np.ndarray) -> Waves:
    return Waves(**{name: values[rows] for name, values in vars(waves).items()})


def _focus(rng: Generator) -> Waves:
    """Draw the ventricular beats of a person: wide as in bundle branch block, larger, and turned anywhere."""
    waves = BEATS[str(rng.choice(["CLBBB", "CRBBB"]))]
    waves = _part(waves, ~waves.atrial)
    turn = Rotation.from_euler("zyx", rng.normal(0, (70, 30, 30)), degrees=True)
    wide = np.where(waves.repolarisation, rng.uniform(1.0, 1.1), rng.uniform(1.2, 1.6))
    vector = turn.apply(waves.vector) * rng.uniform(1.1, 2.0)
    return waves.changed(vector=vector, centre=waves.centre * wide, width=waves.width * wide)


def _f_waves(rng: Generator, samples: int) -> np.ndarray:
    """Draw the waves of fibrillating atria: 4 to 9 a second, fine or coarse, ever changing."""
    slow = body.coloured(rng, samples, 2, handheld.RATE, lambda f: f < 0.7)
    frequency = np.clip(rng.uniform(4.8, 7.5) + 0.6 * slow[:, 0], 4, 9)
    phase = 2 * np.pi * np.cumsum(frequency) / handheld.RATE
    wave = np.sin(phase) + 0.35 * np.sin(2 * phase + rng.uniform(0, 2 * np.pi))
    return 0.020 * rng.lognormal(0, 0.6) * np.exp(0.4 * slow[:, 1]) * wave


def _flutter_waves(rng: Generator, samples: int, cycle: float) -> np.ndarray:
    """Draw the sawtooth of fluttering atria, always alike; in lead I it is often small."""
    phase = 2 * np.pi * (np.arange(samples) / handheld.RATE / cycle + rng.uniform())
    order = np.arange(1, 5)
    saw = np.sin(np.outer(phase, order) + rng.uniform(-0.4, 0.4, 4)) @ (1 / order**1.3)
    return rng.choice([-1, 1]) * 0.05 * rng.lognormal(0, 0.5) * saw
