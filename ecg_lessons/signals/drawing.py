"""Keras layers that draw beats, each time by another hand, and crop them, inside a network."""

import cv2
import keras
import numpy as np
from keras import ops

from ecg_lessons.signals.augment import Augmentation
from ecg_lessons.signals.images import MARGIN, PEN, SIZE

#: The nine crops of Jun et al. 2018: 96 pixels from 0, 16 or 32, in rows and in columns.
CROP, STARTS = 96, (0, 16, 32)


@keras.saving.register_keras_serializable("ecg_lessons")
class DrawBeats(keras.layers.Layer):
    """Draw curves (batch, points) as images (batch, SIZE, SIZE, 1), ink 1 on a ground of 0."""

    def call(self, curve):
        """Draw as `signals.images.draw` does, without its rounding to 1/16 pixel."""
        rows = (1 - MARGIN - (1 - 2 * MARGIN) * curve) * SIZE
        rows = ops.reshape(rows, (-1, SIZE, curve.shape[1] // SIZE))
        onward = ops.concatenate([rows[:, 1:, :1], rows[:, -1:, -1:]], axis=1)
        rows = ops.concatenate([rows, onward], axis=2)
        top = ops.min(rows, axis=2)[:, None, :] - PEN / 2
        bottom = ops.max(rows, axis=2)[:, None, :] + PEN / 2
        pixel = ops.arange(SIZE, dtype=curve.dtype)[None, :, None]
        return (ops.clip(bottom - pixel, 0, 1) - ops.clip(top - pixel, 0, 1))[..., None]


def _enlarged() -> np.ndarray:
    """Give for each start the matrix (SIZE, SIZE) that cuts `CROP` rows and enlarges them to `SIZE`."""
    whole = np.eye(SIZE, dtype=np.float32)
    return np.stack([cv2.resize(whole[start : start + CROP], (SIZE, SIZE)) for start in STARTS])


def nine_crops(images: np.ndarray) -> np.ndarray:
    """Cut all nine crops, each enlarged to the full size, for averaging a network's answers.

    From (n, SIZE, SIZE, 1) to float32 (9, n, SIZE, SIZE, 1), rows first: top left, top centre, top right, and so on.
    """
    maps = _enlarged()
    crops = np.einsum("irh,nhw,jcw->ijnrc", maps, images[..., 0].astype(np.float32), maps, optimize=True)
    return crops.reshape(9, *images.shape)


@keras.saving.register_keras_serializable("ecg_lessons")
class NineCrops(Augmentation):
    """Replace each image by one of its nine crops, drawn at random in training; the whole image otherwise.

    Cutting and enlarging are linear, so a crop is a product of two small matrices, and every example of a
    batch can have its own.
    """

    def change(self, image):
        """Crop images, shape (batch, SIZE, SIZE, 1)."""
        maps = ops.cast(ops.convert_to_tensor(_enlarged()), image.dtype)
        pick = keras.random.randint((2, ops.shape(image)[0]), 0, len(STARTS), seed=self.generator)
        rows, columns = ops.take(maps, pick[0], axis=0), ops.take(maps, pick[1], axis=0)
        half = ops.matmul(rows, image[..., 0])
        return ops.matmul(half, ops.transpose(columns, (0, 2, 1)))[..., None]


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomHand(Augmentation):
    """Draw each curve a little wider or narrower, higher or lower, and out of the middle, as another hand would.

    It works on the curve before it is drawn, where a beat has 512 numbers and not 16,384 pixels. The largest stretch,
    of width and of height, and the largest shift either way are shares of the picture.
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
        index = ops.cast(left, "int32")
        before, after = (ops.take_along_axis(curve, index + step, axis=1) for step in (0, 1))
        drawn = before + ops.cast(place - left, curve.dtype) * (after - before)
        return (drawn - 0.5) * ops.cast(factor[1], curve.dtype) + 0.5 + ops.cast(away[1], curve.dtype)
