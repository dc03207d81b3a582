"""Lesson 3 measured on the MIT-BIH Arrhythmia Database, with beats split at random and with patients apart.

Every training is a run folder of its own, so an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ecg_lessons import training
from ecg_lessons.data import catalog
from ecg_lessons.evaluation import classwise, scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import beat_image_runs as runs
from ecg_lessons.lessons import beat_images as lesson
from ecg_lessons.lessons import measuring
from ecg_lessons.lessons.beat_images import Sight
from ecg_lessons.plans import Plan
from ecg_lessons.splits import FOLDS


@dataclass(frozen=True)
class Protocol:
    """Who trains and who is tested.

    Attributes
    ----------
    splits : tuple of str
        See `lesson.split`.
    seeds : tuple of int
        Each divides anew and trains anew.
    subset : int or None
        At most so many beats of each class of each patient in all, for networks that take long.
    most : int or None
        At most so many to train on; all others are still tested.
    """

    splits: tuple[str, ...]
    seeds: tuple[int, ...] = (1,)
    subset: int | None = None
    most: int | None = None


_PATIENTS = tuple(f"fold-{k}" for k in range(FOLDS))
PROTOCOLS = {
    "random beats": Protocol(("beats-fold-0",)),
    "by patient": Protocol(_PATIENTS, most=100),
    "DS1 to DS2": Protocol(("de-chazal",), most=100),
    "random beats, subset": Protocol(("beats-fold-0",), subset=100),
    "by patient, subset": Protocol(_PATIENTS[:1], subset=100),
}
#: By name: the network and what it sees.
NETWORKS = {
    "light": ("light", Sight()),
    "light, nine crops": ("light", Sight(nine_crops=True)),
    "light, with RR": ("light", Sight(rr=True)),
    "signal": ("signal", Sight()),
    "alexnet": ("alexnet", Sight()),
    "jun": ("jun", Sight()),
}
#: Which networks each protocol trains: the costly ones on a subset only.
_TRAINED = {
    "random beats": ("light", "signal"),
    "by patient": ("light", "signal", "light, nine crops", "light, with RR"),
    "DS1 to DS2": ("light", "light, with RR"),
    "random beats, subset": ("light", "light, nine crops", "light, with RR", "signal", "alexnet", "jun"),
    "by patient, subset": ("light", "alexnet"),
}


@dataclass(frozen=True)
class Job:
    """One training."""

    network: str
    protocol: str
    split: str
    seed: int

    def folder(self, base: Path) -> Path:
        """Give the run folder of the job."""
        name = f"{self.protocol}-{self.split}-{self.network}-seed-{self.seed}"
        return base / "beat_images" / name.replace(", ", "-").replace(" ", "-")


def jobs() -> list[Job]:
    """List all trainings, the most telling first."""
    return [
        Job(network, name, split, seed)
        for name, protocol in PROTOCOLS.items()
        for network in _TRAINED[name]
        for seed in protocol.seeds
        for split in protocol.splits
    ]


def plan(job: Job) -> Plan:
    """Give the plan of a job: the paper preset on the whole database, the laptop preset elsewhere."""
    network, _ = NETWORKS[job.network]
    chosen = lesson.plan(network, "paper" if job.protocol == "random beats" else "laptop")
    if network == "jun":  # an epoch of the subset takes seven minutes on two cores, in bfloat16
        chosen = chosen.but(epochs=1, precision="mixed_bfloat16")
    return chosen.but(seed=job.seed)


@cache
def _loaded(subset: int | None = None) -> Examples:
    given = lesson.examples("physionet") if subset is None else _loaded()
    return given if subset is None else lesson.thin(given, subset)


def run(job: Job, base: Path) -> None:
    """Train one job and keep its probabilities for the test part, unless that is done."""
    if measuring.is_done(job.folder(base)):
        return
    protocol, (network, sight) = PROTOCOLS[job.protocol], NETWORKS[job.network]
    given = _loaded(protocol.subset)
    trained = runs.train(
        job.folder(base), network, "physionet", job.split, sight, plan(job), most=protocol.most, given=given
    )
    test = lesson.split(given, job.split, job.seed).test
    measuring.keep(trained, runs.names_of(given.info)[test], runs.predict(trained, given.take(test)))


def write(done: list[Job], base: Path, to: Path) -> Path:
    """Gather the scores of all jobs into ``beat_images.json``."""
    given = _loaded()
    protocols = {}
    for name, protocol in PROTOCOLS.items():
        networks = dict.fromkeys(job.network for job in done if job.protocol == name)
        mine = {
            network: [j for j in done if (j.protocol, j.network) == (name, network)] for network in networks
        }
        protocols[name] = {
            "splits": list(protocol.splits),
            "seeds": list(protocol.seeds),
            "beats of a class and patient, at most": {"in all": protocol.subset, "to train": protocol.most},
            "networks": {network: _scored(of, base, given) for network, of in mine.items()},
        }
    counts = given.counts()
    result = {
        "what": "Eight kinds of heartbeat from their pictures, MIT-BIH Arrhythmia Database "
        f"{catalog.get('mitdb').version}; see data/README.md.",
        "protocol": "random beats: one of ten stratified folds over beats is tested, as published (leaky). by patient: "
        "five folds, nobody on two sides. DS1 to DS2: de Chazal's records, paced ones "
        "and 201 out. A class that no training patient shows is left out of the test (left_out). Rows of all "
        "splits and seeds are pooled; 95 % intervals by bootstrap over patients. by_split: accuracy, split by split.",
        "data": {name: {k: int(v) for k, v in counts[name].items()} for name in counts},
        "claimed": {"accuracy": 0.9905, "sensitivity": 0.9785, "source": "Jun et al. 2018, arXiv 1804.06812"},
        "protocols": protocols,
        **measuring.stamp(),
    }
    to.mkdir(parents=True, exist_ok=True)
    return training.Run(to).write("beat_images.json", result)


def _scored(mine: list[Job], base: Path, given: Examples) -> dict:
    """Score several trainings of one network as one."""
    folders = {f"{job.split}, seed {job.seed}": job.folder(base) for job in mine}
    tested, probability, notes = measuring.pooled(folders, given, runs.names_of(given.info))
    by_split = {"by_split": measuring.by_run(tested, probability, scores.accuracy)}
    return scores.plain(classwise.score(probability, tested)) | by_split | notes


def read(folder: str | Path) -> dict:
    """Read the stored results."""
    return measuring.read(folder, "beat_images")
