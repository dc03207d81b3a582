"""Whose a file is, and when it was handed in."""

import zipfile
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.grading import assess, assignments, collecting, deadlines

VIENNA = ZoneInfo("Europe/Vienna")


def test_names_come_from_moodle_canvas_folders_and_files():
    assert collecting.student_of("Zoë Ünal_123_assignsubmission_file_/x.ipynb") == "Zoë Ünal"
    assert collecting.student_of("unalzoe_LATE_12_345_a3.ipynb") == "unalzoe"
    assert collecting.student_of("zoe/a3.ipynb") == "zoe"
    assert collecting.student_of("zoe.ipynb") == "zoe"


@pytest.mark.parametrize(
    ("members", "students"),
    [
        (["all/zoe.ipynb", "all/max.ipynb"], {"zoe", "max"}),
        (["zoe/mine/a.ipynb", "max/mine/a.ipynb"], {"zoe", "max"}),
        (["zoe.ipynb", "__MACOSX/._zoe.ipynb", ".DS_Store"], {"zoe"}),
        (
            ["Zoë Ü_1_assignsubmission_file_/mine/a.ipynb", "Max M_2_assignsubmission_file_/mine/a.ipynb"],
            {"Zoë Ü", "Max M"},
        ),
        (["Kim_1_assignsubmission_file_/a.ipynb", "Kim_2_assignsubmission_file_/a.ipynb"], {"Kim 1", "Kim 2"}),
        (["zoe.IPYNB", "max.ipynb"], {"zoe", "max"}),
        (["kim_1_10_a.ipynb", "kim_2_11_a.ipynb"], {"kim 1", "kim 2"}),
    ],
)
def test_no_student_is_lost_in_another(tmp_path, members, students):
    with zipfile.ZipFile(tmp_path / "batch.zip", "w") as archive:
        for member in members:
            archive.writestr(member, "{}")
    found = collecting.collect(tmp_path / "batch.zip")
    assert {one.student for one in found} == students
    assert all(len(one.notebooks) == 1 for one in found)


def test_a_damaged_member_of_a_zip_costs_nobody_else(tmp_path):
    batch = tmp_path / "batch.zip"
    with zipfile.ZipFile(batch, "w") as archive:
        archive.writestr("ada.ipynb", "A" * 100)
        archive.writestr("zoe.ipynb", "fine")
    batch.write_bytes(batch.read_bytes().replace(b"A" * 100, b"A" * 99 + b"B"))
    ada, zoe = collecting.collect(batch)
    assert zoe.notebooks == {"zoe.ipynb": b"fine"}
    assert "damaged" in assess.mark(ada.notebooks, assignments.called("3"))["reason"]


def test_numbers_lateness_and_time_come_with_a_submission(tmp_path):
    with zipfile.ZipFile(tmp_path / "batch.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("kim_LATE_12_345_a.ipynb", (2026, 7, 1, 12, 0, 0)), "{}")
        archive.writestr(zipfile.ZipInfo("Zoë_77_assignsubmission_file_/a.ipynb", (2026, 7, 1, 13, 0, 0)), "{}")
    zoe, kim = collecting.collect(tmp_path / "batch.zip", VIENNA)
    assert (kim.number, kim.late, zoe.number, zoe.late) == ("12", True, "77", False)
    assert zoe.time == datetime(2026, 7, 1, 13, tzinfo=VIENNA)


def test_lateness_costs_by_the_day_that_has_begun_in_the_zone_that_was_said():
    deadline = deadlines.Deadline.of("2026-11-30 23:59", "10%/day", VIENNA)
    at = lambda *when: datetime(*when, tzinfo=ZoneInfo("UTC"))  # noqa: E731
    assert deadline.lost(at(2026, 11, 30, 22, 59), 100) == 0  # 23:59 in Vienna
    assert deadline.lost(at(2026, 11, 30, 23, 0), 100) == 10
    assert deadline.lost(at(2026, 12, 2, 22, 59), 100) == pytest.approx(20)
    assert deadline.lost(at(2027, 12, 2, 0, 0), 100) == 100
    assert deadline.lost(None, 100) == 0
    assert deadline.told(at(2026, 11, 30, 23, 0)) == "1 day late: 2026-12-01 00:00 CET, due 2026-11-30 23:59 CET"


@pytest.mark.parametrize(
    ("until", "rule", "words"),
    [("tomorrow", None, "no time"), ("2026-11-30", "10", "10%/day"), ("2026-11-30", "200%/day", "10%/day")],
)
def test_a_rule_that_cannot_be_read_is_refused(until, rule, words):
    with pytest.raises(InputError, match=words):
        deadlines.Deadline.of(until, rule)
    with pytest.raises(InputError, match="Europe/Vienna"):
        deadlines.zone("Vienna")
