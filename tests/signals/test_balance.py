"""SMOTE and class weights."""

import numpy as np
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.signals import balance

CLASSES = ("N", "S", "V")


@pytest.fixture
def rare():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (60, 12)), rng.normal(6, 1, (9, 12))]).astype(np.float32)
    return x[:, :, None], np.repeat([0, 2], [60, 9])


def test_smote_fills_up_with_points_between_neighbours(rare):
    x, y = rare
    made, labels = balance.smote(x, y, CLASSES, seed=1)
    assert made.shape == (120, 12, 1)
    assert made.dtype == np.float32
    assert np.bincount(labels).tolist() == [60, 0, 60]
    np.testing.assert_array_equal(made[: len(x)], x)
    own, new = x[y == 2, :, 0], made[len(x) :, :, 0]
    assert (new >= own.min(axis=0) - 1e-5).all()
    assert (new <= own.max(axis=0) + 1e-5).all()
    again, _ = balance.smote(x, y, CLASSES, seed=1)
    np.testing.assert_array_equal(again, made)
    assert not np.array_equal(balance.smote(x, y, CLASSES, seed=2)[0], made)


def test_tomek_removes_touching_pairs():
    x = np.array([0, 1, 2, 3, 10, 11, 12, 3.1])[:, None]
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    plain, _ = balance.smote(x, y, ("N", "S"), neighbours=2)
    cleaned, labels = balance.smote(x, y, ("N", "S"), tomek=True, neighbours=2)
    assert {3.0, 3.1} <= set(plain[:, 0].tolist())
    assert not {3.0, 3.1} & set(cleaned[:, 0].tolist())
    assert len(cleaned) == len(labels) == len(plain) - 2


def test_too_few_to_have_neighbours(rare):
    x, y = rare
    with pytest.raises(InputError, match=r"Class 'V' has 9 training examples, too few for SMOTE with 9"):
        balance.smote(x, y, CLASSES, neighbours=9)
    assert len(balance.smote(x, y, CLASSES, neighbours=8)[1]) == 120


def test_weights_make_classes_count_the_same():
    y = np.repeat([0, 2], [60, 20])
    weights = np.array(balance.class_weights(y, CLASSES))
    assert weights[1] == 0
    assert weights[0] * 60 == pytest.approx(weights[2] * 20)
    assert weights[y].mean() == pytest.approx(1)
