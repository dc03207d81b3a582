"""Networks after Zihlmann et al. (CinC 2017, arXiv 1710.06122): convolutions, then recurrence or none.

All of them are built from a `Design`: the network and its training in one TOML table, whose names explain themselves
(`experiments/models` has examples). They take the signal itself: augmentation and the spectrogram are their first
layers. Zeros behind the end of a recording are kept out of its verdict by masks.
"""

from typing import Annotated, Literal, Self

import keras
from keras import layers, ops
from pydantic import Field, model_validator

from ecg_lessons.models.normalization import BatchNormalization
from ecg_lessons.plans import Plan
from ecg_lessons.settings import AsTuple, Settings, Share
from ecg_lessons.signals.augment import Configured, DropoutBursts, RandomDevice, RandomFlip, RandomGain, RandomWindow
from ecg_lessons.signals.spectrograms import FREQUENCIES, RATE, WINDOW, LogSpectrogram

#: Every recording is padded with zeros to the longest of CinC 2017, 61 s; and its four classes.
SAMPLES, CLASSES = 18_286, 4

Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0)]


class Spectrogram(Settings):
    """See `signals.spectrograms.log_spectrogram`."""

    step: Literal[8, 16, 32] = 32
    floor: Amount = 0.0


class Signal(Settings):
    """Convolutions that read the signal beside the spectrogram, which blurs P waves; none where `channels` is 0."""

    channels: Annotated[int, Field(ge=0)] = 0


class Augmentation(Settings):
    """See `signals.augment`; zeros switch a part off. `flip` is the chance of a signal upside down.

    `noise` is the largest deviation in µV of what another device adds; with it comes another band.
    """

    window_seconds: Amount = 0.0
    stretch: Share = 0.0
    dropout_bursts: Share = 0.0
    gain: Amount = 0.0
    flip: Share = 0.0
    noise: Amount = 0.0


class Convolutions(Settings):
    """Blocks of convolutions, as many as there are halvings of the time.

    The last layer of a block "strides" and adds channels, as in the published code; or the very first layer strides
    and between blocks the larger of two neighbours stays ("pool"), and then a block has one width, which grows from
    block to block. Over "time and frequency" the spectrogram is a picture with one channel, and its
    frequencies are halved too; over "time" the 33 frequencies are the first channels.
    """

    over: Literal["time", "time and frequency"] = "time and frequency"
    blocks: Count = 6
    layers: Count = 4
    halves: Literal["stride", "pool"] = "stride"
    kernel: Count = 5
    first_channels: Count = 32
    more_channels: Count = 32
    dropout: Share = 0.0


class Recurrence(Settings):
    """Layers that read in both directions; none where `layers` is 0. `beside` hands the convolutions on as well."""

    cell: Literal["lstm", "gru"] = "lstm"
    layers: Annotated[int, Field(ge=0)] = 0
    units: Count = 100
    dropout: Share = 0.0
    beside: bool = False


class Summary(Settings):
    """How a recording becomes one row: "mean" over its true length, or "mean and largest"."""

    over_time: Literal["mean", "mean and largest"] = "mean"
    dropout: Share = 0.0


class Phase(Settings):
    """A part of the training: "convolutions" get a head for the time being, "recurrence" leaves them as they are."""

    trains: Literal["convolutions", "recurrence", "all"] = "all"
    epochs: Count = 10
    learning_rate: Amount = 1e-3


class Design(Settings):
    """A network and how it is trained. `about` is one sentence."""

    about: str = ""
    spectrogram: Spectrogram = Spectrogram()
    signal: Signal = Signal()
    augmentation: Augmentation = Augmentation()
    convolutions: Convolutions = Convolutions()
    recurrence: Recurrence = Recurrence()
    summary: Summary = Summary()
    #: How often a training recording of each class is shown in an epoch; empty for once.
    repeat_classes: Annotated[tuple[Count, ...], AsTuple] = ()
    #: Share of the recordings that are not tested, in the five folds: the paper's sixth, or less.
    validation: Share = 1 / 6
    #: Share of the labels that are taken to be any class.
    label_smoothing: Share = 0.0
    training: Plan = Plan()
    #: Trained one after the other; none stands for one phase of the whole plan. The last must train "all".
    phases: Annotated[tuple[Phase, ...], AsTuple] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.signal.channels and self.convolutions.over != "time":
            raise ValueError('signal.channels needs convolutions over "time": a signal has no frequencies to go over.')
        if self.phases and self.phases[-1].trains != "all":
            raise ValueError(f"the last phase trains {self.phases[-1].trains!r}: it must train 'all'.")
        if not self.recurrence.layers and any(phase.trains == "recurrence" for phase in self.phases):
            raise ValueError("a phase trains 'recurrence', but recurrence.layers is 0: leave that phase out.")
        return self


