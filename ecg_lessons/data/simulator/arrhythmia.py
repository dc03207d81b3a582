"""Cohorts of simulated patients with irregular hearts, written as WFDB in the layout of the MIT-BIH database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import wfdb

from ecg_lessons.data import catalog
from ecg_lessons.data.simulator import folders, holter
from ecg_lessons.data.simulator.pacemaker import Rhythm
from ecg_lessons.errors import InputError

#: Raise it when the same seed gives other recordings than before: cached cohorts are then made anew.
VERSION = 2

RATE = 360
GAIN, ZERO, BITS = 200, 1024, 11  # ADC steps per mV, the step of 0 mV, resolution: as in the database

_ABOUT = """\
This folder holds {patients} recordings of {minutes:g} minutes, one each of {patients} patients who do not exist.
They were drawn by ecg_lessons.data.simulator (arrhythmias, version {version}, seed {seed}): a model of rhythm
with premature, paced, escape and flutter beats, whose waves were fitted to median beats of the open MIT-BIH
Arrhythmia Database. The files are laid out as those of that database, so that the same code reads both."""


def simulate_arrhythmias(
    folder: str | Path,
    patients: int = 40,
    minutes: float = 10.0,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Simulate long two-lead recordings with annotated beats, in the layout of the MIT-BIH database.

    Patient number `k` is the same however large the cohort. What the patients have goes in turns
    (`holter.KINDS`): from 20 patients on every kind is there.

    Parameters
    ----------
    folder : str or Path
        Where to; it must not exist, or be empty.
    patients : int
        How many patients, a recording each: ``a001``, ``a002``, ...
    minutes : float
        Length of each recording, at least 1.
    seed : int
        One seed, one cohort, byte for byte.
    progress : callable, optional
        Called with the number of patients done and of all patients.

    Returns
    -------
    Path
        The folder, which `recordings.mitdb` reads.

    Raises
    ------
    InputError
        If the folder holds something, or the number of patients, the length or the seed cannot be used.
    """
    folder = Path(folder)
    if not 1 <= patients <= 999 or seed < 0:
        raise InputError(
            f"A cohort needs 1 to 999 patients and a seed of 0 or more, not {patients} and {seed}."
        )
    if not 1 <= minutes <= 60:
        raise InputError(f"A recording lasts 1 to 60 minutes, not {minutes:g}: give another length.")
    with folders.draft(folder) as draft:
        _write(draft, patients, minutes, seed, progress)
    return folder


def sample_arrhythmias(patients: int = 40, minutes: float = 3.0, seed: int = 0) -> Path:
    """Give the built-in cohort with arrhythmias: simulated on first use, then kept in this computer's cache.

    Returns
    -------
    Path
        A folder in the layout of the MIT-BIH database. Two processes may ask at once; the first is kept.
    """
    folder = (
        catalog.cache() / "sample" / f"mitdb-v{VERSION}-{patients}-patients-{minutes:g}-minutes-seed-{seed}"
    )
    return folders.cached(folder, lambda place: simulate_arrhythmias(place, patients, minutes, seed))


def _write(
    folder: Path, patients: int, minutes: float, seed: int, progress: Callable[[int, int], None] | None
) -> None:
    names = [f"a{number:03d}" for number in range(1, patients + 1)]
    for number, name in enumerate(names, start=1):
        rng = np.random.default_rng([seed, number, 360])  # other patients than those of the 12-lead cohort
        patient = holter.draw(rng, number)
        signal, rhythm = holter.record(rng, patient, 60 * minutes, RATE)
        write_signal(folder / name, signal, ("MLII", patient.second))
        write_annotations(folder / name, rhythm, len(signal))
        if progress:
            progress(number, patients)
    about = _ABOUT.format(patients=patients, minutes=minutes, version=VERSION, seed=seed)
    records = "\n".join(names) + "\n"
    folders.write_texts(folder, about, RECORDS=records, ANNOTATORS="atr\tsimulated beats\n")


def write_signal(path: Path, signal: np.ndarray, leads: tuple[str, str]) -> None:
    """Write two leads (mV) as WFDB record, format 212: two samples of 12 bits in three bytes."""
    steps = np.clip(np.rint(signal * GAIN) + ZERO, 0, 2**BITS - 1).astype(int)
    first, second = steps.T
    packed = np.stack([first & 255, (first >> 8) | (second >> 8) << 4, second & 255], axis=1)
    path.with_name(path.name + ".dat").write_bytes(packed.astype(np.uint8).tobytes())
    lines = [f"{path.name} {len(leads)} {RATE} {len(steps)}"]
    for lead, start, total in zip(leads, steps[0], steps.sum(axis=0), strict=True):
        lines.append(f"{path.name}.dat 212 {GAIN} {BITS} {ZERO} {start} {total % 65536} 0 {lead}")
    header = "\n".join([*lines, "# simulated: not a clinical recording", ""])
    path.with_name(path.name + ".hea").write_text(header, encoding="ascii", newline="\n")


def write_annotations(path: Path, rhythm: Rhythm, samples: int) -> None:
    """Write beats and other marks as WFDB annotations, those that lie inside the signal."""
    marks = [(time, symbol, "") for time, symbol in zip(rhythm.time, rhythm.symbol, strict=True)]
    marks = sorted(marks + rhythm.marks, key=lambda mark: mark[0])
    at = np.rint([mark[0] * RATE for mark in marks]).astype(int)
    inside = np.flatnonzero((at >= 0) & (at < samples))
    wfdb.wrann(
        path.name,
        "atr",
        at[inside],
        symbol=[marks[i][1] for i in inside],
        aux_note=[marks[i][2] for i in inside],
        write_dir=str(path.parent),
    )
