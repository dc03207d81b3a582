"""Recordings: from WFDB files (and the .mat files of CinC 2017) to arrays in memory."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
import wfdb

from ecg_lessons.errors import InputError

#: The order of the standard 12-lead electrocardiogram.
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_SPELLING = {lead.lower(): lead for lead in LEADS}


@dataclass(frozen=True)
class Beats:
    """Annotated beats: where (sample indices) and what (WFDB symbols such as ``N`` or ``V``)."""

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
            return _read_mat(path, patient)
        raise InputError(f"No header {base}.hea: give the path of a WFDB record, without its ending.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = wfdb.rdrecord(str(base))
    except FileNotFoundError as error:
        raise InputError(
            f"Record {base} has a header but its signal file {Path(error.filename).name} is missing: "
            "fetch the record again."
        ) from None
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"Record {base} cannot be read as WFDB (truncated or damaged: {reason}): fetch it again."
        ) from None
    signal = record.p_signal
    if signal is None or not len(signal):
        raise InputError(f"Record {base} holds no samples: fetch it again.")
    leads = tuple(_SPELLING.get(name.lower(), name) for name in record.sig_name)
    beats = _read_beats(base, annotator, len(signal)) if annotator else None
    signal = np.nan_to_num(signal).astype(np.float32)
    return Recording(base.name, patient or base.name, signal, float(record.fs), leads, beats)


def _read_mat(path: Path, patient: str | None) -> Recording:
    """Read a bare .mat file of CinC 2017: one lead, 300 Hz, 1000 steps per mV."""
    if not path.is_file():
        raise InputError(f"No file {path}: give the path of a .mat recording of CinC 2017.")
    try:
        values = scipy.io.loadmat(path)["val"]
    except KeyError:
        raise InputError(f"{path} has no variable 'val': it is not a recording of CinC 2017.") from None
    except Exception:
        raise InputError(f"{path} cannot be read as a MATLAB file: fetch it again.") from None
    signal = (values.reshape(-1, 1) / 1000).astype(np.float32)
    return Recording(path.stem, patient or path.stem, signal, 300.0, ("ECG",))


def _read_beats(base: Path, annotator: str, length: int) -> Beats:
    try:
        annotation = wfdb.rdann(str(base), annotator)
    except FileNotFoundError:
        raise InputError(
            f"Record {base.name} has no annotations ({base.name}.{annotator}): fetch the file, or leave the record out."
        ) from None
    samples = np.asarray(annotation.sample)
    if len(samples) and samples.max() >= length:
        raise InputError(
            f"Record {base.name}: an annotation at sample {samples.max()} lies beyond the signal's end ({length}): "
            "fetch the record again."
        )
    return Beats(samples, np.asarray(annotation.symbol))


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
        codes = {code: value for code, value in ast.literal_eval(row.scp_codes).items()}
        labels = {
            "diagnoses": tuple(codes),
            "superclasses": tuple(sorted({classes[code] for code in codes if code in classes})),
            "fold": int(getattr(row, "strat_fold", 0)),
        }
        recording = read(folder / row.filename_hr, patient=f"{row.patient_id:.0f}")
        yield Recording(
            str(row.ecg_id),
            recording.patient,
            recording.signal,
            recording.rate,
            recording.leads,
            None,
            labels,
        )


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


def _table(path: Path, columns: set[str]) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"No table {path}: run 'ecg-lessons fetch ptb-xl', or choose --source sample.")
    table = pd.read_csv(path)
    missing = sorted(columns - set(table.columns))
    if missing:
        raise InputError(f"{path} lacks the column {missing[0]!r}: fetch the table again.")
    return table
