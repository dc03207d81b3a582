"""Augmentation layers: at work in training, silent otherwise."""

import keras
import numpy as np
import pytest

from ecg_lessons.signals import augment, leads

LAYERS = {
    "shift": lambda: augment.RandomTimeShift(20, seed=3),
    "gain": lambda: augment.RandomGain(0.3, seed=3),
    "noise": lambda: augment.RandomNoise(0.3, seed=3),
    "flip": lambda: augment.RandomFlip(0.5, seed=3),
    "body": lambda: augment.RandomBody(seed=3),
}


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    one, two, *chest = rng.normal(size=(8, 6, 100))
    signal = np.concatenate([leads.limb_leads(one, two), np.stack(chest, axis=-1)], axis=-1)
    return signal.astype(np.float32)


@pytest.mark.parametrize("name", LAYERS)
def test_silent_in_evaluation_and_at_work_in_training(name, x):
    layer = LAYERS[name]()
    np.testing.assert_array_equal(np.asarray(layer(x, training=False)), x)
    first, second = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert first.shape == x.shape
    assert not np.allclose(first, x)
    assert not np.allclose(first, second)


@pytest.mark.parametrize("name", LAYERS)
def test_one_seed_one_stream(name, x):
    a, b = (np.asarray(LAYERS[name]()(x, training=True)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", LAYERS)
def test_survives_saving(name, x, tmp_path):
    model = keras.Sequential([keras.Input(x.shape[1:]), LAYERS[name]()])
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.layers[-1].get_config() == model.layers[-1].get_config()


def test_shift_holds_the_edge_where_roll_makes_a_jump():
    ramp = np.tile(np.linspace(0, 1, 100, dtype=np.float32)[None, :, None], (16, 1, 12))
    shifted = np.asarray(augment.RandomTimeShift(30, seed=1)(ramp, training=True))
    assert np.abs(np.diff(shifted, axis=1)).max() < 0.02
    assert np.abs(np.diff(np.roll(ramp, 30, axis=1), axis=1)).max() > 0.9
    assert np.ptp(shifted[:, 50, 0]) > 0.1


def test_a_flip_turns_whole_examples_upside_down():
    x = np.ones((2000, 5), dtype=np.float32)
    flipped = np.asarray(augment.RandomFlip(0.3, seed=1)(x, training=True))
    assert (flipped == flipped[:, :1]).all()
    assert set(flipped[:, 0]) == {-1, 1}
    assert (flipped[:, 0] < 0).mean() == pytest.approx(0.3, abs=0.04)


def test_crop_is_a_part_of_the_signal(x):
    layer = augment.RandomCrop(40, seed=1)
    middle = np.asarray(layer(x, training=False))
    np.testing.assert_array_equal(middle, x[:, 30:70])
    for one, whole in zip(np.asarray(layer(x, training=True)), x, strict=True):
        start = np.flatnonzero((whole[:61] == one[0]).all(axis=1))
        np.testing.assert_array_equal(one, whole[start[0] : start[0] + 40])


def test_crop_refuses_short_examples(x):
    with pytest.raises(ValueError, match="100 samples are shorter than the crop of 200"):
        augment.RandomCrop(200)(x)


def test_another_body_keeps_the_identities_of_the_limb_leads(x):
    other = np.asarray(augment.RandomBody(angle=0.5, share=0.3, seed=2)(x, training=True))
    assert leads.identity_error(other.astype(float)) < 1e-5
    assert np.abs(other[..., :6] - x[..., :6]).max() > 0.1
    assert np.abs(other[..., 6:] - x[..., 6:]).max() > 0.1


def test_another_device_adds_noise_within_a_band_of_its_own():
    layer = augment.RandomDevice(30.0, 300.0, seed=3)
    silence = np.zeros((64, 3000), np.float32)
    np.testing.assert_array_equal(layer(silence), silence)
    heard = keras.ops.convert_to_numpy(layer(silence, training=True))
    deviation = heard.std(axis=1)
    assert deviation.min() < 5
    assert 10 < deviation.max() < 30
    tone = 100 * np.sin(2 * np.pi * 140 * np.arange(3000) / 300)[None].repeat(64, axis=0).astype(np.float32)
    quiet = augment.RandomDevice(1e-6, 300.0, seed=3)
    left = keras.ops.convert_to_numpy(quiet(tone, training=True)).std(axis=1) / tone.std()
    assert left.min() < 0.1  # 25 Hz, slope of order two
    assert 0.5 < left.max() <= 1
    slow = 100 * np.sin(2 * np.pi * 10 * np.arange(3000) / 300)[None].astype(np.float32)
    kept = keras.ops.convert_to_numpy(quiet(slow, training=True))
    np.testing.assert_allclose(kept, slow, atol=3)  # what every device writes stays, and does not move in time
