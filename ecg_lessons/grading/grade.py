"""Grade a class: collect, assess each submission that has changed, and write marks, feedback and the gradebook."""

import copy
import hashlib
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ecg_lessons import files
from ecg_lessons.errors import shown
from ecg_lessons.grading import assess, deadlines, gradebook, pages, sandbox, sheets, similar
from ecg_lessons.grading.assignments import Assignment
from ecg_lessons.grading.collecting import Submission, collect

#: Raised when marks may change though no submission did: stored marks are then not used.
VERSION = 3


def _surely(contents: dict[str, bytes], assignment: Assignment, unprotected: bool) -> dict:
    # One notebook that we did not foresee must not cost the others their marks.
    assess.expected(assignment, unprotected)  # a fault of ours stops all
    try:
        return assess.mark(contents, assignment, unprotected=unprotected)
    except Exception as error:
        return assess.EMPTY | {"reason": f"the grader stumbled over it ({type(error).__name__}): mark it by hand"}


class Rules(NamedTuple):
    """How a lecturer grades: without a sandbox, everything anew, until when and at what cost, with which sheet."""

    unprotected: bool = False
    anew: bool = False
    deadline: deadlines.Deadline | None = None
    zone: tzinfo | None = None
    sheet: Path | None = None
    column: str | None = None


_USUAL = Rules()


