"""Scores of a verdict among several classes, overall and class by class."""

import numpy as np
from sklearn.metrics import roc_auc_score

from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples

#: Overall scores, and scores of each class against the rest.
OVERALL = {of.__name__: of for of in (scores.accuracy, scores.majority, scores.macro_f1, scores.balanced_accuracy)}
OVERALL |= {"arrhythmia_sensitivity": scores.any_detection, "arrhythmia_specificity": scores.specificity}
EACH = {"sensitivity": scores.recall, "specificity": scores.specificity_of_each}
EACH |= {"precision": scores.precision, "f1": scores.f1}


def score(probability: np.ndarray, examples: Examples) -> dict:
    """Score the likeliest classes, by probabilities (n, classes), with 95 % intervals over patients.

    Overall, where ``arrhythmia_...`` sets all other classes against the normal one; and ``by_class``, for those met.
    """
    counted = scores.Scores.of(examples.y, probability.argmax(axis=1), examples.patient, examples.classes)
    each = {name: counted.estimate(statistic) for name, statistic in EACH.items()}
    by_class = {}
    for k in np.unique(examples.y):
        of_class = examples.y == k
        by_class[examples.classes[k]] = {name: values[k] for name, values in each.items()} | {
            "auc": float("nan") if of_class.all() else float(roc_auc_score(of_class, probability[:, k])),
            "beats": int(of_class.sum()),
            "patients": len(np.unique(examples.patient[of_class])),
        }
    return {name: counted.estimate(statistic) for name, statistic in OVERALL.items()} | {"by_class": by_class}
