"""Lesson 4 on disk: a folder of patients, each finished one whole, so that a run can be stopped anywhere.

``plan.toml`` and ``run.json`` say what was asked. ``pretraining/`` holds the runs of the pre-training. Each patient
has a folder in ``patients/`` with ``predictions.parquet`` (``predictions.csv.gz`` where pyarrow is not installed)
and, written last, ``metrics.json``.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from ecg_lessons import run_folder, training
from ecg_lessons.errors import InputError
from ecg_lessons.plans import Plan

_PARQUET, _CSV = "predictions.parquet", "predictions.csv.gz"


@dataclass(frozen=True)
class Cohort:
    """The folder of a leave-one-out.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Cohort:
        """Open a folder with finished patients.

        Raises
        ------
        InputError
            If it is none, or no patient in it is finished.
        """
        cohort = cls(Path(folder))
        if not (cohort.folder / "run.json").exists() or cohort.about.get("protocol") != "leave-one-out":
            raise InputError(
                f"{folder} holds no leave-one-out: give a folder that 'ecg-lessons train patients --leave-one-out "
                "--out' made."
            )
        if not cohort.finished():
            raise InputError(f"No patient in {folder} is finished: give the same 'train' command again.")
        return cohort

    @property
    def about(self) -> dict:
        """What was asked: source, minutes, the way of the pre-training, the adaptation."""
        return _read(self.folder / "run.json", "choose another folder with --out, or remove this one")

    @property
    def pretraining(self) -> Path:
        """Where the runs of the pre-training are."""
        return self.folder / "pretraining"

    def prepare(self, about: Mapping, plan: Plan) -> None:
        """Make the folder, or check that it holds the same.

        Raises
        ------
        InputError
            If it holds something else, or cannot be made.
        """
        about = json.loads(json.dumps(about))
        if (self.folder / "run.json").exists():
            there = {**self.about, **asdict(Plan.read(self.folder / "plan.toml"))}
            here = {**about, **asdict(plan)}
            for name in {**there, **here}:
                if there.get(name) != here.get(name):
                    raise InputError(
                        f"{self.folder} holds another run ({name}: {there.get(name)} there, {here.get(name)} here): "
                        "choose another folder with --out, or remove that one."
                    )
            return
        if self.folder.exists() and run_folder.holds_something(self.folder):
            raise InputError(f"{self.folder} is not empty and is no run: choose another folder with --out.")
        self.folder.mkdir(parents=True, exist_ok=True)
        files = training.Run(self.folder)
        files.write("plan.toml", plan.toml())
        files.write("run.json", about)

    def finished(self) -> list[str]:
        """Name the patients that are finished, those that could not be done among them."""
        return sorted(path.parent.name for path in self.folder.glob("patients/*/metrics.json"))

    def metrics(self, patient: str) -> dict:
        """Read what `store` kept of a patient."""
        if patient not in self.finished():
            raise InputError(
                f"Patient {patient!r} is not finished in {self.folder}; finished are {', '.join(self.finished())}."
            )
        path = self._of(patient) / "metrics.json"
        return _read(path, "remove it, and give the same 'train' command again")

    def predictions(self, patient: str) -> pd.DataFrame:
        """Read a patient's test beats, one a row: record, sample, time, symbol, and what each arm said.

        Columns of an arm are called ``head 10`` (the verdict's symbol) and ``head 10 p`` (its probability).

        Raises
        ------
        InputError
            If there are none, or pyarrow is missing for a Parquet file.
        """
        found = self._of(patient)
        if (found / _CSV).exists():
            return pd.read_csv(found / _CSV, dtype={"record": str})
        if not (found / _PARQUET).exists():
            raise InputError(f"{found} holds no predictions: give the same 'train' command again.")
        if not _has_pyarrow():
            raise InputError(f"{found / _PARQUET} needs pyarrow: install it with 'pip install pyarrow'.")
        return pd.read_parquet(found / _PARQUET)

    def store(self, patient: str, metrics: dict, predictions: pd.DataFrame | None = None) -> None:
        """Keep a finished patient: the predictions first, then the metrics that say it is finished."""
        folder = self._of(patient)
        folder.mkdir(parents=True, exist_ok=True)
        if predictions is not None:
            name = _PARQUET if _has_pyarrow() else _CSV
            partial = folder / f".{name}"
            if name == _PARQUET:
                predictions.to_parquet(partial, index=False)
            else:
                predictions.to_csv(partial, index=False, float_format="%.6g", compression="gzip")
            os.replace(partial, folder / name)
        training.Run(folder).write("metrics.json", metrics)

    def _of(self, patient: str) -> Path:
        return self.folder / "patients" / patient


def _read(path: Path, remedy: str) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{path} is damaged: {remedy}.") from None


def _has_pyarrow() -> bool:
    return importlib.util.find_spec("pyarrow") is not None
