"""Lesson 2 measured on the training set of CinC 2017: five folds, with augmentation and without, alone and by vote.

Every training is a run folder of its own, so an interrupted measurement goes on where it stopped. The paper's networks
need a GPU: `jobs` lists them only where they are asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np

from ecg_lessons import training
from ecg_lessons.data import catalog
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import measuring
from ecg_lessons.lessons import rhythm as lesson
from ecg_lessons.lessons import rhythm_runs as runs

#: The seeds of each network's arms, with augmentation and without; several of an arm are scored together as well.
ARMS = {
    "compact": {"augmented": (1,), "plain": (1,)},
    "compact-signal": {"augmented": (1,)},
    "cnn": {"augmented": (1,), "plain": (1,)},
    "crnn": {"augmented": (1,), "plain": (1,)},
}
#: The paper's five-fold F1 (Zihlmann et al. 2017, table 1), in the order N, A, O, noise; their mean(N, A, O), accuracy.
CLAIMED = {
    "cnn": {"N": 0.878, "A": 0.790, "O": 0.701, "~": 0.653, "mean_f1": 0.790, "accuracy": 0.812},
    "crnn": {"N": 0.888, "A": 0.764, "O": 0.726, "~": 0.645, "mean_f1": 0.792, "accuracy": 0.823},
    "cnn plain": {"mean_f1": 0.758},
    "crnn plain": {"mean_f1": 0.746},
}


@dataclass(frozen=True)
class Job:
    """One training."""

    network: str
    arm: str
    seed: int
    fold: int

    def folder(self, base: Path) -> Path:
        """Give the run folder of the job."""
        return base / "rhythm" / f"{self.network}-{self.arm}-seed-{self.seed}-fold-{self.fold}"


def jobs(networks: tuple[str, ...] = ("compact", "compact-signal")) -> list[Job]:
    """List all trainings, those with augmentation first."""
    return [
        Job(network, arm, seed, fold)
        for network in networks
        for arm, seeds in ARMS[network].items()
        for seed in seeds
        for fold in range(lesson.FOLDS)
    ]


@cache
def _loaded() -> Examples:
    return lesson.examples("physionet")


def run(job: Job, base: Path) -> None:
    """Train one job and keep its probabilities for the test part, unless that is done."""
    if measuring.is_done(job.folder(base)):
        return
    given, split = _loaded(), f"fold-{job.fold}"
    design = lesson.design(job.network, augmented=job.arm == "augmented", seed=job.seed)
    trained = runs.train(design, job.folder(base), "physionet", split, name=job.network, given=given)
    test = runs.test_part(trained, given)
    measuring.keep(trained, test.info["record"].to_numpy().astype(str), runs.predict(trained, test))


def write(done: list[Job], base: Path, to: Path) -> Path:
    """Gather the scores of jobs into ``rhythm.json``; arms that are stored there and not among them stay."""
    given = _loaded()
    arms = defaultdict(list)
    for job in done:
        arms[job.network, job.arm].append(job)
    scored = defaultdict(dict)
    for (network, arm), mine in arms.items():
        scored[network][arm] = _scored(mine, base, given)
    for network, mine in groupby(done, lambda job: job.network):
        mine = list(mine)
        if len({job.arm for job in mine}) > 1:
            scored[network]["all together"] = _together(mine, base, given)
    counts = given.counts()["examples"]
    result = {
        "what": "Four rhythms of single-lead recordings, PhysioNet/CinC Challenge 2017 "
        f"{catalog.get('challenge-2017').version}, labels of REFERENCE-v3.",
        "protocol": "The paper's stratified five folds, seed 14: every recording is tested once for each seed. Who was "
        "recorded is not published, so people may stand on two sides. mean_f1 is over N, A and O, as in the challenge. "
        "by_seed: mean_f1 over all recordings. by_fold: of every training. accuracy in training: of the last epoch, on "
        "what the network was shown. all together: the mean probabilities of all networks that were tested on a "
        "recording. 95 % intervals by bootstrap over recordings. The recipe of compact was chosen with a look at the "
        "test parts of folds 0 and 1; compact-signal has the same one, and is augmented by gain and flip alone.",
        "data": {name: int(n) for name, n in counts.items()},
        "claimed": {"five folds": CLAIMED, "source": "Zihlmann et al. 2017, arXiv 1710.06122, table 1"},
        "networks": measuring.beside_stored(scored, to, "rhythm", "networks", depth=2),
        **measuring.stamp(),
    }
    to.mkdir(parents=True, exist_ok=True)
    return training.Run(to).write("rhythm.json", result)


def _scored(mine: list[Job], base: Path, given: Examples) -> dict:
    """Score the trainings of one arm: pooled, seed by seed, fold by fold, and the seeds together."""
    folders = {f"seed {job.seed} fold {job.fold}": job.folder(base) for job in mine}
    tested, probability, notes = measuring.pooled(folders, given, given.info["record"].to_numpy().astype(str))
    del notes["left_out"]
    by_fold = measuring.by_run(tested, probability, lesson.mean_f1)
    seed = tested.info["run"].str.split(" fold").str[0]
    tested = Examples(tested.x, tested.y, tested.patient, tested.classes, tested.info.assign(run=seed))
    result = _judged(probability, tested)
    result |= {"by_seed": measuring.by_run(tested, probability, lesson.mean_f1), "by_fold": by_fold}
    values = np.array(list(by_fold.values()))
    result |= {
        "mean over folds": round(values.mean(), 4),
        "deviation over folds": round(values.std(ddof=1), 4),
    }
    last = [training.Run(folder).history["accuracy"].iloc[-1] for folder in folders.values()]
    result["accuracy in training"] = round(float(np.mean(last)), 4)
    if seed.nunique() > 1:
        result["together"] = _together(mine, base, given)
    return result | notes | {"folds": sorted({job.fold for job in mine})}


def _together(mine: list[Job], base: Path, given: Examples) -> dict:
    """Score the mean probabilities of all networks that were tested on a recording."""
    row = {name: i for i, name in enumerate(given.info["record"])}
    total, number = np.zeros((len(given), len(given.classes))), np.zeros(len(given), dtype=int)
    for job in mine:
        kept = np.load(job.folder(base) / "probabilities.npz")
        rows = np.array([row[name] for name in kept["names"]])
        total[rows] += kept["probability"]
        number[rows] += 1
    tested = np.flatnonzero(number == number.max())
    networks = Counter(job.fold for job in mine)
    most = max(networks.values())
    about = {"networks": most, "folds": sorted(fold for fold, n in networks.items() if n == most)}
    return _judged(total[tested], given.take(tested)) | about


def _judged(probability: np.ndarray, tested: Examples) -> dict:
    counted = scores.Scores.of(tested.y, probability.argmax(axis=1), tested.patient, tested.classes)
    return scores.plain(lesson.score(probability, tested)) | {"confusion": counted.confusion.tolist()}


def read(folder: str | Path) -> dict:
    """Read the stored results."""
    return measuring.read(folder, "rhythm")
