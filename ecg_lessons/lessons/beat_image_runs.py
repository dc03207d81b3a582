"""Lesson 3, run by run: train a network on pictures of beats and evaluate it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import classwise
from ecg_lessons.evaluation.scores import plain
from ecg_lessons.examples import Examples, rows
from ecg_lessons.lessons import beat_images as lesson
from ecg_lessons.lessons.beat_images import PLAIN, Sight
from ecg_lessons.models import beat_image as models
from ecg_lessons.plans import Plan
from ecg_lessons.signals.drawing import DrawBeats, nine_crops
from ecg_lessons.splits import is_leaky

#: Validation only draws the learning curve; so many beats of a class and patient are enough for that.
_VALIDATION = 100


def train(
    out: str | Path,
    network: str = "light",
    source: str = "sample",
    split: str = "by-patient",
    sight: Sight = PLAIN,
    plan: Plan | None = None,
    *,
    most: int | None = None,
    pictures: str | Path | None = None,
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
        See `models.NETWORKS`, `lesson.examples`, `lesson.split`.
    sight : Sight
        What the network is given.
    plan : Plan, optional
        The network's laptop preset unless given.
    most : int, optional
        Train on at most so many beats of each class of each patient; tests always use all.
    pictures : str or Path, optional
        Train on class folders of PNG files instead of `source`.
    given : Examples, optional
        What `lesson.examples` gave, to spare loading it again.
    tensorboard : bool
    progress : callable, optional
        See `training.fit`.
    """
    plan = plan or lesson.plan(network)
    if pictures:
        given, source = lesson.from_pictures(pictures), "pictures"
    given = given if given is not None else lesson.examples(source)
    _refuse_unseen(network, sight, given.x)
    parts = lesson.split(given, split, plan.seed)
    shown = given.take(parts.train)
    shown = shown if most is None else lesson.thin(shown, most, plan.seed)
    about = {"lesson": "beat-images", "network": network, "source": source, "split": split, "most": most}
    about |= {"nine_crops": sight.nine_crops, "rr": sight.rr, "learnt": np.unique(shown.y).tolist()}
    validation = lesson.thin(given.take(parts.validation), _VALIDATION, plan.seed)
    run = training.fit(
        partial(_build, network, sight, "image" in given.x),
        lesson.seen(shown, sight),
        lesson.seen(validation, sight),
        plan,
        out,
        about=about,
        tensorboard=tensorboard,
        progress=progress,
    )
    names = names_of(given.info)
    run.write("split.json", {side: names[index].tolist() for side, index in parts.sides.items()})
    return run


def _build(network: str, sight: Sight, on_pictures: bool) -> keras.Model:
    crops = {"nine_crops": True} if sight.nine_crops else {}
    model = models.build(network, classes=len(lesson.CLASSES), rr=sight.rr, **crops)
    return models.from_layer(model, "draw_beats") if on_pictures else model


def names_of(info: pd.DataFrame) -> np.ndarray:
    """Name every beat: its record and sample, or the file of its picture."""
    if "name" in info:
        return info["name"].to_numpy().astype(str)
    return (info["record"] + "_" + info["sample"].astype(str).str.zfill(6)).to_numpy().astype(str)


def predict(run: training.Run, given: Examples) -> np.ndarray:
    """Give the probabilities of the classes, shape (n, len(CLASSES))."""
    return probabilities(run, given.x)


