import numpy as np
import pytest
from scipy.special import expit

from ecg_lessons.evaluation import calibration


def test_a_temperature_makes_sure_words_true_again():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, 20_000)
    positive = rng.random(20_000) < expit(honest)
    assert calibration.temperature(honest, positive) == pytest.approx(1, abs=0.05)
    assert calibration.temperature(3 * honest, positive) == pytest.approx(3, rel=0.05)
    right = (honest > 0) == positive
    loud = calibration.error(calibration.sure(3 * honest), right)
    quiet = calibration.error(calibration.sure(honest), right)
    assert quiet < 0.01 < 0.08 < loud


def test_the_error_is_the_mean_distance_by_tenths():
    probability = np.array([0.55, 0.55, 0.95, 0.95])
    assert calibration.error(probability, np.array([1, 0, 1, 1])) == pytest.approx((0.1 + 0.1) / 4)
    assert calibration.error(np.array([1.0]), np.array([1])) == 0


def test_the_surest_verdicts_are_kept_first():
    certainty, wrong = np.array([0.6, 0.99, 0.8, 0.7]), np.array([1, 0, 0, 1])
    coverage, risk = calibration.risk_coverage(certainty, wrong)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 0.5])
