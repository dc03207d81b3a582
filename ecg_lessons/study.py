"""Many trainings: each in a folder of its own, finished whole or not at all, so that the same command goes on.

A *trial* is one training with what is kept of it. The stored results of a lesson, the sweep of a job file and the
patients of a leave-one-out are lists of trials.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ecg_lessons import files
from ecg_lessons.errors import InputError

#: How often a trial may lose its worker and go on.
RETRIES = 3
#: Told of every trial that starts, ends, is refused or lost its worker, as ``tell(trial, event)``.
Tell = Callable[["Trial", str], None]
#: The probabilities that a measurement keeps of its test rows.
KEPT = "probabilities.npz"


@dataclass(frozen=True, eq=False)
class Trial:
    """One training: ``work(folder, progress)`` does it, from where an earlier try ended, and gives what to keep."""

    name: str
    folder: Path
    work: Callable[..., dict]
    result_file: str = "trial.json"

    def __str__(self) -> str:
        return self.name

    @property
    def finished(self) -> bool:
        """Whether its result is there."""
        return (self.folder / self.result_file).exists()

    @property
    def epochs(self) -> int:
        """How many epochs lie behind it, phases counted together."""
        histories = [*self.folder.glob("history.csv"), *self.folder.glob("*/history.csv")]
        return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in histories)

    def run(self, progress: Callable[[int, dict], None] | None = None) -> dict:
        """Train, unless that is done, and keep the result."""
        if not self.finished:
            start = time.time()
            told = self.work(self.folder, progress)
            told |= {"seconds": round(time.time() - start, 1), "epochs": self.epochs}
            files.write(self.folder / self.result_file, told)
        return self.result()

    def result(self) -> dict:
        """Read the result."""
        path = self.folder / self.result_file
        return files.read_json(path, "remove it, and give the same command again")


def serial(trials: Sequence[Trial], tell: Tell, tick: Callable[[], None]) -> dict[Trial, str]:
    """Run trials one after the other in this process; give why some were refused."""
    refused = {}
    for trial in trials:
        tell(trial, "starts")
        try:
            trial.run(lambda epoch, row: tick())
        except InputError as error:
            refused[trial] = str(error)
        tell(trial, "refused" if trial in refused else "finished")
    return refused


def side_by_side(
    trials: Sequence[Trial], workers: int, threads: int, tell: Tell, tick: Callable[[], None]
) -> dict[Trial, str]:
    """Run trials in several processes of this machine, which import TensorFlow once.

    A process that dies takes its neighbours along; all unfinished trials then go on from their folders.
    """
    left, refused, losses = list(trials), {}, 0
    with environment(threads):
        while left:
            pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
            pending = {pool.submit(attempt, trial): trial for trial in left}
            try:
                _gather(pending, left, refused, tell, tick)
            except BrokenProcessPool:
                losses += 1
                if losses > RETRIES * len(trials):
                    raise InputError(
                        "The workers die again and again, perhaps for lack of memory: take more cpus a trial, or --serial."
                    ) from None
                for trial in left:
                    if trial.epochs:
                        tell(trial, "lost its worker and goes on")
            finally:
                for process in pool._processes.values() if pending and losses == 0 else ():
                    process.terminate()
                pool.shutdown(wait=False, cancel_futures=True)
    return refused


def _gather(pending: dict, left: list[Trial], refused: dict[Trial, str], tell: Tell, tick: Callable) -> None:
    """Wait for all trials; those that ended leave `left`."""
    started = set()
    while pending:
        done, _ = wait(pending, timeout=1, return_when=FIRST_COMPLETED)
        for future, trial in pending.items():
            if future.running() and trial not in started:
                started.add(trial)
                tell(trial, "starts")
        for future in done:
            reason = future.result()
            trial = pending.pop(future)
            left.remove(trial)
            if reason:
                refused[trial] = reason
            tell(trial, "refused" if reason else "finished")
        tick()


def attempt(trial: Trial) -> str:
    """Run a trial in a worker; give why it was refused, or nothing."""
    try:
        trial.run()
    except InputError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}; 'ecg-lessons sweep --one' shows all of it."
    return ""


def threads_of(cpus: float) -> dict[str, str]:
    """Name the variables that TensorFlow reads when it is imported."""
    number = str(max(1, round(cpus)))
    return dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), number) | {"TF_CPP_MIN_LOG_LEVEL": "2"}


@contextmanager
def environment(threads: float):
    """Let the processes that begin meanwhile use so many threads."""
    before = dict(os.environ)
    os.environ.update(threads_of(threads))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Arm:
    """A network that is compared with others: trained on every split with every seed, its test rows pooled."""

    protocol: str
    #: What it is called within its protocol, such as "cnet, smote".
    name: str
    network: str
    splits: tuple[str, ...]
    seeds: tuple[int, ...] = (1,)
    plan: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def trials(self) -> list[tuple[Arm, str, int]]:
        """List the trainings."""
        return [(self, split, seed) for seed in self.seeds for split in self.splits]


@dataclass(frozen=True)
class Measurement:
    """One training of a study."""

    arm: Arm
    split: str
    seed: int

    @property
    def name(self) -> str:
        """What its folder is called."""
        words = f"{self.arm.protocol} {self.arm.name} {self.split} seed {self.seed}"
        return words.replace(",", "").replace("%", "").replace(" ", "-").lower()


@dataclass(frozen=True)
class Study:
    """What is measured of a lesson on real recordings, and stored as JSON."""

    lesson: Any
    arms: tuple[Arm, ...]
    #: ``report(study, measurements, base)`` gives the content of the JSON file.
    report: Callable[..., dict]
    #: The entry of the JSON file that holds the arms, and how deep they lie in it.
    key: str
    depth: int
    source: str = "physionet"
    #: Which of the examples a measurement is made on.
    part: Callable[[Any, Any], Any] = lambda measurement, examples: examples
    #: What options of the lesson a measurement has beside those of its arm, given the folder of all.
    options: Callable[[Any, Path], dict] = lambda measurement, base: {}
    #: ``measure(study, measurement, base)`` where it is no usual training.
    measure: Callable[..., None] | None = None
    seed_of_splits: int | None = None

    @property
    def file(self) -> str:
        """The name of the JSON file and of the folder of the runs."""
        return self.lesson.name.replace("-", "_")

    @cached_property
    def examples(self):
        """All examples, loaded once."""
        return self.lesson.load(self.source)

    def measurements(self, only: str | None = None) -> list[Measurement]:
        """List the trainings, or those with a text in their folder's name."""
        every = [Measurement(*trial) for arm in self.arms for trial in arm.trials()]
        chosen = [measurement for measurement in every if only is None or only in measurement.name]
        if not chosen:
            raise InputError(
                f"No training of {self.lesson.name} has {only!r} in its name; one is called {every[0].name}."
            )
        return chosen

    def folder(self, measurement: Measurement, base: Path) -> Path:
        """Give the run folder of a training."""
        return base / self.file / measurement.name

    def run(self, measurement: Measurement, base: Path) -> None:
        """Train, and keep the probabilities of the test rows, unless that is done."""
        if not (self.folder(measurement, base) / KEPT).exists():
            (self.measure or usual)(self, measurement, base)

    def write(self, done: Sequence[Measurement], base: Path, to: Path) -> Path:
        """Gather scores into the JSON file; arms that are stored there and were not measured again stay."""
        path = to / f"{self.file}.json"
        stored = files.read_json(path, "remove it") if path.exists() else {}
        report = self.report(self, done, base)
        then = {entry: stored.get(entry) for entry in stamp()}  # of arms from before each had a stamp of its own
        report[self.key] = _merged(stored.get(self.key, {}), report.get(self.key, {}), self.depth, then, stamp())
        return files.write(path, stored | report | stamp())


def usual(study: Study, measurement: Measurement, base: Path) -> None:
    """Train a network of the lesson and keep its probabilities of the test rows."""
    from ecg_lessons.lesson import names_of

    arm, lesson = measurement.arm, study.lesson
    examples = study.part(measurement, study.examples)
    seed = measurement.seed
    run = lesson.train(
        study.folder(measurement, base),
        arm.network,
        study.source,
        lesson.split(examples, measurement.split, study.seed_of_splits) if study.seed_of_splits else measurement.split,
        (arm.plan or lesson.plan(arm.network)).but(seed=seed),
        examples=examples,
        **arm.options,
        **study.options(measurement, base),
    )
    test, _ = lesson.judged(run, examples)
    keep(run.folder, names=names_of(test.info), probability=lesson.predict(run, test), learnt=run.about["learnt"])


def keep(folder: Path, **arrays: Any) -> None:
    """Keep arrays of a run, whole or not at all."""
    import numpy as np

    with files.writing(folder / KEPT, "wb") as file:
        np.savez_compressed(file, **arrays)
