"""Patients with an irregular heart, and what a two-lead recorder writes of them for minutes."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ecg_lessons.simulator import body, dipole, ectopy, morphology
from ecg_lessons.simulator.dipole import COHORTS
from ecg_lessons.simulator.ectopy import Heart, Rhythm

RATE = 360  # Hz
#: What the patients of a cohort have, in turn: the ground rhythm, and events per minute.
KINDS = COHORTS["arrhythmias"]["kinds"]


@dataclass(frozen=True)
class Patient:
    """One person; of the shapes "V0" and "V1" are ventricular foci, "p" and "q" P waves of the sinus and elsewhere."""

    heart: Heart
    second: str  # the lead beside MLII, one of `morphology.SECOND`
    shapes: dict[str, morphology.Shape]
    flutter: np.ndarray  # harmonics of a flutter wave in MLII and V1, complex, in mV
    noise: body.Noise  # (2,) levels in the two leads


def draw(rng: Generator, number: int) -> Patient:
    """Draw patient `number` (from 1) of a cohort; the number says which of `KINDS` it is."""
    ground, events = KINDS[(number - 1) % len(KINDS)]
    rate = float(np.clip(76 * rng.lognormal(0, 0.16), 52, 104))
    variability = float(np.clip(0.03 * rng.lognormal(0, 0.6), 0.008, 0.10))
    breathing = float(rng.uniform(0.2, 0.33))
    early = (float(np.clip(rng.normal(typical, 0.08), 0.52, 0.86)) for typical in (0.70, 0.69))  # A, V: see `ectopy`
    foci = 1 + int(rng.random() < 0.3)
    events = {name: often * rng.uniform(0.7, 1.4) for name, often in events.items()}
    fibrillation = ground == "AF"
    heart = Heart(rate, variability, breathing, *early, events, "N" if fibrillation else ground, fibrillation, foci)
    build = morphology.build(rng)
    shapes = {symbol: morphology.draw(rng, symbol, build) for symbol in "NLRE"}
    shapes["/"] = morphology.with_spike(rng, morphology.draw(rng, "/", build))
    shapes |= {f"V{focus}": morphology.draw(rng, "V", build) for focus in (0, 1)}
    shapes["p"] = morphology.p_wave(rng, build)
    shapes["q"] = morphology.ectopic_p(rng, shapes["p"])
    angle = rng.uniform(-np.pi, np.pi, (3, 2))
    # From summit to valley about as large as the QRS complexes before, as in record 207.
    harmonics = np.array([[0.75], [0.18], [0.06]]) * rng.lognormal(0, 0.25, (3, 2)) * np.exp(1j * angle)
    harmonics[0, 0] = abs(harmonics[0, 0])  # the annotation stands near the summit in MLII
    # Set so that over the patients of a cohort the spread of the signal below 0.5 Hz (median 0.12 mV) and of what lies
    # above 30 Hz between beats (median 0.009 mV) come close to those of the 48 records of the MIT-BIH database.
    wander, muscle = 0.13 * rng.lognormal(0, 0.5, 2), 0.018 * rng.lognormal(0, 0.35) * rng.lognormal(0, 0.2, 2)
    # In six of ten records the mains are heard clearly.
    mains = (0.0105 if rng.random() < 0.6 else 0.0012) * rng.lognormal(0, 0.25) * rng.lognormal(0, 0.2, 2)
    noise = body.Noise(wander, muscle, mains, bumps=float(rng.choice([0.2, 2.0], p=[0.8, 0.2])))
    return Patient(heart, str(rng.choice(list(morphology.SECOND), p=[0.82, 0.10, 0.08])), shapes, harmonics, noise)


def record(rng: Generator, patient: Patient, seconds: float, rate: float) -> tuple[np.ndarray, Rhythm]:
    """Record a patient: MLII and the second lead in mV, (samples, 2), and what the heart did, also around it."""
    rhythm = ectopy.simulate(rng, patient.heart, seconds)
    signal = np.zeros((round(seconds * rate), 2))
    time, symbol = np.array(rhythm.time), np.array(rhythm.symbol)
    breath = 1 + rng.uniform(0.01, 0.06) * np.sin(2 * np.pi * patient.heart.breathing * time)
    adapted = dipole.adapted(time, 0.35, 1.6)
    kinds = np.where(symbol == "V", np.char.add("V", np.array(rhythm.focus, dtype=str)), symbol)
    kinds = np.where(symbol == "A", patient.heart.ground, kinds)
    for name, shape in patient.shapes.items():
        if (of := kinds == name).any():
            morphology.add(signal, rate, shape, time[of], adapted[of], breath[of], rng)
    fused = symbol == "F"
    share = rng.uniform(0.35, 0.7, fused.sum())
    for name, part in ((patient.heart.ground, 1 - share), ("V0", share)):
        morphology.add(signal, rate, patient.shapes[name], time[fused], adapted[fused], part, rng)
    p_time, ectopic = np.array(rhythm.p_time), np.array(rhythm.p_ectopic, dtype=bool)
    for name, of in (("p", ~ectopic), ("q", ectopic)):
        morphology.add(signal, rate, patient.shapes[name], p_time[of], 0.8, 1.0, rng)
    if patient.heart.fibrillation:
        centre = rng.uniform(5, 7.5)  # of f waves, 4 to 9 a second and larger in V1
        waves = body.coloured(rng, len(signal), 2, rate, lambda f: np.exp(-0.5 * ((f - centre) / 0.8) ** 2))
        signal += waves * (0.02, 0.035) * rng.lognormal(0, 0.4)
    signal += _flutter(rng, patient.flutter, time[symbol == "!"], len(signal), rate)
    signal = signal @ np.array([(1.0, 0.0), morphology.SECOND[patient.second]]).T
    return signal + _noise(rng, patient, len(signal), rate), rhythm


def _flutter(rng: Generator, harmonics: np.ndarray, peaks: np.ndarray, samples: int, rate: float) -> np.ndarray:
    """Draw waves without a pause between them, one to each peak, shape (samples, 2)."""
    signal = np.zeros((samples, 2))
    for episode in np.split(peaks, np.flatnonzero(np.diff(peaks) > 0.6) + 1):
        if len(episode) < 3:
            continue
        edge = 0.5 * np.diff(episode)[[0, -1]]
        first, last = int((episode[0] - edge[0]) * rate), int((episode[-1] + edge[1]) * rate)
        time = np.arange(max(first, 0), min(last, samples)) / rate
        beats = np.r_[episode[0] - 2 * edge[0], episode, episode[-1] + 2 * edge[1]]
        phase = 2 * np.pi * np.interp(time, beats, np.arange(len(beats)))
        waves = np.exp(1j * np.outer(phase, np.arange(1, 4))) @ harmonics
        size = np.interp(time, episode, rng.normal(1, 0.12, len(episode)).clip(0.6, 1.4))
        rough = 0.06 * body.coloured(rng, len(time), 2, rate, lambda f: np.where((f > 5) & (f < 20), 1.0, 0))
        fade = np.clip(np.minimum(time - time[0], time[-1] - time) / 0.08, 0, 1)
        signal[first : first + len(time)] += (waves.real * size[:, None] + rough) * fade[:, None]
    return signal


def _noise(rng: Generator, patient: Patient, samples: int, rate: float) -> np.ndarray:
    """Draw baseline wander, muscle, mains (60 Hz) and moving electrodes, shape (samples, 2)."""
    noise, time = patient.noise, np.arange(samples)[:, None] / rate
    slow = body.coloured(rng, samples, 2, rate, lambda f: np.where(f < 0.6, 1 / (f + 0.04), 0))
    breath = np.sin(2 * np.pi * patient.heart.breathing * time + rng.uniform(0, 2 * np.pi, 2))
    muscle = body.coloured(rng, samples, 2, rate, lambda f: f / (f + 2) / (1 + f / 10) / (1 + (f / 100) ** 2))
    tension = np.exp(0.35 * body.coloured(rng, samples, 1, rate, lambda f: np.where(f < 0.2, 1.0, 0)))
    hum = np.sin(2 * np.pi * 60 * time + rng.uniform(0, 2 * np.pi, 2))
    total = noise.wander * (slow + 0.4 * breath) + noise.muscle * tension * muscle + noise.mains * hum
    for _ in range(rng.poisson(noise.bumps * samples / rate / 60)):
        centre, width = rng.uniform(0, samples / rate), rng.uniform(0.05, 0.3)
        near = slice(max(0, int((centre - 5 * width) * rate)), int((centre + 5 * width) * rate))
        bump = np.exp(-0.5 * ((time[near, 0] - centre) / width) ** 2)
        total[near, rng.integers(2)] += rng.normal(0, 0.5) * bump
    return total
