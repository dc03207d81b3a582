"""Networks that find exchanged electrodes.

`usoltsev` is the original (A. Usoltsev, 2017). `hypotheses` is ours: it undoes every exchange in turn
and asks which result looks most like a heart. `amplitudes` gives the features of the classical baseline.
"""

import keras
import numpy as np
from keras import layers, ops
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ecg_lessons.models.normalization import BatchNormalization
from ecg_lessons.signals.augment import Configured, RandomBody, RandomCrop, RandomGain, RandomNoise, RandomTimeShift
from ecg_lessons.signals.beats import BEAT_BEFORE, BEAT_RATE, BEAT_SAMPLES
from ecg_lessons.signals.leads import SWAPS

#: The original's input: three seconds at 250 Hz.
SAMPLES = 750


def usoltsev(classes: int = 2, samples: int = SAMPLES, augment: bool = True) -> keras.Model:
    """Build the original network: three convolutions, a flattening, one unit; 149,185 parameters.

    From (batch, samples, 12) to (batch, 1) for two classes, else to a softmax (batch, classes) over the swaps. Longer
    recordings than the original's are cropped at random in training; those of its length are shifted by up to half a
    second, unless they are augmented already.
    """
    inputs = keras.Input((samples, 12), name="signal")
    cut = RandomCrop(SAMPLES) if samples > SAMPLES else RandomTimeShift(SAMPLES // 6)
    x = cut(inputs) if augment or samples > SAMPLES else inputs
    for filters in (64, 128, 256):
        x = layers.MaxPooling1D(2)(layers.Conv1D(filters, 3, activation="relu")(x))
    return keras.Model(inputs, _head(layers.Dropout(0.5)(layers.Flatten()(x)), classes), name="usoltsev")


def plain(classes: int = len(SWAPS) + 1, augment: bool = True) -> keras.Model:
    """Build an ordinary classifier of median beats, which shows what `hypotheses` adds, as all else is equal.

    `augment` lets training see other bodies: `RandomBody` computes the limb leads anew, so a network that is to find
    broken identities must go without.
    """
    inputs = keras.Input((BEAT_SAMPLES, 12), name="beat")
    x = _features(Standardize()(_augment(inputs) if augment else inputs))
    return keras.Model(inputs, _head(x, classes), name="plain")


def hypotheses(classes: int = len(SWAPS) + 1) -> keras.Model:
    """Build the network that undoes every exchange and asks which result looks right.

    An exchange of electrodes is an exact map S. If a network E scores how much an ECG looks like a correctly recorded
    one, then Bayes' rule gives the probability of every exchange from one and the same E: p(S | x) is the softmax over
    S of E(S⁻¹ x) + log p(S). All exchanges share every weight, and what the network learns about hearts from one
    exchange serves all others. The prior p(S) is that of the training: one half for "correct", the rest shared evenly.

    From median beats (batch, BEAT_SAMPLES, 12) in mV to the probabilities of "correct" and of `SWAPS` in order, or, for
    two classes, to one probability of "inverted", (batch, 1).
    """
    inputs = keras.Input((BEAT_SAMPLES, 12), name="beat")
    undone = UndoSwaps()(Standardize()(_augment(inputs)))
    one = keras.Input((BEAT_SAMPLES, 12))
    energy = keras.Model(one, layers.Dense(1, use_bias=False)(_features(one)), name="looks_right")
    probable = Posterior(name="swap")(energy(undone))
    return keras.Model(inputs, probable if classes > 2 else 1 - probable[:, :1], name="hypotheses")


def _augment(x):
    return RandomNoise(0.02)(RandomGain(0.1)(RandomBody()(RandomTimeShift(3)(x))))


def _features(x):
    """Convolve, and flatten: where a wave stands tells what it is. Trainings are short: 10 batches are remembered."""
    for filters, width in ((32, 7), (64, 5), (64, 5), (64, 5)):
        x = layers.Conv1D(filters, width, padding="same", use_bias=False)(x)
        x = layers.MaxPooling1D(2)(layers.ReLU()(BatchNormalization(momentum=0.9)(x)))
    return layers.Dropout(0.5)(layers.Flatten()(x))


def _head(x, classes: int):
    if classes == 2:
        return layers.Dense(1, activation="sigmoid", dtype="float32")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32")(x)


class Standardize(Configured, keras.layers.Layer):
    """Divide each recording by its standard deviation over time and leads: shape counts, not size."""

    def call(self, x):
        """Scale x, shape (batch, samples, leads)."""
        return x / (ops.std(x, axis=(1, 2), keepdims=True) + 1e-3)


class UndoSwaps(Configured, keras.layers.Layer):
    """Undo nothing, then each exchange, its own inverse: (batch, samples, 12) to (batch x hypotheses, samples, 12)."""

    def call(self, x):
        """Stack the hypotheses behind one another."""
        maps = np.stack([np.eye(12, dtype=np.float32), *SWAPS.values()])
        return ops.reshape(ops.einsum("kij,btj->bkti", ops.cast(maps, x.dtype), x), (-1, *x.shape[1:]))


class Posterior(Configured, keras.layers.Layer):
    """Turn the scores of the hypotheses (batch x hypotheses, 1) into probabilities (batch, hypotheses).

    `correct` is the prior probability that nothing was exchanged.
    """

    correct: float = 0.5

    def __init__(self, *values, **options):
        super().__init__(*values, **options)
        self.prior = np.array([self.correct] + [(1 - self.correct) / len(SWAPS)] * len(SWAPS), dtype=np.float32)

    def compute_output_shape(self, shape):
        """Give the shape; JAX cannot find it by trying a batch, since only whole sets of hypotheses can be folded."""
        return (None if shape[0] is None else shape[0] // len(self.prior), len(self.prior))

    def call(self, scores):
        """Apply Bayes' rule."""
        return ops.softmax(ops.cast(ops.reshape(scores, (-1, len(self.prior))), "float32") + np.log(self.prior))


def amplitudes(beat: np.ndarray) -> np.ndarray:
    """Describe median beats (n, BEAT_SAMPLES, 12) in mV as a cardiologist would: (n, 84).

    Mean of P, maximum, minimum and mean of QRS, mean of T in every lead; correlation of I with V6 and of neighbouring
    chest leads; sine and cosine of the frontal P, QRS and T axes; share of every lead in the size of the beat.
    """
    r, ms = round(BEAT_BEFORE * BEAT_RATE), BEAT_RATE / 1000
    spans = ((-260, -70), (-60, 70), (100, 450))  # around R
    p, qrs, t = (beat[:, r + round(start * ms) : r + round(end * ms)] for start, end in spans)
    waves = np.concatenate([p.mean(1), qrs.max(1), qrs.min(1), qrs.mean(1), t.mean(1)], axis=1)
    centred = beat - beat.mean(axis=1, keepdims=True)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / (size + 1e-6)
    pairs = [(0, 11), *zip(range(6, 11), range(7, 12), strict=True)]
    alike = np.stack([(unit[..., a] * unit[..., b]).sum(axis=1) for a, b in pairs], axis=1)
    axes = [np.arctan2(wave.mean(1)[:, 5], wave.mean(1)[:, 0]) for wave in (p, qrs, t)]
    axis = np.stack([part(angle) for angle in axes for part in (np.sin, np.cos)], axis=1)
    return np.concatenate([waves, alike, axis, size[:, 0] / size[:, 0].sum(axis=1, keepdims=True)], axis=1).astype(
        np.float32
    )


def classical():
    """Build the classical baseline: `amplitudes`, scaled, then a logistic regression."""
    return make_pipeline(FunctionTransformer(amplitudes), StandardScaler(), LogisticRegression(max_iter=2000))
