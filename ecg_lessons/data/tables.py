"""The CSV tables of lesson 1: ECGs, labels and predictions, read and written.

The format is that of the ENS challenge "Détection d'inversions ECG" (A. Usoltsev's project, 2017): a header,
then one ECG a row, its ID and 12 leads x 750 samples (3 s at 250 Hz), lead after lead, aVL before aVR. Values
are separated by commas or, in some copies, by semicolons; then the decimal mark may be a comma.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from ecg_lessons.data.recordings import LEADS
from ecg_lessons.data.text_files import finite, first_line, replacing
from ecg_lessons.errors import InputError

#: Order of the leads in the CSV.
CSV_LEADS = ("I", "II", "III", "aVL", "aVR", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
SAMPLES, RATE = 750, 250
_COLUMNS = 1 + len(LEADS) * SAMPLES
_EXPECTED = f"ID and {len(LEADS)} leads x {SAMPLES} samples = {_COLUMNS} columns"
_FROM_CSV = [CSV_LEADS.index(lead) for lead in LEADS]
_TO_CSV = [LEADS.index(lead) for lead in CSV_LEADS]


def read_ecgs(path: str | Path) -> tuple[list[str], np.ndarray]:
    """Read a table of ECGs.

    Returns
    -------
    ids : list of str
    signals : ndarray of float32, shape (n, 750, 12)
        As given (millivolts in the challenge), leads in the order of `LEADS`.

    Raises
    ------
    InputError
        In one sentence naming file and line: no file, not a CSV, no rows, a missing column, a short or long
        row, a value that is no finite number, an ID that is empty or comes twice.
    """
    path = Path(path)
    separator, header = _head(path)
    if len(header) != _COLUMNS or header[0].lower() != "id":
        raise InputError(
            f"{path} has {len(header)} columns, the first called {header[0][:20]!r}: expected {_EXPECTED}."
        )
    decimal = _decimal(path, separator)
    try:
        with np.errstate(over="ignore"):  # too large a number becomes infinite, and is found below
            frame = pd.read_csv(
                path,
                sep=separator,
                decimal=decimal,
                header=None,
                skiprows=1,
                dtype=defaultdict(lambda: np.float32, {0: str}),
                na_filter=False,
                low_memory=False,  # twice as fast
                encoding="utf-8-sig",
            )
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} has a header and no rows: give a table with at least one ECG.") from None
    except ValueError as error:  # ParserError among them
        _explain(path, separator, decimal, str(error))
    values = frame.iloc[:, 1:].to_numpy(np.float32)
    if frame.shape[1] != _COLUMNS or not np.isfinite(values).all():
        _explain(path, separator, decimal, "a value is missing or not finite")
    ids = _unique(path, frame[0])
    leads = values.reshape(len(ids), len(LEADS), SAMPLES)[:, _FROM_CSV]
    return ids, np.ascontiguousarray(leads.transpose(0, 2, 1))


def read_labels(path: str | Path, ids: Sequence[str]) -> np.ndarray:
    """Read the labels of the ECGs `ids`, in that order; labels of further ECGs are passed over.

    Returns
    -------
    ndarray of int, shape (n,)
        0 correct, 1 inverted.

    Raises
    ------
    InputError
        As `read_ecgs`, and for an ECG without label or a label other than 0 and 1.
    """
    path = Path(path)
    separator, header = _head(path)
    names = [name.upper() for name in header]
    for name in ("ID", "TARGET"):
        if name not in names:
            raise InputError(f"{path} has no column {name}: expected a header with ID and TARGET.")
    id_column, target_column = names.index("ID"), names.index("TARGET")
    labels: dict[str, int] = {}
    for line, row in _rows(path, separator):
        if len(row) != len(header):
            raise InputError(
                f"{path}, line {line}: {len(row)} values, but the header has {len(header)}: mend the line."
            )
        name, target = row[id_column].strip(), row[target_column].strip()
        if name in labels:
            raise InputError(
                f"{path}, line {line}: the ID {name!r} comes a second time: keep one of its labels."
            )
        if target not in {"0", "1", "0.0", "1.0"}:
            raise InputError(
                f"{path}, line {line}: TARGET is {target[:20]!r}: use 0 (correct) or 1 (inverted)."
            )
        labels[name] = int(target[0])
    if not labels:
        raise InputError(f"{path} has a header and no rows: give a table with one label an ECG.")
    lacking = [name for name in ids if name not in labels]
    if lacking:
        what = (
            "is for other IDs" if len(lacking) == len(ids) else f"lacks {len(lacking)} of {len(ids)} labels"
        )
        raise InputError(
            f"{path} {what} (first ECG without one: ID {lacking[0]!r}): give the labels of this table."
        )
    return np.array([labels[name] for name in ids], dtype=int)


def write_ecgs(path: str | Path, ids: Sequence[str], signals: np.ndarray) -> None:
    """Write a table of ECGs, exactly enough for float32 to come back as it was.

    Parameters
    ----------
    path : str or Path
    ids : sequence of str, length n
    signals : ndarray, shape (n, 750, 12)
        Leads in the order of `LEADS`.

    Raises
    ------
    InputError
        If shapes do not fit, an ID comes twice, a value is not finite, or the file cannot be written.
    """
    signals = np.asarray(signals, dtype=np.float32)
    if signals.shape != (len(ids), SAMPLES, len(LEADS)) or not np.isfinite(signals).all():
        raise InputError(
            f"Cannot write {path}: signals have shape {signals.shape}; they must be finite numbers of shape "
            f"({len(ids)}, {SAMPLES}, {len(LEADS)})."
        )
    rows = signals.transpose(0, 2, 1)[:, _TO_CSV].reshape(len(ids), -1)
    line = ",".join(["%.9g"] * rows.shape[1])
    with replacing(Path(path)) as file:
        writer = csv.writer(file, lineterminator="")
        writer.writerow(["ID", *(f"{lead}_{sample}" for lead in CSV_LEADS for sample in range(SAMPLES))])
        for name, row in zip(_unique(path, ids), rows, strict=True):
            file.write("\n")
            writer.writerow([name, ""])  # ends in the comma before the values
            file.write(line % tuple(row.tolist()))
        file.write("\n")


def write_labels(path: str | Path, ids: Sequence[str], labels: Sequence[int]) -> None:
    """Write a table of labels, ID and TARGET (0 correct, 1 inverted)."""
    write_predictions(path, ids, {"TARGET": np.asarray(labels, dtype=int)})


def write_predictions(path: str | Path, ids: Sequence[str], columns: Mapping[str, Sequence]) -> None:
    """Write one row an ECG: ID and the given columns, each of length n.

    Raises
    ------
    InputError
        If a column has another length, an ID comes twice, or the file cannot be written.
    """
    for name, values in columns.items():
        if len(values) != len(ids):
            raise InputError(
                f"Cannot write {path}: column {name} has {len(values)} values for {len(ids)} ECGs."
            )
    frame = pd.DataFrame({"ID": _unique(path, ids), **columns})
    with replacing(Path(path)) as file:
        frame.to_csv(file, index=False, float_format="%.6g", lineterminator="\n")


def _head(path: Path) -> tuple[str, list[str]]:
    """Sniff the separator and read the header; refuse what is no CSV at all."""
    line = first_line(path)
    if not line.strip():
        raise InputError(f"{path} is empty or begins with an empty line: give a CSV table with a header.")
    separator = ";" if line.count(";") > line.count(",") else ","
    return separator, [name.strip() for name in next(csv.reader([line], delimiter=separator))]


def _decimal(path: Path, separator: str) -> str:
    """Tell the decimal mark: a comma only where a semicolon separates and the first row has commas."""
    first = next(_rows(path, separator), (0, []))[1]
    return "," if separator == ";" and any("," in cell for cell in first[1:]) else "."


def _rows(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Read the rows after the header with their line numbers, empty lines left out."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        next(reader)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise InputError(
                f"{path}, line {reader.line_num}: {error}; look for a quotation mark that does not close."
            ) from None


def _explain(path: Path, separator: str, decimal: str, reason: str) -> NoReturn:
    """Find the first line that pandas could not take; slow, so only after a failure."""
    for line, row in _rows(path, separator):
        place = f"{path}, line {line} (ID {row[0][:20]!r})"
        if len(row) != _COLUMNS:
            raise InputError(
                f"{place}: {len(row)} values, expected {_EXPECTED}: mend or remove the line."
            ) from None
        cells = [cell.replace(decimal, ".") for cell in row[1:]]
        if not finite(cells):
            column, cell = next(pair for pair in enumerate(cells, start=2) if not finite(pair[1:]))
            what = f"{cell[:20]!r} is not a finite number" if cell.strip() else "the cell is empty"
            raise InputError(f"{place}, column {column}: {what}: mend or remove the line.") from None
    raise InputError(f"{path} cannot be read as a table ({reason}): export it again as CSV.") from None


def _unique(path: str | Path, ids: Iterable[str]) -> list[str]:
    """Give the IDs stripped of blanks; refuse an empty one and one that comes twice."""
    names = [str(name).strip() for name in ids]
    seen: set[str] = set()
    for row, name in enumerate(names, start=1):
        if not name or name in seen:
            what = f"the ID {name!r} comes a second time" if name else "the ID is empty"
            raise InputError(f"{path}, row {row} after the header: {what}: give every ECG an ID of its own.")
        seen.add(name)
    return names
