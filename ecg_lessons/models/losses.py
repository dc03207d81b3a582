"""Losses that Keras does not have."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("ecg_lessons")
class SparseFocalLoss(keras.losses.Loss):
    """Cross-entropy that cares less about what is already known (Lin et al. 2017, arXiv 1708.02002, equation 4).

    Parameters
    ----------
    gamma : float
        -(1 - p)^gamma log p, with p the probability of the true class; 0 is plain cross-entropy.
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

    def get_config(self) -> dict:
        """Give what is needed to build the loss again."""
        return super().get_config() | {"gamma": self.gamma}
