"""Lesson 2: name the rhythm of a single-lead recording: normal, atrial fibrillation, another, or too noisy."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ecg_lessons import files, simulator, splits, study, training
from ecg_lessons.data import fetch, recordings
from ecg_lessons.data.recordings import Recording
from ecg_lessons.data.voltages import How
from ecg_lessons.errors import InputError, choice
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Asked, Lead, Learning, Lesson, Network, Options, Source, option
from ecg_lessons.models import crnn
from ecg_lessons.models.crnn import SAMPLES, Augmentation, Design, Phase
from ecg_lessons.models.losses import MeanF1, SmoothedCrossentropy
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beats, quality
from ecg_lessons.signals.spectrograms import RATE, WINDOW
from ecg_lessons.study import FOLDS, Arm, Measurement, Pool, Study
from ecg_lessons.training import Run, Tick

CLASSES = recordings.RHYTHMS
#: How many classes count in the challenge's score: normal, atrial fibrillation, other. Noise does not.
SCORED = 3
#: What the best epoch may be best in, on the validation part.
WATCHED = ("loss", "accuracy", "mean_f1")
#: Where the model files are: beside the package, in the project's own folder.
MODELS = files.carried("experiments/models")
#: The hand-held device of CinC 2017 records lead I; the nearest to it that a record has is judged.
LEADS = ("I", "ECG", "MLII", "II")
#: The band of the hand-held device of CinC 2017 (Hz). What others record beside it was never learnt.
BAND = (0.5, 40.0)
#: The shortest recording that is judged (s); those of CinC 2017 have nine and more.
LEAST = 5


def from_recordings(found: Iterable[Recording]) -> Examples:
    """Turn recordings of one lead at 300 Hz into examples, one each, whose patient is their own name.

    ``x["signal"]``, int16 (n, 18286), in microvolts, with zeros behind the end; ``x["length"]``, int32 (n, 1), the true
    length. Without ``labels["rhythm"]`` the label is the first class.
    """
    signals, labels, about = [], [], []
    for recording in found:
        length = _checked(recording)
        signals.append(np.clip(np.rint(recording.signal[:, 0] * 1000), -32768, 32767).astype(np.int16))
        labels.append(CLASSES.index(recording.labels.get("rhythm", CLASSES[0])))
        about.append((recording.name, length))
    if not about:
        raise InputError("There is no recording to read: give a folder that holds some.")
    names, lengths = map(np.array, zip(*about, strict=True))
    x = {"signal": np.zeros((len(signals), SAMPLES), np.int16), "length": lengths.astype(np.int32)[:, None]}
    for row, signal in zip(x["signal"], signals, strict=True):
        row[: len(signal)] = signal
    return Examples(x, np.array(labels), names, CLASSES, pd.DataFrame({"record": names, "seconds": lengths / RATE}))


def _checked(recording: Recording) -> int:
    length = len(recording.signal)
    if recording.rate != RATE or recording.signal.shape[1] != 1:
        has = f"{recording.signal.shape[1]} leads at {recording.rate:g} Hz"
        raise InputError(f"Recording {recording.name} has {has}: lesson 2 reads one lead at {RATE:g} Hz.")
    if not WINDOW <= length <= SAMPLES:
        raise InputError(
            f"Recording {recording.name} has {length} samples: give one of {WINDOW} (one window of the spectrogram, "
            f"0.2 s) to {SAMPLES} ({SAMPLES / RATE:.0f} s)."
        )
    return length


def split(
    examples: Examples, name: str | None = None, seed: int = splits.SEED, asked: Asked | None = None
) -> splits.Split:
    """Split recordings: ``fold-K`` of the paper's five stratified folds, or a file of ``ecg-lessons split``.

    A model file says which share of the recordings that are not tested validates; more where the rarest class would
    have none. The folds are the paper's whatever the seed of a training.
    """
    fold = asked.options.fold if asked else None
    if fold is not None and name is not None:
        raise InputError("--fold and --split exclude each other: give one of them.")
    name = name or f"fold-{fold or 0}"
    if name.endswith(".json"):
        return splits.read(name, examples)
    if name not in FOLDS:
        raise choice("split", name, [*FOLDS, "a .json file of 'ecg-lessons split'"])
    validation = design(asked.network).validation if asked else 1 / 6
    rarest = np.bincount(examples.y).min() * (1 - 1 / splits.FOLDS)
    share = max(validation, min(1 / max(rarest, 1), 0.5))
    return splits.recording_fold(examples, int(name[-1]), splits.FOLDS, share)


def design(model: str | Path, *, augmented: bool = True, **plan: object) -> Design:
    """Read a model file by its name or path, with entries of the plan changed; unaugmented, only the cut stays."""
    path = Path(model)
    if path.suffix != ".toml":
        if str(model) not in NETWORKS:
            raise choice("network", str(model), [*NETWORKS, "a .toml file"])
        path = MODELS / f"{model}.toml"
    read = Design.read(path)
    if (best := read.training.best_by) not in WATCHED:
        raise InputError(f"{path}: training.best_by = {best!r}: choose {', '.join(map(repr, WATCHED))}.")
    changes = {name: value for name, value in plan.items() if value is not None}
    in_phases = {name: changes[name] for name in ("epochs", "learning_rate") if name in changes}
    phases = tuple(phase.but(**in_phases) for phase in read.phases)
    augmentation = read.augmentation if augmented else Augmentation(window_seconds=read.augmentation.window_seconds)
    return read.but(training=read.training.but(**changes), phases=phases, augmentation=augmentation)


class ModelFiles(Mapping):
    """The networks of this lesson: the model files of the project by name, and any other by its path."""

    def __getitem__(self, name: str) -> Network:
        read = design(name)
        return Network(partial(crnn.build, read), {"laptop": read.training})

    def __contains__(self, name: object) -> bool:
        return str(name).endswith(".toml") or str(name) in list(self)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted((path.stem for path in MODELS.glob("*.toml")), key=lambda name: (name != "compact", name)))

    def __len__(self) -> int:
        return len(list(iter(self)))


NETWORKS = ModelFiles()


@dataclass(frozen=True)
class Choices(Options):
    """Options of this lesson."""

    splits = "A file of 'ecg-lessons split', or fold-0 to fold-4, instead of --fold."

    fold: int | None = option(None, "Which of the five folds is tested: 0 to 4 (0).", stored=False)
    augment: bool = option(True, "Train on changed recordings, as the model file says.")
    recordings: int = option(600, "Size of the built-in cohort.", least=100)


def learn(asked: Asked) -> Learning:
    """Show the recordings of rare classes more often; train in the phases of the model file."""
    chosen = design(asked.network, augmented=asked.options.augment, **asked.changes).but(training=asked.plan)
    rows = asked.split.train
    if chosen.repeat_classes:
        if (n := len(chosen.repeat_classes)) != len(CLASSES):
            raise InputError(f"repeat_classes has {n} numbers: give one for each of {', '.join(CLASSES)}.")
        rows = np.repeat(rows, np.array(chosen.repeat_classes)[asked.examples.y[rows]])
    shown, held = asked.examples.take(rows), asked.sides[1]
    about = {"recordings": len(asked.examples), "design": chosen.table()}
    more = {"loss": SmoothedCrossentropy(chosen.label_smoothing) if chosen.label_smoothing else None}
    more["metrics"] = [MeanF1(len(CLASSES), SCORED)]
    last = chosen.phases[-1] if chosen.phases else None
    learning = Learning(lambda: None, shown, held, _plan(chosen, last), about, **more)
    return replace(learning, build=partial(_in_phases, chosen, asked, learning))


def _in_phases(chosen: Design, asked: Asked, learning: Learning) -> keras.Model:
    """Train the earlier phases, each into a folder of its own, and build the network of the last."""
    Run(asked.folder).write("model.toml", chosen.toml())
    *earlier, last = chosen.phases or (None,)
    before = done = None
    more = {"loss": learning.loss, "metrics": learning.metrics} | dict(asked.fitting)
    for number, phase in enumerate(earlier, start=1):
        build, plan = partial(_network, chosen, phase, before, done), _plan(chosen, phase)
        about = {"lesson": "rhythm", "network": Path(asked.network).stem, "phase": number}
        place = asked.folder / f"phase-{number}"
        before = training.fit(build, learning.train, learning.validation, plan, place, about=about, **more)
        done = phase
    keras.utils.set_random_seed(chosen.training.seed)
    return _network(chosen, last, before, done)


def _plan(chosen: Design, phase: Phase | None) -> Plan:
    return chosen.training.but(**{} if phase is None else phase.model_dump(exclude={"trains"}))


def _network(chosen: Design, phase: Phase | None, before: Run | None, done: Phase | None) -> keras.Model:
    """Build the network of a phase with what the phase before has learnt."""
    head, head_before = ("for now" if step and step.trains == "convolutions" else "whole" for step in (phase, done))
    model = crnn.build(chosen, head, seed=chosen.training.seed)
    if before is not None and head == head_before:
        model.set_weights(before.model.get_weights())
    elif before is not None:
        for new, known in zip(crnn.eyes(model), crnn.eyes(before.model), strict=True):
            new.set_weights(known.get_weights())
    for part in crnn.eyes(model):
        part.trainable = phase is None or phase.trains != "recurrence"
    return model


def predict_rows(run: Run, x: Mapping[str, np.ndarray], tick: Tick | None = None) -> np.ndarray:
    """Give the probabilities of the classes, shape (n, 4)."""
    return training.predict(run, x, 64, tick)


@scores.mean_over_classes
def mean_f1(counts: np.ndarray) -> np.ndarray:
    """Mean F1 of N, A and O, the score of the challenge; noise counts only where it is mistaken for a rhythm."""
    return np.nanmean(scores.f1(counts)[..., :SCORED], axis=-1)


def score(probability: np.ndarray, examples: Examples) -> dict:
    """Score the likeliest classes over all and ``by_class``, with 95 % intervals over recordings."""
    counted = scores.Scores.of(examples.y, probability.argmax(axis=1), examples.patient, examples.classes)
    overall = {"mean_f1": mean_f1, "mean_f1_with_noise": scores.macro_f1}
    overall |= {"accuracy": scores.accuracy, "majority": scores.majority}
    each = {"f1": scores.f1, "sensitivity": scores.recall, "precision": scores.precision}
    by_score = {name: counted.estimate(statistic) for name, statistic in each.items()}
    by_class = {
        name: {key: values[k] for key, values in by_score.items()} | {"recordings": int(number)}
        for k, (name, number) in enumerate(zip(examples.classes, counted.confusion.sum(axis=1), strict=True))
        if number
    }
    return {name: counted.estimate(statistic) for name, statistic in overall.items()} | {"by_class": by_class}


def judge(
    run: Run,
    path: str | Path | Recording,
    tick: Tick | None = None,
    *,
    lead: Lead = None,
    how: How | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Judge a recording, such as a .mat file of CinC 2017 or a WFDB record, or a folder of them: see `verdicts`."""
    return verdicts([run], path, tick, lead=lead, how=how, strict=strict)


