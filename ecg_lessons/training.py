"""Training: a plan goes in, a run folder comes out, and an interrupted training goes on where it was.

A run folder holds ``plan.toml``, ``run.json`` (what was trained on what), ``history.csv``, ``model.keras``
and, once evaluated, ``metrics.json`` and ``predictions.csv``. While a training is under way,
``state-*.keras`` holds the network and the optimizer after the last epoch that is in the history.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples, rows
from ecg_lessons.plans import Plan
from ecg_lessons.run_folder import Run, holds_something

#: Makes the training examples of one epoch anew, for instance with fresh swaps of electrodes.
Fresh = Callable[[Examples, np.random.Generator], Examples]


def fit(
    build: Callable[[], keras.Model],
    train: Examples,
    validation: Examples,
    plan: Plan,
    folder: str | Path,
    *,
    about: dict | None = None,
    loss: keras.losses.Loss | None = None,
    metrics: Sequence[keras.metrics.Metric] = (),
    fresh: Fresh | None = None,
    tensorboard: bool = False,
    progress: Callable[[int, dict], None] | None = None,
) -> Run:
    """Train a network, or go on with a training that was interrupted.

    Parameters
    ----------
    build : callable
        Builds the network. A last layer of one unit is trained with binary cross-entropy, a wider one
        with categorical cross-entropy.
    train, validation : Examples
    plan : Plan
    folder : str or Path
        The run folder. If it holds an unfinished training of the same plan, that goes on; if it holds a
        finished one, nothing is trained again.
    about : dict
        Stored as ``run.json``.
    loss : keras.losses.Loss, optional
        Instead of the cross-entropy; ``run.json`` tells of it as "loss".
    metrics : sequence of keras.metrics.Metric
        Watched beside the accuracy.
    fresh : callable, optional
        ``fresh(train, rng)`` gives the training examples of each epoch.
    tensorboard : bool
        Also write TensorBoard logs into the folder.
    progress : callable, optional
        Called as ``progress(epoch, row of the history)``.

    Raises
    ------
    InputError
        If the folder holds a run of another plan, or something else; if TensorBoard is wanted and not installed; if the
        best epoch is to be chosen by a metric that is not watched.
    """
    watched = ["accuracy", *metrics]
    known = ["loss", "accuracy", *(metric.name for metric in metrics)]
    if plan.best_by not in known:
        raise InputError(f"Plan: best_by = {plan.best_by!r}; choose one of {', '.join(known)}.")
    if tensorboard:
        require_tensorboard()
    run = Run(Path(folder))
    about = json.loads(json.dumps((about or {}) | ({"loss": loss.get_config()} if loss else {})))
    if not _prepare(run, plan, about):
        return run
    keras.utils.set_random_seed(plan.seed)
    keras.config.set_dtype_policy(plan.precision)
    steps = -(-len(train) // plan.batch_size)
    history, model = _resume(run)
    if model is None:
        model = build()
        model.compile(plan.optimizer_for(steps * plan.epochs), loss or _loss(model), metrics=watched)
    callbacks = [keras.callbacks.TensorBoard(run.folder / "tensorboard")] if tensorboard else []
    while len(history) < plan.epochs and not _stale(history, plan):
        start = time.perf_counter()
        row = _one_epoch(model, train, validation, plan, len(history), fresh, callbacks)
        history.append(row | {"seconds": round(time.perf_counter() - start, 3)})
        _store(run, model, history, plan)
        if progress:
            progress(row["epoch"], row)
    _finish(run, len(history), plan)
    return run


def require_tensorboard() -> None:
    """Refuse to write TensorBoard logs where it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("--tensorboard needs TensorBoard: install it with 'pip install tensorboard'.")


