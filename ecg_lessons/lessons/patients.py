"""Lesson 4: one patient at a time. Everybody else trains, the patient's first minutes adapt, what follows is tested.

A leave-one-out is a folder: ``plan.toml`` and ``run.json`` say what was asked, ``pretraining/`` holds the runs of the
pre-training, and each patient has a folder in ``patients/`` with ``predictions.csv.gz`` (older versions wrote
``predictions.parquet``) and, written last, ``metrics.json``.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import keras
import numpy as np
import pandas as pd
from scipy.special import softmax

from ecg_lessons import files, simulator, splits, study, training
from ecg_lessons.data import fetch, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.evaluation.scores import DRAWS, Estimate, Scores, plain
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Asked, Lesson, Network, Options, Report, Source, count, names_of, option
from ecg_lessons.lessons.beat_images import thin
from ecg_lessons.lessons.patient_arms import ARMS, Adaptation, Arms, Key, Plain, Shared
from ecg_lessons.models import museum
from ecg_lessons.models import patient as models
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beat_sets, beats, labels
from ecg_lessons.splits import Split, persons
from ecg_lessons.study import Arm, Measurement, Study
from ecg_lessons.training import Run
from ecg_lessons.trials import Trial

CLASSES = labels.classes("fourteen")
#: Samples before and from the annotation on, at `RATE` (Hz).
BEFORE = AFTER = 80
RATE = 360
#: The lengths of an adaptation curve, minutes.
MINUTES = (1.0, 2.0, 5.0, 10.0)
#: A class with fewer test beats does not count in `frequent_f1`: one beat would move it by a tenth or more.
FREQUENT = 10
#: Length of the simulated recordings, minutes: ten to learn from, five to be tested on.
SAMPLE_MINUTES = 15
_PARQUET, _CSV = "predictions.parquet", "predictions.csv.gz"


def from_recordings(found: Iterable[recordings.Recording]) -> Examples:
    """Turn annotated recordings into examples (n, BEFORE + AFTER, 2), one a beat whose window lies inside."""
    return _examples(scaled(found))


def _examples(found: Iterable[recordings.Recording]) -> Examples:
    x, info = beat_sets.fixed_windows(found, BEFORE, AFTER, None, CLASSES)
    y = labels.encode(info["symbol"].to_numpy(), "fourteen")
    patient = info["patient"].to_numpy().astype(str)
    return Examples(x, y, patient, CLASSES, info[["record", "symbol", "sample", "time"]].copy())


def scaled(found: Iterable[recordings.Recording], seconds: float = 60) -> Iterator[recordings.Recording]:
    """Scale each lead by what it shows in the first minute: no later sample, and no annotation, has a say.

    Its median becomes 0, and half the way from its 1st to its 99th percentile becomes 1; for a lead that is small in it
    that half is 0.25 mV, or its noise would be blown up.
    """
    for recording in found:
        if recording.signal.shape[1] != 2 or recording.rate != RATE:
            has = f"{recording.signal.shape[1]} leads at {recording.rate:g} Hz, and this lesson takes two leads"
            raise InputError(f"Record {recording.name} has {has} at {RATE} Hz: leave it out, or convert it.")
        first = beats.filled(recording.signal[: round(seconds * RATE)])
        low, middle, high = np.percentile(first, [1, 50, 99], axis=0)
        yield _moved(recording, middle, np.maximum((high - low) / 2, 0.25))


def by_own_range(found: Iterable[recordings.Recording]) -> Iterator[recordings.Recording]:
    """Scale as the original did: each lead from its lowest to its highest value, over the whole record, is 0 to 1."""
    for recording in found:
        low, high = (np.array([edge(lead) for lead in recording.signal.T]) for edge in (np.nanmin, np.nanmax))
        yield _moved(recording, low, high - low)


def _moved(recording: recordings.Recording, zero: np.ndarray, scale: np.ndarray) -> recordings.Recording:
    signal = np.empty_like(recording.signal)
    for k in range(len(zero)):  # rows of two leads would be computed two numbers at a time
        signal[:, k] = (recording.signal[:, k] - zero[k]) / scale[k]
    return replace(recording, signal=signal)


def people(examples: Examples, wanted: Iterable[str] | None = None) -> list[str]:
    """List the patients, or check and put in order those that are wanted; a record stands for its patient."""
    known = np.unique(persons(examples.patient)).tolist()
    if wanted is None:
        return known
    asked = [str(name).strip() for name in wanted if str(name).strip()]
    named = persons(np.array(asked)).tolist() if asked else []
    for name, spelled in zip(named, asked, strict=True):
        if name not in known:
            raise InputError(f"There is no patient {spelled!r}; there are {', '.join(known)}.")
    if not named:
        raise InputError("No patient is named: give names such as 100,106, or leave --patients out for all.")
    return [name for name in known if name in named]


def split(examples: Examples, patient: str, minutes: float = 10) -> Split:
    """Split one patient's beats in time: the first minutes of each recording adapt, the rest is tested."""
    return splits.first_minutes(examples, patient, minutes, validation=0)


