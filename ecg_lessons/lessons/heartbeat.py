"""Lesson 5: name heartbeats by their AAMI class."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd

from ecg_lessons import files, simulator, splits, study, training
from ecg_lessons.data import fetch, recordings, tables
from ecg_lessons.data.recordings import Recording
from ecg_lessons.data.voltages import How
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import classwise, scores
from ecg_lessons.examples import Arrays, Examples
from ecg_lessons.lesson import Asked, Files, Lead, Learning, Lesson, Network, Options, Source, lineage, option
from ecg_lessons.lessons.beat_images import beat_verdicts, unlabelled
from ecg_lessons.models import heartbeat as models
from ecg_lessons.models import museum
from ecg_lessons.models.losses import SparseFocalLoss
from ecg_lessons.plans import Plan
from ecg_lessons.signals import balance as balancing
from ecg_lessons.signals import beat_sets, kachuee, labels, unusual
from ecg_lessons.splits import Split
from ecg_lessons.study import Arm, Measurement, Pool, Study
from ecg_lessons.training import Run, Tick

CLASSES = labels.classes("aami")
#: Where the R peaks come from.
RULES = {"annotated": kachuee.annotated, "published": kachuee.published}
_RULE = "R peaks: annotated, or published (the paper's rule)."
Rule = Annotated[str, {"help": _RULE}]
Seed = Annotated[int, {"min": 0, "help": "For the draw of the test beats."}]
#: The split that the two files of the original are.
FILES = "files"
#: Beats without patients are drawn again in so many groups: as the bootstrap over single rows, and a lot faster.
_GROUPS = 200


def from_recordings(found: Iterable[Recording], rule: str = "annotated", learn: float | None = None) -> Examples:
    """Turn annotated recordings into beats of the five AAMI classes, cut as Kachuee et al. (2018) did.

    R peaks as annotated, or as the paper's rule finds them ("published"): see `kachuee`. ``x["beat"]`` (n, SAMPLES, 1);
    ``x["unusual"]`` (n, len(unusual.NAMES)), compared with the first `learn` seconds if given, and for training
    `unusual.thinned`; ``info`` has ``record``, ``sample``, ``time`` (s) and ``symbol`` (WFDB).
    """
    found = list(found)
    cut, info = RULES[rule](found)
    if not len(cut):
        raise InputError("No beat was found in these recordings: take others, or longer ones.")
    x = {
        "beat": cut[..., None],
        "unusual": unusual.comparisons(found, info, kachuee.LEADS, learn),
        "thinned": unusual.thinned(found, info, kachuee.LEADS, learn),
    }
    return labelled(x, info, CLASSES)


def labelled(x: Arrays, info: pd.DataFrame, classes: tuple[str, ...]) -> Examples:
    """Turn inputs, and the rows that `kachuee` gives of their beats, into examples."""
    y = pd.Categorical(info["label"], classes).codes.astype(int)
    about = info.filter(["record", "sample", "time", "symbol"])
    return Examples(x, y, info["patient"].to_numpy().astype(str), classes, about)


def from_csv(*paths: str | Path, classes: tuple[str, ...] = CLASSES) -> Examples:
    """Read the original's CSV files, two, or one to judge it.

    They do not tell whose beats they are: every row counts as somebody of its own. ``info`` has ``record`` (the file),
    ``sample`` (the row, from 1 on), ``part`` (0 for the first file) and ``known``, which is False.
    """
    names = [Path(path).name for path in paths]
    if len(set(names)) < len(names):
        raise InputError(f"Two files are called {names[0]}: give two files with names of their own.")
    read = [tables.read_beats(path, len(classes)) for path in paths]
    parts = [
        pd.DataFrame({"record": name, "sample": np.arange(1, len(y) + 1), "part": part, "known": False})
        for part, (name, (_, y)) in enumerate(zip(names, read, strict=True))
    ]
    info = pd.concat(parts, ignore_index=True)
    patient = ("row " + info["sample"].astype(str) + " of " + info["record"]).to_numpy().astype(str)
    x = {"beat": np.concatenate([x for x, _ in read])[..., None]}
    return Examples(x, np.concatenate([y for _, y in read]), patient, classes, info)


def split(examples: Examples, name: str | None = None, seed: int = 42, asked: Asked | None = None) -> Split:
    """Split beats, by patient where they have any: see `splits.named`.

    ``random-beats`` tests a fifth of the beats, as the original did, and a tenth of the others validates; ``files``
    stands for the CSV files of this lesson: the first trains, a tenth of it validates, the second is tested. Of
    the patients to train and to validate on, the option `share` is kept.
    """
    sides = _split(examples, name or usual_split(examples), seed)
    share = asked.options.share if asked else 1.0
    kept = {side: splits.few(examples, sides.sides[side], share, seed) for side in ("train", "validation")}
    return replace(sides, **kept)


def _split(examples: Examples, name: str, seed: int) -> Split:
    nameless = "known" in examples.info
    if name == FILES and nameless and examples.classes == CLASSES:
        part = examples.info["part"].to_numpy()
        first = np.random.default_rng(seed).permutation(np.flatnonzero(part == 0))
        tenth = -(-len(first) // 10)
        return Split(first[tenth:], first[:tenth], np.flatnonzero(part), FILES, "leaky").guard(examples.patient)
    if nameless and not splits.is_leaky(name):
        leaky = f"choose --split {usual_split(examples)} and trust its score little"
        raise InputError(f"The CSV files do not say whose their beats are, so no split {name!r}: {leaky}.")
    if name == splits.RANDOM:
        return splits.random_beats(examples, validation=0.08, test=0.2, seed=seed)
    return splits.named(examples, name, seed)


def usual_split(examples: Examples) -> str:
    """Name the best split that examples allow."""
    if "known" not in examples.info:
        return "by-patient"
    return FILES if examples.classes == CLASSES else splits.RANDOM


#: The original's plan, and what a laptop has time for.
_PAPER = Plan(epochs=80, batch_size=256, learning_rate=1e-3)
_LAPTOP = Plan(epochs=8, batch_size=128, learning_rate=2e-3, schedule="cosine", keep="last")
_OURS = _LAPTOP.but(optimizer="adamw", epochs=20, batch_size=256, learning_rate=5e-3)


def networks(epochs: int) -> dict[str, Network]:
    """Give the networks of a task that the original trained for so many epochs."""
    original, ours = ({"laptop": _LAPTOP, "paper": _PAPER.but(epochs=epochs)}, {"laptop": _OURS, "paper": _OURS})
    return {name: Network(build, ours if name == "ours" else original) for name, build in models.NETWORKS.items()}


@dataclass(frozen=True)
class BeatOptions(Options):
    """Options of both tasks, heartbeat and infarction."""

    #: What run.json calls the task; the lesson is "heartbeat" in both.
    task = "heartbeat"

    smote: bool | None = option(None, "Short for --balance smote or --balance none.", stored=False)
    balance: str | None = option(
        None,
        "What is done about rare classes: none, smote, smote-tomek (the original's), weights or focal.",
        ("none", "smote", "smote-tomek", "weights", "focal"),
        # It compares every beat with every other.
        notes={"smote-tomek": "Looking for Tomek pairs before the first epoch: ten minutes or more on all of MIT-BIH."},
    )
    transfer_from: Path | None = option(None, "A run of lesson 5 whose network gets two new last layers and goes on.")
    frozen: bool = option(False, "Train these two layers only.")
    share: float = option(1.0, "Use the labels of this share of the patients, such as 0.01.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.smote is not None:
            fitting = ("smote", "smote-tomek") if self.smote else ("none", "weights", "focal")
            if self.balance not in (None, *fitting):
                word = "--smote" if self.smote else "--no-smote"
                raise InputError(f"{word} and --balance {self.balance} contradict: give one of them.")
        object.__setattr__(self, "balance", self.balance or ("smote" if self.smote else "none"))

    def settle(self, network: str | None, source: str) -> str | None:
        """Refuse a run to start from that has nothing to hand on, or may have met the test patients."""
        start = self.start()
        if start is None and self.frozen:
            raise InputError("Frozen layers must have learnt something before: name a run with --transfer-from.")
        if start is not None:
            folder, about = start.folder, start.about
            if about.get("lesson") != "heartbeat":
                made = "a run that 'train heartbeat' or 'train infarction' made"
                raise InputError(f"{folder} is a run of lesson {about.get('lesson')!r}: transfer from {made}.")
            if network not in (None, about["network"]):
                raise InputError(f"{folder} is a run of the network {about['network']}: leave --network {network} out.")
            if any((run.about["task"], run.about["source"]) == (self.task, source) for run in lineage(start)):
                raise InputError(
                    f"{folder} has learnt the same task from the same data, maybe from the beats that are to be "
                    "tested: transfer to another task or another source."
                )
            network = about["network"]
        if network == "ours" and self.balance.startswith("smote"):
            raise InputError(
                "SMOTE makes beats without a heart, and the network ours compares a beat with others of its heart: "
                "choose --balance weights or focal, or another network."
            )
        return network

    def start(self) -> Run | None:
        """Open the run to start from."""
        return Run.open(self.transfer_from) if self.transfer_from else None


@dataclass(frozen=True)
class Choices(BeatOptions):
    """Options of this lesson."""

    splits = f"{Options.splits[:-1]}; files for --train-csv with --test-csv."

    rule: str = option("annotated", _RULE, tuple(RULES))


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


def seen(examples: Examples, network: str, learning: bool = False) -> Examples:
    """Give examples with what the network looks at; for `ours` to learn from, those of `unusual.thinned` hearts too."""
    x, rows = look(examples.x, network), np.arange(len(examples))
    if learning and network == "ours":
        more, which = np.nonzero(examples.x["thinned"].any(axis=2))
        x, rows = np.concatenate([x, examples.x["thinned"][more, which]]), np.append(rows, more)
    return examples.but(x=x, y=examples.y[rows], patient=examples.patient[rows], info=examples.info.iloc[rows])


def learn(asked: Asked) -> Learning:
    """Balance the training part alone, after the split; build a network, or give a trained one a new head."""
    options, (train_, held) = asked.options, asked.sides
    shown = seen(train_, asked.network, learning=True)
    counts = shown.counts()["examples"]
    if (counts > 0).sum() < 2:
        left = f"Split {asked.split.name!r} leaves nothing but class {counts.idxmax()!r} to train on"
        raise InputError(f"{left}: take another split, a larger --share, or more recordings.")
    about = {"lesson": "heartbeat", "task": options.task, "counts": {name: int(n) for name, n in counts.items()}}
    start, classes, plan_, loss = options.start(), len(shown.classes), asked.plan, None
    if options.balance.startswith("smote"):
        x, y = balancing.smote(shown.x, shown.y, shown.classes, plan_.seed, tomek=options.balance == "smote-tomek")
        shown = Examples(x, y, np.full(len(y), "synthetic or not"), shown.classes)
    elif options.balance == "weights":
        plan_ = plan_.but(class_weights=balancing.class_weights(shown.y, shown.classes))
    elif options.balance == "focal":
        loss = SparseFocalLoss()

    def build():
        if start:
            return models.new_head(start.model, classes, options.frozen)
        return (models.NETWORKS | museum.OVER_BEATS)[asked.network](classes=classes)

    return Learning(build, shown, seen(held, asked.network), plan_, about, loss=loss)


def predict_rows(run: Run, x: Mapping[str, np.ndarray], tick: Tick | None = None) -> np.ndarray:
    """Give the probabilities of the classes, shape (n, classes)."""
    return training.predict(run, look(x, run.about["network"]), tick=tick)


def score(probability: np.ndarray, examples: Examples) -> dict:
    """Score class by class, see `classwise.score`; where nobody knows whose the beats are, intervals are over beats."""
    nameless = "known" in examples.info
    if nameless:
        groups = (np.random.default_rng(0).permutation(len(examples)) % _GROUPS).astype(str)
        examples = examples.but(patient=groups)
    result = classwise.score(probability, examples)
    for row in result["by_class"].values() if nameless else ():
        del row["patients"]
    return result


def export(examples: Examples, to: Path, *, rule: Rule = "annotated", seed: Seed = 42) -> str:
    """Write mitbih_train.csv and mitbih_test.csv, split at random as the original did: a fifth is tested."""
    order = np.random.default_rng(seed).permutation(len(examples))
    fifth = round(0.2 * len(examples))
    return write_csv(examples, to, {"mitbih_train.csv": order[fifth:], "mitbih_test.csv": order[:fifth]})


def write_csv(examples: Examples, to: Path, parts: Mapping[str, np.ndarray]) -> str:
    """Write some rows of examples into each file of a new folder; gives a sentence of what is there."""
    with files.new_folder(to, "the CSV files") as draft:
        for name, rows in parts.items():
            tables.write_beats(draft / name, examples.x["beat"][rows, :, 0], examples.y[rows])
    return f"{len(examples)} beats are in {to}: {' and '.join(parts)}."


def judge(
    run: Run,
    path: str | Path | Recording,
    tick: Tick | None = None,
    *,
    lead: Lead = None,
    how: How | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Name the beats of one recording or of a folder of them; R peaks that nobody annotated are found first."""

    def make(recording: Recording) -> Examples:
        found = [beat_sets.with_beats(recording, lead)]
        cut, info = kachuee.annotated(found, found[0].leads)
        if not len(cut):
            raise InputError(f"Record {recording.name} has no beat of the five classes: take another one.")
        x = {"beat": cut[..., None], "unusual": unusual.comparisons(found, info, found[0].leads)}
        return unlabelled(x, info, CLASSES, recording)

    made, left_out = recordings.each(path, make, "atr", how, strict, tick)
    examples = Examples.join(made)
    return beat_verdicts(predict_rows(run, examples.x, tick), examples, left_out)