def probabilities(run: training.Run, x: Mapping[str, np.ndarray], batch_size: int = 256) -> np.ndarray:
    """Give the probabilities of the classes for inputs as `lesson.examples` or `lesson.from_pictures` has them.

    A network trained with nine crops answers to all nine, and the mean answer counts.
    """
    sight, model = Sight(run.about["nine_crops"], run.about["rr"]), run.model
    draws = any(layer.name == "draw_beats" for layer in model.layers)
    _refuse_unseen(run.about["network"], sight, x)
    if "curve" in x and not sight.nine_crops and (draws or run.about["network"] == "signal"):
        return training.predict(run, lesson.look(x, sight), batch_size)
    if sight.nine_crops or draws:
        model = models.from_layer(model, "nine_crops" if sight.nine_crops else "draw_beats")
    picture = "image" if "image" in x else "curve"
    answers = []
    for start in range(0, len(x[picture]), batch_size):
        part = rows(x, slice(start, start + batch_size))
        drawn = part["image"] if "image" in x else np.asarray(DrawBeats()(part["curve"]))
        views = nine_crops(drawn) if sight.nine_crops else drawn[None]
        given = ([view, part[lesson.RR]] if sight.rr else view for view in views)
        answers.append(np.mean([model.predict_on_batch(one) for one in given], axis=0))
    return np.concatenate(answers).astype(np.float64)


def _refuse_unseen(network: str, sight: Sight, x: Mapping[str, np.ndarray]) -> None:
    """Refuse to show a network what it cannot see."""
    if network == "signal" and "image" in x:
        raise InputError(
            "The network signal needs the curve, and a PNG file holds only its picture: choose light."
        )
    if network == "signal" and sight.nine_crops:
        raise InputError("The network signal sees no picture to crop: leave --augment out, or choose light.")
    if sight.rr and lesson.RR not in x:
        raise InputError("Pictures hold no RR intervals: train without --rr, or on records with --source.")


def evaluate(
    run: training.Run,
    source: str | None = None,
    pictures: str | Path | None = None,
    given: Examples | None = None,
) -> dict:
    """Score a run on its own test beats, on another source, or on pictures.

    Classes that the network never met in training are left out, and named under "left_out". Of other recordings
    those that trained or validated the run are left out too: a score on them would be a score on known hearts.
    Writes ``metrics.json`` and ``predictions.csv`` into the run folder (with the source in their names where
    it is not the run's own).

    Returns
    -------
    dict
        See `classwise.score`, and ``left_out``: beats by class.
    """
    own = source is None and pictures is None
    if given is None:
        given = lesson.from_pictures(pictures) if pictures else lesson.examples(source or _own_source(run))
    sides = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))
    judged = np.isin(names_of(given.info), sides["test"]) if own else ~_known(run, sides, given)
    given = given.take(judged)
    met = lesson.scorable(given, np.array(run.about["learnt"]))
    left_out = given.take(~met).counts()["examples"]
    given = given.take(met)
    if not len(given):
        raise InputError(
            f"{run.folder}: no beat is left to score on; all are of classes that it has not learnt, or from "
            "recordings that trained it."
        )
    probability = predict(run, given)
    result = classwise.score(probability, given)
    result["left_out"] = {name: int(n) for name, n in left_out.items() if n}
    suffix = "" if own else f"-{source or Path(pictures).name}"
    run.write(f"metrics{suffix}.json", plain(result) | {"examples": len(given)})
    table = given.info.assign(
        patient=given.patient,
        verdict=np.array(lesson.CLASSES)[probability.argmax(axis=1)],
        probability=probability.max(axis=1).round(4),
    )
    run.write(f"predictions{suffix}.csv", table)
    return result


def _known(run: training.Run, sides: dict[str, list[str]], given: Examples) -> np.ndarray:
    """Tell the beats of recordings that the run has seen; single beats, where it split beats at random."""
    names, seen = names_of(given.info), [*sides["train"], *sides["validation"]]
    if is_leaky(run.about["split"]):
        return np.isin(names, seen)
    records = {name.rpartition("_")[0] for name in seen}
    return np.isin([name.rpartition("_")[0] for name in names], list(records))


def _own_source(run: training.Run) -> str:
    if run.about["source"] == "pictures":
        raise InputError(
            f"{run.folder} was trained on pictures: name their folder with --pictures to evaluate it."
        )
    return run.about["source"]
