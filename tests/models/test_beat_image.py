"""The networks of lesson 3."""

import keras
import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.models import beat_image
from ecg_lessons.signals.augment import NineCrops
from ecg_lessons.signals.images import POINTS


@pytest.fixture(scope="module")
def curve():
    return np.random.default_rng(0).random((4, POINTS), dtype=np.float32)


def test_the_published_network_has_its_size():
    """Counted by hand from the paper's table: 134.2 million of 135.4 lie in the first dense layer."""
    model = beat_image.jun()
    assert model.count_params() == 135_392_200
    dense = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    assert dense.count_params() == (16 * 16 * 256 + 1) * 2048


def test_the_light_network_needs_under_one_per_cent():
    assert beat_image.light().count_params() < 0.01 * 135_392_200


@pytest.mark.parametrize("name", ["light", "signal", "alexnet", "vgg16", "resnet50", "inceptionv3"])
def test_outputs_are_probabilities(name, curve):
    p = beat_image.build(name, classes=5).predict(curve, verbose=0)
    assert p.shape == (4, 5)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["light", "signal"])
def test_rr_intervals_as_second_input(name, curve):
    model = beat_image.build(name, rr=True)
    rr = np.full((4, 3), 0.8, np.float32)
    same = model.predict({"curve": curve, "rr": rr}, verbose=0)
    other = model.predict({"curve": curve, "rr": rr * [0.5, 1.5, 1]}, verbose=0)
    assert not np.allclose(same, other)


def test_nine_crops_work_in_training_only(curve):
    model = beat_image.light(nine_crops=True)
    assert any(isinstance(layer, NineCrops) for layer in model.layers)
    assert not any(isinstance(layer, NineCrops) for layer in beat_image.light().layers)
    np.testing.assert_array_equal(model.predict(curve, verbose=0), model.predict(curve, verbose=0))


def test_survives_saving(curve, tmp_path):
    model = beat_image.light(nine_crops=True)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(curve, verbose=0), model.predict(curve, verbose=0))


def test_unknown_network():
    with pytest.raises(InputError, match="no network 'lenet': did you mean 'alexnet'"):
        beat_image.build("lenet")


def test_the_rest_of_a_network_takes_pictures(curve):
    model = beat_image.light(rr=True, nine_crops=True)
    rr = np.full((4, 3), 0.8, np.float32)
    pictures = np.asarray(beat_image.DrawBeats()(curve))
    whole = model.predict({"curve": curve, "rr": rr}, verbose=0)
    for layer in ("draw_beats", "nine_crops"):
        rest = beat_image.from_layer(model, layer)
        np.testing.assert_allclose(rest.predict([pictures, rr], verbose=0), whole, atol=1e-5)
    with pytest.raises(InputError, match="has no layer 'draw_beats'"):
        beat_image.from_layer(beat_image.signal(), "draw_beats")


def test_only_the_small_networks_are_drawn_by_other_hands():
    drawn = {name for name in ("light", "signal", "jun", "alexnet") if "hand" in str(_names(name))}
    assert drawn == {"light", "signal"}


def _names(name):
    return [layer.name for layer in beat_image.build(name).layers]
