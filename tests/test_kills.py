"""A command that is killed at any file operation: said again, it ends with the same files as one that was not.

The kill is played in this process: from one file operation on, every further one fails, as if nobody were there to do
it. So clearing up does not happen either. A process number that nobody has stands for the dead process.
Three moments a command; ``make fuzz`` tries a hundred.
"""

import gzip
import itertools
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

#: At most so many moments of a command are tried, evenly from its first file operation to its last.
MOMENTS = int(os.environ.get("ECG_LESSONS_MOMENTS", 3))


class Killed(BaseException):
    """Raised at a file operation, and at every one after it."""


class Watch:
    """Counts file operations below a folder, and kills at one of them."""

    def __init__(self):
        self.folder, self.count, self.at, self.dead = None, 0, None, False
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if self.folder is None or not self._changes(event, arguments):
            return
        self.count += 1
        if self.dead or self.count == self.at:
            self.dead = True
            raise Killed

    def _changes(self, event: str, arguments: tuple) -> bool:
        if event == "open":
            written = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return bool(written) and self._within(arguments[0])
        return event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir") and self._within(arguments[0])

    def _within(self, path) -> bool:
        path = os.fspath(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        path = os.fsdecode(path)
        return not path.endswith(".lock") and os.path.abspath(path).startswith(str(self.folder))

    def run(self, call, words, folder: Path, at: int | None = None):
        """Run a command that writes below a folder, killed at a file operation if one is named."""
        self.folder, self.count, self.at, self.dead = folder, 0, at, False
        try:
            return call(*words)
        except Killed:
            return None
        finally:
            self.folder = None


@pytest.fixture(scope="module")
def watch():
    return Watch()


def content(folder: Path) -> dict[str, object]:
    """Give what every file holds, but for times: of a model its weights, and what else is read in another way."""
    return {
        str(path.relative_to(folder)): READ.get(path.suffix, Path.read_bytes)(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".lock" not in path.name
    }


def weights(path: Path) -> bytes:
    import keras

    return b"".join(array.tobytes() for array in keras.saving.load_model(path).get_weights())


def timeless(told):
    """Leave out how long something took, and when it was."""
    if isinstance(told, dict):
        return {name: timeless(entry) for name, entry in told.items() if name not in ("seconds", "date", "started")}
    return [timeless(entry) for entry in told] if isinstance(told, list) else told


READ = {
    ".keras": weights,
    ".json": lambda path: timeless(json.loads(path.read_text())),
    ".csv": lambda path: pd.read_csv(path).drop(columns="seconds", errors="ignore").to_csv(),
    ".gz": lambda path: gzip.decompress(path.read_bytes()),
}


COMMANDS = {
    "simulate": "simulate --rhythms --patients 8 --to OUT/made",
    "simulate twelve leads": "simulate --patients 3 --to OUT/made",
    "split": "split --recordings 100 --to OUT/made.json",
    "split into folds": "split --folds 5 --recordings 100 --to OUT/made",
    "export inversion": "export inversion --source physionet --to OUT/made",
    "export heartbeat": "export heartbeat --source physionet --to OUT/made",
    "lessons": "lessons --to OUT/made",
    "predict": "predict RUN RECORD --to OUT/made.csv",
    "evaluate": "evaluate OUT/run --source physionet",
    "train": "train inversion --source physionet --epochs 2 --network usoltsev --out OUT/run",
    "leave one out": "train patients --source physionet --leave-one-out --adapt-minutes 1 --preset quick "
    "--patients a001,a002 --epochs 1 --out OUT/run",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_file_operation_it_ends_as_if_it_had_not_been(
    name, watch, call, at_hand, physionet, trained, tmp_path, monkeypatch
):
    process = itertools.count(2**22 + 1)
    record = physionet / "ptb-xl" / "1.0.3" / "records500" / "00000" / "00001_hr"
    run = trained("inversion")

    def words(folder: Path) -> list[str]:
        if name == "evaluate" and not folder.exists():
            shutil.copytree(run, folder / "run")
            (folder / "run" / "scores.json").unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
        text = COMMANDS[name].replace("OUT", str(folder)).replace("RUN", str(run)).replace("RECORD", str(record))
        return text.split()

    def once(folder: Path, at: int | None = None):
        number = next(process)
        monkeypatch.setattr(os, "getpid", lambda: number)
        return watch.run(call, words(folder), folder, at)

    status, _, said = once(tmp_path / "whole")
    assert status == 0, said
    operations, whole = watch.count, content(tmp_path / "whole")
    assert operations
    assert whole
    for moment in np.unique(np.linspace(1, operations, MOMENTS).astype(int)).tolist():
        folder = tmp_path / str(moment)
        assert once(folder, moment) is None, "the kill was caught"
        status, _, said = once(folder)
        assert status == 0, f"killed at operation {moment} of {operations}: {said}"
        assert content(folder) == whole, f"killed at operation {moment} of {operations}"
