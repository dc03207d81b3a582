"""Normalisation in one operation is that of Keras."""

import keras
import numpy as np
import pytest
from keras import layers

from ecg_lessons.models.normalization import BatchNormalization

RNG = np.random.default_rng(0)


def trained(kind: type, x: np.ndarray, steps: int = 3) -> tuple[keras.Model, list[np.ndarray]]:
    keras.utils.set_random_seed(0)
    inputs = keras.Input(x.shape[1:])
    normal = kind(momentum=0.8)(layers.Dense(5)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(layers.Activation("tanh")(normal))))
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(x, x.mean(axis=tuple(range(1, x.ndim))), batch_size=len(x), epochs=steps, verbose=0)
    return model, model.get_weights()


@pytest.mark.parametrize("shape", [(6, 7, 3), (6, 4, 5, 3), (6, 3)])
def test_it_learns_and_judges_as_keras_does(shape):
    x = RNG.normal(2, 3, shape).astype("float32")
    ours, weights = trained(BatchNormalization, x)
    theirs, wanted = trained(layers.BatchNormalization, x)
    assert any(layer.name.startswith("batch_normalization") for layer in ours.layers)
    for got, want in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-4)


def test_training_in_float32_asks_for_one_operation():
    import tensorflow as tf

    layer, x = BatchNormalization(), tf.ones((6, 7, 3))
    layer.build(x.shape)
    asked = [tf.function(lambda x, on=on: layer(x, training=on)).get_concrete_function(x) for on in (True, False)]
    layer = BatchNormalization(dtype="mixed_bfloat16")
    layer.build(x.shape)
    asked.append(tf.function(lambda x: layer(x, training=True)).get_concrete_function(x))
    fused = ["FusedBatchNormV3" in {one.type for one in call.graph.get_operations()} for call in asked]
    assert fused == [True, False, False]


def test_a_frozen_layer_keeps_what_it_met():
    layer, x = BatchNormalization(), RNG.normal(2, 3, (6, 7, 3)).astype("float32")
    layer(x, training=True)
    met = [np.array(layer.moving_mean), np.array(layer.moving_variance)]
    layer.trainable = False
    layer(x, training=True)
    np.testing.assert_array_equal([layer.moving_mean, layer.moving_variance], met)


def test_a_saved_network_is_read_again(tmp_path):
    x = RNG.normal(0, 1, (6, 7, 3)).astype("float32")
    model, _ = trained(BatchNormalization, x, 1)
    model.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    assert any(type(layer) is BatchNormalization for layer in again.layers)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
