"""Examples: inputs, labels, and whose they are, in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd

from ecg_lessons.errors import InputError

Arrays = np.ndarray | Mapping[str, np.ndarray]


def rows(x: Arrays, index: np.ndarray) -> Arrays:
    """Take rows of an array, or of every array in a mapping."""
    return {name: part[index] for name, part in x.items()} if isinstance(x, Mapping) else x[index]


@dataclass(frozen=True)
class Examples:
    """What a network learns from, row by row: refuses NaN, unequal lengths and a missing patient.

    ``x``: one or more arrays, first axis = examples. ``y``: index into ``classes``. ``patient``: whose example it is;
    nobody may be left out, since honest splits depend on it. ``info``: anything else known of each row.
    """

    x: Arrays
    y: np.ndarray
    patient: np.ndarray
    classes: tuple[str, ...]
    info: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        n = len(self.y)
        if self.info.empty:
            object.__setattr__(self, "info", pd.DataFrame(index=range(n)))
        parts = self.x if isinstance(self.x, Mapping) else {"x": self.x}
        for name, part in {**parts, "patient": self.patient, "info": self.info}.items():
            if len(part) != n:
                raise InputError(f"Examples of unequal length: {n} labels but {len(part)} rows of {name}.")
        for name, part in parts.items():
            if part.dtype.kind in "iub" or not n:  # whole numbers are finite
                continue
            good = np.isfinite(part.reshape(n, -1)).all(axis=1)
            if not good.all():
                raise InputError(f"Row {int(np.argmin(good))} of {name} holds NaN or infinity: repair or leave it out.")
        if n and (self.y.min() < 0 or self.y.max() >= len(self.classes)):
            span = f"{self.y.min()} to {self.y.max()}"
            raise InputError(f"Labels run from {span}, but there are {len(self.classes)} classes.")
        nobody = {"", "nan", "None"}
        if not nobody.isdisjoint(str(patient).strip() for patient in set(np.asarray(self.patient).tolist())):
            row = [str(patient).strip() in nobody for patient in self.patient].index(True)
            raise InputError(f"Row {row} names no patient: without patients no split is honest.")

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: np.ndarray) -> Self:
        """Give the rows at `index` (positions or a boolean mask)."""
        index = np.flatnonzero(index) if np.asarray(index).dtype == bool else index
        info = self.info.iloc[index].reset_index(drop=True)
        return Examples(rows(self.x, index), self.y[index], self.patient[index], self.classes, info)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put examples of one kind one after the other."""
        if len(parts) == 1:
            return parts[0]
        x = {name: np.concatenate([part.x[name] for part in parts]) for name in parts[0].x}
        y, patient = (np.concatenate([getattr(part, name) for part in parts]) for name in ("y", "patient"))
        return cls(x, y, patient, parts[0].classes, pd.concat([part.info for part in parts], ignore_index=True))

    def but(self, **changes: object) -> Self:
        """Give the same with other inputs, labels, classes or notes."""
        return replace(self, **changes)

    def where(self, **conditions: object) -> Self:
        """Give the rows whose `info` columns equal the values named, for example ``where(swap="LA/RA")``."""
        mask = np.ones(len(self), dtype=bool)
        for column, value in conditions.items():
            if column not in self.info:
                raise InputError(f"Examples know no {column!r}; they know {', '.join(self.info.columns) or 'nothing'}.")
            mask &= (self.info[column] == value).to_numpy()
        return self.take(mask)

    def counts(self) -> pd.DataFrame:
        """Count examples and patients in each class."""
        table = pd.DataFrame({"class": self.y, "patient": self.patient}).groupby("class")["patient"]
        counted = pd.DataFrame({"examples": table.size(), "patients": table.nunique()})
        return counted.reindex(range(len(self.classes)), fill_value=0).set_axis(pd.Index(self.classes, name="class"))
