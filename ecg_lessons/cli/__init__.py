"""The command line: ``ecg-lessons``. A user's mistake ends with one sentence and status 2."""

from ecg_lessons.cli import beat_images, general, heartbeat, inversion, patients
from ecg_lessons.cli.common import app, main

__all__ = ["app", "beat_images", "general", "heartbeat", "inversion", "main", "patients"]
