"""Lesson 1: find out whether electrodes were exchanged, and which."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ecg_lessons import files, simulator, splits, study, training
from ecg_lessons.data import catalog, fetch, recordings, tables
from ecg_lessons.data.voltages import How
from ecg_lessons.errors import InputError, choice, note, shown
from ecg_lessons.evaluation import calibration, scores
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Asked, Files, Learning, Lesson, Network, Options, Source, option
from ecg_lessons.models import inversion as models
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beats, leads, quality
from ecg_lessons.study import FOLDS, Arm, Measurement, Study
from ecg_lessons.training import Run, Tick

RATE = 250
SECONDS = 10
#: The shortest recording that is read (s), and how much of the middle of a long one.
LEAST, MIDDLE = 2, 600
#: Einthoven's law is broken where the limb leads contradict one another by more than this share of their height.
BROKEN = 0.2
#: The states of a recording: as it should be, then every swap.
STATES = ("correct", *leads.SWAPS)
Seed = Annotated[int, {"min": 0, "help": "For the draw of the swaps."}]
Threshold = Annotated[float, {"min": 0, "max": 1, "help": "Call it inverted above this."}]
Sure = Annotated[float, {"min": 0.5, "max": 1, "help": "Give no verdict below this probability of being right."}]
_MAPS = np.stack([np.eye(12, dtype=np.float32), *leads.SWAPS.values()])


def from_recordings(found: Iterable[recordings.Recording]) -> Examples:
    """Turn 12-lead recordings, taken to be correct, into ``signal`` (n, 2500, 12) and ``beat`` (n, 200, 12), in mV."""
    signals, typical, patients, about = [], [], [], []
    for recording in found:
        if recording.seconds < LEAST:
            lasts = f"lasts {recording.seconds:.3g} s: this lesson needs {LEAST} s or more"
            raise InputError(f"Record {recording.name} {lasts}.")
        signal = beats.resample(recording.twelve(), recording.rate, RATE)
        _refuse_flat(signal, f"Record {recording.name}")
        signals.append(np.nan_to_num(fit_length(beats.bandpass(signal, RATE), RATE * SECONDS), copy=False))
        typical.append(beats.median_beat(signal, RATE))
        patients.append(recording.patient)
        about.append((recording.name, " ".join(recording.labels.get("diagnoses", ())), "correct"))
    x = {"signal": np.stack(signals), "beat": np.stack(typical)}
    info = pd.DataFrame(about, columns=["record", "diagnoses", "state"])
    return Examples(x, np.zeros(len(info), dtype=int), np.array(patients), STATES, info)


def from_csv(data: str | Path, labels: str | Path | None = None) -> Examples:
    """Read the original's CSV files, 750 samples of 12 leads a row; each row counts as a patient of its own."""
    names, signal = tables.read_ecgs(data)
    for name, ecg in zip(names, signal, strict=True):
        _refuse_flat(ecg, f"{data}: the ECG with ID {name}")
    signal = np.stack([beats.bandpass(ecg, RATE) for ecg in signal])
    y = tables.read_labels(labels, names) if labels else np.zeros(len(names), dtype=int)
    x = {"signal": signal, "beat": np.stack([beats.median_beat(ecg, RATE) for ecg in signal])}
    info = pd.DataFrame({"record": names, "state": np.where(y, "inverted", "correct")})
    return Examples(x, np.asarray(y), np.array([f"row {name}" for name in names]), ("correct", "inverted"), info)


def _refuse_flat(signal: np.ndarray, what: str) -> None:
    if not np.ptp(signal, axis=0).any():
        raise InputError(f"{what} is a flat line in every lead: leave it out.")


