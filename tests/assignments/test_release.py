"""What students get holds no answer, and a source that would give one away is refused."""

import re

import nbformat
import pytest
from nbgrader.nbgraderformat import reads

from ecg_lessons.errors import InputError
from ecg_lessons.grading import assignments

EVERY = assignments.every(assignments.locate())
SOURCE = """# %% grade_id="name" solution=true
NAME = "Ada Example"

# %% grade_id="twice" solution=true
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% grade_id="twice-test" points=60
assert twice(1) == 2
### BEGIN HIDDEN TESTS
check("twice", [21])
### END HIDDEN TESTS

# %% [markdown] grade_id="words" solution=true points=40
### BEGIN SOLUTION
# Because.
### END SOLUTION
### BEGIN RUBRIC
# 15 a reason
# 25 a better one
### END RUBRIC
"""


def made(tmp_path, source):
    path = tmp_path / "01_small.py"
    path.write_text(source, encoding="utf-8")
    return assignments.Assignment(path)


def test_there_is_one_a_lesson():
    assert [assignment.name[:2] for assignment in EVERY] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("assignment", EVERY, ids=lambda one: one.name)
def test_a_release_is_what_the_source_makes_and_holds_no_answer(assignment):
    stored = (assignments.locate() / "release" / f"{assignment.name}.ipynb").read_text(encoding="utf-8")
    assert stored == nbformat.writes(assignment.release()) + "\n", "run make assignments"
    assert not any(word in stored for word in ("SOLUTION", "HIDDEN", "RUBRIC", "check("))
    shown = "\n".join(cell.source for cell in assignment.release().cells)
    for cell in assignment.cells:
        for mark in ("SOLUTION", "HIDDEN TESTS", "RUBRIC"):
            for line in assignments._cut(mark, cell.source)[1].splitlines():
                if len(line.strip()) > 12:
                    assert line.strip() not in shown


@pytest.mark.parametrize("assignment", EVERY, ids=lambda one: one.name)
def test_a_release_is_in_nbgraders_format(assignment):
    text = nbformat.writes(assignment.release())
    nbformat.validate(nbformat.reads(text, as_version=4))
    cells = reads(text, as_version=nbformat.current_nbformat).cells  # nbgrader's own check of its metadata
    points = {
        c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points
        for c in cells
        if c.metadata.get("nbgrader", {}).get("grade")
    }
    assert points == {question.grade_id: question.points for question in assignment.questions}
    assert sum(points.values()) == 100
    assert any(question.manual and cell_type(cells, question) == "code" for question in assignment.questions), "a plot"
    assert any(question.manual and cell_type(cells, question) == "markdown" for question in assignment.questions), (
        "words"
    )


def cell_type(cells, question):
    return next(cell.cell_type for cell in cells if cell.id == question.grade_id)


def test_a_small_source_gives_what_it_should(tmp_path):
    assignment = made(tmp_path, SOURCE)
    sources = [cell.source for cell in assignment.release().cells]
    assert sources[1] == "def twice(x):\n    # YOUR CODE HERE\n    raise NotImplementedError"
    assert sources[2] == "assert twice(1) == 2"
    assert sources[3] == "YOUR ANSWER HERE"
    assert assignment.questions[1].items == [(15.0, "a reason"), (25.0, "a better one")]
    assert assignment.questions[0].checks[0].arguments == [21]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('### END SOLUTION\n\n# %% grade_id="twice-test', '\n# %% grade_id="twice-test', "close it"),
        ("    ### BEGIN SOLUTION\n", "    ### BEGIN SOLUTION \n", "close it"),
        ("    ### BEGIN SOLUTION\n", "    ### BEGIN SOLUTIONS\n", "close it"),
        ("    ### BEGIN SOLUTION\n", "    # begin solution\n", "close it"),
        ("### BEGIN HIDDEN TESTS\n", "### BEGIN HIDDEN\n", "close it"),
        ("### BEGIN RUBRIC\n", "", "close it"),
        ("### END RUBRIC\n", "### END SOLUTION\n", "close it"),
        ('grade_id="twice" solution', 'grade_id="name" solution', "is there twice"),
        ('# %% grade_id="twice" solution=true', "# %% solution=true", "needs a grade_id"),
        ('grade_id="twice" solution=true', 'grade_id="twice"', "needs solution=true"),
        ("points=60", "points=50", "add up to 90"),
        ("# 25 a better", "# 20 a better", "rubric of words"),
        ("check(", "Check(", "NameError"),
        ("# 15 a reason", "# a reason", "rubric"),
    ],
)
def test_a_source_that_would_give_an_answer_away_is_refused(tmp_path, old, new, words):
    assert old in SOURCE
    with pytest.raises(InputError, match=re.escape("01_small.py")) as refused:
        made(tmp_path, SOURCE.replace(old, new, 1))
    assert words in str(refused.value)
