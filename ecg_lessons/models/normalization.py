"""Batch normalisation in one operation: Keras asks TensorFlow for some thirty, a third to a half of a training step."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("ecg_lessons")
class BatchNormalization(layers.BatchNormalization):
    """Normalise channels, the last axis, as Keras does; in training on TensorFlow with its fused operation."""

    def call(self, x, training=None, mask=None):
        """Normalise x, shape (batch, ..., channels), by its own mean and variance in training, else by what it met."""
        plain = mask is not None or len(x.shape) not in (3, 4)  # the operation knows pictures, and no mask
        if plain or keras.backend.backend() != "tensorflow" or not (training and self.trainable):
            return super().call(x, training=training, mask=mask)
        import tensorflow as tf

        # In float32, as in Keras: given bfloat16, the operation let InceptionV3 diverge.
        pictures = ops.cast(x if len(x.shape) == 4 else ops.expand_dims(x, 1), "float32")
        scale = self.gamma if self.scale else ops.ones(x.shape[-1:])
        shift = self.beta if self.center else ops.zeros(x.shape[-1:])
        seen, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            pictures, scale, shift, epsilon=self.epsilon, is_training=True
        )
        n = ops.cast(ops.size(x), "float32") / x.shape[-1]
        variance *= (n - 1) / n  # the operation divides by n - 1, Keras by n
        for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(self.momentum * kept + (1 - self.momentum) * new)
        return ops.cast(seen if len(x.shape) == 4 else ops.squeeze(seen, 1), self.compute_dtype)
