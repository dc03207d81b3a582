import keras
import numpy as np
import pytest

from ecg_lessons.signals.augment import BURST, DropoutBursts, RandomWindow

TIME = np.arange(18_286) / 300
RAMP = np.tile(np.arange(1, 18_287, dtype="float32"), (64, 1))


def lengths(value):
    return np.full((64, 1), value, dtype="int32")


def ended(length):
    """A ramp with zeros behind its end."""
    return np.where(np.arange(RAMP.shape[1]) < length, RAMP, 0).astype("float32")


def test_nothing_is_augmented_outside_training():
    signal, length = RandomWindow(9000)(RAMP, lengths(18_286))
    np.testing.assert_array_equal(signal, RAMP)
    assert (np.asarray(length) == 18_286).all()
    np.testing.assert_array_equal(DropoutBursts()(RAMP), RAMP)


def test_windows_lie_within_the_recording_and_differ():
    signal, length = map(np.asarray, RandomWindow(9000, stretch=0)(RAMP, lengths(18_286), training=True))
    assert signal.shape == (64, 9000)
    assert (length == 9000).all()
    np.testing.assert_allclose(np.diff(signal, axis=1), 1, atol=0.01)
    assert len(np.unique(signal[:, 0].round())) > 50


def test_short_recordings_are_kept_whole():
    signal, length = map(np.asarray, RandomWindow(9000, stretch=0)(ended(3000), lengths(3000), training=True))
    np.testing.assert_array_equal(signal[:, :3000], RAMP[:, :3000])
    assert not signal[:, 3000:].any()
    assert (length == 3000).all()


def test_stretching_moves_the_rate_of_the_heart_and_the_length_alike():
    tone = np.where(TIME < 20, np.sin(2 * np.pi * 1.2 * TIME), 0).astype("float32")
    drawn = RandomWindow(0, stretch=1 / 3, seed=3)(np.tile(tone, (64, 1)), lengths(6000), training=True)
    signal, length = map(np.asarray, drawn)
    factor = length[:, 0] / 6000
    assert 0.66 < factor.min() < 0.72
    assert 1.28 < factor.max() < 1.34
    crossings = (np.diff(np.sign(signal), axis=1) > 0).sum(axis=1)
    assert np.abs(crossings - 1.2 * 20).max() <= 1  # as many waves as before, in another time
    behind = np.arange(signal.shape[1]) >= length
    assert not signal[behind].any()


def test_a_stretched_long_recording_fills_its_window():
    signal, length = map(np.asarray, RandomWindow(9000, stretch=0.3)(RAMP, lengths(18_286), training=True))
    assert (length == 9000).all()
    slope = np.diff(signal, axis=1)
    assert (slope > 0.74).all()
    assert (slope < 1.45).all()
    assert signal.max() <= 18_286


@pytest.mark.parametrize("share", [0.1, 0.22])
def test_bursts_zero_the_share_that_was_asked_for_in_stretches_of_50_ms(share):
    hit = np.asarray(DropoutBursts(share, seed=5)(RAMP, training=True)) == 0
    assert hit.mean() == pytest.approx(share, rel=0.03)
    edges = np.flatnonzero(np.diff(np.pad(hit[0, BURST:-BURST].astype(int), 1)))
    widths = edges[1::2] - edges[::2]
    assert widths[1:-1].min() == BURST == 15


def test_one_seed_gives_one_augmentation():
    one, two = (np.asarray(DropoutBursts(0.2, seed=9)(RAMP, training=True)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("layer", [RandomWindow(900, 0.1, 4), DropoutBursts(0.3, 4)])
def test_layers_come_back_from_their_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
