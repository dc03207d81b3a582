"""CSV tables: the ECGs, labels and predictions of lesson 1, the beats of lesson 5.

ECGs stand as in the ENS challenge "Détection d'inversions ECG" (A. Usoltsev's project, 2017): a header, then one ECG a
row, its ID and 12 leads x 750 samples (3 s at 250 Hz), lead after lead, aVL before aVR. Beats stand as Kachuee et al.
(2018, arXiv 1805.00794) published them, in mitbih_train.csv and mitbih_test.csv (classes 0-4: N S V F Q), in
ptbdb_normal.csv and ptbdb_abnormal.csv (0 and 1): no header, and a line is the 187 samples of a beat at 125 Hz and its
class, all as floats. Whose beats they are is not told: a split of their lines puts beats of one patient on both sides.
Values are separated by commas or, in some copies, by semicolons; then the decimal mark may be a comma.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import files
from ecg_lessons.data.recordings import LEADS
from ecg_lessons.errors import InputError

#: Order of the leads in the CSV.
CSV_LEADS = ("I", "II", "III", "aVL", "aVR", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ECG_SAMPLES, BEAT_SAMPLES = 750, 187
_FROM_CSV = [CSV_LEADS.index(lead) for lead in LEADS]
_TO_CSV = [LEADS.index(lead) for lead in CSV_LEADS]
#: How the header of a table with one ECG begins; see `formats.table`.
_CLOCKS_AND_LEADS = {"time", "t", "seconds", "sec", "ecg", "mlii", *(lead.lower() for lead in LEADS)}
_NO_CSV = "give a CSV table (comma or semicolon, UTF-8)"


@dataclass(frozen=True)
class _Form:
    """What a table of numbers must be; `named` says that it has a header, and an ID before the numbers of a row."""

    columns: int
    expected: str
    named: bool


_ECGS = _Form(9001, f"expected ID and {len(LEADS)} leads x {ECG_SAMPLES} samples = 9001 columns", True)
_BEATS = _Form(188, f"expected {BEAT_SAMPLES} samples and the class = 188 columns, without a header", False)


def is_ecgs(path: str | Path) -> bool:
    """Tell whether a path is a CSV table whose rows are ECGs with an ID, not the samples of one ECG."""
    path = Path(path)
    return path.suffix.lower() == ".csv" and _head(path)[1][0].lower() not in _CLOCKS_AND_LEADS


def read_ecgs(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read IDs and signals, float32 of shape (n, 750, 12) in mV as given, leads as in `LEADS`."""
    ids, values = _read(Path(path), _ECGS)
    return ids, np.ascontiguousarray(values.reshape(len(ids), len(LEADS), -1)[:, _FROM_CSV].transpose(0, 2, 1))


