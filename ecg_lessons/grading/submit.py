"""What a student does with a finished notebook: check its form and its tests, and hand it in at the hub of a class."""

import json
import os
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from ecg_lessons.errors import InputError
from ecg_lessons.grading import assess, assignments

#: Longest work of one cell, which may train, on a student's own machine.
SECONDS = 300
_EMPTY = ("raise NotImplementedError", "YOUR ANSWER HERE")


def check(path: Path) -> tuple[list[str], bool]:
    """Give what there is to say of a notebook, line by line, and whether all is well. Its code is run, as you."""
    _, cells = _read(path)
    faults = _form(path, cells)
    code = [n for n, cell in enumerate(cells) if cell["type"] == "code"]
    _, said, stopped = assess.run([cells[n]["source"] for n in code], [], SECONDS, unprotected=True)
    lines, passed, tests = [], 0, 0
    for number, n in enumerate(code):
        error, test = said.get(number, {"error": "it was not run"})["error"], cells[n]["points"] and cells[n]["locked"]
        if test:
            tests, passed = tests + 1, passed + (not error)
            lines.append(f"{cells[n]['id']}: {error or 'passes'}")
        elif error and cells[n]["id"] not in faults:
            lines.append(f"code cell {number + 1}: {error}")
    lines += [fault for fault in stopped if not fault.startswith("code cell")]
    lines += [f"{name}: {fault}" for name, fault in faults.items()]
    lines.append(f"{passed} of {tests} tests that you see pass. Others are run when it is graded.")
    well = passed == tests and not faults
    lines.append("You can hand it in." if well else "You can hand it in as it is, or mend this first.")
    return lines, well


def _read(path: Path) -> tuple[bytes, list[dict]]:
    try:
        content = path.read_bytes()
        return content, assess.read(content)
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): give the path of your notebook.") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}. Open it in JupyterLab and save it.") from None


def hand_in(path: Path) -> str:
    """Hand a notebook in at the class's hub, under the name that the hub knows; gives what the hub says."""
    service, token = os.environ.get("CLASS_SERVICE"), os.environ.get("JUPYTERHUB_API_TOKEN")
    if not service or not token:
        raise InputError(
            "There is no hub to hand in to: run this in your server of the class, or hand in as your lecturer says."
        )
    content, cells = _read(path)
    release, _ = _released([cell["id"] for cell in cells])
    if not release:
        raise InputError(f"{path} is no assignment of this course: give the notebook that was handed out.")
    request = urllib.request.Request(f"{service}submit/{release[:2]}", content, {"Authorization": f"token {token}"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        raise InputError(f"The hub did not take {path} ({error.code} {error.reason}): ask your lecturer.") from None
    except OSError:
        raise InputError("The hub does not answer: try again in a minute, and then tell your lecturer.") from None
    return f"Handed in for assignment {told['assignment']} as {told['student']}. The last one you hand in counts."


def _form(path: Path, cells: list[dict]) -> dict[str, str]:
    # What a grader would have to repair, by the name of the cell.
    ids = [cell["id"] for cell in cells if cell["id"] != "None"]
    if not ids:
        raise InputError(
            f"{path} has no cell of an assignment: copy your answers into the notebook that was handed out."
        )
    faults = {name: f"is there {number} times: keep one" for name, number in Counter(ids).items() if number > 1}
    faults |= {
        name: "is missing: copy it from the notebook that was handed out" for name in _released(ids)[1] - set(ids)
    }
    empty = [cell for cell in cells if not cell["locked"] and any(words in cell["source"] for words in _EMPTY)]
    faults |= {cell["id"]: "is not filled in" for cell in empty if cell["id"] != "None"}
    named = [line for cell in cells if cell["id"] == "name" for line in cell["source"].splitlines() if "NAME" in line]
    if named and "Ada Example" in named[-1]:
        faults["name"] = "says Ada Example: write your own name"
    return faults


def _released(ids: list[str]) -> tuple[str, set[str]]:
    # The release that this notebook came from and the names of its cells, where the releases are at hand.
    try:
        paths = sorted((assignments.locate("release") / "release").glob("*.ipynb"))
    except InputError:
        return "", set()
    every = {
        path.stem: {
            cell["metadata"]["nbgrader"]["grade_id"]
            for cell in json.loads(path.read_text())["cells"]
            if "nbgrader" in cell["metadata"]
        }
        for path in paths
    }
    name = max(every, key=lambda stem: len(every[stem] & set(ids)), default="")
    return (name, every[name]) if name and every[name] & set(ids) else ("", set())
