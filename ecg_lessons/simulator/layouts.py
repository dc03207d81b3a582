"""Folders in the layouts of PTB-XL, the MIT-BIH database and CinC 2017, so that the same code reads both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import scipy.io
import wfdb

from ecg_lessons import files
from ecg_lessons.simulator import dipole, handheld, holter
from ecg_lessons.simulator.ectopy import Rhythm
from ecg_lessons.simulator.patients import RATE, Patient


class Layout:
    """A folder that recordings are added to one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows = folder, []

    @classmethod
    @contextmanager
    def new(cls, folder: str | Path) -> Iterator[Self]:
        """Give a layout in a new folder, which is there whole or not at all."""
        with files.new_folder(folder, "the simulated cohort") as draft:
            yield cls(draft)

    def close(self, about: str) -> None:
        """Write README.txt: that everything is simulated, and `about`."""
        files.write(self.folder / "README.txt", dipole.COHORTS["readme"].format(about=about))


class PtbXl(Layout):
    """Twelve leads at 500 Hz (WFDB format 16), a table of them, and a table of what their SCP codes mean."""

    #: The leads as PTB-XL spells them.
    LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")

    def add(self, number: int, patient: Patient, visit: int, eight: np.ndarray, diagnosis: str, **columns: str) -> None:
        """Add leads I, II, V1..V6 (mV) of patient `number`; `columns` are those that other cohorts lack."""
        ecg = len(self.rows) + 1
        path = self.folder / (name := f"records500/{ecg // 1000 * 1000:05d}/{ecg:05d}_hr")
        # The other limb leads are computed from the rounded I and II, so the identities hold to one ADC step.
        steps = np.rint(dipole.twelve_leads(np.clip(np.rint(eight * 1000), -16000, 16000))).astype("<i2")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.dat").write_bytes(steps.tobytes())
        _write_header(path, steps, RATE, self.LEADS, ".dat 16 1000.0(0)/mV 16 0")
        report = f"SIMULATED, not a clinical recording: sinus rhythm, {diagnosis}{', second recording' * (visit > 0)}"
        who = {"patient_id": float(number), "age": float(patient.age), "sex": patient.sex}
        what = {"device": "simulator", "report": report, "scp_codes": str({patient.code: 100.0, "SR": 0.0})}
        # A fold of the patient, not of the recording.
        where = {"validated_by_human": False, "strat_fold": 1 + (number - 1) % 10, "filename_hr": name}
        self.rows.append({"ecg_id": ecg} | who | what | columns | where)

    def close(self, about: str, diagnoses: dict[str, str], superclasses: dict[str, str]) -> None:
        """Write the tables; diagnoses and superclasses are by SCP code."""
        pd.DataFrame(self.rows).to_csv(self.folder / "ptbxl_database.csv", index=False, lineterminator="\n")
        codes, certain = diagnoses | {"SR": "sinus rhythm"}, dict.fromkeys(superclasses, 1.0)
        kinds = {"diagnostic": certain, "form": {"LVOLT": 1.0}, "rhythm": {"SR": 1.0}}
        table = pd.DataFrame({"description": codes} | kinds | {"diagnostic_class": superclasses}).reindex(list(codes))
        table.to_csv(self.folder / "scp_statements.csv", lineterminator="\n")
        super().close(about)


class MitBih(Layout):
    """Two leads at 360 Hz, and every beat annotated."""

    def add(self, name: str, signal: np.ndarray, leads: tuple[str, str], rhythm: Rhythm) -> None:
        """Add a recording (samples, 2) in mV; of what the heart did, what lies inside it is annotated."""
        write_two(self.folder / name, signal, leads)
        beats = [(time, symbol, "") for time, symbol in zip(rhythm.time, rhythm.symbol, strict=True)]
        marks = sorted(beats + rhythm.marks, key=lambda mark: mark[0])
        at = np.rint([mark[0] * holter.RATE for mark in marks]).astype(int)
        inside = np.flatnonzero((at >= 0) & (at < len(signal)))
        symbols, notes = ([marks[i][column] for i in inside] for column in (1, 2))
        wfdb.wrann(name, "atr", at[inside], symbol=symbols, aux_note=notes, write_dir=str(self.folder))
        self.rows.append(f"{name}\n")

    def close(self, about: str) -> None:
        """Write the list of records."""
        files.write(self.folder / "RECORDS", "".join(self.rows))
        files.write(self.folder / "ANNOTATORS", "atr\tsimulated beats\n")
        super().close(about)


class Cinc2017(Layout):
    """One lead at 300 Hz, a MATLAB 4 file and a WFDB header as in the challenge, and a label for each recording."""

    def add(self, name: str, signal: np.ndarray, label: str) -> None:
        """Add a recording (samples,) in mV."""
        path, steps = self.folder / "training2017" / name, np.rint(signal * 1000).astype("<i2")
        path.parent.mkdir(exist_ok=True)
        scipy.io.savemat(path.with_name(f"{path.name}.mat"), {"val": steps[None]}, format="4")
        _write_header(path, steps[:, None], handheld.RATE, ("ECG",), ".mat 16+24 1000/mV 16 0")
        self.rows.append((name, label))

    def close(self, about: str) -> None:
        """Write the labels and the list of records."""
        files.write(self.folder / "REFERENCE-v3.csv", "".join(f"{name},{label}\n" for name, label in self.rows))
        files.write(self.folder / "training2017" / "RECORDS", "".join(f"{name}\n" for name, _ in self.rows))
        super().close(about)


def write_two(path: Path, signal: np.ndarray, leads: tuple[str, str]) -> None:
    """Write two leads (mV) as a WFDB record, format 212: two samples of 12 bits in three bytes."""
    steps = np.clip(np.rint(signal * 200) + 1024, 0, 2**11 - 1).astype(int)  # the converter of the database
    first, second = steps.T
    packed = np.stack([first & 255, (first >> 8) | (second >> 8) << 4, second & 255], axis=1)
    path.with_name(f"{path.name}.dat").write_bytes(packed.astype(np.uint8).tobytes())
    _write_header(path, steps, holter.RATE, leads, ".dat 212 200 11 1024")


def _write_header(path: Path, steps: np.ndarray, rate: int, leads: tuple[str, ...], how: str) -> None:
    """Write a WFDB header; `how` says the file, its format, gain, bits and zero."""
    columns = zip(leads, steps[0], steps.sum(axis=0, dtype=np.int64), strict=True)
    lines = [f"{path.name}{how} {first} {total % 65536} 0 {lead}\n" for lead, first, total in columns]
    header = f"{path.name} {len(leads)} {rate} {len(steps)}\n{''.join(lines)}# simulated: not a clinical recording\n"
    path.with_name(f"{path.name}.hea").write_text(header, encoding="ascii", newline="\n")
