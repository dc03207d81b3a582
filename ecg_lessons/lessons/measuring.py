"""What every stored result says of how it was measured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import keras

from ecg_lessons import training


def stamp() -> dict[str, str]:
    """Name the library, the revision of the code and the day."""
    return {
        "keras": f"{keras.__version__} on {keras.backend.backend()}",
        "revision": _revision(),
        "date": date.today().isoformat(),
    }


def seconds(folders: Iterable[Path]) -> float | None:
    """Add up the training time of all epochs of runs; None if one of them keeps no history."""
    histories = [folder / "history.csv" for folder in folders]
    if not all(path.exists() for path in histories):
        return None
    return round(sum(training.Run(path.parent).history["seconds"].sum() for path in histories), 1)


def read(folder: str | Path, name: str) -> dict:
    """Read the stored results of a lesson."""
    return json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))


def _revision() -> str:
    """Name the revision of the code, marked where files were changed since."""
    here = Path(__file__).parent
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    described = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
