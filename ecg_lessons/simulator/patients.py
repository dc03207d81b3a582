"""Simulated patients: how their hearts and bodies differ, and what an electrocardiograph writes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from ecg_lessons.simulator import body, dipole, ectopy
from ecg_lessons.simulator.dipole import BEATS, COHORTS, Waves

RATE = 500  # Hz


@dataclass(frozen=True)
class Form:
    """A diagnosis of the cohort: its share, the beat it is made of, and its size."""

    share: float
    beat: str
    diagnosis: str
    gain: float = 1.0


#: What the cohort is made of, by SCP code.
FORMS = {code: Form(**form) for code, form in COHORTS["forms"].items()}

#: Spread of the population: deviation of the logarithm of size, and of the direction in degrees (frontal,
#: transverse, sagittal); set so that the 10th and 90th percentile of P, R, S and T per lead and of the
#: frontal axis come close to those of the 296 normal recordings (see waves.txt).
SIZE = {"P": 0.28, "QRS": 0.21, "T": 0.28}
DIRECTION = {"P": (9, 12, 8), "QRS": (17, 14, 10), "T": (12, 15, 8)}
#: Women against men, and per ten years of age from 50: change of the logarithm of size (QRS: R in V5 plus
#: S in V1; T: lead V3), and of the frontal axis in degrees (the same recordings, linear regression).
WOMEN = {"P": 0.0, "QRS": -0.16, "T": -0.45}
DECADE = {"P": 0.0, "QRS": -0.03, "T": -0.03}
AXIS_PER_DECADE = -2.2
#: Chest leads of the average patient against Dower's torso (electrode towards the next one, strength), set so
#: that the medians of R, S and T per lead meet those of the normal recordings: V2 sees more than Dower says.
CHEST_ALONG = np.array([0.0, 0.2, 0.0, 0.0, 0.0, 0.0])
CHEST_GAIN = np.array([0.95, 1.40, 1.15, 1.05, 1.0, 0.96])


@dataclass(frozen=True)
class Patient:
    """One simulated person: what stays the same from recording to recording."""

    age: int
    sex: int  # 0 male, 1 female, as in PTB-XL
    code: str
    heart_rate: float
    variability: float
    breathing: float
    waves: Waves
    chest: np.ndarray  # strength of V1..V6
    noise: body.Noise


def _personal(rng: Generator, waves: Waves, scale: float, age: int, sex: int) -> Waves:
    """Vary a typical beat: size and direction of P, QRS and T, intervals, and a little of each wave."""
    vector, centre, width = waves.vector.copy(), waves.centre.copy(), waves.width.copy()
    decades = (age - 50) / 10
    common = rng.normal(size=3)  # a heart that lies differently turns all its waves
    groups = {"P": waves.atrial, "QRS": ~(waves.atrial | waves.repolarisation), "T": waves.repolarisation}
    for name, rows in groups.items():
        size = (
            np.clip(rng.normal(0, SIZE[name]), -2 * SIZE[name], 1.6 * SIZE[name])
            + sex * WOMEN[name]
            + (DECADE[name] * decades)
            - WOMEN[name] / 2
        )
        turn = (0.6 * common + 0.8 * rng.normal(size=3)) * DIRECTION[name] * (1, -1, 1)
        turn[0] += AXIS_PER_DECADE * decades * (name == "QRS")
        gain = (scale if name != "P" else scale**0.5) * np.exp(size)
        vector[rows] = gain * Rotation.from_euler("zyx", turn, degrees=True).apply(vector[rows])
    vector += 0.10 * np.linalg.norm(vector, axis=1, keepdims=True) * rng.normal(size=vector.shape)
    qrs_time = np.exp(rng.normal(0, 0.09))
    centre[groups["QRS"]] = centre[groups["QRS"]] * qrs_time + rng.normal(0, 0.001, groups["QRS"].sum())
    width[groups["QRS"]] *= qrs_time * np.exp(rng.normal(0, 0.05, groups["QRS"].sum()))
    qt_time = np.exp(rng.normal(0, 0.05) + 0.025 * (sex - 0.5))
    centre[groups["T"]] *= qt_time
    width[groups["T"]] *= qt_time * np.exp(rng.normal(0, 0.06))
    centre[groups["P"]] -= np.clip(rng.normal(0, 0.020) + 0.003 * decades, -0.030, 0.060)
    return waves.changed(vector=vector, centre=centre, width=width)


def draw(rng: Generator, code: str | None = None) -> Patient:
    """Draw a patient from a stream of their own, with a code of `FORMS`, or one drawn by their shares."""
    drawn = str(rng.choice(list(FORMS), p=[form.share for form in FORMS.values()]))
    code = code or drawn
    return person(rng, code, BEATS[FORMS[code].beat], FORMS[code].gain)


def person(rng: Generator, code: str, beat: Waves, gain: float = 1.0) -> Patient:
    """Draw a patient around an average beat, all waves so large (P by the root); all but NORM are older."""
    sex = int(rng.integers(2))
    age = int(np.clip(rng.normal(*((45, 16) if code == "NORM" else (64, 11))), 18, 89))
    calm = np.exp(-0.2 * (age - 50) / 10)  # the rate varies less with age
    rate = float(np.clip(68 * rng.lognormal(0, 0.16), 49, 104))
    variability = float(np.clip(0.035 * calm * rng.lognormal(0, 0.5), 0.006, 0.12))
    breathing, waves = float(rng.uniform(0.2, 0.33)), _personal(rng, beat, gain, age, sex)
    chest = CHEST_GAIN * rng.lognormal(0, 0.09, 6)
    return Patient(age, sex, code, rate, variability, breathing, waves, chest, body.draw(rng))


def record(rng: Generator, patient: Patient, seconds: float = 10.0, rate: float = RATE) -> np.ndarray:
    """Record I, II, V1..V6 in mV, (samples, 8): the electrodes are placed anew, the heart rate is that of the day."""
    samples = round(seconds * rate)
    heart_rate = float(np.clip(patient.heart_rate * rng.lognormal(0, 0.05), 48, 105))
    beats = ectopy.sinus(rng, seconds, heart_rate, patient.variability, patient.breathing)
    moments = dipole.dipoles(patient.waves, beats, dipole.adapted(beats), samples, rate)
    # Respiration rocks the heart by a few degrees in the frontal plane.
    rock = np.radians(rng.normal(0, 2.5)) * np.sin(2 * np.pi * patient.breathing * np.arange(samples) / rate)
    left, feet = moments[:, 0::3].copy(), moments[:, 1::3].copy()
    moments[:, 0::3], moments[:, 1::3] = left - rock[:, None] * feet, feet + rock[:, None] * left
    along, up = CHEST_ALONG + rng.normal(0, 0.15, 6), rng.normal(0, 0.05) + rng.normal(0, 0.04, 6)
    matrix = dipole.lead_matrix(along, up, patient.chest)
    potentials = body.at_electrodes(rng, patient.noise, samples, rate, patient.breathing)
    return moments @ matrix.T + potentials @ body.ELECTRODES_TO_LEADS.T
