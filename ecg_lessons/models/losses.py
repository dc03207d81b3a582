"""Losses that Keras does not have."""

from __future__ import annotations

import keras
from keras import ops

from ecg_lessons.signals.augment import Configured


@keras.saving.register_keras_serializable("ecg_lessons")
class SparseFocalLoss(Configured, keras.losses.Loss):
    """Cross-entropy that cares less about what is already known (Lin et al. 2017, arXiv 1708.02002, equation 4).

    It is -(1 - p)^gamma log p, with p the probability of the true class; gamma 0 is plain cross-entropy.
    """

    def __init__(self, gamma: float = 2.0, name: str = "sparse_focal_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """Give the loss of each example: labels (batch,) or (batch, 1), probabilities (batch, classes)."""
        y_true = ops.cast(ops.reshape(y_true, (-1, 1)), "int32")
        p = ops.take_along_axis(y_pred, y_true, axis=1)[:, 0]
        p = ops.clip(p, keras.config.epsilon(), 1.0)
        return -((1.0 - p) ** self.gamma) * ops.log(p)


@keras.saving.register_keras_serializable("ecg_lessons")
class SmoothedCrossentropy(Configured, keras.losses.Loss):
    """Cross-entropy that trusts no label fully (Szegedy et al. 2016, arXiv 1512.00567, section 7).

    The share `smoothing` of a label is spread evenly over all classes; 0 is plain cross-entropy.
    """

    def __init__(self, smoothing: float = 0.05, name: str = "smoothed_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.smoothing = smoothing

    def call(self, y_true, y_pred):
        """Give the loss of each example: labels (batch,) or (batch, 1), probabilities (batch, classes)."""
        logs = ops.log(ops.clip(y_pred, keras.config.epsilon(), 1.0))
        own = ops.take_along_axis(logs, ops.cast(ops.reshape(y_true, (-1, 1)), "int32"), axis=1)[:, 0]
        return -(1.0 - self.smoothing) * own - self.smoothing * ops.mean(logs, axis=1)
