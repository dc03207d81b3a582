"""The networks of lesson 5, and their transfer."""

import keras
import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.models import heartbeat, inversion
from ecg_lessons.signals import unusual

OF_A_BEAT = ["cnet", "seq2seq", "bilstm", "bigru"]


def inputs(name, count=4):
    rng = np.random.default_rng(0)
    if name == "ours":
        return rng.normal(size=(count, len(unusual.NAMES))).astype(np.float32)
    return rng.random((count, heartbeat.SAMPLES, 1), dtype=np.float32)


def answer(model, x):
    """What a network says; called directly, which is quicker than `predict` for a handful of beats."""
    return keras.ops.convert_to_numpy(model(x, training=False))


def body(model):
    return keras.Model(model.input, model.get_layer("hidden").input)


@pytest.fixture(scope="module")
def networks():
    return {name: heartbeat.build(name) for name in heartbeat.NETWORKS}


def test_cnet_has_its_published_size():
    assert heartbeat.cnet().count_params() == 53_957
    assert heartbeat.cnet(2).count_params() == 53_957 - 3 * 33


def test_recurrent_networks_have_their_size(networks):
    """By hand: a gate has (inputs + hidden + 1) * hidden weights, the GRU of Keras one bias more a gate."""
    dense = 256 * 32 + 32 + 32 * 5 + 5
    lstm = 2 * 4 * 128 * ((11 + 128 + 1) + (256 + 128 + 1))
    gru = 2 * 3 * 128 * ((11 + 128 + 2) + (256 + 128 + 2))
    assert networks["bilstm"].count_params() == lstm + dense
    assert networks["bigru"].count_params() == gru + dense


def test_ours_is_small(networks):
    assert networks["ours"].count_params() < networks["cnet"].count_params() / 1.5
    assert heartbeat.ours(comparisons=8).count_params() < networks["ours"].count_params()


@pytest.mark.parametrize("name", heartbeat.NETWORKS)
def test_outputs_are_probabilities(name, networks):
    p = answer(networks[name], inputs(name))
    assert p.shape == (4, 5)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", heartbeat.NETWORKS)
def test_a_beat_is_named_whatever_stands_beside_it(name, networks):
    x = inputs(name)
    p = answer(networks[name], x)
    order = [2, 0, 3, 1]
    turned = answer(networks[name], keras.tree.map_structure(lambda a: a[order], x))
    np.testing.assert_allclose(turned, p[order], atol=1e-5)
    alone = answer(networks[name], keras.tree.map_structure(lambda a: a[:1], x))
    np.testing.assert_allclose(alone, p[:1], atol=1e-5)


@pytest.mark.parametrize("name", OF_A_BEAT)
def test_every_part_of_the_beat_counts(name, networks):
    x = np.repeat(inputs(name, 1), heartbeat.SEGMENTS + 1, axis=0)
    for segment in range(heartbeat.SEGMENTS):
        x[segment + 1, 17 * segment : 17 * (segment + 1)] += 1
    p = answer(networks[name], x)
    assert (np.abs(p[1:] - p[0]).max(axis=1) > 1e-5).all()


def test_the_segments_of_seq2seq_are_seen_one_by_one(networks):
    """What reaches the recurrence at segment 5 are samples 85 to 101 and no others."""
    model = networks["seq2seq"]
    seen = keras.Model(model.input, model.get_layer("encoder").input)
    x = inputs("seq2seq", 1)
    y = x.copy()
    y[0, 85:102] += 1
    changed = np.abs(answer(seen, x) - answer(seen, y)).max(axis=(0, 2)) > 0
    assert changed.tolist() == [segment == 5 for segment in range(heartbeat.SEGMENTS)]


def test_ours_sees_all_its_comparisons(networks):
    x = np.repeat(inputs("ours", 1), 1 + len(unusual.NAMES), axis=0)
    x[1 + np.arange(len(unusual.NAMES)), np.arange(len(unusual.NAMES))] += 1
    p = answer(networks["ours"], x)
    assert (np.abs(p[1:] - p[0]).max(axis=1) > 0).all()


@pytest.mark.parametrize("step", [1, 17])
def test_steps_of_other_lengths(step):
    model = heartbeat.bigru(step=step)
    assert model.get_layer(index=1).output.shape == (None, 187 // step, step)


@pytest.mark.parametrize("name", heartbeat.NETWORKS)
def test_survives_saving(name, networks, tmp_path):
    networks[name].save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = inputs(name)
    np.testing.assert_array_equal(answer(again, x), answer(networks[name], x))


@pytest.mark.parametrize("name", heartbeat.NETWORKS)
@pytest.mark.parametrize("frozen", [True, False])
def test_a_new_head_keeps_the_body(name, frozen, networks):
    old = networks[name]
    before = answer(old, inputs(name))
    model = heartbeat.new_head(old, 2, frozen)
    assert model.output.shape == (None, 2)
    old_body, new_body = (answer(body(one), inputs(name)) for one in (old, model))
    np.testing.assert_array_equal(old_body, new_body)
    hidden = [one.get_layer("hidden").get_weights()[0] for one in (old, model)]
    assert hidden[0].shape == hidden[1].shape
    assert not np.allclose(*hidden)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    model.fit(inputs(name), np.array([0, 1, 0, 1]), epochs=2, verbose=0)
    trained = answer(body(model), inputs(name))
    assert np.allclose(trained, old_body) == frozen
    np.testing.assert_array_equal(answer(old, inputs(name)), before)
    assert all(layer.trainable for layer in old.layers)


@pytest.mark.parametrize("name", heartbeat.NETWORKS)
def test_frozen_leaves_the_two_new_layers_to_train(name, networks):
    model = heartbeat.new_head(networks[name], 2, frozen=True)
    assert len(model.trainable_weights) == 4
    assert len(heartbeat.new_head(networks[name], 2, frozen=False).trainable_weights) > 4


def test_a_new_head_after_another(networks):
    twice = heartbeat.new_head(heartbeat.new_head(networks["cnet"], 2, frozen=True), 3, frozen=False)
    assert twice.output.shape == (None, 3)
    assert len(twice.trainable_weights) == 26


def test_mistakes_are_told():
    with pytest.raises(InputError, match="no network 'resnet': did you mean 'cnet'"):
        heartbeat.build("resnet")
    with pytest.raises(InputError, match="no steps of 10: choose 1, 11 or 17"):
        heartbeat.bilstm(step=10)
    with pytest.raises(InputError, match="usoltsev does not end in the dense layers"):
        heartbeat.new_head(inversion.usoltsev(), 2, frozen=True)
