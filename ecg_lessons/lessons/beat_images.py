"""Lesson 3: tell eight kinds of heartbeat from their pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import simulator, splits
from ecg_lessons.data import fetch, pictures, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.models import beat_image as models
from ecg_lessons.plans import Plan, preset_of
from ecg_lessons.signals import beat_sets, beats, images, labels
from ecg_lessons.splits import is_leaky, named

CLASSES = labels.classes("eight")
#: What `examples` gives that a network may see beside the picture.
RR = "rr"

_OURS = Plan(epochs=6, batch_size=128, optimizer="adamw", learning_rate=3e-3, schedule="cosine", keep="last")
#: The published plan; the paper does not say for how many epochs.
_JUN = Plan(epochs=4, batch_size=32, learning_rate=1e-4, schedule="decay", keep="last")
PLANS = {name: {"laptop": _JUN, "paper": _JUN.but(epochs=10)} for name in models.NETWORKS} | {
    "light": {"laptop": _OURS, "paper": _OURS.but(epochs=12)},
    # An epoch of the curve costs half of an epoch of the picture: twice as many are an equal budget.
    "signal": {"laptop": _OURS.but(epochs=12), "paper": _OURS.but(epochs=24)},
}


@dataclass(frozen=True)
class Sight:
    """What a network is given: the picture, nine crops of it, the RR intervals beside it.

    Attributes
    ----------
    nine_crops : bool
        A random one of nine crops in training; the mean answer to all nine afterwards.
    rr : bool
        The RR intervals as a second input.
    """

    nine_crops: bool = False
    rr: bool = False

    def but_for(self, network: str) -> Sight:
        """Give the same without crops for the one network that sees no picture."""
        return replace(self, nine_crops=False) if network == "signal" else self


PLAIN = Sight()


def examples(source: str = "sample", patients: int = 40) -> Examples:
    """Load beats from neighbour to neighbour, as curves that a network draws.

    Parameters
    ----------
    source : {"sample", "physionet"}
        The built-in simulated cohort, or the MIT-BIH Arrhythmia Database.
    patients : int
        Size of the built-in cohort.

    Returns
    -------
    table : Examples
        ``x["curve"]`` (n, POINTS), from 0 to 1; ``x["rr"]`` (n, 3), seconds, see `beats.rr_intervals`.
    """
    if source == "sample":
        return from_recordings(recordings.mitdb(simulator.sample_arrhythmias(patients)))
    if source == "physionet":
        return from_recordings(recordings.mitdb(fetch.locate("mitdb")))
    raise InputError(f"There is no source {source!r}: choose sample or physionet.")


def from_recordings(found: Iterable[recordings.Recording]) -> Examples:
    """Turn annotated recordings into examples, one a beat of the eight classes."""
    x, info = inputs(found)
    y = labels.encode(info["symbol"].to_numpy(), "eight")
    return Examples(x, y, info.pop("patient").to_numpy().astype(str), CLASSES, info)


def inputs(
    found: Iterable[recordings.Recording],
    leads: Collection[str] = ("MLII", "V5"),
    symbols: Collection[str] = CLASSES,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Turn annotated recordings into what the networks see.

    Parameters
    ----------
    found : iterable of Recording
    leads, symbols
        As for `beat_sets.between_neighbours`.

    Returns
    -------
    x : dict of ndarray
        See `examples`.
    info : DataFrame
        ``record``, ``patient``, ``symbol``, ``sample``, ``time`` (s), a row a beat.
    """
    names = []

    def noted():
        for recording in found:
            names.append(recording.name)
            yield recording

    signal, info = beat_sets.between_neighbours(noted(), leads=leads, symbols=symbols)
    if info.empty:
        raise InputError(
            f"Record {', '.join(names[:3])}: no beat stands between two others; a recording needs three beats or more."
        )
    curve = images.curves(signal, info["start"].to_numpy(), info["stop"].to_numpy() - 1)
    x = {"curve": curve, RR: info[list(beats.RR)].to_numpy(np.float32)}
    return x, info[["record", "patient", "symbol", "sample", "time"]].copy()


def from_pictures(folder: str | Path) -> Examples:
    """Read beats from class folders of PNG files, the original tutorial's format.

    A file that does not name its record, as ``100_000370.png`` does, comes from nobody knows whom: such a
    folder can be split at random only.

    Returns
    -------
    table : Examples
        ``x["image"]`` (n, SIZE, SIZE, 1), from 0 to 1. ``info["known"]`` tells whose record is known.
    """
    drawn, symbol, record, name = pictures.read_pictures(folder)
    patient = np.array([recordings.SAME_PERSON.get(one, one) for one in record])
    known = patient != ""
    patient = np.where(known, patient, [f"unknown, {one}" for one in name])
    info = pd.DataFrame({"record": record, "name": name, "symbol": symbol, "known": known})
    x = {"image": drawn[..., None].astype(np.float32) / 255}
    return Examples(x, labels.encode(symbol, "eight"), patient, CLASSES, info)


def look(x: Mapping[str, np.ndarray], sight: Sight) -> np.ndarray | dict[str, np.ndarray]:
    """Keep what the network looks at: a picture (or the curve to draw it), and the RR intervals."""
    picture = "image" if "image" in x else "curve"
    return {picture: x[picture], RR: x[RR]} if sight.rr else x[picture]


def seen(given: Examples, sight: Sight) -> Examples:
    """Give examples with what the network looks at."""
    return Examples(look(given.x, sight), given.y, given.patient, given.classes, given.info)


def thin(given: Examples, most: int, seed: int = 42) -> Examples:
    """Keep at most so many beats of each class of each patient, drawn at random.

    The beats of one patient resemble each other: most of a long recording teaches little that is new.
    """
    order = np.random.default_rng(seed).permutation(len(given))
    shuffled = pd.DataFrame({"patient": given.patient[order], "y": given.y[order]})
    rank = shuffled.groupby(["patient", "y"]).cumcount().to_numpy()
    return given.take(np.sort(order[rank < most]))


def plan(network: str, preset: str = "laptop") -> Plan:
    """Give the plan of a network.

    Raises
    ------
    InputError
        For an unknown network or preset.
    """
    return preset_of(PLANS, "beat-images", network, preset)


def split(given: Examples, name: str = "by-patient", seed: int = 42) -> splits.Split:
    """Split beats.

    Parameters
    ----------
    given : Examples
    name : str
        See `splits.named`.
    seed : int
    """
    if "known" in given.info and not is_leaky(name) and not given.info["known"].all():
        nameless = given.info["name"][~given.info["known"]].iloc[0]
        raise InputError(
            f"Picture {nameless} does not say whose it is: name pictures RECORD_SAMPLE.png, or choose --split "
            "random-beats and trust its score little."
        )
    return named(given, name, seed)


def scorable(given: Examples, learnt: np.ndarray) -> np.ndarray:
    """Tell the rows whose class the network has met in training: the others no network could name.

    Parameters
    ----------
    given : Examples
    learnt : ndarray of int
        The labels of the training part.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.isin(given.y, learnt)
