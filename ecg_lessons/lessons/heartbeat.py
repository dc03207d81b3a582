"""Lesson 5: name heartbeats by their AAMI class, and carry what was learnt over to myocardial infarction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from ecg_lessons import simulator, splits
from ecg_lessons.data import fetch, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Arrays, Examples
from ecg_lessons.models import heartbeat as models
from ecg_lessons.plans import Plan, preset_of
from ecg_lessons.signals import kachuee, labels, unusual
from ecg_lessons.splits import RANDOM, Split, fingerprints, is_leaky, named

#: By task; the first class is the normal one.
CLASSES = {"heartbeat": labels.classes("aami"), "infarction": ("normal", "infarction")}
#: Where the R peaks come from.
RULES = {"annotated": kachuee.annotated, "published": kachuee.published}
#: The split that the two files of the heartbeat task are.
FILES = "files"
#: Reasons for admission that make the two classes from the PTB Diagnostic database.
_REASONS = {"Healthy control": "normal", "Myocardial infarction": "infarction"}

#: The original's plan, and what a laptop has time for.
_PAPER = Plan(epochs=80, batch_size=256, learning_rate=1e-3)
_LAPTOP = Plan(epochs=8, batch_size=128, learning_rate=2e-3, schedule="cosine", keep="last")
_OURS = _LAPTOP.but(optimizer="adamw", epochs=20, batch_size=256, learning_rate=5e-3)
PLANS = {
    task: {name: {"laptop": _LAPTOP, "paper": _PAPER.but(epochs=epochs)} for name in models.NETWORKS}
    | {"ours": {"laptop": _OURS, "paper": _OURS}}
    for task, epochs in (("heartbeat", 80), ("infarction", 600))
}


def load(task: str, source: str = "sample", rule: str = "annotated") -> Examples:
    """Load the examples of a task: see `examples` and `infarction`."""
    _known(task)
    return examples(source, rule) if task == "heartbeat" else infarction(source)


def _known(task: str) -> None:
    if task not in CLASSES:
        raise InputError(f"There is no task {task!r}: choose {' or '.join(CLASSES)}.")


def examples(source: str = "sample", rule: str = "annotated", patients: int = 40) -> Examples:
    """Load annotated beats of the five AAMI classes, cut as Kachuee et al. (2018, arXiv 1805.00794) did.

    Parameters
    ----------
    source : {"sample", "physionet"}
        The built-in simulated cohort, or the MIT-BIH Arrhythmia Database.
    rule : {"annotated", "published"}
        R peaks as annotated, or as the paper's rule finds them: see `kachuee`.
    patients : int
        Size of the built-in cohort.

    Returns
    -------
    table : Examples
        See `inputs`, and for training `unusual.thinned`; ``info`` has ``record``, ``sample``, ``time`` (s) and
        ``symbol`` (WFDB).

    Raises
    ------
    InputError
        For an unknown source or rule, or recordings that are not there.
    """
    if rule not in RULES:
        raise InputError(f"There is no rule {rule!r} for R peaks: choose {' or '.join(RULES)}.")
    if source not in {"sample", "physionet"}:
        raise InputError(f"There is no source {source!r}: choose sample or physionet.")
    folder = simulator.sample_arrhythmias(patients) if source == "sample" else fetch.locate("mitdb")
    return from_recordings(recordings.mitdb(folder), rule)


def from_recordings(found: Iterable[recordings.Recording], rule: str = "annotated") -> Examples:
    """Turn annotated recordings into examples, one a beat."""
    found = list(found)
    return _table("heartbeat", *RULES[rule](found), "symbol", found=found)


def infarction(source: str = "sample", patients: int = 400) -> Examples:
    """Load beats of lead II of normal ECGs and of those with a myocardial infarction, at the peaks found.

    Parameters
    ----------
    source : {"sample", "physionet", "ptbdb"}
        The built-in simulated cohort or PTB-XL, where NORM alone stands against any MI and all others are left out;
        or the PTB Diagnostic database, healthy controls against myocardial infarctions.
    patients : int
        Size of the built-in cohort, in which one in two has an infarction.

    Returns
    -------
    table : Examples
        See `inputs`; ``info`` has ``record``, ``sample`` and ``time`` (s). Of recordings published twice, as some of
        PTB-XL are under two patients, one copy is kept.

    Raises
    ------
    InputError
        For an unknown source, or recordings that are not there.
    """
    if source == "ptbdb":
        return from_diagnoses(_admitted(recordings.ptb_diagnostic(fetch.locate("ptbdb"))))
    if source not in {"sample", "physionet"}:
        raise InputError(f"There is no source {source!r}: choose sample, physionet or ptbdb.")
    folder = simulator.sample_infarctions(patients) if source == "sample" else fetch.locate("ptb-xl")
    return from_diagnoses(_diagnosed(recordings.ptb_xl(folder)))


def from_diagnoses(found: Iterable[tuple[recordings.Recording, str]]) -> Examples:
    """Turn recordings and their diagnoses, "normal" or "infarction", into examples, one a beat."""
    cut = [kachuee.beat_of_diagnosis(recording, diagnosis) for recording, diagnosis in found]
    if not sum(len(x) for x, _ in cut):
        raise InputError(
            "No recording is known as normal or as an infarction: for PTB-XL, scp_statements.csv must stand "
            "beside the table of its records."
        )
    given = _table(
        "infarction",
        np.concatenate([x for x, _ in cut]),
        pd.concat([rows for _, rows in cut], ignore_index=True),
    )
    return given.take(np.sort(np.unique(fingerprints(given.x["beat"]), return_index=True)[1]))


def _diagnosed(found: Iterable[recordings.Recording]) -> Iterator[tuple[recordings.Recording, str]]:
    for recording in found:
        superclasses = recording.labels["superclasses"]
        if "MI" in superclasses or superclasses == ("NORM",):
            yield recording, "infarction" if "MI" in superclasses else "normal"


def _admitted(found: Iterable[recordings.Recording]) -> Iterator[tuple[recordings.Recording, str]]:
    for recording in found:
        if recording.labels["reason"] in _REASONS:
            yield recording, _REASONS[recording.labels["reason"]]


def _table(task: str, cut: np.ndarray, info: pd.DataFrame, *more: str, found: Iterable = ()) -> Examples:
    """Give beats and what `kachuee` tells of them as examples."""
    if not len(cut):
        raise InputError("No beat was found in these recordings: take others, or longer ones.")
    y = pd.Categorical(info["label"], CLASSES[task]).codes.astype(int)
    patient = info["patient"].to_numpy().astype(str)
    about = info[["record", "sample", "time", *more]].copy()
    x = inputs(cut, unusual.comparisons(found, info, kachuee.LEADS) if found else None)
    if found:
        x["thinned"] = unusual.thinned(found, info, kachuee.LEADS)
    return Examples(x, y, patient, CLASSES[task], about)


def inputs(cut: np.ndarray, compared: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Give what the networks see of beats.

    Parameters
    ----------
    cut : ndarray of float32, shape (n, SAMPLES)
        As `kachuee` gives them.
    compared : ndarray of float32, shape (n, len(unusual.NAMES)), optional
        See `unusual.comparisons`.

    Returns
    -------
    dict of ndarray of float32
        ``beat`` (n, SAMPLES, 1), from 0 to 1; and ``unusual``, what was compared, where it was.
    """
    return {"beat": cut[..., None]} | ({} if compared is None else {"unusual": compared})


