"""What students really hand in, what cheats try, and what honest variants look like; see the threads in the names."""

import json
import zipfile

import nbformat
import pytest

from ecg_lessons.grading import assignments, grade, sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal()))
THIRD = assignments.called("3")
ALL = sum(question.points for question in THIRD.questions if not question.manual)


def solved():
    """Fill the release in with the reference solution."""
    notebook = THIRD.release()
    sources = {c.metadata["grade_id"]: c for c in THIRD.cells if c.metadata.get("solution")}
    for cell in notebook.cells:
        if cell.id in sources:
            cell.source = sources[cell.id].source
    return notebook


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def points(notebook):
    content = notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode()
    return grade.mark({"a.ipynb": content}, THIRD)


def code_cell(source):
    return nbformat.v4.new_code_cell(source)


@pytest.fixture(autouse=True, scope="module")
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade, "SECONDS", 3)
        yield


def copied(notebook):  # an empty copy behind the filled one
    empty = cell_of(THIRD.release(), "crops")
    notebook.cells.append(empty)


def turned(notebook):
    cell_of(notebook, "crops").cell_type = "markdown"


def deleted_test(notebook):
    notebook.cells = [cell for cell in notebook.cells if cell.id != "crops-test"]


def without_metadata(notebook):  # an older release, or a notebook saved by another program
    for cell in notebook.cells:
        cell.metadata = {}


REPAIRED = {
    "nbgrader-1083-copied-cell": copied,
    "nbgrader-1941-type-changed": turned,
    "nbgrader-1682-deleted-read-only-cell": deleted_test,
    "grader-service-341-older-version": without_metadata,
    "nbgrader-1033-cell-time-out": lambda nb: nb.cells.append(code_cell("while True: pass")),
    "nbgrader-427-eats-memory": lambda nb: nb.cells.append(code_cell("x = []\nwhile True: x.append(bytearray(10**7))")),
    "cocalc-4951-os-exit": lambda nb: nb.cells.append(code_cell("import os\nos._exit(0)")),
    "fork-bomb": lambda nb: nb.cells.append(code_cell("import os\nwhile True: os.fork()")),
    "huge-output": lambda nb: nb.cells.append(code_cell("print('x' * 10**8)")),
    "network": lambda nb: nb.cells.append(code_cell("import urllib.request as u\nu.urlopen('http://192.0.2.1')")),
    "wrong-kernel": lambda nb: nb.metadata.update(kernelspec={"name": "ir", "display_name": "R"}),
    "shell into a name": lambda nb: cell_of(nb, "crops").update(source="files = !ls\n" + cell_of(nb, "crops").source),
    "magics": lambda nb: nb.cells.insert(0, code_cell("%matplotlib inline\n!ls\nimport pandas as pd")),
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
    "lists": ("crops", "return picture_crops(picture).tolist()"),
    "float32": ("crops", "return picture_crops(picture).astype('float32')"),
    "tuple of arrays": ("crops", "return tuple(picture_crops(picture))"),
    "numpy integer": ("best-epoch", "return np.argmin(np.asarray(loss)) + 1"),
    "loop": ("best-epoch", "return min(range(len(loss)), key=lambda i: loss[i]) + 1"),
    "array of one": ("best-epoch", "return np.array(np.argmin(loss) + 1)"),
    "a line that begins with %": ("best-epoch", "best = (np.argmin(loss)\n            % 10**9)\n    return best + 1"),
    "true division": ("layers", None),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_variants_lose_nothing(name):
    notebook = solved()
    where, body = HONEST[name]
    cell = cell_of(notebook, where)
    if body is None:
        cell.source = cell.source.replace("return size // pool", "return float(np.floor(size / pool))")
    else:
        head = "def nine_crops(picture):" if where == "crops" else "def best_epoch(loss):"
        cell.source += f"\n\npicture_crops = globals().get('nine_crops')\n\n{head}\n    {body}\n"
    assert points(notebook)["points"] == ALL


@pytest.mark.parametrize("assignment", assignments.every(assignments.locate()), ids=lambda one: one.name)
def test_a_release_holds_no_answer_and_its_reference_earns_all(assignment):
    text = nbformat.writes(assignment.release())
    assert not any(word in text for word in ("SOLUTION", "HIDDEN", "RUBRIC", "check("))
    assert (assignments.locate() / "release" / f"{assignment.name}.ipynb").read_text(encoding="utf-8") == text + "\n"
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert sum(question.points for question in assignment.questions) == 100
    assert len(grade._expected(assignment, False)) == sum(len(q.checks) for q in assignment.questions)


def test_a_batch_goes_on_after_a_bad_notebook_and_grades_only_what_changed(tmp_path, monkeypatch):
    batch = tmp_path / "batch.zip"
    with zipfile.ZipFile(batch, "w") as archive:
        archive.writestr("Ünal Zoë_1_assignsubmission_file_/renamed.ipynb", nbformat.writes(solved()))
        archive.writestr("bad.ipynb", "{")
        archive.writestr("none_2_assignsubmission_file_/notes.txt", "")
    table = grade.grade(batch, THIRD, tmp_path / "marks")[0].set_index("student")
    assert dict(table["automatic"]) == {"Ünal Zoë": ALL, "bad": 0, "none": 0}
    assert "no notebook" in table.loc["none", "remark"]
    monkeypatch.setattr(grade, "run", lambda *a, **k: pytest.fail("it was run again"))
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
    monkeypatch.setattr(grade, "code_of", lambda *_: 1 / 0)
    table, _ = grade.grade(tmp_path / "in", THIRD, tmp_path / "marks")
    assert "ZeroDivisionError" in table.loc[0, "remark"]
