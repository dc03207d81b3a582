"""Metrics that Keras does not have."""

from __future__ import annotations

import keras
from keras import ops

from ecg_lessons.signals.augment import Configured


@keras.saving.register_keras_serializable("ecg_lessons")
class MeanF1(Configured, keras.metrics.Metric):
    """Mean F1 of the first `scored` classes, as the challenge of CinC 2017 scores N, A and O (Clifford et al. 2017).

    A class that stands neither in the labels nor in the verdicts counts as 0; other classes only spoil the precision.
    """

    def __init__(self, classes: int, scored: int, name: str = "mean_f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.classes, self.scored = classes, scored
        self.confusion = self.add_variable((classes, classes), "zeros", name="confusion")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count verdicts: labels (batch,) or (batch, 1), probabilities (batch, classes); weights are left aside."""
        truth = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes)
        verdict = ops.one_hot(ops.argmax(y_pred, axis=-1), self.classes)
        self.confusion.assign_add(ops.cast(ops.matmul(ops.transpose(truth), verdict), self.confusion.dtype))

    def result(self):
        """Give the mean F1 of what was counted."""
        both = ops.sum(self.confusion, axis=0) + ops.sum(self.confusion, axis=1)
        f1 = 2 * ops.diagonal(self.confusion) / ops.maximum(both, 1)
        return ops.mean(f1[: self.scored])