def _one_epoch(
    model: keras.Model,
    train: Examples,
    validation: Examples,
    plan: Plan,
    epoch: int,
    fresh: Fresh | None,
    callbacks: list[keras.callbacks.Callback],
) -> dict:
    """Train one epoch, counted from 0; give its row of the history."""
    # A generator of its own for every epoch: a resumed training sees what an unbroken one would.
    rng = np.random.default_rng([plan.seed, epoch])
    _seed_layers(model, rng)
    examples = fresh(train, rng) if fresh else train
    order = rng.permutation(len(examples))
    fitted = model.fit(
        rows(examples.x, order), examples.y[order],
        batch_size=plan.batch_size, shuffle=False, class_weight=dict(enumerate(plan.class_weights)) or None,
        validation_data=(validation.x, validation.y), validation_batch_size=256,
        initial_epoch=epoch, epochs=epoch + 1, verbose=0, callbacks=callbacks,
    )  # fmt: skip
    return {"epoch": epoch + 1} | {name: values[0] for name, values in fitted.history.items()}


def predict(run: Run, x, batch_size: int = 256) -> np.ndarray:
    """Give the class probabilities, shape (examples, classes); a sigmoid unit becomes two columns."""
    probability = np.asarray(run.model.predict(x, batch_size=batch_size, verbose=0), dtype=np.float64)
    return np.hstack([1 - probability, probability]) if probability.shape[1] == 1 else probability


def _prepare(run: Run, plan: Plan, about: dict) -> bool:
    """Make or check the run folder; tell whether there is something left to train."""
    known = run.folder / "run.json"
    if known.exists():
        differs = _difference({**run.about, **asdict(run.plan)}, {**about, **asdict(plan)})
        if differs:
            raise InputError(
                f"{run.folder} holds another run ({differs}): choose another folder with --out, or remove that one."
            )
        return not (run.folder / "model.keras").exists()
    if run.folder.exists() and holds_something(run.folder):
        raise InputError(f"{run.folder} is not empty and is no run: choose another folder with --out.")
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"Cannot make the folder {run.folder}: {error.strerror}; choose another place."
        ) from None
    run.write("plan.toml", plan.toml())
    run.write("run.json", about)
    return True


def _difference(there: dict, here: dict) -> str:
    """Name the first choice in which two runs differ; "" where there is none."""
    for name in {**there, **here}:
        if there.get(name) != here.get(name):
            return f"{name.replace('_', ' ')}: {there.get(name)} there, {here.get(name)} here"
    return ""


def _resume(run: Run) -> tuple[list[dict], keras.Model | None]:
    """Read how far it came. The network is named after its epoch: a kill between two files does no harm."""
    if not (run.folder / "history.csv").exists():
        return [], None
    history = run.history.to_dict("records")
    state = run.folder / f"state-{len(history)}.keras"
    return (history, keras.saving.load_model(state)) if state.exists() else ([], None)


def _store(run: Run, model: keras.Model, history: list[dict], plan: Plan) -> None:
    """Keep the state of an epoch: the network first, then the history that points to it."""
    epoch = len(history)
    partial = run.folder / ".partial.keras"
    model.save(partial)
    state = run.folder / f"state-{epoch}.keras"
    os.replace(partial, state)
    if _best(history, plan) == epoch - 1:
        shutil.copyfile(state, partial)
        os.replace(partial, run.folder / "best.keras")
    run.write("history.csv", pd.DataFrame(history))
    (run.folder / f"state-{epoch - 1}.keras").unlink(missing_ok=True)


def _finish(run: Run, epochs: int, plan: Plan) -> None:
    """Make the network of the best or the last epoch the result, and remove the other states."""
    best, last = run.folder / "best.keras", run.folder / f"state-{epochs}.keras"
    os.replace(best if plan.keep == "best" else last, run.folder / "model.keras")
    for leftover in (best, *run.folder.glob("state-*.keras")):
        leftover.unlink(missing_ok=True)


def _seed_layers(model: keras.Model, rng: np.random.Generator) -> None:
    """Seed dropout and augmentation anew: Keras does not save where their streams were."""
    for variable in model.variables:
        if variable.path.endswith("seed_generator_state"):
            variable.assign(rng.integers(0, 2**31, variable.shape).astype(variable.dtype))


def _best(history: list[dict], plan: Plan) -> int:
    values = np.array([row[f"val_{plan.best_by}"] for row in history])
    return int(np.argmin(values if plan.best_by == "loss" else -values))


def _stale(history: list[dict], plan: Plan) -> bool:
    return bool(plan.patience and history and len(history) - 1 - _best(history, plan) >= plan.patience)


def _loss(model: keras.Model) -> str:
    return "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
