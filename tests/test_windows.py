"""What a Windows user does needs nothing that only POSIX systems have, and no plain name of a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ecg_lessons
from ecg_lessons.errors import InputError
from ecg_lessons.grading import sandbox

#: psutil has a module of its own for each system: the one for this system is loaded before.
WITHOUT = """
import asyncio, importlib, pkgutil, sys
import psutil
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
# Event loops know no signals there.
asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
asyncio.unix_events._UnixSelectorEventLoop.remove_signal_handler = asyncio.AbstractEventLoop.remove_signal_handler
import ecg_lessons
"""
ALL = """
for module in pkgutil.walk_packages(ecg_lessons.__path__, "ecg_lessons."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        print(module.name)
"""
COMMANDS = """
from ecg_lessons import cli
for words in (
    ["lessons", "--to", "Kurs für Ärzte/meine"],
    ["course", "7", "--to", "Kurs für Ärzte/Seiten"],
    ["simulate", "--patients", "12", "--to", "Kurs für Ärzte/zwölf Leute"],
    ["train", "inversion", "--network", "usoltsev", "--epochs", "1", "--out", "Kurs für Ärzte/ein Lauf"],
    ["predict", "Kurs für Ärzte/ein Lauf", "Kurs für Ärzte/zwölf Leute/records500/00000", "--to", "Ü b.csv"],
):
    sys.argv = ["ecg-lessons", *words]
    try:
        cli.main()
    except SystemExit as end:
        assert not end.code, words
"""


def python(program: str, folder: Path) -> str:
    words = [sys.executable, "-c", WITHOUT + program]
    settings = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(Path(ecg_lessons.__file__).parents[1])}
    done = subprocess.run(words, cwd=folder, env=settings, capture_output=True, text=True, encoding="cp1252")
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_every_module_is_imported_without_what_posix_alone_has(tmp_path):
    names = python(ALL, tmp_path).split()
    assert {"ecg_lessons.cli", "ecg_lessons.course.course", "ecg_lessons.grading.submit"} <= set(names)


def test_a_lesson_is_trained_and_asked_in_a_folder_with_blanks_and_umlauts(tmp_path):
    source = tmp_path / "notebooks" / "source"  # a lesson that takes no time
    source.mkdir(parents=True)
    (source / "07_short.py").write_text(
        "# %% [markdown]\n# # Lesson 7 · Größe → µV\n\n# %%\nprint(6 * 7)\n", encoding="utf-8"
    )
    python(COMMANDS, tmp_path)
    folder = tmp_path / "Kurs für Ärzte"
    assert (folder / "meine" / "01_inversion_detection.ipynb").is_file()
    assert "Größe → µV" in (folder / "Seiten" / "index.html").read_text(encoding="utf-8")
    assert "42" in (folder / "Seiten" / "07_short.html").read_text(encoding="utf-8")
    assert (folder / "ein Lauf" / "model.keras").is_file()
    assert len((tmp_path / "Ü b.csv").read_text(encoding="utf-8").splitlines()) > 1


def test_where_no_program_is_ended_for_certain_none_is_run(monkeypatch):
    monkeypatch.setattr(sandbox, "WINDOWS", True)
    with pytest.raises(InputError, match="on Windows use WSL"):
        sandbox.run([sys.executable, "-c", "print(1)"], {}, unprotected=True)
