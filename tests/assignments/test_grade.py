"""What students really hand in, what cheats try, and what honest variants look like; see the threads in the names."""

import json
import zipfile
from functools import cache

import make_submissions as made
import nbformat
import pytest

from ecg_lessons.grading import assess, assignments, grade, sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal()))
THIRD = made.THIRD
called = cache(assignments.called)  # what the reference gives is computed once for each
ALL = sum(question.points for question in THIRD.questions if not question.manual)


solved = made.solved


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def points(notebook):
    content = notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode()
    return assess.mark({"a.ipynb": content}, THIRD)


def code_cell(source):
    return nbformat.v4.new_code_cell(source)


def test_what_can_be_repaired_keeps_its_points():
    notebook = solved()
    cell_of(notebook, "crops").source = "files = !ls\n" + cell_of(notebook, "crops").source
    notebook.cells.insert(0, code_cell("%matplotlib inline\n!ls\nimport pandas as pd"))
    notebook.cells.insert(
        1, code_cell("get_ipython().run_line_magic('matplotlib', 'inline')\nanswer = input('?') + 'x'")
    )
    told = points(notebook)
    assert (told["points"], told["faults"]) == (ALL, [])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b'{"cells": [', "damaged"), (b'{"cells": 3}', "damaged"), (b"[1]", "damaged")],
)
def test_what_is_no_notebook_gets_a_reason(content, reason):
    told = points(content)
    assert told["points"] == 0
    assert reason in told["reason"]


def test_an_untouched_notebook_has_no_points_and_says_so():
    told = points(THIRD.release())
    assert told["points"] == 0
    assert "nothing was filled in" in told["notes"]


#: Of each function some ways to write it.
HONEST = {
    "nine_crops": {
        "lists": "return nine_crops_(picture).tolist()",
        "float32": "return nine_crops_(picture).astype('float32')",
        "tuple of arrays": "return tuple(nine_crops_(picture))",
        "tensor": "import keras\n    return keras.ops.convert_to_tensor(nine_crops_(picture).astype('float32'))",
        "other names": "bild = picture\n    alle = nine_crops_(bild)\n    return alle",
    },
    "best_epoch": {
        "numpy integer": "return np.argmin(np.asarray(loss)) + 1",
        "loop for vectors": "return min(range(len(loss)), key=lambda i: loss[i]) + 1",
        "array of one": "return np.array(np.argmin(loss) + 1)",
        "shape (1,)": "return np.array([np.argmin(loss) + 1])",
        "pandas": "import pandas as pd\n    return pd.Series(loss).idxmin() + 1",
        "a line that begins with %": "best = (np.argmin(loss)\n            % 10**9)\n    return best + 1",
    },
    "after_pooling": {"true division": "return float(np.floor(size / pool))"},
    "order": {"frame": "import pandas as pd\n    return pd.DataFrame(order_(classes))"},
}


@pytest.mark.parametrize("turn", range(max(map(len, HONEST.values()))))
def test_honest_variants_lose_nothing(turn):
    """Each notebook holds one variant of every function that has as many."""
    notebook, tried = solved(), []
    for function, variants in HONEST.items():
        for name, body in list(variants.items())[turn : turn + 1]:
            cell = next(cell for cell in notebook.cells if f"def {function}(" in cell.source)
            (head,) = [line for line in cell.source.splitlines() if line.startswith(f"def {function}(")]
            cell.source += f"\n\n\n{function}_ = {function}\n\n\n{head}\n    {body}\n"
            tried.append(name)
    told = points(notebook)
    assert told["points"] == ALL, (tried, told["questions"])


@pytest.mark.parametrize("number", "12345")
def test_the_reference_earns_every_automatic_point_with_any_name(number):
    assignment = THIRD if number == "3" else called(number)
    of = sum(question.points for question in assignment.questions if not question.manual)
    told = assess.mark({"a.ipynb": nbformat.writes(solved(assignment, "Zoë Ünal")).encode()}, assignment)
    assert told["points"] == of, told["questions"]
    assert told["faults"] == []
    assert told["name"] == "Zoë Ünal"


def test_answers_for_the_data_of_another_earn_nothing_where_data_are_asked_for():
    """Who copies values gets nothing for them; who copies the name too is told."""
    first = called("1")
    bob = solved(first, "Bob")
    cell_of(bob, "rule").source += "\nfalse_alarms, found = 4, 30"
    told = assess.mark({"a.ipynb": nbformat.writes(bob).encode()}, first)
    (own,) = [question for question in told["questions"] if question["id"] == "rule-own"]
    assert own["points"] < own["of"]
    assert grade._shared({"ada": "Ada", "bob": " ADA ", "eve": "Eve"}) == ["NAME is 'ada' for ada, bob."]


def test_a_batch_goes_on_after_a_bad_notebook_and_grades_only_what_changed(tmp_path, monkeypatch):
    batch = tmp_path / "batch.zip"
    with zipfile.ZipFile(batch, "w") as archive:
        archive.writestr("Ünal Zoë_1_assignsubmission_file_/renamed.ipynb", nbformat.writes(solved()))
        archive.writestr("bad.ipynb", "{")
        archive.writestr("none_2_assignsubmission_file_/notes.txt", "")
    table = grade.grade(batch, THIRD, tmp_path / "marks")[0].set_index("student")
    assert dict(table["automatic"]) == {"Ünal Zoë": ALL, "bad": 0, "none": 0}
    assert "no notebook" in table.loc["none", "remark"]
    monkeypatch.setattr(assess, "run", lambda *a, **k: pytest.fail("it was run again"))
    assert grade.grade(batch, THIRD, tmp_path / "marks")[0].set_index("student").equals(table)


FORGED = [b'"figures": 7', b'"figures": [5]', b'"text": ["a"]', b'"text": "\\ud800", "error": {"a": "\\ud800"}']


def test_what_a_cell_prints_never_stops_the_others(tmp_path):
    (tmp_path / "in").mkdir()
    notebook = solved()
    for n, line in enumerate(FORGED):
        forged = b'{"cell": %d, ' % (900 + n) + line + b"}\n"
        notebook.cells.append(code_cell(f"print('\\ud800')\nimport os\nos.write(1, {forged!r})"))
    (tmp_path / "in" / "forged.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    notebook.cells[1].metadata["nbgrader"] = {"grade_id": ["name"]}
    (tmp_path / "in" / f"{'x' * 240}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    table, _ = grade.grade(tmp_path / "in", THIRD, tmp_path / "marks")
    assert list(table["automatic"]) == [ALL] * 2


def test_what_nobody_foresaw_gets_a_reason(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ipynb").write_text(nbformat.writes(solved()), encoding="utf-8")
    monkeypatch.setattr(assess, "code_of", lambda *_: 1 / 0)
    table, _ = grade.grade(tmp_path / "in", THIRD, tmp_path / "marks")
    assert "ZeroDivisionError" in table.loc[0, "remark"]


def test_a_spreadsheet_runs_no_name(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "=1+1.ipynb").write_text("{", encoding="utf-8")
    grade.grade(tmp_path / "in", THIRD, tmp_path / "marks")
    assert (
        (tmp_path / "marks" / THIRD.name / "marks.csv").read_text(encoding="utf-8").splitlines()[1].startswith("'=1+1,")
    )
