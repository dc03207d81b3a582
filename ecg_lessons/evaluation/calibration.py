"""How far probabilities can be trusted, and what is gained by no verdict where they are low.

Rows count the same: take those of a rare kind as often as they should count.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit


def temperature(log_odds: np.ndarray, positive: np.ndarray) -> float:
    """Fit what log-odds, (n,), are divided by so that their probabilities are likeliest (Guo 2017, arXiv:1706.04599).

    Above 1 the network is too sure. Verdicts at one half stay the same.
    """
    wrong_way = np.where(positive, -log_odds, log_odds)
    loss = minimize_scalar(lambda t: np.logaddexp(0, wrong_way / np.exp(t)).mean(), bounds=(-3, 5))
    return float(np.exp(loss.x))


def sure(log_odds: np.ndarray) -> np.ndarray:
    """Give the probability of the likelier of two verdicts, 0.5 to 1."""
    return expit(np.abs(log_odds))


def error(probability: np.ndarray, right: np.ndarray) -> float:
    """Give the mean distance between what verdicts claim and how often they are right, by tenths of probability."""
    tenth = np.clip((10 * np.asarray(probability)).astype(int), 0, 9)
    said, was = (np.bincount(tenth, values, 10) for values in (probability, right))
    return float(np.abs(said - was).sum() / len(tenth))


def risk_coverage(certainty: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the share of verdicts that are kept, the surest first, and the share of those that are wrong: (n,) each."""
    order = np.argsort(-certainty, kind="stable")
    kept = np.arange(1, len(order) + 1)
    return kept / len(order), np.cumsum(np.asarray(wrong)[order]) / kept
