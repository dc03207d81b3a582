"""What is measured of a lesson on real recordings: arms that are compared, their trainings, and the stored numbers.

Every training is a run folder of its own, so that an interrupted measurement goes on where it stopped.
"""

import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial, wraps
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np

from ecg_lessons import files, splits
from ecg_lessons.data import catalog
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Lesson, count, names_of
from ecg_lessons.plans import Plan
from ecg_lessons.training import Run
from ecg_lessons.trials import Trial

#: The probabilities that a measurement keeps of its test rows.
KEPT = "probabilities.npz"
#: The splits of a study that tests every patient once.
FOLDS = tuple(f"fold-{k}" for k in range(splits.FOLDS))
#: In a report, takes away what is stored.
GONE: Any = object()


@dataclass(frozen=True, eq=False)
class Arm:
    """A network that is compared with others: trained on every split with every seed, its test rows pooled."""

    protocol: str
    #: What it is called within its protocol, such as "cnet, smote".
    name: str
    network: str
    splits: tuple[str, ...]
    seeds: tuple[int, ...] = (1,)
    plan: Plan | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    #: It takes a GPU and has not been measured yet: trained only where it is asked for by name.
    pending: bool = False


@dataclass(frozen=True, eq=False)
class Measurement:
    """One training of a study."""

    arm: Arm
    split: str
    seed: int

    @property
    def name(self) -> str:
        """What its folder is called."""
        words = f"{self.arm.protocol} {self.arm.name} {self.split} seed {self.seed}".lower()
        return re.sub(r"[ ,%]+", "-", words.strip())


@dataclass(frozen=True)
class Pool:
    """Test rows of several trainings: examples without inputs, ``info["run"]``, and their probabilities."""

    tested: Examples
    probability: np.ndarray
    #: ``left_out``, rows by class; ``parameters``, ``epochs`` and ``seconds`` of the trainings.
    notes: Mapping[str, Any] = field(default_factory=dict)

    def scored(self, score: Callable[[np.ndarray, Examples], dict]) -> dict:
        """Give what a lesson's `score` says of all rows, for a report."""
        return scores.plain(score(self.probability, self.tested))

    def by_run(self, statistic: Callable) -> dict[str, float]:
        """Give one number of every training: a statistic of `scores`, such as `scores.macro_f1`."""
        runs = self.tested.info["run"].astype(str)
        values = statistic(self.counts(runs))
        return {name: round(float(value), 4) for name, value in zip(np.unique(runs), values, strict=True)}

    def counts(self, groups: Any = None) -> np.ndarray:
        """How often class k was called m, patient by patient unless grouped otherwise: (patients, k, m)."""
        groups, verdict = self.tested.patient if groups is None else groups, self.probability.argmax(axis=1)
        return scores.Scores.of(self.tested.y, verdict, groups, self.tested.classes).counts

    def minus(self, rival: Self, statistic: Callable) -> dict:
        """Give how much larger a statistic of `scores` is than a rival's, with its interval over the same patients."""
        people, k = np.union1d(self.tested.patient, rival.tested.patient), len(self.tested.classes)
        both = np.zeros((len(people), 2, k, k), dtype=int)
        for which, pool in enumerate((self, rival)):
            both[np.searchsorted(people, np.unique(pool.tested.patient)), which] = pool.counts()

        @wraps(statistic)
        def difference(counts: np.ndarray) -> np.ndarray:
            return statistic(counts[..., 0, :, :]) - statistic(counts[..., 1, :, :])

        return scores.Scores(self.tested.classes, both).estimate(difference).rounded()

    @property
    def confusion(self) -> list[list[int]]:
        """How often class k (rows) was called m (columns)."""
        return self.counts().sum(axis=0).tolist()


