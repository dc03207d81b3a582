"""Lesson 6: carry what was learnt from heartbeats over to myocardial infarction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_lessons import simulator, splits, study
from ecg_lessons.data import fetch, recordings
from ecg_lessons.data.recordings import Recording
from ecg_lessons.data.voltages import How
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import classwise, scores
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Files, Lead, Source
from ecg_lessons.lessons import heartbeat
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beat_sets, kachuee, quality
from ecg_lessons.study import FOLDS, Arm, Measurement, Pool, Study
from ecg_lessons.training import Run, Tick

CLASSES = ("normal", "infarction")
#: Reasons for admission that make the two classes from the PTB Diagnostic database.
_REASONS = {"Healthy control": "normal", "Myocardial infarction": "infarction"}


def from_diagnoses(found: Iterable[tuple[Recording, str]]) -> Examples:
    """Turn recordings and their diagnoses into beats of lead II; of recordings published twice one copy is kept."""
    cut = [kachuee.beat_of_diagnosis(recording, diagnosis) for recording, diagnosis in found]
    if not sum(len(beats) for beats, _ in cut):
        table = "for PTB-XL, scp_statements.csv must stand beside the table of its records"
        raise InputError(f"No recording is known as normal or as an infarction: {table}.")
    x = {"beat": np.concatenate([beats for beats, _ in cut])[..., None]}
    examples = heartbeat.labelled(x, pd.concat([rows for _, rows in cut], ignore_index=True), CLASSES)
    _, first = np.unique(splits.fingerprints(x["beat"]), return_index=True)
    return examples.take(np.sort(first))


def diagnosed(found: Iterable[Recording]) -> Iterator[tuple[Recording, str]]:
    """Give the recordings of PTB-XL that are NORM alone, or any MI; all others are left out."""
    for recording in found:
        superclasses = recording.labels["superclasses"]
        if "MI" in superclasses or superclasses == ("NORM",):
            yield recording, "infarction" if "MI" in superclasses else "normal"


def admitted(found: Iterable[Recording]) -> Iterator[tuple[Recording, str]]:
    """Give the recordings of the PTB Diagnostic database of healthy controls and of infarctions."""
    for recording in found:
        if recording.labels["reason"] in _REASONS:
            yield recording, _REASONS[recording.labels["reason"]]


@dataclass(frozen=True)
class Choices(heartbeat.BeatOptions):
    """Options of this lesson."""

    splits = "by-patient, random-beats (leaky), fold-0 to fold-4, or beats-fold-0 to beats-fold-9."
    task = "infarction"


def score(probability: np.ndarray, examples: Examples) -> dict:
    """Score as lesson 5 does; what is not normal is an infarction here, no arrhythmia."""
    scored = heartbeat.score(probability, examples)
    return {name.replace("arrhythmia", "infarction"): value for name, value in scored.items()}


def export(examples: Examples, to: Path) -> str:
    """Write ptbdb_normal.csv and ptbdb_abnormal.csv."""
    normal, abnormal = (np.flatnonzero(examples.y == k) for k in (0, 1))
    return heartbeat.write_csv(examples, to, {"ptbdb_normal.csv": normal, "ptbdb_abnormal.csv": abnormal})


def judge(
    run: Run,
    path: str | Path | Recording,
    tick: Tick | None = None,
    *,
    lead: Lead = None,
    how: How | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Judge a recording or a folder of them: the mean PROBABILITY over beats; "no beats" without two R peaks."""

    def make(recording: Recording) -> tuple[str, np.ndarray]:
        one = recording.only(lead=lead or "II")
        quality.refuse_poor(one, beat_sets.LEAST)
        return recording.name, kachuee.beat_of_diagnosis(one, "unknown", one.leads[0])[0]

    made, left_out = recordings.each(path, make, how=how, strict=strict, tick=tick)
    names, cut = zip(*made, strict=True)
    count = np.array([len(beats) for beats in cut])
    table = pd.DataFrame({"ID": names, "BEATS": count, "CLASS": "no beats", "PROBABILITY": 0.0})
    if count.any():
        probability = pd.DataFrame(heartbeat.predict_rows(run, {"beat": np.concatenate(cut)[..., None]}, tick))
        mean = probability.groupby(np.repeat(np.arange(len(names)), count)).mean().to_numpy()
        table.loc[count > 0, "CLASS"] = np.array(CLASSES)[mean.argmax(axis=1)]
        table.loc[count > 0, "PROBABILITY"] = mean.max(axis=1).round(4)
        table.attrs |= {"probability": mean, "classes": CLASSES, "every_beat": True}
    table.attrs["left_out"] = left_out
    return table


def _ptb_xl(folder: Path) -> Examples:
    return from_diagnoses(diagnosed(recordings.ptb_xl(folder)))


def _ptbdb(folder: Path) -> Examples:
    return from_diagnoses(admitted(recordings.ptb_diagnostic(folder)))


