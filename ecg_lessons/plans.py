"""The plan of a training: all its choices in one small TOML table, stored with every run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ecg_lessons.settings import AsTuple, Settings


class Plan(Settings):
    """How to train."""

    #: At most so many passes over the training part.
    epochs: Annotated[int, Field(gt=0)] = 20
    batch_size: Annotated[int, Field(gt=0)] = 32
    #: Where the rate starts.
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    #: Cosine brings the rate down to zero at the last epoch; decay takes off a twentieth every 1,000 batches
    #: (Jun et al. 2018, arXiv 1804.06812).
    schedule: Literal["constant", "cosine", "decay"] = "constant"
    #: Epochs in which the rate rises first, with the cosine schedule.
    warmup: Annotated[int, Field(ge=0)] = 0
    optimizer: Literal["adam", "adamw", "rmsprop"] = "adam"
    #: Of AdamW alone.
    weight_decay: float = 0.004
    #: No gradient is longer; 0 for no limit.
    clip_norm: Annotated[float, Field(ge=0)] = 0.0
    #: One weight a class; empty for none.
    class_weights: Annotated[tuple[float, ...], AsTuple] = ()
    #: Epochs without a better validation part before the training stops; 0 never stops it early.
    patience: Annotated[int, Field(ge=0)] = 0
    #: Which epoch's network is the result.
    keep: Literal["best", "last"] = "best"
    #: What the best epoch is best in, on the validation part: the smallest "loss", or the largest of a metric.
    best_by: str = "loss"
    #: Momentum of a moving average of the weights, which takes their place after every epoch, such as 0.995; 0 for
    #: none. The validation loss of an epoch is that of the weights before.
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    #: The one source of all randomness.
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> Plan:
        if self.warmup >= self.epochs:
            raise ValueError(f"warmup = {self.warmup}; it must be below epochs, {self.epochs}.")
        return self

    def but(self, **changes: object) -> Plan:
        """Give the same with some entries changed; a shorter training warms up for less."""
        if isinstance(changes.get("epochs"), int) and changes.get("warmup") is None:
            changes["warmup"] = max(0, min(self.warmup, changes["epochs"] - 1))
        return super().but(**changes)

    def optimizer_for(self, steps: int):
        """Build the Keras optimizer for a training of `steps` batches in all."""
        from keras import optimizers

        options = {"clipnorm": self.clip_norm} if self.clip_norm else {}
        options |= {"use_ema": True, "ema_momentum": self.average} if self.average else {}
        options |= {"weight_decay": self.weight_decay} if self.optimizer == "adamw" else {}
        build = {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "rmsprop": optimizers.RMSprop}
        return build[self.optimizer](self._rate(steps), **options)

    def _rate(self, steps: int):
        from keras.optimizers import schedules

        if self.schedule == "constant":
            return self.learning_rate
        if self.schedule == "decay":
            return schedules.ExponentialDecay(self.learning_rate, 1000, 0.95, staircase=True)
        rise = round(steps * self.warmup / self.epochs)
        if not rise:
            return schedules.CosineDecay(self.learning_rate, steps)
        warm = {"warmup_target": self.learning_rate, "warmup_steps": rise}
        return schedules.CosineDecay(self.learning_rate / 10, steps - rise, **warm)
