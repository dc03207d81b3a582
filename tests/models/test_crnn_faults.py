"""The museum pieces of lesson 2 have the faults they are kept for."""

import keras
import numpy as np
import pytest

from ecg_lessons.models import crnn, museum
from ecg_lessons.models.crnn import Design
from ecg_lessons.signals.spectrograms import log_spectrogram

RNG = np.random.default_rng(0)
SMALL = {
    "convolutions": {"over": "time", "blocks": 1, "layers": 1, "first_channels": 8, "more_channels": 4},
    "recurrence": {"cell": "gru", "layers": 1, "units": 6, "dropout": 0.5},
    "summary": {"dropout": 0.5},
}


@pytest.fixture(scope="module")
def network():
    return crnn.build(Design(**SMALL), samples=3000)


@pytest.fixture(scope="module")
def recordings():
    signal = RNG.integers(-800, 800, (4, 3000)).astype(np.int16)
    return {"signal": signal, "length": np.full((4, 1), 3000, dtype=np.int32)}


def moves(model, given, training):
    first, second = (keras.ops.convert_to_numpy(model(given, training=training)) for _ in range(2))
    return bool(np.abs(first - second).max() > 1e-6)


def test_dropout_that_is_never_off_gives_two_answers_to_one_question(network, recordings):
    assert not moves(network, recordings, training=False)
    assert moves(museum.deaf(network, always=True), recordings, training=False)


def test_dropout_that_is_never_on_is_silent_in_training(network, recordings):
    assert moves(network, recordings, training=True)
    assert not moves(museum.deaf(network, always=False), recordings, training=True)


def test_a_deaf_network_keeps_the_weights_and_can_be_stored(network, recordings, tmp_path):
    faulty = museum.deaf(network, always=False)
    expected = network.predict(recordings, verbose=0)
    np.testing.assert_allclose(faulty.predict(recordings, verbose=0), expected, atol=1e-6)
    faulty.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(recordings, verbose=0), expected, atol=1e-6)


def test_a_rate_that_was_read_once_never_falls():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1e-3, 1e-4, 1e-5])
    rates = {}
    for name, optimizer in (("faulty", museum.rate_read_once(schedule)), ("sound", keras.optimizers.Adam(schedule))):
        optimizer.build([keras.Variable(np.zeros(2))])
        optimizer.iterations.assign(25)
        rates[name] = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    assert rates == pytest.approx({"faulty": 1e-3, "sound": 1e-5})


def test_a_bitwise_and_augments_anew_in_fits():
    """With a step of 5 in 126 of 500 epochs, where every fifth makes 100."""
    again = [epoch for epoch in range(500) if museum.is_reloaded(epoch)]
    assert again[:8] == [0, 2, 8, 10, 16, 18, 24, 26]
    assert len(again) == 126


def test_truncation_leaves_few_values_and_a_double_zero():
    exact = log_spectrogram(RNG.integers(-800, 800, 6000))
    kept = museum.truncated(exact)
    assert len(np.unique(kept)) <= np.ptp(exact) + 2
    assert museum.truncated(np.array([-0.99, 0.99, -1.5])).tolist() == [0, 0, -1]
