"""Many trainings: each in a folder of its own, finished whole or not at all, so that the same command goes on.

The sweep of a job file, the patients of a leave-one-out and what is measured of a lesson are lists of trials. No
library of networks is imported here: a sweep shall start at once.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Self

from ecg_lessons import files
from ecg_lessons.errors import InputError

#: How often a trial may lose its worker and go on.
RETRIES = 3
#: Told of every trial that starts, ends, is refused or lost its worker, as ``tell(trial, event)``.
Tell = Callable[["Trial", str], None]


@dataclass(frozen=True, eq=False)
class Trial:
    """One training: ``work(folder, progress)`` does it, from where an earlier try ended, and gives what to keep."""

    name: str
    folder: Path
    work: Callable[..., dict]
    result_file: str = "trial.json"
    #: What the command is given to have no trials side by side.
    alone: str = "--serial"

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
            start, result = time.time(), self.work(self.folder, progress)
            about = {"seconds": round(time.time() - start, 1), "epochs": self.epochs}
            files.write(self.folder / self.result_file, about | result)
        return self.result()

    def result(self, *keys: str) -> dict:
        """Read the result, which must have certain keys."""
        return files.read_json(self.folder / self.result_file, "remove it, and give the same command again", *keys)


def serial(trials: Sequence[Trial], tell: Tell, tick: Callable[[], None]) -> dict[Trial, str]:
    """Run trials one after the other in this process; give why some were refused."""
    refused = {}
    for trial in trials:
        tell(trial, "starts")
        try:
            trial.run(lambda epoch, row: tick())
            reason = ""
        except InputError as error:
            reason = str(error)
        end(trial, reason, refused, tell)
    return refused


def end(trial: Trial, reason: str, refused: dict[Trial, str], tell: Tell) -> None:
    """Tell how a trial ended; keep why it was refused, if it was."""
    if reason:
        refused[trial] = reason
    tell(trial, "refused" if reason else "finished")


class Workers:
    """Processes of this machine that run trials side by side, and import a lesson once, while others get ready.

    A process that dies takes its neighbours along; all unfinished trials then go on from their folders.
    """

    def __init__(self, number: int, threads: float, lesson: str, wanted: bool = True) -> None:
        self._number, self._threads, self._lesson, self._wanted = number, threads, lesson, wanted
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            self._open()
        return self

    def __exit__(self, *_) -> None:
        if self._pool is not None:
            for process in list(self._pool._processes.values()):
                process.terminate()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _open(self) -> None:
        # Ctrl-C reaches all processes: this one stops the others, without a word from them.
        deaf = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
        self._pool = ProcessPoolExecutor(self._number, mp_context=get_context("spawn"), **deaf)
        before = dict(os.environ)
        os.environ.update(threads_of(self._threads))  # for the processes, which start with a task
        try:
            for _ in range(self._number):
                self._pool.submit(_warm, self._lesson)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def run(self, trials: Sequence[Trial], tell: Tell, tick: Callable[[], None]) -> dict[Trial, str]:
        """Run trials; give why some were refused."""
        left, refused = list(trials), {}
        for _ in range(RETRIES + 1):
            try:
                _gather({self._pool.submit(attempt, trial): trial for trial in left}, left, refused, tell, tick)
                return refused
            except BrokenExecutor:
                self._open()
                for trial in left:
                    if trial.epochs:
                        tell(trial, "lost its worker and goes on")
        remedy = f"add {trials[0].alone}"
        raise InputError(f"The workers die again and again, perhaps for lack of memory: {remedy}.")


def _warm(lesson: str) -> None:
    from ecg_lessons import lessons, machine

    machine.setup()
    with suppress(Exception):  # a trial will tell what is wrong
        lessons.get(lesson)


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
            reason, trial = future.result(), pending.pop(future)
            left.remove(trial)
            end(trial, reason, refused, tell)
        tick()


def attempt(trial: Trial) -> str:
    """Run a trial in a worker; give why it was refused, or nothing."""
    try:
        trial.run()
    except InputError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}; {trial.alone} shows all of it."
    return ""


def threads_of(cpus: float) -> dict[str, str]:
    """Name the variables that TensorFlow reads when it is imported."""
    number = str(max(1, round(cpus)))
    return dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), number) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
