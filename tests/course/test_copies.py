"""A student's own copy: whole, never overwritten, and brought back on request."""

import nbformat
import pytest

from ecg_lessons.course import copies
from ecg_lessons.errors import InputError


def test_a_copy_is_whole_and_keeps_what_is_ones_own(tmp_path):
    new = copies.copy(tmp_path)
    assert {name[:2] for name in new if name.endswith(".ipynb")} == {f"{k:02d}" for k in range(7)}
    glossary = (tmp_path / "glossary.md").read_text(encoding="utf-8")
    assert "](images/beat_kinds.png)" in glossary
    assert (tmp_path / "images" / "beat_kinds.png").exists()
    first = tmp_path / next(name for name in new if name.startswith("01"))
    first.write_text("mine")
    (tmp_path / "glossary.md").unlink()
    assert copies.copy(tmp_path) == ["glossary.md"]
    assert first.read_text() == "mine"


def test_a_reset_keeps_what_was_there_beside_the_original(tmp_path):
    copies.copy(tmp_path)
    (mine,) = tmp_path.glob("01_*.ipynb")
    mine.write_text("mine")
    assert copies.reset("01", tmp_path) == mine
    assert nbformat.read(mine, as_version=4).cells
    assert mine.with_suffix(".before.ipynb").read_text() == "mine"
    with pytest.raises(InputError, match="from an earlier reset"):
        copies.reset("01", tmp_path)
    with pytest.raises(InputError, match="no lesson '17'"):
        copies.reset("17", tmp_path)
