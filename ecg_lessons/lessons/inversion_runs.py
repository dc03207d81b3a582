"""Lesson 1, run by run: train a network and evaluate it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.scores import plain
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import inversion as lesson
from ecg_lessons.plans import Plan


def train(
    out: str | Path,
    network: str = "hypotheses",
    source: str = "sample",
    split: str = "by-patient",
    task: str = "which",
    plan: Plan | None = None,
    *,
    csv: tuple[str | Path, str | Path] | None = None,
    given: Examples | None = None,
    tensorboard: bool = False,
    progress: Callable[[int, dict], None] | None = None,
) -> training.Run:
    """Train one network of the lesson into a run folder.

    Parameters
    ----------
    out : str or Path
        The run folder.
    network, source, split : str
        See `lesson.NETWORKS`, `lesson.examples`, `lesson.split`.
    task : {"which", "inverted"}
        Name the swap, or only tell whether there is one.
    plan : Plan, optional
        The network's laptop preset unless given.
    csv : (data, labels), optional
        Train on the original's CSV files instead of `source`; the task is then "inverted".
    given : Examples, optional
        What `lesson.examples` gave, to spare loading it again.
    tensorboard : bool
    progress : callable, optional
        See `training.fit`.
    """
    plan = plan or lesson.plan(network)
    if task not in {"which", "inverted"}:
        raise InputError(f"There is no task {task!r}: choose which or inverted.")
    if csv:
        task, source = "inverted", Path(csv[0]).name
        given = lesson.from_csv(*csv)
        if len(np.unique(given.y)) < 2:
            raise InputError(f"{csv[1]} labels every ECG {given.y[0]}: training needs both 0 and 1.")
    given = given if given is not None else lesson.examples(source)
    parts = lesson.split(given, split, plan.seed)
    prepare = partial(_inputs, network, task)
    fresh = _fresh(network, prepare, bool(csv))
    validation = given.take(parts.validation)
    if not csv:
        validation = lesson.fresh_swaps(validation, np.random.default_rng(plan.seed))
    about = {"lesson": "inversion", "network": network, "task": task, "source": source, "split": split}
    samples = given.x["signal"].shape[1]
    size = {"samples": samples} if lesson.NETWORKS[network].sees == "signal" else {}
    run = training.fit(
        partial(lesson.NETWORKS[network].build, len(lesson.STATES) if task == "which" else 2, **size),
        given.take(parts.train),
        prepare(validation),
        plan,
        out,
        about=about,
        fresh=fresh,
        tensorboard=tensorboard,
        progress=progress,
    )
    names = given.info["record"].to_numpy()
    run.write("split.json", {side: names[index].tolist() for side, index in parts.sides.items()})
    return run


def _inputs(network: str, task: str, given: Examples) -> Examples:
    """Keep what the network sees, under the labels of the task."""
    return lesson.seen_by(network, lesson.binary(given) if task == "inverted" else given)


def _fresh(network: str, prepare: Callable[[Examples], Examples], csv: bool) -> training.Fresh:
    """Say how each epoch gets its training examples."""
    if not csv:
        return lambda train, rng: prepare(lesson.fresh_swaps(train, rng))
    if network == "usoltsev":  # as the original did: the file as it is
        return lambda train, rng: prepare(train)

    def with_swaps(train: Examples, rng: np.random.Generator) -> Examples:
        # Correct ECGs of the file, exchanged anew in every epoch, beside the positives that the file has.
        state = np.where(train.y == 0, rng.integers(1, len(lesson.STATES), len(train)), 0)
        half = rng.random(len(train)) < 0.5
        mixed = lesson.swapped(train, np.where(half, state, 0))
        y = np.maximum(train.y, mixed.y > 0)
        return prepare(Examples(mixed.x, y, train.patient, train.classes, train.info))

    return with_swaps


def train_original(
    correct: Examples, out: str | Path, plan: Plan | None = None, parts: tuple | None = None
) -> tuple[training.Run, Examples]:
    """Follow the original project to the letter.

    Half of the ECGs get a swap, drawn once; every ECG is joined by five rolled copies; a random quarter
    validates, chooses the best epoch, and is the score.

    Parameters
    ----------
    correct : Examples
        From `lesson.examples`.
    out : str or Path
        The run folder.
    plan : Plan, optional
        The original's own unless given.
    parts : (train, validation), optional
        Rows to use in place of the random split.

    Returns
    -------
    Run, Examples
        The trained network, and the validation copies that the original would score.
    """
    plan = plan or lesson.plan("usoltsev", "paper")
    rng = np.random.default_rng(plan.seed)
    if parts is None:
        order = rng.permutation(len(correct))
        parts = order[len(order) // 4 :], order[: len(order) // 4]
    shown, held = (
        lesson.seen_by(
            "usoltsev", lesson.rolled(lesson.binary(lesson.fresh_swaps(correct.take(part), rng)), rng)
        )
        for part in parts
    )
    about = {"lesson": "inversion", "network": "usoltsev", "task": "inverted", "protocol": "original"}
    # The copies are in the data, so the network augments nothing.
    build = partial(lesson.NETWORKS["usoltsev"].build, augment=False)
    return training.fit(build, shown, held, plan, out, about=about), held


def predict(run: training.Run, given: Examples) -> np.ndarray:
    """Give the probabilities of a run's classes for examples, shape (n, 2) or (n, len(STATES))."""
    sees = lesson.NETWORKS[run.about["network"]].sees
    x = given.x[sees]
    if sees == "signal":
        x = lesson.fit_length(x, run.model.input_shape[1])
    return training.predict(run, x)


def evaluate(
    run: training.Run,
    source: str | None = None,
    csv: tuple[str | Path, str | Path] | None = None,
    given: Examples | None = None,
) -> dict:
    """Score a run on its own test patients, on another source, or on CSV files.

    `given` spares loading the run's own source again; it must be what the run was trained from.

    Writes ``metrics.json`` and ``predictions.csv`` into the run folder (with the source in their names
    where it is not the run's own).

    Returns
    -------
    dict
        See `lesson.score`.
    """
    own = source is None and csv is None
    if csv:
        given = lesson.from_csv(*csv)
    else:
        given = given if given is not None and own else lesson.examples(source or _own_source(run))
        if own:
            names = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))["test"]
            given = given.take(given.info["record"].isin(names).to_numpy())
        given = lesson.every_state(lesson.for_judging(run.about["network"], given))
    probability = predict(run, given)
    result = lesson.score(probability, given)
    suffix = "" if own else f"-{source or Path(csv[0]).stem}"
    run.write(f"metrics{suffix}.json", plain(result) | {"examples": len(given)})
    table = given.info.assign(patient=given.patient, probability=(1 - probability[:, 0]).round(5))
    run.write(f"predictions{suffix}.csv", table)
    return result


def _own_source(run: training.Run) -> str:
    source = run.about["source"]
    if source.endswith(".csv"):
        raise InputError(
            f"{run.folder} was trained on {source}: name --data-csv and --labels-csv to evaluate it."
        )
    return source
