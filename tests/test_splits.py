"""Splits: nobody on two sides, however one asks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_lessons import guard, splits
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.signals import beat_sets, labels


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


DISGUISES = [
    (["201", "Anna", "202"], "patient 201"),
    ([201, "Anna", "201"], "patient 201"),
    ([201, 7, 201.0], "patient 201"),
    (["201 ", "Anna", " 202"], "patient 201"),
    (["2\u200b01", "Anna", "\u00a0201"], "patient 201"),
    (["0201", "Anna", "201"], "patient 201"),
    ([b"201", "Anna", "202"], "patient 201"),
    (["ann a", "Ben", "ANNA"], "patient anna"),
    (["p\uff11", "Ben", "P1"], "patient p1"),
]


@pytest.mark.parametrize(("patient", "words"), DISGUISES)
def test_guard_sees_through_spelling(patient, words):
    split = splits.Split(np.array([0]), np.array([1]), np.array([2]), "mine")
    with pytest.raises(InputError, match=words):
        split.guard(np.array(patient, dtype=object))


@pytest.mark.parametrize(("one", "other"), [("1_2", "12"), ("p1", "p11"), ("100.5", "100"), ("nan", "inf")])
def test_different_people_stay_different(one, other):
    split = splits.Split(np.array([0]), np.array([1]), np.array([2]), "mine")
    split.guard(np.array([one, "somebody", other]))


@pytest.mark.parametrize(
    ("record", "refused"),
    [(["201", "100", "202"], True), ([202, 100, 202], True), (["1", "201", "202"], False)],
)
def test_a_new_name_for_the_patient_of_a_record_does_not_help(record, refused):
    split = splits.Split(np.array([0]), np.array([1]), np.array([2]), "mine")
    patient = np.array(["Anna", "Ben", "Clara"])
    if refused:
        with pytest.raises(InputError, match=r"record 20\d stands in train and in test"):
            split.guard(patient, record=np.array(record))
    else:  # another database, where the numbers mean nothing
        split.guard(patient, record=np.array(record))


def test_new_names_do_not_get_past_the_splits_either():
    rows = records(["100", "101", "103", "201", "202"], each=8)
    renamed = Examples(rows.x, rows.y, np.arange(len(rows)).astype(str), rows.classes, rows.info)
    with pytest.raises(InputError, match=r"record \w+ stands in"):
        splits.by_patient(renamed)


@pytest.mark.parametrize("name", ["mine", splits.LEAKY])
def test_copies_of_a_row_are_refused(name):
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    x[3] = x[0]  # a rare class "balanced" before the split
    content = guard.fingerprints({"signal": x, "rr": np.ones((4, 1))})
    with pytest.raises(InputError, match="a copy of row 0 stands in train and in test"):
        splits.Split(np.array([0, 1]), np.array([2]), np.array([3]), name).guard(
            np.arange(4), content=content
        )
    splits.Split(np.array([0, 3]), np.array([2]), np.array([1]), name).guard(np.arange(4), content=content)


def test_views_are_seen_as_the_copies_they_are_and_flat_rows_are_not():
    signal = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    view = np.lib.stride_tricks.as_strided(signal, (2, 4), (0, 4))
    assert len(np.unique(guard.fingerprints(view))) == 1
    np.testing.assert_array_equal(guard.fingerprints(signal[::2]), guard.fingerprints(signal[::2].copy()))
    assert len(np.unique(guard.fingerprints(np.zeros((5, 4))))) == 5


def test_sides_are_copies_that_nobody_can_change_afterwards():
    rows = np.array([0, 1])
    split = splits.Split(rows[:], np.array([2]), np.array([3]), "mine").guard(np.arange(4))
    rows[:] = 3
    assert list(split.train) == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        split.train[0] = 3


@pytest.mark.parametrize("train", [[-1], [True, False], [0.5], [[0]]])
def test_sides_are_row_numbers(train):
    with pytest.raises(InputError, match="give train as row numbers"):
        splits.Split(np.array(train), np.array([1]), np.array([2]), splits.LEAKY)


def test_rows_beyond_the_end_are_refused():
    with pytest.raises(InputError, match="there is no row 9, the examples have 4"):
        splits.Split(np.array([0]), np.array([1]), np.array([9]), splits.LEAKY).guard(np.arange(4))


def records(names, each=40, seed=0):
    """Rows of records of the MIT-BIH database, a minute apart."""
    record = np.repeat(np.asarray(names).astype(str), each)
    x = np.random.default_rng(seed).normal(size=(len(record), 5))
    y = np.arange(len(record)) % 4 // 3
    patient = np.array([recordings.SAME_PERSON.get(name, name) for name in record])
    info = pd.DataFrame({"record": record, "time": np.tile(60.0 * np.arange(each), len(names))})
    return Examples(x, y, patient, ("N", "V"), info)


def test_stratified_folds_test_every_row_once_with_even_classes():
    rows = records(["100", "101"], each=100)
    found = list(splits.stratified_folds(rows, 5, seed=1))
    np.testing.assert_array_equal(np.sort(np.concatenate([one.test for one in found])), np.arange(200))
    assert {one.name for one in found} == {splits.LEAKY}
    for one in found:
        assert [len(one.train), len(one.validation), len(one.test)] == [140, 20, 40]
        np.testing.assert_allclose(np.bincount(rows.y[one.test]), [30, 10], atol=1)


def test_a_class_with_no_beat_in_a_fold():
    rows = people(np.repeat(np.arange(20), 5), (np.arange(100) == 50).astype(int))
    with pytest.raises(InputError, match=r"class 'V' has no row in \w+; take fewer folds, or leave"):
        list(splits.stratified_folds(rows, 5))
    with pytest.raises(InputError, match="class 'V' has no row in"):
        list(splits.grouped_folds(rows, 5, every_class=True))
    assert len(list(splits.grouped_folds(rows, 5))) == 5


def test_de_chazal_divides_by_record_and_keeps_the_one_person_on_one_side():
    rows = records([*splits.DS1, *splits.DS2, *splits.PACED])
    for seed in range(3):
        split = splits.de_chazal(rows, seed=seed)
        sides = {side: set(rows.info.record[index]) for side, index in split.sides.items()}
        assert sides["test"] == set(splits.DS2)
        assert sides["train"] | sides["validation"] == set(splits.DS1) - {"201"}
        assert 3 <= len(sides["validation"]) <= 6
    assert set(rows.info.record[splits.de_chazal(rows, leave_out="202").test]) == set(splits.DS2) - {"202"}


def test_the_published_division_is_refused():
    rows = records([*splits.DS1, *splits.DS2])
    one, two = (np.flatnonzero(rows.info.record.isin(part)) for part in (splits.DS1, splits.DS2))
    with pytest.raises(InputError, match="patient 201 stands in train and in test"):
        splits.Split(one, [], two, "de_chazal").guard(**guard.known(rows))


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        (people(["100", "101"]), {}, "do not say the record of a row"),
        (records(["100", "x7"]), {}, "Record 'x7' is in neither DS1 nor DS2"),
        (records(splits.DS1), {}, "No rows of DS2"),
        (records(splits.DS2), {}, "No rows of DS1"),
        (records(["101", "106", "100"]), {}, "2 patients are too few to train and to validate"),
        (records(["101"]), {"leave_out": "100"}, "Leave out record 201 or 202"),
    ],
)
def test_de_chazal_says_what_is_wrong(rows, options, words):
    with pytest.raises(InputError, match=words):
        splits.de_chazal(rows, **options)


@pytest.mark.parametrize("count", [3, 5, 24])
def test_leave_one_patient_out(count):
    rows = records([*splits.DS2[:2], "201", "202", *splits.DS2[10:]][: count + 1])
    found = list(splits.leave_one_patient_out(rows))
    assert len(found) == len(np.unique(rows.patient))
    np.testing.assert_array_equal(np.sort(np.concatenate([one.test for one in found])), np.arange(len(rows)))
    assert all(len(one.train) and len(one.validation) for one in found)
    together = next(one for one in found if one.name == "leave_out_201")
    assert set(rows.info.record[together.test]) == {"201", "202"}


def test_leave_one_patient_out_needs_three():
    with pytest.raises(InputError, match="2 patients are too few"):
        next(splits.leave_one_patient_out(records(["100", "101"])))


def test_first_minutes_never_learn_from_the_future():
    rows = records(["100", "201", "202"], each=30)
    split = splits.first_minutes(rows, " 202", 10)
    minute = rows.info.time.to_numpy() / 60
    assert set(rows.patient[np.concatenate(list(split.sides.values()))]) == {"201"}
    assert set(minute[split.train]) == set(range(8))
    assert set(minute[split.validation]) == {8, 9}
    assert set(minute[split.test]) == set(range(10, 30))


@pytest.mark.parametrize(
    ("patient", "minutes", "words"),
    [
        ("7", 10, "There is no patient '7'"),
        ("100", 0, "no rows before minute 0"),
        ("100", 99, "no rows after minute 99"),
    ],
)
def test_first_minutes_says_what_is_wrong(patient, minutes, words):
    with pytest.raises(InputError, match=words):
        splits.first_minutes(records(["100"]), patient, minutes)


@pytest.mark.parametrize(
    ("train", "test", "time", "words"),
    [
        ([0, 1], [2, 3], None, "needs the time"),
        ([0, 1], [2, 4], np.arange(6.0), "one patient only"),
        ([0, 3], [1, 2], np.arange(6.0), "not earlier"),
    ],
)
def test_the_name_first_minutes_is_no_way_past_the_guard(train, test, time, words):
    patient = np.array(["a"] * 4 + ["b"] * 2)
    with pytest.raises(InputError, match=words):
        splits.Split(np.array(train), [], np.array(test), splits.PERSONAL).guard(patient, time=time)


def test_real_counts_of_de_chazal(real):
    info = pd.concat(beat_sets.table(one) for one in recordings.mitdb(real / "mitdb" / "1.0.0"))
    y = labels.encode(info["symbol"], "aami")
    counted = [np.bincount(y[info["record"].isin(part) & (y >= 0)]) for part in (splits.DS1, splits.DS2)]
    assert counted[0].tolist() == [45_866, 944, 3_788, 415, 8]
    assert counted[1].tolist() == [44_259, 1_837, 3_221, 388, 7]
    known = (y >= 0) & ~info["record"].isin(recordings.PACED)
    x = np.arange(known.sum())[:, None]
    rows = Examples(x, y[known], info["patient"].to_numpy()[known], labels.classes("aami"), info[known])
    for seed in range(3):  # S and V live in few patients: a careless draw leaves half of S to validation
        part = splits.de_chazal(rows, seed=seed)
        held, learnt = (np.bincount(rows.y[side], minlength=5) for side in (part.validation, part.train))
        assert (np.abs(held / (held + learnt) - 0.2)[:3] < 0.12).all()


def test_beats_copied_before_the_split_do_not_get_past_it():
    rows = records(["100", "101", "103"])
    twice = rows.take(np.append(np.arange(len(rows)), np.arange(60)))
    with pytest.raises(InputError, match="a copy of row"):
        splits.random_beats(twice)
