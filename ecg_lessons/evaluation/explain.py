"""Where a network looked, and three tests of whether the answer means anything.

Grad-CAM gives a map of what spoke for a class, from the gradients of a convolutional network; it pleases the eye.
Whether it says something about the network is another question: it must change when the weights are drawn anew
(`randomised`, `agreement`), and erasing what it marks must cost more than erasing something else (`deletion`).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import rankdata

from ecg_lessons.errors import InputError
from ecg_lessons.evaluation.panels import legend, panels
from ecg_lessons.examples import Arrays, rows
from ecg_lessons.signals.images import SIZE, heights

_BATCH = 64


def grad_cam(model: keras.Model, x: Arrays, target=None, layer: str | None = None) -> np.ndarray:
    """Map what spoke for a class: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, eqs. 1 and 2).

    Each channel of the last convolutional map, or of the layer named, is weighted by the mean gradient of the class
    score with respect to it; the weighted sum, where positive, is the map. The score is taken before the softmax: where
    a network is sure, the softmax is flat, and its gradient is lost in rounding.

    The inputs are curves (n, points), or a dict of these and what else the network takes; the target is one class or
    (n,) of them, or the predicted ones. Gives float32 (n, SIZE, SIZE), or (n, points) for a network that reads the
    curve itself, from 0 to 1 for each beat; 0 everywhere where nothing speaks for the class.
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


def randomised(model: keras.Model, depth: str | int = "all", seed: int = 0) -> keras.Model:
    """Copy a network and draw weights anew, from the top down: the sanity check of explanations.

    A map that stays the same when the weights it claims to explain are replaced by chance explains nothing (Adebayo
    et al. 2018, arXiv 1810.03292). The depth is "head" (the last dense layer), "all", or how many layers with
    weights, counted from the output; those below keep theirs.
    """
    before, known = random.getstate(), [layer for layer in layers_of(model) if layer.weights]
    top = {"head": 1, "all": len(known)}.get(depth, depth)
    if not isinstance(top, int) or not 1 <= top <= len(known):
        raise InputError(f"Depth {depth!r}: choose head, all, or a number from 1 to {len(known)}.")
    try:
        random.seed(seed)  # Keras seeds the initialisers of new layers from here
        copy = keras.models.clone_model(model)
    finally:
        random.setstate(before)
    for old, new in zip(known[:-top], [layer for layer in layers_of(copy) if layer.weights][:-top], strict=True):
        new.set_weights(old.get_weights())
    return copy