def lengths(minutes: float) -> tuple[float, ...]:
    """Give the lengths of the adaptation curve up to `minutes`."""
    return (*(length for length in MINUTES if length < minutes), float(minutes))


def frequent_f1(counts: np.ndarray) -> np.ndarray:
    """Give the mean F1 over the classes with at least FREQUENT beats, of counts (..., K, K); NaN without any."""
    f1 = np.where(counts.sum(-1) >= FREQUENT, scores.f1(counts), np.nan)
    number, total = np.isfinite(f1).sum(-1), np.nansum(f1, axis=-1)
    return np.divide(total, number, out=np.full(np.shape(total), np.nan), where=number > 0)


#: The scores of one patient, the one to compare by first.
SCORES = {"F1 frequent": frequent_f1, "macro F1": scores.macro_f1, "accuracy": scores.accuracy}
#: The score to compare by, and what it must fall by before adaptation is said to hurt.
MAIN = next(iter(SCORES))
MARGIN = 0.005


def score(y: np.ndarray, verdict: np.ndarray) -> dict[str, float]:
    """Score one patient's beats; ``F1 frequent`` is to compare by, since rare classes rule ``macro F1``."""
    counts = Scores.of(y, verdict, np.zeros(len(y)), CLASSES).counts
    return {name: float(statistic(counts)[0]) for name, statistic in SCORES.items()}


