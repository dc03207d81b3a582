"""Museum pieces: the faults of published code, as it had them. Look, and do not use.

Each is small, runs without any warning, and lives on because nobody asked the one question that shows it.
"""

import keras
import numpy as np
from keras import layers, ops

from ecg_lessons.models import heartbeat, patient
from ecg_lessons.signals.augment import Configured


class DeafDropout(Configured, layers.Dropout):
    """Dropout that is always on, as in the recurrence of the released code, or never, as in its convolutions."""

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


def is_reloaded(epoch: int, step: int = 5) -> bool:
    """Tell whether the training set is augmented anew in an epoch, with a bitwise ``&`` where ``%`` was meant."""
    return epoch & step == 0  # the fault


def truncated(log_power: np.ndarray) -> np.ndarray:
    """Keep log-spectrograms as integers, so that all between -1 and 1 becomes 0."""
    return np.asarray(log_power).astype(np.int16)  # the fault: cut off, not even rounded


# A recurrent layer runs over one axis of its input. In the original (dl-4-health-uiuc/ecg_classification at 064a7e0,
# models.py, lines 120-121) that axis was the batch: the "sequence" was the row of beats that happened to be trained
# together, so the answer for a beat depends on its neighbours in the batch, and on their order. The encoder of its
# "Seq2Seq" ran over one step (lines 73-74): a sequence without a second element, in which nothing recurs. Both run
# without any warning. `heartbeat` has the same layers with the recurrence where it belongs.


def bilstm_over_batch(classes: int = heartbeat.CLASSES) -> keras.Model:
    """Build the faulty BiLSTM: a beat is one step, and the batch is the sequence."""
    return _over_batch("bilstm_over_batch", layers.LSTM, classes)


def bigru_over_batch(classes: int = heartbeat.CLASSES) -> keras.Model:
    """Build the faulty BiGRU; all else as `bilstm_over_batch`."""
    return _over_batch("bigru_over_batch", layers.GRU, classes)


def _over_batch(name: str, layer: type[keras.Layer], classes: int) -> keras.Model:
    inputs = keras.Input((heartbeat.SAMPLES, 1), name="beat")
    x = ops.expand_dims(layers.Flatten()(inputs), 0)  # (1, batch, samples): the fault
    x = layers.Bidirectional(layer(128, return_sequences=True))(x)
    x = layers.Bidirectional(layer(128, return_sequences=True))(layers.Dropout(0.1)(x))
    return keras.Model(inputs, heartbeat.head(ops.squeeze(x, 0), classes), name=name)


def seq2seq_one_step(classes: int = heartbeat.CLASSES) -> keras.Model:
    """Build the faulty Seq2Seq: its encoder makes one step, so that its memory stays idle; that of the decoder acts.

    The 11 segments of a beat are channels, and all that the convolutions find is one step of 256 features. The decoder
    starts from the encoder's state and reads zeros.
    """
    inputs = keras.Input((heartbeat.SAMPLES, 1), name="beat")
    x = layers.Permute((2, 1))(layers.Reshape((heartbeat.SEGMENTS, -1))(inputs))
    for filters, pool in ((32, 2), (64, 2), (128, 1)):
        x = layers.MaxPooling1D(pool)(layers.Conv1D(filters, 2, activation="relu")(x))
    x = layers.Reshape((1, -1))(x)  # one step: the fault
    _, *state = layers.Bidirectional(layers.LSTM(100, return_state=True), name="encoder")(x)
    decoder = layers.Bidirectional(layers.LSTM(100), merge_mode="sum", name="decoder")
    x = decoder(ops.zeros_like(x), initial_state=state)
    return keras.Model(inputs, heartbeat.head(x, classes, hidden=50), name="seq2seq_one_step")


def relu_logits(classes: int = patient.CLASSES) -> keras.Model:
    """Build the network of `patient` with a ReLU on its logits: none of them, (batch, classes), lies below zero.

    The softmax of the loss takes any real numbers; a ReLU cuts them off at zero. Two things follow. A class can never
    be called unlikely: with the other 13 logits at zero, a logit of 5 for the right class means a probability of 0.92,
    and wherever all logits are cut every class gets 1/14. And where a logit is cut no gradient passes: a class whose
    logit is negative for all beats is never learnt again.
    """
    sound = patient.patient(classes)
    cut = layers.ReLU(name="relu", dtype="float32")(sound.output)  # the fault
    return keras.Model(sound.input, cut, name="relu_logits")


#: Networks to train, by name; those that name heartbeats, and all.
OVER_BEATS = {fault.__name__: fault for fault in (bilstm_over_batch, bigru_over_batch, seq2seq_one_step)}
FAULTS = OVER_BEATS | {relu_logits.__name__: relu_logits}