@dataclass(frozen=True, eq=False)
class Study:
    """What is measured of a lesson on real recordings, and stored as JSON."""

    lesson: Lesson
    arms: tuple[Arm, ...]
    #: ``report(study, measurements, base)`` gives the content of the JSON file.
    report: Callable[[Self, list[Measurement], Path], dict]
    #: The entry of the JSON file that holds the arms, and how deep they lie in it.
    key: str
    depth: int
    source: str = "physionet"
    #: ``part(measurement, examples)`` gives those that a measurement is made on.
    part: Callable[[Measurement, Examples], Examples] = lambda measurement, examples: examples
    #: ``options(measurement, base)`` gives options of the lesson that depend on where other runs are.
    options: Callable[[Measurement, Path], dict] = lambda measurement, base: {}
    #: ``measure(study, measurement, base)`` where it is no usual training.
    measure: Callable[[Self, Measurement, Path], None] | None = None

    @property
    def file(self) -> str:
        """The name of the JSON file, and of the folder of the runs."""
        return self.lesson.name.replace("-", "_")

    @property
    def examples(self) -> Examples:
        """All examples, loaded once."""
        return loaded(self.lesson, self.source)

    def measurements(self, only: str | None = None) -> list[Measurement]:
        """List the trainings that have been measured, or all with a text in their folder's name."""
        every = [Measurement(arm, split, seed) for arm in self.arms for seed in arm.seeds for split in arm.splits]
        if chosen := [one for one in every if (only in one.name if only else not one.arm.pending)]:
            return chosen
        such = f"has {only!r} in its name; one is called {every[0].name}"
        raise InputError(f"No training of {self.lesson.name} {such}.")

    def folder(self, measurement: Measurement, base: Path) -> Path:
        """Give the run folder of a training."""
        return base / self.file / measurement.name

    def run(self, measurement: Measurement, base: Path) -> None:
        """Train, and keep the probabilities of the test rows, unless that is done."""
        if not self.done(measurement, base):
            (self.measure or measure)(self, measurement, base)

    def done(self, measurement: Measurement, base: Path) -> bool:
        """Tell whether a training has been measured."""
        return (self.folder(measurement, base) / KEPT).exists()

    def trials(self, measurements: Iterable[Measurement], base: Path) -> list[Trial]:
        """Give what is left to measure, for processes of their own; runs that others start from are trained here."""
        left = [one for one in measurements if not self.done(one, base)]
        for one in left:
            self.options(one, base)
        work = partial(_measured, self.lesson.name, base)
        return [Trial(one.name, self.folder(one, base), partial(work, one.name), alone="--jobs 1") for one in left]

    def write(self, done: Sequence[Measurement], base: Path, to: Path) -> Path:
        """Gather scores into the JSON file; arms that are stored there and were not measured again stay."""
        path, now = to / f"{self.file}.json", stamp()
        stored = read(self.file, to) if path.exists() else {}
        report = described(self.lesson.name) | self.report(self, list(done), base)
        for name, entry in report.items():
            if isinstance(entry, dict) and name != self.key:
                both = stored.get(name, {}) | entry
                report[name] = {key: value for key, value in both.items() if value is not GONE}
        then = {entry: stored.get(entry) for entry in now}  # of arms from before each had a stamp of its own
        report[self.key] = _merged(stored.get(self.key, {}), report[self.key], self.depth, then, now)
        return files.write(path, stored | report | now)

    def pooled(self, arm: Iterable[Measurement], base: Path, label: Callable[[Measurement], str]) -> Pool:
        """Pool the test rows of several trainings, each without the classes that it never met."""
        examples = self.examples
        row = {name: i for i, name in enumerate(names_of(examples.info))}
        folders = {label(measurement): self.folder(measurement, base) for measurement in arm}
        stored = [kept(folder) for folder in folders.values()]
        every = [np.array([row[name] for name in one["names"]]) for one in stored]
        met = np.concatenate([np.isin(examples.y[at], one["learnt"]) for at, one in zip(every, stored, strict=True)])
        runs, every = np.repeat(list(folders), [len(at) for at in every])[met], np.concatenate(every)
        rows, first = every[met], Run(next(iter(folders.values())))
        notes = {
            "left_out": count(examples.take(every[~met])),
            "parameters": int(stored[0]["parameters"]) if "parameters" in stored[0] else first.model.count_params(),
            "epochs": first.plan.epochs,
            "seconds": seconds(folders.values()),
        }
        nothing = np.zeros((len(rows), 1), dtype=np.float32)  # scores need no inputs
        info = examples.info.iloc[rows].assign(run=runs).reset_index(drop=True)
        tested = examples.but(x=nothing, y=examples.y[rows], patient=examples.patient[rows], info=info)
        return Pool(tested, np.concatenate([one["probability"] for one in stored])[met], notes)


def _measured(lesson: str, base: Path, name: str, folder: Path, progress: object) -> dict:
    """Make one measurement in a process that knows nothing yet."""
    from ecg_lessons import lessons, machine

    machine.setup()
    keras.utils.clear_session()  # it may have made another before
    whole = lessons.study(lesson)
    whole.run(next(one for one in whole.measurements(name) if one.name == name), base)
    return {}