@dataclass(frozen=True)
class Cohort:
    """The folder of a leave-one-out."""

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open a folder with finished patients."""
        cohort = cls(Path(folder))
        if not (cohort.folder / "run.json").exists() or cohort.about.get("protocol") != "leave-one-out":
            made = "'ecg-lessons train patients --leave-one-out --out' made"
            raise InputError(f"{folder} holds no leave-one-out: give a folder that {made}.")
        if not cohort.finished():
            raise InputError(f"No patient in {folder} is finished: give the same 'train' command again.")
        return cohort

    @property
    def about(self) -> dict:
        """What was asked: source, minutes, the way of the pre-training, the adaptation."""
        return Run(self.folder).about

    def finished(self) -> list[str]:
        """Name the patients that are finished, those that could not be done among them."""
        return sorted(path.parent.name for path in self.folder.glob("patients/*/metrics.json"))

    def metrics(self, patient: str) -> dict:
        """Read what is kept of a patient."""
        if patient not in (done := self.finished()):
            raise InputError(f"Patient {patient!r} is not finished in {self.folder}; finished are {', '.join(done)}.")
        remedy = "remove it, and give the same 'train' command again"
        return files.read_json(self.place(patient) / "metrics.json", remedy)

    def predictions(self, patient: str) -> pd.DataFrame:
        """Read a patient's test beats, one a row: record, sample, time, symbol, and what each arm said.

        Columns of an arm are called ``head 10`` (the verdict's symbol) and ``head 10 p`` (its probability).
        """
        place = self.place(patient)
        if (place / _CSV).exists():
            return pd.read_csv(place / _CSV, dtype={"record": str})
        if not (place / _PARQUET).exists():
            raise InputError(f"{place} holds no predictions: give the same 'train' command again.")
        try:
            return pd.read_parquet(place / _PARQUET)
        except ImportError:
            raise InputError(f"{place / _PARQUET} needs pyarrow: install it with 'pip install pyarrow'.") from None

    def place(self, patient: str) -> Path:
        """Give the folder of a patient."""
        return self.folder / "patients" / patient


@dataclass(frozen=True)
class Settings:
    """What a preset chooses beside its plan; `most` is of beats of a class and patient, in the pre-training only."""

    folds: int = 5
    most: int | None = None
    adaptation: Adaptation = Adaptation()


SETTINGS = {
    "laptop": Settings(most=300),
    "quick": Settings(folds=4, most=60, adaptation=Adaptation(steps=80, learning_rate=2e-3)),
    "paper": Settings(adaptation=Adaptation(balance=0.0)),
}
_OURS = Plan(epochs=8, batch_size=128, learning_rate=1e-3, patience=2)
_PAPER = Plan(epochs=10, batch_size=32, keep="last")
_PLANS = {"laptop": _OURS, "quick": _OURS.but(epochs=3, batch_size=64), "paper": _PAPER}
NETWORKS = {"patient": Network(models.build, _PLANS)}


@dataclass(frozen=True)
class Choices(Options):
    """Options of this lesson."""

    leave_one_out: bool = option(False, "Test each patient on a network trained on the others.")
    patients: str | None = option(None, "Whom to leave out, such as 100,106; everybody, in turn, unless said.")
    adapt_minutes: float = option(10.0, "The first minutes adapt the network; what follows is tested.")
    plain: bool = option(False, "Pre-train from scratch for each patient: slow, nothing approximate.")

    def settle(self, network: str | None, source: str) -> str | None:
        """Refuse what no patient's data could make possible."""
        if not self.leave_one_out:
            raise InputError("Lesson 4 knows one protocol, so far: add --leave-one-out.")
        if not 0 < self.adapt_minutes < float("inf"):
            raise InputError(f"{self.adapt_minutes:g} minutes are no adaptation: give a number above 0.")
        return network


class LeaveOneOut(Lesson):
    """The lesson whose training is a training for each patient."""

    usual_options = ()

    def fit(self, asked: Asked, split: None, called: str) -> Cohort:
        """Leave each patient out once, and keep what every arm says of them.

        A patient that cannot be done is told and kept with the reason. The same call goes on: finished patients and
        phases are not trained again. ``progress(number, {"line": what happened})`` is called now and then.
        """
        examples, plan, options = asked.examples, asked.plan, asked.options
        tensorboard, progress = asked.fitting["tensorboard"], asked.fitting["progress"] or (lambda number, row: None)
        if tensorboard:
            training.require_tensorboard()
        settings, cohort = SETTINGS[asked.preset or "laptop"], Cohort(asked.folder)
        wanted = people(examples, None if options.patients is None else options.patients.split(","))
        taught = examples if settings.most is None else thin(examples, settings.most, plan.seed)
        args = taught, cohort.folder / "pretraining", plan, tensorboard, lambda line: progress(0, {"line": line})
        pretraining = Plain(*args) if options.plain else Shared(*args, folds=settings.folds)
        about = {"lesson": self.name, "protocol": "leave-one-out", "beats": len(examples)}
        about |= {"people": len(people(examples)), "source": asked.source, "minutes": float(options.adapt_minutes)}
        training.prepare(cohort.folder, about | {"plain": options.plain, **asdict(settings)}, plan)
        arms = Arms(settings.adaptation, plan.seed)
        work = partial(_leave_out, examples, pretraining, arms, options.adapt_minutes, plan.seed)
        refusals = []
        for number, patient in enumerate(wanted, start=1):
            trial = Trial(patient, cohort.place(patient), partial(work, patient), "metrics.json")
            before = "finished before. " if trial.finished else ""
            metrics = trial.run()
            progress(number, {"line": f"{patient} ({number}/{len(wanted)}): {before}{in_a_line(metrics)}"})
            refusals.append(metrics.get("refused"))
        if all(refusals):
            raise InputError(f"No patient could be done. {refusals[0]}")
        return cohort

    def ending(self, cohort: Cohort, paths: tuple = ()) -> str:
        """Say where the patients are and what comes next."""
        return f"{len(cohort.finished())} patients are in {cohort.folder}. Next: ecg-lessons summarize {cohort.folder}"

    def open(self, folder: Path) -> Run:
        """Refuse to take many trainings for one."""
        raise InputError(f"{folder} holds a training for each patient: give 'ecg-lessons summarize {folder}'.")

    def summarize(self, folder: Path) -> Report:
        """Sum all patients up, and keep the numbers as ``summary.json``."""
        summary = summarise(Cohort.open(folder))
        files.write(folder / "summary.json", summary.as_dict())
        return summary.report(folder)


def in_a_line(metrics: dict) -> str:
    """Say in one line how a patient went, with the notes."""
    if "refused" in metrics:
        return f"left out. {metrics['refused']}"
    longest = max(arm["minutes"] for arm in metrics["arms"].values())
    shown = {arm: metrics["arms"].get(_name((arm, m))) for arm, m in (("generic", 0.0), ("whole", longest))}
    line = ", ".join(f"{arm} {row[MAIN]:.3f}" for arm, row in shown.items() if row and row[MAIN] is not None)
    return " ".join([f"{MAIN}: {line}." if line else "", *metrics["notes"]]).strip()


def _leave_out(
    examples: Examples, pretraining: Plain, arms: Arms, minutes: float, seed: int, patient: str, folder: Path, progress
) -> dict:
    """Train and judge one patient; keep the predictions and give the metrics."""
    own = examples.take(persons(examples.patient) == patient)
    try:
        parts = split(own, patient, minutes)
    except InputError as error:
        return {"patient": patient, "refused": str(error)}
    first, test = own.take(parts.train), own.take(parts.test)
    start = time.perf_counter()
    generic = pretraining.weights(patient)
    middle = time.perf_counter()
    answers = arms.answers(generic, first, test.x, lengths(minutes), seed)
    end = time.perf_counter()
    with files.writing(folder / _CSV, "wb") as file:
        _predictions(test, answers).to_csv(file, index=False, float_format="%.6g", compression="gzip")
    return {
        "patient": patient,
        "records": sorted(set(own.info["record"])),
        "adapted on": count(first),
        "tested on": count(test),
        "notes": _notes(first, test, lengths(minutes)),
        "seconds": {"pretraining": round(middle - start, 2), "adaptation": round(end - middle, 2)},
        "arms": {_name(key): _scored(key, probability, test) for key, probability in answers.items()},
    }


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]:g}"