SOURCES = {
    "sample": Source("built-in cohort", lambda _: _ptb_xl(simulator.sample_infarctions())),
    "physionet": Source("PTB-XL", lambda _: _ptb_xl(fetch.locate("ptb-xl"))),
    "ptbdb": Source("PTB Diagnostic", lambda _: _ptbdb(fetch.locate("ptbdb"))),
}
FILES_OF = {"normal_csv": "The original's ptbdb_normal.csv.", "abnormal_csv": "Its ptbdb_abnormal.csv."}
LESSON = heartbeat.LESSON.but(
    "infarction",
    "Lesson 6: learn to tell myocardial infarction from normal, from scratch or from a heartbeat run.",
    networks=heartbeat.networks(600),
    sources=SOURCES,
    score=score,
    judge=judge,
    options=Choices,
    files=Files("csv", FILES_OF, partial(heartbeat.from_csv, classes=CLASSES), export),
)
examples, split, plan, train = LESSON.load, LESSON.split, LESSON.plan, LESSON.train
judged, evaluate, predict = LESSON.judged, LESSON.evaluate, LESSON.predict


# Measured: infarction against normal on PTB-XL, from scratch or from a heartbeat run

#: Of the patients to learn from.
SHARES = (0.01, 0.1, 1.0)


def _arms() -> Iterator[Arm]:
    plan_ = Plan(epochs=25, batch_size=64, schedule="cosine", keep="last")
    for protocol, names in {"random beats": ("random-beats",), "by patient": FOLDS}.items():
        starts = [(name, "scratch", 1.0) for name in heartbeat.ORIGINALS]
        for start in ("scratch", "frozen", "full"):
            starts += [("cnet", start, share) for share in SHARES if protocol == "by patient" or share == 1]
        for network, start, share in dict.fromkeys(starts):
            options = {"frozen": start == "frozen", "share": share}
            seeds = (1, 2, 3, 4, 5) if start == "scratch" and share < 1 else (1,)  # few people: each draw is another
            yield Arm(protocol, f"{network}, {start}, {share:.0%}", network, names, seeds, plan_, options)
    for balance in ("smote", "smote-tomek"):
        name, options = f"cnet {balance}, scratch, 100%", {"frozen": False, "share": 1.0, "balance": balance}
        yield Arm("by patient", name, "cnet", FOLDS, (1,), plan_, options)


def _start_of(measurement: Measurement, base: Path) -> dict:
    """Name the heartbeat run that a network starts from, trained on beats at random; train it first."""
    if "scratch" in measurement.arm.name:
        return {}
    before = heartbeat.STUDY.measurements("cnet-none-random-beats-seed-1")[0]
    heartbeat.STUDY.run(before, base)
    return {"transfer_from": heartbeat.STUDY.folder(before, base)}


def _report(whole: Study, done: list[Measurement], base: Path) -> dict:
    pools: dict[str, dict[str, Pool]] = {}
    for arm, trained in study.by_arm(done).items():
        pools.setdefault(arm.protocol, {})[arm.name] = whole.pooled(trained, base, _run_of)
    apart = pools.get("by patient", {})
    transferred = [(f"cnet, {start}, {share:.0%}", share) for start in ("frozen", "full") for share in SHARES]
    pairs = {name: (name, f"cnet, scratch, {share:.0%}") for name, share in transferred}
    paired = study.differences(pairs, apart, apart, scores.macro_f1)
    scored = {of: {name: _by_beat_and_recording(pool) for name, pool in arms.items()} for of, arms in pools.items()}
    data = study.counts_of(whole.examples) | {"recordings": int(whole.examples.info["record"].nunique())}
    return {"data": data, "protocols": scored, "paired": paired}


def _run_of(measurement: Measurement) -> str:
    return measurement.split if len(measurement.arm.seeds) == 1 else f"{measurement.split}, seed {measurement.seed}"


def _by_beat_and_recording(pool: Pool) -> dict:
    run = pool.tested.info["run"].str.split(", ")
    record = pool.tested.info["record"] + run.str[1].fillna("")  # once for each training
    first = np.sort(np.unique(record, return_index=True)[1])
    mean = pd.DataFrame(pool.probability).groupby(record.to_numpy(), sort=False).mean().to_numpy()
    by_recording = Pool(pool.tested.take(first), mean).scored(classwise.score)
    each = {"by_split": pool.by_run(scores.macro_f1), "by_recording": by_recording}
    if run.str.len().max() > 1:
        seeds = replace(pool, tested=pool.tested.but(info=pool.tested.info.assign(run=run.str[1])))
        each["by_seed"] = seeds.by_run(scores.macro_f1)
    return pool.scored(classwise.score) | each | pool.notes


STUDY = Study(LESSON, tuple(_arms()), _report, "protocols", 2, options=_start_of)
