"""Rare classes: more examples of them, made from those there are, or more weight on each.

Both belong to the training part alone. Made before a split, synthetic examples carry the test set into training.
"""

from __future__ import annotations

import numpy as np
from imblearn.combine import SMOTETomek
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import TomekLinks

from ecg_lessons.errors import InputError


def smote(
    x: np.ndarray,
    y: np.ndarray,
    classes: tuple[str, ...],
    seed: int = 0,
    tomek: bool = False,
    neighbours: int = 5,
) -> tuple[np.ndarray, np.ndarray]:
    """Fill every class up to the largest one with points between neighbours (Chawla et al. 2002, arXiv 1106.1813).

    Parameters
    ----------
    x : ndarray, shape (n, ...)
        Training examples only.
    y : ndarray of int, shape (n,)
    classes : tuple of str
        Names of the classes, for messages.
    seed : int
    tomek : bool
        Then remove pairs of nearest neighbours of different classes (Batista et al. 2004).
    neighbours : int
        A new point lies between an example and one of so many neighbours of its class.

    Returns
    -------
    x, y : ndarray
        The examples given, then the new ones; without the Tomek pairs if asked.

    Raises
    ------
    InputError
        If a class has too few examples to have so many neighbours.
    """
    counts = np.bincount(y, minlength=len(classes))
    few = np.flatnonzero((counts > 0) & (counts <= neighbours))
    if len(few):
        raise InputError(
            f"Class {classes[few[0]]!r} has {counts[few[0]]} training examples, too few for SMOTE with {neighbours} "
            "neighbours: leave --smote out, or take a split with more of them."
        )
    maker = SMOTE(k_neighbors=neighbours, random_state=seed)
    if tomek:
        maker = SMOTETomek(smote=maker, tomek=TomekLinks(sampling_strategy="all"), random_state=seed)
    made, labels = maker.fit_resample(x.reshape(len(x), -1), y)
    return made.reshape(-1, *x.shape[1:]).astype(x.dtype), labels


def class_weights(y: np.ndarray, classes: tuple[str, ...]) -> tuple[float, ...]:
    """Weigh classes so that each counts the same in the loss; 0 for a class without examples.

    Returns
    -------
    tuple of float
        n / (classes that occur x examples of the class): the mean weight of an example is 1.
    """
    counts = np.bincount(y, minlength=len(classes)).astype(float)
    share = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return tuple(np.where(counts > 0, share, 0.0).tolist())
