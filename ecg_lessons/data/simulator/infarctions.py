"""Cohorts of simulated patients, half of them with a myocardial infarction, in the layout of PTB-XL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ecg_lessons.data import catalog
from ecg_lessons.data.simulator import cohort, dipole, folders, territories
from ecg_lessons.data.simulator import patients as people
from ecg_lessons.data.simulator.waves import Waves

#: Raise it when the same seed gives other recordings than before: cached cohorts are then made anew.
VERSION = 1

#: Share of the patients who have an infarction (chosen), and how PTB-XL's ``infarction_stadium1`` calls its age.
SHARE = 0.5
STADIUM = {True: "Stadium I", False: "Stadium III"}
#: Axis of normal hearts. The limit on the left is -30 degrees in the textbook; in this model hearts beyond -10 have
#: Q in III and aVF, which normal recordings lack (of 290 in PTB-XL none has 30 ms and 0.1 mV in two inferior leads).
AXIS = (-10, 90)
_DIAGNOSES = {"NORM": "normal ECG"} | {
    code: f"{one.name} myocardial infarction" for code, one in territories.TERRITORIES.items()
}
_CLASSES = {"NORM": "NORM"} | dict.fromkeys(territories.TERRITORIES, "MI")

_ABOUT = """\
This folder holds {recordings} recordings of {patients} patients who do not exist. They were drawn by
ecg_lessons.data.simulator (infarctions, version {version}, seed {seed}): a dipole model of the heart. About half
of the patients are normal; the others have an infarction of one of five territories, acute (infarction_stadium1
says Stadium I: the ST segment is raised) or old (Stadium III: Q waves). The files are laid out as those of
PTB-XL, so that the same code reads both."""


def simulate_infarctions(
    folder: str | Path,
    patients: int = 400,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Simulate normal hearts and infarctions and write them in the layout of PTB-XL at 500 Hz.

    Nothing but NORM stands against MI. The codes are ASMI, AMI, IMI, LMI and ILMI (`territories`); an infarction is
    acute or old, and small or large. One patient in ten has a second recording. Patient number `k` is the same
    however large the cohort.

    Parameters
    ----------
    folder : str or Path
        Where to; it must not exist, or be empty.
    patients : int
        How many patients.
    seed : int
        One seed, one cohort, byte for byte.
    progress : callable, optional
        Called with the number of patients done and of all patients.

    Returns
    -------
    Path
        The folder, which `recordings.ptb_xl` reads.

    Raises
    ------
    InputError
        If the folder holds something, or the number of patients or the seed cannot be used.
    """
    return cohort.make(_write, folder, patients, seed, progress)


def sample_infarctions(patients: int = 400, seed: int = 0) -> Path:
    """Give the built-in cohort with infarctions: simulated on first use, then kept in this computer's cache.

    Returns
    -------
    Path
        A folder in the layout of PTB-XL. Two processes may ask at once; the first to finish is kept.
    """
    folder = catalog.cache() / "sample" / f"infarctions-v{VERSION}-{patients}-patients-seed-{seed}"
    return folders.cached(folder, lambda place: simulate_infarctions(place, patients, seed))


def draw(rng: np.random.Generator, infarction: territories.Infarction | None) -> people.Patient:
    """Draw a patient with this infarction, or a normal one; early repolarisation is theirs whatever they have.

    A normal heart is drawn again while its axis lies outside `AXIS`.
    """
    beat = territories.beat(infarction, j_point=max(0.0, rng.normal(0.2, 0.5)))
    while True:
        patient = people.person(rng, infarction.code if infarction else "NORM", beat)
        if infarction or AXIS[0] <= _axis(patient.waves) <= AXIS[1]:
            return patient


def _axis(waves: Waves) -> float:
    """Give the frontal axis, in degrees, from the areas of QRS in the leads I and aVF."""
    qrs = ~(waves.atrial | waves.repolarisation)
    one, two = dipole.DOWER[:2] @ (waves.width[qrs] @ waves.vector[qrs])
    return float(np.degrees(np.arctan2((two - one / 2) / (np.sqrt(3) / 2), one)))  # aVF is weaker than I


def _write(folder: Path, patients: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
    def drawn(number: int) -> tuple[np.random.Generator, people.Patient, dict]:
        rng = np.random.default_rng([seed, number, 12])  # other patients than those of the first cohort
        infarction = territories.draw(rng) if rng.random() < SHARE else None
        about = {"diagnosis": _DIAGNOSES["NORM"], "infarction_stadium1": ""}
        if infarction:
            about = {"diagnosis": infarction.diagnosis, "infarction_stadium1": STADIUM[infarction.acute]}
        return rng, draw(rng, infarction), about

    recordings = cohort.write_patients(folder, patients, drawn, progress)
    cohort.write_statements(folder, _DIAGNOSES, _CLASSES)
    about = _ABOUT.format(recordings=recordings, patients=patients, version=VERSION, seed=seed)
    folders.write_texts(folder, about)
