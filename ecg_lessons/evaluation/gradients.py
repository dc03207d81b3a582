"""Grad-CAM: a map of what spoke for a class, from the gradients of a convolutional network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import keras
import numpy as np

from ecg_lessons.errors import InputError
from ecg_lessons.examples import Arrays, rows
from ecg_lessons.signals.images import SIZE

_BATCH = 64


def grad_cam(
    model: keras.Model, x: Arrays, target: int | np.ndarray | None = None, layer: str | None = None
) -> np.ndarray:
    """Map what spoke for a class: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, eqs. 1 and 2).

    Each channel of the last feature map is weighted by the mean gradient of the class score with respect to
    it; the weighted sum, where positive, is the map. The score is taken before the softmax: where a network
    is sure, the softmax is flat, and its gradient is lost in rounding.

    The network ends in a dense layer; x are curves (n, points), or a dict of these and what else it takes. The target
    is one class or (n,) of them, or the predicted ones; the layer is the last convolutional map before pooling unless
    it is named. Gives float32 (n, SIZE, SIZE), or (n, points) for a network that reads the curve itself, from 0 to 1
    for each beat; 0 everywhere where nothing speaks for the class.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError("Grad-CAM takes its gradients from TensorFlow: set KERAS_BACKEND=tensorflow.")
    source, n = _feature_layer(model, layer), len(curves_of(x))
    target = None if target is None else np.broadcast_to(target, n)
    spread = _spread(model, source, curves_of(x).shape[1])
    maps = []
    for start in range(0, n, _BATCH):
        part = np.arange(start, min(start + _BATCH, n))
        small = _weighted(model, source, rows(x, part), None if target is None else target[part])
        # Rows first, then columns; a curve has columns only.
        maps.append((spread[0] @ small if len(spread) > 1 else small) @ spread[-1].T)
    maps = np.concatenate(maps).astype(np.float32)
    highest = maps.max(axis=tuple(range(1, maps.ndim)), keepdims=True)
    return maps / np.where(highest > 0, highest, 1)


def curves_of(x: Arrays) -> np.ndarray:
    """Give the curves among the inputs, which may be all there is."""
    return x["curve"] if isinstance(x, Mapping) else x


def layers_of(model: keras.Model) -> Iterator[keras.Layer]:
    """Give the layers from input to output, those of networks inside the network in their place."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
        else:
            yield layer


def _feature_layer(model: keras.Model, name: str | None) -> keras.Layer:
    """Find the layer by name, or the last one that still has the places of the last convolution."""
    maps = {}
    for layer in layers_of(model):
        kind, rank = type(layer).__name__, len(getattr(layer.output, "shape", ()))
        if "Conv" in kind or (maps and rank in (3, 4) and "Pooling" not in kind):
            maps[layer.name] = layer
    if not maps or name not in {None, *maps}:
        some = f"choose one of {', '.join(list(maps)[-3:])}, or an earlier one" if maps else "it has none"
        raise InputError(f"Network {model.name}: layer {name!r} is no convolutional feature map: {some}.")
    return maps[name] if name else list(maps.values())[-1]


def _spread(model: keras.Model, layer: keras.Layer, points: int) -> list[np.ndarray]:
    """Give for each direction the matrix (pixels, cells) that interpolates between the cells of a feature map."""
    cells = layer.output.shape[1:-1]
    pixels = (SIZE, SIZE) if len(cells) == 2 else (points,)
    matrices = []
    for size, many, step, first in zip(pixels, cells, *_grid(model, layer), strict=True):
        at = np.clip((np.arange(size) - first) / step, 0, many - 1)
        matrices.append(np.maximum(1 - np.abs(at[:, None] - np.arange(many)), 0))
    return matrices


def _grid(model: keras.Model, layer: keras.Layer) -> tuple[np.ndarray, np.ndarray]:
    """Tell where the cells of a feature map look: cell i at pixel ``step * i + first``, in each direction.

    Stretching the map over the picture would do if every layer looked to both sides alike. A step of two with
    padding "same" does not: after three of them, the map would stand six pixels up and left of its cause.
    """
    maker = {id(made.output): made for made in layers_of(model)}
    rank = len(layer.output.shape)
    step, first = np.ones(rank - 2), np.zeros(rank - 2)
    while layer is not None and not isinstance(layer, keras.layers.InputLayer):
        source = layer.input[0] if isinstance(layer.input, list) else layer.input
        if len(source.shape) != rank:  # here the curve becomes a picture
            break
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if size is not None:
            size = (np.array(size) - 1) * getattr(layer, "dilation_rate", (1,))[0] + 1
            need = (np.array(layer.output.shape[1:-1]) - 1) * layer.strides + size
            same = layer.padding == "same"
            before = np.maximum(need - source.shape[1:-1], 0) // 2 if same else 0
            step, first = step * layer.strides, first * layer.strides - before + (size - 1) / 2
        elif isinstance(layer, keras.layers.ZeroPadding2D):
            first = first - np.array(layer.padding)[:, 0]
        layer = maker.get(id(source))
    return step, first


@contextmanager
def _opened(model: keras.Model, layer: keras.Layer) -> Iterator[list]:
    """Let the network give its scores before the softmax, and keep what a layer, however deep inside, puts out."""
    head, kept, call = model.layers[-1], [], layer.call

    def keep(*args, **kwargs):
        kept.append(call(*args, **kwargs))
        return kept[-1]

    activation = head.activation
    try:
        head.activation, layer.call = keras.activations.linear, keep
        yield kept
    finally:
        head.activation = activation
        del layer.call


def _weighted(model: keras.Model, layer: keras.Layer, x: Arrays, target: np.ndarray | None) -> np.ndarray:
    """Give the maps in the size of the feature map, shape (n, ...), not scaled."""
    import tensorflow as tf

    x = tf.nest.map_structure(lambda values: tf.convert_to_tensor(values, tf.float32), x)
    with _opened(model, layer) as kept, tf.GradientTape() as tape:
        tape.watch(x)
        scores = model(x, training=False)
        classes = tf.argmax(scores, axis=1) if target is None else tf.convert_to_tensor(target)
        score = tf.gather(scores, classes, axis=1, batch_dims=1)
    features = tf.cast(kept[-1], tf.float32).numpy()
    gradient = tf.cast(tape.gradient(score, kept[-1]), tf.float32).numpy()
    places = tuple(range(1, features.ndim - 1))
    weights = gradient.mean(axis=places, keepdims=True)
    return np.maximum((features * weights).sum(axis=-1), 0)
