"""What the beats of one simulated heart look like in two leads: Gaussian waves per kind of beat, drawn per patient.

The waves were fitted to real beats in MLII and V1; the numbers, and where they come from, stand in beats.txt.

The MIT-BIH database has four patients with left bundle branch block and six with right, and in MLII they have little in
common: a network trained on those of DS1 recognises none of the beats of 111 and 214, and few of 212 and 231.
The simulated hearts are therefore blends (`BLENDS`) of 109 or 118, whose MLII shows the slurred S, with the others.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from ecg_lessons.simulator.dipole import QT_POWER, gaussians, tables

#: A beat is drawn from so many seconds before its annotation to so many after.
_BEFORE, _AFTER = 0.40, 0.85
#: Deviation of the heights of QRS and of T from beat to beat, as a share (chosen).
BEAT_TO_BEAT = 0.05
#: What V5 and V2 see of MLII and V1: least squares over the median beats of the first 400 records of PTB-XL (II for
#: MLII); it explains 0.70 and 0.65 of their energy.
SECOND = {"V1": (0.0, 1.0), "V5": (1.04, -0.31), "V2": (0.54, 1.55)}
#: Time of QRS against the fitted beats: what is blended and varied comes out wider than the records, where QRS lasts
#: 0.066 s (N, mean of 40), 0.107 s (L, four), 0.095 s (R, six) and 0.144 s (/, four) in MLII.
QRS_TIME = {"N": 0.96, "L": 0.93, "R": 0.85, "/": 0.90}
#: Which hearts a kind of beat may be a blend of: the first, the second, and the largest share of the second.
BLENDS = {
    "L": (("109", "111", 0.45), ("109", "214", 0.15), ("207", "111", 0.15)),
    "R": tuple(("118", other, 0.65) for other in ("212", "231", "232")),
}


@dataclass(frozen=True)
class Beat:
    """The waves of one fitted beat: centre and width in s, heights in mV, shape (waves, 4); `rr` in s."""

    rr: float
    qrs: np.ndarray
    t: np.ndarray


def _waves(group: str) -> np.ndarray:
    return np.array([wave.split() for wave in group.split(",")], dtype=float) / (1000, 1000, 100, 100)


def _beats(rows: list[str]) -> dict[str, Beat]:
    beats = {}
    for head, qrs, t in (row.split("|") for row in rows):
        record, rr = head.split()
        beats[record] = Beat(float(rr) / 100, _waves(qrs), _waves(t))
    return beats


_TABLES = tables("beats.txt")
#: The P waves, one array a record.
P_WAVES = [_waves(row) for row in _TABLES.pop("p")]
#: For each symbol the fitted beats by record; fusion beats and atrial ones are made of these.
BEATS = {symbol: _beats(rows) for symbol, rows in _TABLES.items()}


@dataclass(frozen=True)
class Shape:
    """Gaussian waves of one kind of beat."""

    centre: np.ndarray  # (waves,), s from the annotation
    width: np.ndarray  # (waves,), s
    height: np.ndarray  # (waves, 2), mV in MLII and V1
    late: np.ndarray  # (waves,), whether it is of ST and T, which follow the heart rate
    rr: float  # the RR interval to which the shape belongs (s)


def build(rng: Generator) -> np.ndarray:
    """Draw how a patient's body changes the leads: their strength, and how much each sees of the other, (2, 2)."""
    mix = np.diag(rng.lognormal(-0.05, 0.20, 2))
    mix[0, 1], mix[1, 0] = rng.normal(0, 0.12, 2)
    return mix


def draw(rng: Generator, symbol: str, body: np.ndarray) -> Shape:
    """Draw the shape that a kind of beat has in one patient: a fitted beat or a blend of two, varied.

    Half of the normal beats have the T wave of another heart than their QRS. Where the ventricles are not excited
    by their usual way, T belongs to the QRS and is never exchanged. The body is the patient's, from `build`.
    """
    beat = _heart(rng, symbol)
    qrs, t = beat.qrs.copy(), beat.t.copy()
    qrs[:, :2] *= QRS_TIME.get(symbol, 1.0) * np.exp(np.clip(rng.normal(0, 0.07), -0.12, 0.15))
    t *= np.exp(rng.normal(0, (0.04, 0.08, 0.30)))[[0, 1, 2, 2]]
    return _shape(rng, np.vstack([qrs, t]), np.repeat([False, True], (len(qrs), len(t))), beat.rr, body)


