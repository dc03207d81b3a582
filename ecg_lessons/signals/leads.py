"""Leads and electrodes: identities that always hold, and what exchanged electrodes do to them.

A lead is a difference of electrode potentials. When two electrodes change places, the recorded leads
are therefore an exact linear map of the correct ones: ``wrong = SWAPS[name] @ right``.
"""

import itertools

import numpy as np

from ecg_lessons.data.recordings import LEADS

_INDEX = {lead: i for i, lead in enumerate(LEADS)}
_CHEST = LEADS[6:]


def _matrix(rules: dict[str, dict[str, float]]) -> np.ndarray:
    """Build a map (12, 12): each named lead is the given sum of old leads, all others stay."""
    matrix = np.eye(len(LEADS), dtype=np.float32)
    for lead, terms in rules.items():
        matrix[_INDEX[lead]] = 0
        for old, factor in terms.items():
            matrix[_INDEX[lead], _INDEX[old]] = factor
    return matrix


def _exchange(*pairs: tuple[str, str], **signs: tuple[str, float]) -> np.ndarray:
    """Build a map in which pairs of leads trade places and some leads change their sign."""
    rules = {a: {b: 1.0} for pair in pairs for a, b in (pair, pair[::-1])}
    return _matrix(rules | {lead: {old: factor} for lead, (old, factor) in signs.items()})


#: Exchanges that lose nothing: signed permutations of the leads, each its own inverse.
SWAPS: dict[str, np.ndarray] = {
    "LA/RA": _exchange(("II", "III"), ("aVR", "aVL"), I=("I", -1.0)),
    "RA/LL": _exchange(("aVR", "aVF"), I=("III", -1.0), II=("II", -1.0), III=("I", -1.0)),
    "LA/LL": _exchange(("I", "II"), ("aVL", "aVF"), III=("III", -1.0)),
    **{f"{a}/{b}": _exchange((a, b)) for a, b in itertools.pairwise(_CHEST)},
    "V1-V6 reversed": _exchange(*zip(_CHEST[:3], _CHEST[:2:-1], strict=True)),
}

#: Right arm and right leg exchanged. Both legs are taken to have one potential, so lead II is lost (flat)
#: and no map can bring it back; the chest leads move because Wilson's terminal does.
_LIMBS = {"I": -1.0, "II": 0.0, "III": 1.0, "aVR": 0.5, "aVL": -1.0, "aVF": 0.5}  # times lead III
_MOVED = {lead: {lead: 1.0, "II": -1 / 3} for lead in _CHEST}
RA_RL = _matrix({lead: {"III": factor} for lead, factor in _LIMBS.items()} | _MOVED)


def swap(signal: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Record a signal (..., 12) again with exchanged electrodes; the matrix is one of `SWAPS`, or `RA_RL`."""
    return signal @ matrix.T.astype(signal.dtype)


def limb_leads(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Compute all six limb leads from I and II (Einthoven, Goldberger), shape (..., 6)."""
    return np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2], axis=-1)


def identity_error(signal: np.ndarray) -> float:
    """Give the largest violation of the limb-lead identities by a signal (..., 12), in its unit.

    Every swap of electrodes keeps the identities, so they cannot betray a swap; they betray leads that
    were mixed up, inverted or rescaled one by one after the recording.
    """
    return float(np.abs(signal[..., :6] - limb_leads(signal[..., 0], signal[..., 1])).max())


def lead_two_is_flat(signal: np.ndarray, share: float = 0.1) -> bool:
    """Tell whether lead II is flat beside lead III, the mark of exchanged right arm and right leg.

    The signal (samples, 12) is high-pass filtered, so that baseline wander does not hide the flat line. Lead II
    counts as flat below `share` of the deviation of lead III.
    """
    deviation = signal.std(axis=0)
    return bool(deviation[1] < share * deviation[2])
