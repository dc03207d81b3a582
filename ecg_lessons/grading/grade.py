"""Grade what was handed in: collect, run in the sandbox, compare outside, and write marks and feedback."""

import hashlib
import html
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecg_lessons import files
from ecg_lessons.errors import InputError
from ecg_lessons.grading import inside, sandbox
from ecg_lessons.grading.assignments import Assignment, Question

#: Longest time for one cell or call, largest notebook, and how often a run begins anew after it died.
SECONDS, BYTES, TRIES = 20, 30_000_000, 4
#: Raised when marks may change though no submission did: stored marks are then not used.
VERSION = 2
_EMPTY: dict[str, Any] = {"points": 0.0, "questions": [], "notes": [], "faults": [], "cells": []}


def student_of(path: str) -> str:
    """Tell whose a file is: from Moodle's folders, Canvas's file names, a folder of one's own, or the file's name."""
    *folders, name = path.strip("/").split("/")
    for folder in folders:
        if moodle := re.match(r"(.+?)_\d+_assignsubmission", folder):
            return moodle[1]
    if canvas := re.match(r"([^_]+)_(?:LATE_)?\d+_\d+_", name):
        return canvas[1]
    return folders[0] if folders else re.sub(r"\.ipynb$", "", name, flags=re.IGNORECASE)


def _owners(paths: Iterable[str]) -> dict[str, str]:
    # Whose each file is. A folder that holds everybody's is nobody's, if students tell themselves apart below it.
    parts = {path: path.split("/") for path in paths}
    parts = {path: words for path, words in parts.items() if not any(w.startswith((".", "__MACOSX")) for w in words)}
    while len(parts) > 1 and all(len(words) > 1 for words in parts.values()):
        if len({words[0] for words in parts.values()}) > 1 or "_assignsubmission" in next(iter(parts.values()))[0]:
            break
        parts = {path: words[1:] for path, words in parts.items()}
    owners = {path: student_of("/".join(words)) for path, words in parts.items()}
    # Two of one name are told apart by Moodle's number.
    numbers = {path: found[1] for path in owners if (found := re.search(r"_(\d+)_assignsubmission", path))}
    owners = {path: owner.encode(errors="replace").decode() for path, owner in owners.items()}
    alike = {(owner, numbers[path]) for path, owner in owners.items() if path in numbers}
    twice = {owner for owner, _ in alike if sum(other == owner for other, _ in alike) > 1}
    return {path: f"{own} {numbers[path]}" if own in twice and path in numbers else own for path, own in owners.items()}


def collect(submissions: Path) -> dict[str, dict[str, bytes]]:
    """Read the notebooks of each student from a folder or a zip; who handed in none has an empty dict."""
    if zipfile.is_zipfile(submissions):
        with zipfile.ZipFile(submissions) as archive:
            members = {item.filename: item for item in archive.infolist() if not item.is_dir()}
            owners = _owners(members)
            content = {name: _some(lambda n=name: archive.open(members[n])) for name in filter(_notebook, owners)}
    elif submissions.is_dir():
        paths = {p.relative_to(submissions).as_posix(): p for p in sorted(submissions.rglob("*")) if p.is_file()}
        # A link could lead to any file of the lecturer.
        owners = _owners(name for name, p in paths.items() if not p.is_symlink())
        content = {name: _some(lambda n=name: paths[n].open("rb")) for name in filter(_notebook, owners)}
    else:
        raise InputError(f"{submissions} is neither a folder nor a zip: give what was handed in.")
    found: dict[str, dict[str, bytes]] = {owner: {} for owner in owners.values()}
    for name, part in content.items():
        found[owners[name]][name] = part
    if not found:
        raise InputError(f"{submissions} is empty: give what was handed in.")
    return found


def _notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _some(opened: Callable) -> bytes:
    try:
        with opened() as file:
            return file.read(BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):
        return b"a damaged member of a zip, or one with a password"  # no notebook, and said so like any other


