"""Lesson 1 measured on real recordings: PTB-XL in five folds of patients, and LUDB from outside.

Every training is a run folder of its own, so an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from ecg_lessons import training
from ecg_lessons.data import catalog
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import inversion as lesson
from ecg_lessons.lessons import inversion_runs as runs
from ecg_lessons.lessons import measuring
from ecg_lessons.models import inversion as models

FOLDS, SEEDS = 5, (1, 2, 3)
NETWORKS = ("hypotheses", "plain", "classical", "original", "original, its own protocol")
_SPLIT_SEED = 42


@dataclass(frozen=True)
class Job:
    """One training: a network, a fold, a seed."""

    network: str
    fold: int
    seed: int

    def folder(self, base: Path) -> Path:
        """Give the run folder of the job."""
        name = self.network.replace(", ", "-").replace(" ", "-")
        return base / "inversion" / f"{name}-fold-{self.fold}-seed-{self.seed}"


def jobs() -> list[Job]:
    """List all trainings.

    The original's own protocol has no folds, but one random split a seed; the baseline has no seed.
    """
    return [
        Job(network, fold, seed)
        for network in NETWORKS
        for fold in range(1 if network == NETWORKS[-1] else FOLDS)
        for seed in SEEDS
        if network != "classical" or seed == SEEDS[0]
    ]


@cache
def _loaded(source: str) -> Examples:
    return lesson.examples(source)


def run(job: Job, base: Path) -> None:
    """Train one job and keep its probabilities for the test fold and for LUDB, unless that is done."""
    done = job.folder(base) / "probabilities.npz"
    if done.exists():
        return
    correct = _loaded("physionet")
    if job.network == NETWORKS[-1]:
        found = {"validation": _own_protocol(job, correct, base)}
    else:
        parts = lesson.split(correct, f"fold-{job.fold}", _SPLIT_SEED)
        judge = _train(job, correct, parts, base)
        network = {"original": "usoltsev", "classical": "plain"}.get(job.network, job.network)
        test, outside = (
            lesson.every_state(lesson.for_judging(network, part))
            for part in (correct.take(parts.test), _loaded("ludb"))
        )
        found = {"test": judge(test), "rows": parts.test, "ludb": judge(outside)}
    done.parent.mkdir(parents=True, exist_ok=True)
    partial_name = done.with_name(".partial.npz")
    np.savez_compressed(partial_name, **found)
    partial_name.replace(done)


def _train(job: Job, correct: Examples, parts, base: Path):
    """Train a job; give the function that judges examples."""
    train, validation = correct.take(parts.train), correct.take(parts.validation)
    if job.network == "classical":
        baseline = models.classical()
        shown = lesson.every_state(train)
        weight = np.where(shown.y == 0, len(lesson.STATES) - 1, 1)  # half of the weight on "correct"
        baseline.fit(shown.x["beat"], shown.y, logisticregression__sample_weight=weight)
        return lambda given: baseline.predict_proba(given.x["beat"])
    if job.network == "original":
        plan = lesson.plan("usoltsev", "paper").but(seed=job.seed)
        done, _ = runs.train_original(correct, job.folder(base), plan, (parts.train, parts.validation))
    else:
        prepare = partial(lesson.seen_by, job.network)
        done = training.fit(
            lesson.NETWORKS[job.network].build,
            train,
            prepare(lesson.fresh_swaps(validation, np.random.default_rng(job.seed))),
            lesson.plan(job.network, "paper").but(seed=job.seed),
            job.folder(base),
            about={"lesson": "inversion", "network": job.network, "task": "which", "source": "physionet"},
            fresh=lambda given, epoch: prepare(lesson.fresh_swaps(given, epoch)),
        )
    return partial(runs.predict, done)


def _own_protocol(job: Job, correct: Examples, base: Path) -> np.ndarray:
    """Score the original as it scored itself: probability and label of its validation copies, shape (n, 2)."""
    plan = lesson.plan("usoltsev", "paper").but(seed=job.seed)
    done, held = runs.train_original(correct, job.folder(base), plan)
    return np.column_stack([training.predict(done, held.x)[:, 1], held.y])


def write(done: list[Job], base: Path, to: Path) -> Path:
    """Gather the scores of all jobs into ``inversion.json``."""
    # Scores need labels and patients only: the smaller input stands for both.
    correct, outside = (lesson.for_judging("plain", _loaded(source)) for source in ("physionet", "ludb"))
    found = {job: np.load(job.folder(base) / "probabilities.npz") for job in done}
    networks = {}
    for network in NETWORKS[:-1]:
        mine = [job for job in done if job.network == network]
        seeds = sorted({job.seed for job in mine})
        inside = [_whole(mine, found, seed, len(correct)) for seed in seeds]
        ludb = [found[job]["ludb"] for job in mine]
        networks[network] = _both(inside, ludb, correct, outside)
        together = np.mean(inside, axis=0), np.mean(ludb, axis=0)
        networks[f"{network}, ensemble"] = _both(*([one] for one in together), correct, outside)
        if network == NETWORKS[0]:
            strict = {share: _strict(*together, share, len(correct), len(outside)) for share in (0.999, 0.99)}
            loudest = _loudest(together[0][: len(correct)], correct)
    own = [found[job]["validation"] for job in done if job.network == NETWORKS[-1]]
    hit = [np.mean([((p > 0.5) == y)[y == c].mean() for c in (0, 1)]) for p, y in (one.T for one in own)]
    result = {
        "what": "Exchanged electrodes on real recordings; see data/README.md for the datasets.",
        "protocol": "PTB-XL: 5 folds, patients apart, every recording correct and with each of nine swaps. "
        "LUDB: never trained on. Balanced accuracy: mean of specificity and mean sensitivity over the swaps. "
        "Values are means over the seeds (and, on LUDB, over the folds' networks); 95 % intervals by bootstrap "
        "over patients. An ensemble averages the probabilities of the seeds (on LUDB also of the folds).",
        "data": {
            "ptb-xl": f"{catalog.get('ptb-xl').version}, ecg_id {correct.info['record'].iloc[0]} to "
            f"{correct.info['record'].iloc[-1]}: {len(correct)} recordings, {len(set(correct.patient))} patients",
            "copies": _copies(correct),
            "ludb": f"{catalog.get('ludb').version}, {len(outside)} recordings",
        },
        "networks": networks,
        "thresholds of the ensemble, by specificity on ptb-xl": strict,
        "ptb-xl recordings that the ensemble takes for exchanged with most certainty": loudest,
        "original, its own protocol": {
            "balanced_accuracy": [round(float(h), 4) for h in hit],
            "how": "random quarter of the recordings, rolled copies scored, epoch chosen on the same quarter",
        },
        "seeds": list(SEEDS),
        "seconds": {
            network: measuring.seconds(j.folder(base) for j in done if j.network == network)
            for network in NETWORKS
        },
        **measuring.stamp(),
    }
    to.mkdir(parents=True, exist_ok=True)
    return training.Run(to).write("inversion.json", result)


def _whole(mine: list[Job], found: dict, seed: int, n: int) -> np.ndarray:
    """Put the folds of one seed together: probabilities (states x n, classes) in the order of `every_state`."""
    ours = [found[job] for job in mine if job.seed == seed]
    whole = np.empty((len(lesson.STATES), n, ours[0]["test"].shape[1]))
    for one in ours:
        whole[:, one["rows"]] = one["test"].reshape(len(lesson.STATES), len(one["rows"]), -1)
    return whole.reshape(len(lesson.STATES) * n, -1)


def _pooled(probabilities: list[np.ndarray], given: Examples) -> dict:
    """Score several networks on the same examples as one: means of the scores, intervals over patients."""
    times = len(probabilities)
    nothing = np.zeros((times * len(given), 1), dtype=np.float32)  # scores need no inputs
    many = Examples(nothing, np.tile(given.y, times), np.tile(given.patient, times), given.classes)
    return scores.plain(lesson.score(np.concatenate(probabilities), many))


def _both(inside: list[np.ndarray], ludb: list[np.ndarray], correct: Examples, outside: Examples) -> dict:
    every, elsewhere = lesson.every_state(correct), lesson.every_state(outside)
    return {"ptb-xl": _pooled(inside, every), "ludb": _pooled(ludb, elsewhere)}


def _suspicion(probability: np.ndarray) -> np.ndarray:
    """Give the log-odds of "exchanged". The probability itself is 1.0 for many: it cannot rank them."""
    right = probability[:, 0]
    return np.log1p(-np.minimum(right, 1 - 1e-16)) - np.log(np.maximum(right, 1e-300))


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
        "ludb sensitivity by swap": dict(zip(lesson.STATES[1:], caught.round(4).tolist(), strict=True)),
    }


def _loudest(probability: np.ndarray, correct: Examples, most: int = 5) -> list[dict]:
    """Name the recordings that are held for correct and called exchanged most loudly, one a patient."""
    suspicion = _suspicion(probability)
    order = np.argsort(-suspicion)
    _, first = np.unique(correct.patient[order], return_index=True)
    return [
        {
            "ecg_id": correct.info["record"].iloc[i],
            "log-odds": round(float(suspicion[i]), 1),
            "swap": lesson.STATES[1 + probability[i, 1:].argmax()],
            "diagnoses": correct.info["diagnoses"].iloc[i],
        }
        for i in order[np.sort(first)][:most]
    ]


def _copies(correct: Examples) -> str:
    """Name the recordings of PTB-XL that stand in it twice under two patients: no split by patient parts them."""
    _, which, count = np.unique(correct.x["beat"], axis=0, return_inverse=True, return_counts=True)
    pairs = [np.flatnonzero(which == k) for k in np.flatnonzero(count > 1)]
    names = [
        " = ".join(correct.info["record"].iloc[pair]) for pair in pairs if len(set(correct.patient[pair])) > 1
    ]
    return f"one recording under two patients in ptb-xl: {'; '.join(names) or 'none'}"


def read(folder: str | Path) -> dict:
    """Read the stored results."""
    return measuring.read(folder, "inversion")
