"""A lecturer's own sheet, filled in: what Moodle or Canvas export, or any CSV with a column of names or numbers."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ecg_lessons import files
from ecg_lessons.errors import InputError, choice, shown

#: What a column of grades is called where nobody says it; the first is Moodle's.
GRADES = ("Grade", "Bewertung", "Note", "Calificación", "Points", "Total")


class Filled(NamedTuple):
    """The sheet with marks, as text; who of those graded is not in it, and how many rows got none."""

    text: str
    missing: list[str]
    empty: int


def words(text: str) -> frozenset[str]:
    """Give what a name has in common with its other spellings: its words, whatever their order and case."""
    return frozenset(re.findall(r"\w+", str(text).casefold()))


def _keys(cell: str) -> set:
    # What may stand for a student: the words of a name, digits at the end (Moodle's "Participant 123"), a mail's begin.
    found: set = {words(cell), words(cell.split("@")[0])}
    if number := re.search(r"(\d+)\s*$", cell):
        found.add(number[1])
    return found - {frozenset()}


def fill(
    path: Path, marks: Mapping[str, float], numbers: Mapping[str, str | None], column: str | None = None
) -> Filled:
    """Fill the marks of students into the sheet's column of grades; every other cell stays as it was.

    `numbers` are Moodle's or Canvas's numbers of the students. The column that names most of them decides who is who.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"Cannot read {path} ({why}): export it as CSV in UTF-8.") from None
    head = text.splitlines()[0] if text.strip() else ""
    dialect = max(",;\t", key=head.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect))
    if len(rows) < 2:
        raise InputError(f"{path} has no students: give the sheet that Moodle or Canvas exports.")
    grade = _grades(path, rows[0], column)
    named = {student: {words(student)} | ({numbers[student]} - {None}) for student in marks}
    place = [_places(row[k] if k < len(row) else "" for row in rows[1:]) for k in range(len(rows[0]))]
    met = [sum(any(key in places for key in keys) for keys in named.values()) for places in place]
    by = place[max(range(len(met)), key=met.__getitem__)]
    filled, missing = set(), []
    for student, keys in named.items():
        at = set().union(*(by.get(key, ()) for key in keys))
        if len(at) != 1:  # nobody, or several of one name: a person must look
            missing.append(student)
            continue
        filled |= at
        row = rows[1 + at.pop()]
        row += [""] * (grade + 1 - len(row))
        row[grade] = f"{marks[student]:g}"
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=dialect, lineterminator="\n").writerows(rows)
    return Filled(written.getvalue(), missing, len(rows) - 1 - len(filled))


def _grades(path: Path, head: Iterable[str], column: str | None) -> int:
    head = [name.strip() for name in head]
    if column is not None:
        if column not in head:
            raise choice(f"column in {path.name}", column, head)
        return head.index(column)
    found = [name for name in GRADES if name in head]
    if not found:
        names = shown(", ".join(head), 300)
        raise InputError(f"{path} has no column called {GRADES[0]}: say which with --grade-column; there are {names}.")
    return head.index(found[0])


def _places(cells: Iterable[str]) -> dict:
    found: dict = {}
    for n, cell in enumerate(cells):
        for key in _keys(cell):
            found.setdefault(key, set()).add(n)
    return found


def write(to: Path, filled: Filled) -> Path:
    """Write a filled sheet, so that spreadsheets see that it is UTF-8."""
    return files.write(to, filled.text.encode("utf-8-sig"))
