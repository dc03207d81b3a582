"""Text files of numbers: opened with plain refusals, and written so that no half of one is ever seen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from ecg_lessons.errors import InputError

_LARGEST = float(np.finfo(np.float32).max)


def first_line(path: Path) -> str:
    """Give the first line of a text file, after a look at all of it.

    Raises
    ------
    InputError
        If the file is missing, a folder, not readable, or not UTF-8 text.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the CSV file inside it.")
    try:
        with path.open("rb") as file:
            if b"\0" in file.read(1 << 16):
                raise InputError(f"{path} is a binary file: give a CSV table (comma or semicolon, UTF-8).")
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
            while file.read(1 << 20):  # finds bytes that are not UTF-8, wherever they are
                pass
    except FileNotFoundError:
        raise InputError(f"No file {path}: check the path.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: give a CSV table (comma or semicolon, UTF-8).") from None
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): check its permissions.") from None
    return line


def finite(cells: Iterable[str]) -> bool:
    """Tell whether all cells are numbers that float32 can hold."""
    try:
        return all("_" not in cell and abs(float(cell)) <= _LARGEST for cell in cells)
    except ValueError:
        return False


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Open a file that appears under its name only when it is complete."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror}): choose another place.") from error
    finally:
        if part.is_file():
            part.unlink()
