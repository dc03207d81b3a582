"""The folder of a training: the network, and all that is known of how it came about."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from ecg_lessons.errors import InputError
from ecg_lessons.plans import Plan


@dataclass(frozen=True)
class Run:
    """A folder with a trained network and all that is known of its training."""

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a finished run.

        Raises
        ------
        InputError
            If the folder holds none, or its training has not finished.
        """
        run = cls(Path(folder))
        if not (run.folder / "run.json").exists():
            raise InputError(f"{folder} is no run: give a folder that 'ecg-lessons train ... --out' made.")
        if not (run.folder / "model.keras").exists():
            raise InputError(
                f"The training in {folder} has not finished: give the same 'train' command again."
            )
        return run

    @property
    def about(self) -> dict:
        """What was trained: lesson, network, source of the data, split."""
        return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))

    @property
    def plan(self) -> Plan:
        """The plan it was trained after."""
        return Plan.read(self.folder / "plan.toml")

    @property
    def history(self) -> pd.DataFrame:
        """Loss and metrics, a row an epoch."""
        return pd.read_csv(self.folder / "history.csv")

    @property
    def model(self) -> keras.Model:
        """The trained network."""
        return keras.saving.load_model(self.folder / "model.keras")

    def write(self, name: str, content: str | dict | pd.DataFrame) -> Path:
        """Write a text, JSON or CSV file into the folder, whole or not at all."""
        if isinstance(content, dict):
            content = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        elif isinstance(content, pd.DataFrame):
            content = content.to_csv(index=False)
        target = self.folder / name
        partial = target.with_name(f".{name}.partial")
        try:
            partial.write_text(content, encoding="utf-8")
            os.replace(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise InputError(f"Cannot write {target}: {error.strerror}.") from None
        return target


def holds_something(folder: Path) -> bool:
    """Tell whether a path holds more than a killed start leaves: the plan, written first, or earlier phases."""
    return not folder.is_dir() or any(
        path.name.lstrip(".").split(".")[0] != "plan" and not path.name.startswith("phase-")
        for path in folder.iterdir()
    )
