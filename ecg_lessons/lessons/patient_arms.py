"""Lesson 4: the networks of one patient, before and after the first minutes.

Pre-training: `Plain` trains a network from scratch for each patient on all others. `Shared` is the fast way:

1. The patients are divided into a few folds, and one network a fold trains on the patients of the other folds, until
   the validation patients (a tenth of all, in neither) gain no more. It has never seen anybody of its fold, so it is
   an honest network for each of them; but it lacks a fifth of the patients that plain training would have.
2. For each patient that network goes on for one short pass over the others of the fold, who join, and as many beats
   drawn from those it knows, at a third of the learning rate. The patient is in neither phase, and validates nothing.

What is approximate: the networks of one fold have a common origin, so their errors are alike; those who join are seen
in one pass, not in all epochs; and the validation patients differ from those of plain training. What is not: nobody's
own beats are in any phase of their own network.

Then the arms are compared, all tested on the same beats, those after the first minutes:

========  ==========================================================================================
majority  always the class that is most frequent in the patient's first minutes
generic   the pre-trained network, which has never seen the patient
head      its last two layers adapted to the first minutes
whole     all of it adapted to the first minutes
alone     the same network from scratch, trained on the first minutes and on nobody else
========  ==========================================================================================
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax

from ecg_lessons import splits, training
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.models import patient as models
from ecg_lessons.plans import Plan
from ecg_lessons.splits import Split, persons
from ecg_lessons.training import Run

ARMS = ("majority", "generic", "head", "whole", "alone")
#: An arm and the minutes it was adapted on; 0 for `generic`.
Key = tuple[str, float]
#: Says what goes on, in one line.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Adaptation:
    """How a network is trained on a patient's first minutes: so many batches, the same for one minute as for ten.

    A class with n beats in these minutes is drawn n ** (1 - balance) times as often as one with a single beat: 0 draws
    as the heart does, 1 draws all classes alike. The learning rate is that of Adam.
    """

    steps: int = 240
    batch_size: int = 32
    learning_rate: float = 1e-3
    balance: float = 0.5


class Reused:
    """A network, from any input to logits, that is compiled once and trained many times from given weights.

    Keras traces a network anew for every `compile`; that costs more than a training of some hundred batches.
    """

    def __init__(self, model: keras.Model, learning_rate: float) -> None:
        self.model = model
        optimizer = keras.optimizers.Adam(learning_rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # Twenty batches at a time spare half of the time: the network is so small that calling it costs as much.
        model.compile(optimizer, loss, steps_per_execution=20)
        optimizer.build(model.trainable_variables)
        self._fresh = [keras.ops.convert_to_numpy(variable) for variable in optimizer.variables]

    def fit(self, start: list[np.ndarray], x: np.ndarray, y: np.ndarray, batch_size: int) -> list[np.ndarray]:
        """Train from the weights `start` for one pass over the rows, in their order; give the weights after it."""
        self.model.set_weights(start)
        for variable, value in zip(self.model.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        self.model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
        return self.model.get_weights()

    def probabilities(self, weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        """Give the probabilities of the classes, shape (n, classes)."""
        self.model.set_weights(weights)
        return softmax(_call(self.model, x).astype(np.float64), axis=1)


class Arms:
    """The arms of any number of patients, one after the other; `alone` begins with the same weights for everybody."""

    def __init__(self, adaptation: Adaptation, seed: int = 42) -> None:
        keras.utils.set_random_seed(seed)
        self._how = adaptation
        whole = models.build()
        self._blank = whole.get_weights()
        self._body, head = models.parts(whole)
        self._whole = Reused(whole, adaptation.learning_rate)
        self._head = Reused(head, adaptation.learning_rate)

    def answers(
        self, generic: list[np.ndarray], first: Examples, x: np.ndarray, lengths: Iterable[float], seed: int
    ) -> dict[Key, np.ndarray]:
        """Let every arm answer: probabilities (n, classes) of the beats `x` (n, SAMPLES, LEADS) by arm and minutes.

        `generic` are weights of the pre-trained network, `first` the beats of the patient's first minutes, with
        ``info["time"]``. A length in which there is no beat is passed over.
        """
        answers = {("generic", 0.0): self._whole.probabilities(generic, x)}
        features, tested = _call(self._body, first.x), _call(self._body, x)
        head = self._head.model.get_weights()  # shared with the whole network: those of `generic`
        for minutes in lengths:
            rows = np.flatnonzero(first.info["time"].to_numpy() < 60 * minutes)
            if not len(rows):
                continue
            y = first.y[rows]
            share = np.bincount(y, minlength=len(first.classes)) / len(y)
            answers["majority", minutes] = np.tile(share, (len(x), 1))
            order = rows[_drawn(y, self._how, seed)]
            for arm, learner, start, shown, judged in (
                ("head", self._head, head, features, tested),
                ("whole", self._whole, generic, first.x, x),
                ("alone", self._whole, self._blank, first.x, x),
            ):
                weights = learner.fit(start, shown[order], first.y[order], self._how.batch_size)
                answers[arm, minutes] = learner.probabilities(weights, judged)
        return answers


def _drawn(y: np.ndarray, how: Adaptation, seed: int) -> np.ndarray:
    chance = np.bincount(y)[y] ** -how.balance
    return np.random.default_rng(seed).choice(len(y), how.steps * how.batch_size, p=chance / chance.sum())


def _call(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Call a network on all rows at once: quicker than `predict` for some thousand beats."""
    return keras.ops.convert_to_numpy(model(x, training=False))


