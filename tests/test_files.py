"""Files and folders whole or not at all, and the lock."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from ecg_lessons import files
from ecg_lessons.errors import InputError


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"Cannot write .*choose another place"):
        files.write(tmp_path / "file" / "index.html", b"")


def test_a_lock_is_refused_or_waited_for(tmp_path):
    calls = []

    def wait():
        with files.alone(tmp_path / "new" / "lock", say=lambda: calls.append("waits")):
            calls.append("holds")

    with files.alone(tmp_path / "new" / "lock"):
        with pytest.raises(InputError, match="taken"), files.alone(tmp_path / "new" / "lock", "taken"):
            pass
        other = threading.Thread(target=wait)
        other.start()
        deadline = time.monotonic() + 60
        while not calls and time.monotonic() < deadline:
            time.sleep(0.01)
        assert calls == ["waits"]
    other.join(60)
    assert calls == ["waits", "holds"]


@pytest.mark.parametrize(
    ("error", "why"),
    [(OSError(28, "No space left on device"), "No space left"), (OSError("20 written"), "disk may be")],
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, error, why):
    def folder(to):
        with files.new_folder(to, "this") as draft:
            (draft / "a").write_text("half")
            raise error

    def file(to):
        with files.writing(to) as opened:
            opened.write("half")
            raise error

    for fill in (folder, file):
        with pytest.raises(InputError, match=rf"Cannot write .*out \(.*{why}.*\): choose another place"):
            fill(tmp_path / "out")
        assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("ECG_LESSONS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="set ECG_LESSONS_CACHE to another folder"):
        folder(files.cache() / "sample")


def test_drafts_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    for process in (dead.pid, os.getppid()):
        (tmp_path / f".out-{host}-{process}").mkdir()
    with files.new_folder(tmp_path / "out", "this") as draft:
        (draft / "a").write_text("")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".out-{host}-{os.getppid()}", "out"]


def test_what_is_written_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with files.new_folder(tmp_path / "out", "this") as draft:
            files.write(draft / "a", "text")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("out", "out/a")]
    assert modes == [0o750, 0o640]


def test_nested_json_and_toml_are_damaged_files(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"a.json is damaged: make it again\."):
        files.read_json(tmp_path / "a.json", "make it again")
    (tmp_path / "a.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(InputError, match=r"a.toml is not TOML") as caught:
        files.read_toml(tmp_path / "a.toml")
    assert len(str(caught.value)) < 300