class TrueSteps(Configured, layers.Layer, dtype="float32"):
    """Mark the steps in time, halved so often by the convolutions, that a recording truly fills."""

    step: int
    halvings: int

    def call(self, features, length):
        """Give a mask, shape (batch, steps), for features (batch, steps, ...) of recordings of length (batch, 1)."""
        true = ops.maximum((length - WINDOW) // self.step + 1, 1)
        for _ in range(self.halvings):
            true = (true + 1) // 2
        return ops.arange(ops.shape(features)[1])[None, :] < ops.cast(true, "int32")


class OnlyTrue(Configured, layers.Layer, dtype="float32"):
    """Set what stands behind the end of a recording to zero."""

    def call(self, signal, true):
        """Give a signal, shape (batch, samples), that is true for its length, (batch, 1)."""
        return ops.where(ops.arange(ops.shape(signal)[1])[None, :] < true, signal, 0.0)


class OwnScale(Configured, layers.Layer, dtype="float32"):
    """Divide a recording by its root mean square over its true length: recorders and hands differ in amplitude."""

    def call(self, signal, true):
        """Give (batch, samples, 1) for a signal in µV, shape (batch, samples), and its length, (batch, 1)."""
        inside = ops.arange(ops.shape(signal)[1])[None, :] < true
        energy = ops.sum(ops.where(inside, ops.square(signal), 0.0), axis=1, keepdims=True)
        return (signal / (ops.sqrt(energy / ops.cast(true, "float32")) + 1.0))[..., None]  # silence stays silence


class Beside(Configured, layers.Layer):
    """Set the steps of a signal, from the middle of the first window on, beside the windows of its spectrogram."""

    first: int

    def call(self, windows, steps):
        """Give (batch, windows, both channels) for (batch, windows, channels) and at least as many steps."""
        # In training a window is cut from the recording: only now is it known how many there are.
        return ops.concatenate([windows, steps[:, self.first : self.first + ops.shape(windows)[1]]], axis=-1)

    def compute_output_shape(self, windows_shape, steps_shape):
        """Give (batch, windows, both channels)."""
        return (*windows_shape[:2], windows_shape[2] + steps_shape[2])


class OverTime(Configured, layers.Layer, dtype="float32"):
    """Sum a recording up over its true length: the mean, and on request the largest value of every feature."""

    largest: bool = False
    supports_masking = True

    def call(self, features, true):
        """Give (batch, channels), twice as many with the largest, for features (batch, steps, channels)."""
        true = ops.cast(true, features.dtype)[..., None]
        mean = ops.sum(features * true, axis=1) / ops.sum(true, axis=1)
        if not self.largest:
            return mean
        return ops.concatenate([mean, ops.max(ops.where(true > 0, features, -1e9), axis=1)], axis=-1)

    def compute_mask(self, inputs, previous=None):
        """Give none: time is gone."""
        return None


def build(design: Design, head: str = "whole", samples: int = SAMPLES, seed: int = 0) -> keras.Model:
    """Build the network of a design, or its convolutions with a head "for now", without recurrence.

    From ``{"signal": (batch, samples) in µV, "length": (batch, 1)}`` to probabilities (batch, 4).
    """
    signal = keras.Input((samples,), dtype="int16", name="signal")
    length = keras.Input((1,), dtype="int32", name="length")
    heard, true = _augment(design, signal, length, seed)
    x = LogSpectrogram(design.spectrogram.floor, design.spectrogram.step, name="spectrogram")(heard)
    if design.signal.channels:
        waves = _waves(design)(OwnScale(name="own_scale")(heard, true))
        x = Beside(WINDOW // 2 // design.spectrogram.step, name="beside")(x, waves)
    x = _convolutions(design)(x)
    mask = TrueSteps(design.spectrogram.step, design.convolutions.blocks, name="true_steps")(x, true)
    if head == "whole":
        chosen, features = design.recurrence, x
        cell = {"lstm": layers.LSTM, "gru": layers.GRU}[chosen.cell]
        for number in range(chosen.layers):
            x = layers.Dropout(chosen.dropout)(x)
            read = cell(chosen.units, return_sequences=True)
            x = layers.Bidirectional(read, name=f"recurrence_{number + 1}")(x, mask=mask)
        x = layers.Concatenate()([x, features]) if chosen.beside and chosen.layers else x
    x = OverTime(design.summary.over_time != "mean", name="over_time")(x, mask)
    x = layers.Dropout(design.summary.dropout)(x)
    classes = layers.Dense(CLASSES, activation="softmax", dtype="float32", name="class")(x)
    return keras.Model({"signal": signal, "length": length}, classes, name="rhythm")


def eyes(model: keras.Model) -> list[keras.Model]:
    """Give the parts of a network that stand before its recurrence: its convolutions, and what reads the signal."""
    return [layer for layer in model.layers if layer.name in ("waves", "convolutions")]


def _augment(design: Design, signal, length, seed: int):
    """Augment in the signal: cut and stretch, scale, drop out; give it as float in µV, and its length."""
    chosen = design.augmentation
    x = layers.Rescaling(1.0, dtype="float32", name="microvolts")(signal)
    x, true = RandomWindow(round(chosen.window_seconds * RATE), chosen.stretch, seed, name="window")(x, length)
    if chosen.gain:
        x = RandomGain(chosen.gain, seed + 1, dtype="float32", name="gain")(x)
    if chosen.flip:
        x = RandomFlip(chosen.flip, seed + 3, dtype="float32", name="flip")(x)
    if chosen.noise:
        x = OnlyTrue(name="device")(RandomDevice(chosen.noise, RATE, seed + 4)(x), true)
    if chosen.dropout_bursts:
        x = DropoutBursts(chosen.dropout_bursts, seed + 2, name="bursts")(x)
    return x, true


def _waves(design: Design) -> keras.Model:
    """Build what reads the signal itself: from (batch, samples, 1) to (batch, steps of the spectrogram, channels)."""
    step, channels = design.spectrogram.step, design.signal.channels
    signal = keras.Input((None, 1))
    x, hop = _convolve(layers.Conv1D, signal, channels // 2, 15, 4), 4
    while hop < step:
        x = layers.MaxPooling1D(2, padding="same")(x)
        hop *= 2
        x = _convolve(layers.Conv1D, x, channels if hop == step else channels // 2, 5)
    return keras.Model(signal, x, name="waves")


def _convolve(kind: type, x, channels: int, kernel: int, stride: int = 1):
    x = kind(channels, kernel, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(BatchNormalization()(x))


def _convolutions(design: Design) -> keras.Model:
    """Build the convolutions, from (batch, frames, 33 and what the signal gave) to (batch, steps, channels)."""
    chosen, flat = design.convolutions, design.convolutions.over == "time"
    frames = keras.Input((None, FREQUENCIES + design.signal.channels))
    x = BatchNormalization()(frames) if flat else layers.Reshape((-1, FREQUENCIES, 1))(frames)
    convolve = layers.Conv1D if flat else layers.Conv2D
    pools, channels = chosen.halves == "pool", chosen.first_channels
    for block in range(chosen.blocks):
        if pools and block:
            channels += chosen.more_channels
            x = (layers.MaxPooling1D if flat else layers.MaxPooling2D)(2, padding="same")(x)
        for layer in range(chosen.layers):
            last = layer == chosen.layers - 1
            channels += chosen.more_channels * (last and not pools)
            x = _convolve(convolve, x, channels, chosen.kernel, 1 + (block == layer == 0 if pools else last))
        x = layers.Dropout(chosen.dropout)(x)
    if not flat:
        x = layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
    return keras.Model(frames, x, name="convolutions")
