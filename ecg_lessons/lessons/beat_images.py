"""Lesson 3: tell eight kinds of heartbeat from their pictures."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NamedTuple, Self

import numpy as np
import pandas as pd

from ecg_lessons import simulator, splits, study, training
from ecg_lessons.data import fetch, pictures, recordings
from ecg_lessons.data.voltages import How
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import classwise, scores
from ecg_lessons.examples import Arrays, Examples, rows
from ecg_lessons.lesson import Asked, Files, Lead, Learning, Lesson, Network, Options, Source, names_of, option
from ecg_lessons.models import beat_image as models
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beat_sets, beats, images, labels
from ecg_lessons.signals.augment import DrawBeats, nine_crops
from ecg_lessons.study import FOLDS, Arm, Measurement, Pool, Study
from ecg_lessons.training import Run, Tick

CLASSES = labels.classes("eight")
#: What the examples have that a network may see beside the picture.
RR = "rr"
#: Validation only draws the learning curve; so many beats of a class and patient are enough for that.
_VALIDATION = 100
_CHUNK = 4096
Most = Annotated[int | None, {"min": 1, "help": "At most so many beats of each class of each patient."}]


def from_recordings(found: Iterable[recordings.Recording]) -> Examples:
    """Turn annotated recordings into examples, one a beat of the eight classes: see `inputs`."""
    x, info = inputs(found)
    y = labels.encode(info["symbol"].to_numpy(), "eight")
    return Examples(x, y, info.pop("patient").to_numpy().astype(str), CLASSES, info)


def inputs(
    found: Iterable[recordings.Recording], leads: Collection[str] = ("MLII", "V5"), symbols: Collection[str] = CLASSES
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Turn annotated recordings into what the networks see: beats from neighbour to neighbour.

    ``curve`` (n, POINTS), from 0 to 1, which a network draws; ``rr`` (n, 3), seconds, see `beats.rr_intervals`. The
    table has ``record``, ``patient``, ``symbol``, ``sample`` and ``time`` (s), a row a beat.
    """
    names = []

    def noted():
        for recording in found:
            names.append(recording.name)
            yield recording

    signal, info = beat_sets.between_neighbours(noted(), leads=leads, symbols=symbols)
    if info.empty:
        few = "no beat stands between two others; a recording needs three beats or more"
        raise InputError(f"Record {', '.join(names[:3])}: {few}.")
    curve = images.curves(signal, info["start"].to_numpy(), info["stop"].to_numpy() - 1)
    x = {"curve": curve, RR: info[list(beats.RR)].to_numpy(np.float32)}
    return x, info[["record", "patient", "symbol", "sample", "time"]].copy()


def from_pictures(folder: str | Path) -> Examples:
    """Read beats from class folders of PNG files, the original tutorial's format.

    ``x["image"]`` (n, SIZE, SIZE, 1), from 0 to 1. A file that does not name its record, as ``100_000370.png`` does,
    comes from nobody knows whom (``info["known"]``): such a folder can be split at random only.
    """
    drawn, symbol, record, name = pictures.read_pictures(folder)
    whose = recordings.SAME_PERSON
    people = [whose.get(of, of) or f"unknown, {file}" for of, file in zip(record, name, strict=True)]
    info = pd.DataFrame({"record": record, "name": name, "symbol": symbol, "known": np.asarray(record) != ""})
    x = {"image": drawn[..., None].astype(np.float32) / 255}
    return Examples(x, labels.encode(symbol, "eight"), np.array(people), CLASSES, info)


def thin(examples: Examples, most: int, seed: int = 42) -> Examples:
    """Keep at most so many beats of each class of each patient, drawn at random: those of one patient are alike."""
    order = np.random.default_rng(seed).permutation(len(examples))
    shuffled = pd.DataFrame({"patient": examples.patient[order], "y": examples.y[order]})
    return examples.take(np.sort(order[shuffled.groupby(["patient", "y"]).cumcount().to_numpy() < most]))


def scorable(examples: Examples, learnt: np.ndarray) -> np.ndarray:
    """Tell the rows whose class the network has met in training: the others no network could name."""
    return np.isin(examples.y, learnt)


