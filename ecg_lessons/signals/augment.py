"""Keras layers that draw beats, and augmentation: active in training, silent in evaluation.

Inside the model, augmentation cannot leak into a score by accident: the original inversion project
scored shifted copies because its augmentation lived outside the network.

Layers of whole single-lead recordings of unequal length take a signal, shape (batch, samples), with zeros behind its
end, and its true length, shape (batch, 1). Their ideas are those of Zihlmann et al. (CinC 2017, arXiv 1710.06122):
dropout bursts, and random resampling.
"""

from types import MappingProxyType

import cv2
import keras
import numpy as np
from keras import ops

from ecg_lessons.signals.images import MARGIN, PEN, SIZE
from ecg_lessons.signals.leads import limb_leads

#: A burst lasts 50 ms at 300 Hz.
BURST = 15
#: The nine crops of Jun et al. 2018: 96 pixels from 0, 16 or 32, in rows and in columns.
CROP, STARTS = 96, (0, 16, 32)


class Configured:
    """The base of Keras objects whose annotated attributes are their arguments and their configuration.

    As in a dataclass, but that a class's own attributes come before those of its base. Keywords in the head of a class
    are options of Keras, such as a name, that it has unless told otherwise. Keras finds each in the files it saves.
    """

    _usual = MappingProxyType({})

    def __init_subclass__(cls, **usual):
        super().__init_subclass__()
        cls._usual = cls._usual | usual
        keras.saving.register_keras_serializable("ecg_lessons")(cls)

    def __init__(self, *values, **options):
        names = self._names()
        values = dict(zip(names, values, strict=False)) | {k: options.pop(k) for k in names if k in options}
        super().__init__(**self._usual | options)
        for name in names:
            setattr(self, name, values[name] if name in values else getattr(type(self), name))

    def _names(self) -> list[str]:
        classes = (kind for kind in type(self).__mro__ if issubclass(kind, Configured))
        return [name for kind in classes for name in vars(kind).get("__annotations__", ())]

    def get_config(self) -> dict:
        """Give what is needed to build the object again."""
        return super().get_config() | {name: getattr(self, name) for name in self._names()}


class Augmentation(Configured, keras.layers.Layer):
    """A layer that changes each example at random in training, with its own seeded stream."""

    seed: int = 0

    def __init__(self, *values, **options):
        super().__init__(*values, **options)
        self.generator = keras.random.SeedGenerator(self.seed)

    def call(self, x, training: bool = False):
        """Change x in training only."""
        return self.change(x) if training else x


def _one_each(x) -> tuple:
    return (ops.shape(x)[0], *[1] * (len(x.shape) - 1))


class RandomTimeShift(Augmentation):
    """Shift each example in time by up to `most` samples, its edge held: ``np.roll`` would make a step there."""

    most: int

    def change(self, x):
        """Shift x, shape (batch, samples, leads)."""
        batch, samples = ops.shape(x)[0], x.shape[1]
        shift = keras.random.randint((batch, 1), -self.most, self.most + 1, seed=self.generator)
        index = ops.clip(ops.arange(samples)[None, :] + shift, 0, samples - 1)
        return ops.take_along_axis(x, index[..., None], axis=1)