def _cohort(folder: Path, options: Choices) -> Examples:
    return from_recordings(recordings.mitdb(folder), options.rule)


SOURCES = {
    "sample": Source("built-in cohort", lambda options: _cohort(simulator.sample_arrhythmias(), options)),
    "physionet": Source("MIT-BIH", lambda options: _cohort(fetch.locate("mitdb"), options)),
}
FILES_OF = {
    "train_csv": "The original's mitbih_train.csv, 187 values and the class a row.",
    "test_csv": "Its mitbih_test.csv.",
}
LESSON = Lesson(
    "heartbeat", "Lesson 5: learn to name heartbeats N, S, V, F and Q.",
    networks(80), SOURCES, split, learn, predict_rows, score, judge, Choices,
    Files("csv", FILES_OF, from_csv, export),
)  # fmt: skip
examples, plan, train = LESSON.load, LESSON.plan, LESSON.train
judged, evaluate, predict = LESSON.judged, LESSON.evaluate, LESSON.predict


# Measured: heartbeats of MIT-BIH split at random, and de Chazal's DS1 against DS2

PROTOCOLS = {"random beats": "random-beats", "DS1 to DS2": "de-chazal"}
ORIGINALS, BALANCES = ("cnet", "seq2seq", "bilstm", "bigru"), ("none", "smote")
#: All networks of the original learn after one plan; recurrent ones, which take longer, have fewer epochs.
_PLAN = Plan(batch_size=256, learning_rate=2e-3, schedule="cosine", keep="last")
_EPOCHS = {"cnet": 30, "seq2seq": 10, "bilstm": 10, "bigru": 10}
#: SMOTE makes an epoch so many times longer: with fewer of them, both arms learn for as many steps.
_LONGER = {"random beats": 4.1, "DS1 to DS2": 4.5}