def grade(
    submissions: Path,
    assignment: Assignment,
    to: Path,
    rules: Rules = _USUAL,
    progress: Callable[[str, int, int], None] = lambda student, done, of: None,
) -> tuple[pd.DataFrame, list[str]]:
    """Mark every student; write tables, feedback and nbgrader's gradebook. Give the table and what is to be said.

    What has not changed since the last call is not run again, unless the rules say so; marks of a person stay.
    """
    collected, here, book = collect(submissions, rules.zone), to / assignment.name, not gradebook.missing()
    if book:
        gradebook.prepare(to, assignment)
    told, cells = {}, {}
    for done, one in enumerate(collected):
        progress(one.student, done, len(collected))
        told[one.student], cells[one.student] = _graded(one, assignment, to, rules, book)
    progress("", len(collected), len(collected))
    marked = gradebook.marks(to, assignment) if book else {}
    rows = []
    for one in collected:
        safe = gradebook.safe(one.student)
        marks = marked.get(safe, {})
        about = told[one.student] = _summed(told[one.student], marks)
        files.write(here / "feedback" / f"{safe}.html", pages.feedback(one.student, assignment, about, marks))
        known = (about[name] for name in ("points", "by hand", "late", "total", "sandbox"))
        rows.append([one.student, *known, _remark(about)])
    table = pd.DataFrame(rows, columns=["student", "automatic", "by hand", "late", "total", "sandbox", "remark"])
    files.write(here / "marks.csv", _harmless(table))
    names = {student: about["name"] for student, about in told.items() if isinstance(about["name"], str)}
    return table, [*_shared(names), *_besides(collected, assignment, here, rules, cells, table)]


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    # A spreadsheet would run a text that begins with one of these signs.
    return table.map(lambda cell: f"'{cell}" if isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r")) else cell)


def _shared(names: dict[str, str]) -> list[str]:
    # Who passes answers on also passes on the name that the data follow from.
    by_name: dict[str, list[str]] = {}
    for student, name in names.items():
        by_name.setdefault(" ".join(name.casefold().split()), []).append(student)
    return [f"NAME is {shown(name)!r} for {', '.join(who)}." for name, who in by_name.items() if len(who) > 1]


def _graded(one: Submission, assignment: Assignment, to: Path, rules: Rules, book: bool) -> tuple[dict, dict[str, str]]:
    # Marks of one student, kept from the last time where nothing changed, and what stands in the cells of the release.
    safe = gradebook.safe(one.student)
    digest = hashlib.sha256(f"{VERSION} {assignment.text} {rules.unprotected}".encode())
    for name, content in sorted(one.notebooks.items()):
        digest.update(name.encode(errors="replace") + hashlib.sha256(content).digest())
    kept = to / assignment.name / "results" / f"{safe}.json"
    stored = files.read_json(kept, "remove it and grade again", "digest", "points", "answers") if kept.is_file() else {}
    told, before = copy.deepcopy(stored), stored.get("answers", {})
    fresh = rules.anew or told.get("digest") != digest.hexdigest()
    if fresh:
        told = _surely(one.notebooks, assignment, rules.unprotected) | {"digest": digest.hexdigest()}
        told["sandbox"] = "none" if rules.unprotected else sandbox.kind()
    # What stumbled above would stumble here again.
    mended = assess.repaired(assess.choose(one.notebooks, assignment)[1], assignment)[0] if told["questions"] else []
    answers = {cell["id"]: cell["source"] for cell in mended if cell["id"] != "None"}
    released = {c.id: c.source for c in assignment.release().cells}
    for question in told["questions"]:
        name = question["id"]
        question["empty"] = answers.get(name, released[name]) == released[name]
        question["changed"] = fresh and before.get(name, answers.get(name)) != answers.get(name)
    told |= {"late": 0.0, "lateness": "Canvas calls it late" if one.late else "", "answers": answers}
    if rules.deadline:
        told |= {"late": rules.deadline.lost(one.time, 100), "lateness": rules.deadline.told(one.time)}
    place = to / "autograded" / safe / assignment.name / f"{assignment.name}.ipynb"
    if book and (told != stored or not place.exists()):
        import nbformat

        when = {"timestamp": f"{one.time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"} if one.time else {}
        gradebook.fill(to, assignment, safe, one.student, told, **when)
        files.write(place, nbformat.writes(pages.notebook(mended, assignment, told)) + "\n")
    files.write(kept, told)
    return told, answers


def _summed(told: dict, marks: dict[str, gradebook.Mark]) -> dict:
    # Points by hand may also correct automatic ones; lateness comes off the sum.
    automatic, by_hand, waits = 0.0, 0.0, []
    for question in told["questions"]:
        mark = marks.get(question["id"], gradebook.Mark(None, "", True))
        if question["why"] == "marked by hand":
            by_hand += mark.points or 0.0
            waits += [question["id"]] * (mark.waits and not (question["empty"] and not marks))
        else:
            automatic += question["points"] if mark.points is None else mark.points
    total = max(0.0, automatic + by_hand - told["late"])
    about = {"points": round(automatic, 2), "by hand": round(by_hand, 2), "total": round(total, 2)}
    return told | about | {"waits": waits, "final": not waits}


def _remark(told: dict) -> str:
    waits = f"{len(told['waits'])} to mark by hand" if told["waits"] else ""
    return "; ".join(filter(None, [told["reason"], told["lateness"], *told["faults"][:1], *told["notes"][:1], waits]))


def _besides(
    collected: list[Submission], assignment: Assignment, here: Path, rules: Rules, cells: dict, table
) -> list[str]:
    # The hint at what is alike, the lecturer's own sheet, and what there is to say of them.
    said = [words] if (words := gradebook.missing()) else []
    alike = similar.pairs(cells, [cell.source for cell in assignment.release().cells])
    files.write(here / "similar.csv", _harmless(alike))
    if len(alike):
        first = alike.iloc[0]
        pair = f"{first['student']} and {first['other']} most ({first['alike']:.0%})"
        many = "1 pair is" if len(alike) == 1 else f"{len(alike)} pairs are"
        said.append(f"{many} alike beyond the release, {pair}: see similar.csv, and look yourself.")
    if rules.sheet:
        marks = dict(zip(table["student"], table["total"], strict=True))
        numbers = {one.student: one.number for one in collected}
        filled = sheets.fill(rules.sheet, marks, numbers, rules.column)
        place = sheets.write(here / f"{rules.sheet.stem}-marks.csv", filled)
        many = len(marks) - len(filled.missing)
        said.append(f"{place.name} is your sheet with {many} marks; {filled.empty} rows got none.")
        if filled.missing:
            said.append(f"Not found in it, or several times: {', '.join(filled.missing)}.")
    return said
