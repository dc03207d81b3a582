"""Augmentation as Keras layers: active in training, silent in evaluation.

Inside the model, augmentation cannot leak into a score by accident: the original inversion project
scored shifted copies because its augmentation lived outside the network.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from ecg_lessons.signals.leads import limb_leads


class Augmentation(keras.layers.Layer):
    """A layer that draws at random in training, with its own seeded stream."""

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def get_config(self) -> dict:
        """Give what is needed to build the layer again."""
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomTimeShift(Augmentation):
    """Shift each example in time by up to `most` samples, without the jump of ``np.roll``.

    The edge is held: the first or the last sample is repeated where the shift leaves a gap, so no
    step appears where the end of the recording would meet its beginning.

    Parameters
    ----------
    most : int
        Largest shift in samples, in either direction.
    seed : int
    """

    def __init__(self, most: int, seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.most = most

    def call(self, x, training: bool = False):
        """Shift x, shape (batch, samples, leads)."""
        if not training:
            return x
        batch, samples = ops.shape(x)[0], x.shape[1]
        shift = keras.random.randint((batch, 1), -self.most, self.most + 1, seed=self.generator)
        index = ops.clip(ops.arange(samples)[None, :] + shift, 0, samples - 1)
        return ops.take_along_axis(x, index[..., None], axis=1)

    def get_config(self) -> dict:
        """Give what is needed to build the layer again."""
        return super().get_config() | {"most": self.most}


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomCrop(Augmentation):
    """Cut `samples` samples out of each example: anywhere in training, from the middle otherwise.

    Parameters
    ----------
    samples : int
        Length of the crop.
    seed : int

    Raises
    ------
    ValueError
        If the examples are shorter than the crop.
    """

    def __init__(self, samples: int, seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.samples = samples

    def call(self, x, training: bool = False):
        """Crop x, shape (batch, at least samples, leads)."""
        room = x.shape[1] - self.samples
        if room < 0:
            raise ValueError(f"Examples of {x.shape[1]} samples are shorter than the crop of {self.samples}.")
        if not training:
            return x[:, room // 2 : room // 2 + self.samples]
        start = keras.random.randint((ops.shape(x)[0], 1), 0, room + 1, seed=self.generator)
        index = start + ops.arange(self.samples)[None, :]
        return ops.take_along_axis(x, index[..., None], axis=1)

    def compute_output_shape(self, input_shape):
        """Give (batch, samples, leads)."""
        return (input_shape[0], self.samples, *input_shape[2:])

    def get_config(self) -> dict:
        """Give what is needed to build the layer again."""
        return super().get_config() | {"samples": self.samples}


def _frontal_plane() -> tuple[np.ndarray, np.ndarray]:
    """Give two maps (6, 6) of the limb leads: onto the heart's frontal vector, and that turned by 90 degrees.

    The frontal vector has the components I and 2/sqrt(3) aVF (Einthoven's triangle).
    """
    root = np.sqrt(3) / 2
    right, down = limb_leads(np.array(1.0), np.array(0.5)), limb_leads(np.array(0.0), np.array(root))
    i, f = np.eye(6)[0], np.eye(6)[5] / root
    return np.outer(right, i) + np.outer(down, f), np.outer(right, f) - np.outer(down, i)


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomBody(Augmentation):
    """Make another body of a 12-lead ECG: turn the heart a little, and misplace each chest electrode a little.

    The frontal vector turns by a normal angle, so the limb leads keep their identities. Each chest lead takes
    over a normal share of one of its neighbours.

    Parameters
    ----------
    angle : float
        Deviation of the angle in radians.
    share : float
        Deviation of the neighbour's share.
    seed : int
    """

    def __init__(self, angle: float = 0.15, share: float = 0.1, seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.angle, self.share = angle, share

    def call(self, x, training: bool = False):
        """Change x, shape (batch, samples, 12)."""
        if not training:
            return x
        batch = ops.shape(x)[0]
        angle = keras.random.normal((batch, 1, 1), 0.0, self.angle, seed=self.generator)
        straight, turned = (ops.convert_to_tensor(m.astype("float32")) for m in _frontal_plane())
        limb = ops.cos(angle) * straight + ops.sin(angle) * turned
        share = keras.random.normal((batch, 6, 1), 0.0, self.share, seed=self.generator)
        after, before = (
            np.eye(6, dtype="float32")[[1, 2, 3, 4, 5, 5]],
            np.eye(6, dtype="float32")[[0, 0, 1, 2, 3, 4]],
        )
        one = np.eye(6, dtype="float32")
        chest = one + ops.maximum(share, 0.0) * (after - one) + ops.maximum(-share, 0.0) * (before - one)
        halves = [ops.einsum("bij,btj->bti", ops.cast(m, x.dtype), part)
                  for m, part in ((limb, x[..., :6]), (chest, x[..., 6:]))]  # fmt: skip
        return ops.concatenate(halves, axis=-1)

    def get_config(self) -> dict:
        """Give what is needed to build the layer again."""
        return super().get_config() | {"angle": self.angle, "share": self.share}


class _Normal(Augmentation):
    """An augmentation ruled by one standard deviation."""

    def __init__(self, deviation: float, seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.deviation = deviation

    def get_config(self) -> dict:
        """Give what is needed to build the layer again."""
        return super().get_config() | {"deviation": self.deviation}


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomGain(_Normal):
    """Scale each example by one random factor: exp of a normal number with the stated deviation."""

    def call(self, x, training: bool = False):
        """Scale x, shape (batch, samples) or (batch, samples, leads)."""
        if not training:
            return x
        shape = (ops.shape(x)[0], *[1] * (len(x.shape) - 1))
        return x * ops.cast(
            ops.exp(keras.random.normal(shape, 0.0, self.deviation, seed=self.generator)), x.dtype
        )


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomFlip(Augmentation):
    """Turn examples upside down by chance, as a recorder does that is held the other way round.

    Parameters
    ----------
    chance : float
        Of each example.
    seed : int
    """

    def __init__(self, chance: float = 0.5, seed: int = 0, **kwargs):
        super().__init__(seed, **kwargs)
        self.chance = chance

    def call(self, x, training: bool = False):
        """Flip x, shape (batch, samples) or (batch, samples, leads)."""
        if not training:
            return x
        shape = (ops.shape(x)[0], *[1] * (len(x.shape) - 1))
        return ops.where(keras.random.uniform(shape, seed=self.generator) < self.chance, -x, x)

    def get_config(self) -> dict:
        """Give what is needed to build the layer again."""
        return super().get_config() | {"chance": self.chance}


@keras.saving.register_keras_serializable("ecg_lessons")
class RandomNoise(_Normal):
    """Add white noise of the stated deviation, in the unit of the signal."""

    def call(self, x, training: bool = False):
        """Add noise to x, shape (batch, samples, leads)."""
        if not training:
            return x
        noise = keras.random.normal(ops.shape(x), 0.0, self.deviation, seed=self.generator)
        return x + ops.cast(noise, x.dtype)
