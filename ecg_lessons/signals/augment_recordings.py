"""Augmentation of whole single-lead recordings of unequal length, as Keras layers.

Each layer takes a signal, shape (batch, samples), with zeros behind its end, and its true length, shape (batch, 1),
and gives both. The two ideas are those of Zihlmann et al. (CinC 2017, arXiv 1710.06122): dropout bursts, and random
resampling. All work is done on the batch at once.
"""

import keras
from keras import ops

from ecg_lessons.signals.augment import Augmentation

#: A burst lasts 50 ms at 300 Hz.
BURST = 15


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomWindow(Augmentation, dtype="float32"):
    """Cut a window out of each recording in training, and stretch it at random; leave it whole otherwise.

    One gather does both. A stretched recording looks as if the heart beat more slowly, a shrunk one as if it
    beat faster. In between samples the signal is interpolated linearly.

    samples: length of the window; 0 keeps the padded length. stretch: a recording becomes 1 - stretch to 1 + stretch
    times as long, as in the paper (there 1/3).
    """

    samples: int = 0
    stretch: float = 1 / 3

    def call(self, signal, length, training: bool = False):
        """Give windows, shape (batch, samples), and their true lengths, shape (batch, 1)."""
        if not training or not (self.samples or self.stretch):
            return signal, length
        batch, width = ops.shape(signal)[0], self.samples or signal.shape[1]
        draw = keras.random.uniform((batch, 2), seed=self.generator)
        speed = 1 / (1 + self.stretch * (2 * draw[:, :1] - 1))
        true = ops.cast(length, "float32")
        start = draw[:, 1:] * ops.maximum(true - width * speed, 0.0)
        position = start + ops.arange(width, dtype="float32")[None, :] * speed
        before = ops.cast(ops.minimum(position, signal.shape[1] - 2), "int32")
        share = position - ops.cast(before, "float32")
        left, right = (ops.take_along_axis(signal, before + step, axis=1) for step in (0, 1))
        kept = ops.cast(ops.floor(ops.minimum((true - 1 - start) / speed + 1, width)), "int32")
        inside = ops.arange(width)[None, :] < kept
        return ops.where(inside, left + share * (right - left), 0.0), ops.cast(kept, length.dtype)


@keras.saving.register_keras_serializable("ecg_lessons")
class DropoutBursts(Augmentation, dtype="float32"):
    """Set about a share of the signal to zero in training, 50 ms at a time, as if an electrode lost contact."""

    share: float = 0.22

    def change(self, signal):
        """Zero bursts of a signal, shape (batch, samples)."""
        if not self.share:
            return signal
        # A sample survives if none of the 15 instants around it was drawn.
        chance = 1 - (1 - self.share) ** (1 / BURST)
        drawn = keras.random.uniform(ops.shape(signal), seed=self.generator) < chance
        passed = ops.cumsum(ops.cast(drawn, "int32"), axis=1)
        ahead, behind = BURST // 2, BURST // 2 + 1
        last = ops.repeat(passed[:, -1:], ahead, axis=1)
        until = ops.concatenate([passed[:, ahead:], last], axis=1)
        hit = until - ops.pad(passed, ((0, 0), (behind, 0)))[:, :-behind]
        return ops.where(hit > 0, 0.0, signal)
