"""Log-spectrograms: how the power of a recording is spread over frequencies, moment by moment.

The settings are those of Zihlmann et al. (CinC 2017, arXiv 1710.06122): Tukey windows of 64 samples, half of each
shared with the next, at 300 Hz. A window lasts 213 ms and a step 107 ms; the 33 frequencies lie 4.7 Hz apart.
"""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import scipy.fft
import scipy.signal
from keras import ops

from ecg_lessons.errors import InputError
from ecg_lessons.signals.augment import Configured

RATE = 300.0
#: Samples in a window, and from one window to the next.
WINDOW, STEP = 64, 32
FREQUENCIES = WINDOW // 2 + 1
#: The Tukey window and the share of it that is tapered.
TAPER = ("tukey", 0.25)
#: What counts as no power (µV²/Hz): below the smallest of whole microvolts, above what rounding leaves of zero.
ZERO = 1e-9
_TAPER = scipy.signal.get_window(TAPER, WINDOW)
#: From a squared spectrum to a density; the mean and the highest frequency have no mirror image.
_DENSITY = np.r_[1.0, np.full(FREQUENCIES - 2, 2.0), 1.0] / (RATE * (_TAPER**2).sum())
#: So many recordings at a time stay in the processor's cache.
_CHUNK = 4


def frames(samples, step: int = STEP):
    """Count the windows that fit into so many samples (a number or an array); 0 below one window."""
    return np.maximum(samples - WINDOW + step, 0) // step


def log_spectrogram(signal: np.ndarray, floor: float = 0.0, step: int = STEP) -> np.ndarray:
    """Compute log-spectrograms as the paper did, float32 (..., frames, 33), of signals (..., samples) in µV at 300 Hz.

    Natural logarithms of the power density in µV²/Hz plus the floor; with a floor of 0, the paper's, zeros stay zero.
    """
    signal = np.asarray(signal)
    if signal.shape[-1] < WINDOW:
        window = f"one window of the spectrogram ({WINDOW} samples, 0.21 s)"
        raise InputError(f"A recording of {signal.shape[-1]} samples is shorter than {window}: leave it out.")
    drawn = np.empty((*signal.shape[:-1], frames(signal.shape[-1], step), FREQUENCIES), np.float32)
    table, pages = signal.reshape(-1, signal.shape[-1]), drawn.reshape(-1, *drawn.shape[-2:])
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(table), _CHUNK)]
    with ThreadPoolExecutor() as pool:  # SciPy's transforms leave Python's lock alone
        list(pool.map(lambda chunk: _log(table[chunk], floor, step, pages[chunk]), chunks))
    return drawn


def _log(signal: np.ndarray, floor: float, step: int, out: np.ndarray) -> None:
    # Behind the end of a recording zeros stand, and their spectrum is known.
    end = signal.shape[1] - (signal[:, ::-1] != 0).argmax(axis=1)
    inside = np.arange(out.shape[1]) * step < end[:, None]
    windows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW, axis=1)[:, ::step][inside].astype(float)
    # What scipy.signal.spectrogram does, to the last bit and in half of its time.
    spectrum = scipy.fft.rfft(_TAPER * (windows - windows.mean(axis=1, keepdims=True)))
    power = (np.conjugate(spectrum) * spectrum).real * _DENSITY
    out[...] = np.log(floor or 1)
    out[inside] = np.log(power + floor if floor else np.where(power > ZERO, power, 1))


def _transform() -> np.ndarray:
    """Give the matrix (64, 66) from a window to its spectrum, real and imaginary, whose squares are SciPy's density."""
    angle = 2 * np.pi * np.outer(np.arange(WINDOW), np.arange(FREQUENCIES)) / WINDOW
    scale = np.sqrt(_DENSITY)
    return (np.eye(WINDOW) - 1 / WINDOW) @ (_TAPER[:, None] * np.hstack([np.cos(angle) * scale, np.sin(angle) * scale]))


class LogSpectrogram(Configured, keras.layers.Layer, dtype="float32"):  # half precision has no room for µV²
    """`log_spectrogram` inside a network, so that augmentation can come before it; the step must divide a window.

    JAX counts in single precision: without a floor, about one value in a thousand, where there is hardly any power,
    is not SciPy's there; with a floor of 0.01 all agree to 0.001 (on 60 recordings of CinC 2017).
    """

    floor: float = 0.0
    step: int = STEP

    def call(self, signal):
        """Transform a signal in microvolts, shape (batch, samples), to (batch, frames, 33)."""
        steps, shared = signal.shape[1] // self.step, WINDOW // self.step
        blocks = ops.reshape(signal[:, : steps * self.step], (-1, steps, self.step))
        windows = ops.concatenate([blocks[:, i : steps - shared + 1 + i] for i in range(shared)], axis=-1)
        # Double precision where the backend has it: a faint frequency beside a strong one drowns in rounding.
        exact = "float32" if keras.backend.backend() == "jax" else "float64"
        parts = ops.square(ops.matmul(ops.cast(windows, exact), ops.convert_to_tensor(_transform(), exact)))
        power = ops.cast(parts[..., :FREQUENCIES] + parts[..., FREQUENCIES:], "float32")
        if self.floor:
            return ops.log(power + self.floor)
        return ops.where(power > ZERO, ops.log(ops.maximum(power, ZERO)), 0.0)

    def compute_output_shape(self, shape):
        """Give (batch, frames, 33)."""
        return (shape[0], int(frames(shape[1], self.step)), FREQUENCIES)
