"""What students really hand in, what cheats try, and what honest variants look like; see the threads in the names."""

import json
import zipfile

import make_submissions as made
import nbformat
import pytest

from ecg_lessons.grading import assess, assignments, grade, sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal()))
THIRD = assignments.called("3")
ALL = sum(question.points for question in THIRD.questions if not question.manual)


solved = made.solved


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def points(notebook):
    content = notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode()
    return assess.mark({"a.ipynb": content}, THIRD)


def code_cell(source):
    return nbformat.v4.new_code_cell(source)


REPAIRED = {
    "shell into a name": lambda nb: cell_of(nb, "crops").update(source="files = !ls\n" + cell_of(nb, "crops").source),
    "magics": lambda nb: nb.cells.insert(0, code_cell("%matplotlib inline\n!ls\nimport pandas as pd")),
    "shell of IPython": lambda nb: nb.cells.insert(
        0, code_cell("get_ipython().run_line_magic('matplotlib', 'inline')\nanswer = input('?') + 'x'")
    ),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_what_can_be_repaired_keeps_its_points(name):
    notebook = solved()
    REPAIRED[name](notebook)
    told = points(notebook)
    assert told["points"] == ALL, told


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


HONEST = {
    "lists": ("nine_crops", "return nine_crops_(picture).tolist()"),
    "float32": ("nine_crops", "return nine_crops_(picture).astype('float32')"),
    "tuple of arrays": ("nine_crops", "return tuple(nine_crops_(picture))"),
    "tensor": (
        "nine_crops",
        "import keras\n    return keras.ops.convert_to_tensor(nine_crops_(picture).astype('float32'))",
    ),
    "other names": ("nine_crops", "bild = picture\n    alle = nine_crops_(bild)\n    return alle"),
    "numpy integer": ("best_epoch", "return np.argmin(np.asarray(loss)) + 1"),
    "loop for vectors": ("best_epoch", "return min(range(len(loss)), key=lambda i: loss[i]) + 1"),
    "array of one": ("best_epoch", "return np.array(np.argmin(loss) + 1)"),
    "shape (1,)": ("best_epoch", "return np.array([np.argmin(loss) + 1])"),
    "pandas": ("best_epoch", "import pandas as pd\n    return pd.Series(loss).idxmin() + 1"),
    "a line that begins with %": ("best_epoch", "best = (np.argmin(loss)\n            % 10**9)\n    return best + 1"),
    "true division": ("after_pooling", "return float(np.floor(size / pool))"),
    "frame": ("order", "import pandas as pd\n    return pd.DataFrame(order_(classes))"),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_variants_lose_nothing(name):
    notebook = solved()
    function, body = HONEST[name]
    cell = next(cell for cell in notebook.cells if f"def {function}(" in cell.source)
    (head,) = [line for line in cell.source.splitlines() if line.startswith(f"def {function}(")]
    cell.source += f"\n\n\n{function}_ = {function}\n\n\n{head}\n    {body}\n"
    told = points(notebook)
    assert told["points"] == ALL, told["questions"]
    assert len(HONEST) >= 10


@pytest.mark.parametrize("number", "12345")
def test_the_reference_earns_every_automatic_point_with_any_name(number):
    assignment = assignments.called(number)
    of = sum(question.points for question in assignment.questions if not question.manual)
    told = assess.mark({"a.ipynb": nbformat.writes(solved(assignment, "Zoë Ünal")).encode()}, assignment)
    assert told["points"] == of, told["questions"]
    assert told["faults"] == []
    assert told["name"] == "Zoë Ünal"


def test_answers_for_the_data_of_another_earn_nothing_where_data_are_asked_for():
    """Who copies values gets nothing for them; who copies the name too is told."""
    first = assignments.called("1")
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
    for n, line in enumerate(FORGED):
        notebook = solved()
        forged = b'{"cell": 900, ' + line + b"}\n"
        notebook.cells.append(code_cell(f"print('\\ud800')\nimport os\nos.write(1, {forged!r})"))
        (tmp_path / "in" / f"{n}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    notebook.cells[1].metadata["nbgrader"] = {"grade_id": ["name"]}
    (tmp_path / "in" / f"{'x' * 240}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    table, _ = grade.grade(tmp_path / "in", THIRD, tmp_path / "marks")
    assert list(table["automatic"]) == [ALL] * 5


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
