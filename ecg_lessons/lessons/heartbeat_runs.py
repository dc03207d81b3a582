"""Lesson 5, run by run: train a network on heartbeats or infarctions, from scratch or from another run; evaluate it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import classwise
from ecg_lessons.evaluation.scores import plain
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import heartbeat as lesson
from ecg_lessons.lessons import heartbeat_choices as choices
from ecg_lessons.lessons import heartbeat_tables as tables
from ecg_lessons.plans import Plan
from ecg_lessons.splits import few

#: Beats without patients are drawn again in so many groups: as the bootstrap over single rows, and a lot faster.
_GROUPS = 200


def train(
    out: str | Path,
    task: str = "heartbeat",
    network: str | None = None,
    source: str = "sample",
    split: str | None = None,
    plan: Plan | None = None,
    *,
    rule: str = "annotated",
    balance: str = "none",
    transfer_from: str | Path | None = None,
    frozen: bool = False,
    share: float = 1.0,
    csv: Sequence[str | Path] | None = None,
    given: Examples | None = None,
    tensorboard: bool = False,
    progress: Callable[[int, dict], None] | None = None,
) -> training.Run:
    """Train one network of the lesson into a run folder.

    Parameters
    ----------
    out : str or Path
        The run folder.
    task : {"heartbeat", "infarction"}
    network : str, optional
        See `models.NETWORKS`; that of `transfer_from`, or else cnet.
    source, rule : str
        See `lesson.load`.
    split : str, optional
        See `lesson.split`; ``by-patient`` unless CSV files allow less.
    plan : Plan, optional
        The network's laptop preset unless given.
    balance : {"none", "smote", "smote-tomek", "weights", "focal"}
        Synthetic beats of the rare classes (see `balance.smote`), a weight for each class, or the focal loss.
        The training part alone is balanced, after the split.
    transfer_from : str or Path, optional
        A run of either task, whose network gets two new last layers and goes on; `frozen` trains these only.
    share : float
        Of the patients to train and to validate on, use so many: 0.01, 0.1, 1.
    csv : (first, second), optional
        Train on the original's CSV files instead of `source`: see `heartbeat_tables.from_csv`.
    given : Examples, optional
        What `lesson.load` or `heartbeat_tables.from_csv` gave, to spare loading it again.
    tensorboard, progress
        See `training.fit`.

    Raises
    ------
    InputError
        If something is unknown, or does not fit to something else.
    """
    start = choices.origin(transfer_from, task, "csv" if csv else source, network, frozen)
    network = choices.network_of(network, start)
    plan = plan or lesson.plan(network, task=task)
    choices.refuse(network, balance)
    if given is None:
        given = tables.from_csv(task, *csv) if csv else lesson.load(task, source, rule)
    split = split or lesson.usual_split(given)
    sides = _sides(given, split, share, plan.seed)
    shown = lesson.seen(given.take(sides["train"]), network, learning=True)
    held = lesson.seen(given.take(sides["validation"]), network)
    about = {"lesson": "heartbeat", "task": task, "network": network} | _whence(given, source, rule)
    about |= {"split": split, "balance": balance, "transfer_from": start and str(transfer_from)}
    about |= {"frozen": frozen, "share": share} | _learnt(shown, split)
    shown, plan, loss = choices.balanced(shown, plan, balance)
    build = partial(choices.build, network, len(given.classes), start, frozen)
    options = {"about": about, "loss": loss, "tensorboard": tensorboard, "progress": progress}
    run = training.fit(build, shown, held, plan, out, **options)
    return _noted(run, lesson.names_of(given.info), sides)


def _noted(run: training.Run, names: np.ndarray, sides: dict[str, np.ndarray]) -> training.Run:
    """Store which beats stood on which side."""
    run.write("split.json", {side: names[rows].tolist() for side, rows in sides.items()})
    return run


def _sides(given: Examples, split: str, share: float, seed: int) -> dict[str, np.ndarray]:
    """Split; of those to train and to validate on, keep a share of the patients."""
    sides = dict(lesson.split(given, split, seed).sides)
    return sides | {side: few(given, sides[side], share, seed) for side in ("train", "validation")}


def _whence(given: Examples, source: str, rule: str) -> dict:
    """Say where the examples come from."""
    if "known" in given.info:
        return {"source": "csv", "files": given.info["record"].unique().tolist()}
    return {"source": source} | ({"rule": rule} if given.classes == lesson.CLASSES["heartbeat"] else {})


def _learnt(shown: Examples, split: str) -> dict:
    """Say what there is to learn from: classes, and the beats of each."""
    counts = shown.counts()["examples"]
    learnt = np.unique(shown.y)
    if len(learnt) < 2:
        raise InputError(
            f"Split {split!r} leaves nothing but class {shown.classes[learnt[0]]!r} to train on: take another "
            "split, a larger --share, or more recordings."
        )
    return {"learnt": learnt.tolist(), "counts": {name: int(n) for name, n in counts.items()}}


def predict(run: training.Run, given: Examples) -> np.ndarray:
    """Give the probabilities of the classes, shape (n, classes)."""
    return probabilities(run, given.x)


def probabilities(run: training.Run, x: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give the probabilities of the classes for inputs as `lesson.inputs` gives them."""
    return training.predict(run, lesson.look(x, run.about["network"]))


