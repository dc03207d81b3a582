"""Trials: one model on one fold, in a folder of its own that tells how far it came.

The folder is that of the training, with the copies ``plan.model.toml``, ``plan.job.toml`` and, where the job names a
split, ``plan.split.json``; and in the end ``trial.json``. Nothing is believed to be finished without that last file.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecg_lessons.errors import InputError
from ecg_lessons.experiments import jobs
from ecg_lessons.experiments.jobs import Job
from ecg_lessons.files import writing

#: Names that begin with "plan." may lie in the folder before a training starts: see `run_folder.holds_something`.
MODEL, JOB, SPLIT, RESULT = "plan.model.toml", "plan.job.toml", "plan.split.json", "trial.json"
#: Called as ``progress(epoch, row of the history)``.
Progress = Callable[[int, dict], None]


@dataclass(frozen=True, eq=False)
class Trial:
    """One model on one split.

    Attributes
    ----------
    job : Job
    model : str
    split : str
        ``fold-K``, or the name of the split's file.
    folder : Path
        ``OUT/<model>/<job>/<split>``, absolute: other machines of a cluster may work on it.
    """

    job: Job
    model: str
    split: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.model} {self.split}"

    @property
    def finished(self) -> bool:
        """Whether its result is there."""
        return (self.folder / RESULT).exists()

    @property
    def epochs(self) -> int:
        """How many epochs lie behind it, phases counted together."""
        histories = [*self.folder.glob("history.csv"), *self.folder.glob("*/history.csv")]
        return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in histories)

    def prepare(self) -> None:
        """Make the folder with its copies, or check that those there are the same.

        Raises
        ------
        InputError
            If the model, the split or what the job asks for has changed since.
        """
        for name, source, content in self._copies():
            copy = self.folder / name
            if copy.exists() and content(copy) != content(source):
                raise InputError(
                    f"{source} has changed since {self.folder} was begun: sweep into another folder with --out, or "
                    "remove that one."
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, source, _ in self._copies():
            partial = self.folder / f".{name}"
            shutil.copyfile(source, partial)
            partial.replace(self.folder / name)

    def _copies(self) -> list[tuple[str, Path, Callable[[Path], object]]]:
        """List the copies: name, source, and what of it may not change."""
        copies = [
            (MODEL, self.job.model_file(self.model), jobs.table),
            (JOB, self.job.path, lambda path: jobs.of(jobs.table(path), path).choices),
        ]
        return copies + ([(SPLIT, self.job.split_file(), Path.read_bytes)] if self.job.split else [])

    def run(self, train: str, progress: Progress | None = None) -> dict:
        """Train and score, from where an earlier try ended; keep the result.

        Parameters
        ----------
        train : str
            Where the callable is, as ``package.module:function``. It is called with the keywords ``model_file``,
            ``network``, ``split``, ``folder``, ``source``, ``recordings``, ``changes``, ``tensorboard`` and
            ``progress``, and gives scores by name, best first.
        progress : callable, optional

        Returns
        -------
        dict of float
        """
        module, _, name = train.partition(":")
        start = time.time()
        scores = getattr(importlib.import_module(module), name)(
            model_file=self.folder / MODEL,
            network=self.model,
            split=str(self.folder / SPLIT) if self.job.split else self.split,
            folder=self.folder,
            source=self.job.source,
            recordings=self.job.recordings,
            changes=self.job.plan,
            tensorboard=self.job.tensorboard,
            progress=progress,
        )
        with writing(self.folder / RESULT) as file:
            told = {"scores": scores, "seconds": round(time.time() - start, 1), "epochs": self.epochs}
            json.dump(told, file, indent=1, ensure_ascii=False)
        return scores

    def result(self) -> dict:
        """Read the result: ``scores``, ``seconds`` of the last try, ``epochs``."""
        try:
            return json.loads((self.folder / RESULT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(f"{self.folder / RESULT} is damaged: remove it and sweep again.") from None


def of(job: Job, out: str | Path) -> list[Trial]:
    """Give the trials of a job, fold by fold, so that every model has something to show early."""
    out = Path(out).absolute()
    splits = [f"fold-{number}" for number in job.folds] or [Path(job.split).stem]
    return [
        Trial(job, model, split, out / model / job.name / split) for split in splits for model in job.models
    ]


@contextmanager
def alone(folder: str | Path, job: str) -> Iterator[None]:
    """Keep a second sweep of one job out of a folder; the lock goes when its process does, however it ends."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("fcntl") is None:  # Windows
        yield
        return
    import fcntl

    with (folder / f".{job}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"Another sweep of {job} is at work in {folder}: wait for it.") from None
        yield
