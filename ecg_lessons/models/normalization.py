"""Batch normalisation in one operation: Keras asks TensorFlow for some thirty, a third to a half of a training step."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("ecg_lessons")
class BatchNormalization(layers.BatchNormalization):
    """Normalise channels, the last axis, as Keras does; in training in float32 on TensorFlow with its fused operation.

    In a network that computes in bfloat16 that operation let InceptionV3 diverge, and Keras's way did not.
    """

    def call(self, x, training=None, mask=None):
        """Normalise x, shape (batch, ..., channels), by its own mean and variance in training, else by what it met."""
        plain = mask is not None or len(x.shape) not in (3, 4) or self.compute_dtype != "float32"
        if plain or keras.backend.backend() != "tensorflow" or not (training and self.trainable):
            return super().call(x, training=training, mask=mask)
        import tensorflow as tf

        pictures = x if len(x.shape) == 4 else ops.expand_dims(x, 1)  # the operation knows nothing else
        scale = self.gamma if self.scale else ops.ones(x.shape[-1:])
        shift = self.beta if self.center else ops.zeros(x.shape[-1:])
        seen, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            pictures, scale, shift, epsilon=self.epsilon, is_training=True
        )
        n = ops.cast(ops.size(x), "float32") / x.shape[-1]
        variance *= (n - 1) / n  # the operation divides by n - 1, Keras by n
        for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(self.momentum * kept + (1 - self.momentum) * new)
        return seen if len(x.shape) == 4 else ops.squeeze(seen, 1)