def _arm(protocol: str, network: str, balance: str) -> Arm:
    """Give an arm: three seeds of the paper's network, one of the slow ones, five of `ours`, which is small."""
    seeds = {"cnet": (1, 2, 3), "ours": (1, 2, 3, 4, 5)}.get(network, (1,))
    epochs = _EPOCHS.get(network, 1) / (_LONGER[protocol] if balance == "smote" else 1)
    chosen = _OURS if network == "ours" else _PLAN.but(epochs=max(1, round(epochs)))
    name, options = f"{network}, {balance}", {"balance": balance}
    return Arm(protocol, name, network, (PROTOCOLS[protocol],), seeds, chosen, options)


def _published(protocol: str, network: str) -> Arm:
    """Give an arm after the original's plan, its faulty networks too; their GRU takes a GPU half an hour."""
    chosen = _PAPER.but(epochs=10) if network == "bigru_over_batch" else _PAPER
    whole, seeds = f"{protocol}, published plan", (1, 2, 3) if network == "cnet" else (1,)
    later = network not in ("cnet", "seq2seq_one_step") and (network, protocol) != ("bilstm", "DS1 to DS2")
    return Arm(whole, f"{network}, none", network, (PROTOCOLS[protocol],), seeds, chosen, {"balance": "none"}, later)


