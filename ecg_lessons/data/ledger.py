"""Which files of a dataset's folder are there as they should be; no file is hashed twice."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pooch

from ecg_lessons.errors import InputError

#: PhysioNet's list of checksums, kept in the dataset's folder.
SUMS = "SHA256SUMS.txt"
_MEMORY = ".ecg-lessons.json"


class Ledger:
    """The checksums of a dataset, and the files found to have them.

    A verified file is known again by its size and its time of change.

    Parameters
    ----------
    folder : Path
        The dataset's folder.

    Attributes
    ----------
    sums : dict
        SHA-256 by path, empty until `read_sums`.
    new : bool
        True where nothing was fetched into the folder before.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.sums: dict[str, str] = {}
        self._stamps: dict[str, list[int]] = {}
        self.new = True
        with suppress(OSError, ValueError):
            self._stamps = json.loads((folder / _MEMORY).read_text())
            self.new = False

    def read_sums(self) -> bool:
        """Read the list of checksums; False if there is none, or it is something else."""
        path = self.folder / SUMS
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        matches = re.findall(r"^([0-9a-f]{64})\s+\*?(?:\./)?(.+?)\s*$", text, re.MULTILINE)
        self.sums = {name: sha256 for sha256, name in matches}
        return bool(self.sums)

    def missing(self, files: Iterable[str]) -> list[str]:
        """Say which files are not there, or not as they should be.

        Raises
        ------
        InputError
            If a path leads out of the folder.
        """
        return [path for path in dict.fromkeys(files) if not self._good(path)]

    def _good(self, path: str) -> bool:
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise InputError(f"{path} is not a path inside {self.folder}.")
        file = self.folder / path
        if not file.is_file():
            return False
        if path not in self.sums or self._stamps.get(path) == _stamp(file):
            return True
        if pooch.file_hash(file) != self.sums[path]:
            return False
        self.note(path)
        return True

    def note(self, path: str) -> None:
        """Remember that a file has just been verified."""
        if path in self.sums:
            self._stamps[path] = _stamp(self.folder / path)

    def save(self) -> None:
        """Write the memory down; a folder that may not be written is verified anew each time."""
        part = self.folder / f"{_MEMORY}.part"
        with suppress(OSError):
            part.write_text(json.dumps(self._stamps))
            os.replace(part, self.folder / _MEMORY)
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
