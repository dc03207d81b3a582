"""The network of lesson 4: three small convolutions and two dense layers, which see a beat in two leads.

It ends in logits, without an activation: the loss makes probabilities of them. The original set a ReLU there;
`patient_faults` keeps it and says what it costs. The last two layers, "hidden" and "class", are what an adaptation of
the head trains again.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from ecg_lessons.models import build as build_named

#: Samples of a beat, its leads, and the classes of `labels.FOURTEEN`.
SAMPLES, LEADS, CLASSES = 160, 2, 14


def patient(classes: int = CLASSES) -> keras.Model:
    """Build the original network.

    Returns
    -------
    keras.Model
        From beats (batch, SAMPLES, LEADS) to logits (batch, classes), any real numbers; 45,246 parameters for
        fourteen classes.
    """
    beat = keras.Input((SAMPLES, LEADS), name="beat")
    x = beat
    for filters in (16, 32, 64):
        x = layers.MaxPooling1D(2)(layers.Conv1D(filters, 3, activation="relu")(x))
    x = layers.Dense(32, activation="relu", name="hidden")(layers.Flatten(name="features")(x))
    return keras.Model(beat, layers.Dense(classes, dtype="float32", name="class")(x), name="patient")


NETWORKS: dict[str, Callable[..., keras.Model]] = {"patient": patient}


def build(name: str = "patient", **options) -> keras.Model:
    """Build a network by name."""
    return build_named(NETWORKS, "patients", name, **options)


def parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Divide a network into what looks at a beat and what decides.

    Returns
    -------
    body : keras.Model
        From beats (batch, SAMPLES, LEADS) to features (batch, 1152).
    head : keras.Model
        From features to logits (batch, classes). Both share their weights with `model`.
    """
    seen = model.get_layer("features").output
    return keras.Model(model.input, seen, name="body"), keras.Model(seen, model.output, name="head")