#: Seconds in which a monitor learns what is usual; EC57 does not score them.
_LEARN = 300
_BEDSIDE, _LATER = "DS1 to DS2, usual of five minutes", "DS1 to DS2, after five minutes"


def _part(measurement: Measurement, examples: Examples) -> Examples:
    """Give what comes after five minutes; at the bedside these five minutes say what is usual."""
    if measurement.arm.protocol not in (_BEDSIDE, _LATER):
        return examples
    part = bedside() if measurement.arm.protocol == _BEDSIDE else examples
    return part.take(part.info["time"].to_numpy() >= _LEARN)


@cache
def bedside() -> Examples:
    """Give the beats of MIT-BIH, compared with what the first five minutes have shown, and with the past."""
    return from_recordings(recordings.mitdb(fetch.locate("mitdb")), learn=_LEARN)


def _report(whole: Study, done: list[Measurement], base: Path) -> dict:
    protocols: dict[str, dict] = {}
    for arm, trained in study.by_arm(done).items():
        pool = whole.pooled(trained, base, lambda m: f"seed {m.seed}")
        result = _judged(pool) | {"by_seed": pool.by_run(scores.macro_f1)}
        if arm.network == "ours":
            beats = len(pool.tested) // len(trained)  # DS2 for every seed, in one order
            mean = pool.probability.reshape(len(trained), beats, -1).mean(axis=0)
            result["together"] = _judged(Pool(pool.tested.take(np.arange(beats)), mean))
            result["F1 of S by seed"] = pool.by_run(lambda counts: scores.f1(counts)[:, 1])
            result["S by patient"] = _premature(pool, len(trained))
        networks_ = protocols.setdefault(arm.protocol, {}).setdefault(arm.network, {})
        networks_[arm.options["balance"]] = result | pool.notes
    return {"data": study.counts_of(whole.examples), "protocols": protocols}