def measure(
    study: Study,
    measurement: Measurement,
    base: Path,
    more: Callable[[Run, Examples], dict[str, np.ndarray]] = lambda run, test: {},
) -> None:
    """Train, and keep the probabilities of the test rows, and what `more` gives of the run and these rows."""
    arm, lesson = measurement.arm, study.lesson
    examples = study.part(measurement, study.examples)
    plan = (arm.plan or lesson.plan(arm.network)).but(seed=measurement.seed)
    options = {**arm.options, **study.options(measurement, base), "examples": examples}
    folder = study.folder(measurement, base)
    run = lesson.train(folder, arm.network, study.source, measurement.split, plan, **options)
    test, _ = lesson.judged(run, examples)
    size = run.model.count_params()  # the scores of a training need no model, which may be large
    probability, learnt = lesson.predict(run, test), run.about["learnt"]
    about = {"names": names_of(test.info), "learnt": learnt, "parameters": size}
    keep(folder, probability=probability, **about, **more(run, test))


def keep(folder: Path, **arrays: Any) -> None:
    """Keep arrays of a training, whole or not at all; probabilities in single precision."""
    single = {name: np.asarray(array, np.float32) for name, array in arrays.items() if name == "probability"}
    with files.writing(folder / KEPT, "wb") as file:
        np.savez_compressed(file, **arrays | single)


def kept(folder: Path) -> dict[str, np.ndarray]:
    """Read the arrays that `keep` wrote."""
    with np.load(folder / KEPT) as stored:
        return dict(stored)


@cache
def loaded(lesson: Lesson, source: str) -> Examples:
    """Load the examples of a source once."""
    return lesson.load(source)


def read(name: str, folder: str | Path | None = None) -> dict:
    """Read the stored results called `name`: those that come with the package, or in a folder."""
    folder = files.carried("data/results") if folder is None else folder
    return files.read_json(Path(folder) / f"{name}.json", "fetch it from the repository again")


def described(name: str) -> dict:
    """Say what is measured of a lesson, by which protocol, and what its original claimed."""
    versions = {dataset.name: dataset.version for dataset in catalog.DATASETS.values()}
    about = files.read_toml(Path(__file__).parent / "lessons" / "measured.toml").get(name, {})
    return {key: text.format_map(versions) if isinstance(text, str) else text for key, text in about.items()}


def by_arm(done: Iterable[Measurement]) -> dict[Arm, list[Measurement]]:
    """Gather the trainings of each arm."""
    done = list(done)
    return {arm: [one for one in done if one.arm is arm] for arm in dict.fromkeys(one.arm for one in done)}


def counts_of(examples: Examples) -> dict[str, dict[str, int]]:
    """Count examples and patients by class, for a report."""
    return examples.counts().astype(int).to_dict()


def differences(
    pairs: Mapping[str, tuple[str, str]], pools: Mapping[str, Pool], new: Iterable[str], statistic: Callable
) -> dict[str, Any]:
    """Give how much larger a statistic of `scores` is for the first of each pair of arms than for the second.

    Where one of both is `new`, and the other is not at hand, the difference is `GONE`: a stored one would be of an arm
    that is no more.
    """
    found = {name: pools[a].minus(pools[b], statistic) for name, (a, b) in pairs.items() if {a, b} <= set(pools)}
    return {name: GONE for name, pair in pairs.items() if set(pair) & set(new)} | found


def seconds(folders: Iterable[Path]) -> float | None:
    """Add up the training time of all epochs of runs; None if one of them keeps no history."""
    folders = list(folders)
    whole = all((folder / "history.csv").exists() for folder in folders)
    return round(sum(Run(folder).history["seconds"].sum() for folder in folders), 1) if whole else None


def stamp() -> dict[str, str]:
    """Name the library, the revision of the code (marked where files were changed since) and the day."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    described = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return {
        "keras": f"{keras.__version__} on {keras.backend.backend()}",
        "revision": described.stdout.strip() or "unknown",
        "date": date.today().isoformat(),
    }


def _merged(old: Any, new: Any, depth: int, then: dict, now: dict) -> Any:
    """Set arms beside those that are stored and were not measured again, each with its own stamp as "measured"."""
    if not isinstance(new or old, dict):
        return old if new is None else new
    if not depth:
        return new | {"measured": now} if new else {"measured": then} | old
    old, new = old or {}, new or {}
    return {name: _merged(old.get(name), new.get(name), depth - 1, then, now) for name in old | new}
