"""Lesson 4: a network for every patient that has learnt from everybody else, one by one, or five times faster.

`Plain` trains a network from scratch for each patient on all others. `Shared` is the fast way, in two phases:

1. The patients are divided into a few folds, and one network a fold trains on the patients of the other folds, until
   the validation patients (a tenth of all, in neither) gain no more. It has never seen anybody of its fold, so it is
   an honest network for each of them; but it lacks a fifth of the patients that plain training would have.
2. For each patient that network goes on for one short pass over the others of the fold, who join, and as many beats
   drawn from those it knows, at a third of the learning rate. The patient stays out of both phases, and validates
   nothing.

What is approximate: the networks of one fold have a common origin, so their errors are alike; those who join are seen
in one pass, not in all epochs; and the validation patients differ from those of plain training. What is not: nobody's
own beats are in any phase of their own network.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from ecg_lessons import splits, training
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import patients as lesson
from ecg_lessons.lessons.patient_arms import Reused
from ecg_lessons.models import patient as models
from ecg_lessons.plans import Plan
from ecg_lessons.splits import Split, known, persons

#: Says what goes on, in one line.
Say = Callable[[str], None]


class Plain:
    """From scratch for each patient: nothing approximate, and as many trainings as patients.

    Parameters
    ----------
    taught : Examples
        Everybody's beats to pre-train on.
    folder : Path
        Holds a run a training; one that was interrupted goes on.
    plan : Plan
    tensorboard : bool
    say : callable
    """

    def __init__(
        self,
        taught: Examples,
        folder: Path,
        plan: Plan,
        tensorboard: bool = False,
        say: Say = lambda line: None,
    ) -> None:
        self.taught, self.folder, self.plan = taught, folder, plan
        self._tensorboard, self._say = tensorboard, say

    @cached_property
    def _splits(self) -> dict[str, Split]:
        return dict(
            zip(
                lesson.people(self.taught),
                splits.leave_one_patient_out(self.taught, self.plan.seed),
                strict=True,
            )
        )

    def split(self, patient: str) -> Split:
        """Give what a patient's network learns from, is validated on, and never sees."""
        return self._splits[patient]

    def weights(self, patient: str) -> list[np.ndarray]:
        """Train the network that has never seen a patient; give its weights."""
        return self._fit(self.split(patient), f"without {patient}").model.get_weights()

    def _fit(self, split: Split, name: str) -> training.Run:
        def progress(epoch: int, row: dict) -> None:
            self._say(f"{name}: epoch {epoch}/{self.plan.epochs}, validation loss {row['val_loss']:.3f}")

        return training.fit(
            models.build,
            self.taught.take(split.train),
            self.taught.take(split.validation),
            self.plan,
            self.folder / name.replace(" ", "-"),
            about={"lesson": "patients", "phase": name},
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            tensorboard=self._tensorboard,
            progress=progress,
        )


class Shared(Plain):
    """A shared first phase on folds of patients, then a short second one for each patient: see the module.

    Parameters
    ----------
    taught, folder, plan, tensorboard, say
        As for `Plain`.
    folds : int
        Fewer where there are under two patients for each.

    Raises
    ------
    InputError
        If there are fewer than 4 patients.
    """

    def __init__(self, taught: Examples, folder: Path, plan: Plan, *args, folds: int = 5) -> None:
        super().__init__(taught, folder, plan, *args)
        self._people = lesson.people(taught)
        if len(self._people) < 4:
            raise InputError(
                f"{len(self._people)} patients are too few to leave one out: take 4 or more, or train with --plain."
            )
        folds = min(folds, len(self._people) // 2)
        self.folds = list(splits.grouped_folds(taught, folds, plan.seed))
        self._about = known(taught)
        self._person = persons(taught.patient)
        self._fold = {
            name: k for k, fold in enumerate(self.folds) for name in np.unique(self._person[fold.test])
        }
        self._first: dict[int, list[np.ndarray]] = {}

    def split(self, patient: str) -> Split:
        """Give what a patient's network learns from in both phases, is validated on, and never sees."""
        fold = self.folds[self._fold[patient]]
        mine = self._person[fold.test] == patient
        train = np.concatenate([fold.train, fold.test[~mine]])
        name = f"leave-out-{patient}"
        return Split(train, fold.validation, fold.test[mine], name).guard(**self._about)

    def weights(self, patient: str) -> list[np.ndarray]:
        """Give the weights of the network that has never seen a patient."""
        k = self._fold[patient]
        if k not in self._first:
            run = self._fit(self.folds[k], f"fold {k + 1} of {len(self.folds)}")
            self._first[k] = run.model.get_weights()
        rng = np.random.default_rng([self.plan.seed, self._people.index(patient)])
        known_ones, joined = self.folds[k].train, self.split(patient).train
        new = np.setdiff1d(joined, known_ones)
        old = rng.choice(known_ones, min(len(new), len(known_ones)), replace=False)
        rows = rng.permutation(np.concatenate([new, old]))
        return self._joining.fit(
            self._first[k], self.taught.x[rows], self.taught.y[rows], self.plan.batch_size
        )

    @cached_property
    def _joining(self) -> Reused:
        return Reused(models.build(), self.plan.learning_rate / 3)
