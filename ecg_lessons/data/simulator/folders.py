"""Folders that are there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecg_lessons.errors import InputError

_README = """SIMULATED ELECTROCARDIOGRAMS - NOT CLINICAL DATA

{about}

Use them to learn, to test code and to try a lesson without a network. Results on them say nothing about
real patients, and they must not serve any medical purpose.
"""


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes `folder` at the end and vanishes after an error.

    Raises
    ------
    InputError
        If `folder` holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not empty: give a new folder for the simulated cohort.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield beside
        beside.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        beside.replace(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def cached(folder: Path, make: Callable[[Path], object]) -> Path:
    """Give a folder, made on first use. Two processes may ask at once; the first to finish is kept."""
    if not folder.exists():
        try:
            make(folder)
        except (OSError, InputError):
            if not folder.exists():  # nobody else was faster: the error is a true one
                raise
    return folder


def write_texts(folder: Path, about: str, **texts: str) -> None:
    """Write README.txt, which says that everything is simulated and what else is `about`, and other texts by name."""
    for name, text in {**texts, "README.txt": _README.format(about=about)}.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
