"""Splits: nobody on two sides, however one asks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_lessons import splits
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples


def people(patient, y=None):
    patient = np.asarray(patient).astype(str)
    y = np.zeros(len(patient), int) if y is None else np.asarray(y)
    return Examples(np.zeros((len(patient), 1)), y, patient, ("N", "V"))


@given(
    rows=st.lists(st.integers(1, 5), min_size=12, max_size=40),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25, deadline=None)
def test_patients_stay_apart(rows, seed):
    given_ = people(np.repeat(np.arange(len(rows)), rows))
    for split in (splits.by_patient(given_, seed=seed), *splits.grouped_folds(given_, 5, seed)):
        sides = [set(given_.patient[index]) for index in split.sides.values()]
        assert len(set.union(*sides)) == sum(len(side) for side in sides)
        assert sum(len(index) for index in split.sides.values()) == len(given_)


def test_every_patient_is_tested_once():
    given_ = people(np.repeat(np.arange(50), 3))
    tested = np.concatenate([split.test for split in splits.grouped_folds(given_, 5, 1)])
    np.testing.assert_array_equal(np.sort(tested), np.arange(150))


def test_classes_are_spread_evenly():
    y = np.repeat(np.arange(50) % 5 == 0, 4).astype(int)
    given_ = people(np.repeat(np.arange(50), 4), y)
    for split in splits.grouped_folds(given_, 5, 0):
        assert 0.1 <= y[split.test].mean() <= 0.3


def test_random_beats_leaks_and_says_so():
    given_ = people(np.repeat(np.arange(10), 20))
    split = splits.random_beats(given_, seed=0)
    assert set(given_.patient[split.train]) & set(given_.patient[split.test])
    assert split.name == splits.LEAKY
    assert [len(index) for index in split.sides.values()] == [120, 40, 40]


@pytest.mark.parametrize("where", ["validation", "test"])
def test_guard_refuses_a_patient_on_two_sides(where):
    patient = np.array(["a", "a", "b", "c"])
    sides = {"train": np.array([0]), "validation": np.array([2]), "test": np.array([3])}
    sides[where] = np.append(sides[where], 1)
    with pytest.raises(InputError, match=f"patient a stands in train and in {where}"):
        splits.Split(**sides, name="mine").guard(patient)
    splits.Split(**sides, name=splits.LEAKY).guard(patient)


def test_guard_refuses_one_row_twice_even_in_the_leaky_split():
    one = np.array([0, 1])
    with pytest.raises(InputError, match="row 1 stands in train and in test"):
        splits.Split(one, np.array([2]), np.array([1]), splits.LEAKY).guard(np.array(["a", "b", "c"]))


def test_guard_knows_that_201_and_202_are_one_person():
    patient = np.array(["201", "202", "203"])
    with pytest.raises(InputError, match="patient 201"):
        splits.Split(np.array([0]), np.array([2]), np.array([1]), "mine").guard(patient)


def test_201_and_202_land_on_one_side():
    given_ = people(np.repeat(np.arange(200, 230), 4))
    for seed in range(10):
        for split in splits.grouped_folds(given_, 5, seed):
            sides = [set(given_.patient[index]) for index in split.sides.values()]
            assert all(("201" in side) == ("202" in side) for side in sides)


def test_too_few_patients_for_the_folds():
    with pytest.raises(InputError, match="4 patients are too few for 10 folds"):
        list(splits.grouped_folds(people(["a", "b", "c", "d"]), 5))