def split(examples: Examples, name: str | None = None, seed: int = 42, asked: Asked | None = None) -> splits.Split:
    """Split beats, by patient unless named otherwise: see `splits.named`."""
    name = name or "by-patient"
    if "known" in examples.info and not splits.is_leaky(name) and not examples.info["known"].all():
        nameless = examples.info["name"][~examples.info["known"]].iloc[0]
        remedy = "name pictures RECORD_SAMPLE.png, or choose --split random-beats and trust its score little"
        raise InputError(f"Picture {nameless} does not say whose it is: {remedy}.")
    return splits.named(examples, name, seed)


_OURS = Plan(epochs=6, batch_size=128, optimizer="adamw", learning_rate=3e-3, schedule="cosine", keep="last")
#: The published plan; the paper does not say for how many epochs.
_JUN = Plan(epochs=4, batch_size=32, learning_rate=1e-4, schedule="decay", keep="last")
_PLANS = {
    "light": {"laptop": _OURS, "paper": _OURS.but(epochs=12)},
    # An epoch of the curve costs half of an epoch of the picture: twice as many are an equal budget.
    "signal": {"laptop": _OURS.but(epochs=12), "paper": _OURS.but(epochs=24)},
}
NETWORKS = {
    name: Network(build, _PLANS.get(name, {"laptop": _JUN, "paper": _JUN.but(epochs=10)}))
    for name, build in models.NETWORKS.items()
}


@dataclass(frozen=True)
class Sight(Options):
    """What a network is given: the picture, nine crops of it, the RR intervals beside it."""

    nine_crops: bool = option(
        False,
        "nine-crops: a random one of nine crops in training, the mean answer to all nine afterwards.",
        spelled="--augment",
        values={"nine-crops": True},
    )
    rr: bool = option(False, "Give the RR intervals beside the picture.")
    most: int | None = option(None, "Train on at most so many beats of each class of each patient.", least=1)
    every: int | None = option(None, "Train on every n-th beat only.", least=1)

    def settle(self, network: str | None, source: str) -> str | None:
        """Refuse crops of what is no picture."""
        if network == "signal" and self.nine_crops:
            raise InputError("The network signal sees no picture to crop: leave --augment out, or choose light.")
        return network

    def beside(self, network: str) -> Self:
        """Give the same without crops for the one network that sees no picture."""
        return replace(self, nine_crops=False) if network == "signal" else self


def look(x: Mapping[str, np.ndarray], sight: Sight) -> Arrays:
    """Keep what the network looks at: a picture (or the curve to draw it), and the RR intervals."""
    picture = "image" if "image" in x else "curve"
    return {picture: x[picture], RR: x[RR]} if sight.rr else x[picture]


def seen(examples: Examples, sight: Sight) -> Examples:
    """Give examples with what the network looks at."""
    return examples.but(x=look(examples.x, sight))


def learn(asked: Asked) -> Learning:
    """Learn from pictures, or from curves that the network draws."""
    sight, seed = asked.options, asked.plan.seed
    _refuse_unseen(asked.network, sight, asked.examples.x)
    shown, held = asked.sides
    shown = shown if sight.most is None else thin(shown, sight.most, seed)
    shown = shown if sight.every is None else shown.take(np.arange(0, len(shown), sight.every))

    def build():
        crops = {"nine_crops": True} if sight.nine_crops else {}
        model = models.NETWORKS[asked.network](classes=len(CLASSES), rr=sight.rr, **crops)
        return models.from_layer(model, "draw_beats") if "image" in asked.examples.x else model

    return Learning(build, seen(shown, sight), seen(thin(held, _VALIDATION, seed), sight), asked.plan)


def _refuse_unseen(network: str, sight: Sight, x: Mapping[str, np.ndarray]) -> None:
    if network == "signal" and "image" in x:
        raise InputError("The network signal needs the curve, and a PNG file holds only its picture: choose light.")
    if sight.rr and RR not in x:
        raise InputError("Pictures hold no RR intervals: train without --rr, or on records with --source.")


