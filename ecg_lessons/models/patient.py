"""A network of three small convolutions and two dense layers, which see a beat in two leads.

It ends in logits, without an activation: the loss makes probabilities of them. The original set a ReLU there; `museum`
keeps it and says what it costs. Adaptation of the head trains the last two layers again, "hidden" and "class".
"""

from collections.abc import Callable

import keras
from keras import layers

from ecg_lessons import models

#: Samples of a beat, its leads, and the classes of `labels.FOURTEEN`.
SAMPLES, LEADS, CLASSES = 160, 2, 14


def patient(classes: int = CLASSES) -> keras.Model:
    """Build the original network, from beats (batch, SAMPLES, LEADS) to logits (batch, classes): 45,246 parameters."""
    beat = keras.Input((SAMPLES, LEADS), name="beat")
    x = beat
    for filters in (16, 32, 64):
        x = layers.MaxPooling1D(2)(layers.Conv1D(filters, 3, activation="relu")(x))
    x = layers.Dense(32, activation="relu", name="hidden")(layers.Flatten(name="features")(x))
    return keras.Model(beat, layers.Dense(classes, dtype="float32", name="class")(x), name="patient")


NETWORKS: dict[str, Callable[..., keras.Model]] = {"patient": patient}


def build(name: str = "patient", **options) -> keras.Model:
    """Build a network by name."""
    return models.build(NETWORKS, name, **options)


def parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Divide a network into what looks at a beat, up to features (batch, 1152), and what decides: weights shared."""
    seen = model.get_layer("features").output
    return keras.Model(model.input, seen, name="body"), keras.Model(seen, model.output, name="head")
