"""The 24 failures of public forums, as submissions: each gets the expected points, or a reason."""

from copy import deepcopy

import make_submissions as made
import pytest

from ecg_lessons.grading import assess, grade, sandbox

THIRD = made.THIRD
ALL = sum(question.points for question in THIRD.questions if not question.manual)
#: Those that do not get all automatic points: what they get, and what is said.
LESS = {
    "nbgrader-917-1363-hidden-tests-in-feedback": (ALL - made.ASKED.points, ""),
    "relate-295-crafted-objects": (0, ""),
    "classroom50-1037-forged-result": (0, "the notebook ended Python"),
    "otter-723-no-results": (0, "SystemExit"),
    "broken-json": (0, "damaged"),
    "untouched": (0, "nothing was filled in"),
    "empty": (0, "the file is empty"),
}
#: What is said of those that do.
SAID = {
    "nbgrader-1083-copied-cell": "is there 2 times",
    "nbgrader-1941-cell-type-changed-and-cells-inserted": "was turned into markdown",
    "nbgrader-1682-deleted-read-only-cell": "is missing",
    "nbgrader-1033-cell-time-out": "longer than",
    "nbgrader-427-loop-that-eats-memory": "memory",
    "nbgrader-1429-out-of-memory": "emory",
    "grader-service-341-old-version-submitted": "is missing",
    "otter-813-one-time-out-ends-the-batch": "longer than",
    "cocalc-4951-os-exit": "ended Python",
    "late": "Canvas calls it late",
    "huge-output": "",
    "network": "URLError",
    "fork-bomb": "",
}


def test_the_folder_is_what_the_script_writes():
    """If assignment 3 has changed: python tests/assignments/make_submissions.py."""
    stored = {place.relative_to(made.FOLDER): place.read_bytes() for place in made.FOLDER.rglob("*") if place.is_file()}
    assert stored == {made.path(name): made.content(name) for name in made.CASES}
    assert len(made.CASES) == 24


@pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal()))
def test_every_submission_gets_its_points_or_a_reason(tmp_path, monkeypatch):
    run, ran = assess.run, {}

    def once(code, questions, *more, **how):
        """Run the same code once: what differs in some submissions is gone when it is run."""
        asked = (*code, *(question.grade_id for question in questions))
        if asked not in ran:
            ran[asked] = run(code, questions, *more, **how)
        return deepcopy(ran[asked])

    monkeypatch.setattr(assess, "run", once)
    table, _ = grade.grade(made.FOLDER, THIRD, tmp_path / "marks")
    table = table.set_index("student")
    assert set(table.index) == set(made.CASES)
    expected = {name: LESS.get(name, (ALL, ""))[0] for name in made.CASES}
    assert {name: table.loc[name, "automatic"] for name in made.CASES} == expected
    said = {name: words for name, (_, words) in LESS.items()} | SAID
    pages = tmp_path / "marks" / THIRD.name / "feedback"
    for name, words in said.items():
        (page,) = [
            p.read_text(encoding="utf-8") for p in pages.iterdir() if f": {name}</title>" in p.read_text("utf-8")
        ]
        assert words in page, (name, table.loc[name, "remark"])
        assert "found /" not in page, "no other student's file is seen"
    assert (tmp_path / "marks" / "gradebook.db").exists()
