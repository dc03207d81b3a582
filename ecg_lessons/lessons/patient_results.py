"""Lesson 4 over all patients: what each arm reaches, what adaptation adds, whom it hurts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.scores import DRAWS, Estimate, Scores, plain
from ecg_lessons.lessons.patient_arms import ARMS, Key
from ecg_lessons.lessons.patient_files import Cohort
from ecg_lessons.lessons.patients import CLASSES, SCORES

#: The score to compare by, and what it must fall by before adaptation is said to hurt.
MAIN = next(iter(SCORES))
MARGIN = 0.005


@dataclass(frozen=True)
class Summary:
    """All patients of a cohort that are finished.

    Attributes
    ----------
    minutes : float
        The longest adaptation; the tests begin there.
    scores : DataFrame
        A row a patient, arm and length: ``patient``, ``arm``, ``minutes``, the scores of `patients.SCORES`.
    table : DataFrame
        A row an arm and length: how many ``patients``; for each score the mean over patients, an Estimate, and
        ``gain <score>``, the mean of the paired differences to `generic`.
    beats : dict of str to int
        How many beats each patient was tested on.
    notes, refused : dict of str to str
        What was peculiar about a patient, and why a patient could not be done.
    """

    minutes: float
    scores: pd.DataFrame
    table: pd.DataFrame
    beats: dict[str, int]
    notes: dict[str, str]
    refused: dict[str, str]

    def by_patient(self, score: str = MAIN) -> pd.DataFrame:
        """Give one score of every patient (rows) in every arm at its full length (columns)."""
        full = self.scores[(self.scores["minutes"] == self.minutes) | (self.scores["arm"] == "generic")]
        return full.pivot_table(score, "patient", "arm", dropna=False)[list(ARMS)]

    def gain(
        self, arm: str, over: str = "generic", minutes: float | None = None, score: str = MAIN
    ) -> Estimate:
        """Compare two arms patient by patient: the mean difference, with its interval.

        Parameters
        ----------
        arm, over : str
            See `patient_arms.ARMS`.
        minutes : float, optional
            The length of the adaptation of both; the longest unless said.
        score : str
        """
        minutes = self.minutes if minutes is None else minutes
        here = self.scores[self.scores["minutes"].isin([minutes, 0])].set_index(["arm", "patient"])[score]
        return mean((here[arm] - here[over]).to_numpy())

    def hurt(self, arm: str = "whole", score: str = MAIN) -> pd.Series:
        """Name those whom adaptation costs more than MARGIN, the worst first, with the difference to `generic`."""
        table = self.by_patient(score)
        change = (table[arm] - table["generic"]).sort_values()
        return change[change < -MARGIN]

    def as_dict(self) -> dict:
        """Give what a JSON file is to hold."""
        arms = {f"{arm} {minutes:g}": plain(row.to_dict()) for (arm, minutes), row in self.table.iterrows()}
        patients = {
            name: {key: None if np.isnan(value) else value for key, value in row.items()}
            for name, row in self.by_patient().to_dict("index").items()
        }
        return {
            "minutes": self.minutes,
            "main score": MAIN,
            "arms": arms,
            f"{MAIN} by patient": patients,
            "hurt": {arm: self.hurt(arm).round(4).to_dict() for arm in ("head", "whole")},
            "notes": self.notes,
            "refused": self.refused,
        }


def summarise(cohort: Cohort) -> Summary:
    """Sum up the finished patients of a cohort.

    Raises
    ------
    InputError
        If none of them could be done.
    """
    metrics = {patient: cohort.metrics(patient) for patient in cohort.finished()}
    refused = {patient: one["refused"] for patient, one in metrics.items() if "refused" in one}
    done = {patient: one for patient, one in metrics.items() if patient not in refused}
    if not done:
        raise InputError(f"No patient in {cohort.folder} could be done. {next(iter(refused.values()))}")
    rows = [
        {"patient": patient, "arm": arm["arm"], "minutes": arm["minutes"]}
        | {name: arm[name] for name in SCORES}
        for patient, one in done.items()
        for arm in one["arms"].values()
    ]
    found = pd.DataFrame(rows).astype(dict.fromkeys(SCORES, float))
    return Summary(
        cohort.about["minutes"],
        found,
        _table(found),
        {patient: sum(one["tested on"].values()) for patient, one in done.items()},
        {patient: " ".join(one["notes"]) for patient, one in done.items() if one["notes"]},
        refused,
    )


def counted(cohort: Cohort, key: Key) -> Scores:
    """Count an arm's verdicts patient by patient, for scores of single classes over all beats.

    Parameters
    ----------
    cohort : Cohort
    key : (arm, minutes)
        Such as ``("whole", 10)``; patients that lack it are left out.
    """
    counts = []
    for patient in cohort.finished():
        arm = cohort.metrics(patient).get("arms", {}).get(f"{key[0]} {key[1]:g}")
        if arm:
            counts.append(_matrix(arm["confusion"]))
    if not counts:
        raise InputError(f"No patient in {cohort.folder} has the arm {key[0]!r} at {key[1]:g} minutes.")
    return Scores(CLASSES, np.stack(counts))


def mean(values: np.ndarray, seed: int = 0) -> Estimate:
    """Give the mean over patients with its 95 % interval by bootstrap; no bounds for a single patient.

    Parameters
    ----------
    values : ndarray, shape (patients,)
        NaN where a patient has no value.
    """
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Estimate(float(values.mean()) if len(values) else float("nan"), float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def _table(found: pd.DataFrame) -> pd.DataFrame:
    generic = found[found["arm"] == "generic"].set_index("patient")
    rows = {}
    for key, mine in found.groupby(["arm", "minutes"]):
        mine = mine.set_index("patient")
        rows[key] = {"patients": len(mine)}
        for name in SCORES:
            rows[key][name] = mean(mine[name].to_numpy())
            rows[key][f"gain {name}"] = mean((mine[name] - generic[name].reindex(mine.index)).to_numpy())
    ordered = sorted(rows, key=lambda key: (ARMS.index(key[0]), key[1]))
    return pd.DataFrame(
        [rows[key] for key in ordered], pd.MultiIndex.from_tuples(ordered, names=["arm", "minutes"])
    )


def _matrix(confusion: Mapping[str, Mapping[str, int]]) -> np.ndarray:
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    for true, row in confusion.items():
        for verdict, n in row.items():
            counts[CLASSES.index(true), CLASSES.index(verdict)] = n
    return counts
