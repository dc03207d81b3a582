"""Recordings, and the databases they come from: PTB-XL, LUDB, MIT-BIH, PTB Diagnostic, CinC 2017."""

import ast
import csv
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from lzma import LZMAError
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import scipy.io
import wfdb

from ecg_lessons import files
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
#: The labels of CinC 2017: normal sinus rhythm, atrial fibrillation, another rhythm, too noisy to tell.
RHYTHMS = ("N", "A", "O", "~")
#: The rate of its hand-held device (Hz).
RHYTHM_RATE = 300.0

_LABELS = ("REFERENCE-v3.csv", "REFERENCE.csv", "training2017/REFERENCE-v3.csv", "training2017/REFERENCE.csv")
_COMMENTS = {"reason": "Reason for admission", "localization": "Acute infarction (localization)"}
# A RuntimeError is how zipfile tells of a way of packing that it does not know.
_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, LZMAError, RuntimeError)
_ENDINGS = {".hea", ".dat", ".atr", ".mat"}

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Beats:
    """Annotations: sample indices, ascending, and WFDB symbols; marks of rhythm and noise stand among the beats."""

    samples: np.ndarray
    symbols: np.ndarray


@dataclass(frozen=True)
class Recording:
    """One electrocardiogram: `signal` is float32, shape (samples, leads), in mV; `rate` in Hz.

    Two records of one person share `patient`; `labels` is what else is known, such as ``{"diagnoses": ("NORM",)}``.
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
        """Give the twelve standard leads in standard order, shape (samples, 12), in mV."""
        if missing := [lead for lead in LEADS if lead not in self.leads]:
            has = f"has {len(self.leads)} leads ({', '.join(self.leads)}) and lacks {', '.join(missing)}"
            raise InputError(f"Record {self.name} {has}: this lesson needs a 12-lead recording.")
        return self.signal[:, [self.leads.index(lead) for lead in LEADS]]


def paths(path: str | Path, mat: bool = False) -> list[Path]:
    """List the records, without ending, that a path stands for: one record, or all of a folder; .mat files if `mat`."""
    path = Path(path)
    if not path.is_dir():
        return [_base(path)]
    endings = (".hea", ".mat") if mat else (".hea",)
    if bases := {entry.with_suffix("") for entry in path.iterdir() if entry.suffix in endings}:
        return sorted(bases)
    what = "recordings (.mat or .hea)" if mat else "WFDB headers (.hea)"
    raise InputError(f"No {what} in {path}: give a record or a folder of records.")


def read(path: str | Path, patient: str | None = None, annotator: str | None = None) -> Recording:
    """Read one WFDB record, or .mat file of CinC 2017; `annotator` is the ending of the file with the beats."""
    path, base = Path(path), _base(Path(path))
    if not base.with_name(base.name + ".hea").exists():
        mat = base.with_name(base.name + ".mat")
        if path.suffix != ".mat" and not mat.exists():
            raise InputError(f"No header {base}.hea: give the path of a WFDB record, without its ending.")
        return Recording(base.name, patient or base.name, _mat(mat), RHYTHM_RATE, ("ECG",))
    signal, rate, leads = _signal(base)
    beats = _annotations(base, annotator, len(signal)) if annotator else None
    return Recording(base.name, patient or base.name, signal, rate, leads, beats)


def ptb_xl(folder: str | Path) -> Iterator[Recording]:
    """Read PTB-XL (or a folder in its layout) at 500 Hz: SCP codes with a likelihood above 0, superclasses, fold."""
    folder = Path(folder)
    path = folder / "ptbxl_database.csv"
    if not path.exists():
        raise _missing(f"table {path}", "ptb-xl")
    table = pd.read_csv(path)
    for column in ("ecg_id", "filename_hr", "patient_id", "scp_codes"):
        if column not in table:
            raise InputError(f"{path} lacks the column {column!r}: fetch the table again.")
    statements = folder / "scp_statements.csv"
    classes = pd.read_csv(statements, index_col=0)["diagnostic_class"].dropna() if statements.exists() else {}
    for row in table.itertuples():
        codes = tuple(ast.literal_eval(row.scp_codes))
        superclasses = tuple(sorted({classes[code] for code in codes if code in classes}))
        labels = {"diagnoses": codes, "superclasses": superclasses, "fold": int(getattr(row, "strat_fold", 0))}
        yield replace(read(folder / row.filename_hr, f"{row.patient_id:.0f}"), name=str(row.ecg_id), labels=labels)


def ludb(folder: str | Path) -> Iterator[Recording]:
    """Read LUDB, the Lobachevsky University database: 200 recordings of 200 patients, 10 s at 500 Hz."""
    place = Path(folder) / "data"
    if not (names := sorted((path.stem for path in place.glob("*.hea")), key=int)):
        raise InputError(f"No recordings in {place}: run 'ecg-lessons fetch ludb'.")
    yield from (read(place / name) for name in names)


def mitdb(folder: str | Path, records: Iterable[str] | None = None) -> Iterator[Recording]:
    """Read the MIT-BIH Arrhythmia Database (or a folder in its layout); 201 and 202 are of the patient "201"."""
    known = _listed(folder, "mitdb")
    for name in known if records is None else map(str, records):
        if name not in known:
            raise InputError(f"{folder}/RECORDS has no record {name!r}; it names {known[0]} to {known[-1]}.")
        yield read(Path(folder) / name, SAME_PERSON.get(name, name), "atr")


def ptb_diagnostic(folder: str | Path) -> Iterator[Recording]:
    """Read the PTB Diagnostic database: 549 recordings of 290 people, the twelve leads and those of Frank at 1000 Hz.

    The labels stand as comments in the header, empty where there are none: "reason", why they came to the hospital,
    such as "Myocardial infarction", and "localization" of an acute infarction, such as "infero-lateral".
    """
    for name in _listed(folder, "ptbdb"):
        if not (patient := PurePosixPath(name).parent.name):
            place = f"{Path(folder) / 'RECORDS'} names {name!r} without a patient's folder"
            raise InputError(f"{place}: expected lines such as patient001/s0010_re; fetch it again.")
        recording = read(Path(folder) / name, patient)
        header = (Path(folder) / f"{name}.hea").read_text(encoding="utf-8", errors="replace")
        comments = (line.lstrip("# ").partition(":") for line in header.splitlines() if line.startswith("#"))
        values = {key.strip(): value.strip() for key, _, value in comments}
        labels = {label: values.get(comment, "") for label, comment in _COMMENTS.items()}
        yield replace(recording, labels=labels)


def challenge_2017(folder: str | Path, records=None, progress: Progress | None = None) -> Iterator[Recording]:
    """Read the training set of CinC 2017: 8,528 recordings of one lead, 9 to 61 s, in the order of their labels.

    ``labels["rhythm"]`` is one of `RHYTHMS`. Who was recorded is not published, and people may have sent more than one
    recording: the patient is the recording's name. Without a folder ``training2017``, ``training2017.zip`` is unpacked
    once into this computer's cache; `progress` is called with the recordings done and all, first for that.
    """
    folder = Path(folder)
    labels = rhythm_labels(folder)
    place = _unpacked(folder, progress)
    there = {path.stem for path in place.glob("*.mat")}
    if extra := sorted(there - labels.keys()):
        what = f"lack {len(extra)} of {len(there)} recordings of training2017 (first: {extra[0]})"
        raise InputError(f"The labels in {folder} {what}: add a row for each, or fetch the labels again.")
    if missing := sorted(labels.keys() - there):
        what = f"name {len(missing)} of {len(labels)} recordings that training2017 lacks (first: {missing[0]}.mat)"
        raise InputError(f"The labels in {folder} {what}: fetch or unpack it again.")
    names = list(labels if records is None else map(str, records))
    for done, name in enumerate(names, start=1):
        if name not in labels:
            raise InputError(f"{folder} has no recording {name!r}; it has {min(labels)} to {max(labels)}.")
        signal = _mat(place / f"{name}.mat")
        yield Recording(name, name, signal, RHYTHM_RATE, ("ECG",), labels={"rhythm": labels[name]})
        if progress:
            progress(done, len(names))


def rhythm_labels(folder: str | Path) -> dict[str, str]:
    """Read the label of every recording of CinC 2017 by its name, without a look at the recordings."""
    path = next((path for name in _LABELS if (path := Path(folder) / name).is_file()), None)
    if path is None:
        raise _missing(f"labels {Path(folder) / _LABELS[0]}", "challenge-2017")
    labels = {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if not row:
                continue
            name, label = (cell.strip() for cell in row) if len(row) == 2 else ("", "")
            place = f"{path}, row {number}"
            if not name:
                raise InputError(f"{place}: expected name,label such as A00001,N; mend the row.")
            if label not in RHYTHMS:
                raise InputError(f"{place}: unknown label {label!r} of {name}; the labels are {' '.join(RHYTHMS)}.")
            if name in labels:
                raise InputError(f"{place}: {name} has a label already; delete one of its rows.")
            labels[name] = label
    if not labels:
        raise _damaged(path, "challenge-2017", "holds no labels")
    return labels


def _base(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in _ENDINGS else path


def _missing(what: str, dataset: str) -> InputError:
    return InputError(f"No {what}: run 'ecg-lessons fetch {dataset}', or choose --source sample.")


def _damaged(path: Path, dataset: str, how: str = "is damaged") -> InputError:
    return InputError(f"{path} {how}: delete it and run 'ecg-lessons fetch {dataset}' again.")


def _listed(folder: str | Path, dataset: str) -> list[str]:
    path = Path(folder) / "RECORDS"
    if not path.exists():
        raise _missing(f"list of records {path}", dataset)
    if names := path.read_text(encoding="utf-8", errors="replace").split():
        return names
    raise _damaged(path, dataset, "lists no records")


def _unpacked(folder: Path, progress: Progress | None) -> Path:
    place, packed = folder / "training2017", folder / "training2017.zip"
    if not packed.is_file() or next(place.glob("*.mat"), None):
        if not place.is_dir():
            raise _missing(f"recordings {packed}", "challenge-2017")
        return place
    try:
        with zipfile.ZipFile(packed) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".mat")]
            # The checksums tell one content from another, whenever and wherever it was downloaded.
            sums = [(member.filename, member.CRC, member.file_size) for member in members]
            name = f"training2017-{zlib.crc32(repr(sums).encode()):08x}"

            def unpack(to: Path) -> None:
                with files.new_folder(to, "the recordings") as draft:
                    for done, member in enumerate(members, start=1):
                        (draft / PurePosixPath(member.filename).name).write_bytes(archive.read(member))
                        if progress:
                            progress(done, len(members))

            return files.cached(files.cache() / "challenge-2017" / name, unpack)
    except _DAMAGED:
        raise _damaged(packed, "challenge-2017") from None
    except OSError as error:
        place = f"{packed} into {files.cache()} ({error.strerror})"
        raise InputError(f"Cannot unpack {place}: make room, or set ECG_LESSONS_CACHE to another folder.") from None


def _signal(base: Path) -> tuple[np.ndarray, float, tuple[str, ...]]:
    # Float32 (samples, leads) in mV, where a sample that is marked as missing becomes 0; rate; leads.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = wfdb.rdrecord(str(base), return_res=32)  # float32 from the start: twice as fast
    except FileNotFoundError as error:
        lacking = f"its signal file {Path(error.filename).name} is missing"
        raise InputError(f"Record {base} has a header but {lacking}: fetch the record again.") from None
    except Exception as error:
        what = f"truncated or damaged: {(str(error) or type(error).__name__).splitlines()[0]}"
        raise InputError(f"Record {base} cannot be read as WFDB ({what}): fetch it again.") from None
    if record.p_signal is None or not len(record.p_signal):
        raise InputError(f"Record {base} holds no samples: fetch it again.")
    leads = tuple(_SPELLING.get(name.lower(), name) for name in record.sig_name)
    return np.nan_to_num(record.p_signal).astype(np.float32, copy=False), float(record.fs), leads


def _annotations(base: Path, annotator: str, length: int) -> Beats:
    name = f"{base.name}.{annotator}"
    remedy = "fetch the file, or leave the record out"
    try:
        annotation = wfdb.rdann(str(base), annotator)
    except FileNotFoundError:
        raise InputError(f"Record {base.name} has no annotations ({name}): {remedy}.") from None
    except Exception:
        raise InputError(f"The annotations of record {base} ({name}) cannot be read: fetch the file again.") from None
    samples = np.asarray(annotation.sample)
    if not len(samples):
        raise InputError(f"{base}.{annotator} holds no annotation: {remedy}.")
    if samples.max() >= length:
        place = f"an annotation at sample {samples.max()} lies beyond the signal's end ({length})"
        raise InputError(f"Record {base.name}: {place}: fetch the record again.")
    return Beats(samples, np.asarray(annotation.symbol))


def _mat(path: Path) -> np.ndarray:
    # A .mat file of CinC 2017 has 1000 steps per mV: float32, shape (samples, 1), in mV.
    if not path.is_file():
        raise InputError(f"No file {path}: give the path of a .mat recording of CinC 2017.")
    try:
        values = scipy.io.loadmat(path)["val"]
    except KeyError:
        raise InputError(f"{path} has no variable 'val': it is not a recording of CinC 2017.") from None
    except Exception:
        raise InputError(f"{path} cannot be read as a MATLAB file: fetch it again.") from None
    return (values.reshape(-1, 1) / 1000).astype(np.float32)
