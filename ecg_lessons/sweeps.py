"""Sweeps: a job file names models, folds and data; each model on each fold is a trial.

A trial's folder is that of its training, ``OUT/<model>/<job>/<split>``, with copies of what was asked
(``plan.job.toml``, ``plan.model.toml`` where the model is a file, ``plan.split.json`` where the job names a split) and
in the end ``trial.json``. No lesson is imported here: that takes seconds.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from ecg_lessons import files
from ecg_lessons.errors import InputError
from ecg_lessons.settings import AsTuple, Settings
from ecg_lessons.trials import Trial

#: Names that begin with "plan." may lie in a folder before a training starts.
MODEL, JOB, SPLIT = "plan.model.toml", "plan.job.toml", "plan.split.json"


class Job(Settings):
    """What a job file asks for."""

    lesson: str = Field(examples=['lesson = "rhythm"'], min_length=1)
    #: Networks of the lesson, or model files in the folder ``models`` beside the folder of the job file.
    models: Annotated[tuple[str, ...], AsTuple] = Field(examples=['models = ["compact"]'], min_length=1)
    #: From 0 on; or else `split`.
    folds: Annotated[tuple[Annotated[int, Field(ge=0, le=4)], ...], AsTuple] = ()
    #: A file of ``ecg-lessons split``, whose path counts from the job file, or the name of a split of the lesson.
    split: str = ""
    source: str = "sample"
    #: Size of the built-in cohort; 0 for the lesson's own choice.
    recordings: Annotated[int, Field(ge=0)] = 0
    tensorboard: bool = False
    #: What one trial takes. Parts of a GPU share it.
    cpus: Annotated[float, Field(ge=0.1)] = 1
    gpus: Annotated[float, Field(ge=0)] = 0
    #: Entries of every model's plan to change, such as epochs.
    plan: dict[str, Any] = Field(default_factory=dict)
    #: Options of the lesson, as `train` has them.
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _either_folds_or_a_split(self) -> Job:
        if bool(self.folds) == bool(self.split):
            raise ValueError("give either folds, such as [0, 1, 2, 3, 4], or a split.")
        return self


@dataclass(frozen=True)
class JobFile:
    """A job file and what it asks for."""

    path: Path
    job: Job

    @classmethod
    def read(cls, path: str | Path) -> JobFile:
        """Read and check a job file."""
        read = cls(Path(path), Job.read(path))
        split = read.split_file
        if split is not None and not split.is_file():
            raise InputError(f"{path}: there is no split {split}; make one with 'ecg-lessons split'.")
        return read

    @property
    def name(self) -> str:
        """What the job is called."""
        return self.path.stem

    @property
    def split_file(self) -> Path | None:
        """The file of the split, where the job names one."""
        return self.path.parent / self.job.split if self.job.split.endswith(".json") else None

    def model_file(self, model: str) -> Path | None:
        """Find the file of a model, where it is one."""
        path = self.path.resolve().parent.parent / "models" / f"{model}.toml"
        return path if path.is_file() else None

    def splits(self) -> list[str]:
        """Name the splits."""
        return [f"fold-{number}" for number in dict.fromkeys(self.job.folds)] or [Path(self.job.split).stem]

    def trials(self, out: str | Path) -> list[tuple[str, Trial]]:
        """Give the trials with their models, fold by fold, so that every model has something to show early."""
        # Whole paths: other machines of a cluster may work on them.
        out = Path(out).absolute()
        models = list(dict.fromkeys(self.job.models))
        return [
            (model, self._trial(model, split, out / model / self.name / split))
            for split in self.splits()
            for model in models
        ]

    def _trial(self, model: str, split: str, folder: Path) -> Trial:
        job = self.job
        work = partial(
            train_and_score,
            lesson=job.lesson,
            model=model,
            network=str(folder / MODEL) if self.model_file(model) else model,
            split=str(folder / SPLIT) if self.split_file else split,
            source=job.source,
            changes=job.plan,
            tensorboard=job.tensorboard,
            options=job.options | ({"recordings": job.recordings} if job.recordings else {}),
        )
        return Trial(f"{model} {split}", folder, work)

    def prepare(self, model: str, folder: Path) -> None:
        """Make the folder of a trial with its copies, or check that those there are the same.

        What a trial's result depends on may not change; the rest of the job may.
        """
        copies: list[tuple[str, Path | None, Callable[[Path], object]]] = [
            (MODEL, self.model_file(model), files.read_toml),
            (JOB, self.path, lambda path: _lasting(Job.read(path))),
            (SPLIT, self.split_file, Path.read_bytes),
        ]
        copies = [copy for copy in copies if copy[1] is not None]
        for name, source, content in copies:
            if (folder / name).exists() and content(folder / name) != content(source):
                raise InputError(
                    f"{source} has changed since {folder} was begun: sweep into another folder with --out, or "
                    "remove that one."
                )
        folder.mkdir(parents=True, exist_ok=True)
        for name, source, _ in copies:
            shutil.copyfile(source, folder / f".{name}")
            (folder / f".{name}").replace(folder / name)


def _lasting(job: Job) -> dict:
    return {name: getattr(job, name) for name in ("lesson", "source", "recordings", "plan", "options")}


def train_and_score(
    folder: Path,
    progress: Callable[[int, dict], None] | None,
    *,
    lesson: str,
    model: str,
    network: str,
    split: str,
    source: str,
    changes: dict,
    tensorboard: bool,
    options: dict,
) -> dict:
    """Train and score a network; give its scores by name, those to compare by last."""
    from ecg_lessons import lessons, machine

    machine.setup()
    import keras

    keras.utils.clear_session()  # a worker may have trained another network before
    chosen = lessons.get(lesson)
    examples = chosen.load(source, **options)
    run = chosen.train(
        folder,
        network,
        source,
        split,
        changes=changes,
        examples=examples,
        tensorboard=tensorboard,
        progress=progress,
        called=model,
        **options,
    )
    result = chosen.evaluate(run, examples=examples)
    each = {f"F1 {name}": row["f1"].value for name, row in result.get("by_class", {}).items()}
    overall = {name: value.value for name, value in result.items() if hasattr(value, "value") and name != "majority"}
    last = ["accuracy"] * ("accuracy" in overall) + [next(iter(overall))]
    names = dict.fromkeys([name for name in overall if name not in last] + last)
    return {"scores": each | {name.replace("_", " "): overall[name] for name in names}}


@dataclass(frozen=True)
class Row:
    """What the folds of a model in a job came to: a row a finished split, a column a score."""

    model: str
    job: str
    scores: Any
    missing: tuple[str, ...]


def folders(root: str | Path) -> list[Path]:
    """Find the trials' folders under a sweep's folder, or under that of one of its models or jobs."""
    root = Path(root)
    patterns = ("/".join(["*"] * depth + [JOB]) for depth in range(1, 4))
    return sorted({path.parent for pattern in patterns for path in root.glob(pattern)})


def summarise(root: str | Path) -> list[Row]:
    """Sum up every model and job under a folder."""
    import pandas as pd

    trials = folders(root)
    if not trials:
        raise InputError(f"{root} holds no trials: run 'ecg-lessons sweep JOB.toml' first.")
    rows = []
    for folder in dict.fromkeys(path.parent for path in trials):
        splits = [path for path in trials if path.parent == folder]
        newest = max((path / JOB for path in splits), key=lambda path: path.stat().st_mtime)
        job = JobFile(Path(f"{folder.name}.toml"), Job.read(newest))
        every = {path.name: Trial(path.name, path, dict) for path in splits}
        done = {name: trial.result()["scores"] for name, trial in every.items() if trial.finished}
        scores = pd.DataFrame.from_dict(done, orient="index", dtype=float)
        missing = tuple(split for split in job.splits() if split not in done)
        rows.append(Row(folder.parent.resolve().name, folder.name, scores, missing))
    return rows
