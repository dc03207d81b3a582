"""Recordings, and the databases they come from: PTB-XL, LUDB, MIT-BIH, PTB Diagnostic, CinC 2017."""

import ast
import csv
import io
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from lzma import LZMAError
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import wfdb

from ecg_lessons import files
from ecg_lessons.data import formats, plain_wfdb, voltages, wfdb_records
from ecg_lessons.data.voltages import LEADS, RHYTHM_RATE, How, is_ecg
from ecg_lessons.errors import InputError, note, shown

#: Records of the MIT-BIH Arrhythmia Database that come from one person (Moody & Mark, database directory).
SAME_PERSON = {"202": "201"}
#: Its records as de Chazal et al. (2004, https://doi.org/10.1109/TBME.2004.827359) divide them: to train, to test,
#: and in neither those of paced hearts.
DS1 = tuple("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split())  # noqa: SIM905
DS2 = tuple("100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split())  # noqa: SIM905
PACED = ("102", "104", "107", "217")
#: The labels of CinC 2017: normal sinus rhythm, atrial fibrillation, another rhythm, too noisy to tell.
RHYTHMS = ("N", "A", "O", "~")

_LABELS = ("REFERENCE-v3.csv", "REFERENCE.csv", "training2017/REFERENCE-v3.csv", "training2017/REFERENCE.csv")
_COMMENTS = {"reason": "Reason for admission", "localization": "Acute infarction (localization)"}
# A RuntimeError is how zipfile tells of a way of packing that it does not know.
_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, LZMAError, RuntimeError)
#: Endings that stand for a WFDB record, and those that a folder is searched for, the first one first.
_WFDB, _FOUND = (".hea", ".dat", ".atr"), (".hea", ".mat", ".edf", ".bdf", ".dcm", ".npy", ".npz")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Beats:
    """Annotations: sample indices, ascending, and WFDB symbols; marks of rhythm and noise stand among the beats."""

    samples: np.ndarray
    symbols: np.ndarray


@dataclass(frozen=True)
class Recording:
    """One electrocardiogram: `signal` is float32, shape (samples, leads), in mV, NaN where missing; `rate` in Hz.

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
        """Give the twelve standard leads in standard order, shape (samples, 12), in mV.

        Where III, aVR, aVL and aVF are not recorded, they are computed from I and II, as any device does.
        """
        missing = [lead for lead in LEADS if lead not in self.leads]
        if not missing:
            return self.signal[:, [self.leads.index(lead) for lead in LEADS]]
        if not set(missing) <= set(LEADS[2:6]):
            has = f"has {len(self.leads)} leads ({shown(', '.join(self.leads))}) and lacks {', '.join(missing)}"
            raise InputError(f"Record {self.name} {has}: this lesson needs a 12-lead recording.")
        note(f"Record {self.name} lacks {', '.join(missing)}: they are computed from I and II.")
        columns = dict(zip(self.leads, self.signal.T, strict=True))
        one, two = columns["I"], columns["II"]
        computed = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
        return np.stack([(computed | columns)[lead] for lead in LEADS], axis=1)

    def only(self, *preferred: str, lead: str | None = None) -> "Recording":
        """Keep one lead: `lead`, or the first of those preferred, or one known to be an ECG, or the only one."""
        known = [*(name for name in preferred if name in self.leads), *filter(is_ecg, self.leads)]
        if lead is not None:
            known = [name for name in self.leads if name.lower() == lead.strip().lower()]
        if not known and (lead is not None or len(self.leads) > 1):
            what = f"has no lead {shown(lead)}" if lead else "has no lead that is known to be an ECG"
            raise InputError(f"Record {self.name} {what}: choose with --lead: {shown(', '.join(self.leads))}.")
        name = (known or self.leads)[0]
        others = {"others": tuple(other for other in self.leads if other != name)}
        signal = self.signal[:, [self.leads.index(name)]]
        return replace(self, signal=signal, leads=(name,), labels=self.labels | others)


def paths(path: str | Path) -> list[Path]:
    """List the files that a path stands for: one recording, or all of a folder, but for hidden ones and segments."""
    path = Path(path)
    if not path.is_dir():
        return [_file(path)]
    try:
        entries = [entry for entry in path.iterdir() if not entry.name.startswith((".", "__"))]
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): check its permissions.") from None
    found: dict[str, Path] = {}
    for entry in sorted(entries, key=lambda entry: _FOUND.index(_kind(entry)) if _kind(entry) in _FOUND else 99):
        if _kind(entry) in _FOUND and entry.is_file():
            found.setdefault(entry.stem, entry)
    parts = {part for entry in found.values() if _kind(entry) == ".hea" for part, _ in wfdb_records.segments(entry)}
    if files := sorted(entry for name, entry in found.items() if name not in parts):
        return files
    raise InputError(f"No recordings ({', '.join(_FOUND)}) in {path}: give a recording or a folder of recordings.")


def read(
    path: str | Path, patient: str | None = None, annotator: str | None = None, how: How | None = None
) -> Recording:
    """Read one recording: a WFDB record with or without its ending, or a file of another format, by its ending.

    `annotator` is the ending of the file with the beats.
    """
    file = _file(Path(path))
    signal, rate, leads = formats.read(file, how or How())
    beats = _annotations(file.with_suffix(""), annotator, len(signal), rate) if annotator else None
    return Recording(file.stem, patient or file.stem, signal, rate, leads, beats)


def each(
    path: str | Path | Recording,
    make: Callable[[Recording], object],
    annotator: str = "",
    how: How | None = None,
    strict: bool = False,
    tick: Progress | None = None,
) -> tuple[list, dict[str, str]]:
    """Make something of a recording, or of all that a path stands for, with an annotator's beats if there are some.

    Gives it with what was left out of a folder, and why; nothing is left out where `strict`, or of a single recording.
    """
    if isinstance(path, Recording):
        return [make(path)], {}
    listed, made, left_out = paths(path), [], {}
    for done, file in enumerate(listed, start=1):
        try:
            annotated = annotator and file.with_suffix(f".{annotator}").exists()
            made.append(make(read(file, annotator=annotator if annotated else None, how=how)))
        except InputError as error:
            if strict or not Path(path).is_dir():
                raise
            left_out[file.name] = str(error)
        if tick and len(listed) > 20:
            tick(done, len(listed))
    if not made:
        first = next(iter(left_out.values()))
        raise InputError(f"None of the {len(listed)} recordings in {path} can be judged. The first: {first}")
    return made, left_out


def ptb_xl(folder: str | Path) -> Iterator[Recording]:
    """Read PTB-XL (or a folder in its layout) at 500 Hz: SCP codes, their superclasses, fold.

    Codes of rhythm and form have the likelihood 0 in PTB-XL. A diagnosis with 0 is none: it names no superclass.
    """
    folder = Path(folder)
    path = folder / "ptbxl_database.csv"
    if not path.exists():
        raise _missing(f"table {path}", "ptb-xl")
    table = _table(path)
    for column in ("ecg_id", "filename_hr", "patient_id", "scp_codes"):
        if column not in table:
            raise InputError(f"{path} lacks the column {column!r}: take the table of PTB-XL as it was published.")
    statements = folder / "scp_statements.csv"
    classes = {}
    if statements.exists():
        known = _table(statements)
        if "diagnostic_class" not in known:
            raise InputError(f"{statements} lacks the column 'diagnostic_class': take the table of PTB-XL.")
        classes = known.set_index(known.columns[0])["diagnostic_class"].dropna().to_dict()
    again = table["ecg_id"].duplicated()
    for row, twice in zip(table.itertuples(), again, strict=True):
        place = f"{path}, row {row.Index + 2} (ecg_id {shown(row.ecg_id)})"
        if twice:
            raise InputError(f"{place}: this ecg_id stands in the table twice: remove one of its rows.")
        codes, patient = _codes(row.scp_codes, place), str(row.patient_id)
        if not re.fullmatch(r"\d+(\.0*)?", patient):
            raise InputError(f"{place}: patient_id is {shown(patient)!r}: without whose it is, leave the row out.")
        if not isinstance(row.filename_hr, str):
            raise InputError(f"{place}: filename_hr is empty: name the 500-Hz record, or leave the row out.")
        if not os.path.isfile(folder / f"{row.filename_hr}.hea"):  # no name in a table is too long for it
            raise InputError(f"{place}: no {shown(row.filename_hr)}.hea, and this course reads 500 Hz: add records500.")
        likely = [code for code, likelihood in codes.items() if likelihood > 0]
        superclasses = tuple(sorted({classes[code] for code in likely if code in classes}))
        fold = getattr(row, "strat_fold", 0)
        labels = {"diagnoses": tuple(codes), "superclasses": superclasses, "fold": int(fold) if fold == fold else 0}
        found = read(folder / row.filename_hr, str(int(float(patient))))
        yield replace(found, name=str(row.ecg_id), labels=labels)


def _table(path: Path) -> pd.DataFrame:
    """Read a CSV table as hospitals export it: UTF-8 or Latin-1, commas or semicolons."""
    try:
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        first = text.partition("\n")[0]
        return pd.read_csv(io.StringIO(text), sep=";" if first.count(";") > first.count(",") else ",", index_col=False)
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): check its permissions.") from None
    except ValueError as error:
        raise InputError(
            f"{path} is no CSV table ({shown(str(error).strip())}): take it as it was published."
        ) from None


def _codes(told: object, place: str) -> dict[str, float]:
    try:
        codes = ast.literal_eval(told) if len(told) < 10_000 else None
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        codes = None
    if not isinstance(codes, dict) or not all(isinstance(likelihood, int | float) for likelihood in codes.values()):
        what = f"scp_codes are {shown(told)}, and not such as {{'NORM': 100.0}}"
        raise InputError(f"{place}: {what}: mend the cell, write {{}} for none, or leave the row out.")
    return codes


def ludb(folder: str | Path) -> Iterator[Recording]:
    """Read LUDB, the Lobachevsky University database: 200 recordings of 200 patients, 10 s at 500 Hz."""
    place = Path(folder) / "data"
    if not (names := sorted((path.stem for path in place.glob("[0-9]*.hea")), key=int)):
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
    there = {path.stem for path in place.glob("[!.]*.mat")}
    if extra := sorted(there - labels.keys()):
        what = f"lack {len(extra)} of {len(there)} recordings of training2017 (first: {shown(extra[0])})"
        raise InputError(f"The labels in {folder} {what}: add a row for each, or fetch the labels again.")
    if missing := sorted(labels.keys() - there):
        what = (
            f"name {len(missing)} of {len(labels)} recordings that training2017 lacks (first: {shown(missing[0])}.mat)"
        )
        raise InputError(f"The labels in {folder} {what}: fetch or unpack it again.")
    names = list(labels if records is None else map(str, records))
    for done, name in enumerate(names, start=1):
        if name not in labels:
            raise InputError(f"{folder} has no recording {name!r}; it has {min(labels)} to {max(labels)}.")
        signal = formats.mat(place / f"{name}.mat", How()).signal
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
                raise InputError(
                    f"{place}: unknown label {shown(label)!r} of {shown(name)}; the labels are {' '.join(RHYTHMS)}."
                )
            if name in labels:
                raise InputError(f"{place}: {shown(name)} has a label already; delete one of its rows.")
            labels[name] = label
    if not labels:
        raise _damaged(path, "challenge-2017", "holds no labels")
    return labels


def _kind(path: Path) -> str:
    return path.suffix.lower()


def _file(path: Path) -> Path:
    """Find the file that a path stands for: a header by the name of its record, and a .mat that has none."""
    kind = _kind(path)
    base = path.with_suffix("") if kind in (*_WFDB, ".mat") else path
    for ending in (".hea", ".HEA", *((".mat", ".MAT") if kind not in _WFDB else ())):
        if (file := base.with_name(base.name + ending)).is_file():
            return file
    if kind in formats.READERS and kind not in (".hea",):
        return path
    known = ", ".join(formats.READERS)
    raise InputError(f"No header {base}.hea: give the path of a WFDB record, or of a file that ends in {known}.")


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
    if not packed.is_file() or next(place.glob("[!.]*.mat"), None):
        if not place.is_dir():
            raise _missing(f"recordings {packed}", "challenge-2017")
        return place
    try:
        with zipfile.ZipFile(packed) as archive:
            names = [member.filename for member in archive.infolist()]
            own = [name.endswith(".mat") and not name.startswith("__MACOSX") for name in names]
            members = [member for member, ours in zip(archive.infolist(), own, strict=True) if ours]
            voltages.refuse_large(sum(member.file_size for member in members) / 4, str(packed))
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


def _annotations(base: Path, annotator: str, length: int, rate: float) -> Beats:
    name = f"{base.name}.{annotator}"
    remedy = "mend the file, or leave the record out"
    try:
        annotation = plain_wfdb.annotations(base, annotator)
        annotation = annotation or wfdb.rdann(str(base), annotator, return_label_elements=["symbol", "label_store"])
    except FileNotFoundError:
        raise InputError(f"Record {base.name} has no annotations ({name}): {remedy}.") from None
    except Exception:
        raise InputError(f"The annotations of record {base} ({name}) cannot be read: {remedy}.") from None
    samples, symbols = np.asarray(annotation.sample), np.asarray(annotation.symbol)
    nameless = pd.isna(np.array(annotation.symbol, dtype=object))
    if not len(samples):
        raise InputError(f"{base}.{annotator} holds no annotation: {remedy}.")
    if unknown := sorted({int(code) for code in np.asarray(annotation.label_store)[nameless]}):
        raise InputError(f"Record {base.name}: {name} uses the codes {unknown}, which WFDB does not define: {remedy}.")
    if annotation.fs and annotation.fs != rate:  # a time resolution of their own
        samples = np.rint(samples * (rate / annotation.fs)).astype(int)
    order = np.argsort(samples, kind="stable")
    samples, symbols = samples[order], symbols[order]
    if samples[-1] >= length or samples[0] < 0:
        wrong = samples[0] if samples[0] < 0 else samples[-1]
        place = f"an annotation at sample {wrong} lies beyond the signal's end ({length})"
        raise InputError(f"Record {base.name}: {place}: {remedy}.")
    return Beats(samples, symbols)
