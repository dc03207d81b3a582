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
_MARKS = ("SOLUTION", "HIDDEN TESTS", "RUBRIC")
_METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}


class Check(NamedTuple):
    """One hidden test: a function, its arguments, and how far its value may be from the reference's.

    Without arguments it is the value of a name, computed from the student's own data.
    """

    function: str
    arguments: list | None = None
    tolerance: float = 1e-9


class Question(NamedTuple):
    """What earns points: checks, or a person who follows the rubric."""

    grade_id: str
    points: float
    checks: list[Check]
    rubric: str

    @property
    def own(self) -> bool:
        """Tell whether its answers follow from a student's own data."""
        return any(check.arguments is None for check in self.checks)

    @property
    def items(self) -> list[tuple[float, str]]:
        """List the items of the rubric: points and what they are for."""
        found = [re.fullmatch(r"(\d+(?:\.\d+)?) (.+)", line) for line in self.rubric.splitlines()]
        return [(float(item[1]), item[2]) for item in found if item]

    @property
    def manual(self) -> bool:
        """Tell whether a person marks it."""
        return not self.checks


def _cut(mark: str, source: str) -> tuple[str, str]:
    # What stands without and within the marks.
    pattern = rf"^[ ]*##+ BEGIN {mark}\n(.*?)^[ ]*##+ END {mark}\n?"
    inside = re.findall(pattern, source + "\n", re.MULTILINE | re.DOTALL)
    return re.sub(pattern, "", source + "\n", flags=re.MULTILINE | re.DOTALL).rstrip(), "".join(inside)


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
        _refuse(path, self.cells, self.questions)

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
                try:
                    exec(_cut("HIDDEN TESTS", cell.source)[1], names)  # our own source, not a student's
                except Exception as error:
                    where = f"{self.path}, hidden tests of {cell.metadata.get('grade_id')}"
                    raise InputError(f"{where}: {type(error).__name__}: {error}.") from None
                rubric = re.sub(r"^[# ]*", "", _cut("RUBRIC", cell.source)[1], flags=re.MULTILINE).strip()
                found.append(Question(cell.metadata["grade_id"], points, checks, rubric))
        return found

    @property
    def seconds(self) -> float:
        """Give the longest time for one cell or call, where a cell of the source says ``seconds``."""
        return max((cell.metadata.get("seconds", 0) for cell in self.cells), default=0)

    def reference(self, name: str = "Reference") -> list[str]:
        """Give the code cells of the reference solution for a student's name, without tests and what is slow."""
        code = [cell for cell in self.cells if cell.cell_type == "code" and not cell.metadata.get("slow")]
        asked = [cell for cell in code if cell.metadata.get("solution") or "points" not in cell.metadata]
        return [f"NAME = {name!r}" if cell.metadata.get("grade_id") == "name" else cell.source for cell in asked]

    def release(self) -> Any:
        """Make the notebook for students: no solution, no hidden test, no rubric."""
        import nbformat

        notebook = nbformat.v4.new_notebook(metadata=_METADATA)
        for number, cell in enumerate(self.cells):
            source, stub = without(cell.source, "HIDDEN TESTS", "RUBRIC"), _STUB[cell.cell_type]
            pattern = r"^([ ]*)##+ BEGIN SOLUTION\n.*?##+ END SOLUTION\n?"
            fill = lambda found, stub=stub: f"{found[1]}{stub.format(found[1])}\n"  # noqa: E731
            source = re.sub(pattern, fill, source + "\n", flags=re.MULTILINE | re.DOTALL).rstrip()
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


def _refuse(path: Path, cells: list, questions: list[Question]) -> None:
    # A marker that is not closed or not spelled well would hand the answer out; points must add up.
    names = [cell.metadata["grade_id"] for cell in cells if "grade_id" in cell.metadata]
    for number, cell in enumerate(cells, start=1):
        where = f"{path}, cell {number} ({cell.metadata.get('grade_id', 'without grade_id')})"
        marks = [line for line in cell.source.splitlines() if re.match(r"\s*#+\s*(BEGIN|END)\b", line, re.IGNORECASE)]
        plain = [re.sub(r"^\s*##+ ", "### ", line) for line in marks]  # in a text cell Jupytext takes one sign away
        wrong = [line for line in plain if line.removeprefix("### ").split(" ", 1)[-1] not in _MARKS]
        pairs = all(a.replace("BEGIN", "END") == b for a, b in zip(plain[::2], plain[1::2], strict=False))
        begins = all(line.startswith("### BEGIN ") for line in plain[::2])
        if wrong or len(marks) % 2 or not pairs or not begins:
            raise InputError(f"{where}: write each mark as '### BEGIN SOLUTION' and close it by '### END SOLUTION'.")
        if cell.metadata.get("solution") and "grade_id" not in cell.metadata:
            raise InputError(f"{where}: a solution needs a grade_id.")
        if "### BEGIN SOLUTION" in plain and not cell.metadata.get("solution"):
            raise InputError(f"{where}: a cell with a solution needs solution=true.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}: the grade_id {twice[0]} is there twice: give each cell its own.")
    if (total := sum(question.points for question in questions)) != 100:
        raise InputError(f"{path}: the points add up to {total:g}: make it 100.")
    for question in questions:
        if question.manual and sum(points for points, _ in question.items) != question.points:
            what = f"the rubric of {question.grade_id} does not add up to {question.points:g} points"
            raise InputError(f"{path}: {what}.")


def locate(part: str = "source") -> Path:
    """Find the folder ``assignments`` with a part in the current directory, above it, or beside this package.

    An image has the part `release` alone.
    """
    here = Path.cwd()
    for place in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (place / "assignments" / part).is_dir():
            return place / "assignments"
    raise InputError(f"There is no folder assignments/{part} in or above {here}: run this inside the clone.")


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
