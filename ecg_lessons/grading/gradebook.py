"""Marks in nbgrader's gradebook: its formgrader opens the folder, and our own page for marking writes into the same.

The folder of marks is a course of nbgrader: ``gradebook.db``, ``nbgrader_config.py``, ``source/``, ``autograded/``.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ecg_lessons import files
from ecg_lessons.errors import InputError
from ecg_lessons.grading.assignments import Assignment

#: Before each picked item of a rubric, in a comment.
PICKED = "✓ "
_CONFIG = """\
# Written by 'ecg-lessons grade': open the formgrader with 'jupyter lab' in this folder.
c = get_config()
c.CourseDirectory.root = {root!r}
# What students write never runs in your browser.
c.HTMLExporter.sanitize_html = True
"""


class Mark(NamedTuple):
    """What one question earned: `points` is None until a person has marked it."""

    points: float | None
    comment: str
    waits: bool


def missing() -> str | None:
    """Say that nbgrader is not installed, or None."""
    try:
        import nbgrader.api  # noqa: F401
    except ImportError:
        return "nbgrader is not installed: pip install 'ecg-lessons[classroom]'"
    return None


@contextmanager
def _opened(course: Path) -> Iterator[Any]:
    from nbgrader.api import Gradebook

    # To make a gradebook, nbgrader calls alembic by its name: it stands beside this Python, activated or not.
    beside = str(Path(sys.executable).parent)
    if beside not in (path := os.environ.get("PATH", os.defpath)).split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([path, beside])
    with Gradebook(f"sqlite:///{(course / 'gradebook.db').resolve()}") as book:
        yield book


def prepare(course: Path, assignment: Assignment) -> None:
    """Make the folder a course of nbgrader that knows the assignment; what is marked there stays."""
    import nbformat

    released = assignment.release()
    if not (course / "nbgrader_config.py").exists():
        files.write(course / "nbgrader_config.py", _CONFIG.format(root=str(course.resolve())))
    files.write(course / "source" / assignment.name / f"{assignment.name}.ipynb", nbformat.writes(released) + "\n")
    with _opened(course) as book:
        book.update_or_create_assignment(assignment.name)
        book.update_or_create_notebook(assignment.name, assignment.name)
        where = assignment.name, assignment.name
        for cell in released.cells:
            if not (about := cell.metadata.get("nbgrader")):
                continue
            named = about["grade_id"], *where
            book.update_or_create_source_cell(*named, cell_type=cell.cell_type, source=cell.source)
            if about["grade"]:
                book.update_or_create_grade_cell(*named, max_score=about["points"], cell_type=cell.cell_type)
            if about["solution"]:
                book.update_or_create_solution_cell(*named)


def fill(course: Path, assignment: Assignment, student: str, called: str, told: Mapping, **more: Any) -> None:
    """Write one student's automatic points; `told` is what `grade.mark` gave, `called` the name to show.

    A question for a person waits, unless nothing was written there; marks that a person gave stay, and wait for a
    second look where the answer has changed since. `more` goes to the submission: its ``timestamp`` in UTC.
    """
    from nbgrader.api import Comment, Grade

    with _opened(course) as book:
        book.update_or_create_student(student, last_name=called)
        (notebook,) = book.update_or_create_submission(assignment.name, student, **more).notebooks
        notebook.late_submission_penalty = told["late"] or None
        for kind, cells, have in (
            (Grade, notebook.notebook.grade_cells, {grade.cell_id for grade in notebook.grades}),
            (Comment, notebook.notebook.solution_cells, {comment.cell_id for comment in notebook.comments}),
        ):  # of questions that the assignment got later
            book.db.add_all(kind(cell_id=cell.id, notebook=notebook) for cell in cells if cell.id not in have)
        book.db.commit()
        grades = {grade.name: grade for grade in notebook.grades}
        for question in told["questions"]:
            grade = grades[question["id"]]
            if question["why"] != "marked by hand":
                grade.auto_score, grade.needs_manual_grade = question["points"], False
            elif question["empty"]:
                grade.auto_score, grade.needs_manual_grade = 0.0, False
            else:
                grade.auto_score = None
                grade.needs_manual_grade |= grade.manual_score is None or question["changed"]
        for grade in grades.values() if not told["questions"] else ():
            grade.auto_score, grade.needs_manual_grade = 0.0, False
        book.db.commit()


def marks(course: Path, assignment: Assignment) -> dict[str, dict[str, Mark]]:
    """Read what stands in the gradebook, by student and question."""
    if not (course / "gradebook.db").is_file():
        raise InputError(f"There is no gradebook in {course}: give 'ecg-lessons grade' first, with --to {course}.")
    found: dict[str, dict[str, Mark]] = {}
    with _opened(course) as book:
        for notebook in book.notebook_submissions(assignment.name, assignment.name):
            said = {comment.name: comment.comment or "" for comment in notebook.comments}
            found[notebook.student.id] = {
                grade.name: Mark(
                    None if grade.manual_score is None and grade.auto_score is None else float(grade.score),
                    said.get(grade.name, ""),
                    bool(grade.needs_manual_grade),
                )
                for grade in notebook.grades
            }
    return found


def names(course: Path, assignment: Assignment) -> dict[str, str]:
    """Give the names of those who handed an assignment in, by what the gradebook calls them."""
    with _opened(course) as book:
        return {one.student.id: one.student.last_name for one in book.find_assignment(assignment.name).submissions}


def mark(course: Path, assignment: Assignment, student: str, question: str, points: float | None, comment: str) -> None:
    """Write what a person gave for one question; None takes the points back."""
    named = question, assignment.name, assignment.name, student
    with _opened(course) as book:
        grade = book.find_grade(*named)
        grade.manual_score = points
        grade.needs_manual_grade = points is None and grade.auto_score is None
        book.find_comment(*named).manual_comment = comment.strip() or None
        book.db.commit()


def safe(student: str) -> str:
    """Give a name that a file system, an address and nbgrader all take."""
    plain = re.sub(r"[^\w-]", "-", student)[:40].strip("-")
    return f"{plain}-{hashlib.sha256(student.encode()).hexdigest()[:6]}"
