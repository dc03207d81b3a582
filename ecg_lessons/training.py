"""Training: a plan goes in, a run folder comes out, and an interrupted training goes on where it was.

A run folder holds ``plan.toml``, ``run.json`` (what was trained on what), ``split.json``, ``history.csv``,
``model.keras`` and, once evaluated, ``metrics.json`` and ``predictions.csv``. While a training is under way,
``state-*.keras`` holds the network and the optimizer after the last epoch that is in the history.
"""

import importlib.util
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Self

import h5py
import keras
import numpy as np
import pandas as pd

from ecg_lessons import files
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Arrays, Examples, rows
from ecg_lessons.plans import Plan

_REMEDY = "train into another folder"
#: A network while it is written (Keras looks at the ending), and the lock of the one training in a folder.
_PARTIAL, _LOCK = ".partial.keras", ".lock"
#: Batches that Keras works through before it comes back to Python: the same weights bit for bit, in less time.
INNER = 16
#: What one example of a network may hold.
_MOST_SAMPLES = 10**8
#: Makes the training examples of one epoch anew, for instance with fresh swaps of electrodes.
Fresh = Callable[[Examples, np.random.Generator], Examples]
#: Told how much is done, of how much: batches of an epoch or of a judgement.
Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Run:
    """A folder with a trained network and all that is known of its training."""

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open a finished run."""
        run = cls(Path(folder))
        if not (run.folder / "run.json").exists():
            raise InputError(f"{folder} is no run: give a folder that 'ecg-lessons train ... --out' made.")
        if not run.finished:
            raise InputError(f"The training in {folder} has not finished: give the same 'train' command again.")
        return run

    @property
    def finished(self) -> bool:
        """Whether the network is there."""
        return (self.folder / "model.keras").exists()

    @property
    def about(self) -> dict:
        """What was trained: lesson, network, source of the data, split, and the options of the lesson."""
        return files.read_json(self.folder / "run.json", _REMEDY)

    @property
    def sides(self) -> dict[str, list[str]]:
        """The names of the rows that train, validate and test."""
        try:
            return files.read_json(self.folder / "split.json", _REMEDY, "train", "validation", "test")
        except FileNotFoundError:
            raise InputError(f"{self.folder} does not tell whom it has met (split.json): {_REMEDY}.") from None

    @property
    def plan(self) -> Plan:
        """The plan it was trained after."""
        path = self.folder / "plan.toml"
        if not path.is_file():
            raise InputError(f"{path} is missing: {_REMEDY}.")
        return Plan.read(path)

    @property
    def history(self) -> pd.DataFrame:
        """Loss and metrics, a row an epoch."""
        path = self.folder / "history.csv"
        try:
            history = pd.read_csv(path)
        except (OSError, ValueError):
            history = pd.DataFrame()
        if not {"epoch", "loss", "val_loss", "seconds"} <= set(history) or history["epoch"].dtype.kind != "i":
            raise InputError(f"{path} is missing or damaged: {_REMEDY}.")
        return history

    @property
    def model(self) -> keras.Model:
        """The trained network."""
        return _load(self.folder / "model.keras")

    def write(self, name: str, content: str | dict | pd.DataFrame) -> Path:
        """Write a text, JSON or CSV file into the folder, whole or not at all."""
        return files.write(self.folder / name, content)


@dataclass(frozen=True)
class Opened(Run):
    """A run whose network is read from its file no more than once."""

    network: keras.Model

    @property
    def model(self) -> keras.Model:
        """The trained network."""
        return self.network


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
    tick: Tick | None = None,
) -> Run:
    """Train a network, or go on with a training that was interrupted.

    A last layer of one unit is trained with binary cross-entropy, a wider one with categorical cross-entropy, unless
    there is another `loss`. `about` is stored as ``run.json``. If the folder holds an unfinished training of the same
    plan, that goes on; if it holds a finished one, nothing is trained again. ``progress(epoch, row)`` is called after
    every epoch, with a row of the history and the epochs "of" the plan; ``tick(batches, of all)`` within it.
    """
    known = ["loss", "accuracy", *(metric.name for metric in metrics)]
    if plan.best_by not in known:
        raise InputError(f"Plan: best_by = {plan.best_by!r}; choose one of {', '.join(known)}.")
    weights, classes = len(plan.class_weights), len(train.classes)
    if weights not in (0, classes):
        raise InputError(f"Plan: {weights} class_weights for {classes} classes: give one a class, or none.")
    if tensorboard:
        require_tensorboard()
    run = Run(Path(folder))
    prepare(run.folder, (about or {}) | ({"loss": loss.get_config()} if loss else {}), plan)
    with files.alone(run.folder / _LOCK, f"Another training is at work in {folder}: wait for it."):
        if not run.finished:
            _train(run, build, train, validation, plan, loss, metrics, fresh, tensorboard, progress, tick)
        for leftover in (run.folder / "best.keras", run.folder / _PARTIAL, *run.folder.glob("state-*.keras")):
            leftover.unlink(missing_ok=True)
        (run.folder / _LOCK).unlink(missing_ok=True)
    return run


def _train(run: Run, build, train, validation, plan, loss, metrics, fresh, tensorboard, progress, tick) -> None:
    keras.utils.set_random_seed(plan.seed)
    keras.config.set_dtype_policy(plan.precision)
    steps = -(-len(train) // plan.batch_size)
    history, model = _resume(run)
    if model is None:
        model = build()
        usual = "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
        how = {"metrics": ["accuracy", *metrics], "steps_per_execution": INNER}
        model.compile(plan.optimizer_for(steps * plan.epochs), loss or usual, **how)
    _make_variables(model, validation)
    callbacks = [keras.callbacks.TensorBoard(run.folder / "tensorboard")] if tensorboard else []
    callbacks += [_Ticking(tick, steps)] if tick else []
    while len(history) < plan.epochs and not _stale(history, plan):
        start = time.perf_counter()
        row = _one_epoch(model, train, validation, plan, len(history), fresh, callbacks)
        history.append(row | {"seconds": round(time.perf_counter() - start, 3)})
        _store(run, model, history, plan)
        if progress:
            progress(row["epoch"], row | {"of": plan.epochs})
    best, last = run.folder / "best.keras", run.folder / f"state-{len(history)}.keras"
    os.replace(best if plan.keep == "best" else last, run.folder / "model.keras")


def predict(run: Run | keras.Model, x: Arrays, batch_size: int = 256, tick: Tick | None = None) -> np.ndarray:
    """Give the class probabilities, shape (examples, classes); a sigmoid unit becomes two columns."""
    model = run.model if isinstance(run, Run) else run
    number = len(next(iter(x.values())) if isinstance(x, Mapping) else x)
    batches, answers, chunk = -(-number // batch_size), [], 64 * batch_size
    for start in range(0, number, chunk):  # Keras copies what it is given
        callbacks = [_Ticking(tick, batches, start // batch_size)] if tick else []
        part = rows(x, slice(start, start + chunk))
        answers.append(model.predict(part, batch_size=batch_size, verbose=0, callbacks=callbacks))
    probability = np.concatenate(answers).astype(np.float64)
    return np.hstack([1 - probability, probability]) if probability.shape[1] == 1 else probability


def require_tensorboard() -> None:
    """Refuse to write TensorBoard logs where it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("--tensorboard needs TensorBoard: install it with 'pip install tensorboard'.")


