"""Lesson 2: spectrograms, and what augmentation adds to a step of training."""

import numpy as np
from scipy import signal as scipy_signal

from ecg_lessons.lessons import rhythm
from ecg_lessons.models import crnn
from ecg_lessons.models.crnn import Augmentation
from ecg_lessons.signals.spectrograms import log_spectrogram

RNG = np.random.default_rng(0)
RECORDINGS = 500


def test_spectrograms_against_one_by_one(in_turn):
    """In chunks on all cores, against recording after recording, as the original did."""
    signal = np.zeros((RECORDINGS, crnn.SAMPLES), dtype=np.int16)
    signal[:, :9000] = RNG.integers(-500, 500, (RECORDINGS, 9000))

    def one_by_one():
        for row in signal:
            _, _, power = scipy_signal.spectrogram(row.astype(float), 300, ("tukey", 0.25), 64, 32)
            np.log(power, out=power, where=power > 0)

    own, _ = in_turn(lambda: log_spectrogram(signal), one_by_one, "spectrograms", rounds=5)
    assert own.shape == (RECORDINGS, 570, 33)


def test_augmentation_adds_little_to_a_step(benchmark):
    design = rhythm.design("compact")
    unchanged = design.but(augmentation=Augmentation(window_seconds=design.augmentation.window_seconds))
    x = {"signal": RNG.integers(-500, 500, (320, crnn.SAMPLES)).astype(np.int16)}
    x["length"] = np.full((320, 1), 9000, dtype=np.int32)
    y = RNG.integers(0, 4, 320)

    def trained(one):
        model = crnn.build(one)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=32, verbose=0)
        return lambda: model.fit(x, y, batch_size=32, verbose=0)

    assert design.augmentation != Augmentation()
    plain, own = trained(unchanged), trained(design)
    pairs = [(_seconds(plain), _seconds(own)) for _ in range(5)]
    benchmark.pedantic(own, rounds=1)
    added = np.median([two / one for one, two in pairs]) - 1
    print(f"\naugmentation adds {added:.1%} to an epoch of training")
    assert added < 0.15


def _seconds(call, *args):
    import time

    start = time.perf_counter()
    call(*args)
    return time.perf_counter() - start