def _cells(content: bytes) -> list[dict]:
    # The cells of a notebook, whatever its version; a ValueError says what is wrong with the file.
    if len(content) > BYTES:
        raise ValueError(f"the file is larger than {BYTES // 10**6} MB")
    if not content.strip():
        raise ValueError("the file is empty")
    try:
        cells = json.loads(content)["cells"]
        return [
            {
                "type": str(cell["cell_type"]),
                "source": "".join(cell.get("source", "")),
                "id": str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")),
            }
            for cell in cells
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("the file is not a notebook: it is damaged, or something else") from None


def code_of(cells: list[dict], assignment: Assignment) -> tuple[list[str], list[str]]:
    """Give the code to run and what was repaired: copies, deletions and changed types of cells."""
    released = {c.metadata["nbgrader"]["grade_id"]: c for c in assignment.release().cells if "nbgrader" in c.metadata}
    tests = {name: c for name, c in released.items() if c.metadata.nbgrader.locked}
    given, notes, code = {cell["id"] for cell in cells}, [], []
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
        if known is not None and known.cell_type == "code" and filled and cell["source"] == known.source:
            continue  # an empty copy must not replace what was filled in
        if (known.cell_type if known is not None else cell["type"]) == "code":
            code.append(cell["source"])
    return code, notes


def run(code: list[str], questions: Iterable[Question], **how) -> tuple[dict, dict, list[str]]:
    """Run code and all checks; give the answers by (grade id, number), what each cell said, and what went wrong.

    A cell or call that kills the process is left out in the next try, so that it costs no other question.
    """
    asked = [(q.grade_id, number, check) for q in questions for number, check in enumerate(q.checks)]
    calls = [[check.function, check.arguments] for *_, check in asked]
    job: dict[str, Any] = {"cells": code, "calls": calls, "seconds": SECONDS, "skip": [], "skip_calls": []}
    program, shown = [sys.executable, "-I", "/in/inside.py", "/in/job.json"], [Path(inside.__file__).parents[1]]
    answers: dict[int, dict] = {}
    said: dict[int, dict] = {}
    faults: list[str] = []
    for _ in range(TRIES):
        sent = {"job.json": json.dumps(job).encode(), "inside.py": Path(inside.__file__).read_bytes()}
        ended = sandbox.run(program, sent, shown=shown, **how)
        lines = list(_lines(ended.output))
        answers |= {line["call"]: line for line in lines if isinstance(line.get("call"), int)}
        said |= {line["cell"]: _shown(line) for line in lines if isinstance(line.get("cell"), int)}
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
            read = json.loads(json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict):
            yield read


def same(value: Any, wanted: Any, tolerance: float) -> bool:
    """Compare two values that came as JSON: the same shape, and numbers not further apart than the tolerance."""
    if isinstance(wanted, str | bool | None) or isinstance(value, str | bool | None):
        return type(value) is type(wanted) and value == wanted
    try:
        value, wanted = np.asarray(value, dtype=float), np.asarray(wanted, dtype=float)
    except (ValueError, TypeError, OverflowError):
        return False
    if value.shape != wanted.shape:
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(value, wanted, rtol=tolerance, atol=tolerance))


@cache
def _expected(assignment: Assignment, unprotected: bool) -> dict:
    # What the reference gives for the same inputs; it is computed apart, before any submission runs.
    answers, _, faults = run(assignment.reference(), assignment.questions, unprotected=unprotected)
    lost = [
        q.grade_id
        for q in assignment.questions
        for n in range(len(q.checks))
        if "value" not in answers.get((q.grade_id, n), {})
    ]
    if lost:
        raise InputError(f"{assignment.path}: the reference solution gives no value for {', '.join(lost)} ({faults}).")
    return answers


def mark(contents: dict[str, bytes], assignment: Assignment, *, unprotected: bool = False) -> dict:
    """Mark one student's submission; whatever it is, give marks or a reason."""
    expected = _expected(assignment, unprotected)
    read, reason = {}, "no notebook was handed in"
    for name, content in contents.items():
        try:
            read[name] = _cells(content)
        except ValueError as error:
            reason = str(error)
    if not read:
        return _EMPTY | {"reason": reason}
    known = {q.grade_id for q in assignment.questions}
    chosen = max(read, key=lambda name: len(known & {cell["id"] for cell in read[name]}))
    code, notes = code_of(read[chosen], assignment)
    if len(read) > 1:
        notes.append(f"of {len(read)} notebooks {chosen} was graded")
    answers, said, faults = run(code, assignment.questions, unprotected=unprotected)
    questions = []
    for question in assignment.questions:
        right = [
            same(
                answers.get((question.grade_id, n), {}).get("value"),
                expected[question.grade_id, n]["value"],
                c.tolerance,
            )
            for n, c in enumerate(question.checks)
        ]
        whys = [answers.get((question.grade_id, n), {"error": "no value came back"}) for n in range(len(right))]
        errors = [str(why["error"])[:300] for why in whys if "error" in why]
        why = "marked by hand" if question.manual else errors[0] if errors else f"{sum(right)} of {len(right)} tests"
        points = 0.0 if question.manual else round(question.points * sum(right) / len(right), 2)
        questions.append({"id": question.grade_id, "of": question.points, "points": points, "why": why})
    cells = [said[n] for n in sorted(said)]
    total = sum(question["points"] for question in questions)
    if all("NotImplementedError" in q["why"] or q["why"] == "marked by hand" for q in questions):
        notes.append("nothing was filled in")
    return {"points": total, "questions": questions, "notes": notes, "faults": faults, "cells": cells, "reason": None}


