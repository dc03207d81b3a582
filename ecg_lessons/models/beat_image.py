"""Networks that see a heartbeat as a picture, and one that sees the curve the picture was drawn from.

`jun` is the published network (Jun et al. 2018, arXiv 1804.06812). `light` does its work with under one per
cent of its parameters. The classics are what the paper and the tutorial compare with; they start untrained.
All take curves (batch, POINTS) and draw inside the network, so `light` and `signal` differ in nothing but sight.
"""

from collections.abc import Callable
from functools import partial

import keras
from keras import applications, layers, ops

from ecg_lessons import models
from ecg_lessons.errors import InputError
from ecg_lessons.models.normalization import BatchNormalization
from ecg_lessons.signals.augment import DrawBeats, NineCrops, RandomHand
from ecg_lessons.signals.images import POINTS

CLASSES = 8


def _network(name: str, body: Callable, classes: int, nine_crops: bool, rr: bool, hand=None) -> keras.Model:
    curve = keras.Input((POINTS,), name="curve")
    image = DrawBeats(name="draw_beats")(hand(curve) if hand else curve)
    return _decide(name, curve, body(NineCrops(name="nine_crops")(image) if nine_crops else image), classes, rr)


def _decide(name: str, curve, seen, classes: int, rr: bool) -> keras.Model:
    inputs = {"curve": curve}
    if rr:
        inputs["rr"] = keras.Input((3,), name="rr")
        # Early is a ratio to what is usual for the heart, and ratios are differences of logarithms.
        timing = layers.BatchNormalization()(ops.log(ops.maximum(inputs["rr"], 0.05)))
        timing = layers.Dense(16, activation="elu")(layers.Dense(16, activation="elu")(timing))
        seen = layers.Concatenate()([seen, timing])
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="class")(seen)
    return keras.Model(inputs if rr else curve, outputs, name=name)


def jun(classes: int = CLASSES, nine_crops: bool = False, rr: bool = False) -> keras.Model:
    """Build the published network: six convolutions, and a dense layer with 99 % of the 135.4 million weights.

    From curves (batch, POINTS) to probabilities (batch, classes). `nine_crops` shows a random one of them in training.
    `rr` takes the RR intervals (previous, next, local mean; s) as a second input, (batch, 3).
    """

    def body(x):
        for filters in (64, 128, 256):
            for _ in range(2):
                x = BatchNormalization()(layers.Conv2D(filters, 3, padding="same", activation="elu")(x))
            x = layers.MaxPooling2D(2)(x)
        x = layers.Dense(2048, activation="elu")(layers.Flatten()(x))
        return layers.Dropout(0.5)(layers.BatchNormalization()(x))

    return _network("jun", body, classes, nine_crops, rr)


def light(classes: int = CLASSES, nine_crops: bool = False, rr: bool = False) -> keras.Model:
    """Build a small network that averages over the picture where `jun` flattens it.

    In training each beat is drawn by another hand (`RandomHand`), or the network learns the beats by heart.
    """
    body = partial(_light, convolution=layers.Conv2D, means=layers.AveragePooling2D((4, 2)))
    return _network("light", body, classes, nine_crops, rr, RandomHand())


def signal(classes: int = CLASSES, rr: bool = False) -> keras.Model:
    """Build the peer of `light` that looks at the curve itself: the same layers, one dimension less."""
    curve = keras.Input((POINTS,), name="curve")
    x = layers.Reshape((POINTS, 1))(RandomHand()(curve))
    return _decide("signal", curve, _light(x, layers.Conv1D, layers.AveragePooling1D(8)), classes, rr)


def _light(x, convolution: type, means: layers.Layer):
    """Convolve, then average over coarse fields: where a wave stands tells what it is, to within a field."""

    def convolve(x, filters: int, width: int, stride: int):
        x = convolution(filters, width, stride, padding="same", use_bias=False)(x)
        return layers.ELU()(BatchNormalization(momentum=0.95)(x))

    x = convolve(x, 24, 8, 4)
    for filters in (48, 96):
        x = convolve(x, filters, 3, 2)
        x = layers.Add()([x, convolve(x, filters, 3, 1)])
    return layers.Dropout(0.3)(layers.Flatten()(means(x)))


def alexnet(classes: int = CLASSES, nine_crops: bool = False, rr: bool = False) -> keras.Model:
    """Build AlexNet (Krizhevsky 2012) for one grey channel, with batch normalisation for its local response."""

    def body(x):
        # Filters, width and stride of each convolution, and whether pooling follows.
        for *shape, pool in ((96, 11, 4, 1), (256, 5, 1, 1), (384, 3, 1, 0), (384, 3, 1, 0), (256, 3, 1, 1)):
            x = BatchNormalization()(layers.Conv2D(*shape, padding="same", activation="relu")(x))
            x = layers.MaxPooling2D(3, 2)(x) if pool else x
        x = layers.Flatten()(x)
        for _ in range(2):
            x = layers.Dropout(0.5)(layers.Dense(4096, activation="relu")(x))
        return x

    return _network("alexnet", body, classes, nine_crops, rr)


def _classic(name: str, build: Callable) -> Callable[..., keras.Model]:
    """Wrap a network of keras.applications: one grey channel, untrained, averaged over the picture.

    Normalisation remembers ten batches, as PyTorch's does. With the hundred of Keras, ResNet50 had 88 % of its training
    right after two epochs of some thousand beats, and 10 % of its validation.
    """

    def ten_batches(layer):
        if type(layer) is not layers.BatchNormalization:
            return type(layer).from_config(layer.get_config())
        return BatchNormalization.from_config(layer.get_config() | {"momentum": 0.9})

    def body(x):
        plain = build(include_top=False, weights=None, input_shape=x.shape[1:], pooling="avg")
        return keras.models.clone_model(plain, clone_function=ten_batches)(x)

    return lambda classes=CLASSES, nine_crops=False, rr=False: _network(name, body, classes, nine_crops, rr)


NETWORKS = {network.__name__: network for network in (light, signal, jun, alexnet)}
for _known in (applications.VGG16, applications.ResNet50, applications.InceptionV3):
    NETWORKS[_known.__name__.lower()] = _classic(_known.__name__.lower(), _known)
#: Build a network by name.
build = partial(models.build, NETWORKS)


def from_layer(model: keras.Model, layer: str) -> keras.Model:
    """Give the part of a network that follows a layer such as ``draw_beats``, with its weights and second input."""
    if layer not in (names := [known.name for known in model.layers]):
        raise InputError(f"The network {model.name} has no layer {layer!r}: it has {', '.join(names)}.")
    seen = model.get_layer(layer).output
    inputs = [seen, model.get_layer("rr").output] if "rr" in names else seen
    return keras.Model(inputs, model.outputs[0], name=model.name)
