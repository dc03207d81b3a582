"""The built-in cohorts of the lessons: people who do not exist, simulated whole or not at all, and cached.

Of each cohort holds: one seed, one cohort, byte for byte; patient number `k` is the same however large the cohort;
the folder must not exist, or be empty; `progress` is called with the number of patients done and of all. What
`sample_...` gives is simulated on first use, then kept in this computer's cache.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.random import Generator

from ecg_lessons import files
from ecg_lessons.errors import InputError
from ecg_lessons.simulator import dipole, handheld, holter, layouts, territories
from ecg_lessons.simulator import patients as people

Progress = Callable[[int, int], None] | None

#: Raise a version when the same seed gives other recordings than before: cached cohorts are then made anew.
VERSIONS = {"ptb-xl": 2, "infarctions": 2, "mitdb": 3, "rhythms": 5}

#: Share of the patients who have an infarction (chosen), and how PTB-XL's ``infarction_stadium1`` calls its age.
SHARE = 0.5
STADIUM = {True: "Stadium I", False: "Stadium III"}
#: Shares of the labels: near those of the real set (0.60, 0.09, 0.28, 0.03), with A and ~ raised for teaching.
SHARES = {"N": 0.50, "A": 0.18, "O": 0.24, "~": 0.08}
_GOLDEN = (np.sqrt(5) - 1) / 2
_SUPERCLASSES = {"NORM": "NORM", "ASMI": "MI", "AMI": "MI", "IMI": "MI", "LVH": "HYP"}
_SUPERCLASSES |= dict.fromkeys(("LAFB", "LPFB", "CLBBB", "CRBBB"), "CD")


def simulate_cohort(folder: str | Path, patients: int = 120, seed: int = 0, progress: Progress = None) -> Path:
    """Simulate twelve leads of 10 s in the layout of PTB-XL; one patient in ten has a second recording."""
    _check(patients, seed, np.inf, "at least 1 patient")
    diagnoses = {code: form.diagnosis for code, form in people.FORMS.items()}
    with layouts.PtbXl.new(folder) as layout:
        for number, rng in _streams(patients, seed, progress):
            patient = people.draw(rng)
            _visits(layout, rng, number, patient, diagnosis=diagnoses[patient.code])
        layout.close(_about("ptb-xl", patients, seed, recordings=len(layout.rows)), diagnoses, _SUPERCLASSES)
    return Path(folder)


def simulate_infarctions(folder: str | Path, patients: int = 400, seed: int = 0, progress: Progress = None) -> Path:
    """Simulate normal hearts and infarctions, acute or old, small or large, in the layout of PTB-XL."""
    _check(patients, seed, np.inf, "at least 1 patient")
    names = {code: f"{place.name} myocardial infarction" for code, place in territories.TERRITORIES.items()}
    diagnoses = {"NORM": "normal ECG"} | names
    with layouts.PtbXl.new(folder) as layout:
        for number, rng in _streams(patients, seed, progress, 12):
            infarction = territories.draw(rng) if rng.random() < SHARE else None
            said, age = (infarction.diagnosis, STADIUM[infarction.acute]) if infarction else (diagnoses["NORM"], "")
            person = territories.patient(rng, infarction)
            _visits(layout, rng, number, person, diagnosis=said, infarction_stadium1=age)
        about = _about("infarctions", patients, seed, recordings=len(layout.rows))
        layout.close(about, diagnoses, {"NORM": "NORM"} | dict.fromkeys(names, "MI"))
    return Path(folder)


def simulate_arrhythmias(folder: str | Path, patients=40, minutes=10.0, seed=0, progress: Progress = None) -> Path:
    """Simulate two leads with annotated beats, in the layout of the MIT-BIH database; 20 patients have all kinds."""
    _check(patients, seed, 999, "1 to 999 patients")
    if not 1 <= minutes <= 60:
        raise InputError(f"A recording lasts 1 to 60 minutes, not {minutes:g}: give another length.")
    with layouts.MitBih.new(folder) as layout:
        for number, rng in _streams(patients, seed, progress, 360):
            patient = holter.draw(rng, number)
            signal, rhythm = holter.record(rng, patient, 60 * minutes, holter.RATE)
            layout.add(f"a{number:03d}", signal, ("MLII", patient.second), rhythm)
        layout.close(_about("mitdb", patients, seed, minutes=minutes))
    return Path(folder)


def simulate_rhythms(folder: str | Path, recordings=600, seed=0, progress: Progress = None, shares=SHARES) -> Path:
    """Simulate one lead for 9 to 61 s at 300 Hz, in the layout of CinC 2017, each of another person.

    `shares` of the labels need not add up to 1. Of any first recordings each label has about its share.
    """
    _check(recordings, seed, 99_999, "1 to 99999 recordings")
    if not set(shares) <= set(SHARES) or min(shares.values(), default=0) < 0 or not sum(shares.values()) > 0:
        raise InputError(f"The shares {dict(shares)} cannot be used: give a number for some of N, A, O and ~.")
    limits = np.cumsum(list(shares.values()))
    with layouts.Cinc2017.new(folder) as layout:
        for number, rng in _streams(recordings, seed, progress, 300):
            # Multiples of the golden section spread evenly between 0 and 1.
            label = list(shares)[int(np.searchsorted(limits / limits[-1], number * _GOLDEN % 1, side="right"))]
            layout.add(f"S{number:05d}", handheld.recording(rng, label)[0], label)
        layout.close(_about("rhythms", recordings, seed))
    return Path(folder)


def sample_cohort(patients: int = 120, seed: int = 0) -> Path:
    """Give the built-in cohort of twelve leads, in the layout of PTB-XL."""
    return _cached("ptb-xl", f"{patients}-patients", seed, simulate_cohort, patients)


def sample_infarctions(patients: int = 400, seed: int = 0) -> Path:
    """Give the built-in cohort with infarctions, in the layout of PTB-XL."""
    return _cached("infarctions", f"{patients}-patients", seed, simulate_infarctions, patients)


def sample_arrhythmias(patients: int = 40, minutes: float = 3.0, seed: int = 0) -> Path:
    """Give the built-in cohort with arrhythmias, in the layout of the MIT-BIH database."""
    return _cached("mitdb", f"{patients}-patients-{minutes:g}-minutes", seed, simulate_arrhythmias, patients, minutes)


def sample_rhythms(recordings: int = 600, seed: int = 0) -> Path:
    """Give the built-in cohort of rhythms, in the layout of CinC 2017."""
    return _cached("rhythms", f"{recordings}-recordings", seed, simulate_rhythms, recordings)


def _cached(name: str, size: str, seed: int, simulate: Callable[..., Path], *arguments: float) -> Path:
    folder = files.cache() / "sample" / f"{name}-v{VERSIONS[name]}-{size}-seed-{seed}"
    return files.cached(folder, lambda place: simulate(place, *arguments, seed))


def _check(number: int, seed: int, most: float, needed: str) -> None:
    if not 1 <= number <= most or seed < 0:
        raise InputError(f"A cohort needs {needed} and a seed of 0 or more, not {number} and {seed}.")


def _streams(number: int, seed: int, progress: Progress, *cohort: int) -> Iterator[tuple[int, Generator]]:
    """Give every patient, numbered from 1, a stream of their own, another one in every cohort."""
    for patient in range(1, number + 1):
        yield patient, np.random.default_rng([seed, patient, *cohort])
        if progress:
            progress(patient, number)


def _visits(layout: layouts.PtbXl, rng: Generator, number: int, patient: people.Patient, **columns: str) -> None:
    for visit in range(2 if rng.random() < 0.1 else 1):
        layout.add(number, patient, visit, people.record(rng, patient), **columns)


def _about(name: str, number: int, seed: int, **more: float) -> str:
    return dipole.COHORTS["about"][name].format(version=VERSIONS[name], number=number, seed=seed, **more)