def _notes(first: Examples, test: Examples, minutes: tuple[float, ...]) -> list[str]:
    empty = [f"{length:g}" for length in minutes if not (first.info["time"] < 60 * length).any()]
    learnt, asked = set(count(first)), set(count(test))
    notes = {
        f"No beat before minute {''.join(empty[-1:])}: not adapted on {' or '.join(empty)}.": empty,
        f"Only {''.join(learnt)} in the first {minutes[-1]:g} minutes.": len(learnt) == 1,
        f"Not met in them, but tested: {' '.join(sorted(asked - learnt))}.": asked - learnt,
    }
    return [note for note, true in notes.items() if true]


def _scored(key: Key, probability: np.ndarray, test: Examples) -> dict:
    verdict = probability.argmax(axis=1)
    counts = Scores.of(test.y, verdict, np.zeros(len(test)), test.classes).confusion
    confusion = {
        name: {test.classes[k]: int(row[k]) for k in np.flatnonzero(row)}
        for name, row in zip(test.classes, counts, strict=True)
        if row.any()
    }
    return {"arm": key[0], "minutes": key[1], **plain(score(test.y, verdict)), "confusion": confusion}


def _predictions(test: Examples, answers: dict[Key, np.ndarray]) -> pd.DataFrame:
    symbols, columns = np.array(test.classes), {}
    for key, probability in answers.items():
        columns[_name(key)] = symbols[probability.argmax(axis=1)]
        columns[f"{_name(key)} p"] = probability.max(axis=1).astype(np.float32)
    return test.info[["record", "sample", "time", "symbol"]].assign(**columns)