def prepare(folder: Path, about: dict, plan: Plan) -> None:
    """Make a folder that says what is trained in it, or check that it says the same."""
    about = json.loads(json.dumps(about))
    run = Run(folder)
    if (folder / "run.json").exists():
        there, here = run.about | run.plan.table(), about | plan.table()
        if isinstance(there.get("files"), list):  # older versions know files by name only
            here["files"] = list(here.get("files", ()))
        # What an older version did not write down is not known to differ.
        for name in there if set(there) <= set(here) else {**there, **here}:
            if there.get(name) != here.get(name):
                what = f"{name.replace('_', ' ')}: {there.get(name)} there, {here.get(name)} here"
                remedy = "choose another folder with --out, or remove that one"
                raise InputError(f"{folder} holds another run ({what}): {remedy}.")
        return
    # A killed start leaves drafts, the plan, written first (beside what a sweep writes of a trial), or earlier phases.
    left = [path.name for path in folder.glob("[!.]*") if path.name.split(".")[0] != "plan"]
    if (folder.exists() and not folder.is_dir()) or not all(name.startswith("phase-") for name in left):
        raise InputError(f"{folder} is not empty and is no run: choose another folder with --out.")
    run.write("plan.toml", plan.toml())
    run.write("run.json", about)


class _Ticking(keras.callbacks.Callback):
    def __init__(self, tick: Tick, batches: int, before: int = 0) -> None:
        super().__init__()
        self._tick, self._batches, self._before = tick, batches, before

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._tick(self._before + batch + 1, self._batches)

    on_predict_batch_end = on_train_batch_end


