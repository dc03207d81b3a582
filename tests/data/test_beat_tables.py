"""The CSV tables of beats, read and written."""

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ecg_lessons.data.beat_tables import SAMPLES, read_beats, write_beats
from ecg_lessons.errors import InputError

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mitbih_test.csv"


@pytest.fixture
def lines(path) -> list[str]:
    """The lines of a good table of three beats, classes 0, 4 and 1, as numpy.savetxt writes them."""
    values = np.random.default_rng(0).random((3, SAMPLES + 1))
    values[:, -1] = [0, 4, 1]
    np.savetxt(path, values, delimiter=",")
    return path.read_text().splitlines()


def refusal(path, *args) -> str:
    with pytest.raises(InputError) as told:
        read_beats(path, *args)
    message = str(told.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    x=arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.just(SAMPLES)), elements=FLOATS),
    label=st.integers(0, 4),
)
def test_beats_come_back_as_they_were(tmp_path, x, label):
    y = np.full(len(x), label)
    write_beats(tmp_path / "x.csv", x, y)
    back, classes = read_beats(tmp_path / "x.csv")
    np.testing.assert_array_equal(back, x)
    np.testing.assert_array_equal(classes, y)
    assert (back.dtype, classes.dtype.kind) == (np.float32, "i")


def test_the_published_way_of_writing_is_read(path, lines):
    assert lines[0].endswith(",0.000000000000000000e+00")
    x, y = read_beats(path)
    assert x.shape == (3, SAMPLES)
    assert x[1, 2] == np.float32(lines[1].split(",")[2])
    assert y.tolist() == [0, 4, 1]


def test_others_read_what_is_written(path):
    x = np.random.default_rng(1).random((4, SAMPLES), dtype=np.float32)
    write_beats(path, x, np.array([0, 1, 2, 3]))
    table = np.loadtxt(path, delimiter=",")
    np.testing.assert_array_equal(table[:, :-1].astype(np.float32), x)
    assert table[:, -1].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "count"), [(lambda row: row.rpartition(",")[0], 187), (lambda row: "0.5," + row, 189)]
)
def test_too_few_or_too_many_columns(path, lines, change, count):
    path.write_text("\n".join(map(change, lines)))
    assert f"has {count} columns: expected 187 samples and the class = 188" in refusal(path)
    path.write_text("\n".join([*lines[:2], change(lines[2])]))
    assert f"row 3: {count} values" in refusal(path)


def test_a_table_of_186_samples_without_class(path, lines):
    path.write_text("\n".join(",".join(line.split(",")[:186]) for line in lines))
    assert "has 186 columns" in refusal(path)


@pytest.mark.parametrize("cell", ["abc", "nan", "NaN", "inf", "1e99", "1_0"])
@pytest.mark.parametrize("column", [6, 188])
def test_a_value_that_is_no_number_is_named(path, lines, cell, column):
    row = lines[1].split(",")
    path.write_text("\n".join([lines[0], ",".join([*row[: column - 1], cell, *row[column:]]), lines[2]]))
    assert f"row 2, column {column}: {cell!r} is not a finite number" in refusal(path)


def test_an_empty_cell_is_named(path, lines):
    row = lines[2].split(",")
    path.write_text("\n".join([*lines[:2], ",".join(["", *row[1:]])]))
    assert "row 3, column 1: the cell is empty" in refusal(path)


def test_a_header_is_told(path, lines):
    path.write_text("\n".join([",".join(f"s{k}" for k in range(188)), *lines]))
    assert "row 1, column 1: 's0' is not a finite number" in refusal(path)


@pytest.mark.parametrize(
    ("label", "classes", "words"),
    [
        ("5.0", 5, "is 5: expected a whole number from 0 to 4"),
        ("-1", 5, "is -1: expected a whole number from 0 to 4"),
        ("1.5", 5, "is 1.5: expected a whole number from 0 to 4"),
        ("2.0", 2, "is 2: expected a whole number from 0 to 1"),
    ],
)
def test_bad_classes_are_named(path, lines, label, classes, words):
    rows = [f"{line.rpartition(',')[0]},{label if k else '1.0'}" for k, line in enumerate(lines)]
    path.write_text("\n".join(rows))
    assert f"row 2: the class (column 188) {words}" in refusal(path, classes)


def test_what_is_no_table_at_all(path, tmp_path):
    path.write_bytes(b"")
    assert "is empty" in refusal(path)
    path.write_bytes(b"PK\3\4\0\0,;\0")
    assert "binary" in refusal(path)
    path.write_text("some words\n")
    assert "has 1 columns" in refusal(path)
    path.write_bytes("é\n".encode("latin-1"))
    assert "not UTF-8" in refusal(path)
    path.unlink()
    assert "No file" in refusal(path)
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((2, 186)), [0, 1], r"shape \(2, 186\); they must be finite numbers of shape \(2, 187\)"),
        (np.full((1, 187), np.nan), [0], "must be finite"),
        (np.zeros((0, 187)), [], "must be finite numbers of shape"),
        (np.zeros((1, 187)), [0.5], "whole numbers"),
        (np.zeros((1, 187)), [-1], "whole numbers"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(path, x, y, words):
    with pytest.raises(InputError, match=words):
        write_beats(path, x, y)
    assert not path.exists()


def test_a_full_disk_leaves_the_old_table(path, lines, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = path.read_text()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_beats(path, np.zeros((1, SAMPLES)), np.array([0]))
    assert [file.read_text() for file in path.parent.iterdir()] == [before]
