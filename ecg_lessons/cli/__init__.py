"""The command line: ``ecg-lessons``. A user's mistake ends with one sentence and status 2."""

from ecg_lessons.cli import beat_images, experiments, general, heartbeat, inversion, patients, rhythm
from ecg_lessons.cli.common import app, main

__all__ = [
    "app",
    "beat_images",
    "experiments",
    "general",
    "heartbeat",
    "inversion",
    "main",
    "patients",
    "rhythm",
]
