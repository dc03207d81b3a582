"""Lesson 2: spectrograms of a whole database, and what augmentation adds to a step of training."""

import numpy as np
from scipy import signal as scipy_signal

from ecg_lessons.lessons import rhythm
from ecg_lessons.models import crnn
from ecg_lessons.models.crnn import Augmentation
from ecg_lessons.signals.spectrograms import log_spectrogram

RNG = np.random.default_rng(0)
RECORDINGS = 8_528


def test_spectrograms_of_the_whole_database_against_one_by_one(benchmark):
    """In chunks on all cores, against recording after recording, as the original did; that ratio is told, not asked."""
    signal = np.zeros((RECORDINGS, crnn.SAMPLES), dtype=np.int16)
    signal[:, :9000] = RNG.integers(-500, 500, (RECORDINGS, 9000))

    def one_by_one(rows):
        for row in rows:
            _, _, power = scipy_signal.spectrogram(row.astype(float), 300, ("tukey", 0.25), 64, 32)
            np.log(power, where=power > 0)

    some = signal[:500]
    own = benchmark.pedantic(log_spectrogram, (signal,), rounds=2)
    assert own.shape == (RECORDINGS, 570, 33)
    seconds = _seconds(one_by_one, some) * RECORDINGS / len(some)
    ratio = seconds / benchmark.stats.stats.median
    print(f"\nwhole database: {benchmark.stats.stats.median:.1f} s, one by one takes {ratio:.1f} times as long")
    assert benchmark.stats.stats.median < 20  # the aim, for the whole database


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