def _premature(pool: Pool, trainings: int) -> dict:
    """Give how many beats S each patient has, and the share of them that is found, over all trainings."""
    rows = zip(np.unique(pool.tested.patient), pool.counts()[:, 1], strict=True)
    some = {str(who): row for who, row in rows if row.any()}
    return {
        who: {"beats": int(row.sum()) // trainings, "found": round(row[1] / row.sum(), 4)} for who, row in some.items()
    }


def _judged(pool: Pool) -> dict:
    return pool.scored(classwise.score) | {"confusion": pool.confusion}


_ARMS = tuple(_arm(p, name, balance) for p in PROTOCOLS for balance in BALANCES for name in ORIGINALS)
_ARMS += tuple(_published(p, name) for p in PROTOCOLS for name in (*ORIGINALS, *museum.OVER_BEATS))
_FAULTS = {name: Network(build, {"paper": _PAPER}) for name, build in museum.OVER_BEATS.items()}
_WITH_FAULTS = LESSON.but(LESSON.name, LESSON.title, networks=LESSON.networks | _FAULTS)
_OURS_ARM = _arm("DS1 to DS2", "ours", "none")
_ARMS += tuple(replace(_OURS_ARM, protocol=protocol) for protocol in (_BEDSIDE, _LATER))
STUDY = Study(_WITH_FAULTS, (*_ARMS, _OURS_ARM), _report, "protocols", 3, part=_part)
