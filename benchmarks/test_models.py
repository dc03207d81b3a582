"""A step of training, with normalisation in one operation and as Keras writes it, in turn."""

import numpy as np
import pytest
from keras import layers

from ecg_lessons.models import beat_image, inversion
from ecg_lessons.models.normalization import BatchNormalization
from ecg_lessons.signals.beats import BEAT_SAMPLES
from ecg_lessons.signals.images import POINTS

RNG = np.random.default_rng(0)
NETWORKS = {
    "light": (lambda: beat_image.light(2), (256, POINTS), 128),
    "hypotheses": (lambda: inversion.hypotheses(3), (64, BEAT_SAMPLES, 12), 32),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_normalising_in_one_operation_is_shorter(name, in_turn, monkeypatch):
    build, shape, size = NETWORKS[name]
    x, y = RNG.normal(0, 0.3, shape).astype("float32"), RNG.integers(0, 2, shape[0])

    def trained():
        model = build()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=size, verbose=0)
        return lambda: model.fit(x, y, batch_size=size, epochs=4, verbose=0)

    ours = trained()
    monkeypatch.setattr(BatchNormalization, "call", layers.BatchNormalization.call)
    in_turn(ours, trained(), f"{name}, normalised in one operation", rounds=7)
