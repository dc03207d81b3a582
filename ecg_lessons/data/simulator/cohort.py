"""Cohorts of simulated patients, written as WFDB in the layout of PTB-XL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons.data import catalog
from ecg_lessons.data.simulator import dipole, folders
from ecg_lessons.data.simulator import patients as people
from ecg_lessons.errors import InputError

#: Raise it when the same seed gives other recordings than before: cached cohorts are then made anew.
VERSION = 1

RATE = 500
SECONDS = 10
GAIN = 1000  # ADC steps per mV
#: The leads as PTB-XL spells them.
LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")

_CLASSES = {"NORM": "NORM", "ASMI": "MI", "AMI": "MI", "IMI": "MI", "LVH": "HYP"} | dict.fromkeys(
    ("LAFB", "LPFB", "CLBBB", "CRBBB"), "CD"
)

_ABOUT = """\
This folder holds {recordings} recordings of {patients} patients who do not exist. They were drawn by
ecg_lessons.data.simulator (version {version}, seed {seed}): a dipole model of the heart, whose waves
were fitted to averages of the open database PTB-XL. The files are laid out as those of PTB-XL, so that
the same code reads both."""


def simulate_cohort(
    folder: str | Path,
    patients: int = 120,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Simulate a cohort and write it in the layout of PTB-XL at 500 Hz.

    About one patient in ten has a second recording. Patient number `k` is the same however large the cohort.

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
        The folder.

    Raises
    ------
    InputError
        If the folder holds something, or the number of patients or the seed cannot be used.
    """
    return make(_write, folder, patients, seed, progress)


def make(
    write: Callable,
    folder: str | Path,
    patients: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> Path:
    """Let `write` fill a new folder with a cohort, which is there whole or not at all; see `simulate_cohort`."""
    folder = Path(folder)
    if patients < 1 or seed < 0:
        raise InputError(
            f"A cohort needs at least 1 patient and a seed of 0 or more, not {patients} and {seed}."
        )
    with folders.draft(folder) as draft:
        write(draft, patients, seed, progress)
    return folder


def sample_cohort(patients: int = 120, seed: int = 0) -> Path:
    """Give the built-in cohort: simulated on first use, then kept in the cache of this computer.

    Returns
    -------
    Path
        A folder in the layout of PTB-XL. Two processes may ask at once; the first to finish is kept.
    """
    folder = catalog.cache() / "sample" / f"ptb-xl-v{VERSION}-{patients}-patients-seed-{seed}"
    return folders.cached(folder, lambda place: simulate_cohort(place, patients, seed))


def _write(folder: Path, patients: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
    def draw(number: int) -> tuple[np.random.Generator, people.Patient, dict]:
        rng = np.random.default_rng([seed, number])
        patient = people.draw(rng)
        return rng, patient, {"diagnosis": people.FORMS[patient.code].diagnosis}

    recordings = write_patients(folder, patients, draw, progress)
    write_statements(folder, {code: form.diagnosis for code, form in people.FORMS.items()}, _CLASSES)
    about = _ABOUT.format(recordings=recordings, patients=patients, version=VERSION, seed=seed)
    folders.write_texts(folder, about)


def write_patients(
    folder: Path,
    patients: int,
    draw: Callable[[int], tuple[np.random.Generator, people.Patient, dict]],
    progress: Callable[[int, int], None] | None,
) -> int:
    """Record patients and write the table of PTB-XL; give the number of recordings.

    `draw` gives of a patient's number the stream, the patient, and what the table says: ``diagnosis``, and
    columns of PTB-XL that other cohorts may lack.
    """
    rows = []
    for number in range(1, patients + 1):
        rng, patient, about = draw(number)
        for visit in range(2 if rng.random() < 0.1 else 1):
            ecg = len(rows) + 1
            path = Path(f"records500/{ecg // 1000 * 1000:05d}/{ecg:05d}_hr")
            write_record(folder / path, people.record(rng, patient, SECONDS, RATE))
            rows.append(_row(ecg, number, visit, patient, path, **about))
        if progress:
            progress(number, patients)
    pd.DataFrame(rows).to_csv(folder / "ptbxl_database.csv", index=False, lineterminator="\n")
    return len(rows)


def _row(
    ecg: int, number: int, visit: int, patient: people.Patient, path: Path, diagnosis: str, **more: str
) -> dict:
    """Give a line of the table; the folds keep a patient together."""
    return {
        "ecg_id": ecg,
        "patient_id": float(number),
        "age": float(patient.age),
        "sex": patient.sex,
        "device": "simulator",
        "report": f"SIMULATED, not a clinical recording: sinus rhythm, {diagnosis}"
        + (", second recording" if visit else ""),
        "scp_codes": str({patient.code: 100.0, "SR": 0.0}),
        **more,
        "validated_by_human": False,
        "strat_fold": 1 + (number - 1) % 10,
        "filename_hr": path.as_posix(),
    }


def write_statements(folder: Path, diagnoses: dict[str, str], classes: dict[str, str]) -> None:
    """Write the statement table of PTB-XL: what the SCP codes of a cohort mean, and their superclasses."""
    codes = diagnoses | {"SR": "sinus rhythm"}
    statements = pd.DataFrame(
        {
            "description": codes,
            "diagnostic": {code: 1.0 for code in classes},
            "form": {"LVOLT": 1.0},
            "rhythm": {"SR": 1.0},
            "diagnostic_class": classes,
        }
    ).reindex(list(codes))
    statements.to_csv(folder / "scp_statements.csv", lineterminator="\n")


def write_record(path: Path, eight: np.ndarray) -> None:
    """Write leads I, II, V1..V6 (mV) as a 12-lead WFDB record, format 16.

    The other limb leads are computed from the rounded I and II, so the identities hold to one ADC step.
    """
    steps = np.rint(dipole.twelve_leads(np.clip(np.rint(eight * GAIN), -16000, 16000))).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(path.name + ".dat").write_bytes(steps.tobytes())
    sums = steps.sum(axis=0, dtype=np.int64) % 65536
    lines = [f"{path.name} {len(LEADS)} {RATE} {len(steps)}"]
    for lead, first, total in zip(LEADS, steps[0], sums, strict=True):
        lines.append(f"{path.name}.dat 16 {GAIN}.0(0)/mV 16 0 {first} {total} 0 {lead}")
    header = "\n".join([*lines, "# simulated: not a clinical recording", ""])
    path.with_name(path.name + ".hea").write_text(header, encoding="ascii", newline="\n")
