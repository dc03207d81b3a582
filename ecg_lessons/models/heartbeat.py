"""Networks that name heartbeats: four after Kachuee et al. (2018, arXiv 1805.00794) and the original, and ours.

`cnet`, `seq2seq`, `bilstm` and `bigru` take beats (batch, SAMPLES, 1) in [0, 1] at 125 Hz, `ours` (batch,
comparisons); all give probabilities (batch, classes). The recurrent ones run over the time of a beat; what the
original did instead is kept in `museum`. `ours` sees how unusual a beat is for its heart. Every network
ends in two dense layers, "hidden" and "class", which `new_head` replaces.
"""

from functools import partial

import keras
from keras import layers

from ecg_lessons import models
from ecg_lessons.errors import InputError
from ecg_lessons.signals import unusual

#: Samples of a beat, its segments for `seq2seq`, and the classes N S V F Q.
SAMPLES, SEGMENTS, CLASSES = 187, 11, 5


def cnet(classes: int = CLASSES) -> keras.Model:
    """Build the residual network of Kachuee et al. (2018): 53,957 parameters for five classes."""
    inputs = keras.Input((SAMPLES, 1), name="beat")
    x = layers.Conv1D(32, 5)(inputs)
    for _ in range(5):
        y = layers.Conv1D(32, 5, padding="same", activation="relu")(x)
        y = layers.Conv1D(32, 5, padding="same")(y)
        x = layers.MaxPooling1D(5, 2)(layers.ReLU()(layers.Add()([x, y])))
    return keras.Model(inputs, head(layers.Flatten()(x), classes), name="cnet")


def seq2seq(classes: int = CLASSES) -> keras.Model:
    """Build an encoder and a decoder over the 11 segments of a beat, 17 samples each.

    A bidirectional LSTM runs over the convolved segments, and hands its last states to the LSTM that reads its outputs
    again (after Mousavi & Afghah 2018, arXiv 1812.07421, whose sequences are of beats).
    """
    inputs = keras.Input((SAMPLES, 1), name="beat")
    # A convolution of one row is one convolution for all segments.
    x = layers.Reshape((SEGMENTS, SAMPLES // SEGMENTS, 1))(inputs)
    for filters in (32, 64, 128):
        x = layers.MaxPooling2D((1, 2))(layers.Conv2D(filters, (1, 2), padding="same", activation="relu")(x))
    x = layers.Reshape((SEGMENTS, -1))(x)
    encoder = layers.Bidirectional(layers.LSTM(100, return_sequences=True, return_state=True), name="encoder")
    x, *states = encoder(x)
    memory = [layers.Concatenate()([states[k], states[k + 2]]) for k in (0, 1)]  # h and c, both directions
    x = layers.LSTM(200, name="decoder")(x, initial_state=memory)
    return keras.Model(inputs, head(x, classes), name="seq2seq")


def bilstm(classes: int = CLASSES, step: int = 11) -> keras.Model:
    """Build two bidirectional LSTM layers over the time of a beat, `step` samples at a time: 1, 11 (fast) or 17."""
    return _recurrent("bilstm", layers.LSTM, classes, step)


def bigru(classes: int = CLASSES, step: int = 11) -> keras.Model:
    """Build two bidirectional GRU layers over the time of a beat; all else as `bilstm`."""
    return _recurrent("bigru", layers.GRU, classes, step)


def _recurrent(name: str, layer: type[keras.Layer], classes: int, step: int) -> keras.Model:
    if step < 1 or SAMPLES % step:
        raise InputError(f"A beat of {SAMPLES} samples has no steps of {step}: choose 1, 11 or 17.")
    inputs = keras.Input((SAMPLES, 1), name="beat")
    x = layers.Bidirectional(layer(128, return_sequences=True))(layers.Reshape((SAMPLES // step, step))(inputs))
    x = layers.Bidirectional(layer(128))(layers.Dropout(0.1)(x))
    return keras.Model(inputs, head(x, classes), name=name)


def ours(classes: int = CLASSES, comparisons: int = len(unusual.NAMES)) -> keras.Model:
    """Build the network for patients it has never seen: it is told how unusual a beat is for its own heart.

    Dense layers over `unusual.comparisons`; what a beat looks like they do not see. That a classifier should know
    the patient is an older thought (de Chazal & Reilly 2006, https://doi.org/10.1109/TBME.2006.883802).
    """
    inputs = keras.Input((comparisons,), name="unusual")
    x = layers.Rescaling(0.25)(layers.BatchNormalization(momentum=0.95)(inputs))
    x = layers.GaussianNoise(0.02)(layers.Activation("tanh")(x))  # four times the usual spread is as odd as it gets
    for _ in range(2):
        x = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))
    return keras.Model(inputs, head(x, classes), name="ours")


def head(x, classes: int, hidden: int = 32):
    """Decide: a dense layer "hidden" with ReLU, and a dense layer "class" with softmax."""
    x = layers.Dense(hidden, activation="relu", name="hidden")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="class")(x)


def new_head(model: keras.Model, classes: int, frozen: bool) -> keras.Model:
    """Copy a trained network with new last two dense layers, for another task; `frozen` trains these only."""
    if [layer.name for layer in model.layers[-2:]] != ["hidden", "class"]:
        what = f"The network {model.name} does not end in the dense layers 'hidden' and 'class'"
        raise InputError(f"{what}: transfer from a network of single heartbeats.")
    body = keras.models.clone_model(model)
    body.set_weights(model.get_weights())
    old = body.get_layer("hidden")
    for layer in body.layers:
        layer.trainable = not frozen
    return keras.Model(body.input, head(old.input, classes, old.units), name=model.name)


NETWORKS = {network.__name__: network for network in (cnet, seq2seq, bilstm, bigru, ours)}
#: Build a network by name.
build = partial(models.build, NETWORKS)
