"""Recordings: from WFDB files (and the .mat files of CinC 2017) to arrays in memory."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons.data.wfdb_files import read_annotations, read_mat, read_signal
from ecg_lessons.errors import InputError

#: The order of the standard 12-lead electrocardiogram.
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_SPELLING = {lead.lower(): lead for lead in LEADS}
#: Records of the MIT-BIH Arrhythmia Database that come from one person (Moody & Mark, database directory).
SAME_PERSON = {"202": "201"}
#: Its records as de Chazal et al. (2004, https://doi.org/10.1109/TBME.2004.827359) divide them: to train, to test,
#: and in neither those of paced hearts.
DS1 = tuple("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split())  # noqa: SIM905
DS2 = tuple("100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split())  # noqa: SIM905
PACED = ("102", "104", "107", "217")


@dataclass(frozen=True)
class Beats:
    """Annotations: where (sample indices, ascending) and what (WFDB symbols such as ``N`` or ``V``).

    Marks of rhythm and noise stand among the beats, as in the file; `ecg_lessons.signals.labels` tells them apart.
    """

    samples: np.ndarray
    symbols: np.ndarray


@dataclass(frozen=True)
class Recording:
    """One electrocardiogram of one patient.

    Attributes
    ----------
    name : str
        Name of the record.
    patient : str
        Whose heart it is. Two records of one person share it.
    signal : ndarray of float32, shape (samples, leads)
        Millivolts.
    rate : float
        Samples per second (Hz).
    leads : tuple of str
        Names of the columns of `signal`.
    beats : Beats or None
        Annotated beats, where the database has them.
    labels : dict
        What else is known, for example ``{"diagnoses": ("NORM",)}``.
    """

    name: str
    patient: str
    signal: np.ndarray
    rate: float
    leads: tuple[str, ...]
    beats: Beats | None = None
    labels: dict = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Length of the recording in seconds."""
        return len(self.signal) / self.rate

    def twelve(self) -> np.ndarray:
        """Give the twelve standard leads in standard order, shape (samples, 12), in mV.

        Raises
        ------
        InputError
            If the recording lacks one of the twelve leads.
        """
        missing = [lead for lead in LEADS if lead not in self.leads]
        if missing:
            raise InputError(
                f"Record {self.name} has {len(self.leads)} leads ({', '.join(self.leads)}) and lacks "
                f"{', '.join(missing)}: this lesson needs a 12-lead recording."
            )
        return self.signal[:, [self.leads.index(lead) for lead in LEADS]]


def read(path: str | Path, patient: str | None = None, annotator: str | None = None) -> Recording:
    """Read one WFDB record, or one .mat file of CinC 2017.

    Parameters
    ----------
    path : str or Path
        The record, with or without the ending ``.hea``, ``.dat`` or ``.mat``.
    patient : str, optional
        Whose recording it is; the record's name where nothing better is known.
    annotator : str, optional
        Ending of the annotation file with the beats, for example ``"atr"``.

    Raises
    ------
    InputError
        If a file is missing, truncated or not WFDB.
    """
    path = Path(path)
    base = path.with_suffix("") if path.suffix in {".hea", ".dat", ".mat"} else path
    if not base.with_name(base.name + ".hea").exists():
        if path.suffix == ".mat":
            return Recording(path.stem, patient or path.stem, read_mat(path), 300.0, ("ECG",))
        raise InputError(f"No header {base}.hea: give the path of a WFDB record, without its ending.")
    signal, rate, names = read_signal(base)
    leads = tuple(_SPELLING.get(name.lower(), name) for name in names)
    beats = Beats(*read_annotations(base, annotator, len(signal))) if annotator else None
    return Recording(base.name, patient or base.name, signal, rate, leads, beats)


def ptb_xl(folder: str | Path) -> Iterator[Recording]:
    """Read PTB-XL (or a folder in its layout) at 500 Hz, in the order of its table.

    Parameters
    ----------
    folder : str or Path
        Holds ``ptbxl_database.csv`` and ``records500/``.

    Yields
    ------
    Recording
        With ``labels["diagnoses"]`` (SCP codes with a likelihood above 0), ``labels["fold"]`` and
        ``labels["superclasses"]`` where the statement table is at hand.

    Raises
    ------
    InputError
        If the table or a recording is missing or damaged.
    """
    folder = Path(folder)
    table = _table(folder / "ptbxl_database.csv", {"ecg_id", "patient_id", "scp_codes", "filename_hr"})
    statements = folder / "scp_statements.csv"
    classes = pd.read_csv(statements, index_col=0)["diagnostic_class"].dropna() if statements.exists() else {}
    for row in table.itertuples():
        codes = tuple(ast.literal_eval(row.scp_codes))
        labels = {
            "diagnoses": codes,
            "superclasses": tuple(sorted({classes[code] for code in codes if code in classes})),
            "fold": int(getattr(row, "strat_fold", 0)),
        }
        recording = read(folder / row.filename_hr, patient=f"{row.patient_id:.0f}")
        yield replace(recording, name=str(row.ecg_id), labels=labels)


def ludb(folder: str | Path) -> Iterator[Recording]:
    """Read LUDB, the Lobachevsky University database: 200 recordings of 200 patients, 10 s at 500 Hz.

    Parameters
    ----------
    folder : str or Path
        Holds ``data/1.hea``, ``data/1.dat`` and so on.
    """
    names = sorted((path.stem for path in (Path(folder) / "data").glob("*.hea")), key=int)
    if not names:
        raise InputError(f"No recordings in {Path(folder) / 'data'}: run 'ecg-lessons fetch ludb'.")
    for name in names:
        yield read(Path(folder) / "data" / name)


def mitdb(folder: str | Path, records: Iterable[str] | None = None) -> Iterator[Recording]:
    """Read the MIT-BIH Arrhythmia Database (or a folder in its layout): two leads, half an hour, annotated.

    Parameters
    ----------
    folder : str or Path
        Holds ``RECORDS`` and, for every record it names, ``.hea``, ``.dat`` and ``.atr``.
    records : iterable of str, optional
        Which records, in which order; all of ``RECORDS`` where nothing is said.

    Yields
    ------
    Recording
        With `beats`. Records 201 and 202 are of one person, and bear the patient "201".

    Raises
    ------
    InputError
        If ``RECORDS`` or a file is missing, or a record is named that the database does not have.
    """
    listed = Path(folder) / "RECORDS"
    if not listed.exists():
        raise InputError(
            f"No list of records {listed}: run 'ecg-lessons fetch mitdb', or choose --source sample."
        )
    known = listed.read_text(encoding="utf-8").split()
    wanted = known if records is None else [str(name) for name in records]
    for name in wanted:
        if name not in known:
            raise InputError(f"{listed} has no record {name!r}; it names {known[0]} to {known[-1]}.")
        yield read(Path(folder) / name, SAME_PERSON.get(name, name), "atr")


def _table(path: Path, columns: set[str]) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"No table {path}: run 'ecg-lessons fetch ptb-xl', or choose --source sample.")
    table = pd.read_csv(path)
    missing = sorted(columns - set(table.columns))
    if missing:
        raise InputError(f"{path} lacks the column {missing[0]!r}: fetch the table again.")
    return table
