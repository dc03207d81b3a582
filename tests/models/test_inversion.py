"""The networks of lesson 1."""

import keras
import numpy as np
import pytest

from ecg_lessons.models import inversion
from ecg_lessons.signals import leads
from ecg_lessons.signals.beats import BEAT_SAMPLES


@pytest.fixture(scope="module")
def beat():
    rng = np.random.default_rng(0)
    one, two, *chest = rng.normal(size=(8, 5, BEAT_SAMPLES))
    signal = np.concatenate([leads.limb_leads(one, two), np.stack(chest, axis=-1)], axis=-1)
    return signal.astype(np.float32)


def test_the_original_has_the_published_number_of_parameters():
    assert inversion.usoltsev().count_params() == 149_185


@pytest.mark.parametrize("build", [inversion.usoltsev, inversion.plain, inversion.hypotheses])
@pytest.mark.parametrize("classes", [2, 10])
def test_outputs_are_probabilities(build, classes, beat):
    model = build(classes)
    x = np.random.default_rng(0).normal(size=(4, *model.input_shape[1:]))
    p = model.predict(x, verbose=0)
    assert p.shape == (4, 1 if classes == 2 else 10)
    assert ((p >= 0) & (p <= 1)).all()
    if classes == 10:
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


def test_the_original_crops_longer_recordings():
    assert inversion.usoltsev(samples=2500).count_params() == 149_185


def test_hypotheses_follow_the_swaps(beat):
    """Exchanging electrodes exchanges the two hypotheses: p(S | S x) / p(correct | x) is the ratio of priors."""
    model = inversion.hypotheses()
    right = model.predict(beat, verbose=0)
    for k, matrix in enumerate(leads.SWAPS.values(), start=1):
        wrong = model.predict(leads.swap(beat, matrix), verbose=0)
        odds = np.log(right[:, 0] / right[:, k])
        np.testing.assert_allclose(np.log(wrong[:, k] / wrong[:, 0]) + 2 * np.log(9), odds, atol=1e-3)


def test_two_classes_add_the_swaps_up(beat, tmp_path):
    ten, two = inversion.hypotheses(), inversion.hypotheses(2)
    two.set_weights(ten.get_weights())
    np.testing.assert_allclose(
        two.predict(beat, verbose=0)[:, 0], ten.predict(beat, verbose=0)[:, 1:].sum(axis=1), atol=1e-5
    )


@pytest.mark.parametrize("build", [inversion.usoltsev, inversion.plain, inversion.hypotheses])
def test_survives_saving(build, tmp_path):
    model = build()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(3, *model.input_shape[1:]))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_size_does_not_count(beat):
    """The modern networks see shape: ten times the amplitude, nearly the same verdict."""
    model = inversion.hypotheses()
    np.testing.assert_allclose(model.predict(10 * beat, verbose=0), model.predict(beat, verbose=0), atol=0.02)


def test_features_of_the_baseline(beat):
    features = inversion.amplitudes(beat)
    assert features.shape == (5, 84)
    assert np.isfinite(features).all()
    swapped = inversion.amplitudes(leads.swap(beat, leads.SWAPS["LA/RA"]))
    np.testing.assert_allclose(swapped[:, 0], -features[:, 0], atol=1e-6)  # P in lead I turns over
