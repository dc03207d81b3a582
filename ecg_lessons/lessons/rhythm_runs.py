"""Lesson 2, run by run: train a network in its phases, evaluate it, let several vote."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.scores import plain
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import rhythm as lesson
from ecg_lessons.models import crnn
from ecg_lessons.models.crnn_design import Design, Phase
from ecg_lessons.models.losses import SmoothedCrossentropy
from ecg_lessons.models.metrics import MeanF1

#: What is stored of the design beside the run.
MODEL_FILE = "model.toml"


def train(
    design: Design,
    folder: str | Path,
    source: str = "sample",
    split: str = "fold-0",
    *,
    name: str = "",
    recordings: int = 600,
    given: Examples | None = None,
    tensorboard: bool = False,
    progress: Callable[[int, dict], None] | None = None,
) -> training.Run:
    """Train a network, phase after phase, into a run folder. What was interrupted goes on where it was.

    Parameters
    ----------
    design : Design
        See `lesson.design`.
    folder : str or Path
        Earlier phases are run folders within it.
    source, split : str
        See `lesson.examples` and `lesson.split`.
    name : str
        What the network is called.
    recordings : int
        Size of the built-in cohort.
    given : Examples, optional
        What `lesson.examples` gave, to spare loading it again.
    tensorboard, progress
        See `training.fit`.

    Raises
    ------
    InputError
        If something is unknown, or the folder holds another run.
    """
    folder = Path(folder)
    given = given if given is not None else lesson.examples(source, recordings)
    parts = lesson.split(given, split, design.validation)
    rows = parts.train
    if design.repeat_classes:
        if len(design.repeat_classes) != len(lesson.CLASSES):
            raise InputError(
                f"repeat_classes has {len(design.repeat_classes)} numbers: give one for each of "
                f"{', '.join(lesson.CLASSES)}."
            )
        rows = np.repeat(rows, np.array(design.repeat_classes)[given.y[rows]])
    shown, held = given.take(rows), given.take(parts.validation)
    about = {"lesson": "rhythm", "network": name, "source": source, "split": split}
    about |= {"recordings": len(given), "learnt": np.unique(shown.y).tolist(), "design": design.table()}
    loss = SmoothedCrossentropy(design.label_smoothing) if design.label_smoothing else None
    watched = [MeanF1(len(lesson.CLASSES), lesson.SCORED)]
    options = {"loss": loss, "metrics": watched, "tensorboard": tensorboard, "progress": progress}
    build = _builder(design)
    *earlier, last = design.phases or (None,)
    for number, phase in enumerate(earlier, start=1):
        told = about | {"phase": number}
        place = folder / f"phase-{number}"
        before = training.fit(
            partial(build, phase), shown, held, _plan(design, phase), place, about=told, **options
        )
        build = _builder(design, before, phase)
    run = training.fit(partial(build, last), shown, held, _plan(design, last), folder, about=about, **options)
    names = given.info["record"].to_numpy()
    run.write("split.json", {side: names[rows].tolist() for side, rows in parts.sides.items()})
    run.write(MODEL_FILE, design.toml())
    return run


def _plan(design: Design, phase: Phase | None):
    """Give the plan of a phase."""
    if phase is None:
        return design.training
    return replace(design.training, epochs=phase.epochs, learning_rate=phase.learning_rate)


def _builder(
    design: Design, before: training.Run | None = None, done: Phase | None = None
) -> Callable[[Phase | None], keras.Model]:
    """Say how the network of a phase is built from that of the phase before."""

    def build(phase: Phase | None) -> keras.Model:
        model = crnn.build(design, _head(phase), seed=design.training.seed)
        if before is not None:
            learnt = before.model
            if _head(done) == _head(phase):
                model.set_weights(learnt.get_weights())
            else:
                for mine, known in zip(crnn.eyes(model), crnn.eyes(learnt), strict=True):
                    mine.set_weights(known.get_weights())
        for part in crnn.eyes(model):
            part.trainable = phase is None or phase.trains != "recurrence"
        return model

    return build


def _head(phase: Phase | None) -> str:
    return "for now" if phase and phase.trains == "convolutions" else "whole"


def predict(run: training.Run, given: Examples) -> np.ndarray:
    """Give the probabilities of the classes, shape (n, 4)."""
    return training.predict(run, given.x, batch_size=64)


def evaluate(run: training.Run, source: str | None = None, given: Examples | None = None) -> dict:
    """Score a run on its own test recordings, or on all of another source.

    Writes ``metrics.json`` and ``predictions.csv`` into the run folder (with the source in their names where it is not
    the run's own).

    Parameters
    ----------
    run : Run
    source : str, optional
        See `lesson.examples`.
    given : Examples, optional
        The run's own examples, to spare loading them again.

    Returns
    -------
    dict
        See `lesson.score`.
    """
    about = run.about
    own = source in (None, about["source"])
    if given is None:
        given = lesson.examples(source or about["source"], about["recordings"])
    if own:
        given = test_part(run, given)
    probability = predict(run, given)
    result = lesson.score(probability, given)
    suffix = "" if own else f"-{source}"
    run.write(f"metrics{suffix}.json", plain(result) | {"examples": len(given)})
    run.write(f"predictions{suffix}.csv", table_of(probability, given))
    return result


def table_of(probability: np.ndarray, given: Examples):
    """Set verdicts out beside the labels, a row a recording."""
    names = np.array(given.classes)
    columns = {f"P({name})": probability[:, k].round(4) for k, name in enumerate(given.classes)}
    return given.info.assign(label=names[given.y], verdict=names[probability.argmax(axis=1)], **columns)


def test_part(run: training.Run, given: Examples) -> Examples:
    """Keep the recordings that a run was not trained on and is to be tested on.

    Raises
    ------
    InputError
        If the examples lack one of them.
    """
    wanted = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))["test"]
    given = given.take(given.info["record"].isin(wanted).to_numpy())
    if len(given) < len(wanted):
        raise InputError(
            f"{run.folder}: {len(wanted) - len(given)} of its {len(wanted)} test recordings are not in these data: "
            "give those that it was trained on."
        )
    return given


def vote(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Let several networks vote on the same recordings.

    Parameters
    ----------
    probabilities : sequence of ndarray, shape (n, 4) each

    Returns
    -------
    ndarray, shape (n, 4)
        The share of the votes, plus a hundredth of the mean probability, which decides where votes are equal.
    """
    stacked = np.stack(list(probabilities))
    votes = np.eye(stacked.shape[-1])[stacked.argmax(axis=-1)].mean(axis=0)
    return (votes + 0.01 * stacked.mean(axis=0)) / 1.01