class RandomCrop(Augmentation):
    """Cut `samples` samples out of each example: anywhere in training, from the middle otherwise."""

    samples: int

    def call(self, x, training: bool = False):
        """Crop x, shape (batch, at least samples, leads)."""
        room = x.shape[1] - self.samples
        if room < 0:
            raise ValueError(f"Examples of {x.shape[1]} samples are shorter than the crop of {self.samples}.")
        if not training:
            return x[:, room // 2 : room // 2 + self.samples]
        start = keras.random.randint((ops.shape(x)[0], 1), 0, room + 1, seed=self.generator)
        return ops.take_along_axis(x, (start + ops.arange(self.samples)[None, :])[..., None], axis=1)

    def compute_output_shape(self, input_shape):
        """Give (batch, samples, leads)."""
        return (input_shape[0], self.samples, *input_shape[2:])


class RandomBody(Augmentation):
    """Make another body of a 12-lead ECG: turn the heart a little, and misplace each chest electrode a little.

    The frontal vector turns by a normal angle (its deviation in radians), so the limb leads keep their identities.
    Each chest lead takes over a normal share (its deviation) of one of its neighbours.
    """

    angle: float = 0.15
    share: float = 0.1

    def change(self, x):
        """Change x, shape (batch, samples, 12)."""
        angle = keras.random.normal(_one_each(x), 0.0, self.angle, seed=self.generator)
        root = np.sqrt(3) / 2
        right, down = limb_leads(np.array(1.0), np.array(0.5)), limb_leads(np.array(0.0), np.array(root))
        i, f = np.eye(6)[0], np.eye(6)[5] / root
        # The limb leads from the frontal vector (I, 2/sqrt(3) aVF), and from that turned by 90 degrees.
        maps = (np.outer(right, i) + np.outer(down, f), np.outer(right, f) - np.outer(down, i))
        straight, turned = (ops.convert_to_tensor(m.astype("float32")) for m in maps)
        limb = ops.cos(angle) * straight + ops.sin(angle) * turned
        share = keras.random.normal((ops.shape(x)[0], 6, 1), 0.0, self.share, seed=self.generator)
        own = np.eye(6, dtype="float32")
        after, before = own[[1, 2, 3, 4, 5, 5]], own[[0, 0, 1, 2, 3, 4]]
        chest = own + ops.maximum(share, 0.0) * (after - own) + ops.maximum(-share, 0.0) * (before - own)
        halves = ((limb, x[..., :6]), (chest, x[..., 6:]))
        seen = [ops.einsum("bij,btj->bti", ops.cast(matrix, x.dtype), part) for matrix, part in halves]
        return ops.concatenate(seen, axis=-1)


class RandomGain(Augmentation):
    """Scale each example by one random factor: exp of a normal number with the stated deviation."""

    deviation: float

    def change(self, x):
        """Scale x, shape (batch, samples) or (batch, samples, leads)."""
        factor = ops.exp(keras.random.normal(_one_each(x), 0.0, self.deviation, seed=self.generator))
        return x * ops.cast(factor, x.dtype)


class RandomNoise(Augmentation):
    """Add white noise of the stated deviation, in the unit of the signal."""

    deviation: float

    def change(self, x):
        """Add noise to x, of any shape."""
        return x + ops.cast(keras.random.normal(ops.shape(x), 0.0, self.deviation, seed=self.generator), x.dtype)


class RandomDevice(Augmentation, dtype="float32"):
    """Record each signal with another device: white noise up to a deviation in µV, and a band of its own.

    The band begins at 0.05 to 1 Hz and ends at 25 to 150 Hz, with slopes as of Butterworth's filters of order two.
    """

    noise: float
    rate: float

    def change(self, signal):
        """Change signals, shape (batch, samples)."""
        samples, draw = signal.shape[1], keras.random.uniform((3, ops.shape(signal)[0], 1), seed=self.generator)
        signal += self.noise * draw[0] * keras.random.normal(ops.shape(signal), seed=self.generator)
        low, high = (start * (end / start) ** u for u, start, end in ((draw[1], 0.05, 1.0), (draw[2], 25.0, 150.0)))
        hertz = np.fft.rfftfreq(samples, 1 / self.rate).astype("float32")[None]
        gain = ops.rsqrt((1 + (low / np.maximum(hertz, 1e-6)) ** 4) * (1 + (hertz / high) ** 4))
        real, imaginary = ops.rfft(signal)
        return ops.irfft((real * gain, imaginary * gain), samples)


class RandomFlip(Augmentation):
    """Turn examples upside down by chance, as a recorder does that is held the other way round."""

    chance: float = 0.5

    def change(self, x):
        """Flip x, shape (batch, samples) or (batch, samples, leads)."""
        return ops.where(keras.random.uniform(_one_each(x), seed=self.generator) < self.chance, -x, x)


class DrawBeats(Configured, keras.layers.Layer):
    """Draw curves (batch, points) as images (batch, SIZE, SIZE, 1), ink 1 on a ground of 0."""

    def call(self, curve):
        """Draw as `signals.images.draw` does, without its rounding to 1/16 pixel."""
        rows = (1 - MARGIN - (1 - 2 * MARGIN) * curve) * SIZE
        rows = ops.reshape(rows, (-1, SIZE, curve.shape[1] // SIZE))
        rows = ops.concatenate([rows, ops.concatenate([rows[:, 1:, :1], rows[:, -1:, -1:]], axis=1)], axis=2)
        top = ops.min(rows, axis=2)[:, None, :] - PEN / 2
        bottom = ops.max(rows, axis=2)[:, None, :] + PEN / 2
        pixel = ops.arange(SIZE, dtype=curve.dtype)[None, :, None]
        return (ops.clip(bottom - pixel, 0, 1) - ops.clip(top - pixel, 0, 1))[..., None]


def _enlarged() -> np.ndarray:
    """Give for each start the matrix (SIZE, SIZE) that cuts `CROP` rows and enlarges them to `SIZE`."""
    whole = np.eye(SIZE, dtype=np.float32)
    return np.stack([cv2.resize(whole[start : start + CROP], (SIZE, SIZE)) for start in STARTS])


def nine_crops(images: np.ndarray) -> np.ndarray:
    """Cut all nine crops, enlarged to the full size, of (n, SIZE, SIZE, 1): float32 (9, n, SIZE, SIZE, 1)."""
    maps = _enlarged()
    crops = np.einsum("irh,nhw,jcw->ijnrc", maps, images[..., 0].astype(np.float32), maps, optimize=True)
    return crops.reshape(9, *images.shape)


class NineCrops(Augmentation):
    """Replace each image by one of its nine crops in training: linear, a product of two small matrices."""

    def change(self, image):
        """Crop images, shape (batch, SIZE, SIZE, 1)."""
        maps = ops.cast(ops.convert_to_tensor(_enlarged()), image.dtype)
        pick = keras.random.randint((2, ops.shape(image)[0]), 0, len(STARTS), seed=self.generator)
        rows, columns = ops.take(maps, pick[0], axis=0), ops.take(maps, pick[1], axis=0)
        return ops.matmul(ops.matmul(rows, image[..., 0]), ops.transpose(columns, (0, 2, 1)))[..., None]


class RandomHand(Augmentation):
    """Draw each curve a little wider or narrower, higher or lower, and out of the middle, as another hand would.

    The largest stretch and the largest shift either way are shares of the picture.
    """

    stretch: float = 0.08
    shift: float = 0.05

    def change(self, curve):
        """Change curves, shape (batch, points)."""
        shape = (2, ops.shape(curve)[0], 1)
        factor = keras.random.uniform(shape, 1 - self.stretch, 1 + self.stretch, seed=self.generator)
        away = keras.random.uniform(shape, -self.shift, self.shift, seed=self.generator)
        last = curve.shape[1] - 1
        place = ops.cast(ops.arange(last + 1), factor.dtype)[None] / last
        place = ops.clip(((place - 0.5) * factor[0] + 0.5 + away[0]) * last, 0, last - 1e-3)
        left = ops.floor(place)
        before, after = (ops.take_along_axis(curve, ops.cast(left, "int32") + step, axis=1) for step in (0, 1))
        drawn = before + ops.cast(place - left, curve.dtype) * (after - before)
        return (drawn - 0.5) * ops.cast(factor[1], curve.dtype) + 0.5 + ops.cast(away[1], curve.dtype)


class RandomWindow(Augmentation, dtype="float32"):
    """Cut a window (0: all) out of each recording in training, and stretch it, in one gather; leave it whole otherwise.

    A recording becomes 1 - stretch to 1 + stretch times as long, as if the heart beat more slowly or faster.
    """

    samples: int = 0
    stretch: float = 1 / 3

    def call(self, signal, length, training: bool = False):
        """Give windows, shape (batch, samples), and their true lengths, shape (batch, 1)."""
        if not training or not (self.samples or self.stretch):
            return signal, length
        batch, width = ops.shape(signal)[0], self.samples or signal.shape[1]
        draw = keras.random.uniform((batch, 2), seed=self.generator)
        speed = 1 / (1 + self.stretch * (2 * draw[:, :1] - 1))
        true = ops.cast(length, "float32")
        start = draw[:, 1:] * ops.maximum(true - width * speed, 0.0)
        position = start + ops.arange(width, dtype="float32")[None, :] * speed
        before = ops.cast(ops.minimum(position, signal.shape[1] - 2), "int32")
        share = position - ops.cast(before, "float32")
        left, right = (ops.take_along_axis(signal, before + step, axis=1) for step in (0, 1))
        kept = ops.cast(ops.floor(ops.minimum((true - 1 - start) / speed + 1, width)), "int32")
        inside = ops.arange(width)[None, :] < kept
        return ops.where(inside, left + share * (right - left), 0.0), ops.cast(kept, length.dtype)


class DropoutBursts(Augmentation, dtype="float32"):
    """Set about a share of the signal to zero in training, 50 ms at a time, as if an electrode lost contact."""

    share: float = 0.22

    def change(self, signal):
        """Zero bursts of a signal, shape (batch, samples)."""
        if not self.share:
            return signal
        # A sample survives if none of the 15 instants around it was drawn.
        chance = 1 - (1 - self.share) ** (1 / BURST)
        drawn = keras.random.uniform(ops.shape(signal), seed=self.generator) < chance
        passed = ops.cumsum(ops.cast(drawn, "int32"), axis=1)
        ahead, behind = BURST // 2, BURST // 2 + 1
        until = ops.concatenate([passed[:, ahead:], ops.repeat(passed[:, -1:], ahead, axis=1)], axis=1)
        return ops.where(until > ops.pad(passed, ((0, 0), (behind, 0)))[:, :-behind], 0.0, signal)
