"""From ``assignments/source/NN_name.py`` to what students get, and to what a grader asks.

``python -m ecg_lessons.grading.assignments`` writes ``assignments/release/*.ipynb`` in nbgrader's format.
"""

import hashlib
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ecg_lessons import files
from ecg_lessons.errors import InputError, choice

_STUB = {"code": "# YOUR CODE HERE\n{0}raise NotImplementedError", "markdown": "YOUR ANSWER HERE"}
#: What stands at the end of every release: words and a call.
_BEFORE = (
    "**Before you hand in:** save the notebook (Ctrl-S), then run this cell. It looks at the form and runs the tests "
    "that you see.",
    "import sys\n\n!{{sys.executable}} -m ecg_lessons submit-check {}.ipynb",
)
_METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}


class Check(NamedTuple):
    """One hidden test: a function, its arguments, and how far its value may be from the reference's."""

    function: str
    arguments: list
    tolerance: float = 1e-9


class Question(NamedTuple):
    """What earns points: checks, or a person who follows the rubric."""

    grade_id: str
    points: float
    checks: list[Check]
    rubric: str

    @property
    def items(self) -> list[tuple[float, str]]:
        """List the items of the rubric: points and what they are for."""
        found = [re.match(r"(\d+(?:\.\d+)?) (.*)", line.strip()) for line in re.split(r"[;\n]", self.rubric)]
        return [(float(item[1]), item[2]) for item in found if item]

    @property
    def manual(self) -> bool:
        """Tell whether a person marks it."""
        return not self.checks


def _cut(mark: str, source: str) -> tuple[str, str]:
    # What stands without and within the marks.
    pattern = rf"^[ ]*##+ BEGIN {mark}\n(.*?)^[ ]*##+ END {mark}\n?"
    inside = re.findall(pattern, source, re.MULTILINE | re.DOTALL)
    return re.sub(pattern, "", source, flags=re.MULTILINE | re.DOTALL).rstrip(), "".join(inside)


def without(source: str, *marks: str) -> str:
    """Give a cell's source without what stands between certain marks."""
    for mark in marks:
        source = _cut(mark, source)[0]
    return source


class Assignment:
    """An assignment as its author wrote it."""

    def __init__(self, path: Path):
        import jupytext

        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.cells = jupytext.reads(self.text, fmt="py:percent").cells

    @property
    def name(self) -> str:
        """Give the name, such as 03_beat_images."""
        return self.path.stem

    @cached_property
    def questions(self) -> list[Question]:
        """List what earns points, in order."""
        import numpy as np

        found = []
        for cell in self.cells:
            if points := cell.metadata.get("points"):
                checks: list[Check] = []
                names = {"np": np, "check": lambda *words, checks=checks, **more: checks.append(Check(*words, **more))}
                exec(_cut("HIDDEN TESTS", cell.source)[1], names)  # our own source, not a student's
                rubric = re.sub(r"^# ?", "", _cut("RUBRIC", cell.source)[1], flags=re.MULTILINE).strip()
                found.append(Question(cell.metadata["grade_id"], points, checks, rubric))
        return found

    def reference(self) -> list[str]:
        """Give the code cells of the reference solution, without tests."""
        code = [cell for cell in self.cells if cell.cell_type == "code"]
        return [cell.source for cell in code if cell.metadata.get("solution") or "points" not in cell.metadata]

    def release(self) -> Any:
        """Make the notebook for students: no solution, no hidden test, no rubric."""
        import nbformat

        notebook = nbformat.v4.new_notebook(metadata=_METADATA)
        for number, cell in enumerate(self.cells):
            source = without(cell.source, "HIDDEN TESTS", "RUBRIC")
            stub = _STUB[cell.cell_type]
            named = cell.metadata.get("grade_id") == "name"
            pattern = r"^([ ]*)##+ BEGIN SOLUTION\n.*?##+ END SOLUTION\n?"
            fill = "" if named else lambda found, stub=stub: f"{found[1]}{stub.format(found[1])}\n"
            source = re.sub(pattern, fill, source, flags=re.MULTILINE | re.DOTALL).rstrip()
            fresh = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")(source)
            grade_id = cell.metadata.get("grade_id")
            fresh.id = grade_id or hashlib.sha256(f"{self.name} {number}".encode()).hexdigest()[:12]
            if grade_id:
                solution, points = bool(cell.metadata.get("solution")), cell.metadata.get("points")
                about = {"schema_version": 3, "grade_id": grade_id, "grade": points is not None, "solution": solution}
                about |= {"locked": not solution, "task": False} | ({"points": points} if points else {})
                fresh.metadata["nbgrader"] = about
            notebook.cells.append(fresh)
        words, call = (text.format(self.name) for text in _BEFORE)
        notebook.cells.append(nbformat.v4.new_markdown_cell(words, id="before"))
        notebook.cells.append(nbformat.v4.new_code_cell(call, id="submit-check"))
        return notebook


def locate() -> Path:
    """Find the folder ``assignments`` in the current directory, above it, or in the clone of this package."""
    here = Path.cwd()
    for place in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (place / "assignments" / "source").is_dir():
            return place / "assignments"
    raise InputError(f"There is no folder assignments/source in or above {here}: run this inside the clone.")


def every(folder: Path) -> list[Assignment]:
    """Read all assignments."""
    return [Assignment(path) for path in sorted((folder / "source").glob("[0-9][0-9]_*.py"))]


def called(number: str) -> Assignment:
    """Read the assignment with a number, such as 3 or 03, or a name."""
    known = {path.stem: path for path in sorted((locate() / "source").glob("[0-9][0-9]_*.py"))}
    for name, path in known.items():
        if number in (name, name[:2], name[:2].lstrip("0")):
            return Assignment(path)
    raise choice("assignment", number, [name[:2].lstrip("0") for name in known])


def main() -> int:
    """Write the release of every assignment."""
    import nbformat

    folder = locate()
    for assignment in every(folder):
        to = folder / "release" / f"{assignment.name}.ipynb"
        files.write(to, nbformat.writes(assignment.release()) + "\n")
        print(f"{to.name} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