@dataclass(frozen=True)
class Summary:
    """All patients of a cohort that are finished.

    ``minutes``: the longest adaptation, where the tests begin. ``scores``: a row a patient, arm and length. ``table``:
    a row an arm and length, with the number of ``patients``, and for each score the mean over patients, an Estimate,
    and ``gain <score>``, the mean of the paired differences to `generic`. By patient: ``beats`` tested, ``notes`` on
    what was peculiar, and why one was ``refused``. ``people`` are all of the data, finished or not.
    """

    minutes: float
    scores: pd.DataFrame
    table: pd.DataFrame
    beats: dict[str, int]
    notes: dict[str, str]
    refused: dict[str, str]
    people: int

    def by_patient(self, score: str = MAIN) -> pd.DataFrame:
        """Give one score of every patient (rows) in every arm at its full length (columns)."""
        full = self.scores[(self.scores["minutes"] == self.minutes) | (self.scores["arm"] == "generic")]
        return full.pivot_table(score, "patient", "arm", dropna=False)[list(ARMS)]

    def gain(self, arm: str, over: str = "generic", minutes: float | None = None, score: str = MAIN) -> Estimate:
        """Compare two arms patient by patient, at the longest adaptation unless said: the mean difference."""
        minutes = self.minutes if minutes is None else minutes
        here = self.scores[self.scores["minutes"].isin([minutes, 0])].set_index(["arm", "patient"])[score]
        return mean((here[arm] - here[over]).to_numpy())

    def hurt(self, arm: str = "whole", score: str = MAIN) -> pd.Series:
        """Name those whom adaptation costs more than MARGIN, the worst first, with the difference to `generic`."""
        table = self.by_patient(score)
        change = (table[arm] - table["generic"]).sort_values()
        return change[change < -MARGIN]

    def as_dict(self) -> dict:
        """Give what a JSON file is to hold."""
        each = self.by_patient().astype(object)
        return {
            "minutes": self.minutes,
            "main score": MAIN,
            "arms": {_name(key): plain(row.to_dict()) for key, row in self.table.iterrows()},
            f"{MAIN} by patient": each.where(each.notna(), None).to_dict("index"),
            "hurt": {arm: self.hurt(arm).round(4).to_dict() for arm in ("head", "whole")},
            "notes": self.notes,
            "refused": self.refused,
        }

    def report(self, folder: Path) -> Report:
        """Set out what the command line prints."""
        table = self.table.rename(index="{:g}".format, level="minutes").rename_axis(["arm", "min"])
        gains, each = {f"gain {name}": name for name in list(SCORES)[:2]}, self.by_patient()
        each.insert(0, "beats", pd.Series(self.beats))
        gained = table.drop("generic", level="arm")[list(gains)].rename(columns=gains)
        tables = {
            f"{folder}: {len(self.beats)} patients, tested after minute {self.minutes:g}": table[list(SCORES)],
            "Difference to generic, patient by patient": gained,
            f"{MAIN} by patient, {self.minutes:g} minutes": each.rename_axis(columns=None),
        }
        lines = [
            "Means over patients, 95 % intervals by bootstrap over them. 'F1 frequent': mean F1 of the classes with 10 "
            "test beats or more of a patient, the score to compare by; 'macro F1' counts the others too."
        ]
        if (finished := len(self.beats) + len(self.refused)) < self.people:
            rest = "the same 'train' command goes on, or was for these alone"
            lines.insert(0, f"{finished} of {self.people} people are finished: {rest}.")
        for arm in ("head", "whole"):
            hurt = ", ".join(f"{name} ({change:+.3f})" for name, change in self.hurt(arm).items())
            lines.append(f"Adaptation ({arm}) hurts: {hurt or 'nobody'}.")
        lines += [f"{name}: {note}" for name, note in self.notes.items()]
        return Report(tables, lines + [f"{name} left out: {reason}" for name, reason in self.refused.items()])


