"""Lesson 4: what is compared. All arms are tested on the same beats, those after the first minutes.

========  ==========================================================================================
majority  always the class that is most frequent in the patient's first minutes
generic   the pre-trained network, which has never seen the patient
head      its last two layers adapted to the first minutes
whole     all of it adapted to the first minutes
alone     the same network from scratch, trained on the first minutes and on nobody else
========  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np
from scipy.special import softmax

from ecg_lessons.examples import Examples
from ecg_lessons.lessons.patients import Adaptation
from ecg_lessons.models import patient as models

ARMS = ("majority", "generic", "head", "whole", "alone")
#: An arm and the minutes it was adapted on; 0 for `generic`.
Key = tuple[str, float]


class Reused:
    """A network that is compiled once and trained many times from given weights.

    Keras traces a network anew for every `compile`; that costs more than a training of some hundred batches.

    Parameters
    ----------
    model : keras.Model
        From any input to logits.
    learning_rate : float
        Of Adam.
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
        """Train for one pass over the rows, in their order.

        Parameters
        ----------
        start : list of ndarray
            Weights to begin with, as `get_weights` gives them.
        x : ndarray, shape (n, ...)
        y : ndarray of int, shape (n,)
        batch_size : int

        Returns
        -------
        list of ndarray
            The weights after the training.
        """
        self.model.set_weights(start)
        for variable, value in zip(self.model.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        self.model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
        return self.model.get_weights()

    def probabilities(self, weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        """Give the probabilities of the classes, shape (n, classes)."""
        self.model.set_weights(weights)
        return _probabilities(self.model, x)


class Arms:
    """The arms of any number of patients, one after the other.

    Parameters
    ----------
    adaptation : Adaptation
    seed : int
        Sets the weights that `alone` begins with, the same for everybody.
    """

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
        """Let every arm answer.

        Parameters
        ----------
        generic : list of ndarray
            Weights of the pre-trained network.
        first : Examples
            The beats of the patient's first minutes, with ``info["time"]``.
        x : ndarray, shape (n, SAMPLES, LEADS)
            The beats to test on.
        lengths : iterable of float
            Minutes to adapt on; one in which there is no beat is passed over.
        seed : int
            Sets the order of the beats.

        Returns
        -------
        dict of ndarray, shape (n, classes)
            Probabilities by arm and minutes.
        """
        found = {("generic", 0.0): self._whole.probabilities(generic, x)}
        features, tested = _call(self._body, first.x), _call(self._body, x)
        head = self._head.model.get_weights()  # shared with the whole network: those of `generic`
        for minutes in lengths:
            rows = np.flatnonzero(first.info["time"].to_numpy() < 60 * minutes)
            if not len(rows):
                continue
            y = first.y[rows]
            share = np.bincount(y, minlength=len(first.classes)) / len(y)
            found["majority", minutes] = np.tile(share, (len(x), 1))
            order = rows[_drawn(y, self._how, seed)]
            for arm, learner, start, given, judged in (
                ("head", self._head, head, features, tested),
                ("whole", self._whole, generic, first.x, x),
                ("alone", self._whole, self._blank, first.x, x),
            ):
                weights = learner.fit(start, given[order], first.y[order], self._how.batch_size)
                found[arm, minutes] = learner.probabilities(weights, judged)
        return found


def _drawn(y: np.ndarray, how: Adaptation, seed: int) -> np.ndarray:
    """Draw rows for all batches of an adaptation, those of rare classes more often."""
    chance = np.bincount(y)[y] ** -how.balance
    return np.random.default_rng(seed).choice(len(y), how.steps * how.batch_size, p=chance / chance.sum())


def _probabilities(model: keras.Model, x: np.ndarray) -> np.ndarray:
    return softmax(_call(model, x).astype(np.float64), axis=1)


def _call(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Call a network on all rows at once: quicker than `predict` for some thousand beats."""
    return keras.ops.convert_to_numpy(model(x, training=False))
