"""Museum pieces: the recurrent networks of heartbeats as the original built them. Look, and do not use.

A recurrent layer runs over one axis of its input. In the original that axis was the batch: the "sequence" was the row
of beats that happened to be trained together, so the answer for a beat depends on its neighbours in the batch,
and on their order. Its "Seq2Seq" ran over time, but over one step of it: a sequence without a second
element, in which nothing recurs. Both faults run without any warning and score well where beats of one
patient stand on both sides. `heartbeat` has the same layers with the recurrence where it belongs.
"""

from collections.abc import Callable

import keras
from keras import layers, ops

from ecg_lessons.models.heartbeat import CLASSES, SAMPLES, head


def bilstm_over_batch(classes: int = CLASSES) -> keras.Model:
    """Build the faulty BiLSTM: a beat is one step, and the batch is the sequence."""
    return _over_batch("bilstm_over_batch", layers.LSTM, classes)


def bigru_over_batch(classes: int = CLASSES) -> keras.Model:
    """Build the faulty BiGRU; all else as `bilstm_over_batch`."""
    return _over_batch("bigru_over_batch", layers.GRU, classes)


def _over_batch(name: str, layer: type[keras.Layer], classes: int) -> keras.Model:
    inputs = keras.Input((SAMPLES, 1), name="beat")
    x = ops.expand_dims(layers.Flatten()(inputs), 0)  # (1, batch, SAMPLES): the fault
    x = layers.Bidirectional(layer(128, return_sequences=True))(x)
    x = layers.Bidirectional(layer(128, return_sequences=True))(layers.Dropout(0.1)(x))
    return keras.Model(inputs, head(ops.squeeze(x, 0), classes), name=name)


def seq2seq_one_step(classes: int = CLASSES) -> keras.Model:
    """Build the faulty Seq2Seq: the beat is one segment, so the encoder makes one step and its memory stays idle."""
    inputs = keras.Input((SAMPLES, 1), name="beat")
    x = inputs
    for filters in (32, 64, 128):
        x = layers.Conv1D(filters, 2, padding="same", activation="relu")(x)
        x = layers.MaxPooling1D(2)(x)
    x = layers.Reshape((1, -1))(x)  # one step: the fault
    x = layers.Bidirectional(layers.LSTM(100, return_sequences=True), name="encoder")(x)
    return keras.Model(inputs, head(layers.LSTM(200, name="decoder")(x), classes), name="seq2seq_one_step")


FAULTS: dict[str, Callable[..., keras.Model]] = {
    fault.__name__: fault for fault in (bilstm_over_batch, bigru_over_batch, seq2seq_one_step)
}
