"""The heart as a dipole, and what twelve leads see of it.

McSharry 2003 (IEEE Trans Biomed Eng 50:289) draws a heartbeat as a sum of Gaussian waves; Sameni 2007
(EURASIP J Adv Signal Process, 43407) and Clifford 2010 (Physiol Meas 31:595) let three such sums be a dipole
in space. Dower 1980 (Clin Cardiol 3:87) projects the dipole on the leads. The waves of the kinds of heartbeat, and
where they come from, stand in waves.txt.
"""

from dataclasses import dataclass, replace
from itertools import accumulate
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
        return Waves(*map(np.concatenate, zip(vars(self).values(), vars(other).values(), strict=True)))


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
    table = np.array([row.split() for row in rows])
    centre, width, *vector = table[:, 1:].T.astype(float)
    return Waves(table[:, 0], centre / 1e3, width / 1e3, np.stack(vector, axis=1))


TABLES = tables("waves.txt")
#: What the cohorts are made of.
COHORTS = files.read_toml(Path(__file__).with_name("cohorts.toml"))
#: The kinds of beat, by the SCP code that PTB-XL gives them, from their parts.
BEATS = {code: parse([row for part in parts for row in TABLES[part]]) for code, parts in COHORTS["beats"].items()}

#: Lead vectors of I, II, V1..V6 along left, feet and back, as published (Dower 1980).
DOWER = np.array([row.split()[1:] for row in TABLES["Dower"]], dtype=float)
#: How strongly I, II, V1..V6 see P, and ST with T, against Dower's vectors, which were made for QRS: the atria lie
#: behind the ventricles and nearest to V1, and T is stronger in the limbs than one dipole says. Fitted to the medians
#: of 297 normal recordings of PTB-XL.
SEEN = {
    "P": np.array([1.05, 1.0, 0.75, 0.345, 0.32, 0.30, 0.32, 0.42]),
    "T": np.array([1.30, 1.10, 1.0, 1.00, 0.90, 0.80, 0.87, 1.05]),
}
#: The QT interval follows RR to this power: fitted to the T summits of the normal recordings of PTB-XL;
#: Fridericia has 1/3, Bazett 1/2. It follows slowly: each beat moves it by `QT_MEMORY` of the way (chosen).
QT_POWER = 0.42
QT_MEMORY = 0.15
#: A beat is drawn from so many seconds before its R peak to so many after.
_BEFORE, _AFTER = 0.45, 0.80


def dipoles(waves: Waves, beats: np.ndarray, rr: np.ndarray, samples: int, rate: float) -> np.ndarray:
    """Draw the dipoles of QRS, of P, and of ST with T over time, (samples, 9) in mV: left, feet, back of each.

    beats: R peaks (s) of one kind, some perhaps before the start or after the end; rr: see `adapted`, (beats,) as well.
    """
    pad = round((_BEFORE + _AFTER) * rate)
    near = (beats > -_AFTER) & (beats < samples / rate + _BEFORE)
    beats, rr = beats[near], rr[near]
    stretch = np.where(waves.repolarisation, (rr[:, None] / REFERENCE_RR) ** QT_POWER, 1.0)
    index, shapes = gaussians(waves, stretch, beats, rate, _BEFORE, _AFTER)
    groups = (~(waves.atrial | waves.repolarisation), waves.atrial, waves.repolarisation)
    vectors = np.hstack([waves.vector * group[:, None] for group in groups])
    moments = np.zeros((samples + 2 * pad, 9))
    np.add.at(moments, index + pad, shapes @ vectors)
    return moments[pad : pad + samples]


def gaussians(waves, stretch: np.ndarray, beats: np.ndarray, rate: float, before: float, after: float) -> tuple:
    """Draw waves stretched in time, (beats, waves), from some seconds before each beat to some after.

    Gives the places of the samples, (beats, samples), and the waves there, (beats, samples, waves), of height 1.
    """
    index = np.rint(beats * rate).astype(int)[:, None] + np.arange(-round(before * rate), round(after * rate))
    time, stretch = index / rate - beats[:, None], stretch[:, None]
    return index, np.exp(-0.5 * ((time[..., None] - waves.centre * stretch) / (waves.width * stretch)) ** 2)


def adapted(beats: np.ndarray, shortest: float = 0.0, longest: float = np.inf) -> np.ndarray:
    """Give the RR interval (s), within limits, that each beat's repolarisation has adapted to: a fading memory."""
    rr = np.clip(np.diff(beats, prepend=2 * beats[0] - beats[1]), shortest, longest)
    follow = accumulate(rr, lambda level, interval: level + QT_MEMORY * (interval - level), initial=rr[:20].mean())
    return np.array(list(follow)[1:])


def lead_matrix(along=0.0, up=0.0, gain=1.0) -> np.ndarray:
    """Give the map (8, 9) from `dipoles` to the leads I, II, V1..V6, for one chest; without arguments it is Dower's.

    Each may have one value a chest lead, (6,). along: how far the electrode sits on the way to its next neighbour
    (negative: to the one before), as a share of the distance, at most 1. up: how much of its own strength the lead sees
    from below, because its electrode sits too high. gain: how much stronger it is because the chest is thinner there.
    """
    place = np.clip(np.arange(6) + along, 0, 5)
    chest = np.stack([np.interp(place, np.arange(6), column) for column in DOWER[2:].T], axis=1)
    chest[:, 1] -= np.linalg.norm(chest, axis=1) * up
    chest *= np.broadcast_to(gain, 6)[:, None]
    qrs = np.vstack([DOWER[:2], chest])
    return np.hstack([qrs, SEEN["P"][:, None] * qrs, SEEN["T"][:, None] * qrs])


def twelve_leads(eight: np.ndarray) -> np.ndarray:
    """Complete I, II, V1..V6 to the twelve leads by Einthoven's and Goldberger's identities (integers to halves)."""
    one, two = eight[:, 0], eight[:, 1]
    limbs = np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2], axis=1)
    return np.hstack([limbs, eight[:, 2:]])
