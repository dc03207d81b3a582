"""A lesson is one declaration. What all lessons do stands here once: load, train, judge what may be scored, score.

A module in `lessons/` ends in ``LESSON = Lesson("name", "What one learns in it.", ...)``. From it come the commands
``train NAME``, ``evaluate``, ``predict`` and ``export NAME``, its part in sweeps, and the functions of notebooks.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Self, get_args, get_type_hints

import keras
import numpy as np
import pandas as pd

from ecg_lessons import card, splits, training
from ecg_lessons.errors import InputError, choice, pick
from ecg_lessons.evaluation.scores import plain
from ecg_lessons.examples import Examples
from ecg_lessons.plans import Plan
from ecg_lessons.splits import Split
from ecg_lessons.training import Run, Tick

#: Which lead is judged, in lessons that take one.
Lead = Annotated[str | None, {"help": "The lead that is judged, by its name."}]


def option(default: Any, help: str, choices: Sequence[str] = (), **more: Any) -> Any:
    """Declare an option; more: ``least`` number, ``stored=False`` for run.json, ``values`` that words stand for."""
    return field(default=default, metadata={"help": help, "choices": choices} | more)


@dataclass(frozen=True)
class Options:
    """The options of a lesson; a value that is none of its choices is refused."""

    #: What `train NAME --help` says of --split.
    splits = "by-patient, random-beats (leaky), fold-0 to fold-4, beats-fold-0 to beats-fold-9; de-chazal for MIT-BIH."

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for entry in fields(self):
            value, choices, least = getattr(self, entry.name), entry.metadata["choices"], entry.metadata.get("least")
            allowed = get_args(kinds[entry.name]) or (kinds[entry.name],)
            allowed += (int,) * (float in allowed) + (str,) * (Path in allowed)
            if not any(type(value) is kind or (kind is Path and isinstance(value, Path)) for kind in allowed):
                wanted = " or ".join(kind.__name__ for kind in allowed if kind is not NoneType)
                raise InputError(f"{entry.name} = {value!r} is not {wanted}.")
            if least is not None and value is not None and value < least:
                raise InputError(f"{entry.name} = {value!r}; it must be at least {least}.")
            if choices and value is not None and value not in choices:
                raise choice(entry.name, value, choices)

    def entries(self) -> dict:
        """Give the entries of run.json."""
        kept = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.metadata.get("stored", True)}
        return {name: str(value) if isinstance(value, Path) else value for name, value in kept.items()}

    def settle(self, network: str | None, source: str) -> str | None:
        """Refuse what does not go together, before anything is loaded; name the network."""
        return network

    def beside(self, network: str) -> Self:
        """Give the options for a network that is trained only to compare."""
        return self


@dataclass(frozen=True)
class Source:
    """Where examples come from: what people call it, and how it is loaded, given the options of the lesson."""

    what: str
    load: Callable[[Any], Examples]


@dataclass(frozen=True)
class Network:
    """A network of a lesson: ``build(**options)``, and its plans by preset."""

    build: Callable[..., keras.Model]
    plans: Mapping[str, Plan]

    def plan(self, preset: str | None = None) -> Plan:
        """Give the plan of a preset, the first unless named."""
        return pick("preset", preset or next(iter(self.plans)), self.plans)


@dataclass(frozen=True)
class Files:
    """The files of the original project: the options that name them, a reader, and a writer for `export`."""

    kind: str
    options: Mapping[str, str]
    read: Callable[..., Examples]
    #: ``write(examples, to, **options)`` gives a sentence of what it wrote.
    write: Callable[..., str] | None = None
    #: How many of the files an evaluation needs; a training needs all.
    least: int = 1


@dataclass(frozen=True)
class Asked:
    """What a training is asked for."""

    network: str
    options: Any
    plan: Plan
    source: str = "sample"
    #: The entries of the plan that somebody changed by name.
    changes: Mapping[str, Any] = field(default_factory=dict)
    examples: Examples | None = None
    split: Split | None = None
    preset: str | None = None
    paths: Sequence[str | Path] = ()
    #: Where the network is trained, and the arguments of `training.fit` that are the same in all of its phases.
    folder: Path = Path()
    fitting: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sides(self) -> tuple[Examples, Examples]:
        """The examples that train, and those that validate."""
        return self.examples.take(self.split.train), self.examples.take(self.split.validation)


@dataclass(frozen=True)
class Learning:
    """How a network learns what was asked for: arguments of `training.fit`, and what run.json tells besides."""

    build: Callable[[], keras.Model]
    train: Examples
    validation: Examples
    plan: Plan
    about: Mapping[str, Any] = field(default_factory=dict)
    #: Labels that the network meets; those of `train` unless they are made anew in every epoch.
    learnt: Sequence[int] | None = None
    fresh: training.Fresh | None = None
    loss: keras.losses.Loss | None = None
    metrics: Sequence[keras.metrics.Metric] = ()


@dataclass(frozen=True)
class Report:
    """What a command prints: tables by title, of numbers and estimates, then lines."""

    tables: dict[str, pd.DataFrame]
    lines: list[str]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is particular about a lesson; its methods are what all lessons do."""

    #: The options that `train NAME` has beside its source and its plan.
    usual_options = ("network", "split", "compare")

    name: str
    title: str
    #: By name; the first is the usual one.
    networks: Mapping[str, Network]
    sources: Mapping[str, Source]
    #: ``split(examples, name or None, seed, asked)``
    split: Callable[..., Split]
    learn: Callable[[Asked], Learning]
    #: ``predict(run, x, tick)`` gives probabilities, shape (n, classes).
    predict_rows: Callable[[Run, Any, Tick | None], np.ndarray]
    #: ``score(probability, examples)``
    score: Callable[[np.ndarray, Examples], dict]
    #: ``judge(run, path, tick)`` gives a table of verdicts with the column ID.
    judge: Callable[..., pd.DataFrame]
    options: type = Options
    files: Files | None = None
    #: ``ask(run, examples)`` gives what the test asks of every row.
    ask: Callable[[Run, Examples], Examples] = lambda run, examples: examples

    def network(self, name: str | None = None) -> Network:
        """Give a network by its name, the usual one unless named."""
        return pick("network", name or next(iter(self.networks)), self.networks)

    def plan(self, network: str | None = None, preset: str | None = None) -> Plan:
        """Give the plan of a network."""
        return self.network(network).plan(preset)

    def load(self, source: str = "sample", **options: Any) -> Examples:
        """Load the examples of a source."""
        return pick("source", source, self.sources).load(self.options(**options))

    def train(
        self,
        out: str | Path,
        network: str | None = None,
        source: str | None = None,
        split: str | Split | None = None,
        plan: Plan | Path | None = None,
        *,
        preset: str | None = None,
        changes: Mapping[str, Any] | None = None,
        paths: Sequence[str | Path] = (),
        examples: Examples | None = None,
        tensorboard: bool = False,
        progress: Callable[[int, dict], None] | None = None,
        tick: Tick | None = None,
        called: str | None = None,
        **options: Any,
    ) -> Run:
        """Train a network into the run folder `out`.

        `plan` may be a TOML file with what of the preset is to change. `paths` are files of the original project, in
        place of `source`. `examples` is what `load` or ``files.read`` gave, to spare loading it again. See
        `training.fit` for the rest.
        """
        chosen = self.options(**options)
        source = self.files.kind if paths else source or next(iter(self.sources))
        network = str(chosen.settle(network, source) or next(iter(self.networks)))
        base = self.plan(network, preset)
        plan = Plan.read(plan, base) if isinstance(plan, Path) else plan or base
        plan = plan.but(**(changes or {}))
        if examples is None:
            examples = self.read(paths) if paths else self.load(source, **options)
        fitting = {"tensorboard": tensorboard, "progress": progress, "tick": tick}
        known = None if isinstance(split, str) else split
        asked = Asked(network, chosen, plan, source, changes or {}, examples, known, preset, paths, Path(out), fitting)
        return self.fit(asked, split, called or Path(network).stem)

    def fit(self, asked: Asked, split: str | Split | None, called: str) -> Run:
        """Split, let the network learn, and keep who stood on which side."""
        examples = asked.examples
        parts = asked.split or self.split(examples, split, asked.plan.seed, asked)
        if start := asked.options.entries().get("transfer_from"):
            test = examples.take(parts.test)
            met = self._met(Run(Path(start)), test, names_of(test.info), asked.source, asked.paths).sum()
            if met:
                what = f"{start}, or a run that it comes from, has met {met} of the {len(test)} test {unit(examples)}"
                raise InputError(f"{what}: transfer from a run that has not.")
        learning = self.learn(replace(asked, split=parts))
        learnt = np.unique(learning.train.y).tolist() if learning.learnt is None else list(learning.learnt)
        about = {"lesson": self.name, "network": called, "source": asked.source, "split": parts.name}
        about |= asked.options.entries() | {"learnt": learnt} | dict(learning.about)
        about |= {"files": {Path(path).name: digest(path) for path in asked.paths}} if asked.paths else {}
        more = {name: getattr(learning, name) for name in ("loss", "metrics", "fresh")} | dict(asked.fitting)
        shown = learning.train, learning.validation
        run = training.fit(learning.build, *shown, learning.plan, asked.folder, about=about, **more)
        sides = {side: names_of(examples.info)[rows].tolist() for side, rows in parts.sides.items()}
        if self.files:  # rows of files are known again by their content
            seen = examples.take(np.concatenate([parts.train, parts.validation]))
            sides["content"] = np.unique(contents(seen)).tolist()
        run.write("split.json", sides)
        self._describe(run, examples, parts)
        return run

    def _describe(self, run: Run, examples: Examples, parts: Split) -> None:
        source = run.about["source"]
        data = self.sources[source].what if source in self.sources else source
        counts = {
            side: card.count(f"{len(rows):,} {unit(examples)}", patients(examples, rows))
            for side, rows in parts.sides.items()
        }
        card.write(run, self.title, data, counts, examples.classes)

    def read(self, paths: Sequence[str | Path]) -> Examples:
        """Read files of the original project."""
        return self.files.read(*paths)

    def is_own(self, run: Run, source: str | None, paths: Sequence[str | Path] = ()) -> bool:
        """Tell whether data are those that a run was trained on."""
        about = run.about
        if not paths:
            return source in (None, about["source"])
        known = about.get("files", [about["source"]])
        if isinstance(known, dict):
            return all(known.get(Path(path).name) == digest(path) for path in paths)
        # Older runs know names only.
        return about["source"] == "pictures" or {Path(path).name for path in paths} <= set(known)

    def judged(
        self, run: Run, examples: Examples, source: str | None = None, paths: Sequence[str | Path] = ()
    ) -> tuple[Examples, int]:
        """Keep the rows that a run may be scored on; give them, and how many were left out since it has met them.

        Of the data that it was trained on these are its test rows, all of them; of other data, from a source or from
        files, the rows of nobody that it was trained or validated on.
        """
        sides, names = run.sides, names_of(examples.info)
        if self.is_own(run, source, paths):
            test = np.isin(names, sides["test"])
            lacking = len(sides["test"]) - int(test.sum())
            if lacking > 0:
                what = f"{lacking} of its {len(sides['test'])} test {unit(examples)} are not in these data"
                raise InputError(f"{run.folder}: {what}: give those that it was trained on.")
            return examples.take(test), 0
        met = self._met(run, examples, names, source, paths)
        return examples.take(~met), int(met.sum())

    def _met(
        self, run: Run, examples: Examples, names: np.ndarray, source: str | None, paths: Sequence[str | Path]
    ) -> np.ndarray:
        """Tell the rows of people, or of beats, that a run has learnt from, or one that it comes from."""
        met, content = np.zeros(len(examples), bool), contents(examples)
        named = examples.info.get("known", pd.Series(True, examples.info.index)).to_numpy(bool)
        for before in lineage(run):
            sides, about = before.sides, before.about
            if "content" not in sides and about["source"] == "csv":
                what = f"{before.folder} was made by an older version, which did not note what it has met"
                raise InputError(f"{what}: train it again.")
            met |= np.isin(content, sides.get("content", []))
            # One database knows nobody of another, and a run of another task has other names.
            if about.get("task") == run.about.get("task") and (
                paths or about["source"] not in self.sources or (before != run and about["source"] == source)
            ):
                met |= named & _known(about, sides, names, source or "", unit(examples) == "beats")
        if not splits.is_leaky(run.about["split"]):  # nor other rows of those people
            person = splits.persons(examples.patient)
            met |= named & np.isin(person, person[met & named])
        return met

    def evaluate(
        self,
        run: Run,
        source: str | None = None,
        paths: Sequence[str | Path] = (),
        examples: Examples | None = None,
        tick: Tick | None = None,
    ) -> dict:
        """Score a run on its own test rows, on another source, or on files; see `judged`.

        Classes that the network never met in training are left out too, and counted under "left_out". Writes
        ``metrics.json`` and ``predictions.csv`` into the run folder, with the source in their names where it is not the
        run's own. `examples`, where given, are the run's own, all of them.
        """
        if source and paths:
            raise InputError(f"Judge either the recordings of --source {source} or the files, not both.")
        if examples is None:
            examples = self._data(run, source, paths)
        rows, met = self.judged(run, examples, source, paths)
        learnt = np.isin(rows.y, run.about.get("learnt", range(len(rows.classes))))
        left_out = count(rows.take(~learnt))
        if not learnt.any():
            raise InputError(
                f"{run.folder}: no {unit(examples)} are left to score on: {met} are of those that trained it, "
                f"{sum(left_out.values())} of classes that it has not learnt; give other data."
            )
        asked = self.ask(run, rows.take(learnt))
        probability = self.predict_rows(run, asked.x, tick)
        nameless = int((~asked.info["known"].to_numpy(bool)).sum()) if "known" in asked.info else 0
        more = {"left_out": left_out, "met_before": met, "nameless": nameless}
        result = self.score(probability, asked) | {name: n for name, n in more.items() if n or name == "left_out"}
        named = source or (paths and Path(paths[0 if self.files.least > 1 else -1]).stem)  # the data, not their labels
        suffix = "" if self.is_own(run, source, paths) else f"-{named}"
        run.write(f"metrics{suffix}.json", plain(result) | {"examples": len(asked), "patients": patients(asked)})
        run.write(f"predictions{suffix}.csv", table_of(probability, asked))
        card.rescore(run)
        return result

    def _data(self, run: Run, source: str | None, paths: Sequence[str | Path]) -> Examples:
        about = run.about
        if paths:
            return self.read(paths)
        source = source or about["source"]
        if source == about["source"] and source not in self.sources:
            stored = " and ".join(about.get("files", [source]))
            named = " and ".join(map(flag, self.files.options))
            raise InputError(f"{run.folder} was trained on {stored}: name {named} to evaluate it.")
        return self.load(source, **self.stored(about))

    def stored(self, about: Mapping[str, Any]) -> dict:
        """Give the options that a run.json tells of."""
        return {entry.name: about[entry.name] for entry in fields(self.options) if entry.name in about}

    def predict(self, run: Run, examples: Examples) -> np.ndarray:
        """Give the probabilities of a run's classes for examples, shape (n, classes)."""
        return self.predict_rows(run, examples.x, None)

    def open(self, folder: Path) -> Run:
        """Open a finished run of this lesson."""
        return Run.open(folder)

    def ending(self, run: Run, paths: Sequence[str | Path] = ()) -> str:
        """Say how a training ended and what comes next."""
        epochs, plan, early = len(run.history), run.plan, ""
        if epochs < plan.epochs:
            what = f"validation {plan.best_by.replace('_', ' ')}"
            early = f"Stopped after {epochs} epochs: the last {plan.patience} brought no better {what}.\n"
        options = self.files.options if paths else ()
        named = "".join(f" {flag(name)} {path}" for name, path in zip(options, paths, strict=True))
        ended = f"{early}The run is in {run.folder} ({epochs} epoch{'s' * (epochs != 1)})."
        return f"{ended} Next: ecg-lessons evaluate {run.folder}{named}"

    def summarize(self, folder: Path) -> Report:
        """Sum up many trainings in one folder, where the lesson has such."""
        what = f"{folder} is a run of lesson {self.name!r}, of which there is nothing to sum up"
        raise InputError(f"{what}: give a folder of many trainings, or 'ecg-lessons evaluate'.")

    def but(self, name: str, title: str, **changes: Any) -> Self:
        """Give another lesson that differs in some of its parts."""
        return replace(self, name=name, title=title, **changes)