def look(x: Mapping[str, np.ndarray], network: str) -> Arrays:
    """Keep what the network looks at: the beat, or for `ours` how unusual it is for its heart."""
    if network != "ours":
        return x["beat"]
    if "unusual" not in x:
        raise InputError(
            "The network ours compares a beat with the others of its heart, and these data hold none to compare with "
            "(CSV files name no hearts, an infarction is in all beats): choose cnet, seq2seq, bilstm or bigru."
        )
    return x["unusual"]


def seen(given: Examples, network: str, learning: bool = False) -> Examples:
    """Give examples with what the network looks at; for `ours` to learn from, those of `unusual.thinned` hearts too."""
    x, rows = look(given.x, network), np.arange(len(given))
    if learning and network == "ours":
        more, which = np.nonzero(given.x["thinned"].any(axis=2))
        x, rows = np.concatenate([x, given.x["thinned"][more, which]]), np.append(rows, more)
    return Examples(x, given.y[rows], given.patient[rows], given.classes, given.info.iloc[rows])


def plan(network: str, preset: str = "laptop", task: str = "heartbeat") -> Plan:
    """Give the plan of a network.

    Raises
    ------
    InputError
        For an unknown task, network or preset.
    """
    _known(task)
    return preset_of(PLANS[task], task, network, preset)


def usual_split(given: Examples) -> str:
    """Name the best split that examples allow."""
    if "known" not in given.info:
        return "by-patient"
    return FILES if given.classes == CLASSES["heartbeat"] else RANDOM


def split(given: Examples, name: str = "by-patient", seed: int = 42) -> Split:
    """Split beats.

    Parameters
    ----------
    given : Examples
    name : str
        See `splits.named`; ``random-beats`` tests a fifth of the beats, as the original did, and a tenth of the
        others validates. Or ``files`` for the CSV files of the heartbeat task: the first file trains, a tenth of it
        validates, and the second is tested.
    seed : int

    Raises
    ------
    InputError
        If there is no such split, or beats of nobody are to be split by patient.
    """
    nameless = "known" in given.info
    if name == FILES and nameless and given.classes == CLASSES["heartbeat"]:
        part = given.info["part"].to_numpy()
        first = np.random.default_rng(seed).permutation(np.flatnonzero(part == 0))
        tenth = -(-len(first) // 10)
        sides = (first[tenth:], first[:tenth], np.flatnonzero(part))
        return Split(*sides, RANDOM, "leaky").guard(given.patient)
    if nameless and not is_leaky(name):
        raise InputError(
            f"The CSV files do not say whose their beats are, so no split {name!r}: choose --split "
            f"{usual_split(given)} and trust its score little."
        )
    if name == RANDOM:
        return splits.random_beats(given, validation=0.08, test=0.2, seed=seed)
    return named(given, name, seed)


def names_of(info: pd.DataFrame) -> np.ndarray:
    """Name every beat: its record and sample, or its file and row."""
    return (info["record"] + "_" + info["sample"].astype(str).str.zfill(6)).to_numpy().astype(str)
