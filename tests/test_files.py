"""Files and folders whole or not at all, and the lock."""

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
        deadline = time.monotonic() + 10
        while not calls and time.monotonic() < deadline:
            time.sleep(0.01)
        assert calls == ["waits"]
    other.join(10)
    assert calls == ["waits", "holds"]
