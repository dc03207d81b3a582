"""Model files of a convolutional recurrent network: the network and its training in one TOML table.

The names in it explain themselves; `experiments/models` has examples.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecg_lessons.plans import Plan
from ecg_lessons.settings import AsTuple, Settings, Share

Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0)]


class Spectrogram(Settings):
    """See `signals.spectrograms.log_spectrogram`."""

    step: Literal[8, 16, 32] = 32
    floor: Amount = 0.0


class Signal(Settings):
    """Convolutions that read the signal itself, step for step beside the spectrogram; none where `channels` is 0.

    What a window of the spectrogram blurs, such as a P wave, they can see.
    """

    channels: Annotated[int, Field(ge=0)] = 0


class Augmentation(Settings):
    """See `signals.augment_recordings`; zeros switch a part off. `flip` is the chance of a signal upside down."""

    window_seconds: Amount = 0.0
    stretch: Share = 0.0
    dropout_bursts: Share = 0.0
    gain: Amount = 0.0
    flip: Share = 0.0


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
    """A part of the training: what is trained, for how long, and how fast.

    "convolutions" get a head for the time being, "recurrence" leaves them as they are, "all" trains everything.
    """

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
