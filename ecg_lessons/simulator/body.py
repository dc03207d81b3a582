"""What electrodes pick up besides the heart.

All noise arises at the electrodes and passes through the same differences as the heart's signal, so the identities
between leads hold for it too. Levels were set so that the median and the 10th and 90th percentile of noise per lead
come close to those of 104 normal recordings of PTB-XL (between beats: below and above 30 Hz; throughout: below 0.6 Hz).
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

#: Potentials at RA, LA, LL, V1..V6 to the leads I, II, V1..V6 (Wilson's terminal is the mean of the limbs).
ELECTRODES_TO_LEADS = np.zeros((8, 9))
ELECTRODES_TO_LEADS[0, [0, 1]] = -1, 1
ELECTRODES_TO_LEADS[1, [0, 2]] = -1, 1
ELECTRODES_TO_LEADS[2:, :3] = -1 / 3
ELECTRODES_TO_LEADS[2:, 3:] = np.eye(6)


@dataclass(frozen=True)
class Noise:
    """Levels of noise of one patient, mV: of each of nine electrodes, or of each lead of a two-lead recorder."""

    wander: float | np.ndarray
    muscle: np.ndarray
    mains: np.ndarray
    bumps: float  # electrode disturbances per minute


def draw(rng: Generator) -> Noise:
    """Draw a patient's noise; the arms tremble most."""
    limb = np.array([1.3, 2.3, 1.1] + [1.0] * 6)
    wander = 0.027 * rng.lognormal(0, 0.7)
    muscle = 0.0034 * limb * rng.lognormal(0, 0.45) * rng.lognormal(0, 0.3, 9)
    mains = 0.0006 * rng.lognormal(0, 0.9) * rng.lognormal(0, 0.4, 9)
    return Noise(wander, muscle, mains, bumps=rng.choice([0.0, 3.0], p=[0.85, 0.15]))


def coloured(rng: Generator, samples: int, channels: int, rate: float, shape) -> np.ndarray:
    """Draw noise (samples, channels) of unit deviation with the amplitude spectrum ``shape(frequency)``."""
    # Twice the length, so that the end of the recording does not join its beginning.
    length = 2 * samples
    weight = shape(np.fft.rfftfreq(length, 1 / rate)[1:])[:, None]
    parts = rng.normal(size=(2, length // 2, channels))
    spectrum = np.vstack([np.zeros((1, channels)), weight * (parts[0] + 1j * parts[1])])
    return np.fft.irfft(spectrum, length, axis=0)[:samples] * (length / 2 / np.sqrt((weight**2).sum()))


def at_electrodes(rng: Generator, noise: Noise, samples: int, rate: float, breathing: float) -> np.ndarray:
    """Draw baseline wander, muscle, mains and loose-electrode noise in mV at RA, LA, LL, V1..V6: (samples, 9)."""
    time = np.arange(samples)[:, None] / rate
    slow = coloured(rng, samples, 9, rate, lambda f: np.where(f < 0.7, 1 / (f + 0.05), 0))
    breath = rng.normal(0, 0.8, 9) * np.sin(2 * np.pi * breathing * time + rng.uniform(0, 2 * np.pi))
    muscle = coloured(rng, samples, 9, rate, lambda f: f / (f + 2) / (1 + f / 10) / (1 + (f / 150) ** 2))
    tension = 1 + 0.4 * coloured(rng, samples, 9, rate, lambda f: np.where(f < 2, 1.0, 0))
    hum = np.sin(2 * np.pi * 50 * time + rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.5, 9))
    potential = noise.wander * (slow + breath) + noise.muscle * tension * muscle + noise.mains * hum
    for _ in range(rng.poisson(noise.bumps * samples / rate / 60)):
        bump = np.exp(-0.5 * ((time[:, 0] - rng.uniform(0, samples / rate)) / rng.uniform(0.05, 0.2)) ** 2)
        potential[:, rng.integers(9)] += rng.normal(0, 0.12) * bump
    return potential
