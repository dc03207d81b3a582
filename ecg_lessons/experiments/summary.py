"""The table of a sweep: mean and deviation over folds, a row a model and job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecg_lessons.errors import InputError
from ecg_lessons.experiments import jobs, trials


@dataclass(frozen=True)
class Summary:
    """What the folds of a model in a job came to.

    Attributes
    ----------
    model, job : str
    scores : DataFrame
        A row a finished split, a column a score.
    missing : tuple of str
        Splits that the job asks for and that have not finished.
    """

    model: str
    job: str
    scores: pd.DataFrame
    missing: tuple[str, ...]

    @property
    def mean(self) -> pd.Series:
        """Mean of each score over the splits."""
        return self.scores.mean()

    @property
    def deviation(self) -> pd.Series:
        """Standard deviation over the splits (n - 1 in the denominator); NaN of one split."""
        return self.scores.std(ddof=1)


def folders(root: str | Path) -> list[Path]:
    """Find the trials' folders under a sweep's folder, or under that of one of its models or jobs."""
    root = Path(root)
    patterns = ("/".join(["*"] * depth + [trials.JOB]) for depth in range(1, 4))
    return sorted({path.parent for pattern in patterns for path in root.glob(pattern)})


def summarise(root: str | Path) -> list[Summary]:
    """Sum up every model and job under a folder.

    Raises
    ------
    InputError
        If there is no trial under it.
    """
    found = folders(root)
    if not found:
        raise InputError(f"{root} holds no trials: run 'ecg-lessons sweep JOB.toml' first.")
    rows = []
    for folder in dict.fromkeys(path.parent for path in found):
        splits = [path for path in found if path.parent == folder]
        newest = max((path / trials.JOB for path in splits), key=lambda path: path.stat().st_mtime)
        job = jobs.of(jobs.table(newest), Path(f"{folder.name}.toml"))
        wanted = [trial.split for trial in trials.of(job, "") if trial.model == job.models[0]]
        done = {
            path.name: trials.Trial(job, folder.parent.name, path.name, path).result()["scores"]
            for path in splits
            if (path / trials.RESULT).exists()
        }
        scores = pd.DataFrame.from_dict(done, orient="index", dtype=float)
        missing = tuple(split for split in wanted if split not in done)
        rows.append(Summary(folder.parent.resolve().name, folder.name, scores, missing))
    return rows