def summarise(cohort: Cohort) -> Summary:
    """Sum up the finished patients of a cohort."""
    metrics = {patient: cohort.metrics(patient) for patient in cohort.finished()}
    refused = {patient: row["refused"] for patient, row in metrics.items() if "refused" in row}
    done = {patient: row for patient, row in metrics.items() if patient not in refused}
    if not done:
        raise InputError(f"No patient in {cohort.folder} could be done. {next(iter(refused.values()))}")
    rows = [{"patient": patient} | arm for patient, row in done.items() for arm in row["arms"].values()]
    every = pd.DataFrame(rows)[["patient", "arm", "minutes", *SCORES]].astype(dict.fromkeys(SCORES, float))
    return Summary(
        cohort.about["minutes"],
        every,
        _table(every),
        {patient: sum(row["tested on"].values()) for patient, row in done.items()},
        {patient: " ".join(row["notes"]) for patient, row in done.items() if row["notes"]},
        refused,
        cohort.about.get("people", len(metrics)),
    )


def mean(values: np.ndarray, seed: int = 0) -> Estimate:
    """Give the mean over patients (NaN has no say) with its 95 % interval by bootstrap; no bounds for a single one."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Estimate(float(values.mean()) if len(values) else float("nan"), float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def _table(every: pd.DataFrame) -> pd.DataFrame:
    generic = every[every["arm"] == "generic"].set_index("patient")
    rows = {}
    for key, arm in sorted(every.groupby(["arm", "minutes"]), key=lambda row: (ARMS.index(row[0][0]), row[0][1])):
        arm = arm.set_index("patient")
        rows[key] = {"patients": len(arm)}
        for name in SCORES:
            rows[key][name] = mean(arm[name].to_numpy())
            rows[key][f"gain {name}"] = mean((arm[name] - generic[name].reindex(arm.index)).to_numpy())
    return pd.DataFrame(list(rows.values()), pd.MultiIndex.from_tuples(rows, names=["arm", "minutes"]))


def _many(*_) -> None:
    raise InputError("Lesson 4 has a network for each patient: give 'ecg-lessons summarize' its folder.")


def _cohort(folder: Path) -> Examples:
    return from_recordings(recordings.mitdb(folder))


_FOLDERS = {
    "sample": lambda: simulator.sample_arrhythmias(20, SAMPLE_MINUTES),
    "physionet": lambda: fetch.locate("mitdb"),
}
SOURCES = {
    "sample": Source("built-in cohort", lambda _: _cohort(_FOLDERS["sample"]())),
    "physionet": Source("MIT-BIH", lambda _: _cohort(_FOLDERS["physionet"]())),
}
LESSON = LeaveOneOut(
    "patients", "Lesson 4: leave each patient out once; adapt a network to the patient's first minutes.",
    NETWORKS, SOURCES, _many, _many, _many, score, _many, Choices,
)  # fmt: skip
examples, plan, train = LESSON.load, LESSON.plan, LESSON.train


# Measured: everybody in MIT-BIH left out once, the fast way and the plain one

#: The plain way, which takes long, is measured on every so manyeth patient.
EVERY = 3


def _measure(whole: Study, measurement: Measurement, base: Path) -> None:
    if measurement.arm.name == "original":
        return _measure_original(whole.folder(measurement, base), whole.source, measurement.seed)
    arm, folder, examples = measurement.arm, whole.folder(measurement, base), whole.examples
    wanted = ",".join(people(examples)[:: EVERY if arm.options["plain"] else 1])
    how = {"preset": arm.options["preset"], "plain": arm.options["plain"], "adapt_minutes": arm.options["minutes"]}
    how |= {"leave_one_out": True, "patients": wanted}
    train(folder, source=whole.source, plan=arm.plan, examples=examples, **how)


def _measure_original(folder: Path, source: str, seed: int) -> None:
    """Do as the original did: leave each record out, watch it while the others train, test all of its beats."""
    examples = _examples(by_own_range(recordings.mitdb(_FOLDERS[source]())))
    record, probability = examples.info["record"].to_numpy(), np.zeros((len(examples), len(CLASSES)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for number, name in enumerate(names := np.unique(record), start=1):
        own = record == name
        plan = _PLANS["paper"].but(seed=seed)
        run = training.fit(museum.relu_logits, examples.take(~own), examples.take(own), plan, folder / name, loss=loss)
        probability[own] = softmax(run.model.predict(examples.x[own], batch_size=1024, verbose=0), axis=1)
        print(f"  without record {name} ({number} of {len(names)})", flush=True)
    study.keep(folder, names=names_of(examples.info), probability=probability)


def _original(examples: Examples, names: np.ndarray, probability: np.ndarray, minutes: float) -> dict:
    """Score the original's networks on whole records, as it did, and where ours are tested: after the first minutes."""
    row = {name: n for n, name in enumerate(names_of(examples.info))}
    tested, verdict = examples.take(np.array([row[name] for name in names])), probability.argmax(axis=1)
    later = tested.info["time"].to_numpy() >= 60 * minutes

    def each(groups: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
        own = {name: rows & (groups == name) for name in np.unique(groups[rows])}
        return pd.DataFrame({name: score(tested.y[at], verdict[at]) for name, at in own.items()}).T

    records, after = each(tested.info["record"].to_numpy(), later | True), each(persons(tested.patient), later)
    means = {
        words: {"of": len(table)} | {name: mean(table[name].to_numpy()) for name in SCORES}
        for words, table in (("whole records", records), (f"people after minute {minutes:g}", after))
    }
    return plain(means | {f"{MAIN} by patient": after[MAIN].dropna().to_dict()})


def _report(whole: Study, done: list[Measurement], base: Path) -> dict:
    cohorts = {one.arm.name: Cohort(whole.folder(one, base)) for one in done if one.arm.name != "original"}
    result = {"data": study.counts_of(whole.examples), "summary": {}}
    if "fast" in cohorts:
        summary, plan_ = summarise(cohorts["fast"]), Run(cohorts["fast"].folder).plan
        over = {f"{minutes:g}": summary.gain("whole", "alone", minutes) for minutes in lengths(summary.minutes)}
        result |= {
            "summary": summary.as_dict(),
            "over alone": plain(over),
            "whole over majority": plain(summary.gain("whole", "majority", score="macro F1")),
            "plan": {"epochs": plan_.epochs, "seed": plan_.seed},
        }
    for measurement in (one for one in done if one.arm.name == "original"):
        stored = study.kept(whole.folder(measurement, base))
        result["original"] = _original(
            whole.examples, stored["names"], stored["probability"], measurement.arm.options["minutes"]
        )
    if {"fast", "plain"} <= set(cohorts):
        result["fast against plain"] = _compared(cohorts["fast"], cohorts["plain"])
    return result


def _compared(fast: Cohort, slow: Cohort) -> dict:
    """Compare the generic networks of both ways on the patients that both have, and what the pre-training took."""
    both = sorted(set(slow.finished()) & set(fast.finished()))
    one, other = (pd.DataFrame([cohort.metrics(name)["arms"]["generic 0"] for name in both]) for cohort in (fast, slow))
    gains = {name: mean((one[name] - other[name]).to_numpy(float)) for name in SCORES}
    spent = [np.mean([way.metrics(who)["seconds"]["pretraining"] for who in way.finished()]) for way in (fast, slow)]
    return {
        "patients": len(both),
        "generic, fast minus plain": plain(gains),
        "pre-training, seconds a patient": {"fast": round(spent[0], 2), "plain": round(spent[1], 2)},
        "times faster": round(spent[1] / spent[0], 1),
    }


_HOW = {"preset": "laptop", "minutes": 10.0}
_ARMS = tuple(
    Arm("", way, "patient", ("everybody",), options=_HOW | {"plain": way == "plain"})
    for way in ("fast", "plain", "original")
)
STUDY = Study(LESSON, _ARMS, _report, "summary", 0, measure=_measure)
