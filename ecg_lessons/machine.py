"""The machine: quiet logs, seeds and precision before TensorFlow is imported, and a check of what is there."""

import contextlib
import importlib.metadata
import io
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ecg_lessons import files, quiet
from ecg_lessons.errors import InputError, note

#: From this compute capability on, TensorFlow 2.21, which has CUDA 12 only, cannot compute on a GPU.
TOO_NEW = 10
NO_GPU = (
    "No GPU was found: the lessons run on the CPU, in minutes. "
    "If this machine has an NVIDIA card, 'nvidia-smi' must show it; if it does not, install NVIDIA's driver. "
    "If it does, install ecg-lessons[gpu], or in a container NVIDIA's Container Toolkit on the host and add --gpus all."
)
#: What the largest process of a lesson takes, in bytes, with some room: 3.6 GB were measured.
MEMORY = 4_000_000_000
PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "opencv-python-headless", "wfdb")


def setup(seed: int = 0, precision: str = "float32", figures: bool = False) -> None:
    """Prepare Keras and its backend. Call it first; again, it only sets seed and precision (a dtype policy).

    `figures` also sets Matplotlib up for notebooks: PNG figures of one size on every machine. What stands in a user's
    keras.json changes nothing; the backend is TensorFlow, or what KERAS_BACKEND names.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
        os.environ["KERAS_HOME"] = str(files.cache() / "keras")  # a user's keras.json is not even read
    # Errors come as Python's exceptions; what else the C++ side logs differs from processor to processor.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet.stderr():
        try:
            import keras
        except ImportError as error:
            what = f"KERAS_BACKEND={os.environ['KERAS_BACKEND']} cannot be used ({error})"
            raise InputError(f"{what}: unset it, or install that backend.") from None

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")
            with contextlib.suppress(RuntimeError):  # already in use: leave it as it is
                _gpus_of(tf)
            _feed_whole_batches(tf)
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(precision)
    if figures:
        _figures()


def _gpus_of(tf) -> None:
    # Cards that TensorFlow cannot use are hidden from it, so that a lesson runs on the CPU and does not fail.
    gpus = tf.config.list_physical_devices("GPU")
    usable = [gpu for gpu in gpus if _capability(tf, gpu) < (TOO_NEW, 0)]
    if usable != gpus:
        tf.config.set_visible_devices(usable, "GPU")
        sentence = "This GPU is too new for TensorFlow, which computes without it: set KERAS_BACKEND=jax to use it."
        note(sentence)
    for gpu in usable:
        tf.config.experimental.set_memory_growth(gpu, True)


def _capability(tf, gpu) -> tuple[int, int]:
    return tuple(tf.config.experimental.get_device_details(gpu).get("compute_capability") or (0, 0))


def _feed_whole_batches(tf) -> None:
    # Keras looks up the rows of each batch in a pipeline of functions, and traces them anew for every call of `fit`:
    # a third of the time of the lessons' shortest trainings. Arrays that keep their order are cut into batches once.
    # And tf.data's autotuner has nothing to tune in arrays in memory. It sleeps for 10 ms, 20 ms, 40 ms ... and a data
    # set that ends waits until it wakes: an epoch of 23 s took 41 s. Keras has no way to say either; should it change
    # what is wrapped here, epochs only get slower again.
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

        usual = ArrayDataAdapter.get_tf_dataset
        if getattr(usual, "is_plain", False):
            return
        options = tf.data.Options()
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False

        def plain(self):
            data = None if self._shuffle else _whole_batches(tf, self._inputs, self._batch_size)
            return (usual(self) if data is None else data).with_options(options)

        plain.is_plain = True
        ArrayDataAdapter.get_tf_dataset = plain


def _whole_batches(tf, arrays, size: int):
    import numpy as np
    from keras import tree

    if not all(isinstance(array, np.ndarray) and array.dtype.kind in "fiub" for array in tree.flatten(arrays)):
        return None
    arrays = tree.lists_to_tuples(arrays)  # a list would be made one tensor
    floats = {"dtype": "float32", "copy": False}
    arrays = tree.map_structure(lambda array: array.astype(**floats) if array.dtype.kind == "f" else array, arrays)
    rows = len(tree.flatten(arrays)[0])
    if not rows:
        return None
    whole = rows // size
    parts = []
    if whole:
        cut = tree.map_structure(lambda array: array[: whole * size].reshape(whole, size, *array.shape[1:]), arrays)
        parts.append(tf.data.Dataset.from_tensor_slices(cut))
    if rows % size:
        parts.append(tf.data.Dataset.from_tensors(tree.map_structure(lambda array: array[whole * size :], arrays)))
    return parts[0] if len(parts) == 1 else parts[0].concatenate(parts[1])


def _figures() -> None:
    # Every Figure that ends a cell is shown once, as a PNG of one size and of 256 colours: a third of the bytes.
    import matplotlib.pyplot as plt
    from IPython import get_ipython
    from matplotlib.figure import Figure

    plt.rcParams.update({"figure.dpi": 100, "savefig.dpi": 100, "figure.constrained_layout.use": True})
    if shell := get_ipython():
        # The backend registers a way of its own to show figures: let it do so first.
        plt.switch_backend(plt.get_backend())
        shell.display_formatter.formatters["image/png"].for_type(Figure, _png)


def _png(figure) -> bytes:
    from PIL import Image

    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, dpi=100)
    Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


class Finding(NamedTuple):
    """One line of the check: what was looked at, what is there, and the remedy where it is not well."""

    what: str
    state: str
    remedy: str = ""


class Report(tuple[Finding, ...]):
    """What `check` found."""

    @property
    def well(self) -> bool:
        """Whether the lessons will run here."""
        return not any(finding.remedy for finding in self)

    def __str__(self) -> str:
        width = max(len(finding.what) for finding in self)
        return "\n".join(
            f"{'!! ' if remedy else 'ok '} {what:<{width}}  {state}" + f"\n{'':<{width + 5}} -> {remedy}" * bool(remedy)
            for what, state, remedy in self
        )


def cores() -> int:
    """Count the processor cores that this process may use, which in a container are fewer than there are."""
    import joblib

    return joblib.cpu_count()


def side_by_side(asked: int, waiting: int) -> int:
    """Say how many processes shall work side by side: as many as asked for, have a core, MEMORY and something to do."""
    import psutil

    return max(min(asked, waiting, cores(), psutil.virtual_memory().available // MEMORY), 1)


def has_gpu() -> bool:
    """Tell whether the backend finds a GPU."""
    import keras

    return bool(_gpus(keras.backend.backend()))


def check() -> Report:
    """Look at Python, the packages, the device, memory, disk and data, and time a training step."""
    import psutil

    setup()
    memory = psutil.virtual_memory().available / 2**30
    cache = files.cache()
    free = shutil.disk_usage(next(path for path in (cache, *cache.parents) if path.exists())).free / 2**30
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    findings = (
        ("Python", platform.python_version(), "" if supported else "use Python 3.11, 3.12 or 3.13"),
        ("packages", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)),
        _backend(),
        _device(),
        ("processor", f"{cores()} cores, {platform.machine()}"),
        ("memory", f"{memory:.1f} GiB free", "" if memory > 4 else "close other programs: lessons need 4 GiB"),
        ("disk", f"{free:.1f} GiB free in {_short(cache)}", "" if free > 1 else "make 1 GiB free there"),
        _writable(cache),
        _real_data(),
    )
    return Report(Finding(*finding) for finding in findings)


def _backend() -> tuple[str, str, str]:
    import keras
    import numpy as np

    backend = keras.backend.backend()
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    loss = float(model.train_on_batch(np.ones((4, 8)), np.ones((4, 1))))
    remedy = "" if np.isfinite(loss) else "reinstall with 'make clean course'"
    return ("Keras", f"{keras.__version__} on {backend} {sys.modules[backend].__version__}, trains", remedy)


def _device() -> tuple[str, str, str]:
    # A real matrix product, since a card that is listed may still not compute.
    import keras
    import numpy as np

    gpus = _gpus(keras.backend.backend())
    named = "; ".join(f"{name}, compute capability {capability}" for name, capability in gpus)
    unusable = (
        named
        and keras.backend.backend() == "tensorflow"
        and not sys.modules["tensorflow"].config.get_visible_devices("GPU")
    )
    left, right = np.random.default_rng(0).standard_normal((2, 1024, 1024)).astype("float32")
    try:
        keras.ops.convert_to_numpy(keras.ops.matmul(left, right))  # the first call also chooses how to compute
        begun = time.perf_counter()
        product = keras.ops.convert_to_numpy(keras.ops.matmul(left, right))
        speed = 2 * len(left) ** 3 / (time.perf_counter() - begun) / 1e9
    except Exception as error:  # whatever a driver, CUDA or a backend says
        why = f"a matrix product failed ({type(error).__name__})"
        return ("device", f"{named or 'CPU'}: {why}", "set CUDA_VISIBLE_DEVICES=-1 to compute on the CPU")
    right_enough = np.allclose(product, left @ right, atol=0.5)  # TF32 of a GPU has ten bits
    state = f"{named or 'CPU'}: a matrix product is {'right' if right_enough else 'wrong'}, {speed:,.0f} GFLOP/s"
    if not right_enough:
        return ("device", state, "set CUDA_VISIBLE_DEVICES=-1 to compute on the CPU")
    if unusable:
        return ("device", f"{state}, on the CPU", "set KERAS_BACKEND=jax: this card is too new for TensorFlow")
    return ("device", state if named else f"{state}. {NO_GPU}", "")


def _gpus(backend: str) -> list[tuple[str, str]]:
    """Name the GPUs that a backend finds, each with its compute capability."""
    if backend == "tensorflow":
        import tensorflow as tf

        details = tf.config.experimental.get_device_details
        found = [
            (details(gpu).get("device_name", "GPU"), _capability(tf, gpu))
            for gpu in tf.config.list_physical_devices("GPU")
        ]
        return [(name, ".".join(map(str, capability))) for name, capability in found]
    if backend == "jax":
        import jax

        found = [device for device in jax.devices() if device.platform in ("gpu", "cuda")]
        return [(device.device_kind, str(getattr(device, "compute_capability", "unknown"))) for device in found]
    import keras

    return [(name, "unknown") for name in keras.distribution.list_devices("gpu")]


def _real_data() -> tuple[str, str, str]:
    from ecg_lessons.data import catalog, fetch

    whole, partly = [], []
    for name in catalog.DATASETS:
        if any(not path.name.startswith(".") for path in catalog.folder(name).glob("*")):
            try:
                fetch.locate(name)
                whole.append(name)
            except InputError:
                partly.append(name)
    there = ", ".join(whole + [f"{name} (incomplete)" for name in partly])
    remedy = f"run 'ecg-lessons fetch {partly[0]}' to complete it" if partly else ""
    return ("real data", there or "none; the lessons run on the built-in cohort", remedy)


def _writable(folder: Path) -> tuple[str, str, str]:
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    remedy = "" if os.access(folder, os.W_OK) else "set ECG_LESSONS_CACHE to a folder you may write to"
    return ("cache", _short(folder), remedy)


def _short(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
