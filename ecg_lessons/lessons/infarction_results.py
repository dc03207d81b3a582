"""Lesson 5, second half, measured on PTB-XL: infarction against normal, from scratch or from a heartbeat run.

Every training is a run folder of its own, so an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.data import catalog
from ecg_lessons.evaluation import classwise, scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import heartbeat as lesson
from ecg_lessons.lessons import heartbeat_results as heartbeats
from ecg_lessons.lessons import heartbeat_runs as runs
from ecg_lessons.lessons import measuring
from ecg_lessons.plans import Plan
from ecg_lessons.splits import FOLDS

#: Who trains and who is tested, by name: the splits, whose test parts are pooled. See `lesson.split`.
PROTOCOLS = {"random beats": ("random-beats",), "by patient": tuple(f"fold-{k}" for k in range(FOLDS))}
NETWORKS = heartbeats.NETWORKS
#: What a network starts from; "frozen" and "full" go on from the heartbeat network, trained on beats at random.
STARTS = ("scratch", "frozen", "full")
#: Of the patients to learn from.
SHARES = (0.01, 0.1, 1.0)
_PLAN = Plan(epochs=25, batch_size=64, schedule="cosine", keep="last", seed=1)
_BEFORE = heartbeats.Job("random beats", "cnet", "none", 1)
CLAIMED = {
    "scratch": {"cnet": 0.9971, "seq2seq": 0.9822, "bilstm": 0.9862, "bigru": 0.9898},
    "frozen": {"cnet": 0.9664},
}


@dataclass(frozen=True)
class Job:
    """One training."""

    protocol: str
    split: str
    network: str = "cnet"
    start: str = "scratch"
    share: float = 1.0

    @property
    def arm(self) -> str:
        """Name what is compared: the network, what it starts from, and the share of the patients."""
        return f"{self.network}, {self.start}, {self.share:.0%}"

    def folder(self, base: Path) -> Path:
        """Give the run folder of the job."""
        return base / "infarction" / f"{self.split}-{self.network}-{self.start}-{round(100 * self.share)}"


def jobs() -> list[Job]:
    """List all trainings: all networks from scratch, and the paper's with every start and share."""
    found = []
    for protocol, splits in PROTOCOLS.items():
        shares = SHARES if protocol == "by patient" else SHARES[-1:]
        arms = [(name, "scratch", 1.0) for name in NETWORKS]
        arms += [("cnet", start, share) for start in STARTS for share in shares]
        found += [Job(protocol, split, *arm) for arm in dict.fromkeys(arms) for split in splits]
    return found


@cache
def _loaded() -> Examples:
    return lesson.infarction("physionet")


def run(job: Job, base: Path) -> None:
    """Train one job, after the heartbeat network it starts from, and keep its probabilities for the test part."""
    folder = job.folder(base)
    if measuring.is_done(folder):
        return
    given = _loaded()
    before = None
    if job.start != "scratch":
        heartbeats.run(_BEFORE, base)
        before = _BEFORE.folder(base)
    how = {"transfer_from": before, "frozen": job.start == "frozen", "share": job.share, "given": given}
    trained = runs.train(folder, "infarction", job.network, "physionet", job.split, _PLAN, **how)
    test = lesson.split(given, job.split, _PLAN.seed).test
    measuring.keep(trained, lesson.names_of(given.info)[test], runs.predict(trained, given.take(test)))


def write(done: list[Job], base: Path, to: Path) -> Path:
    """Gather the scores of all jobs into ``infarction.json``."""
    given = _loaded()
    protocols = {}
    for job in done:
        protocols.setdefault(job.protocol, {}).setdefault(job.arm, []).append(job)
    pools = {
        (protocol, arm): _pooled(mine, base, given)
        for protocol, arms in protocols.items()
        for arm, mine in arms.items()
    }
    counts = given.counts()
    result = {
        "what": "Infarction against normal from beats of lead II, cut as Kachuee et al. (2018, arXiv 1805.00794) "
        f"did, PTB-XL {catalog.get('ptb-xl').version}, ecg_id 1-500: NORM alone against any MI; see data/README.md.",
        "protocol": "random beats: a fifth of the beats is tested, whosever they are, as in the original (leaky). by "
        "patient: five folds, nobody on two sides, pooled. scratch: new weights; frozen and full: from the network "
        "trained on MIT-BIH heartbeats at random, with two new last layers, which alone learn (frozen) or with all "
        "others (full). The share is of the patients to learn from. 95 % intervals by bootstrap over patients. "
        "by_recording: the mean probability over the beats of a recording. paired: macro F1 minus that from scratch "
        "with the same share.",
        "data": {name: {k: int(v) for k, v in counts[name].items()} for name in counts}
        | {"recordings": int(given.info["record"].nunique())},
        "claimed": {"macro F1": CLAIMED, "source": "the original's README, on the PTB Diagnostic database"},
        "protocols": {
            protocol: {arm: _scored(*pools[protocol, arm]) for arm in arms}
            for protocol, arms in protocols.items()
        },
        "paired": {
            arm: _paired(pools["by patient", arm], pools["by patient", _rival(arm)])
            for arm in protocols.get("by patient", ())
            if "scratch" not in arm
        },
        **measuring.stamp(),
    }
    to.mkdir(parents=True, exist_ok=True)
    return training.Run(to).write("infarction.json", result)


def _rival(arm: str) -> str:
    network, _, share = arm.split(", ")
    return f"{network}, scratch, {share}"


def _pooled(mine: list[Job], base: Path, given: Examples) -> tuple[Examples, np.ndarray, dict]:
    folders = {job.split: job.folder(base) for job in mine}
    return measuring.pooled(folders, given, lesson.names_of(given.info))


def _scored(tested: Examples, probability: np.ndarray, notes: dict) -> dict:
    """Score one arm beat by beat and recording by recording."""
    each = {"by_split": measuring.by_run(tested, probability, scores.macro_f1)}
    each["by_recording"] = scores.plain(classwise.score(*_by_recording(tested, probability)))
    return scores.plain(classwise.score(probability, tested)) | each | notes


def _by_recording(tested: Examples, probability: np.ndarray) -> tuple[np.ndarray, Examples]:
    """Give the mean probabilities over the beats of each recording."""
    record = tested.info["record"]
    first = np.sort(np.unique(record, return_index=True)[1])
    mean = pd.DataFrame(probability).groupby(record.to_numpy(), sort=False).mean()
    return mean.to_numpy(), tested.take(first)


def _paired(one: tuple, other: tuple) -> dict:
    """Compare two arms on the same beats."""
    tested, probability, _ = one
    counts = [
        scores.Scores.of(tested.y, p.argmax(axis=1), tested.patient, tested.classes).counts
        for p in (probability, other[1])
    ]
    return scores.Scores(tested.classes, np.stack(counts, axis=1)).estimate(_gain(scores.macro_f1)).rounded()


def _gain(statistic: Callable) -> Callable:
    """Turn a statistic of counts (..., K, M) into the gain of one verdict over another, counts (..., 2, K, M)."""
    return lambda counts: statistic(counts[..., 0, :, :]) - statistic(counts[..., 1, :, :])


def read(folder: str | Path) -> dict:
    """Read the stored results."""
    return measuring.read(folder, "infarction")
