"""Many trainings: each in a folder of its own, finished whole or not at all, so that the same command goes on.

The sweep of a job file and the patients of a leave-one-out are lists of trials. No library of networks is imported
here: a sweep shall start at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

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
            about = {"seconds": round(time.time() - start, 1), "epochs": self.epochs}
            files.write(self.folder / self.result_file, about | told)
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
            try:
                _gather({pool.submit(attempt, trial): trial for trial in left}, left, refused, tell, tick)
            except BrokenProcessPool:
                losses += 1
                if losses > RETRIES:
                    raise InputError(
                        "The workers die again and again, perhaps for lack of memory: add --serial."
                    ) from None
                for trial in left:
                    if trial.epochs:
                        tell(trial, "lost its worker and goes on")
            except BaseException:
                for process in list(pool._processes.values()):
                    process.terminate()
                raise
            finally:
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
    return dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), number) | {
        "TF_CPP_MIN_LOG_LEVEL": "2"
    }


@contextmanager
def environment(threads: float) -> Iterator[None]:
    """Let the processes that begin meanwhile use so many threads."""
    before = dict(os.environ)
    os.environ.update(threads_of(threads))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