def _heart(rng: Generator, symbol: str) -> Beat:
    """Choose a fitted beat, or two to blend."""
    if symbol in BLENDS:
        first, second, most = BLENDS[symbol][rng.integers(len(BLENDS[symbol]))]
        one, other, share = BEATS[symbol][first], BEATS[symbol][second], rng.uniform(0, most)
        pairs = ((one.qrs, other.qrs), (one.t, other.t))
        mixed = (np.vstack([a * (1, 1, 1 - share, 1 - share), b * (1, 1, share, share)]) for a, b in pairs)
        return Beat(one.rr, *mixed)
    if symbol == "E" and rng.random() < 0.5:
        symbol = "V"  # the database has one heart with escape beats; they come from where V comes from
    hearts = list(BEATS[symbol].values())
    beat, other = hearts[rng.integers(len(hearts))], hearts[rng.integers(len(hearts))]
    return replace(beat, t=other.t, rr=other.rr) if symbol == "N" and rng.random() < 0.5 else beat


def p_wave(rng: Generator, body: np.ndarray) -> Shape:
    """Draw the P wave of a patient's sinus node."""
    waves = P_WAVES[rng.integers(len(P_WAVES))].copy()
    waves[:, 0] += rng.normal(0, 0.012)
    waves[:, 2:] *= np.exp(rng.normal(0, 0.25))
    return _shape(rng, waves, np.zeros(len(waves), bool), 0.8, body)


def ectopic_p(rng: Generator, sinus: Shape) -> Shape:
    """Draw the P wave of another place in the atria: flat or upside down in MLII, and nearer to the QRS."""
    height = sinus.height * rng.uniform((-0.9, -1.2), (0.5, 1.5))
    centre = sinus.centre + np.clip(rng.normal(0.012, 0.015), -0.02, 0.04)
    return replace(sinus, centre=centre, width=sinus.width * rng.uniform(0.75, 1.0), height=height)


def with_spike(rng: Generator, paced: Shape) -> Shape:
    """Put the pacemaker's spike before a paced beat; the tape recorders of the database blunted it to some ms."""
    onset = paced.centre[~paced.late].min() - rng.uniform(0.004, 0.012)
    height = np.array([[rng.uniform(0.1, 0.5), rng.uniform(-0.4, 0.4)]])
    centre, width, late = np.append(paced.centre, onset), np.append(paced.width, 0.003), np.append(paced.late, False)
    return Shape(centre, width, np.vstack([paced.height, height]), late, paced.rr)


def add(signal: np.ndarray, rate: float, shape: Shape, times: np.ndarray, rr, gain, rng: Generator) -> None:
    """Add beats of one shape, at times (s), adapted to RR intervals and scaled, to a signal (samples, 2), in place."""
    stretch = np.clip((np.broadcast_to(rr, times.shape) / shape.rr) ** QT_POWER, 0.7, 1.4)
    stretch = np.where(shape.late, stretch[:, None], 1.0)
    index, waves = gaussians(shape, stretch, times, rate, _BEFORE, _AFTER)
    # Neighbouring waves partly cancel: QRS varies as a whole, and so does T.
    group = rng.normal(0, BEAT_TO_BEAT, (len(times), 2))[:, shape.late.astype(int)]
    waves *= (np.broadcast_to(gain, times.shape)[:, None] * (1 + group))[:, None]
    inside = (index >= 0) & (index < len(signal))
    np.add.at(signal, index[inside], (waves @ shape.height)[inside])


def _shape(rng, waves: np.ndarray, late: np.ndarray, rr: float, body: np.ndarray) -> Shape:
    """Vary each wave a little and let the patient's body see it."""
    height = waves[:, 2:] * (1 + rng.normal(0, 0.06, (len(waves), 2)))
    width = waves[:, 1] * np.exp(rng.normal(0, 0.03, len(waves)))
    return Shape(waves[:, 0], width, height @ body.T, late, rr)
