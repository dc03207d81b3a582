"""A lecturer's own sheet gets the marks, and nothing else in it changes."""

import csv

import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.grading import sheets

MOODLE = """\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum Grade"
Participant 11,"Zoë Ünal",zoe@x.org,"Submitted, late",,"100,00"
Participant 12,"Kim Lee",kim@x.org,Submitted,,"100,00"
Participant 13,"Kim Lee",kim2@x.org,Submitted,,"100,00"
Participant 14,"Max Absent",max@x.org,"No submission",,"100,00"
"""
CANVAS = """Student,ID,SIS Login ID,Section,Assignment 3 (55),Final Score
    Points Possible,,,,100,
"Ünal, Zoë",11,zu,A,,
"Lee, Kim",12,kl,A,,
"""


def filled(tmp_path, text, *how):
    (tmp_path / "sheet.csv").write_text(text, encoding="utf-8")
    made = sheets.fill(tmp_path / "sheet.csv", *how)
    return made, list(csv.reader(made.text.splitlines()))


def test_moodle_by_number_where_names_are_alike(tmp_path):
    numbers = {"Zoë Ünal": "11", "Kim Lee 12": "12", "Kim Lee 13": "13"}
    made, rows = filled(tmp_path, MOODLE, dict(zip(numbers, (80.5, 70, 60), strict=True)), numbers)
    assert [row[4] for row in rows] == ["Grade", "80.5", "70", "60", ""]
    assert rows[1][:4] == ["Participant 11", "Zoë Ünal", "zoe@x.org", "Submitted, late"]
    assert (made.missing, made.empty) == ([], 1)


def test_names_in_any_order_and_mail_addresses(tmp_path):
    _, rows = filled(tmp_path, MOODLE, {"Ünal Zoë": 1}, {"Ünal Zoë": None})
    assert rows[1][4] == "1"
    _, rows = filled(tmp_path, MOODLE, {"kim2": 2, "zoe": 3}, {"kim2": None, "zoe": None})
    assert [row[4] for row in rows[1:]] == ["3", "", "2", ""]


def test_two_of_one_name_are_told_and_get_nothing(tmp_path):
    made, rows = filled(tmp_path, MOODLE, {"Kim Lee": 5, "Nobody": 1}, {"Kim Lee": None, "Nobody": None})
    assert made.missing == ["Kim Lee", "Nobody"]
    assert all(row[4] == "" for row in rows[1:])


def test_canvas_by_its_number_and_the_column_that_is_said(tmp_path):
    column = "Assignment 3 (55)"
    _, rows = filled(tmp_path, CANVAS, {"unalzoe": 9, "leekim": 8}, {"unalzoe": "11", "leekim": "12"}, column)
    assert [row[4] for row in rows] == [column, "100", "9", "8"]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [("", None, "no students"), (CANVAS, None, "--grade-column"), (CANVAS, "Assignment 4", "did you mean")],
)
def test_a_sheet_that_cannot_be_filled_is_refused(tmp_path, text, column, words):
    with pytest.raises(InputError, match=words):
        filled(tmp_path, text, {"a": 1}, {"a": None}, column)