def evaluate(
    run: training.Run,
    source: str | None = None,
    csv: Sequence[str | Path] | None = None,
    given: Examples | None = None,
) -> dict:
    """Score a run on its own test beats, on another source, or on CSV files.

    A run that was trained on CSV files needs them again; only its test rows are judged. Classes that the network
    never met in training are left out, and named under "left_out". Writes ``metrics.json`` and ``predictions.csv``
    into the run folder (with the source in their names where it is not the run's own).

    Parameters
    ----------
    run : Run
    source : str, optional
        See `lesson.load`.
    csv : sequence of path, optional
        One or two files: see `heartbeat_tables.from_csv`.
    given : Examples, optional
        To spare loading them again.

    Returns
    -------
    dict
        See `classwise.score`; of infarctions, ``infarction_sensitivity`` and ``infarction_specificity``. And
        ``left_out``: beats by class. Sensitivity and precision of S and V are what ANSI/AAMI EC57 asks for. Where
        nobody knows whose the beats are, intervals are over beats, and no class has ``patients``.

    Raises
    ------
    InputError
        If the data do not hold the run's test beats, or none of a class that it has learnt.
    """
    about = run.about
    # Its own source under its name is no other data: the beats that trained it must stay out.
    own = source in (None, about["source"]) and (
        csv is None or {Path(one).name for one in csv} <= set(about.get("files", ()))
    )
    if given is None:
        given = tables.from_csv(about["task"], *csv) if csv else lesson.load(*_wanted(run, source))
    if own:
        given = _test_part(run, given)
    met = np.isin(given.y, about["learnt"])
    left_out = {name: int(n) for name, n in given.take(~met).counts()["examples"].items() if n}
    given = given.take(met)
    if not len(given):
        raise InputError(f"{run.folder}: no beat to score on, of no class that it has learnt.")
    probability = predict(run, given)
    result = _score(probability, given) | {"left_out": left_out}
    suffix = "" if own else f"-{source or Path(csv[-1]).stem}"
    run.write(f"metrics{suffix}.json", plain(result) | {"examples": len(given)})
    names = np.array(given.classes)
    table = given.info.drop(columns=["part", "known"], errors="ignore").assign(
        patient=given.patient,
        label=names[given.y],
        verdict=names[probability.argmax(axis=1)],
        probability=probability.max(axis=1).round(4),
    )
    run.write(f"predictions{suffix}.csv", table)
    return result


def _wanted(run: training.Run, source: str | None) -> tuple[str, str, str]:
    """Say what to load."""
    source = source or run.about["source"]
    if source == "csv":
        raise InputError(
            f"{run.folder} was trained on {' and '.join(run.about['files'])}: name the files again to evaluate it."
        )
    return run.about["task"], source, run.about.get("rule", "annotated")


def _test_part(run: training.Run, given: Examples) -> Examples:
    wanted = json.loads((run.folder / "split.json").read_text(encoding="utf-8"))["test"]
    given = given.take(np.isin(lesson.names_of(given.info), wanted))
    if len(given) < len(wanted):
        raise InputError(
            f"{run.folder}: {len(wanted) - len(given)} of its {len(wanted)} test beats are not in these data: "
            "give those that it was trained on."
        )
    return given


def _score(probability: np.ndarray, given: Examples) -> dict:
    nameless = "known" in given.info
    if nameless:
        groups = (np.random.default_rng(0).permutation(len(given)) % _GROUPS).astype(str)
        given = Examples(given.x, given.y, groups, given.classes)
    result = classwise.score(probability, given)
    for row in result["by_class"].values() if nameless else ():
        del row["patients"]
    if given.classes == lesson.CLASSES["infarction"]:
        return {name.replace("arrhythmia", "infarction"): value for name, value in result.items()}
    return result
