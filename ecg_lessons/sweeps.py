"""Sweeps: a job file names models, folds and data; each model on each fold is a trial.

A trial's folder is that of its training, ``OUT/<model>/<job>/<split>``, with copies of what was asked
(``plan.job.toml``, ``plan.model.toml`` where the model is a file, ``plan.split.json`` where the job names a split) and
in the end ``trial.json``. No lesson is imported here: that takes seconds.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

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
    def _either_folds_or_a_split(self) -> Self:
        if bool(self.folds) == bool(self.split):
            raise ValueError("give either folds, such as [0, 1, 2, 3, 4], or a split.")
        return self


@dataclass(frozen=True)
class JobFile:
    """A job file and what it asks for."""

    path: Path
    job: Job

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read and check a job file."""
        read = cls(Path(path), Job.read(path))
        if (split := read.split_file) and not split.is_file():
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
        out, found = Path(out).absolute(), []
        for split in self.splits():
            for model in dict.fromkeys(self.job.models):
                folder = out / model / self.name / split
                network = str(folder / MODEL) if self.model_file(model) else model
                parts = str(folder / SPLIT) if self.split_file else split
                work = partial(train_and_score, job=self.job, called=model, network=network, split=parts)
                found.append((model, Trial(f"{model} {split}", folder, work)))
        return found

    def prepare(self, model: str, folder: Path) -> None:
        """Make a trial's folder with its copies, or check those there: what a result depends on may not change."""
        lasting = {"lesson", "source", "recordings", "plan", "options"}
        copies = [
            (MODEL, self.model_file(model), files.read_toml),
            (JOB, self.path, lambda path: Job.read(path).model_dump(include=lasting)),
            (SPLIT, self.split_file, Path.read_bytes),
        ]
        copies = [copy for copy in copies if copy[1]]
        for name, source, content in copies:
            if (folder / name).exists() and content(folder / name) != content(source):
                changed = f"{source} has changed since {folder} was begun"
                raise InputError(f"{changed}: sweep into another folder with --out, or remove that one.")
        folder.mkdir(parents=True, exist_ok=True)
        for name, source, _ in copies:
            shutil.copyfile(source, folder / f".{name}")
            (folder / f".{name}").replace(folder / name)


def train_and_score(
    folder: Path, progress: Callable[[int, dict], None] | None, *, job: Job, called: str, network: str, split: str
) -> dict:
    """Train and score a network; give its scores by name, those to compare by last."""
    from ecg_lessons import lessons, machine

    machine.setup()
    import keras

    keras.utils.clear_session()  # a worker may have trained another network before
    lesson, options = lessons.get(job.lesson), job.options | ({"recordings": job.recordings} if job.recordings else {})
    examples = lesson.load(job.source, **options)
    how = {"changes": job.plan, "tensorboard": job.tensorboard, "progress": progress, "called": called} | options
    run = lesson.train(folder, network, job.source, split, examples=examples, **how)
    result = lesson.evaluate(run, examples=examples)
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
    missing: tuple[str, ...]
    scores: Any


def folders(root: str | Path) -> list[Path]:
    """Find the trials' folders under a sweep's folder, or under that of one of its models or jobs."""
    return sorted({path.parent for depth in (1, 2, 3) for path in Path(root).glob("*/" * depth + JOB)})


def summarise(root: str | Path) -> list[Row]:
    """Sum up every model and job under a folder."""
    import pandas as pd

    if not (trials := folders(root)):
        raise InputError(f"{root} holds no trials: run 'ecg-lessons sweep JOB.toml' first.")
    rows = []
    for folder in dict.fromkeys(path.parent for path in trials):
        splits = [path for path in trials if path.parent == folder]
        newest = max((path / JOB for path in splits), key=lambda path: path.stat().st_mtime)
        job = JobFile(Path(f"{folder.name}.toml"), Job.read(newest))
        every = {path.name: Trial(path.name, path, dict) for path in splits}
        done = {name: trial.result("scores")["scores"] for name, trial in every.items() if trial.finished}
        scores = pd.DataFrame.from_dict(done, orient="index", dtype=float)
        missing = tuple(split for split in job.splits() if split not in done)
        rows.append(Row(folder.parent.resolve().name, folder.name, missing, scores))
    return rows