def _make_variables(model: keras.Model, examples: Examples) -> None:
    """Make what optimizer and metrics keep: if the first step did, TensorFlow would trace it twice."""
    x, y = rows(examples.x, [0]), examples.y[:1]
    model.optimizer.build(model.trainable_variables)
    model.compute_metrics(x, y, model(x))
    model.reset_metrics()


def _one_epoch(model, train: Examples, validation: Examples, plan: Plan, epoch: int, fresh, callbacks: list) -> dict:
    """Train one epoch, counted from 0; give its row of the history."""
    # A generator of its own for every epoch: a resumed training sees what an unbroken one would.
    rng = np.random.default_rng([plan.seed, epoch])
    for variable in model.variables:  # Keras does not save where the streams of dropout and augmentation were
        if variable.path.endswith("seed_generator_state"):
            variable.assign(rng.integers(0, 2**31, variable.shape).astype(variable.dtype))
    if plan.average:  # Keras gives both the same memory on JAX, which refuses to train on
        model.set_weights(model.get_weights())
    examples = fresh(train, rng) if fresh else train
    order = rng.permutation(len(examples))
    fitted = model.fit(
        rows(examples.x, order), examples.y[order],
        batch_size=plan.batch_size, shuffle=False, class_weight=dict(enumerate(plan.class_weights)) or None,
        validation_data=(validation.x, validation.y), validation_batch_size=256,
        initial_epoch=epoch, epochs=epoch + 1, verbose=0, callbacks=callbacks,
    )  # fmt: skip
    return {"epoch": epoch + 1} | {name: values[0] for name, values in fitted.history.items()}


def _resume(run: Run) -> tuple[list[dict], keras.Model | None]:
    """Read how far it came. The network is named after its epoch: a kill between two files does no harm."""
    if not (run.folder / "history.csv").exists():
        return [], None
    history = run.history.to_dict("records")
    state = run.folder / f"state-{len(history)}.keras"
    return (history, _load(state)) if state.exists() else ([], None)


def _refuse_what_has_other_sizes(path: Path) -> None:
    """Refuse a file whose layers are larger than its weights: Keras would take the memory before it looks at them."""
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file, h5py.File(file) as weights:
        config, widths = json.loads(archive.read("config.json")), set()
        weights.visititems(lambda _, one: widths.update(getattr(one, "shape", ())))
    for layer in _layers(config):
        told, gates = layer.get("config", {}), {"LSTM": 4, "GRU": 3}.get(layer["class_name"], 1)
        asked = [told[name] for name in ("units", "filters") if name in told]
        samples = prod(size or 1 for size in told.get("batch_shape") or ())
        if samples > _MOST_SAMPLES or any(gates * size not in widths for size in asked):
            raise ValueError(f"{layer['class_name']} does not fit the weights")


def _layers(config: object) -> Iterator[dict]:
    """Give every layer that a network's description holds, networks within it too."""
    for part in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        if isinstance(part, dict) and "class_name" in part:
            yield part
        yield from _layers(part)


def _load(path: Path) -> keras.Model:
    """Load a network; whatever Keras says of a damaged file, it is one sentence here."""
    try:
        _refuse_what_has_other_sizes(path)
        return keras.saving.load_model(path)
    except Exception as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}): remove its folder and train again.") from None


def _store(run: Run, model: keras.Model, history: list[dict], plan: Plan) -> None:
    """Keep the state of an epoch: the network first, then the history that points to it."""
    epoch = len(history)
    partial = run.folder / _PARTIAL
    state = run.folder / f"state-{epoch}.keras"
    try:
        model.save(partial)
        os.replace(partial, state)
        if _best(history, plan) == epoch - 1:
            shutil.copyfile(state, partial)
            os.replace(partial, run.folder / "best.keras")
    except OSError as error:  # a full disk, a folder that is gone
        partial.unlink(missing_ok=True)
        raise files.cannot_write(run.folder, error) from error
    run.write("history.csv", pd.DataFrame(history))
    (run.folder / f"state-{epoch - 1}.keras").unlink(missing_ok=True)


def _best(history: list[dict], plan: Plan) -> int:
    values = np.array([row[f"val_{plan.best_by}"] for row in history])
    return int(np.argmin(values if plan.best_by == "loss" else -values))


def _stale(history: list[dict], plan: Plan) -> bool:
    return bool(plan.patience and history and len(history) - 1 - _best(history, plan) >= plan.patience)
