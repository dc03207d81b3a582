"""The network of lesson 4, and its museum piece."""

import keras
import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.models import museum, patient

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(scope="module")
def beats():
    return np.random.default_rng(0).normal(size=(30, patient.SAMPLES, patient.LEADS)).astype(np.float32)


def test_it_is_the_original():
    """Counted by hand: 112 + 1,568 + 6,208 for the convolutions, 36,896 + 462 for the dense layers."""
    model = patient.build()
    assert model.count_params() == 112 + 1568 + 6208 + 36_896 + 462 == 45_246
    assert model.get_layer("features").output.shape == (None, 1152)
    assert model.get_layer("class").activation is keras.activations.linear


def test_logits_fall_on_both_sides_of_zero(beats):
    logits = patient.build().predict(beats, verbose=0)
    assert logits.shape == (30, 14)
    assert logits.min() < 0 < logits.max()


def test_its_parts_share_the_weights(beats):
    model = patient.build(classes=5)
    body, head = patient.parts(model)
    features = body.predict(beats, verbose=0)
    whole = model.predict(beats, verbose=0)
    np.testing.assert_allclose(head.predict(features, verbose=0), whole, atol=1e-5)
    assert body.count_params() + head.count_params() == model.count_params()
    head.set_weights([weight * 2 for weight in head.get_weights()])
    assert not np.allclose(model.predict(beats, verbose=0), whole)


def test_survives_saving(beats, tmp_path):
    model = patient.build()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(beats, verbose=0), model.predict(beats, verbose=0))


def test_unknown_network():
    with pytest.raises(InputError, match="no network 'doctor': choose patient"):
        patient.build("doctor")


def test_a_relu_on_the_logits_cuts_them_and_their_gradient(beats):
    sound, faulty = patient.build(), museum.FAULTS["relu_logits"]()
    assert faulty.count_params() == sound.count_params()
    faulty.set_weights(sound.get_weights())
    logits = sound.predict(beats, verbose=0)
    np.testing.assert_allclose(faulty.predict(beats, verbose=0), np.maximum(logits, 0), atol=1e-6)


def test_a_class_below_zero_is_never_learnt_with_the_relu_and_is_without(beats):
    y = np.full(len(beats), 3)
    shares = {}
    keras.utils.set_random_seed(0)  # now and then features are so large that the logit is not below zero
    for model in (patient.build(), museum.relu_logits()):
        last = model.get_layer("class")
        kernel, bias = last.get_weights()
        bias[3] = -50
        last.set_weights([kernel, bias])
        model.compile(keras.optimizers.Adam(0.05), LOSS)
        model.fit(beats, y, epochs=60, verbose=0)
        shares[model.name] = float((model.predict(beats, verbose=0).argmax(axis=1) == 3).mean())
        moved = float(last.get_weights()[1][3]) != -50
        assert moved == (model.name == "patient")
    assert shares == {"patient": 1.0, "relu_logits": 0.0}
