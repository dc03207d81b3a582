"""The command line: ``ecg-lessons``. A user's mistake ends with one sentence and status 2."""

from ecg_lessons.cli.commands import app, main

__all__ = ["app", "main"]
