"""Cohorts of simulated recordings of one lead from a hand-held device, in the layout of CinC 2017."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import scipy.io

from ecg_lessons.data import catalog
from ecg_lessons.data.simulator import folders, handheld, single_lead
from ecg_lessons.errors import InputError

#: Raise it when the same seed gives other recordings than before: cached cohorts are then made anew.
VERSION = 4

GAIN = 1000  # ADC steps per mV
#: Shares of the labels: near those of the real set (0.60, 0.09, 0.28, 0.03), with A and ~ raised for teaching.
SHARES = {"N": 0.50, "A": 0.18, "O": 0.24, "~": 0.08}
_GOLDEN = (np.sqrt(5) - 1) / 2

_ABOUT = """\
This folder holds {recordings} recordings of one lead, each of another person who does not exist. They were drawn by
ecg_lessons.data.simulator (rhythms, version {version}, seed {seed}): a dipole model of the heart with normal
rhythm (N), atrial fibrillation (A) and other rhythms (O), seen by a hand-held recorder, sometimes so badly that
nothing can be told (~). The files are laid out as those of the PhysioNet/CinC Challenge 2017, so that the same code
reads both."""


def simulate_rhythms(
    folder: str | Path,
    recordings: int = 600,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    shares: Mapping[str, float] = SHARES,
) -> Path:
    """Simulate recordings of one lead, 9 to 61 s at 300 Hz, in the layout of CinC 2017.

    Recording number `k` is the same however large the cohort. The labels are spread evenly: of any first recordings
    about the given share has each.

    Parameters
    ----------
    folder : str or Path
        Where to; it must not exist, or be empty.
    recordings : int
        How many, each of another person: ``S00001``, ``S00002``, ...
    seed : int
        One seed, one cohort, byte for byte.
    progress : callable, optional
        Called with the number of recordings done and of all.
    shares : mapping of str to float
        Of the labels ``N``, ``A``, ``O`` and ``~``; they need not add up to 1.

    Returns
    -------
    Path
        The folder, which `challenge_2017.challenge_2017` reads.

    Raises
    ------
    InputError
        If the folder holds something, or the number of recordings, the seed or the shares cannot be used.
    """
    if not 1 <= recordings <= 99_999 or seed < 0:
        raise InputError(
            f"A cohort needs 1 to 99999 recordings and a seed of 0 or more, not {recordings} and {seed}."
        )
    if not set(shares) <= set(SHARES) or min(shares.values(), default=0) < 0 or not sum(shares.values()) > 0:
        raise InputError(
            f"The shares {dict(shares)} cannot be used: give a number for some of N, A, O and ~."
        )
    folder = Path(folder)
    with folders.draft(folder) as draft:
        _write(draft, recordings, seed, progress, shares)
    return folder


def sample_rhythms(recordings: int = 600, seed: int = 0) -> Path:
    """Give the built-in cohort of rhythms: simulated on first use, then kept in this computer's cache.

    Returns
    -------
    Path
        A folder in the layout of CinC 2017. Two processes may ask at once; the first to finish is kept.
    """
    folder = catalog.cache() / "sample" / f"rhythms-v{VERSION}-{recordings}-recordings-seed-{seed}"
    return folders.cached(folder, lambda place: simulate_rhythms(place, recordings, seed))


def _write(
    folder: Path,
    recordings: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
    shares: Mapping[str, float],
) -> None:
    (folder / "training2017").mkdir()
    labels = {}
    for number in range(1, recordings + 1):
        rng, name = np.random.default_rng([seed, number, 300]), f"S{number:05d}"
        labels[name] = _label(number, shares)
        write_record(folder / "training2017" / name, single_lead.draw(rng, labels[name])[0])
        if progress:
            progress(number, recordings)
    about = _ABOUT.format(recordings=recordings, version=VERSION, seed=seed)
    reference = "".join(f"{name},{label}\n" for name, label in labels.items())
    folders.write_texts(folder, about, **{"REFERENCE-v3.csv": reference})
    (folder / "training2017" / "RECORDS").write_text("\n".join(labels) + "\n", encoding="ascii", newline="\n")


def _label(number: int, shares: Mapping[str, float]) -> str:
    """Give the label of a recording by its number: multiples of the golden section spread evenly between 0 and 1."""
    limits = np.cumsum(list(shares.values()))
    return list(shares)[int(np.searchsorted(limits / limits[-1], number * _GOLDEN % 1, side="right"))]


def write_record(path: Path, signal: np.ndarray) -> None:
    """Write one lead (mV) as the challenge does: a MATLAB 4 file with ``val``, and a WFDB header beside it."""
    steps = np.rint(signal * GAIN).astype("<i2")
    scipy.io.savemat(path.with_name(f"{path.name}.mat"), {"val": steps[None]}, format="4")
    total = int(steps.sum(dtype=np.int64)) % 65536
    lines = [
        f"{path.name} 1 {handheld.RATE} {len(steps)}",
        f"{path.name}.mat 16+24 {GAIN}/mV 16 0 {steps[0]} {total} 0 ECG",
        "# simulated: not a clinical recording",
        "",
    ]
    path.with_name(f"{path.name}.hea").write_text("\n".join(lines), encoding="ascii", newline="\n")
