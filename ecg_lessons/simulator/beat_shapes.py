"""Beats that real recordings hold, in the leads MLII and V1, as Gaussian waves: the numbers stand in beats.txt.

The MIT-BIH database has four patients with left bundle branch block and six with right, and in MLII they have little in
common: a network trained on those of DS1 recognises none of the beats of 111 and 214, and few of 212 and 231.
The simulated hearts are therefore blends (`BLENDS`) of 109 or 118, whose MLII shows the slurred S, with the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg_lessons.simulator.waves import tables

#: What V5 and V2 see of MLII and V1: least squares over the median beats of the first 400 records of PTB-XL (II for
#: MLII); it explains 0.70 and 0.65 of their energy.
SECOND = {"V1": (0.0, 1.0), "V5": (1.04, -0.31), "V2": (0.54, 1.55)}

#: Which hearts a kind of beat may be a blend of: the first, the second, and the largest share of the second.
BLENDS = {
    "L": (("109", "111", 0.45), ("109", "214", 0.15), ("207", "111", 0.15)),
    "R": (("118", "212", 0.65), ("118", "231", 0.65), ("118", "232", 0.65)),
}


@dataclass(frozen=True)
class Beat:
    """The waves of one fitted beat: centre and width in s, heights in mV, shape (waves, 4); `rr` in s."""

    rr: float
    qrs: np.ndarray
    t: np.ndarray


def blended(one: Beat, other: Beat, share: float) -> Beat:
    """Mix two beats: the waves of both, weighted."""

    def mix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.vstack([a * (1, 1, 1 - share, 1 - share), b * (1, 1, share, share)])

    return Beat(one.rr, mix(one.qrs, other.qrs), mix(one.t, other.t))


def _waves(group: str) -> np.ndarray:
    return np.array([wave.split() for wave in group.split(",")], dtype=float) / (1000, 1000, 100, 100)


def _beats(rows: list[str]) -> dict[str, Beat]:
    beats = {}
    for row in rows:
        head, qrs, t = row.split("|")
        record, rr = head.split()
        beats[record] = Beat(float(rr) / 100, _waves(qrs), _waves(t))
    return beats


_TABLES = tables("beats.txt")
#: The P waves, one array a record.
P_WAVES = [_waves(row) for row in _TABLES.pop("p")]
#: For each symbol the fitted beats by record; fusion beats and atrial ones are made of these.
BEATS = {symbol: _beats(rows) for symbol, rows in _TABLES.items()}