def fit_length(signal: np.ndarray, samples: int) -> np.ndarray:
    """Give the middle `samples` of recordings (..., time, 12), or hold the first and last values around them."""
    room = signal.shape[-2] - samples
    if room >= 0:
        return signal[..., room // 2 : room // 2 + samples, :]
    widths = [(0, 0)] * (signal.ndim - 2) + [(-room // 2, -room - -room // 2), (0, 0)]
    return np.pad(signal, widths, mode="edge")


def split(correct: Examples, name: str | None = None, seed: int = 42, asked: Asked | None = None) -> splits.Split:
    """Split recordings: ``by-patient``, ``random`` (the original's kind, leaky), or ``fold-K`` of five."""
    if name in ("random", splits.RANDOM):
        return splits.random_beats(correct, seed=seed)
    if name not in (None, "by-patient", *FOLDS):
        raise choice("split", name, ["by-patient", "random", *FOLDS])
    return splits.named(correct, name or "by-patient", seed)


def swapped(correct: Examples, state: np.ndarray) -> Examples:
    """Exchange electrodes: row i gets ``STATES[state[i]]``. Exchanging leads and taking the median beat commute."""
    state = np.broadcast_to(state, len(correct))
    x = {name: np.matmul(part, _MAPS[state].transpose(0, 2, 1)) for name, part in correct.x.items()}
    info = correct.info.assign(state=np.array(STATES)[state])
    return correct.but(x=x, y=state.copy(), classes=STATES, info=info)


def every_state(correct: Examples) -> Examples:
    """Give each recording ten times: correct, and with every swap."""
    again = correct.take(np.tile(np.arange(len(correct)), len(STATES)))
    return swapped(again, np.repeat(np.arange(len(STATES)), len(correct)))


def fresh_swaps(correct: Examples, rng: np.random.Generator) -> Examples:
    """Leave half of the recordings as they are and give each other one a swap drawn at random."""
    return swapped(correct, rng.integers(1, len(STATES), len(correct)) * (rng.random(len(correct)) < 0.5))


def more_swaps(labelled: Examples, rng: np.random.Generator) -> Examples:
    """Exchange half of the correct ECGs of a file anew, beside the positives that the file has."""
    state = np.where(labelled.y == 0, rng.integers(1, len(STATES), len(labelled)), 0)
    mixed = swapped(labelled, np.where(rng.random(len(labelled)) < 0.5, state, 0))
    return labelled.but(x=mixed.x, y=np.maximum(labelled.y, mixed.y > 0))


def rolled(correct: Examples, rng: np.random.Generator, copies: int = 5) -> Examples:
    """Add copies shifted the original's way, by 10 to 740 samples, end joined to start; three seconds are kept."""
    signal = fit_length(correct.x["signal"], models.SAMPLES)
    again = np.repeat(np.arange(len(correct)), copies + 1)
    shift = rng.integers(10, 741, len(again))
    shift[:: copies + 1] = 0
    rolls = np.stack([np.roll(signal[i], by, axis=0) for i, by in zip(again, shift, strict=True)])
    return correct.take(again).but(x={"signal": rolls})


def binary(examples: Examples) -> Examples:
    """Merge the swaps into one class, "inverted"."""
    return examples.but(y=(examples.y > 0).astype(int), classes=("correct", "inverted"))


_ORIGINAL = Plan(epochs=20, batch_size=32, optimizer="rmsprop", patience=3)
_OURS = Plan(epochs=30, batch_size=32, optimizer="adamw", learning_rate=2e-3, schedule="cosine", keep="last")
NETWORKS = {
    "hypotheses": Network(models.hypotheses, {"laptop": _OURS, "paper": _OURS.but(epochs=60)}),
    "plain": Network(models.plain, {"laptop": _OURS, "paper": _OURS.but(epochs=60)}),
    "usoltsev": Network(models.usoltsev, {"laptop": _ORIGINAL.but(epochs=8), "paper": _ORIGINAL}),
}


def sees(network: str) -> str:
    """Name the input that a network looks at: the signal, or the median beat."""
    return "signal" if network == "usoltsev" else "beat"


def seen_by(network: str, examples: Examples) -> Examples:
    """Keep the one input that the network looks at."""
    return examples.but(x=examples.x[sees(network)])


def for_judging(network: str, examples: Examples) -> Examples:
    """Keep only what evaluation sees, so that ten states of a whole database fit into memory."""
    part = sees(network)
    x = fit_length(examples.x[part], models.SAMPLES) if part == "signal" else examples.x[part]
    return examples.but(x={part: x})


@dataclass(frozen=True)
class Choices(Options):
    """Options of this lesson."""

    splits = "by-patient, random (leaky), or fold-0 to fold-4."

    task: str = option("which", "which (names the swap) or inverted (yes or no).", ("which", "inverted"))


def learn(asked: Asked) -> Learning:
    """Exchange electrodes anew in every epoch; of the original's CSV files show its network what they hold."""
    from_file = asked.examples.classes != STATES
    task = "inverted" if from_file else asked.options.task
    if from_file and len(np.unique(asked.examples.y)) < 2:
        raise InputError(f"All ECGs of the file have label {asked.examples.y[0]}: training needs both 0 and 1.")

    def prepare(examples: Examples) -> Examples:
        return seen_by(asked.network, binary(examples) if task == "inverted" else examples)

    shown, held = asked.sides
    size = {"samples": asked.examples.x["signal"].shape[1]} if sees(asked.network) == "signal" else {}
    swaps = fresh_swaps
    if from_file:
        swaps = (lambda examples, rng: examples) if asked.network == "usoltsev" else more_swaps
    else:
        held = fresh_swaps(held, np.random.default_rng(asked.plan.seed))
    classes = len(STATES) if task == "which" else 2
    build = partial(NETWORKS[asked.network].build, classes, **size)
    met = range(len(asked.examples.classes))
    more = {"fresh": lambda examples, rng: prepare(swaps(examples, rng))}
    return Learning(build, shown, prepare(held), asked.plan, {"task": task}, met, **more)


def copies(correct: Examples, rng: np.random.Generator) -> Examples:
    """Give what the original project trained on: half of the ECGs exchanged, and every ECG five times more, rolled."""
    return seen_by("usoltsev", rolled(binary(fresh_swaps(correct, rng)), rng))


def train_original(
    correct: Examples, out: str | Path, plan: Plan | None = None, parts: tuple | None = None
) -> tuple[Run, Examples]:
    """Follow the original project: half of the ECGs get a swap, drawn once, and every ECG five rolled copies.

    As there, the last quarter of the rows, copies of ECGs that train, chooses the epoch and validates. With `parts`,
    ECGs to train and to validate on, nobody is on two sides. Gives the run and the copies that would be scored.
    """
    plan = plan or LESSON.plan("usoltsev", "paper")
    rng = np.random.default_rng(plan.seed)
    if parts is None:
        rows = copies(correct, rng)
        # The ECGs as they are come first, then all first copies, and so on.
        rows = rows.take(np.arange(len(rows)).reshape(len(correct), -1).T.ravel())
        fourth = len(rows) - len(rows) // 4
        shown, held = rows.take(np.arange(fourth)), rows.take(np.arange(fourth, len(rows)))
    else:
        shown, held = (copies(correct.take(part), rng) for part in parts)
    about = {"lesson": "inversion", "network": "usoltsev", "task": "inverted", "protocol": "original"}
    # The copies are in the data, so the network augments nothing.
    return training.fit(partial(models.usoltsev, augment=False), shown, held, plan, out, about=about), held


def predict_rows(run: Run, x: dict[str, np.ndarray], tick: Tick | None = None) -> np.ndarray:
    """Give the probabilities of a run's classes, shape (n, 2) or (n, len(STATES))."""
    part = sees(run.about["network"])
    model = run.model
    shown = fit_length(x[part], model.input_shape[1]) if part == "signal" else x[part]
    return training.predict(model, shown, tick=tick)


def ask(run: Run, examples: Examples) -> Examples:
    """Ask for every state of a recording; of files, for what they hold."""
    if examples.classes != STATES:
        return examples
    return every_state(for_judging(run.about["network"], examples))


def score(probability: np.ndarray, examples: Examples) -> dict:
    """Score the two tasks, inverted or not, and which swap; column 0 of `probability` is that of "correct"."""
    verdict = scores.Scores.of(examples.y, probability[:, 0] < 0.5, examples.patient, examples.classes, verdicts=2)
    result = {
        "balanced_accuracy": verdict.estimate(scores.balanced_detection),
        "specificity": verdict.estimate(scores.specificity),
        "mean_sensitivity": verdict.estimate(scores.mean_detection),
        "sensitivity": dict(zip(examples.classes[1:], verdict.estimate(scores.detection), strict=True)),
    }
    if len(np.unique(examples.y)) > 1:
        result["auc"] = float(roc_auc_score(examples.y > 0, 1 - probability[:, 0]))
    if probability.shape[1] == len(examples.classes) > 2:
        which = scores.Scores.of(examples.y, probability.argmax(axis=1), examples.patient, examples.classes)
        result["which_swap"] = which.estimate(scores.balanced_accuracy)
    return result


def export(correct: Examples, to: Path, *, source: str = "", seed: Seed = 42) -> str:
    """Write the original's CSV files, data.csv and labels.csv: the middle three seconds, half of them exchanged.

    An ID says from which source the ECG comes, so that a run knows those again that it has learnt from.
    """
    drawn = fresh_swaps(correct, np.random.default_rng(seed))
    names = [f"{source}-{name}" if source else name for name in drawn.info["record"]]
    with files.new_folder(to, "data.csv and labels.csv") as draft:
        tables.write_ecgs(draft / "data.csv", names, fit_length(drawn.x["signal"], models.SAMPLES))
        tables.write_labels(draft / "labels.csv", names, (drawn.y > 0).astype(int))
    return f"data.csv and labels.csv are in {to}."


def judge(
    run: Run,
    path: str | Path | recordings.Recording,
    tick: Tick | None = None,
    *,
    threshold: Threshold = 0.5,
    sure: Sure = 0.5,
    how: How | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Judge a CSV of the original's format, one recording, or a folder of recordings: see `verdicts`."""
    if not isinstance(path, recordings.Recording) and tables.is_ecgs(path):
        return verdicts(run, from_csv(path), threshold, tick, sure)
    how = replace(how or How(), middle=MIDDLE)
    made, left_out = recordings.each(path, _heard, how=how, strict=strict, tick=tick)
    examples = Examples.join(made)
    _tell_broken(examples)
    table = verdicts(run, examples, threshold, tick, sure)
    table.attrs |= {"left_out": left_out, "every_beat": True}
    return table


def _heard(recording: recordings.Recording) -> Examples:
    """Refuse what no verdict can be given on."""
    twelve = replace(recording, signal=recording.twelve(), leads=recordings.LEADS)
    quality.refuse_poor(twelve, LEAST, flat=("II",))
    return from_recordings([twelve])


def _tell_broken(examples: Examples) -> None:
    """Say which limb leads contradict one another: no exchange of electrodes does that, and no network has seen it."""
    median = examples.x["beat"]
    broken = [leads.identity_error(beat) > BROKEN * np.ptp(beat[:, :6], axis=0).max() for beat in median]
    if any(broken):
        first = examples.info["record"][broken].iloc[0]
        of = (
            f"of {sum(broken)} of {len(broken)} recordings (first: {shown(first)})"
            if len(broken) > 1
            else f"of {first}"
        )
        what = f"The limb leads {of} break Einthoven's law by more than a fifth of their height"
        note(f"{what}: they were mixed up, inverted or scaled one by one; trust the verdict little.")


def verdicts(
    run: Run, examples: Examples, threshold: float = 0.5, tick: Tick | None = None, sure: float = 0.5
) -> pd.DataFrame:
    """Judge examples: ID, TARGET (1 = inverted, empty = not `sure` enough), PROBABILITY and, where known, SWAP.

    A flat lead II is called RA/RL without asking the network: that exchange cannot be undone, and none has seen it.
    """
    probability = predict_rows(run, examples.x, tick)
    inverted = 1 - probability[:, 0]
    flat = np.array([leads.lead_two_is_flat(signal) for signal in examples.x["signal"]])
    inverted[flat] = 1.0
    table = pd.DataFrame({"ID": examples.info["record"], "TARGET": (inverted > threshold).astype(int)})
    table["PROBABILITY"] = inverted.round(4)
    if probability.shape[1] > 2:
        likeliest = np.array(STATES)[1 + probability[:, 1:].argmax(axis=1)]
        table["SWAP"] = np.where(flat, "RA/RL", np.where(table["TARGET"] == 1, likeliest, "none"))
    doubtful = np.maximum(inverted, 1 - inverted) < sure
    if doubtful.any():
        table["TARGET"] = table["TARGET"].astype("Int64").mask(doubtful)
        if "SWAP" in table:
            table["SWAP"] = table["SWAP"].mask(doubtful, "unsure")
    table.attrs |= {"probability": np.column_stack([1 - inverted, inverted]), "classes": ("not exchanged", "exchanged")}
    return table


SOURCES = {
    "sample": Source("built-in cohort", lambda _: from_recordings(recordings.ptb_xl(simulator.sample_cohort()))),
    "physionet": Source("PTB-XL", lambda _: from_recordings(recordings.ptb_xl(fetch.locate("ptb-xl")))),
    "ludb": Source("LUDB", lambda _: from_recordings(recordings.ludb(fetch.locate("ludb")))),
}
FILES = {
    "data_csv": "The original's CSV, ID and 9,000 values a row.",
    "labels_csv": "The labels of --data-csv, ID and TARGET.",
}
LESSON = Lesson(
    "inversion", "Lesson 1: learn to find exchanged electrodes.",
    NETWORKS, SOURCES, split, learn, predict_rows, score, judge, Choices,
    Files("csv", FILES, from_csv, export, least=2), ask,
)  # fmt: skip
examples, plan, train = LESSON.load, LESSON.plan, LESSON.train
judged, evaluate, predict = LESSON.judged, LESSON.evaluate, LESSON.predict


# Measured: PTB-XL in five folds of patients, and LUDB from outside

_CLASSICAL, _ORIGINAL_ARM, _OWN = "classical", "original", "original, its own protocol"


def _measure(whole: Study, measurement: Measurement, base: Path) -> None:
    """Train, and keep probabilities of the test fold in every state and of LUDB."""
    correct, folder, arm = whole.examples, whole.folder(measurement, base), measurement.arm
    plan = LESSON.plan(arm.network, "paper").but(seed=measurement.seed)
    if arm.name == _OWN:
        run, held = train_original(correct, folder, plan)
        study.keep(folder, validation=np.column_stack([training.predict(run, held.x)[:, 1], held.y]))
        return
    parts = split(correct, measurement.split)
    if arm.name == _CLASSICAL:
        answer = _classical(correct.take(parts.train))
    elif arm.name == _ORIGINAL_ARM:
        answer = partial(predict, train_original(correct, folder, plan, (parts.train, parts.validation))[0])
    else:
        answer = partial(predict, train(folder, arm.network, whole.source, parts, plan, examples=correct))
    asked = correct.take(parts.test), study.loaded(LESSON, "ludb")
    test, ludb = (answer(every_state(for_judging(arm.network, part))) for part in asked)
    study.keep(folder, test=test, rows=parts.test, ludb=ludb)


def _classical(correct: Examples) -> Callable[[Examples], np.ndarray]:
    baseline, shown = models.classical(), every_state(correct)
    weight = np.where(shown.y == 0, len(STATES) - 1, 1)
    baseline.fit(shown.x["beat"], shown.y, logisticregression__sample_weight=weight)
    return lambda examples: baseline.predict_proba(examples.x["beat"])


def _report(whole: Study, done: list[Measurement], base: Path) -> dict:
    # Scores need labels and patients only: the smaller input stands for both.
    correct, outside = (for_judging("plain", part) for part in (whole.examples, study.loaded(LESSON, "ludb")))
    kept = {measurement: study.kept(whole.folder(measurement, base)) for measurement in done}
    record, versions = correct.info["record"], {name: catalog.get(name).version for name in ("ptb-xl", "ludb")}
    data = {
        "ptb-xl": f"{versions['ptb-xl']}, ecg_id {record.iloc[0]} to {record.iloc[-1]}: {len(correct)} recordings, "
        f"{len(set(correct.patient))} patients",
        "copies": _copies(correct),
        "ludb": f"{versions['ludb']}, {len(outside)} recordings",
    }
    result = {"data": data, "networks": {}, "seeds": sorted({one.seed for one in done}), "seconds": {}}
    for name, arm in ((arm.name, trained) for arm, trained in study.by_arm(done).items()):
        result["seconds"][name] = study.seconds(whole.folder(measurement, base) for measurement in arm)
        if name == _OWN:
            pairs = [kept[measurement]["validation"].T for measurement in arm]
            hit = [round(float(np.mean([((p > 0.5) == y)[y == c].mean() for c in (0, 1)])), 4) for p, y in pairs]
            how = (
                "the last quarter of the rows, rolled copies of recordings that train, chooses the epoch and is scored"
            )
            result[_OWN] = {"balanced_accuracy": hit, "how": how}
            continue
        inside = [_whole(arm, kept, seed, len(correct)) for seed in sorted({m.seed for m in arm})]
        ludb = [kept[measurement]["ludb"] for measurement in arm]
        together = np.mean(inside, axis=0), np.mean(ludb, axis=0)
        result["networks"][name] = _both(inside, ludb, correct, outside)
        result["networks"][f"{name}, ensemble"] = _both(*([part] for part in together), correct, outside)
        if name == "hypotheses":
            result["thresholds of the ensemble, by specificity on ptb-xl"] = {
                str(share): _strict(*together, share, len(correct), len(outside)) for share in (0.999, 0.99)
            }
            fold = np.empty(len(correct), dtype=int)
            for measurement in arm:
                fold[kept[measurement]["rows"]] = FOLDS.index(measurement.split)
            for which, parts in (("single networks", (inside, ludb)), ("the ensemble", ([part] for part in together))):
                result[f"calibration of {which}"] = _trust(*parts, fold, correct, outside)
            result["false alarms of the ensemble by axis"] = {
                name: _by_axis(probability[: len(part)], part)
                for name, probability, part in (("ptb-xl", together[0], correct), ("ludb", together[1], outside))
            }
            loudest = _loudest(together[0][: len(correct)], correct)
            result["ptb-xl recordings that the ensemble takes for exchanged with most certainty"] = loudest
    return result


def _whole(arm: list[Measurement], kept: dict, seed: int, n: int) -> np.ndarray:
    """Put the folds of one seed together: probabilities (states x n, classes) in the order of `every_state`."""
    folds = [kept[measurement] for measurement in arm if measurement.seed == seed]
    whole = np.empty((len(STATES), n, folds[0]["test"].shape[1]))
    for fold in folds:
        whole[:, fold["rows"]] = fold["test"].reshape(len(STATES), len(fold["rows"]), -1)
    return whole.reshape(len(STATES) * n, -1)


def _both(inside: list[np.ndarray], ludb: list[np.ndarray], correct: Examples, outside: Examples) -> dict:
    """Score several networks on the same recordings as one: means of the scores, intervals over patients."""
    result = {}
    for name, probabilities, part in (("ptb-xl", inside, correct), ("ludb", ludb, outside)):
        every, times = every_state(part), len(probabilities)
        nothing = np.zeros((times * len(every), 1), dtype=np.float32)  # scores need no inputs
        many = Examples(nothing, np.tile(every.y, times), np.tile(every.patient, times), every.classes)
        result[name] = scores.plain(score(np.concatenate(probabilities), many))
    return result


def _suspicion(probability: np.ndarray) -> np.ndarray:
    """Give the log-odds of "exchanged". The probability itself is 1.0 for many: it cannot rank them."""
    right = probability[:, 0]
    return np.log1p(-np.minimum(right, 1 - 1e-16)) - np.log(np.maximum(right, 1e-300))


def _by_axis(probability: np.ndarray, correct: Examples) -> dict:
    """Count the correct recordings that are called exchanged, by the axis of the QRS in the frontal plane."""
    qrs = correct.x["beat"][:, 60:90, :2].sum(axis=1)  # net areas in I and II
    one, foot = qrs[:, 0], (2 * qrs[:, 1] - qrs[:, 0]) / np.sqrt(3)  # aVF counts 2/sqrt(3) of a bipolar lead
    axis, alarm = np.degrees(np.arctan2(foot, one)), probability[:, 0] < 0.5
    edges = {"left, below -30°": (-180, -30), "-30° to 60°": (-30, 60), "vertical, 60° to 90°": (60, 90)}
    edges["right, 90° and more"] = (90, 181)
    there = {name: (axis >= low) & (axis < high) for name, (low, high) in edges.items()}
    return {name: {"recordings": int(at.sum()), "called exchanged": int(alarm[at].sum())} for name, at in there.items()}


def _strict(inside: np.ndarray, outside: np.ndarray, share: float, n: int, m: int) -> dict:
    """Set the threshold at a specificity on PTB-XL and see what it does on LUDB."""
    suspicion, elsewhere = _suspicion(inside), _suspicion(outside)
    threshold = scores.threshold_at(share, suspicion[:n])
    caught = (elsewhere[m:] > threshold).reshape(-1, m).mean(axis=1)
    return {
        "threshold (log-odds)": round(threshold, 3),
        "ptb-xl sensitivity": round(float((suspicion[n:] > threshold).mean()), 4),
        "ludb specificity": round(float((elsewhere[:m] <= threshold).mean()), 4),
        "ludb sensitivity": round(float(caught.mean()), 4),
        "ludb sensitivity by swap": dict(zip(STATES[1:], caught.round(4).tolist(), strict=True)),
    }


def _trust(
    inside: list[np.ndarray], outside: list[np.ndarray], fold: np.ndarray, correct: Examples, elsewhere: Examples
) -> dict:
    """Calibrate on PTB-XL, each fold by the others, and say what verdicts are worth there and on LUDB.

    Exchanged and correct recordings count the same, as in training: a correct one stands for each of its nine swaps.
    """
    fold, exchanged = np.tile(fold, 2 * len(leads.SWAPS) * len(inside)), _exchanged(inside)
    log_odds = np.concatenate([_evenly(_suspicion(part)) for part in inside])
    warmth = [calibration.temperature(log_odds[fold != k], exchanged[fold != k]) for k in range(len(FOLDS))]
    whole = calibration.temperature(log_odds, exchanged)
    result = {"temperature": round(whole, 2), "temperature, each fold left out": np.round(warmth, 2).tolist()}
    places = {"ptb-xl": (inside, np.array(warmth)[fold], correct), "ludb": (outside, whole, elsewhere)}
    certain = {}
    for name, (parts, heat, examples) in places.items():
        log_odds = np.concatenate([_evenly(_suspicion(part)) for part in parts])
        wrong = (log_odds > 0) != _exchanged(parts)
        patient = np.tile(examples.patient, 2 * len(leads.SWAPS) * len(parts))
        as_trained = calibration.sure(log_odds)
        certain[name] = as_trained, wrong, patient
        result[name] = {
            "as trained": _reliability(as_trained, wrong),
            "calibrated": _reliability(calibration.sure(log_odds / heat), wrong),
            "wrong by coverage": {
                str(share): _risk(*certain[name], np.quantile(as_trained, 1 - share)) for share in _COVERAGES
            },
        }
    result["as sure as needed for a share of ptb-xl, on ludb"] = {
        str(share): _risk(*certain["ludb"], np.quantile(certain["ptb-xl"][0], 1 - share)) for share in _COVERAGES[1:]
    }
    return result


def _exchanged(parts: list[np.ndarray]) -> np.ndarray:
    """Say which rows of `_evenly` are exchanged, for several networks."""
    half = len(leads.SWAPS) * len(parts[0]) // len(STATES)
    return np.tile(np.repeat((False, True), half), len(parts))


_COVERAGES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)


def _evenly(values: np.ndarray) -> np.ndarray:
    """Repeat the correct recordings, which come first in `every_state`, as often as there are swaps."""
    n = len(values) // len(STATES)
    return np.concatenate([np.tile(values[:n], len(leads.SWAPS)), values[n:]])


def _reliability(certainty: np.ndarray, wrong: np.ndarray) -> dict:
    tenth = np.clip((10 * certainty).astype(int), 0, 9)
    n, *sums = (np.bincount(tenth, values, 10)[5:] for values in (np.ones(len(wrong)), certainty, ~wrong))
    said, right = (np.divide(values, n, out=np.zeros(5), where=n > 0).round(4).tolist() for values in sums)
    shares = {"said": said, "right": right}
    return {"error": round(calibration.error(certainty, ~wrong), 4), "n": n.astype(int).tolist(), **shares}


def _risk(certainty: np.ndarray, wrong: np.ndarray, patient: np.ndarray, least: float) -> dict:
    """Say which share of verdicts is at least so certain, and how many of those are wrong, over patients."""
    kept = certainty >= least
    counted = scores.Scores.of(np.zeros(kept.sum()), wrong[kept], patient[kept], ("kept",), verdicts=2)
    risk = counted.estimate(lambda counts: 1 - scores.specificity(counts))
    return {"least": round(float(least), 4), "coverage": round(float(kept.mean()), 4), "wrong": risk.rounded()}


def _loudest(probability: np.ndarray, correct: Examples, most: int = 5) -> list[dict]:
    suspicion = _suspicion(probability)
    order = np.argsort(-suspicion)
    _, first = np.unique(correct.patient[order], return_index=True)
    return [
        {
            "ecg_id": correct.info["record"].iloc[i],
            "log-odds": round(float(suspicion[i]), 1),
            "swap": STATES[1 + probability[i, 1:].argmax()],
            "diagnoses": correct.info["diagnoses"].iloc[i],
        }
        for i in order[np.sort(first)][:most]
    ]


def _copies(correct: Examples) -> str:
    """Name the recordings of PTB-XL that stand in it twice under two patients: no split by patient parts them."""
    _, which, count = np.unique(correct.x["beat"], axis=0, return_inverse=True, return_counts=True)
    pairs = [np.flatnonzero(which == k) for k in np.flatnonzero(count > 1)]
    pairs = [pair for pair in pairs if len(set(correct.patient[pair])) > 1]
    names = [" = ".join(correct.info["record"].iloc[pair]) for pair in pairs]
    return f"one recording under two patients in ptb-xl: {'; '.join(names) or 'none'}"


_SEEDS = (1, 2, 3)
_ARMS = (
    Arm("", "hypotheses", "hypotheses", FOLDS, _SEEDS),
    Arm("", "plain", "plain", FOLDS, _SEEDS),
    Arm("", _CLASSICAL, "plain", FOLDS, _SEEDS[:1]),
    Arm("", _ORIGINAL_ARM, "usoltsev", FOLDS, _SEEDS),
    Arm("", _OWN, "usoltsev", ("its-own-quarter",), _SEEDS),
)
STUDY = Study(LESSON, _ARMS, _report, "networks", 1, measure=_measure)
