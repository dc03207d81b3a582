"""Scores with intervals over patients.

All scores are functions of a table of counts (true class, verdict). Counting patient by patient makes the
bootstrap over patients one matrix product: beats or recordings of one person are not independent, so it is
people who are drawn again, never rows.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A score with its 95 % interval over patients; NaN bounds where it rests on one patient."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        interval = "no interval" if np.isnan(self.low) else f"{self.low:.3f}-{self.high:.3f}"
        return f"{self.value:.3f} ({interval})"

    def rounded(self, digits: int = 4) -> dict[str, float | None]:
        """Give value, low and high for a JSON file; None where there is no value."""
        return {name: _digits(getattr(self, name), digits) for name in ("value", "low", "high")}


def plain(result: dict) -> dict:
    """Turn the estimates of a score into numbers for a JSON file."""
    if isinstance(result, Estimate):
        return result.rounded()
    if isinstance(result, dict):
        return {name: plain(value) for name, value in result.items()}
    return _digits(result, 4) if isinstance(result, float) else result


def _digits(value: float, digits: int) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)


@dataclass(frozen=True)
class Scores:
    """Counts of (true class, verdict) for every patient.

    counts: (patients, K, M), how often class k of a patient got verdict m. Verdicts are classes too where M = K.
    """

    classes: tuple[str, ...]
    counts: np.ndarray

    @classmethod
    def of(cls, true: np.ndarray, verdict: np.ndarray, patient: np.ndarray, classes: tuple[str, ...], verdicts=0):
        """Count labels against verdicts, (n,) each; there are as many verdicts as classes, or `verdicts`."""
        people, who = np.unique(np.asarray(patient).astype(str), return_inverse=True)
        shape = (len(people), len(classes), verdicts or len(classes))
        index = np.ravel_multi_index((who, np.asarray(true, int), np.asarray(verdict, int)), shape)
        return cls(tuple(classes), np.bincount(index, minlength=np.prod(shape)).reshape(shape))

    @property
    def confusion(self) -> np.ndarray:
        """Counts over all patients, shape (K, M)."""
        return self.counts.sum(axis=0)

    def estimate(self, statistic: Callable, draws: int = DRAWS, seed=0):
        """Compute a statistic and its interval by the bootstrap over patients (percentiles 2.5 and 97.5).

        Where nobody differs (all right, or all wrong), every draw gives the same and the bootstrap is blind. The bound
        is then the exact one of Clopper and Pearson for as many trials as patients have a value of their own. Where
        every draw gives the same value in between, it rests on one patient: there is no interval, and both bounds are
        NaN.

        The statistic makes counts (..., K, M) to values (...) or (..., K): `accuracy`, `recall` and so on, and so gives
        one Estimate or a list of them. A mean over classes (`mean_over_classes`) is one over all classes of the test: a
        draw without anybody who has one of them does not count, since without a hard class the mean of the others is
        higher.
        """
        n = len(self.counts)
        weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
        drawn = (weights @ self.counts.reshape(n, -1)).reshape(draws, *self.counts.shape[1:])
        value = np.asarray(statistic(self.confusion[None]))[0]
        if getattr(statistic, "over_classes", False):
            absent = (drawn.sum(-1) == 0) & (self.confusion.sum(-1) > 0)
            drawn = drawn[~absent.reshape(draws, -1).any(axis=1)]
        values = np.where(np.isnan(value), 0.0, statistic(drawn))  # no value, no interval, and no warning
        bounds = np.nanpercentile(values, [2.5, 97.5], axis=0) if len(values) else np.full(2, np.nan)
        low, high = np.where(np.isnan(value), np.nan, bounds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mean of nothing is no value
            people = np.sum(~np.isnan(statistic(self.counts)), axis=0)
        blind = 0.025 ** (1 / np.maximum(people, 1))
        alone = (low == high) & (value > 0) & (value < 1)
        low = np.where(alone, np.nan, np.where((low == 1) & (value == 1), blind, low))
        high = np.where(alone, np.nan, np.where((high == 0) & (value == 0), 1 - blind, high))
        if np.ndim(value) == 0:
            return Estimate(float(value), float(low), float(high))
        return [Estimate(*map(float, bounds)) for bounds in zip(value, low, high, strict=True)]

    def table(self) -> pd.DataFrame:
        """Give precision, recall and F1 of every class with the number of its examples."""
        c = self.confusion
        columns = {"precision": precision(c), "recall": recall(c), "F1": f1(c), "n": c.sum(axis=1)}
        return pd.DataFrame(columns, index=pd.Index(self.classes, name="class"))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with NaN where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)


def _diagonal(counts: np.ndarray) -> np.ndarray:
    return np.einsum("...kk->...k", counts).astype(float)


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Share of right verdicts."""
    return _share(_diagonal(counts).sum(-1), counts.sum((-2, -1)))


