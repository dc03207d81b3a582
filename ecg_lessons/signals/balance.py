"""Rare classes: more examples of them, made from those there are, or more weight on each.

Both belong to the training part alone. Made before a split, synthetic examples carry the test set into training.
"""

import numpy as np
from imblearn.combine import SMOTETomek
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import TomekLinks

from ecg_lessons.errors import InputError


def smote(x: np.ndarray, y: np.ndarray, classes: tuple[str, ...], seed: int = 0, tomek=False, neighbours=5) -> tuple:
    """Fill classes up to the largest one with points between neighbours (Chawla et al. 2002, arXiv 1106.1813).

    x: (n, ...), training examples only. `tomek` then removes pairs of nearest neighbours of different classes (Batista
    et al. 2004). Gives the examples, then the new ones.
    """
    counts = np.bincount(y, minlength=len(classes))
    few = np.flatnonzero((counts > 0) & (counts <= neighbours))
    if len(few):
        lacking = f"Class {classes[few[0]]!r} has {counts[few[0]]} training examples, too few for SMOTE"
        remedy = "leave --smote out, or take a split with more of them"
        raise InputError(f"{lacking} with {neighbours} neighbours: {remedy}.")
    maker = SMOTE(k_neighbors=neighbours, random_state=seed)
    if tomek:
        maker = SMOTETomek(smote=maker, tomek=TomekLinks(sampling_strategy="all"), random_state=seed)
    made, labels = maker.fit_resample(x.reshape(len(x), -1), y)
    return made.reshape(-1, *x.shape[1:]).astype(x.dtype), labels


def class_weights(y: np.ndarray, classes: tuple[str, ...]) -> tuple[float, ...]:
    """Weigh classes so that each counts the same in the loss, 1 on average; 0 for a class without examples."""
    counts = np.bincount(y, minlength=len(classes)).astype(float)
    share = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return tuple(np.where(counts > 0, share, 0.0).tolist())
