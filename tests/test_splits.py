"""Splits: nobody on two sides, however one asks."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_lessons import splits
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.signals import beat_sets, labels


def people(patient, y=None):
    patient = np.asarray(patient).astype(str)
    y = np.zeros(len(patient), int) if y is None else np.asarray(y)
    return Examples(np.zeros((len(patient), 1)), y, patient, ("N", "V"))


@given(each=st.lists(st.integers(1, 5), min_size=12, max_size=40), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_patients_stay_apart(each, seed):
    rows = people(np.repeat(np.arange(len(each)), each))
    for split in (splits.by_patient(rows, seed=seed), *splits.grouped_folds(rows, 5, seed)):
        sides = [set(rows.patient[index]) for index in split.sides.values()]
        assert len(set.union(*sides)) == sum(len(side) for side in sides)
        assert sum(len(index) for index in split.sides.values()) == len(rows)


def test_every_patient_is_tested_once():
    rows = people(np.repeat(np.arange(50), 3))
    tested = np.concatenate([split.test for split in splits.grouped_folds(rows, 5, 1)])
    np.testing.assert_array_equal(np.sort(tested), np.arange(150))


def test_classes_are_spread_evenly():
    y = np.repeat(np.arange(50) % 5 == 0, 4).astype(int)
    rows = people(np.repeat(np.arange(50), 4), y)
    for split in splits.grouped_folds(rows, 5, 0):
        assert 0.1 <= y[split.test].mean() <= 0.3


def test_random_beats_leaks_and_says_so():
    rows = people(np.repeat(np.arange(10), 20))
    split = splits.random_beats(rows, seed=0)
    assert set(rows.patient[split.train]) & set(rows.patient[split.test])
    assert (split.name, split.kind) == ("random-beats", "leaky")
    assert [len(index) for index in split.sides.values()] == [120, 40, 40]


@pytest.mark.parametrize("where", ["validation", "test"])
def test_guard_refuses_a_patient_on_two_sides(where):
    patient = np.array(["a", "a", "b", "c"])
    sides = {"train": np.array([0]), "validation": np.array([2]), "test": np.array([3])}
    sides[where] = np.append(sides[where], 1)
    with pytest.raises(InputError, match=f"patient a stands in train and in {where}"):
        splits.Split(**sides, name="mine").guard(patient)
    splits.Split(**sides, name="mine", kind="leaky").guard(patient)


@pytest.mark.parametrize(
    ("sides", "patient", "words"),
    [
        (([0, 1], [2], [1]), ["a", "b", "c"], "row 1 stands in train and in test"),
        (([0], [1], [9]), ["a", "b", "c", "d"], "there is no row 9, the examples have 4"),
    ],
)
def test_even_the_leaky_split_has_each_row_once(sides, patient, words):
    with pytest.raises(InputError, match=words):
        splits.Split(*sides, "mine", "leaky").guard(np.array(patient))


@pytest.mark.parametrize(("name", "kind"), [("random-beats", "apart"), ("by-patient", "leaky")])
def test_the_kind_decides_and_not_the_name(name, kind):
    split = splits.Split([0], [1], [2], name, kind)
    if kind == "leaky":
        split.guard(np.array(["a", "b", "a"]))
    else:
        with pytest.raises(InputError, match="call the split leaky"):
            split.guard(np.array(["a", "b", "a"]))
    with pytest.raises(InputError, match="no kind of split 'leeky': did you mean 'leaky'"):
        splits.Split([0], [1], [2], name, "leeky")


def test_201_and_202_land_on_one_side():
    rows = people(np.repeat(np.arange(200, 230), 4))
    for seed in range(10):
        for split in splits.grouped_folds(rows, 5, seed):
            sides = [set(rows.patient[index]) for index in split.sides.values()]
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
    split = splits.Split([0], [1], [2], "mine")
    with pytest.raises(InputError, match=words):
        split.guard(np.array(patient, dtype=object))


@pytest.mark.parametrize(("one", "other"), [("1_2", "12"), ("p1", "p11"), ("100.5", "100"), ("nan", "inf")])
def test_different_people_stay_different(one, other):
    split = splits.Split([0], [1], [2], "mine")
    split.guard(np.array([one, "somebody", other]))


@pytest.mark.parametrize(
    ("record", "refused"), [(["201", "100", "202"], True), ([202, 100, 202], True), (["1", "201", "202"], False)]
)
def test_a_new_name_for_the_patient_of_a_record_does_not_help(record, refused):
    split = splits.Split([0], [1], [2], "mine")
    patient = np.array(["Anna", "Ben", "Clara"])
    if refused:
        with pytest.raises(InputError, match=r"record 20\d stands in train and in test"):
            split.guard(patient, record=np.array(record))
    else:  # another database, where the numbers mean nothing
        split.guard(patient, record=np.array(record))


def test_new_names_do_not_get_past_the_splits_either():
    rows = records(["100", "101", "103", "201", "202"], each=8)
    renamed = replace(rows, patient=np.arange(len(rows)).astype(str))
    with pytest.raises(InputError, match=r"record \w+ stands in"):
        splits.by_patient(renamed)


@pytest.mark.parametrize("kind", ["apart", "leaky"])
def test_copies_of_a_row_are_refused(kind):
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    x[3] = x[0]  # a rare class "balanced" before the split
    content = splits.fingerprints({"signal": x, "rr": np.ones((4, 1))})
    with pytest.raises(InputError, match="a copy of row 0 stands in train and in test"):
        splits.Split([0, 1], [2], [3], "mine", kind).guard(np.arange(4), content=content)
    splits.Split([0, 3], [2], [1], "mine", kind).guard(np.arange(4), content=content)


def test_views_are_seen_as_the_copies_they_are_and_flat_rows_are_not():
    signal = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    view = np.lib.stride_tricks.as_strided(signal, (2, 4), (0, 4))
    assert len(np.unique(splits.fingerprints(view))) == 1
    np.testing.assert_array_equal(splits.fingerprints(signal[::2]), splits.fingerprints(signal[::2].copy()))
    assert len(np.unique(splits.fingerprints(np.zeros((5, 4))))) == 5


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
        splits.Split(train, [1], [2], "mine", "leaky")


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
    assert {(one.name, one.kind) for one in found} == {(f"beats-fold-{k}", "leaky") for k in range(5)}
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
        splits.Split(one, [], two, "de-chazal").guard(**splits.known(rows))


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
    together = next(one for one in found if one.name == "leave-out-201")
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
def test_a_personal_split_is_no_way_past_the_guard(train, test, time, words):
    patient = np.array(["a"] * 4 + ["b"] * 2)
    with pytest.raises(InputError, match=words):
        splits.Split(train, [], test, "first-minutes", "personal").guard(patient, time=time)


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


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("random-beats", lambda rows: splits.random_beats(rows, seed=42)),
        ("by-patient", lambda rows: splits.by_patient(rows, seed=42)),
        ("de-chazal", lambda rows: splits.de_chazal(rows, seed=42)),
        ("fold-3", lambda rows: list(splits.grouped_folds(rows, seed=42))[3]),
        ("beats-fold-9", lambda rows: list(splits.stratified_folds(rows, seed=42))[9]),
    ],
)
def test_a_split_bears_the_name_of_the_command_line(name, made):
    rows = records([*splits.DS1, *splits.DS2], each=20)
    split, same = splits.named(rows, name), made(rows)
    assert split.name == same.name == name
    assert (split.kind == "leaky") == splits.is_leaky(name)
    for side in splits.SIDES:
        np.testing.assert_array_equal(split.sides[side], same.sides[side])
    with pytest.raises(InputError, match=f"There is no split '{name}0': did you mean '{name}'"):
        splits.named(rows, name + "0")


CLASSES = ("N", "A", "O", "~")
CINC_2017 = (5076, 758, 2415, 279)


def cohort(*counts, seed=0):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    name = np.array([f"A{number:05d}" for number in range(1, len(y) + 1)])
    return Examples(np.zeros((len(y), 1)), y, name, CLASSES, pd.DataFrame({"record": name}))


@pytest.fixture(scope="module")
def challenge():
    return cohort(*CINC_2017)


def test_folds_have_the_sizes_of_the_paper_and_test_everything_once(challenge):
    folds = [splits.recording_fold(challenge, number) for number in range(5)]
    for split in folds:
        sizes = [len(rows) for rows in split.sides.values()]
        np.testing.assert_allclose(sizes, (5683, 1139, 1706), atol=3)
        assert sum(sizes) == 8528
        for rows in split.sides.values():
            share = np.bincount(challenge.y[rows]) / len(rows)
            np.testing.assert_allclose(share, np.array(CINC_2017) / 8528, atol=1e-3)
    np.testing.assert_array_equal(np.sort(np.concatenate([s.test for s in folds])), np.arange(8528))
    assert folds[3].name == "fold-3"


def test_a_seed_gives_one_split_and_another_seed_another(challenge):
    one, same, other = (splits.recording_fold(challenge, 1, seed=seed) for seed in (14, 14, 7))
    np.testing.assert_array_equal(one.validation, same.validation)
    assert not np.array_equal(one.test, other.test)


@pytest.mark.parametrize(
    ("sizes", "want", "name"),
    [
        ((0.6, 0.2, 0.2), (600, 200, 200), "shares-0.6-0.2-0.2"),
        ((0.5, 0.1, 0.2), (500, 100, 200), "shares-0.5-0.1-0.2"),
        ((300, 50, 100), (300, 50, 100), "recordings-300-50-100"),
    ],
)
def test_sizes_as_shares_or_numbers(sizes, want, name):
    rows = cohort(600, 100, 250, 50)
    split = splits.sized(rows, *sizes, seed=3)
    assert tuple(len(rows) for rows in split.sides.values()) == want
    assert split.name == name
    np.testing.assert_allclose(np.bincount(rows.y[split.test]) / want[2], (0.6, 0.1, 0.25, 0.05), atol=0.011)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0.6, 0.3, 0.2), "come to 1.1"),
        ((800, 200, 100), "1100 recordings are asked for, and there are 1,000"),
        ((0.6, 100, 100), "0.6 is no size for train"),
        ((0.8, 0, 0.2), "0 is no size for validation"),
        ((600, -1, 100), "-1 is no size for validation"),
        ((600, 100.5, 100), "100.5 is no size for validation"),
        ((900, 97, 3), "3 of 1000 recordings cannot hold each of the 4 classes"),
    ],
)
def test_sizes_that_cannot_be(sizes, message):
    with pytest.raises(InputError, match=message):
        splits.sized(cohort(600, 100, 250, 50), *sizes)


def test_folds_that_cannot_be():
    with pytest.raises(InputError, match="no fold 5: choose one from 0 to 4"):
        splits.recording_fold(cohort(20, 20, 20, 20), 5)
    with pytest.raises(InputError, match="Class '~' has 4 recordings, fewer than 5"):
        splits.recording_fold(cohort(20, 20, 20, 4), 0)
    with pytest.raises(InputError, match="1 is too few"):
        splits.recording_fold(cohort(20, 20), 0, folds=1)
    with pytest.raises(InputError, match="1 is no share for validation"):
        splits.recording_fold(cohort(20, 20), 0, validation=1)


def test_a_patient_with_two_recordings_is_refused():
    rows = cohort(20, 20)
    rows.patient[7] = rows.patient[3]
    for make in (lambda: splits.recording_fold(rows, 0), lambda: splits.sized(rows, 0.6, 0.2, 0.2)):
        with pytest.raises(InputError, match="has 2 recordings: keep patients apart with"):
            make()


def test_a_file_gives_the_split_back_whatever_the_order_of_the_recordings(tmp_path):
    rows = cohort(60, 20, 30, 10)
    split = splits.sized(rows, 0.5, 0.2, 0.2)
    path = splits.write(split, rows, tmp_path / "new" / "split.json", {"seed": 14})
    turned = rows.take(np.arange(len(rows))[::-1])
    back = splits.read(path, turned)
    for side, numbers in split.sides.items():
        assert set(turned.patient[back.sides[side]]) == set(rows.patient[numbers])
    content = json.loads(path.read_text())
    assert back.name == split.name
    assert content["made"] == {"seed": 14}
    assert sum(content["classes"]["test"].values()) == len(content["test"]) == 24
    assert [p.name for p in path.parent.iterdir()] == ["split.json"]


def damage(content, how):
    match how:
        case "unknown":
            content["test"][0] = "B1"
        case "twice":
            content["test"].append(content["test"][0])
        case "two sides":
            content["train"].append(content["test"][0])
        case "missing":
            content["train"].pop()
        case "side":
            del content["validation"]
        case "numbers":
            content["train"] = [1, 2]
        case "name":
            del content["name"]
    return content


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("unknown", "'B1' of test is not among the 120 recordings"),
        ("twice", "stands twice in test"),
        ("two sides", "stands in train and in test"),
        ("missing", "does not name recording 'A"),
        ("side", "'validation' must list the names of recordings"),
        ("numbers", "'train' must list the names of recordings"),
        ("name", "is no split"),
    ],
)
def test_damaged_files(tmp_path, how, message):
    rows = cohort(60, 20, 30, 10)
    path = splits.write(splits.recording_fold(rows, 0), rows, tmp_path / "split.json")
    path.write_text(json.dumps(damage(json.loads(path.read_text()), how)))
    with pytest.raises(InputError, match=message) as told:
        splits.read(path, rows)
    assert str(path) in str(told.value)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "split.json"
    with pytest.raises(InputError, match="No such file or directory"):
        splits.read(path, cohort(10))
    for content in ('{"train": [', "[]"):
        path.write_text(content)
        with pytest.raises(InputError, match="is damaged: make the split anew"):
            splits.read(path, cohort(10))
    path.write_text("{}")
    with pytest.raises(InputError, match="is no split"):
        splits.read(path, cohort(10))


def test_only_one_row_a_recording(tmp_path):
    rows = cohort(10, 10)
    split = splits.recording_fold(rows, 0)
    rows.info["record"] = "A1"
    with pytest.raises(InputError, match="'A1' has 20 rows"):
        splits.write(split, rows, tmp_path / "split.json")


def test_a_leaky_split_of_recordings_comes_back_as_one(tmp_path):
    rows = cohort(10, 10)
    rows.patient[:] = "Anna"
    path = splits.write(splits.random_beats(rows), rows, tmp_path / "split.json")
    assert splits.read(path, rows).kind == "leaky"
    path.write_text(path.read_text().replace('"leaky"', '"apart"'))
    with pytest.raises(InputError, match="patient anna stands in train"):
        splits.read(path, rows)
