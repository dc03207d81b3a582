"""Lesson 5 measured on the MIT-BIH Arrhythmia Database: heartbeats split at random, and de Chazal's DS1 against DS2.

Every training is a run folder of its own, so an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ecg_lessons import training
from ecg_lessons.data import catalog
from ecg_lessons.evaluation import classwise, scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import heartbeat as lesson
from ecg_lessons.lessons import heartbeat_runs as runs
from ecg_lessons.lessons import measuring
from ecg_lessons.plans import Plan

#: Who trains and who is tested, by name: see `lesson.split`.
PROTOCOLS = {"random beats": "random-beats", "DS1 to DS2": "de-chazal"}
NETWORKS = ("cnet", "seq2seq", "bilstm", "bigru")
#: Seeds of the paper's network; each divides anew and trains anew. The others have the first one only.
SEEDS = (1, 2, 3)
#: Seeds of `ours`, which is small enough to ask five of it: each leaves other patients of DS1 for validation.
OURS = (1, 2, 3, 4, 5)
#: All networks of the original learn after one plan; recurrent ones, which take longer, have fewer epochs.
_PLAN = Plan(batch_size=256, learning_rate=2e-3, schedule="cosine", keep="last")
_EPOCHS = {"cnet": 30, "seq2seq": 10, "bilstm": 10, "bigru": 10}
#: SMOTE makes an epoch so many times longer: with fewer of them, both arms learn for as many steps.
_LONGER = {"random beats": 4.1, "DS1 to DS2": 4.5}
CLAIMED = {
    "none": {"cnet": 0.9283, "seq2seq": 0.9038, "bilstm": 0.9040, "bigru": 0.9085},
    "smote": {"cnet": 0.9217, "seq2seq": 0.9007, "bilstm": 0.8894, "bigru": 0.8942},
}


@dataclass(frozen=True)
class Job:
    """One training."""

    protocol: str
    network: str
    balance: str
    seed: int

    def folder(self, base: Path) -> Path:
        """Give the run folder of the job."""
        return (
            base / "heartbeat" / f"{PROTOCOLS[self.protocol]}-{self.network}-{self.balance}-seed-{self.seed}"
        )


def jobs() -> list[Job]:
    """List all trainings."""
    found = [
        Job(protocol, network, balance, seed)
        for protocol in PROTOCOLS
        for balance in ("none", "smote")
        for network in NETWORKS
        for seed in (SEEDS if network == "cnet" else SEEDS[:1])
    ]
    return found + [Job("DS1 to DS2", "ours", "none", seed) for seed in OURS]


def plan(job: Job) -> Plan:
    """Give the plan of a job."""
    if job.network == "ours":
        return lesson.plan("ours", "paper").but(seed=job.seed)
    epochs = _EPOCHS[job.network]
    if job.balance == "smote":
        epochs = max(1, round(epochs / _LONGER[job.protocol]))
    return _PLAN.but(epochs=epochs, seed=job.seed)


@cache
def _loaded() -> Examples:
    return lesson.examples("physionet")


def run(job: Job, base: Path) -> None:
    """Train one job and keep its probabilities for the test part, unless that is done."""
    if measuring.is_done(job.folder(base)):
        return
    given, split = _loaded(), PROTOCOLS[job.protocol]
    how = {"balance": job.balance, "given": given}
    trained = runs.train(job.folder(base), "heartbeat", job.network, "physionet", split, plan(job), **how)
    test = lesson.split(given, split, job.seed).test
    measuring.keep(trained, lesson.names_of(given.info)[test], runs.predict(trained, given.take(test)))


def write(done: list[Job], base: Path, to: Path) -> Path:
    """Gather the scores of jobs into ``heartbeat.json``; arms that are stored there and not among them stay."""
    given = _loaded()
    arms = {}
    for job in done:
        arms.setdefault(job.protocol, {}).setdefault(job.network, {}).setdefault(job.balance, []).append(job)
    counts = given.counts()
    scored = {
        protocol: {
            network: {balance: _scored(mine, base, given) for balance, mine in balances.items()}
            for network, balances in networks.items()
        }
        for protocol, networks in arms.items()
    }
    result = {
        "what": "Five AAMI classes of heartbeats, cut as Kachuee et al. (2018, arXiv 1805.00794) did at the annotated "
        f"R peaks, MIT-BIH Arrhythmia Database {catalog.get('mitdb').version}; see data/README.md.",
        "protocol": "random beats: a fifth of the beats is tested, whosever they are, as in the original (leaky). DS1 "
        "to DS2: de Chazal's records, paced ones and 201 out. smote: synthetic beats in the training part alone, after "
        "the split, and fewer epochs, so that both arms learn for as many steps. Test beats of all seeds are pooled; "
        "95 % intervals by bootstrap over patients. by_seed: macro F1, seed by seed. together: the mean answer of all "
        "networks `ours`. Its comparisons were chosen by cross-validation in DS1; DS2 was looked at three times on the "
        "way, once before hearts with mostly premature beats were made to learn from (F1 of S 0.13).",
        "data": {name: {k: int(v) for k, v in counts[name].items()} for name in counts},
        "claimed": {"macro F1": CLAIMED, "source": "the original's README, whose F1 are precisions"},
        "protocols": measuring.beside_stored(scored, to, "heartbeat", "protocols", depth=3),
        **measuring.stamp(),
    }
    to.mkdir(parents=True, exist_ok=True)
    return training.Run(to).write("heartbeat.json", result)


def _scored(mine: list[Job], base: Path, given: Examples) -> dict:
    """Score the trainings of one arm as one; those of `ours` also by their mean answer."""
    folders = {f"seed {job.seed}": job.folder(base) for job in mine}
    tested, probability, notes = measuring.pooled(folders, given, lesson.names_of(given.info))
    result = _judged(tested, probability) | {
        "by_seed": measuring.by_run(tested, probability, scores.macro_f1)
    }
    if mine[0].network == "ours":
        beats = len(tested) // len(mine)  # DS2 for every seed, in one order
        mean = probability.reshape(len(mine), beats, -1).mean(axis=0)
        result["together"] = _judged(tested.take(np.arange(beats)), mean)
    return result | notes


def _judged(tested: Examples, probability: np.ndarray) -> dict:
    confusion = scores.Scores.of(
        tested.y, probability.argmax(axis=1), tested.patient, tested.classes
    ).confusion
    return scores.plain(classwise.score(probability, tested)) | {"confusion": confusion.tolist()}


def read(folder: str | Path) -> dict:
    """Read the stored results."""
    return measuring.read(folder, "heartbeat")
