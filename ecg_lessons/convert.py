"""A trained network for programs without Keras: ONNX, TFLite or a SavedModel, and the proof that it says the same."""

import contextlib
import importlib.util
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from ecg_lessons import files, quiet
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Arrays
from ecg_lessons.lesson import Lesson
from ecg_lessons.training import Opened, Run

#: So many examples are asked of both, and how far their probabilities may be apart.
EXAMPLES, TOLERANCE = 100, 1e-4
#: Gives the answer to a batch, by the names of inputs.
Answer = Callable[[Mapping[str, np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Format:
    """What people and Keras call a format, the modules that it needs beside TensorFlow, and how a file is asked."""

    name: str
    keras: str
    needs: tuple[str, ...]
    open: Callable[[Path], Answer]


def _onnx(path: Path) -> Answer:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, batch)[0]


def _tflite(path: Path) -> Answer:
    import tensorflow as tf

    signature = tf.lite.Interpreter(model_path=str(path)).get_signature_runner()
    return lambda batch: next(iter(signature(**batch).values()))


def _saved_model(path: Path) -> Answer:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return lambda batch: loaded.serve(batch if len(batch) > 1 else next(iter(batch.values()))).numpy()


#: By the ending of what is written; a SavedModel is a folder.
FORMATS = {
    ".onnx": Format("ONNX", "onnx", ("tf2onnx", "onnxruntime"), _onnx),
    ".tflite": Format("TFLite", "litert", (), _tflite),
    "": Format("SavedModel", "tf_saved_model", (), _saved_model),
}


def format_of(to: Path, force: bool = False) -> Format:
    """Give the format that the name of a target stands for, or refuse the target before anything is done."""
    if to.suffix.lower() not in FORMATS:
        wanted = "end it in .onnx or .tflite, or name a new folder without an ending for a SavedModel"
        raise InputError(f"--to {to} names no format: {wanted}.")
    form = FORMATS[to.suffix.lower()]
    if keras.backend.backend() != "tensorflow":
        raise InputError("Networks are converted by TensorFlow: set KERAS_BACKEND=tensorflow.")
    if lacking := [name for name in form.needs if importlib.util.find_spec(name) is None]:
        raise InputError(f"ONNX needs {' and '.join(lacking)}: pip install 'ecg-lessons[export]', or write .tflite.")
    if not to.suffix:
        files.refuse_full(to, "the SavedModel")
    elif to.is_dir() or (to.exists() and not force):
        raise InputError(f"--to {to} exists: name another file" + ("." if to.is_dir() else ", or add --force."))
    return form


def convert(lesson: Lesson, run: Run, to: Path, force: bool = False) -> float:
    """Write the network of a run in the format that the ending of `to` names; give the largest difference to Keras.

    Both are asked of `EXAMPLES` of the lesson's first source. If they differ by more than `TOLERANCE`, nothing is left.
    """
    form = format_of(to, force)
    model, batch, told = _asked(lesson, run)
    with tempfile.TemporaryDirectory() as place:
        draft = Path(place) / to.name
        apart = float(np.abs(_answers(model, draft, form, batch, run) - told).max())
        if not apart <= TOLERANCE:
            what = f"the {form.name} network differs from Keras by {apart:.2g} in a probability"
            raise InputError(f"{run.folder}: {what}, and {TOLERANCE:g} is allowed: choose another format.")
        if to.suffix:
            files.write(to, draft.read_bytes())
        else:
            with files.new_folder(to, "the SavedModel") as folder:
                shutil.copytree(draft, folder, dirs_exist_ok=True)
    return apart


def _answers(model: keras.Model, draft: Path, form: Format, batch: dict[str, np.ndarray], run: Run) -> np.ndarray:
    """Write the network, read it again and ask it."""
    try:
        with (
            quiet.stderr(),
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # of the parts that TensorFlow will move one day
            with contextlib.redirect_stdout(nowhere):
                model.export(draft, format=form.keras, verbose=False)
            return form.open(draft)(batch)
    except OSError as error:
        raise files.cannot_write(draft, error) from error
    except Exception as error:
        what = f"the network {run.about['network']} holds operations that {form.name} has not"
        raise InputError(f"{run.folder}: {what} ({type(error).__name__}): choose another format.") from error


def _asked(lesson: Lesson, run: Run) -> tuple[keras.Model, dict[str, np.ndarray], np.ndarray]:
    """Give the network, a batch as the lesson shows it to the network, by the names of inputs, and the answers."""
    model, shown = run.model, []
    examples = lesson.load(next(iter(lesson.sources)))
    some = examples.take(np.unique(np.linspace(0, len(examples) - 1, EXAMPLES).astype(int)))

    def keep(x: Arrays, *_, **__) -> np.ndarray:
        shown.append(x)
        return np.asarray(model(x, training=False))

    model.predict = model.predict_on_batch = keep
    lesson.predict_rows(Opened(run.folder, model), some.x, None)
    del model.predict, model.predict_on_batch
    if len(shown) != 1:
        what = "its verdict is a mean of several looks, which no converted network gives"
        raise InputError(f"{run.folder}: {what}: train it without --augment nine-crops.")
    batch = shown[0]
    if not isinstance(batch, Mapping):
        parts = batch if isinstance(batch, list) else [batch]
        batch = dict(zip((one.name for one in model.inputs), parts, strict=True))
    batch = {one.name: np.asarray(batch[one.name], one.dtype) for one in model.inputs}
    return model, batch, np.asarray(keep(shown[0]))