def read_beats(path: str | Path, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Read beats, float32 of shape (n, 187), in [0, 1] in the published tables, and their class, 0 to `classes` - 1."""
    path = Path(path)
    _, values = _read(path, _BEATS)
    x, label = values[:, :-1], values[:, -1]
    for wrong in np.flatnonzero((label != np.round(label)) | (label < 0) | (label >= classes)):
        line = next(islice(_rows(path, ",", 0), int(wrong), None))[0]
        what = f"the class (column {_BEATS.columns}) is {label[wrong]:g}"
        raise InputError(f"{path}, line {line}: {what}: expected a whole number from 0 to {classes - 1}.")
    return np.ascontiguousarray(x), label.astype(int)


def read_labels(path: str | Path, ids: Sequence[str]) -> np.ndarray:
    """Read the labels of the ECGs `ids`, in that order (0 correct, 1 inverted); others are passed over."""
    path = Path(path)
    separator, header = _head(path)
    names = [name.upper() for name in header]
    for name in ("ID", "TARGET"):
        if name not in names:
            raise InputError(f"{path} has no column {name}: expected a header with ID and TARGET.")
    labels = {}
    for line, row in _rows(path, separator, 1):
        place = f"{path}, line {line}"
        if len(row) != len(header):
            raise InputError(f"{place}: {len(row)} values, but the header has {len(header)}: mend the line.")
        name, target = (row[names.index(column)].strip() for column in ("ID", "TARGET"))
        if name in labels:
            raise InputError(f"{place}: the ID {name!r} comes a second time: keep one of its labels.")
        if target not in {"0", "1", "0.0", "1.0"}:
            raise InputError(f"{place}: TARGET is {target[:20]!r}: use 0 (correct) or 1 (inverted).")
        labels[name] = int(target[0])
    if not labels:
        raise _no_rows(path)
    if lacking := [name for name in ids if name not in labels]:
        what = f"lacks {len(lacking)} of {len(ids)} labels" if len(lacking) < len(ids) else "is for other IDs"
        raise InputError(f"{path} {what} (first ECG without one: ID {lacking[0]!r}): give the labels of this table.")
    return np.array([labels[name] for name in ids], dtype=int)


def write_ecgs(path: str | Path, ids: Sequence[str], signals: np.ndarray) -> None:
    """Write ECGs, shape (n, 750, 12), leads as in `LEADS`, exactly enough for float32 to come back as it was."""
    signals = _finite(path, "signals", signals, (len(ids), ECG_SAMPLES, len(LEADS)))
    rows = signals.transpose(0, 2, 1)[:, _TO_CSV].reshape(len(ids), -1)
    line = ",".join(["%.9g"] * rows.shape[1]) + "\n"
    with files.writing(path) as file:
        writer = csv.writer(file, lineterminator="")
        writer.writerow(["ID", *(f"{lead}_{sample}" for lead in CSV_LEADS for sample in range(ECG_SAMPLES))])
        file.write("\n")
        for name, row in zip(_unique(path, ids), rows, strict=True):
            writer.writerow([name, ""])  # ends in the comma before the values
            file.write(line % tuple(row.tolist()))


def write_beats(path: str | Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write beats, shape (n, 187), and their classes, exactly enough for float32 to come back as it was."""
    y, x = np.asarray(y), _finite(path, "beats", x, (len(y) or "n", BEAT_SAMPLES))
    if y.dtype.kind not in "iu" or y.min() < 0:
        raise InputError(f"Cannot write {path}: classes must be whole numbers from 0 on.")
    with files.writing(path) as file:
        np.savetxt(file, np.column_stack([x, y]), ["%.9g"] * BEAT_SAMPLES + ["%d.0"], ",")


def write_labels(path: str | Path, ids: Sequence[str], labels: Sequence[int]) -> None:
    """Write a table of labels, ID and TARGET (0 correct, 1 inverted)."""
    write_predictions(path, ids, {"TARGET": np.asarray(labels, dtype=int)})


def write_predictions(path: str | Path, ids: Sequence[str], columns: Mapping[str, Sequence]) -> None:
    """Write one row an ECG: ID and the given columns, each of length n."""
    for name, values in columns.items():
        if len(values) != len(ids):
            raise InputError(f"Cannot write {path}: column {name} has {len(values)} values for {len(ids)} ECGs.")
    frame = pd.DataFrame({"ID": _unique(path, ids), **columns})
    with files.writing(path) as file:
        frame.to_csv(file, index=False, float_format="%.6g", lineterminator="\n")


def _read(path: Path, form: _Form) -> tuple[list[str], np.ndarray]:
    separator, head = _head(path)
    if len(head) != form.columns or (form.named and head[0].lower() != "id"):
        first = f", the first called {head[0][:20]!r}" if form.named else ""
        raise InputError(f"{path} has {len(head)} columns{first}: {form.expected}.")
    first = next(_rows(path, separator, form.named), (0, []))[1]
    decimal = "," if separator == ";" and any("," in cell for cell in first[1:]) else "."
    try:
        with np.errstate(over="ignore"):  # too large a number becomes infinite, and is found below
            kinds = defaultdict(lambda: np.float32, {0: str} if form.named else {})
            form_of = {"sep": separator, "decimal": decimal, "header": None, "skiprows": int(form.named)}
            quick = {"dtype": kinds, "na_filter": False, "low_memory": False}  # twice as fast
            frame = pd.read_csv(path, **form_of, **quick, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        raise _no_rows(path) from None
    except ValueError as error:  # ParserError among them
        _explain(path, form, separator, decimal, str(error))
    values = frame.iloc[:, int(form.named) :].to_numpy(np.float32)
    if frame.shape[1] != form.columns or not np.isfinite(values).all():
        _explain(path, form, separator, decimal, "a value is missing or not finite")
    return _unique(path, frame[0]) if form.named else [], values


def _head(path: Path) -> tuple[str, list[str]]:
    # Sniff the separator and read the first row, after a look at all of the file: refuse what is no CSV at all.
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the CSV file inside it.")
    try:
        with path.open("rb") as file:
            if b"\0" in file.read(1 << 16):
                raise InputError(f"{path} is a binary file: {_NO_CSV}.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
            while file.read(1 << 20):  # finds bytes that are not UTF-8, wherever they are
                pass
    except FileNotFoundError:
        raise InputError(f"No file {path}: check the path.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: {_NO_CSV}.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): check its permissions.") from None
    if not line.strip():
        raise InputError(f"{path} is empty or begins with an empty line: {_NO_CSV}.")
    separator = ";" if 2 * line.count(";") > line.count(",") else ","  # each value may have a decimal comma
    return separator, [name.strip() for name in next(csv.reader([line], delimiter=separator))]


def _rows(path: Path, separator: str, skip: int) -> Iterator[tuple[int, list[str]]]:
    # Read rows with their line numbers, empty lines left out.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            for row in islice(reader, int(skip), None):
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            place = f"{path}, line {reader.line_num}"
            raise InputError(f"{place}: {error}; look for a quotation mark that does not close.") from None


def _explain(path: Path, form: _Form, separator: str, decimal: str, reason: str) -> None:
    # Find the first line that pandas could not take; slow, so only after a failure.
    for line, row in _rows(path, separator, form.named):
        place = f"{path}, line {line}" + (f" (ID {row[0][:20]!r})" if form.named else "")
        if len(row) != form.columns:
            raise InputError(f"{place}: {len(row)} values, {form.expected}: mend or remove the line.") from None
        for column, cell in enumerate(row[int(form.named) :], start=1 + form.named):
            cell = cell.replace(decimal, ".")
            if not _is_number(cell):
                what = f"{cell[:20]!r} is not a finite number" if cell.strip() else "the cell is empty"
                raise InputError(f"{place}, column {column}: {what}: mend or remove the line.") from None
    raise InputError(f"{path} cannot be read as a table ({reason}): export it again as CSV.") from None


def _is_number(cell: str) -> bool:
    try:
        return "_" not in cell and abs(float(cell)) <= float(np.finfo(np.float32).max)
    except ValueError:
        return False


def _no_rows(path: Path) -> InputError:
    return InputError(f"{path} has a header and no rows: give a table with at least one ECG.")


def _finite(path: str | Path, what: str, values: np.ndarray, shape: tuple) -> np.ndarray:
    values = np.asarray(values, dtype=np.float32)
    if values.shape != shape or not np.isfinite(values).all():
        wanted = f"they must be finite numbers of shape ({', '.join(map(str, shape))})"
        raise InputError(f"Cannot write {path}: {what} have shape {values.shape}; {wanted}.")
    return values


def _unique(path: str | Path, ids: Iterable[str]) -> list[str]:
    names = [str(name).strip() for name in ids]
    given = pd.Series(names, dtype=object)
    for row in np.flatnonzero(given.duplicated() | (given == ""))[:1]:
        what = f"the ID {names[row]!r} comes a second time" if names[row] else "the ID is empty"
        raise InputError(f"{path}, row {row + 1} after the header: {what}: give every ECG an ID of its own.")
    return names
