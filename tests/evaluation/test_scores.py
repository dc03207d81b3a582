"""Scores against scikit-learn, and intervals over patients against theory."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from ecg_lessons.evaluation import scores


@pytest.fixture
def judged():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 600)
    verdict = np.where(rng.random(600) < 0.7, true, rng.integers(0, 3, 600))
    return true, verdict, rng.integers(0, 40, 600).astype(str)


def test_agrees_with_scikit_learn(judged):
    true, verdict, patient = judged
    found = scores.Scores.of(true, verdict, patient, ("a", "b", "c"))
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(true, verdict))
    table, c = found.table(), found.confusion
    precision, recall, f1, support = metrics.precision_recall_fscore_support(true, verdict)
    np.testing.assert_allclose(table["precision"], precision)
    np.testing.assert_allclose(table["recall"], recall)
    np.testing.assert_allclose(table["F1"], f1)
    np.testing.assert_array_equal(table["n"], support)
    assert scores.accuracy(c) == pytest.approx(metrics.accuracy_score(true, verdict))
    assert scores.balanced_accuracy(c) == pytest.approx(metrics.balanced_accuracy_score(true, verdict))
    assert scores.macro_f1(c) == pytest.approx(metrics.f1_score(true, verdict, average="macro"))
    assert scores.majority(c) == pytest.approx(np.bincount(true).max() / 600)


def test_detection_counts_every_fault_the_same():
    true = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    verdict = np.array([0, 0, 0, 1, 1, 0, 1, 1, 1, 1])
    c = scores.Scores.of(true, verdict, np.arange(10), ("fine", "x", "y"), verdicts=2).confusion
    np.testing.assert_allclose(scores.detection(c), [0.5, 1.0])
    assert scores.specificity(c) == pytest.approx(0.75)
    assert scores.balanced_detection(c) == pytest.approx(0.75)


def test_interval_has_the_width_that_theory_gives():
    """400 patients, one row each, accuracy 0.8: the interval is about 0.8 ± 1.96 sqrt(0.8 0.2 / 400)."""
    true, verdict = np.zeros(400, int), (np.arange(400) % 5 == 0).astype(int)
    found = scores.Scores.of(true, verdict, np.arange(400), ("a", "b")).estimate(scores.accuracy)
    assert found.value == pytest.approx(0.8)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.02, rel=0.15)


def test_rows_of_one_patient_do_not_narrow_the_interval():
    """Ten copies of every patient's row hold no more information than one."""
    true, verdict = np.zeros(60, int), (np.arange(60) % 4 == 0).astype(int)
    once = scores.Scores.of(true, verdict, np.arange(60), ("a", "b")).estimate(scores.accuracy)
    ten = [np.repeat(part, 10) for part in (true, verdict, np.arange(60))]
    often = scores.Scores.of(*ten, ("a", "b")).estimate(scores.accuracy)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_no_error_among_few_patients_is_no_proof():
    """All of 24 patients right: Clopper and Pearson's lower bound is 0.858, not 1 (scipy agrees)."""
    zeros = np.zeros(24, int)
    found = scores.Scores.of(zeros, zeros, np.arange(24), ("a", "b")).estimate(scores.accuracy)
    exact = binomtest(24, 24).proportion_ci(0.95, "exact")
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(exact.low)
    wrong = scores.Scores.of(zeros, zeros + 1, np.arange(24), ("a", "b")).estimate(scores.accuracy)
    assert wrong.high == pytest.approx(binomtest(0, 24).proportion_ci(0.95, "exact").high)


def test_a_class_that_does_not_occur_is_not_scored():
    c = scores.Scores.of(np.zeros(4, int), np.array([0, 0, 2, 0]), np.arange(4), ("a", "b", "c")).confusion
    assert np.isnan(scores.recall(c)[1])
    assert scores.balanced_accuracy(c) == pytest.approx(0.75)


@pytest.mark.parametrize("statistic", [scores.macro_f1, scores.balanced_accuracy])
def test_a_mean_over_classes_is_one_over_all_classes_in_every_draw(statistic):
    """Two of twenty people have the class that is never found: without them, a draw would score 1."""
    patient = np.repeat(np.arange(20), 10)
    true = np.where(patient < 2, 2, np.arange(200) % 2)
    verdict = np.where(patient == 19, 0, true % 2)
    found = scores.Scores.of(true, verdict, patient, ("a", "b", "c")).estimate(statistic)
    assert found.low <= found.value <= found.high < 2 / 3 + 1e-9


def test_predictive_value():
    """Of 10,000 recordings at 2 %, 190 of 200 are caught and 490 of 9,800 are false alarms."""
    assert scores.predictive_value(0.95, 0.95, np.array(0.02)) == pytest.approx(190 / (190 + 490))


def test_threshold_lets_no_more_pass_than_asked():
    p = np.random.default_rng(0).random(5000)
    threshold = scores.threshold_at(0.99, p)
    assert 0.99 <= (p <= threshold).mean() < 0.9905


def test_a_precision_without_a_fault_rests_on_those_who_got_the_verdict():
    """Twelve of 120 recordings are called O, all rightly: 0.025 to the power of a twelfth, not of 1/120."""
    verdict = np.repeat([1, 0], [12, 108])
    counted = scores.Scores.of(verdict, verdict, np.arange(120), ("N", "O"))
    assert counted.estimate(scores.precision)[1].low == pytest.approx(0.025 ** (1 / 12))
    assert counted.estimate(scores.recall)[0].low == pytest.approx(0.025 ** (1 / 108))
    assert counted.estimate(scores.accuracy).low == pytest.approx(0.025 ** (1 / 120))


def test_one_patient_gives_no_interval_and_two_give_a_wide_one():
    true, verdict = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1, 1, 1, 1])
    patient = np.array(list("aabb") + list("ccccd"))
    counted = scores.Scores.of(true, verdict, patient, ("N", "V"))
    v = counted.estimate(scores.recall)[1]
    assert (v.value, v.high) == (1, 1)
    assert v.low == pytest.approx(0.025**0.5)  # Clopper and Pearson: 2 of 2
    alone = scores.Scores.of(true[:4], verdict[:4], np.array(list("aaaa")), ("N", "V")).estimate(scores.accuracy)
    assert alone.value == 0.75
    assert np.isnan([alone.low, alone.high]).all()
    assert str(alone) == "0.750 (no interval)"
    assert alone.rounded() == {"value": 0.75, "low": None, "high": None}