def predict_rows(run: Run, x: Mapping[str, np.ndarray], tick: Tick | None = None) -> np.ndarray:
    """Give the probabilities, shape (n, len(CLASSES)); with nine crops, the mean answer to all nine."""
    about, model, batch = run.about, run.model, 256
    sight = Sight(about["nine_crops"], about["rr"])
    draws = any(layer.name == "draw_beats" for layer in model.layers)
    _refuse_unseen(about["network"], sight, x)
    if "curve" in x and not sight.nine_crops and (draws or about["network"] == "signal"):
        return training.predict(model, look(x, sight), batch, tick)
    if sight.nine_crops or draws:
        model = models.from_layer(model, "nine_crops" if sight.nine_crops else "draw_beats")
    picture = "image" if "image" in x else "curve"
    answers, starts = [], range(0, len(x[picture]), batch)
    for done, start in enumerate(starts, start=1):
        part = rows(x, slice(start, start + batch))
        drawn = part["image"] if "image" in x else np.asarray(DrawBeats()(part["curve"]))
        views = nine_crops(drawn) if sight.nine_crops else drawn[None]
        shown = ([view, part[RR]] if sight.rr else view for view in views)
        answers.append(np.mean([model.predict_on_batch(view) for view in shown], axis=0))
        if tick:
            tick(done, len(starts))
    return np.concatenate(answers).astype(np.float64)


def export(examples: Examples, to: Path, *, most: Most = None, tick: Tick | None = None) -> str:
    """Write every beat as a PNG file into a folder of its class, the format that the original tutorial starts from."""
    examples = examples if most is None else thin(examples, most)
    names = pictures.picture_names(examples.info["record"], examples.info["sample"])
    symbols = np.array(examples.classes)[examples.y]

    def chunks():
        for start in range(0, len(examples), _CHUNK):
            part = slice(start, start + _CHUNK)
            yield images.draw(examples.x["curve"][part]), names[part], symbols[part]
            if tick:
                tick(min(start + _CHUNK, len(examples)), len(examples))

    pictures.write_pictures(to, chunks())
    return f"{len(examples)} pictures are in {to}."


