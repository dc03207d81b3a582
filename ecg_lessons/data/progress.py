"""A progress bar over files, for downloads in several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class FileBar:
    """Counts files, a part of a file as that part of one, since sizes are known only once a file begins.

    Parameters
    ----------
    console : rich.console.Console
        Where to draw.
    visible : bool
        False draws nothing.
    """

    def __init__(self, console: Console, visible: bool):
        self._columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} % of {task.total} files, {task.fields[megabytes]:.1f} MB"),
            TimeRemainingColumn(),
        )
        self._console, self._visible = console, visible
        self._lock = threading.Lock()
        self._seen: dict[Path, tuple[int, float]] = {}
        self._megabytes = 0.0
        self._progress: Progress | None = None

    @contextmanager
    def over(self, label: str, files: int) -> Iterator[None]:
        """Draw the bar while `files` files are downloaded."""
        self._seen, self._megabytes = {}, 0.0
        with Progress(*self._columns, console=self._console, disable=not self._visible) as self._progress:
            task = self._progress.add_task(label, total=files, megabytes=0.0)
            yield
            self._progress.update(task, completed=files)
        self._progress = None

    def report(self, file: Path, received: int, total: int) -> None:
        """Note that `received` of `total` bytes of a file are there; a file begun anew goes back."""
        with self._lock:
            if self._progress is None:
                return
            bytes_before, share_before = self._seen.get(file, (0, 0.0))
            share = received / total if total else 0.0
            self._seen[file] = received, share
            self._megabytes += (received - bytes_before) / 1e6
            task = self._progress.task_ids[0]
            self._progress.update(task, advance=share - share_before, megabytes=self._megabytes)