def majority(counts: np.ndarray) -> np.ndarray:
    """Accuracy of always naming the most frequent class: the bar an accuracy has to clear."""
    per_class = counts.sum(-1).astype(float)
    return _share(per_class.max(-1), per_class.sum(-1))


def recall(counts: np.ndarray) -> np.ndarray:
    """Recall (sensitivity) of every class."""
    return _share(_diagonal(counts), counts.sum(-1))


def precision(counts: np.ndarray) -> np.ndarray:
    """Precision (positive predictive value) of every class; NaN where the class was never named."""
    return _share(_diagonal(counts), counts.sum(-2))


def f1(counts: np.ndarray) -> np.ndarray:
    """F1 of every class; 0 where a class was never named, NaN where it does not occur."""
    right = _diagonal(counts)
    return np.where(counts.sum(-1) > 0, _share(2 * right, counts.sum(-1) + counts.sum(-2)), np.nan)


def mean_over_classes(statistic: Callable) -> Callable:
    """Mark a statistic as a mean over classes, which depends on which classes there are: see `Scores.estimate`."""
    statistic.over_classes = True
    return statistic


@mean_over_classes
def macro_f1(counts: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur."""
    return np.nanmean(f1(counts), axis=-1)


@mean_over_classes
def balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Mean recall over the classes that occur."""
    return np.nanmean(recall(counts), axis=-1)


def specificity(counts: np.ndarray) -> np.ndarray:
    """Share of the first class (correct, healthy ...) that got the first verdict."""
    return _share(counts[..., 0, 0].astype(float), counts[..., 0, :].sum(-1))


def specificity_of_each(counts: np.ndarray) -> np.ndarray:
    """Specificity of every class against all others: of the rest, the share that was not given its name."""
    others = counts.sum((-2, -1))[..., None] - counts.sum(-1)
    return 1 - _share((counts.sum(-2) - _diagonal(counts)).astype(float), others)


def any_detection(counts: np.ndarray) -> np.ndarray:
    """Share of all that is not of the first class that got any verdict but the first."""
    faulty = counts[..., 1:, :].sum(-2)
    return _share(faulty[..., 1:].sum(-1).astype(float), faulty.sum(-1))


def detection(counts: np.ndarray) -> np.ndarray:
    """Share of every class but the first that got any verdict but the first: shape (..., K - 1)."""
    faulty = counts[..., 1:, :]
    return _share(faulty[..., 1:].sum(-1).astype(float), faulty.sum(-1))


@mean_over_classes
def mean_detection(counts: np.ndarray) -> np.ndarray:
    """Mean of `detection` over the kinds of fault."""
    return np.nanmean(detection(counts), axis=-1)


@mean_over_classes
def balanced_detection(counts: np.ndarray) -> np.ndarray:
    """Balanced accuracy of "faulty or not", every kind of fault counting the same."""
    return (specificity(counts) + mean_detection(counts)) / 2


def predictive_value(sensitivity: float, specificity: float, prevalence: np.ndarray) -> np.ndarray:
    """Positive predictive value at a prevalence (Bayes): of those called faulty, how many are."""
    hit, alarm = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return _share(np.asarray(hit, float), np.asarray(hit + alarm, float))


def threshold_at(specificity: float, probability: np.ndarray) -> float:
    """Give the threshold that the stated share of correct examples, (n,), not the test's, stays at or below."""
    return float(np.quantile(probability, specificity, method="higher"))