def lineage(run: Run) -> Iterator[Run]:
    """Give a run and those that it came from, as far as they are still there."""
    while (run.folder / "run.json").exists():
        yield run
        run = Run(Path(run.about.get("transfer_from") or "nowhere"))


def _known(about: Mapping, sides: Mapping, names: np.ndarray, source: str, beats: bool) -> np.ndarray:
    """Tell the names of rows that a run has learnt from; exports write a source before a name."""
    learnt = np.array([*sides["train"], *sides["validation"]], dtype=str)
    of = np.asarray if splits.is_leaky(about["split"]) else people if beats else splits.persons
    known = list({*of(learnt), *of(np.char.add(f"{about['source']}-", learnt))})
    return np.isin(of(names), known) | np.isin(of(np.char.add(f"{source}-", names)), known)


def flag(name: str) -> str:
    """Spell an option as the command line has it."""
    return f"--{name.replace('_', '-')}"


def names_of(info: pd.DataFrame) -> np.ndarray:
    """Name every row: the file of its picture, its record and sample, or its record."""
    sample = "_" + info["sample"].astype(str).str.zfill(6) if "sample" in info else ""
    return (info["name"] if "name" in info else info["record"] + sample).to_numpy().astype(str)


def people(names: np.ndarray) -> np.ndarray:
    """Give the person behind the names of rows, as far as names tell."""
    return splits.persons(np.array([re.sub(r"_\d{6,}$", "", name) for name in names], dtype=str))


