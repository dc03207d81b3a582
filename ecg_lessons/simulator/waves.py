"""Heartbeats as sums of Gaussian waves of a dipole: the numbers, and where they come from, stand in waves.txt."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from ecg_lessons import files

#: RR interval to which the tables belong (s): the median of the 296 normal recordings.
REFERENCE_RR = 0.89


@dataclass(frozen=True)
class Waves:
    """The Gaussian waves of one kind of beat, at `REFERENCE_RR`."""

    kind: np.ndarray  # (waves,): P, Q, R, S, J (the ST segment) or T
    centre: np.ndarray  # (waves,), s from the R peak
    width: np.ndarray  # (waves,), standard deviation in s
    vector: np.ndarray  # (waves, 3), the dipole at the summit in mV: left, feet, back

    @property
    def atrial(self) -> np.ndarray:
        """Tell which waves come from the atria, shape (waves,)."""
        return self.kind == "P"

    @property
    def repolarisation(self) -> np.ndarray:
        """Tell which waves belong to the ST segment and the T wave, shape (waves,)."""
        return np.isin(self.kind, ("J", "T"))

    def changed(self, **arrays: np.ndarray) -> Self:
        """Give the same waves with other centres, widths or vectors."""
        return replace(self, **arrays)

    def scaled(self, gain: float) -> Self:
        """Give the same waves with vectors so many times as long."""
        return replace(self, vector=gain * self.vector)

    def plus(self, other: Self) -> Self:
        """Give these waves and others in one beat."""
        joined = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in vars(self)}
        return Waves(**joined)


def tables(file: str) -> dict[str, list[str]]:
    """Read the rows of the tables of a file beside this module, by the name in brackets above each."""
    by_name = {}
    for line in Path(__file__).with_name(file).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            rows = by_name.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            rows.append(line)
    return by_name


def parse(rows: list[str]) -> Waves:
    """Read waves: name, centre and width in ms, vector in mV."""
    columns = [row.split() for row in rows]
    numbers = np.array([row[1:] for row in columns], dtype=float)
    kind = np.array([row[0] for row in columns])
    return Waves(kind, numbers[:, 0] / 1e3, numbers[:, 1] / 1e3, numbers[:, 2:])


TABLES = tables("waves.txt")
#: What the cohorts are made of.
COHORTS = files.read_toml(Path(__file__).with_name("cohorts.toml"))
#: The kinds of beat, by the SCP code that PTB-XL gives them, from their parts.
BEATS = {code: parse([row for part in parts for row in TABLES[part]]) for code, parts in COHORTS["beats"].items()}
