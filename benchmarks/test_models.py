"""A step of training, with normalisation in one operation and as Keras writes it, in turn."""

import time

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
def test_normalising_in_one_operation_is_shorter(name, benchmark, monkeypatch):
    build, shape, size = NETWORKS[name]
    x, y = RNG.normal(0, 0.3, shape).astype("float32"), RNG.integers(0, 2, shape[0])

    def trained():
        model = build()
        model.compile(
            "adam", "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
        )
        model.fit(x, y, batch_size=size, verbose=0)
        return lambda: model.fit(x, y, batch_size=size, epochs=4, verbose=0)

    ours = trained()
    monkeypatch.setattr(BatchNormalization, "call", layers.BatchNormalization.call)
    theirs = trained()
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(7)]
    benchmark.pedantic(ours, rounds=1)
    ratio = np.median([one / two for one, two in pairs])
    print(f"\n{name}: {ratio:.2f} of the time that Keras's normalisation takes")
    assert ratio < 1


def _seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
