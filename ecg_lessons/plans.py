"""The plan of a training: all its choices in one small TOML table, stored with every run."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import keras
import tomli_w

from ecg_lessons.errors import InputError

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes
    ----------
    epochs : int
        At most so many passes over the training part.
    batch_size : int
    learning_rate : float
        Where the rate starts.
    schedule : {"constant", "cosine", "decay"}
        Cosine brings the rate down to zero at the last epoch; decay takes off a twentieth every 1,000 batches
        (Jun et al. 2018, arXiv 1804.06812).
    warmup : int
        Epochs in which the rate rises first, with the cosine schedule.
    optimizer : {"adam", "adamw", "rmsprop"}
    weight_decay : float
        Of AdamW alone.
    clip_norm : float
        No gradient is longer; 0 for no limit.
    class_weights : tuple of float
        One weight a class; empty for none.
    patience : int
        Epochs without a better validation loss before the training stops; 0 never stops it early.
    keep : {"best", "last"}
        Which epoch's network is the result.
    best_by : str
        What the best epoch is best in, on the validation part: the smallest "loss", or the largest of a metric of the
        lesson, such as "accuracy".
    average : float
        Momentum of a moving average of the weights, which takes their place after every epoch, such as 0.995;
        0 for none. The validation loss of an epoch is that of the weights before.
    precision : {"float32", "mixed_bfloat16", "mixed_float16"}
    seed : int
        The one source of all randomness.
    """

    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "constant"
    warmup: int = 0
    optimizer: str = "adam"
    weight_decay: float = 0.004
    clip_norm: float = 0.0
    class_weights: tuple[float, ...] = ()
    patience: int = 0
    keep: str = "best"
    best_by: str = "loss"
    average: float = 0.0
    precision: str = "float32"
    seed: int = 42

    def __post_init__(self) -> None:
        choices = {
            "schedule": ("constant", "cosine", "decay"),
            "optimizer": tuple(OPTIMIZERS),
            "keep": ("best", "last"),
            "precision": PRECISIONS,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"Plan: {name} = {getattr(self, name)!r}; choose one of {', '.join(allowed)}."
                )
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise InputError(f"Plan: {name} = {getattr(self, name)}; it must be above zero.")
        if not 0 <= self.warmup < max(self.epochs, 1):
            raise InputError(f"Plan: warmup = {self.warmup}; it must be at least 0 and below epochs.")
        if not 0 <= self.average < 1:
            raise InputError(f"Plan: average = {self.average}; it must be at least 0 and below 1.")
        object.__setattr__(self, "class_weights", tuple(self.class_weights))

    def but(self, **changes: object) -> Plan:
        """Give the plan with some entries changed; entries that are None stay as they are.

        Raises
        ------
        InputError
            For an unknown entry (with the nearest known one) or a value of the wrong kind.
        """
        known = {entry.name: type(entry.default) for entry in fields(self)}
        changes = {name: value for name, value in changes.items() if value is not None}
        for name, value in changes.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(known)}."
                raise InputError(f"Plan: there is no entry {name!r}; {hint}")
            kinds = {float: (int, float), tuple: (list, tuple)}.get(known[name], (known[name],))
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise InputError(f"Plan: {name} = {value!r} is not {known[name].__name__}.")
        return replace(self, **changes)

    @classmethod
    def read(cls, path: str | Path, base: Plan | None = None) -> Plan:
        """Read a plan from TOML; what the file leaves out comes from `base`."""
        path = Path(path)
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"No plan {path}: give the path of a TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not TOML ({error}): mend that line.") from None
        try:
            return (base or cls()).but(**entries)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def toml(self) -> str:
        """Write the plan as TOML."""
        return tomli_w.dumps(asdict(self))

    def optimizer_for(self, steps: int) -> keras.optimizers.Optimizer:
        """Build the optimizer for a training of `steps` batches in all."""
        schedules = keras.optimizers.schedules
        rates = {
            "constant": lambda: self.learning_rate,
            "cosine": lambda: self._cosine(steps),
            "decay": lambda: schedules.ExponentialDecay(self.learning_rate, 1000, 0.95, staircase=True),
        }
        options = {"clipnorm": self.clip_norm} if self.clip_norm else {}
        options |= {"use_ema": True, "ema_momentum": self.average} if self.average else {}
        options |= {"weight_decay": self.weight_decay} if self.optimizer == "adamw" else {}
        return OPTIMIZERS[self.optimizer](rates[self.schedule](), **options)

    def _cosine(self, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Rise from a tenth of the rate, where there is a warm-up, and fall to zero."""
        rise = round(steps * self.warmup / self.epochs)
        if not rise:
            return keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        return keras.optimizers.schedules.CosineDecay(
            self.learning_rate / 10, steps - rise, warmup_target=self.learning_rate, warmup_steps=rise
        )


def preset_of(plans: Mapping[str, Mapping[str, Plan]], lesson: str, network: str, preset: str) -> Plan:
    """Choose the plan of a network of a lesson.

    Raises
    ------
    InputError
        For an unknown network or preset.
    """
    if network not in plans:
        raise InputError(f"Lesson {lesson} has no network {network!r}: choose {', '.join(plans)}.")
    if preset not in plans[network]:
        raise InputError(f"There is no preset {preset!r}: choose {', '.join(plans[network])}.")
    return plans[network][preset]
