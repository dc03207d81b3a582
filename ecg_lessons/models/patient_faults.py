"""A museum piece: the network of `patient` with a ReLU on its logits, as the original had it. Look, and do not use.

The softmax of the loss takes any real numbers; a ReLU cuts them off at zero. Two things follow. A class can never be
called unlikely: with the other 13 logits at zero, a logit of 5 for the right class means a probability of 0.92, and
wherever all logits are cut every class gets 1/14. And where a logit is cut no gradient passes: a class whose logit is
negative for all beats is never learnt again. It runs without any warning; `patient.patient` differs in nothing else.
"""

from collections.abc import Callable

import keras
from keras import layers

from ecg_lessons.models import patient


def relu_logits(classes: int = patient.CLASSES) -> keras.Model:
    """Build the faulty network: none of its "logits" (batch, classes) lies below zero."""
    sound = patient.patient(classes)
    cut = layers.ReLU(name="relu", dtype="float32")(sound.output)  # the fault
    return keras.Model(sound.input, cut, name="relu_logits")


FAULTS: dict[str, Callable[..., keras.Model]] = {"relu_logits": relu_logits}
