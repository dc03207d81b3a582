"""Files of recordings to arrays: WFDB signals and annotations, and the .mat files of CinC 2017."""

import warnings
from pathlib import Path

import numpy as np
import scipy.io
import wfdb

from ecg_lessons.errors import InputError


def read_signal(base: Path) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Read the signals of a record: float32, shape (samples, leads), in mV; their rate (Hz); leads as spelled there.

    Where the file marks a sample as missing it becomes 0.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = wfdb.rdrecord(str(base), return_res=32)  # float32 from the start: twice as fast
    except FileNotFoundError as error:
        lacking = f"its signal file {Path(error.filename).name} is missing"
        raise InputError(f"Record {base} has a header but {lacking}: fetch the record again.") from None
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"Record {base} cannot be read as WFDB (truncated or damaged: {reason}): fetch it again."
        ) from None
    if record.p_signal is None or not len(record.p_signal):
        raise InputError(f"Record {base} holds no samples: fetch it again.")
    signal = np.nan_to_num(record.p_signal, copy=False).astype(np.float32, copy=False)
    return signal, float(record.fs), tuple(record.sig_name)


def read_annotations(base: Path, annotator: str, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Read where annotations stand (samples, below `length`) and what they are (symbols)."""
    name = f"{base.name}.{annotator}"
    remedy = "fetch the file, or leave the record out"
    try:
        annotation = wfdb.rdann(str(base), annotator)
    except FileNotFoundError:
        raise InputError(f"Record {base.name} has no annotations ({name}): {remedy}.") from None
    except Exception:
        raise InputError(f"The annotations of record {base} ({name}) cannot be read: fetch the file again.") from None
    samples = np.asarray(annotation.sample)
    if not len(samples):
        raise InputError(f"{base}.{annotator} holds no annotation: {remedy}.")
    if samples.max() >= length:
        place = f"an annotation at sample {samples.max()} lies beyond the signal's end ({length})"
        raise InputError(f"Record {base.name}: {place}: fetch the record again.")
    return samples, np.asarray(annotation.symbol)


def read_mat(path: Path) -> np.ndarray:
    """Read a .mat file of CinC 2017, 1000 steps per mV: float32, shape (samples, 1), in mV."""
    if not path.is_file():
        raise InputError(f"No file {path}: give the path of a .mat recording of CinC 2017.")
    try:
        values = scipy.io.loadmat(path)["val"]
    except KeyError:
        raise InputError(f"{path} has no variable 'val': it is not a recording of CinC 2017.") from None
    except Exception:
        raise InputError(f"{path} cannot be read as a MATLAB file: fetch it again.") from None
    return (values.reshape(-1, 1) / 1000).astype(np.float32)
