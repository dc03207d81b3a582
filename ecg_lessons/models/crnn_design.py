"""Model files of lesson 2: a network and its training in one TOML table whose names explain themselves."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path

import tomli_w

from ecg_lessons.errors import InputError
from ecg_lessons.plans import Plan


@dataclass(frozen=True)
class Spectrogram:
    """See `signals.spectrograms.log_spectrogram`."""

    step: int = 32
    floor: float = 0.0


@dataclass(frozen=True)
class Signal:
    """Convolutions that read the signal itself, step for step beside the spectrogram; none where `channels` is 0.

    What a window of the spectrogram blurs, such as a P wave, they can see.
    """

    channels: int = 0


@dataclass(frozen=True)
class Augmentation:
    """See `signals.augment_recordings`; zeros switch a part off. `flip` is the chance of a signal upside down."""

    window_seconds: float = 0.0
    stretch: float = 0.0
    dropout_bursts: float = 0.0
    gain: float = 0.0
    flip: float = 0.0


@dataclass(frozen=True)
class Convolutions:
    """Blocks of convolutions, as many as there are halvings of the time.

    The last layer of a block "strides" and adds channels, as in the published code; or the very first layer strides
    and between blocks the larger of two neighbours stays ("pool"), and then a block has one width, which grows from
    block to block. Over "time and frequency" the spectrogram is a picture with one channel, and its
    frequencies are halved too; over "time" the 33 frequencies are the first channels.
    """

    over: str = "time and frequency"
    blocks: int = 6
    layers: int = 4
    halves: str = "stride"
    kernel: int = 5
    first_channels: int = 32
    more_channels: int = 32
    dropout: float = 0.0


@dataclass(frozen=True)
class Recurrence:
    """Layers that read in both directions; none where `layers` is 0. `beside` hands the convolutions on as well."""

    cell: str = "lstm"
    layers: int = 0
    units: int = 100
    dropout: float = 0.0
    beside: bool = False


@dataclass(frozen=True)
class Summary:
    """How a recording becomes one row: "mean" over its true length, or "mean and largest"."""

    over_time: str = "mean"
    dropout: float = 0.0


@dataclass(frozen=True)
class Phase:
    """A part of the training: what is trained, for how long, and how fast.

    "convolutions" get a head for the time being, "recurrence" leaves them as they are, "all" trains everything.
    """

    trains: str = "all"
    epochs: int = 10
    learning_rate: float = 1e-3


_CHOICES = {
    "over": ("time", "time and frequency"),
    "halves": ("stride", "pool"),
    "cell": ("lstm", "gru"),
    "over_time": ("mean", "mean and largest"),
    "trains": ("convolutions", "recurrence", "all"),
    "step": (8, 16, 32),
}
_KINDS = {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}


@dataclass(frozen=True)
class Design:
    """A network of lesson 2 and how it is trained.

    Attributes
    ----------
    about : str
        One sentence.
    spectrogram, signal, augmentation, convolutions, recurrence, summary
        The parts of the network.
    repeat_classes : tuple of int
        How often a training recording of each class is shown in an epoch; empty for once.
    validation : float
        Share of the recordings that are not tested, in the five folds: the paper's sixth, or less.
    label_smoothing : float
        Share of the labels that are taken to be any class.
    training : Plan
    phases : tuple of Phase
        Trained one after the other; none stands for one phase of the whole plan. The last must train "all".
    """

    about: str = ""
    spectrogram: Spectrogram = field(default_factory=Spectrogram)
    signal: Signal = field(default_factory=Signal)
    augmentation: Augmentation = field(default_factory=Augmentation)
    convolutions: Convolutions = field(default_factory=Convolutions)
    recurrence: Recurrence = field(default_factory=Recurrence)
    summary: Summary = field(default_factory=Summary)
    repeat_classes: tuple[int, ...] = ()
    validation: float = 1 / 6
    label_smoothing: float = 0.0
    training: Plan = field(default_factory=Plan)
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        if self.signal.channels and self.convolutions.over != "time":
            raise InputError(
                'signal.channels needs convolutions over "time": a signal has no frequencies to go over.'
            )
        if self.phases and self.phases[-1].trains != "all":
            raise InputError(f"The last phase trains {self.phases[-1].trains!r}: it must train 'all'.")
        if not self.recurrence.layers and any(phase.trains == "recurrence" for phase in self.phases):
            raise InputError("A phase trains 'recurrence', but recurrence.layers is 0: leave that phase out.")

    @classmethod
    def of(cls, table: Mapping) -> Design:
        """Make a design of a table, such as a TOML file holds.

        Raises
        ------
        InputError
            For an unknown entry (with the nearest known one), a value of the wrong kind or out of range.
        """
        return _fill(cls, table, "")

    @classmethod
    def read(cls, path: str | Path) -> Design:
        """Read a model file; every mistake in it is named with the file."""
        path = Path(path)
        try:
            return cls.of(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise InputError(f"No model file {path}: give the path of a TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not TOML ({error}): mend that line.") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def table(self) -> dict:
        """Give the table that `of` makes the same design of."""
        table = asdict(self)
        return table | {"repeat_classes": list(self.repeat_classes), "phases": list(table["phases"])}

    def toml(self) -> str:
        """Write the design as TOML."""
        return tomli_w.dumps(self.table())


def _fill(kind: type, table: object, where: str):
    """Make a dataclass of a table, with every entry checked."""
    if not isinstance(table, Mapping):
        raise InputError(f"{where.rstrip('.')} = {table!r} is no table: write it as [{where.rstrip('.')}].")
    if kind is Plan:
        return Plan().but(**table)
    known = {entry.name: entry for entry in fields(kind)}
    values = {}
    for name, value in table.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {where}{near[0]}?" if near else f"it knows {', '.join(known)}."
            raise InputError(f"There is no entry {where}{name}; {hint}")
        values[name] = _entry(known[name], value, f"{where}{name}")
    return kind(**values)


def _entry(entry, value: object, where: str):
    """Check one value against its default and the known choices."""
    if where == "phases":
        return tuple(_fill(Phase, phase, "phases.") for phase in _list(value, where))
    if where == "repeat_classes":
        return tuple(_number(int, one, where, least=1) for one in _list(value, where))
    if entry.default is MISSING:
        return _fill(entry.default_factory, value, f"{where}.")
    if entry.name in _CHOICES and value not in _CHOICES[entry.name]:
        raise InputError(f"{where} = {value!r}: choose {', '.join(map(repr, _CHOICES[entry.name]))}.")
    if isinstance(entry.default, str | bool):
        if type(value) is not type(entry.default):
            raise InputError(f"{where} = {value!r} is not {_KINDS[type(entry.default)]}.")
        return value
    share = entry.name in ("dropout", "stretch", "dropout_bursts", "flip", "label_smoothing", "validation")
    least = 1 if type(entry.default) is int and where not in ("recurrence.layers", "signal.channels") else 0
    return _number(type(entry.default), value, where, least, below=1 if share else None)


def _list(value: object, where: str) -> list:
    if not isinstance(value, list | tuple):
        raise InputError(f"{where} = {value!r} is no list: write it in brackets.")
    return list(value)


def _number(kind: type, value: object, where: str, least: float = 0, below: float | None = None):
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
        raise InputError(f"{where} = {value!r} is not {_KINDS[kind]}.")
    if value < least or (below is not None and value >= below):
        upper = f" and below {below}" if below is not None else ""
        raise InputError(f"{where} = {value}: it must be at least {least}{upper}.")
    return kind(value)