def _surely(contents: dict[str, bytes], assignment: Assignment, unprotected: bool) -> dict:
    # One notebook that we did not foresee must not cost the others their marks.
    _expected(assignment, unprotected)  # a fault of ours stops all
    try:
        return mark(contents, assignment, unprotected=unprotected)
    except Exception as error:
        return _EMPTY | {"reason": f"the grader stumbled over it ({type(error).__name__}): mark it by hand"}


def grade(
    submissions: Path,
    assignment: Assignment,
    to: Path,
    *,
    unprotected: bool = False,
    anew: bool = False,
    progress: Callable[[str, int, int], None] = lambda student, done, of: None,
) -> pd.DataFrame:
    """Mark every student, and write marks.csv and a page of feedback each; give the table.

    What has not changed since the last call is not run again, unless `anew`.
    """
    collected, rows = collect(submissions), []
    for done, (student, contents) in enumerate(sorted(collected.items())):
        progress(student, done, len(collected))
        safe = re.sub(r"[^\w.-]", "-", student)[:40].strip(".") + "-" + hashlib.sha256(student.encode()).hexdigest()[:6]
        digest = hashlib.sha256(f"{VERSION} {assignment.text} {unprotected}".encode())
        for name, content in sorted(contents.items()):
            digest.update(name.encode(errors="replace") + hashlib.sha256(content).digest())
        kept = to / "results" / f"{safe}.json"
        told = files.read_json(kept, "remove it and grade again", "digest", "points") if kept.is_file() else {}
        if anew or told.get("digest") != digest.hexdigest():
            told = _surely(contents, assignment, unprotected) | {"digest": digest.hexdigest()}
            told["sandbox"] = "none" if unprotected else "bubblewrap"
            files.write(kept, told)
        files.write(to / "feedback" / f"{safe}.html", feedback(student, assignment, told))
        manual = sum(q.points for q in assignment.questions if q.manual)
        why = told["reason"] or "; ".join(told["faults"][:1] + told["notes"][:1]) or "graded"
        rows.append([student, told["points"], 100 - manual, 0 if told["reason"] else manual, told["sandbox"], why])
    columns = ["student", "automatic", "of", "by hand", "sandbox", "remark"]
    table = pd.DataFrame(rows, columns=columns)
    # A spreadsheet would run a name or remark that begins with one of these signs.
    safe_text = table.apply(lambda c: c.str.replace(r"^([=+\-@\t])", r"'\1", regex=True) if c.dtype == object else c)
    files.write(to / "marks.csv", safe_text)
    return table


def feedback(student: str, assignment: Assignment, told: dict) -> str:
    """Write the page for a student: points, reasons, and what the cells printed and drew; everything is escaped."""
    say = lambda text: html.escape(str(text))  # noqa: E731
    rows = ""
    for q in told["questions"]:
        earned = "by hand" if q["why"] == "marked by hand" else q["points"]
        rows += "<tr>" + "".join(f"<td>{say(cell)}" for cell in (q["id"], earned, q["of"], q["why"]))
    remarks = "".join(f"<li>{say(text)}" for text in [told["reason"], *told["notes"], *told["faults"]] if text)
    outputs = "".join(f"<pre>{say(cell['text'])}</pre>" for cell in told["cells"] if cell.get("text"))
    drawn = [png for cell in told["cells"] for png in cell.get("figures") or [] if isinstance(png, str)]
    pictures = [png for png in drawn if re.fullmatch(r"[A-Za-z0-9+/]+=*", png)]
    outputs += "".join(f'<img alt="figure {n + 1}" src="data:image/png;base64,{p}">' for n, p in enumerate(pictures))
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    style = "body{font-family:sans-serif;max-width:50em;margin:2em auto}td,th{padding:.2em 1em;text-align:left}"
    style += "pre{white-space:pre-wrap}img{max-width:100%}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{say(assignment.name)}: {say(student)}</title><style>{style}</style>"
        f"<h1>{say(assignment.name)}</h1><p>{say(student)}: {told['points']:g} automatic points</p>"
        f"<table><tr><th>question<th>points<th>of<th>why{rows}</table><ul>{remarks}</ul>{outputs}</html>\n"
    )