def agreement(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compare two maps of each beat, (n, ...), by the rank correlation of their pixels (Spearman): (n,).

    It is 0 where a map is the same everywhere, and so ranks nothing.
    """
    if np.shape(a) != np.shape(b):
        raise InputError(f"Maps of shapes {np.shape(a)} and {np.shape(b)} cannot be compared: give pairs.")
    a, b = (rankdata(np.reshape(maps, (len(maps), -1)), axis=1) for maps in (a, b))
    a, b = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (a, b))
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 0)


def deletion(model: keras.Model, x: Arrays, maps: np.ndarray, share=0.2, seed=0, target=None) -> list[np.ndarray]:
    """Erase the columns a map marks, and as many others, and see how far the probability falls: twice (n,).

    Erased columns are bridged by a straight line; what is left of a curve is not stretched to 0..1 again. The others
    are the same pattern of columns, shifted round by chance: scattered single columns would be bridged almost without
    a trace, and the map would win for nothing. In maps (n, rows, columns) a column counts as its highest value. The
    probability is that of the target classes, or of the predicted ones.
    """
    curves, maps = np.asarray(curves_of(x)), np.asarray(maps)
    weight = maps.max(axis=1) if maps.ndim == 3 else maps
    if len(weight) != len(curves) or curves.shape[1] % weight.shape[-1]:
        raise InputError(f"Maps of shape {maps.shape} do not fit curves of shape {curves.shape}.")
    if not 0 < share < 1:
        raise InputError(f"A share of {share} of the columns cannot be erased: give one between 0 and 1.")
    rng, (n, columns) = np.random.default_rng(seed), weight.shape
    order = np.lexsort((rng.random(weight.shape), -weight), axis=1)
    erased = np.zeros(weight.shape, bool)
    np.put_along_axis(erased, order[:, : max(1, round(share * columns))], True, axis=1)
    turn = (np.arange(columns) - rng.integers(1, columns, (n, 1))) % columns
    probability = _predict(model, x)
    target = probability.argmax(axis=1) if target is None else np.broadcast_to(target, n)
    falls = []
    for mask in (erased, np.take_along_axis(erased, turn, axis=1)):
        at, bridged = np.arange(curves.shape[1]), curves.copy()
        for curve, gone in zip(bridged, np.repeat(mask, len(at) // columns, axis=1), strict=True):
            curve[gone] = np.interp(at[gone], at[~gone], curve[~gone])
        after = _predict(model, {**x, "curve": bridged} if isinstance(x, Mapping) else bridged)
        falls.append((probability - after)[np.arange(n), target])
    return falls


def show_maps(curves: np.ndarray, maps: np.ndarray | Mapping[str, np.ndarray], titles: Sequence[str]) -> Figure:
    """Draw curves (n, points) in a row, each with its map under it: the darker, the more it speaks for the class.

    Of maps by name, (n, SIZE, SIZE) or (n, points), each has a row of pictures.
    """
    named = maps if isinstance(maps, Mapping) else {"": maps}
    if not all(len(group) == len(curves) == len(titles) for group in named.values()):
        raise InputError("Curves, maps and titles must be of one length.")
    size, shape = (1 + 1.6 * len(curves), 0.7 + 1.6 * len(named)), (len(named), len(curves))
    figure, axes = panels(*size, *shape[::-1], framed=True, sharex=True, sharey=True)
    axes = np.reshape(axes, shape)
    columns = (np.arange(np.shape(curves)[1]) + 0.5) * SIZE / np.shape(curves)[1] - 0.5
    for line, (name, group) in zip(axes, named.items(), strict=True):
        for ax, curve, drawn in zip(line, curves, group, strict=True):
            # One hue from white on, stopped before it is so dark that the black curve would drown.
            box = (-0.5, SIZE - 0.5, SIZE - 0.5, -0.5)
            shade = ax.imshow(np.atleast_2d(drawn), cmap="Oranges", vmin=0, vmax=1.35, extent=box)
            ax.plot(columns, heights(curve) - 0.5, color="black", linewidth=1)
            ax.set(xticks=(0, 64, 127), yticks=(0, 64, 127))
            ax.tick_params(labelsize=7, length=2)
        line[0].set_ylabel(f"{name}\nrow (pixel)".strip(), fontsize=8)
    for above, below, title in zip(axes[0], axes[-1], titles, strict=True):
        above.set_title(title, fontsize=9)
        below.set_xlabel("column (pixel)", fontsize=8)
    scale = {"boundaries": np.linspace(0, 1, 101), "ticks": (0, 0.5, 1)}
    legend(figure, axes, shade, "weight for the class", pad=0.02, aspect=15 * len(named), **scale)
    return figure


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
    cells, matrices = layer.output.shape[1:-1], []
    pixels = (SIZE, SIZE) if len(cells) == 2 else (points,)
    for size, many, step, first in zip(pixels, cells, *_grid(model, layer), strict=True):
        at = np.clip((np.arange(size) - first) / step, 0, many - 1)
        matrices.append(np.maximum(1 - np.abs(at[:, None] - np.arange(many)), 0))
    return matrices


def _grid(model: keras.Model, layer: keras.Layer) -> tuple[np.ndarray, np.ndarray]:
    """Tell where the cells of a feature map look: cell i at pixel ``step * i + first``, in each direction.

    Stretching the map over the picture would not do: after three steps of two with padding "same", which looks to one
    side, the map would stand six pixels up and left of its cause.
    """
    maker = {id(made.output): made for made in layers_of(model)}
    step, first = np.ones((rank := len(layer.output.shape)) - 2), np.zeros(rank - 2)
    while layer is not None and not isinstance(layer, keras.layers.InputLayer):
        source = layer.input[0] if isinstance(layer.input, list) else layer.input
        if len(source.shape) != rank:  # here the curve becomes a picture
            break
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if size is not None:
            size = (np.array(size) - 1) * getattr(layer, "dilation_rate", (1,))[0] + 1
            need = (np.array(layer.output.shape[1:-1]) - 1) * layer.strides + size
            before = np.maximum(need - source.shape[1:-1], 0) // 2 if layer.padding == "same" else 0
            step, first = step * layer.strides, first * layer.strides - before + (size - 1) / 2
        elif isinstance(layer, keras.layers.ZeroPadding2D):
            first = first - np.array(layer.padding)[:, 0]
        layer = maker.get(id(source))
    return step, first


@contextmanager
def _opened(model: keras.Model, layer: keras.Layer) -> Iterator[list]:
    """Let the network give its scores before the softmax, and keep what a layer, however deep inside, puts out."""
    head, kept, call, activation = model.layers[-1], [], layer.call, model.layers[-1].activation

    def keep(*args, **kwargs):
        kept.append(call(*args, **kwargs))
        return kept[-1]

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
    parts = (kept[-1], tape.gradient(score, kept[-1]))
    features, gradient = (tf.cast(part, tf.float32).numpy() for part in parts)
    weights = gradient.mean(axis=tuple(range(1, features.ndim - 1)), keepdims=True)
    return np.maximum((features * weights).sum(axis=-1), 0)


def _predict(model: keras.Model, x: Arrays) -> np.ndarray:
    return model.predict(x, batch_size=256, verbose=0).astype(np.float64)
