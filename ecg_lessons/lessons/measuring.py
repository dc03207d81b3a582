"""What the measurements of all lessons share: probabilities kept run by run, pooled scores, how it was measured."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import keras
import numpy as np

from ecg_lessons import training
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples

_KEPT = "probabilities.npz"


def is_done(folder: Path) -> bool:
    """Tell whether the probabilities of a run have been kept."""
    return (folder / _KEPT).exists()


def keep(run: training.Run, names: np.ndarray, probability: np.ndarray) -> None:
    """Keep the probabilities of a run for its test rows, whole or not at all."""
    partial = run.folder / f".partial-{_KEPT}"
    learnt = np.array(run.about["learnt"])
    np.savez_compressed(partial, names=names, probability=probability.astype(np.float32), learnt=learnt)
    partial.replace(run.folder / _KEPT)


def pooled(folders: dict[str, Path], given: Examples, names: np.ndarray) -> tuple[Examples, np.ndarray, dict]:
    """Pool the test rows of several runs, each without the classes that it never met.

    Parameters
    ----------
    folders : dict of Path
        By the name of a run, what `keep` filled.
    given : Examples
        All rows.
    names : ndarray of str
        Their names.

    Returns
    -------
    given : Examples
        The rows pooled, without inputs; ``info`` has those of `given` and ``run``.
    probability : ndarray, shape (rows, classes)
    notes : dict
        ``left_out``, rows by class; ``parameters``, ``epochs`` and ``seconds`` of the runs.
    """
    row = {name: i for i, name in enumerate(names)}
    rows, probabilities, run, left_out = [], [], [], np.zeros(len(given.classes), dtype=int)
    for name, folder in folders.items():
        kept = np.load(folder / _KEPT)
        where = np.array([row[one] for one in kept["names"]])
        met = np.isin(given.y[where], kept["learnt"])
        left_out += np.bincount(given.y[where[~met]], minlength=len(given.classes))
        rows.append(where[met])
        probabilities.append(kept["probability"][met])
        run += [name] * int(met.sum())
    rows = np.concatenate(rows)
    info = given.info.iloc[rows].assign(run=run).reset_index(drop=True)
    nothing = np.zeros((len(rows), 1), dtype=np.float32)  # scores need no inputs
    about = training.Run(next(iter(folders.values())))
    notes = {
        "left_out": {name: int(n) for name, n in zip(given.classes, left_out, strict=True) if n},
        "parameters": about.model.count_params(),
        "epochs": about.plan.epochs,
        "seconds": seconds(folders.values()),
    }
    picked = Examples(nothing, given.y[rows], given.patient[rows], given.classes, info)
    return picked, np.concatenate(probabilities), notes


def by_run(given: Examples, probability: np.ndarray, statistic: Callable) -> dict[str, float]:
    """Give one number of every run of a pool: a statistic of `scores`, such as `scores.macro_f1`."""
    counted = scores.Scores.of(given.y, probability.argmax(axis=1), given.info["run"], given.classes)
    runs = np.unique(given.info["run"].astype(str))
    return {name: round(float(value), 4) for name, value in zip(runs, statistic(counted.counts), strict=True)}


def stamp() -> dict[str, str]:
    """Name the library, the revision of the code and the day."""
    return {
        "keras": f"{keras.__version__} on {keras.backend.backend()}",
        "revision": _revision(),
        "date": date.today().isoformat(),
    }


def beside_stored(arms: dict, to: Path, name: str, key: str, depth: int) -> dict:
    """Set arms beside those that are stored and were not measured again, each with its own `stamp` as "measured".

    Parameters
    ----------
    arms : dict
        What was measured, nested as deep as `depth` says; its leaves are the results of arms.
    to : Path
        The folder of the stored results, if there are any.
    name, key : str
        Of the file, less its ending, and of the arms within it.
    depth : int
    """
    stored = read(to, name) if (to / f"{name}.json").exists() else {}
    then = {entry: stored.get(entry) for entry in stamp()}  # of arms from before each had a stamp of its own
    return _merged(stored.get(key, {}), arms, depth, then, stamp())


def _merged(old: dict, new: dict, depth: int, then: dict, now: dict) -> dict:
    if not depth:
        return new | {"measured": now} if new else {"measured": then} | old
    names = dict.fromkeys([*old, *new])
    return {name: _merged(old.get(name, {}), new.get(name, {}), depth - 1, then, now) for name in names}


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
