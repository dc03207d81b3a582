"""What a student hears before handing in."""

import make_submissions as made
import nbformat
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.grading import assignments, submit

FIRST = assignments.called("1")


def said(tmp_path, notebook):
    path = tmp_path / "mine.ipynb"
    nbformat.write(notebook, path)
    lines, well = submit.check(path)
    return "\n".join(lines), well


def test_a_solved_notebook_passes_and_may_be_handed_in(tmp_path):
    words, well = said(tmp_path, made.solved(FIRST))
    assert well, words
    tests = sum(not question.manual for question in FIRST.questions)
    assert f"{tests} of {tests} tests that you see pass" in words
    assert words.endswith("You can hand it in.")


def test_what_is_empty_copied_missing_or_wrong_is_named(tmp_path):
    words, well = said(tmp_path, FIRST.release())
    assert not well
    assert "is not filled in" in words
    assert "write your own name" in words
    notebook = made.solved(FIRST)
    first = next(question.grade_id for question in FIRST.questions if not question.manual)
    notebook.cells = [cell for cell in notebook.cells if cell.id != first]
    last = notebook.cells[-4].copy()
    last.id = "again"
    notebook.cells.append(last)
    notebook.cells.append(made.code("1 / 0", "zero"))
    words, well = said(tmp_path, notebook)
    assert not well
    assert f"{first}: is missing" in words
    assert "ZeroDivisionError" in words
    assert "there 2 times" in words or "is not filled in" not in words


def test_what_is_no_assignment_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        submit.check(tmp_path / "none.ipynb")
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(InputError, match="JupyterLab"):
        submit.check(tmp_path / "bad.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=[made.code("1", "one")]), tmp_path / "other.ipynb")
    with pytest.raises(InputError, match="no cell of an assignment"):
        submit.check(tmp_path / "other.ipynb")