def judge(
    run: Run,
    path: str | Path | recordings.Recording,
    tick: Tick | None = None,
    *,
    lead: Lead = None,
    how: How | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Name the beats of one recording or of a folder of them; R peaks that nobody annotated are found first."""

    def make(recording: recordings.Recording) -> Examples:
        x, info = inputs([beat_sets.with_beats(recording, lead)], recording.leads, labels.PEAKS)
        return unlabelled(x, info, CLASSES, recording)

    made, left_out = recordings.each(path, make, "atr", how, strict, tick)
    examples = Examples.join(made)
    return beat_verdicts(predict_rows(run, examples.x, tick), examples, left_out)


def unlabelled(x: Arrays, info: pd.DataFrame, classes: Sequence[str], recording: recordings.Recording) -> Examples:
    """Give the beats of one recording as examples whose class nobody knows."""
    info = info.assign(annotated=recording.beats is not None)
    return Examples(x, np.zeros(len(info), int), info["patient"].to_numpy().astype(str), tuple(classes), info)


def beat_verdicts(probability: np.ndarray, examples: Examples, left_out: Mapping[str, str]) -> pd.DataFrame:
    """Set out what beats are called, ID being record and sample."""
    info = examples.info
    table = pd.DataFrame(
        {
            "ID": names_of(info),
            "TIME": info["time"].round(3),
            "CLASS": np.array(examples.classes)[probability.argmax(axis=1)],
            "PROBABILITY": probability.max(axis=1).round(4),
            "ANNOTATED": info["symbol"].where(info["annotated"], ""),
        }
    )
    table.attrs |= {"left_out": left_out, "probability": probability, "classes": examples.classes}
    return table


SOURCES = {
    "sample": Source("built-in cohort", lambda _: from_recordings(recordings.mitdb(simulator.sample_arrhythmias()))),
    "physionet": Source("MIT-BIH", lambda _: from_recordings(recordings.mitdb(fetch.locate("mitdb")))),
}
FILES = Files(
    "pictures", {"pictures": "Class folders of PNG files, as 'export beat-images' writes them."}, from_pictures, export
)
LESSON = Lesson(
    "beat-images", "Lesson 3: learn to tell eight kinds of heartbeat from their pictures.",
    NETWORKS, SOURCES, split, learn, predict_rows, classwise.score, judge, Sight, FILES,
)  # fmt: skip
examples, plan, train = LESSON.load, LESSON.plan, LESSON.train
judged, evaluate, predict = LESSON.judged, LESSON.evaluate, LESSON.predict


# Measured: MIT-BIH with beats split at random, and with patients apart


class Protocol(NamedTuple):
    """Which networks learn what: from how many beats, after which plan."""

    splits: tuple[str, ...]
    #: What each is called: the network and what it sees.
    networks: tuple[str, ...] = ("light",)
    preset: str = "laptop"
    #: Beats of each class and patient at most, in all, for networks that take long.
    subset: int | None = None
    #: What is left to train on, see `Sight`; all others are still tested.
    most: int | None = None
    every: int | None = None
    seeds: tuple[int, ...] = (1,)
    #: Networks that need a GPU, on some of the splits and with one seed; and those not measured yet.
    large: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    pending: tuple[str, ...] = ()


_RANDOM, _CHAZAL = tuple(f"beats-fold-{k}" for k in range(3)), ("de-chazal",)
_BOTH, _SIGHTS = ("light", "signal"), ("light", "signal", "light, nine crops", "light, with RR")
_CLASSICS = ("alexnet", "resnet50")
_LARGE = ("jun", "vgg16", *_CLASSICS, "inceptionv3")
#: First all beats, then one change after the other on the way to a training of seconds, then what needs a subset.
PROTOCOLS = {
    "random beats": Protocol(_RANDOM, _BOTH, "paper", large=dict.fromkeys(_LARGE, _RANDOM[:1]), pending=_LARGE),
    "by patient, all beats": Protocol(FOLDS, _BOTH, "paper", large={"alexnet": FOLDS[1:3]}),
    "DS1 to DS2, all beats": Protocol(
        _CHAZAL, _BOTH, "paper", seeds=(1, 2, 3), large=dict.fromkeys(_LARGE, _CHAZAL), pending=_LARGE[2:]
    ),
    "random beats, every 12th": Protocol(_RANDOM, preset="paper", every=12),
    "by patient, every 12th": Protocol(FOLDS, preset="paper", every=12),
    "random beats, thinned": Protocol(_RANDOM, preset="paper", most=100),
    "by patient, thinned": Protocol(FOLDS, preset="paper", most=100),
    "random beats, thinned, 6 epochs": Protocol(_RANDOM, most=100),
    "by patient": Protocol(FOLDS, _SIGHTS, most=100),
    "DS1 to DS2": Protocol(_CHAZAL, ("light", "light, with RR"), most=100),
    "random beats, subset": Protocol(_RANDOM[:1], (*_SIGHTS, *_CLASSICS, "jun"), subset=100),
    "by patient, subset": Protocol(FOLDS[:1], ("light", *_CLASSICS), subset=100),
}


def _arm(protocol: str, name: str) -> Arm:
    network, how = name.partition(",")[0], PROTOCOLS[protocol]
    chosen = NETWORKS[network].plan(how.preset)
    if name in how.large:  # five epochs of all of them take a GPU a quarter of an hour
        chosen = chosen.but(epochs=5, precision="mixed_bfloat16")
    elif network in ("jun", "resnet50"):  # an epoch of jun takes seven minutes on two cores
        chosen = chosen.but(epochs=1 if network == "jun" else chosen.epochs, precision="mixed_bfloat16")
    sight = {"nine_crops": "nine crops" in name, "rr": "with RR" in name, "most": how.most, "every": how.every}
    seeds = how.seeds[: 1 if name in how.large else None]
    return Arm(protocol, name, network, how.large.get(name, how.splits), seeds, chosen, sight, name in how.pending)


_WHOSE = "whose beat"
#: What one change costs the light network: the arm with it, and the arm without.
STEPS = {
    "a patient split": ("by patient, all beats", "random beats"),
    "random split, every 12th beat": ("random beats, every 12th", "random beats"),
    "patient split, every 12th beat": ("by patient, every 12th", "by patient, all beats"),
    "random split, rare kinds oftener": ("random beats, thinned", "random beats, every 12th"),
    "patient split, rare kinds oftener": ("by patient, thinned", "by patient, every 12th"),
    "random split, half the epochs": ("random beats, thinned, 6 epochs", "random beats, thinned"),
    "patient split, half the epochs": ("by patient", "by patient, thinned"),
}


def whose(examples: Examples, most: int = 80) -> Examples:
    """Give normal beats, at most so many of a patient, labelled with whose they are."""
    normal = thin(examples.where(symbol="N"), most)
    people, y = np.unique(normal.patient, return_inverse=True)
    return Examples(normal.x["curve"], y, normal.patient, tuple(people), normal.info)


def _measure(whole: Study, measurement: Measurement, base: Path) -> None:
    if measurement.arm.protocol != _WHOSE:
        return study.measure(whole, measurement, base)
    examples, arm, folder = whose(whole.examples), measurement.arm, whole.folder(measurement, base)
    parts = split(examples, measurement.split, measurement.seed)
    build = partial(models.NETWORKS[arm.network], len(examples.classes))
    run = training.fit(build, examples.take(parts.train), examples.take(parts.validation), arm.plan, folder)
    test = examples.take(parts.test)
    study.keep(folder, names=names_of(test.info), y=test.y, probability=training.predict(run, test.x))


def _part(measurement: Measurement, examples: Examples) -> Examples:
    subset = PROTOCOLS[measurement.arm.protocol].subset
    return examples if subset is None else thin(examples, subset)


def _report(whole: Study, done: list[Measurement], base: Path) -> dict:
    protocols: dict[str, dict] = {}
    result = {"data": study.counts_of(whole.examples), "protocols": protocols, "steps": _steps(whole, done, base)}
    for arm, trained in study.by_arm(done).items():
        if arm.protocol == _WHOSE:
            result[_WHOSE] = _persons(study.kept(whole.folder(trained[0], base)), whose(whole.examples))
            continue
        how = PROTOCOLS[arm.protocol]
        about = {"splits": list(how.splits), "seeds": list(how.seeds), "networks": {}}
        about["beats of a class and patient, at most"] = {"in all": how.subset, "to train": how.most}
        about |= {"every n-th beat, to train": how.every} if how.every else {}
        pool = _pooled(whole, trained, base)
        scored = pool.scored(classwise.score) | {"by_split": pool.by_run(scores.accuracy)} | pool.notes
        protocols.setdefault(arm.protocol, about)["networks"][arm.name] = scored
    return result


def _pooled(whole: Study, trained: list[Measurement], base: Path) -> Pool:
    return whole.pooled(trained, base, lambda m: f"{m.split}, seed {m.seed}")


def _steps(whole: Study, done: list[Measurement], base: Path) -> dict:
    """Give what each change costs in accuracy, of those whose arms have been measured."""
    light = {arm.protocol: one for arm, one in study.by_arm(whole.measurements()).items() if arm.name == "light"}
    named = {name for pair in STEPS.values() for name in pair}
    there = {name for name in named & set(light) if all(whole.done(one, base) for one in light[name])}
    pools = {name: _pooled(whole, light[name], base) for name in there}
    new = {one.arm.protocol for one in done if one.arm.name == "light"}
    return study.differences(STEPS, pools, new, scores.accuracy)


def _persons(kept: Mapping[str, np.ndarray], examples: Examples) -> dict:
    person = np.array(examples.classes)[kept["y"]]
    named = scores.Scores.of(kept["y"], kept["probability"].argmax(axis=1), person, examples.classes)
    return {"people": len(examples.classes), "beats": len(person)} | scores.plain(
        {"named": named.estimate(scores.accuracy)}
    )


_WHOSE_BEAT = Arm(
    _WHOSE, "signal", "signal", (splits.RANDOM,), plan=_PLANS["signal"]["laptop"].but(batch_size=32, seed=1)
)
_ARMS = tuple(_arm(protocol, name) for protocol, how in PROTOCOLS.items() for name in (*how.networks, *how.large))
STUDY = Study(LESSON, (*_ARMS, _WHOSE_BEAT), _report, "protocols", 3, part=_part, measure=_measure)
