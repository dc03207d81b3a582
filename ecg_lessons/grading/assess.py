"""Assess one submission: read and mend its notebook, run it in the sandbox, and compare what comes back outside."""

import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecg_lessons.errors import InputError
from ecg_lessons.grading import inside, sandbox
from ecg_lessons.grading.assignments import Assignment, Check, Question
from ecg_lessons.grading.collecting import BYTES

#: Longest work of one cell or call, seconds, and how often a run begins anew after it died.
SECONDS, TRIES = 20, 4
#: What is told of a submission without a notebook.
EMPTY: dict[str, Any] = {"points": 0.0, "questions": [], "notes": [], "faults": [], "cells": [], "name": None}


def read(content: bytes) -> list[dict]:
    """Read the cells of a notebook, whatever its version; a ValueError says what is wrong with the file."""
    if len(content) > BYTES:
        raise ValueError(f"the file is larger than {BYTES // 10**6} MB")
    if not content.strip():
        raise ValueError("the file is empty")
    try:
        cells = json.loads(content)["cells"]
        return [_cell(cell, cell.get("metadata", {}).get("nbgrader", {})) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("the file is not a notebook: it is damaged, or something else") from None


def _cell(cell: dict, about: dict) -> dict:
    texts = {"type": cell["cell_type"], "source": "".join(cell.get("source", "")), "id": about.get("grade_id")}
    # Half a surrogate pair is text in JSON, and nothing that a file can hold.
    texts = {name: str(text).encode("utf-8", "replace").decode() for name, text in texts.items()}
    return texts | {"locked": about.get("locked") is True, "points": about.get("points")}


def choose(contents: dict[str, bytes], assignment: Assignment) -> tuple[str, list[dict], str]:
    """Take the notebook with most of the questions: its name, its cells, and what is wrong where there is none."""
    found, reason = {}, "no notebook was handed in"
    for name, content in contents.items():
        try:
            found[name] = read(content)
        except ValueError as error:
            reason = str(error)
    if not found:
        return "", [], reason
    known = {q.grade_id for q in assignment.questions}
    chosen = max(found, key=lambda name: len(known & {cell["id"] for cell in found[name]}))
    return chosen, found[chosen], ""


def repaired(cells: list[dict], assignment: Assignment) -> tuple[list[dict], list[str]]:
    """Mend copies, deletions and changed types of cells; say what was mended. ``runs`` tells which cells are run."""
    released = {c.id: c for c in assignment.release().cells if "nbgrader" in c.metadata}
    tests = {name: c for name, c in released.items() if c.metadata.nbgrader.locked}
    given, notes, mended = {cell["id"] for cell in cells}, [], []
    for name in released:
        copies = [cell for cell in cells if cell["id"] == name]
        if len(copies) > 1:
            notes.append(f"cell {name} is there {len(copies)} times: the last one that was filled in counts")
        elif name not in given:
            notes.append(f"cell {name} is missing")
    for cell in cells:
        known = released.get(cell["id"])
        if cell["id"] in tests or any(cell["source"] == test.source for test in tests.values()):
            continue  # the tests are ours
        if known is not None and known.cell_type != cell["type"]:
            notes.append(f"cell {cell['id']} was turned into {cell['type']} and is read as {known.cell_type}")
        filled = [c for c in cells if c["id"] == cell["id"] and known is not None and c["source"] != known.source]
        if known is not None and filled and cell["source"] == known.source:
            continue  # an empty copy must not replace what was filled in
        kind = known.cell_type if known is not None else cell["type"]
        mended.append(cell | {"type": kind, "runs": kind == "code"})
    return mended, notes


def code_of(cells: list[dict], assignment: Assignment) -> tuple[list[str], list[str]]:
    """Give the code to run and what was repaired."""
    mended, notes = repaired(cells, assignment)
    return [cell["source"] for cell in mended if cell["runs"]], notes


def run(code: list[str], questions: Iterable[Question], seconds: float = 0, **how) -> tuple[dict, dict, list[str]]:
    """Run code and all checks; give the answers by (grade id, number), what each cell said, and what went wrong.

    A cell or call that kills the process is left out in the next try, so that it costs no other question. The answer
    called "NAME" is the name that the notebook gives itself.
    """
    asked = [(q.grade_id, number, check) for q in questions for number, check in enumerate(q.checks)]
    asked.append(("NAME", 0, Check("NAME")))
    calls = [[check.function, check.arguments] for *_, check in asked]
    seconds = max(seconds, SECONDS)
    job: dict[str, Any] = {"cells": code, "calls": calls, "seconds": seconds, "skip": [], "skip_calls": []}
    how["limits"] = sandbox.LIMITS._replace(seconds=12 * seconds)
    program, shown = [sys.executable, "-I", "/in/inside.py", "/in/job.json"], [Path(inside.__file__).parents[1]]
    answers: dict[int, dict] = {}
    said: dict[int, dict] = {}
    faults: list[str] = []
    for _ in range(TRIES):
        sent = {"job.json": json.dumps(job).encode(), "inside.py": Path(inside.__file__).read_bytes()}
        ended = sandbox.run(program, sent, shown=shown, **how)
        lines = list(_lines(ended.output))
        answers |= {line["call"]: line for line in lines if isinstance(line.get("call"), int)}
        said |= {
            line["cell"]: _shown(line) | {"cell": line["cell"]} for line in lines if isinstance(line.get("cell"), int)
        }
        if any("done" in line for line in lines):
            break
        why = ended.reason or "ended Python, perhaps for lack of memory"
        last = lines[-1] if lines else {}
        if isinstance(last.get("begins"), int):
            job["skip"].append(last["begins"])
            faults.append(f"code cell {last['begins'] + 1} {why}")
        elif isinstance(last.get("begins_call"), int) and last["begins_call"] < len(calls):
            job["skip_calls"].append(last["begins_call"])
            faults.append(f"{calls[last['begins_call']][0]} {why}")
        else:
            faults.append(f"the notebook {why}")
            break
    by_name = {asked[n][:2]: answers[n] for n in answers if 0 <= n < len(asked)}
    faults += [f"code cell {n + 1}: {line['error']}" for n, line in sorted(said.items()) if line.get("error")]
    return by_name, said, faults


def _shown(line: dict) -> dict:
    # A cell can print a line of its own: whatever stands there becomes text and figures that a page can show.
    pictures = line.get("figures") if isinstance(line.get("figures"), list) else []
    error = None if line.get("error") is None else str(line["error"])[:300]
    return {"error": error, "text": str(line.get("text", ""))[:20_000], "figures": pictures[:2]}


def _lines(output: bytes):
    for line in output.decode("utf-8", "replace").splitlines():
        try:
            # Half a surrogate pair is text in JSON, and nothing that a file can hold.
            told = json.loads(json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            yield told


def same(value: Any, wanted: Any, tolerance: float) -> bool:
    """Compare two values that came as JSON: the same shape, and numbers not further apart than the tolerance."""
    if isinstance(wanted, str | bool | None) or isinstance(value, str | bool | None):
        return type(value) is type(wanted) and value == wanted
    try:
        value, wanted = np.asarray(value, dtype=float), np.asarray(wanted, dtype=float)
    except (ValueError, TypeError, OverflowError):  # no array, but perhaps a list of several
        both = isinstance(value, list) and isinstance(wanted, list) and len(value) == len(wanted)
        return both and all(same(one, other, tolerance) for one, other in zip(value, wanted, strict=True))
    if value.size == wanted.size == 1:  # [3] and 3 are one number
        value, wanted = value.reshape(()), wanted.reshape(())
    if value.shape != wanted.shape:
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(value, wanted, rtol=tolerance, atol=tolerance, equal_nan=True))


@cache
def expected(assignment: Assignment, unprotected: bool, name: str | None = None) -> dict:
    """Give what the reference gives for the same inputs, apart from any submission; with a name, for its own data."""
    questions = [question for question in assignment.questions if question.own == (name is not None)]
    code = assignment.reference() if name is None else assignment.reference(name)
    answers, _, faults = run(code, questions, assignment.seconds, unprotected=unprotected)
    lost = [
        q.grade_id for q in questions for n in range(len(q.checks)) if "value" not in answers.get((q.grade_id, n), {})
    ]
    if lost or faults:
        raise InputError(f"{assignment.path}: the reference solution fails ({'; '.join([*faults, *lost])}): mend it.")
    return answers


def _own(assignment: Assignment, unprotected: bool, answers: dict) -> dict:
    # What the reference gives for the data that follow from the name in a notebook.
    if not any(question.own for question in assignment.questions):
        return {}
    name = answers.get(("NAME", 0), {}).get("value")
    if not isinstance(name, str) or not name.strip() or len(name) > 80:
        return {}
    return expected(assignment, unprotected, name)


def _judged(question: Question, answers: dict, wanted: dict) -> dict:
    # The points of one question, and why they are these.
    right, errors = 0, []
    for number, check in enumerate(question.checks):
        key = question.grade_id, number
        answer = answers.get(key, {"error": "no value came back"})
        right += "value" in answer and key in wanted and same(answer["value"], wanted[key]["value"], check.tolerance)
        errors += [str(answer["error"])[:300]] if "error" in answer else []
    about = {"id": question.grade_id, "of": question.points}
    if question.manual:
        return about | {"points": 0.0, "why": "marked by hand"}
    points, tests = round(question.points * right / len(question.checks), 2), f"{right} of {len(question.checks)} tests"
    return about | {"points": points, "why": errors[0] if errors else tests}


def mark(contents: dict[str, bytes], assignment: Assignment, *, unprotected: bool = False) -> dict:
    """Mark one student's submission; whatever it is, give marks or a reason."""
    wanted = expected(assignment, unprotected)
    chosen, cells, reason = choose(contents, assignment)
    if reason:
        return EMPTY | {"reason": reason}
    code, notes = code_of(cells, assignment)
    if len(contents) > 1:
        notes.append(f"of {len(contents)} notebooks {chosen} was graded")
    answers, said, faults = run(code, assignment.questions, assignment.seconds, unprotected=unprotected)
    wanted = wanted | _own(assignment, unprotected, answers)
    questions = [_judged(question, answers, wanted) for question in assignment.questions]
    total = sum(question["points"] for question in questions)
    stubs = {c.id: c.source for c in assignment.release().cells if c.metadata.get("nbgrader", {}).get("solution")}
    if all(cell["source"] == stubs.get(cell["id"], cell["source"]) for cell in cells if cell["id"] != "name"):
        notes.append("nothing was filled in")
    about = {"points": total, "questions": questions, "notes": notes, "faults": faults}
    about["cells"] = [said[n] for n in sorted(said)]
    return about | {"name": answers.get(("NAME", 0), {}).get("value"), "reason": None}