def verdicts(
    runs: Sequence[Run],
    path: str | Path | Recording,
    tick: Tick | None = None,
    lead: str | None = None,
    how: How | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Judge recordings by one network, or the `vote` of several: ID, SECONDS, CLASS, and its PROBABILITY or share."""
    made, left_out = recordings.each(
        path, lambda recording: from_recordings([fitted(recording, lead)]), how=how, strict=strict, tick=tick
    )
    examples = Examples.join(made)
    probability = np.stack([predict_rows(run, examples.x, tick) for run in runs])
    alone = len(runs) == 1
    answer = probability[0] if alone else vote(probability)
    chosen = answer.argmax(axis=1)
    sure = probability[0].max(axis=1) if alone else (probability.argmax(axis=2) == chosen).mean(axis=0)
    table = pd.DataFrame({"ID": examples.info["record"], "SECONDS": examples.info["seconds"].round(2)})
    table = table.assign(CLASS=np.array(examples.classes)[chosen], PROBABILITY=sure.round(4))
    table.attrs |= {"left_out": left_out, "probability": answer, "classes": examples.classes}
    return table


def fitted(recording: Recording, lead: str | None = None) -> Recording:
    """Give a recording as the network wants it: one lead in `BAND`, 300 Hz, lines over gaps; refuse what is no ECG."""
    recording = recording.only(*LEADS, lead=lead)
    if recording.seconds > SAMPLES / RATE:
        lasts = f"{recording.name} lasts {recording.seconds:.0f} s"
        raise InputError(f"Recording {lasts}: lesson 2 judges up to {SAMPLES / RATE:.0f} s, so cut it into pieces.")
    quality.refuse_poor(recording, LEAST, heart=False)  # noise is a class of its own
    signal = beats.bandpass(beats.filled(recording.signal), recording.rate, *BAND)
    signal = beats.resample(signal, recording.rate, RATE)[:SAMPLES]
    return replace(recording, signal=signal, rate=RATE, leads=("ECG",))


def vote(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Let networks vote, (n, 4) each: the shares, and where they are equal a hundredth of the mean probability."""
    stacked = np.stack(list(probabilities))
    return (np.eye(stacked.shape[-1])[stacked.argmax(axis=-1)].mean(axis=0) + 0.01 * stacked.mean(axis=0)) / 1.01


def _cohort(folder: Path) -> Examples:
    return from_recordings(recordings.challenge_2017(folder))


SOURCES = {
    "sample": Source("built-in cohort", lambda options: _cohort(simulator.sample_rhythms(options.recordings))),
    "physionet": Source("CinC 2017", lambda options: _cohort(fetch.locate("challenge-2017"))),
}
LESSON = Lesson(
    "rhythm", "Lesson 2: learn to tell normal rhythm, atrial fibrillation, other rhythms, and noise.",
    NETWORKS, SOURCES, split, learn, predict_rows, score, judge, Choices,
)  # fmt: skip
examples, plan, train = LESSON.load, LESSON.plan, LESSON.train
judged, evaluate, predict = LESSON.judged, LESSON.evaluate, LESSON.predict


# Measured: the training set of CinC 2017 in five folds, with augmentation and without, alone and together; and what
# remains of the verdicts when another device records

_OTHER = "other devices"


def _report(whole: Study, done: list[Measurement], base: Path) -> dict:
    elsewhere = {one.arm.network: _remains(whole, one, base) for one in done if one.arm.protocol == _OTHER}
    networks: dict[str, dict] = {}
    done = [one for one in done if one.arm.protocol != _OTHER]
    for arm, trained in study.by_arm(done).items():
        networks.setdefault(arm.network, {})[arm.protocol] = _scored(whole, trained, base)
    for network, arms in networks.items():
        if len(arms) > 1:
            arms["all together"] = _together(whole, [one for one in done if one.arm.network == network], base)
    return {"data": study.counts_of(whole.examples)["examples"], "networks": networks, _OTHER: elsewhere}


def _scored(whole: Study, trained: list[Measurement], base: Path) -> dict:
    """Score the trainings of one arm: pooled, seed by seed, fold by fold, and the seeds together."""
    pool = whole.pooled(trained, base, lambda m: f"seed {m.seed} {m.split.replace('-', ' ')}")
    by_fold = pool.by_run(mean_f1)
    seed = pool.tested.info["run"].str.split(" fold").str[0]
    by_seed = replace(pool, tested=pool.tested.but(info=pool.tested.info.assign(run=seed))).by_run(mean_f1)
    values = np.array(list(by_fold.values()))
    reached = [Run(whole.folder(one, base)).history["accuracy"].iloc[-1] for one in trained]
    result = pool.scored(score) | {
        "confusion": pool.confusion,
        "by_seed": by_seed,
        "by_fold": by_fold,
        "mean over folds": round(values.mean(), 4),
        "deviation over folds": round(values.std(ddof=1), 4) if len(values) > 1 else None,
        "accuracy in training": round(float(np.mean(reached)), 4),
    }
    if len(by_seed) > 1:
        result["together"] = _together(whole, trained, base)
    notes = {name: value for name, value in pool.notes.items() if name != "left_out"}
    return result | notes | {"folds": sorted({int(measurement.split[-1]) for measurement in trained})}


def _together(whole: Study, trained: list[Measurement], base: Path) -> dict:
    """Score the mean probabilities of all networks that were tested on a recording."""
    examples = whole.examples
    row = {name: i for i, name in enumerate(examples.info["record"])}
    total, number = np.zeros((len(examples), len(CLASSES))), np.zeros(len(examples), dtype=int)
    for measurement in trained:
        kept = study.kept(whole.folder(measurement, base))
        rows = np.array([row[name] for name in kept["names"]])
        total[rows] += kept["probability"]
        number[rows] += 1
    tested = np.flatnonzero(number == number.max())
    networks = Counter(int(measurement.split[-1]) for measurement in trained)
    most = max(networks.values())
    pool = Pool(examples.take(tested), total[tested])
    about = {"networks": most, "folds": sorted(fold for fold, n in networks.items() if n == most)}
    return pool.scored(score) | {"confusion": pool.confusion} | about


#: What another device makes of a signal (n,) in µV at 300 Hz.
DEVICES = {
    "as recorded": lambda signal, rng: signal,
    "20 µV of white noise": lambda signal, rng: signal + 20 * rng.normal(size=signal.shape),
    "50 µV of mains hum": lambda signal, rng: signal + 50 * np.sin(100 * np.pi * np.arange(len(signal)) / RATE),
    "1 to 25 Hz": lambda signal, rng: beats.bandpass(signal[:, None], RATE, 1.0, 25.0)[:, 0],
}


def recorded_by(device: str, examples: Examples, band: bool, seed: int = 0) -> Examples:
    """Give examples as another of `DEVICES` would have recorded them, read in `BAND` or as they are."""
    rng, signals = np.random.default_rng(seed), np.zeros_like(examples.x["signal"])
    for row, signal, length in zip(signals, examples.x["signal"], examples.x["length"][:, 0], strict=True):
        heard = DEVICES[device](signal[:length].astype(float), rng)
        heard = beats.bandpass(heard[:, None], RATE, *BAND)[:, 0] if band else heard
        row[:length] = np.clip(np.rint(heard), -32768, 32767)
    return examples.but(x=examples.x | {"signal": signals})


_READ = {"as it is": False, "0.5 to 40 Hz": True}


def _by_device(run: Run, test: Examples) -> dict[str, np.ndarray]:
    """Judge test recordings as other devices would have recorded them, and lead I of PTB-XL."""
    ways = [(device, read) for device in DEVICES for read in _READ]
    judged = {f"{d}, {read}": predict_rows(run, recorded_by(d, test, _READ[read]).x) for d, read in ways}
    for read, band in _READ.items():
        judged[f"lead I, {read}"] = predict_rows(run, recorded_by("as recorded", _lead_one(), band).x)
    return judged


@cache
def _lead_one() -> Examples:
    """Give lead I of PTB-XL, of recordings in sinus rhythm ("N") and in atrial fibrillation ("A")."""
    found = []
    for recording in recordings.ptb_xl(fetch.locate("ptb-xl")):
        codes = recording.labels["diagnoses"]
        if named := [name for code, name in (("SR", "N"), ("AFIB", "A")) if code in codes]:
            signal = beats.resample(recording.only("I").signal, recording.rate, RATE)
            found.append(replace(recording, signal=signal, rate=RATE, leads=("I",), labels={"rhythm": named[0]}))
    return from_recordings(found)


def _remains(whole: Study, one: Measurement, base: Path) -> dict:
    """Score what `_by_device` judged."""
    kept, examples = study.kept(whole.folder(one, base)), whole.examples
    row = {name: i for i, name in enumerate(examples.info["record"])}
    tested = examples.take([row[name] for name in kept["names"]])

    def scored(device: str, read: str, part: Examples) -> dict:
        probability = kept[f"{device}, {read}"]
        result = Pool(part, probability).scored(score)
        found = {name: entry["sensitivity"] for name, entry in result["by_class"].items()}
        clean = part.y < SCORED
        noise = scores.Scores.of(np.zeros(clean.sum()), probability[clean].argmax(axis=1) == SCORED,
                                 part.patient[clean], ("rhythm",), verdicts=2)  # fmt: skip
        called = noise.estimate(lambda counts: 1 - scores.specificity(counts)).rounded()
        return {"mean_f1": result["mean_f1"], "found": found, "rhythms called noise": called}

    run = Run(whole.folder(one, base))
    result = {device: {read: scored(device, read, tested) for read in _READ} for device in DEVICES}
    strangers = _lead_one()
    result["lead I of PTB-XL"] = {read: scored("lead I", read, strangers) for read in _READ}
    result["lead I of PTB-XL"]["recordings"] = study.counts_of(strangers)["examples"]
    about = {"fold": int(one.split[-1]), "recordings": len(tested), "epochs": run.plan.epochs}
    return result | about | {"seconds": study.seconds([run.folder])}


def _measure(whole: Study, one: Measurement, base: Path) -> None:
    more = (_by_device,) if one.arm.protocol == _OTHER else ()
    study.measure(whole, one, base, *more)


def arms(*networks: str, pending: bool = False) -> tuple[Arm, ...]:
    """Give the arms of networks: with augmentation and without; compact-signal with it alone."""
    return tuple(
        Arm(how, network, network, FOLDS, options={"augment": how == "augmented"}, pending=pending)
        for network in networks
        for how in ("augmented", "plain")[: 1 if network == "compact-signal" else 2]
    )


_DEVICE_ARMS = tuple(
    Arm(_OTHER, name, name, FOLDS[:1], plan=design(name).training.but(epochs=12))
    for name in ("compact", "compact-devices")
)
_ARMS = arms("compact", "compact-signal") + arms("cnn", "crnn", pending=True) + _DEVICE_ARMS
STUDY = Study(LESSON, _ARMS, _report, "networks", 2, measure=_measure)