class Plain:
    """Pre-training from scratch for each patient: nothing approximate, and as many trainings as patients.

    `taught` are everybody's beats; `folder` holds a run a training, and one that was interrupted goes on.
    """

    def __init__(
        self, taught: Examples, folder: Path, plan: Plan, tensorboard: bool = False, say: Say = lambda line: None
    ) -> None:
        self.taught, self.folder, self.plan = taught, folder, plan
        self._tensorboard, self._say = tensorboard, say
        self._people = np.unique(persons(taught.patient)).tolist()

    @cached_property
    def _splits(self) -> dict[str, Split]:
        return dict(zip(self._people, splits.leave_one_patient_out(self.taught, self.plan.seed), strict=True))

    def split(self, patient: str) -> Split:
        """Give what a patient's network learns from, is validated on, and never sees."""
        return self._splits[patient]

    def weights(self, patient: str) -> list[np.ndarray]:
        """Train the network that has never seen a patient; give its weights."""
        return self._fit(self.split(patient), f"without {patient}").model.get_weights()

    def _fit(self, split: Split, name: str) -> Run:
        def progress(epoch: int, row: dict) -> None:
            self._say(f"{name}: epoch {epoch}/{self.plan.epochs}, validation loss {row['val_loss']:.3f}")

        sides = self.taught.take(split.train), self.taught.take(split.validation)
        how = {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "tensorboard": self._tensorboard}
        how |= {"about": {"lesson": "patients", "phase": name}, "progress": progress}
        return training.fit(models.build, *sides, self.plan, self.folder / name.replace(" ", "-"), **how)


class Shared(Plain):
    """A shared first phase on folds of patients, then a short second one for each patient: see the module.

    Folds are fewer than asked for where there are under two patients for each.
    """

    def __init__(self, taught: Examples, folder: Path, plan: Plan, *args, folds: int = 5) -> None:
        super().__init__(taught, folder, plan, *args)
        if len(self._people) < 4:
            few = f"{len(self._people)} patients are too few to leave one out"
            raise InputError(f"{few}: take 4 or more, or train with --plain.")
        folds = min(folds, len(self._people) // 2)
        self.folds = list(splits.grouped_folds(taught, folds, plan.seed))
        self._about = splits.known(taught)
        self._person = persons(taught.patient)
        self._fold = {name: k for k, fold in enumerate(self.folds) for name in np.unique(self._person[fold.test])}
        self._first: dict[int, list[np.ndarray]] = {}

    def split(self, patient: str) -> Split:
        """Give what a patient's network learns from in both phases, is validated on, and never sees."""
        fold = self.folds[self._fold[patient]]
        own = self._person[fold.test] == patient
        train = np.concatenate([fold.train, fold.test[~own]])
        return Split(train, fold.validation, fold.test[own], f"leave-out-{patient}").guard(**self._about)

    def weights(self, patient: str) -> list[np.ndarray]:
        """Give the weights of the network that has never seen a patient."""
        k = self._fold[patient]
        if k not in self._first:
            self._first[k] = self._fit(self.folds[k], f"fold {k + 1} of {len(self.folds)}").model.get_weights()
        rng = np.random.default_rng([self.plan.seed, self._people.index(patient)])
        known = self.folds[k].train
        new = np.setdiff1d(self.split(patient).train, known)
        old = rng.choice(known, min(len(new), len(known)), replace=False)
        rows = rng.permutation(np.concatenate([new, old]))
        return self._joining.fit(self._first[k], self.taught.x[rows], self.taught.y[rows], self.plan.batch_size)

    @cached_property
    def _joining(self) -> Reused:
        return Reused(models.build(), self.plan.learning_rate / 3)
