"""Losses and a metric that Keras does not have."""

import keras
from keras import ops

from ecg_lessons.signals.augment import Configured


class SparseFocalLoss(Configured, keras.losses.Loss, name="sparse_focal_loss"):
    """-(1 - p)^gamma log p, which cares less about what is known (Lin 2017, arXiv 1708.02002, equation 4)."""

    gamma: float = 2.0

    def call(self, y_true, y_pred):
        """Give the loss of each example: labels (batch,) or (batch, 1), probabilities (batch, classes)."""
        y_true = ops.cast(ops.reshape(y_true, (-1, 1)), "int32")
        p = ops.clip(ops.take_along_axis(y_pred, y_true, axis=1)[:, 0], keras.config.epsilon(), 1.0)
        return -((1.0 - p) ** self.gamma) * ops.log(p)


class SmoothedCrossentropy(Configured, keras.losses.Loss, name="smoothed_crossentropy"):
    """Cross-entropy with a share of each label spread over all classes (Szegedy 2016, arXiv 1512.00567, 7)."""

    smoothing: float = 0.05

    def call(self, y_true, y_pred):
        """Give the loss of each example: labels (batch,) or (batch, 1), probabilities (batch, classes)."""
        logs = ops.log(ops.clip(y_pred, keras.config.epsilon(), 1.0))
        own = ops.take_along_axis(logs, ops.cast(ops.reshape(y_true, (-1, 1)), "int32"), axis=1)[:, 0]
        return -(1.0 - self.smoothing) * own - self.smoothing * ops.mean(logs, axis=1)


class MeanF1(Configured, keras.metrics.Metric, name="mean_f1"):
    """Mean F1 of the first `scored` classes, as CinC 2017 scores N, A and O; a class that is nowhere counts as 0."""

    classes: int
    scored: int

    def __init__(self, *values, **options):
        super().__init__(*values, **options)
        self.confusion = self.add_variable((self.classes, self.classes), "zeros", name="confusion")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count verdicts: labels (batch,) or (batch, 1), probabilities (batch, classes); weights are left aside."""
        truth = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes)
        verdict = ops.one_hot(ops.argmax(y_pred, axis=-1), self.classes)
        self.confusion.assign_add(ops.cast(ops.matmul(ops.transpose(truth), verdict), self.confusion.dtype))

    def result(self):
        """Give the mean F1 of what was counted."""
        both = ops.sum(self.confusion, axis=0) + ops.sum(self.confusion, axis=1)
        return ops.mean((2 * ops.diagonal(self.confusion) / ops.maximum(both, 1))[: self.scored])
