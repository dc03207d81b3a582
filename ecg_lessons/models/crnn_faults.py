"""Museum pieces: the faults of the code that was released with the published CRNN. Look, and do not use.

Each is small, runs without any warning, and lives on because nobody asked the one question that shows it.
"""

import keras
import numpy as np
from keras import layers, ops

from ecg_lessons.signals.augment import Configured


@keras.saving.register_keras_serializable("ecg_lessons")
class DeafDropout(Configured, layers.Dropout):
    """Dropout that does not listen to whether the network trains.

    True never switches it off, as in the recurrence of the released code; False never on, as in its convolutions.
    """

    always: bool

    def call(self, inputs, training: bool = False):
        """Drop features always or never, whatever `training` says: the fault."""
        return super().call(inputs, training=self.always)


def deaf(model: keras.Model, always: bool) -> keras.Model:
    """Copy a network, its weights too, with all dropout outside of its convolutions deaf."""

    def copy(layer: keras.Layer) -> keras.Layer:
        if type(layer) is layers.Dropout:
            return DeafDropout(always, rate=layer.rate, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    faulty = keras.models.clone_model(model, clone_function=copy)
    faulty.set_weights(model.get_weights())
    return faulty


def rate_read_once(schedule: keras.optimizers.schedules.LearningRateSchedule) -> keras.optimizers.Optimizer:
    """Build Adam with the rate that the schedule gives at step 0, for ever: its steps never take effect."""
    return keras.optimizers.Adam(float(ops.convert_to_numpy(schedule(0))))  # the fault: a number, no schedule


def of_class(labels: np.ndarray, wanted: int) -> np.ndarray:
    """Tell which labels are of a class, with a bitwise ``&`` where ``==`` was meant."""
    return (np.asarray(labels) & wanted).astype(bool)  # the fault


def truncated(log_power: np.ndarray) -> np.ndarray:
    """Keep log-spectrograms as integers, so that all between -1 and 1 becomes 0."""
    return np.asarray(log_power).astype(np.int16)  # the fault: cut off, not even rounded


def score_without_noise(confusion: np.ndarray) -> float:
    """Give the mean F1 of all classes but the last, from which the noisy recordings were left out altogether.

    confusion: (classes, classes), rows are the truth, columns the verdicts; the last class is noise.
    """
    kept = np.asarray(confusion, float)[:-1]  # the fault: who calls noise a rhythm is not blamed
    right = np.diagonal(kept)
    return float((2 * right / (kept.sum(axis=1) + kept.sum(axis=0)[:-1])).mean())