def count(examples: Examples) -> dict[str, int]:
    """Count examples by class, the classes that occur."""
    return {name: int(n) for name, n in examples.counts()["examples"].items() if n}


def unit(examples: Examples) -> str:
    """Say what a row is."""
    return "beats" if "sample" in examples.info or "name" in examples.info else "recordings"


def patients(examples: Examples, rows: np.ndarray | slice = slice(None)) -> int | None:
    """Count whose some rows are; None where the data name nobody, and each recording counts as a patient."""
    whose, info = examples.patient[rows], examples.info.iloc[rows]
    if not info.get("known", pd.Series(True)).all() or (len(info) and (names_of(info) == whose.astype(str)).all()):
        return None
    return len(np.unique(splits.persons(whose.astype(str))))


def contents(examples: Examples) -> np.ndarray:
    """Give every row a text that is the same wherever its first input is the same."""
    x = examples.x if isinstance(examples.x, np.ndarray) else next(iter(examples.x.values()))
    return np.array([hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=6).hexdigest() for row in x])


def digest(path: str | Path) -> str:
    """Give a text that tells a file, or a folder of files, from others, whatever it is called."""
    path = Path(path)
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    found = sorted(file for file in path.rglob("*") if file.is_file())
    listed = [f"{file.relative_to(path)} {file.stat().st_size}" for file in found]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()[:16]


def table_of(probability: np.ndarray, examples: Examples) -> pd.DataFrame:
    """Set verdicts out beside the labels, a row an example."""
    names, yes = examples.classes, probability[:, :1]
    if probability.shape[1] != len(names):  # a question of many states in two words, or the other way round
        names = names if len(names) == 2 else (names[0], f"not {names[0]}")
        probability = np.hstack([yes, 1 - yes])
    return examples.info.drop(columns=["part", "known"], errors="ignore").assign(
        patient=examples.patient,
        label=np.array(examples.classes)[examples.y],
        verdict=np.array(names)[probability.argmax(axis=1)],
        probability=probability.max(axis=1).round(4),
        **{f"P({name})": probability[:, k].round(4) for k, name in enumerate(names)},
    )
