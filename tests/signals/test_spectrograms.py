import keras
import numpy as np
import pytest
from scipy import signal as scipy_signal

from ecg_lessons.errors import InputError
from ecg_lessons.lessons import rhythm
from ecg_lessons.signals import spectrograms
from ecg_lessons.signals.spectrograms import LogSpectrogram, frames, log_spectrogram

RNG = np.random.default_rng(0)
#: JAX has no double precision unless it is told to, and a faint frequency drowns in rounding.
CLOSE = 1e-2 if keras.backend.backend() == "jax" else 1e-4
NOISE = RNG.integers(-3000, 3000, (3, 18_286)).astype(np.int16)


def test_the_longest_recording_gives_570_frames_of_33_frequencies():
    assert log_spectrogram(NOISE).shape == (3, 570, 33)
    assert log_spectrogram(NOISE[0]).shape == (570, 33)
    assert frames(18_286) == 570
    assert frames(np.array([0, 63, 64, 96])).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("step", [32, 20])
@pytest.mark.parametrize("floor", [0.0, 0.01])
def test_is_the_logarithm_of_scipys_density(step, floor):
    ended = NOISE.copy()  # zeros stand behind recordings that are shorter than the longest
    ended[1, 9_001:], ended[2] = 0, 0
    power = scipy_signal.spectrogram(ended.astype(float), 300, ("tukey", 0.25), 64, 64 - step)[2].swapaxes(1, 2)
    want = np.log(power + floor, out=np.zeros_like(power), where=power + floor > spectrograms.ZERO)
    np.testing.assert_allclose(log_spectrogram(ended, floor, step), want, rtol=1e-6, atol=1e-6)


def test_a_tone_stands_at_its_frequency():
    tone = 500 * np.sin(2 * np.pi * 75 * np.arange(3000) / 300)
    assert (log_spectrogram(tone).argmax(axis=1) == 16).all()  # 75 Hz / 4.6875 Hz


def test_zeros_stay_zero_without_a_floor_and_meet_the_floor_with_one():
    nothing = np.zeros(1000)
    assert not log_spectrogram(nothing).any()
    assert not np.asarray(LogSpectrogram()(nothing[None].astype("float32"))).any()
    np.testing.assert_allclose(log_spectrogram(nothing, floor=0.01), np.log(0.01), rtol=1e-6)


@pytest.mark.parametrize("step", [32, 16, 8])
@pytest.mark.parametrize("floor", [0.0, 0.01])
def test_the_layer_agrees_with_scipy(step, floor):
    layer = LogSpectrogram(floor, step)(NOISE.astype("float32"))
    np.testing.assert_allclose(layer, log_spectrogram(NOISE, floor, step), atol=CLOSE)
    assert layer.shape == LogSpectrogram(floor, step).compute_output_shape(NOISE.shape)


def test_the_layer_agrees_with_scipy_on_real_recordings(real):
    given = rhythm.examples("physionet")
    some = given.x["signal"][:: len(given) // 60]
    floor = 0.01 if keras.backend.backend() == "jax" else 0.0
    layer = np.asarray(LogSpectrogram(floor)(some.astype("float32")))
    assert np.abs(layer - log_spectrogram(some, floor)).max() < CLOSE


def test_the_layer_comes_back_from_its_configuration():
    layer = LogSpectrogram(0.5, 16)
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).step == 16


def test_a_spectrogram_of_less_than_a_window_is_refused():
    with pytest.raises(InputError, match="63 samples is shorter than one window"):
        log_spectrogram(np.zeros(63))


def test_chunks_make_no_difference(monkeypatch):
    whole = log_spectrogram(NOISE[:, :2000])
    monkeypatch.setattr(spectrograms, "_CHUNK", 2)
    np.testing.assert_array_equal(log_spectrogram(NOISE[:, :2000]), whole)
