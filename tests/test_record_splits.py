"""Splits of recordings: the published folds, other sizes, and the files that keep them."""

import json

import numpy as np
import pandas as pd
import pytest

from ecg_lessons import record_splits
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples

CLASSES = ("N", "A", "O", "~")
CINC_2017 = (5076, 758, 2415, 279)


def recordings(*counts, seed=0):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    name = np.array([f"A{number:05d}" for number in range(1, len(y) + 1)])
    return Examples(np.zeros((len(y), 1)), y, name, CLASSES, pd.DataFrame({"record": name}))


@pytest.fixture(scope="module")
def challenge():
    return recordings(*CINC_2017)


def test_folds_have_the_sizes_of_the_paper_and_test_everything_once(challenge):
    folds = [record_splits.fold(challenge, number) for number in range(5)]
    for split in folds:
        sizes = [len(rows) for rows in split.sides.values()]
        np.testing.assert_allclose(sizes, (5683, 1139, 1706), atol=3)
        assert sum(sizes) == 8528
        for rows in split.sides.values():
            share = np.bincount(challenge.y[rows]) / len(rows)
            np.testing.assert_allclose(share, np.array(CINC_2017) / 8528, atol=1e-3)
    np.testing.assert_array_equal(np.sort(np.concatenate([s.test for s in folds])), np.arange(8528))
    assert folds[3].name == "fold_3_of_5"


def test_a_seed_gives_one_split_and_another_seed_another(challenge):
    one, same, other = (record_splits.fold(challenge, 1, seed=seed) for seed in (14, 14, 7))
    np.testing.assert_array_equal(one.validation, same.validation)
    assert not np.array_equal(one.test, other.test)
    assert other.name == "fold_1_of_5_seed_7"


@pytest.mark.parametrize(
    ("sizes", "want", "name"),
    [
        ((0.6, 0.2, 0.2), (600, 200, 200), "shares_0.6_0.2_0.2_seed_3"),
        ((0.5, 0.1, 0.2), (500, 100, 200), "shares_0.5_0.1_0.2_seed_3"),
        ((300, 50, 100), (300, 50, 100), "recordings_300_50_100_seed_3"),
    ],
)
def test_sizes_as_shares_or_numbers(sizes, want, name):
    given = recordings(600, 100, 250, 50)
    split = record_splits.sized(given, *sizes, seed=3)
    assert tuple(len(rows) for rows in split.sides.values()) == want
    assert split.name == name
    np.testing.assert_allclose(np.bincount(given.y[split.test]) / want[2], (0.6, 0.1, 0.25, 0.05), atol=0.011)


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
        record_splits.sized(recordings(600, 100, 250, 50), *sizes)


def test_folds_that_cannot_be():
    with pytest.raises(InputError, match="no fold 5: choose one from 0 to 4"):
        record_splits.fold(recordings(20, 20, 20, 20), 5)
    with pytest.raises(InputError, match="Class '~' has 4 recordings, fewer than 5"):
        record_splits.fold(recordings(20, 20, 20, 4), 0)
    with pytest.raises(InputError, match="1 is too few"):
        record_splits.fold(recordings(20, 20), 0, folds=1)
    with pytest.raises(InputError, match="1 is no share for validation"):
        record_splits.fold(recordings(20, 20), 0, validation=1)


def test_a_patient_with_two_recordings_is_refused():
    given = recordings(20, 20)
    given.patient[7] = given.patient[3]
    for make in (lambda: record_splits.fold(given, 0), lambda: record_splits.sized(given, 0.6, 0.2, 0.2)):
        with pytest.raises(InputError, match="has 2 recordings: keep patients apart with"):
            make()


def test_a_file_gives_the_split_back_whatever_the_order_of_the_recordings(tmp_path):
    given = recordings(60, 20, 30, 10)
    split = record_splits.sized(given, 0.5, 0.2, 0.2)
    path = record_splits.write(split, given, tmp_path / "new" / "split.json", {"seed": 14})
    turned = given.take(np.arange(len(given))[::-1])
    back = record_splits.read(path, turned)
    for side, rows in split.sides.items():
        assert set(turned.patient[back.sides[side]]) == set(given.patient[rows])
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
        ("unknown", "'B1' of test is not among the 120 recordings read"),
        ("twice", "stands twice in test"),
        ("two sides", "stands in train and in test"),
        ("missing", "does not name recording 'A"),
        ("side", "'validation' lists no recordings"),
        ("numbers", "'train' must be a list of recordings' names"),
        ("name", "is no split"),
    ],
)
def test_damaged_files(tmp_path, how, message):
    given = recordings(60, 20, 30, 10)
    path = record_splits.write(record_splits.fold(given, 0), given, tmp_path / "split.json")
    path.write_text(json.dumps(damage(json.loads(path.read_text()), how)))
    with pytest.raises(InputError, match=message) as told:
        record_splits.read(path, given)
    assert str(path) in str(told.value)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "split.json"
    with pytest.raises(InputError, match="No such file or directory"):
        record_splits.read(path, recordings(10))
    path.write_text('{"train": [')
    with pytest.raises(InputError, match="is not JSON"):
        record_splits.read(path, recordings(10))
    path.write_text("[]")
    with pytest.raises(InputError, match="is no split"):
        record_splits.read(path, recordings(10))


def test_only_one_row_a_recording(tmp_path):
    given = recordings(10, 10)
    split = record_splits.fold(given, 0)
    given.info["record"] = "A1"
    with pytest.raises(InputError, match="'A1' has 20 rows"):
        record_splits.write(split, given, tmp_path / "split.json")
