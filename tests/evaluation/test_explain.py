"""Explanations of networks small enough to know the right answer."""

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import explain
from ecg_lessons.models import beat_image
from ecg_lessons.signals.augment import DrawBeats
from ecg_lessons.signals.images import POINTS, SIZE


@pytest.fixture(scope="module")
def curve():
    return np.random.default_rng(0).random((6, POINTS), dtype=np.float32)


@keras.saving.register_keras_serializable("tests")
class Halves(layers.Layer):
    """Two channels: the left half of the picture, and the right half."""

    def call(self, image):
        left = ops.cast(ops.arange(SIZE) < SIZE // 2, "float32")[None, None, :, None]
        return ops.concatenate([image * left, image * (1 - left)], axis=-1)


def two_halves(sure: float = 1.0, nested: bool = False) -> keras.Model:
    """Class 0 counts the ink on the left, class 1 the ink on the right."""
    see = layers.Conv2D(2, 1, use_bias=False, name="see")
    head = layers.Dense(2, activation="softmax", use_bias=False)
    curve, picture = keras.Input((POINTS,)), keras.Input((SIZE, SIZE, 1))

    def body(image):
        return layers.GlobalAveragePooling2D()(see(Halves()(image)))

    if nested:
        body = keras.Model(picture, body(picture), name="body")
    model = keras.Model(curve, head(body(DrawBeats()(curve))), name="halves")
    see.set_weights([np.eye(2)[None, None]])
    head.set_weights([sure * np.array([[1, -1], [-1, 1]])])
    return model


@pytest.mark.parametrize("nested", [False, True])
def test_the_map_lies_where_the_class_was_seen(curve, nested):
    model = two_halves(nested=nested)
    drawn = ops.convert_to_numpy(DrawBeats()(curve))[..., 0]
    drawn /= drawn.max(axis=(1, 2), keepdims=True)
    left, right = (explain.grad_cam(model, curve, target) for target in (0, 1))
    assert left.dtype == np.float32
    np.testing.assert_allclose(left[:, :, : SIZE // 2], drawn[:, :, : SIZE // 2], atol=1e-5)
    assert not left[:, :, SIZE // 2 :].any()
    np.testing.assert_allclose(right[:, :, SIZE // 2 :], drawn[:, :, SIZE // 2 :], atol=1e-5)
    assert not right[:, :, : SIZE // 2].any()


def test_a_sure_network_still_explains_itself(curve):
    """Its softmax is flat in float32: a gradient taken after it would be zero."""
    calm, sure = two_halves(), two_halves(1e6)
    assert sure.predict(curve, verbose=0).max(axis=1).min() == 1
    target = np.arange(6) % 2
    np.testing.assert_allclose(explain.grad_cam(sure, curve, target), explain.grad_cam(calm, curve, target), atol=1e-5)


def test_nothing_speaks_for_a_class_that_nothing_was_seen_of():
    """All ink of this class is on the other half: the map is zero, and not NaN."""
    model = two_halves()
    model.layers[-1].set_weights([np.array([[1.0, -1.0], [1.0, -1.0]])])
    flat = np.full((2, POINTS), 0.5, np.float32)
    assert (explain.grad_cam(model, flat, 1) == 0).all()
    assert explain.grad_cam(model, flat, 0).max() == 1


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("where", [40, 200, 470])
def test_the_map_stands_on_its_cause_whatever_the_strides(stride, where):
    """Three layers of width 3: with steps of two, "same" padding would move the map up and left."""
    curve = keras.Input((POINTS,))
    x = layers.Reshape((POINTS, 1))(curve)
    for _ in range(3):
        x = layers.Conv1D(1, 3, min(stride, 2), padding="same", kernel_initializer="ones")(x)
    x = layers.MaxPooling1D(2)(x) if stride == 4 else x
    x = layers.Conv1D(1, 1, kernel_initializer="ones")(x)
    scores = layers.Dense(2, activation="softmax", kernel_initializer="ones")(layers.Flatten()(x))
    spike = np.zeros((1, POINTS), np.float32)
    spike[0, where] = 1
    one = explain.grad_cam(keras.Model(curve, scores), spike, 0)[0]
    assert one.shape == (POINTS,)
    assert abs((one * np.arange(POINTS)).sum() / one.sum() - where) <= {1: 0.01, 2: 4, 4: 8}[stride]


@pytest.mark.parametrize("name", ["light", "vgg16", "signal"])
def test_networks_of_the_lesson_are_explained_and_left_as_they_are(name, curve):
    keras.utils.set_random_seed(0)  # of untrained weights, a few leave a map without anything above zero
    model = beat_image.build(name, rr=True)
    x = {"curve": curve[:2], "rr": np.full((2, 3), 0.8, np.float32)}
    answer = model.predict(x, verbose=0)
    one = explain.grad_cam(model, x)
    assert one.shape == ((2, POINTS) if name == "signal" else (2, SIZE, SIZE))
    np.testing.assert_array_equal(one, explain.grad_cam(model, x))
    np.testing.assert_array_equal(one, explain.grad_cam(model, x, answer.argmax(axis=1)))
    assert not np.array_equal(one, explain.grad_cam(model, x, 7 - answer.argmax(axis=1)))
    assert one.max(axis=tuple(range(1, one.ndim))).tolist() == [1, 1]
    assert one.min() >= 0
    np.testing.assert_array_equal(model.predict(x, verbose=0), answer)
    np.testing.assert_allclose(np.asarray(model(x)).sum(axis=1), 1, rtol=1e-5)  # the softmax is back


def test_many_beats_are_explained_as_each_alone(curve):
    model = beat_image.light()
    many = np.concatenate([curve] * 12)  # more than one batch
    target = np.arange(72) % 8
    alone = explain.grad_cam(model, many[70:], target[70:])
    np.testing.assert_allclose(explain.grad_cam(model, many, target)[70:], alone, atol=1e-3)


def test_another_layer_by_name(curve):
    model = two_halves(nested=True)
    np.testing.assert_array_equal(explain.grad_cam(model, curve, layer="see"), explain.grad_cam(model, curve))
    with pytest.raises(InputError, match="'dense' is no convolutional feature map: choose one of see"):
        explain.grad_cam(model, curve, layer="dense")
    x = keras.Input((POINTS,))
    with pytest.raises(InputError, match="it has none"):
        explain.grad_cam(keras.Model(x, layers.Dense(2)(x)), curve)


def kernels(model: keras.Model) -> list[np.ndarray]:
    return [np.array(weight) for weight in model.weights if weight.path.endswith("kernel")]


def test_randomised_draws_a_copy_and_leaves_the_network_alone(curve):
    model = beat_image.light(rr=True)
    before, state = kernels(model), random.getstate()
    head, two, everything = (explain.randomised(model, depth, 1) for depth in ("head", 2, "all"))
    assert random.getstate() == state
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_array_equal(old, new)
    for copy, changed in ((head, 1), (two, 2), (everything, len(before))):
        same = [np.array_equal(old, new) for old, new in zip(before, kernels(copy), strict=True)]
        assert same == [True] * (len(before) - changed) + [False] * changed
    x = {"curve": curve, "rr": np.full((6, 3), 0.8, np.float32)}
    again, other = (explain.randomised(model, "all", seed) for seed in (1, 2))
    np.testing.assert_array_equal(again.predict(x, verbose=0), everything.predict(x, verbose=0))
    assert not np.allclose(other.predict(x, verbose=0), everything.predict(x, verbose=0))


def test_randomised_reaches_networks_inside_the_network():
    model = two_halves(nested=True)
    for old, new in zip(kernels(model), kernels(explain.randomised(model)), strict=True):
        assert not np.array_equal(old, new)
    for depth in ("tail", 0, 3):
        with pytest.raises(InputError, match="from 1 to 2"):
            explain.randomised(model, depth)


def test_a_map_that_fails_the_sanity_check(curve):
    """Grad-CAM changes with the weights; the ink itself, sold as an explanation, does not."""
    model = two_halves(nested=True)
    model.get_layer("body").get_layer("see").set_weights([np.array([[1.0, -1.0], [-1.0, 1.0]])[None, None]])
    before = explain.grad_cam(model, curve, 0)
    after = explain.grad_cam(model, curve, 1)
    assert explain.agreement(before, after).max() < 0
    ink = ops.convert_to_numpy(DrawBeats()(curve))
    np.testing.assert_allclose(explain.agreement(ink, ink), 1)


def test_agreement_is_spearmans():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 5, 8, 8))
    np.testing.assert_allclose(explain.agreement(a, a), 1)
    np.testing.assert_allclose(explain.agreement(a, -a), -1)
    np.testing.assert_allclose(explain.agreement(a, np.exp(3 * a)), 1)  # ranks, not values
    assert explain.agreement(a, np.ones_like(a)).tolist() == [0] * 5
    # By the textbook's 1 - 6 sum(d^2) / n (n^2 - 1), without ties.
    rank_a, rank_b = (v.reshape(5, -1).argsort(axis=1).argsort(axis=1) for v in (a, b))
    expected = 1 - 6 * ((rank_a - rank_b) ** 2).sum(axis=1) / (64 * (64**2 - 1))
    np.testing.assert_allclose(explain.agreement(a, b), expected)
    with pytest.raises(InputError, match="give pairs"):
        explain.agreement(a, b[:4])


@pytest.fixture(scope="module")
def bump():
    """A network that asks for ink in points 200 to 299 and nowhere else, and curves that have it there."""
    x = keras.Input((POINTS,), name="curve")
    head = layers.Dense(2, activation="softmax", use_bias=False)
    model = keras.Model(x, head(x))
    weight = np.zeros((POINTS, 2))
    weight[200:300, 1] = 0.04
    head.set_weights([weight])
    curves = np.zeros((40, POINTS), np.float32)
    curves[:, 200:300] = 1
    return model, curves


def test_deletion_finds_what_the_network_needs(bump):
    model, curves = bump
    maps = np.zeros((40, SIZE, SIZE))
    maps[:, 30, 50:75] = 1
    important, chance = explain.deletion(model, curves, maps, 25 / SIZE)
    sure = 1 / (1 + np.exp(-4))
    np.testing.assert_allclose(important, sure - 0.5, rtol=1e-4)  # a straight line at 0 is left
    assert 0 < chance.mean() < 0.5 * important.mean()
    assert (chance < important).all()
    wrong = np.roll(maps, 60, axis=2)
    missed, _ = explain.deletion(model, curves, wrong, 25 / SIZE)
    np.testing.assert_allclose(missed, 0, atol=1e-6)
    flat = maps.max(axis=1).repeat(POINTS // SIZE, axis=1)  # the map of a network that reads the curve
    np.testing.assert_allclose(explain.deletion(model, curves, flat, 25 / SIZE)[0], important)


def test_deletion_is_repeatable_and_watches_the_class_asked_for(bump):
    model, curves = bump
    before = curves.copy()
    maps = np.random.default_rng(1).random((40, SIZE))
    one, two, other = (explain.deletion(model, curves, maps, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one[1], other[1])
    np.testing.assert_allclose(explain.deletion(model, curves, maps, target=0)[0], -one[0], atol=1e-6)
    np.testing.assert_array_equal(curves, before)


def test_a_map_that_marks_nothing_is_no_better_than_chance(bump):
    model, curves = bump
    important, chance = explain.deletion(model, np.repeat(curves, 10, axis=0), np.zeros((400, SIZE)))
    assert important.mean() == pytest.approx(chance.mean(), abs=0.02)


def test_deletion_refuses_what_does_not_fit(bump):
    model, curves = bump
    with pytest.raises(InputError, match="do not fit"):
        explain.deletion(model, curves, np.zeros((39, SIZE)))
    with pytest.raises(InputError, match="do not fit"):
        explain.deletion(model, curves, np.zeros((40, 100)))
    with pytest.raises(InputError, match="share of 20"):
        explain.deletion(model, curves, np.zeros((40, SIZE)), share=20)


def test_deletion_leaves_the_rr_intervals_alone(curve):
    model = beat_image.signal(rr=True)
    rr = np.full((6, 3), 0.8, np.float32)
    important, chance = explain.deletion(model, {"curve": curve, "rr": rr}, np.zeros((6, SIZE)))
    assert important.shape == chance.shape == (6,)
    assert important.any()


def test_pictures_show_map_and_curve(curve):
    maps = np.zeros((6, SIZE, SIZE))
    maps[:, 10, 20] = 1
    figure = explain.show_maps(curve, {"image": maps, "signal": curve}, [f"beat {i}" for i in range(6)])
    panels = [ax for ax in figure.axes if ax.lines]
    assert len(panels) == 12
    assert [ax.get_title() for ax in panels[:6]] == [f"beat {i}" for i in range(6)]
    assert [panels[0].get_ylabel(), panels[6].get_ylabel()] == ["image\nrow (pixel)", "signal\nrow (pixel)"]
    shade = panels[0].images[0]
    np.testing.assert_array_equal(shade.get_array(), maps[0])
    assert shade.get_extent() == [-0.5, SIZE - 0.5, SIZE - 0.5, -0.5]
    x, y = panels[0].lines[0].get_data()
    assert (x[0], x[-1]) == (-0.375, SIZE - 0.625)
    assert y.argmin() == curve[0].argmax()  # up is up
    dark = shade.cmap(shade.norm([0.0, 0.5, 1.0]))[:, :3] @ [0.299, 0.587, 0.114]
    assert dark[0] > dark[1] > dark[2] > 0.3  # readable in grey, under a black curve
    assert len(explain.show_maps(curve[:1], maps[:1], ["one"]).axes) == 2
    with pytest.raises(InputError, match="one length"):
        explain.show_maps(curve, maps, ["one"])
