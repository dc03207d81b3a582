"""The focal loss, and cross-entropy that trusts no label fully."""

import keras
import numpy as np

from ecg_lessons.models.losses import SmoothedCrossentropy, SparseFocalLoss

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]], np.float32)
Y = np.array([0, 1, 1])


def test_the_formula():
    p = np.array([0.7, 0.1, 0.4])
    for gamma in (0.0, 1.0, 2.5):
        wanted = np.mean(-((1 - p) ** gamma) * np.log(p))
        np.testing.assert_allclose(float(SparseFocalLoss(gamma)(Y, P)), wanted, rtol=1e-5)


def test_without_gamma_it_is_cross_entropy():
    plain = keras.losses.SparseCategoricalCrossentropy()(Y, P)
    np.testing.assert_allclose(float(SparseFocalLoss(0.0)(Y[:, None], P)), float(plain), rtol=1e-5)


def test_a_certain_mistake_is_finite():
    assert np.isfinite(float(SparseFocalLoss()(np.array([0]), np.array([[0.0, 1.0]], np.float32))))


def test_a_network_trained_with_it_survives_saving(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", SparseFocalLoss(1.5))
    model.fit(np.ones((8, 4)), np.zeros(8), verbose=0)
    model.save(tmp_path / "m.keras")
    assert keras.saving.load_model(tmp_path / "m.keras").loss.gamma == 1.5


def test_smoothing_is_keras_own_on_labels_in_columns():
    wanted = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(np.eye(3)[Y], P)
    np.testing.assert_allclose(float(SmoothedCrossentropy(0.1)(Y[:, None], P)), float(wanted), rtol=1e-5)


def test_smoothing_comes_back_from_its_configuration():
    loss = SmoothedCrossentropy(0.2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
