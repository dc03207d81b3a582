"""The CSV tables of ECGs, labels, predictions and beats."""

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ecg_lessons.data import tables
from ecg_lessons.data.recordings import LEADS
from ecg_lessons.errors import InputError

NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=8)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def signals(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(0, 0.4, (count, 750, 12)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ecgs.csv"


@pytest.fixture
def lines(path) -> list[str]:
    """The lines of a good table of three ECGs."""
    tables.write_ecgs(path, ["a", "b", "c"], signals(3))
    return path.read_text().splitlines()


def refusal(path, read=tables.read_ecgs, *args) -> str:
    with pytest.raises(InputError) as told:
        read(path, *args)
    message = str(told.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES, min_size=1, max_size=2, unique=True), values=arrays.arrays(np.float32, 40, elements=FLOATS)
)
def test_ecgs_come_back_as_they_were(tmp_path, names, values):
    ecgs = np.resize(values, (len(names), 750, 12))
    tables.write_ecgs(tmp_path / "x.csv", names, ecgs)
    ids, back = tables.read_ecgs(tmp_path / "x.csv")
    assert ids == names
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, ecgs)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=st.dictionaries(NAMES, st.integers(0, 1), min_size=1), turn=st.randoms())
def test_labels_come_back_in_any_order(tmp_path, labels, turn):
    tables.write_labels(tmp_path / "y.csv", list(labels), list(labels.values()))
    ids = turn.sample(list(labels), len(labels))
    assert tables.read_labels(tmp_path / "y.csv", ids).tolist() == [labels[name] for name in ids]


def test_leads_are_put_in_standard_order(path):
    row = np.concatenate([np.full(750, number) for number in range(12)])  # I II III aVL aVR aVF V1..V6
    path.write_text("ID," + ",".join(map(str, range(9000))) + "\n7," + ",".join(map(str, row)) + "\n")
    ids, ecgs = tables.read_ecgs(path)
    assert ids == ["7"]
    assert ecgs.shape == (1, 750, 12)
    assert ecgs[0, 0, LEADS.index("aVR")] == 4
    assert ecgs[0, 749, LEADS.index("aVL")] == 3
    assert ecgs[0, :, LEADS.index("V6")].tolist() == [11] * 750


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", ";").replace(".", ","),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.removesuffix("\n"),
    ],
    ids=["semicolons", "decimal commas", "byte order mark", "Windows", "empty lines", "no last line end"],
)
def test_copies_of_a_table_read_alike(path, lines, change):
    path.write_bytes(change("\n".join(lines) + "\n").encode())
    ids, ecgs = tables.read_ecgs(path)
    assert ids == ["a", "b", "c"]
    np.testing.assert_array_equal(ecgs, signals(3))


def test_a_column_missing_from_the_whole_table(path, lines):
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    assert "9000 columns" in refusal(path)
    path.write_text("\n".join(["NAME" + lines[0][2:], *lines[1:]]))
    assert "'NAME'" in refusal(path)


@pytest.mark.parametrize(
    ("change", "count"), [(lambda row: row.rpartition(",")[0], 9000), (lambda row: row + ",1", 9002)]
)
def test_a_short_or_long_row_is_named(path, lines, change, count):
    path.write_text("\n".join([*lines[:2], change(lines[2]), lines[3]]))
    assert f"line 3 (ID 'b'): {count} values" in refusal(path)
    path.write_text("\n".join([lines[0], *map(change, lines[1:])]))
    assert f"line 2 (ID 'a'): {count} values" in refusal(path)


@pytest.mark.parametrize("cell", ["abc", "NaN", "inf", "1e99", "1_0"])
def test_a_value_that_is_no_number_is_named(path, lines, cell):
    row = lines[3].split(",")
    path.write_text("\n".join([*lines[:3], ",".join([*row[:5], cell, *row[6:]])]))
    assert f"line 4 (ID 'c'), column 6: {cell!r} is not a finite number" in refusal(path)


def test_an_empty_cell_is_named(path, lines):
    row = lines[1].split(",")
    path.write_text("\n".join([lines[0], ",".join([*row[:-1], ""]), *lines[2:]]))
    assert "line 2 (ID 'a'), column 9001: the cell is empty" in refusal(path)


def test_ids_must_be_there_and_differ(path, lines):
    path.write_text("\n".join([*lines, lines[1]]))
    assert "row 4 after the header: the ID 'a' comes a second time" in refusal(path)
    path.write_text("\n".join([*lines[:3], lines[3][1:]]))
    assert "row 3 after the header: the ID is empty" in refusal(path)


def test_an_open_quotation_mark_is_told(path, lines):
    path.write_text("\n".join([*lines[:2], '"' + lines[2], lines[3]]))
    assert "mend" in refusal(path) or "quotation mark" in refusal(path)


@pytest.mark.parametrize("read", [tables.read_ecgs, lambda path: tables.read_labels(path, ["a"]), tables.read_beats])
def test_what_is_no_table_at_all(path, tmp_path, lines, read):
    path.write_bytes(b"")
    assert "is empty" in refusal(path, read)
    path.write_bytes(b"PK\3\4\0\0,;\0")
    assert "binary" in refusal(path, read)
    path.write_bytes("ID,é\n".encode("latin-1"))
    assert "not UTF-8" in refusal(path, read)
    path.unlink()
    assert "No file" in refusal(path, read)
    assert "is a folder" in refusal(tmp_path, read)


def test_a_header_alone(path, lines):
    path.write_text(lines[0] + "\n")
    assert "no rows" in refusal(path)
    path.write_text("ID,TARGET\n")
    assert "no rows" in refusal(path, tables.read_labels, ["a"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID,TARGET\na,0\n", "lacks 1 of 2 labels (first ECG without one: ID 'b')"),
        ("ID,TARGET\nx,0\ny,1\n", "is for other IDs"),
        ("ID,TARGET\na,0\nb,2\n", "line 3: TARGET is '2'"),
        ("ID,TARGET\na,0\nb,\n", "line 3: TARGET is ''"),
        ("ID,TARGET\na,0\nb,nan\n", "line 3: TARGET is 'nan'"),
        ("ID,TARGET\na,0\nb,1\na,1\n", "line 4: the ID 'a' comes a second time"),
        ("ID,TARGET\na,0\nb\n", "line 3: 1 values, but the header has 2"),
        ("ID,LABEL\na,0\nb,1\n", "no column TARGET"),
        ("NAME,TARGET\na,0\nb,1\n", "no column ID"),
    ],
)
def test_bad_labels_are_named(path, text, expected):
    path.write_text(text)
    assert expected in refusal(path, tables.read_labels, ["a", "b"])


def test_labels_of_further_ecgs_and_other_spellings_are_taken(path):
    path.write_text("Target; Id\n1.0; b\n0; a\n1; z\n")
    assert tables.read_labels(path, ["a", "b"]).tolist() == [0, 1]


def test_predictions(path):
    tables.write_predictions(path, ["a", "b"], {"TARGET": [1, 0], "PROBABILITY": np.array([0.75, 1 / 3])})
    assert path.read_text() == "ID,TARGET,PROBABILITY\na,1,0.75\nb,0,0.333333\n"
    with pytest.raises(InputError, match="column TARGET has 1 values for 2 ECGs"):
        tables.write_predictions(path, ["a", "b"], {"TARGET": [1]})


def test_what_cannot_be_read_back_is_not_written(path):
    bad = signals(2)
    bad[1, 5, 3] = np.nan
    with pytest.raises(InputError, match="finite"):
        tables.write_ecgs(path, ["a", "b"], bad)
    with pytest.raises(InputError, match="second time"):
        tables.write_ecgs(path, ["a", "a"], signals(2))
    with pytest.raises(InputError, match="shape"):
        tables.write_ecgs(path, ["a"], signals(2))
    assert list(path.parent.iterdir()) == []
    path.write_text("a file, and no folder")
    with pytest.raises(InputError, match="Cannot write"):
        tables.write_labels(path / "labels.csv", ["a"], [1])


@pytest.mark.parametrize(
    "write",
    [
        lambda path: tables.write_labels(path, ["b"], [0]),
        lambda path: tables.write_beats(path, np.zeros((1, 187)), np.array([0])),
    ],
)
def test_a_full_disk_leaves_the_old_table(path, monkeypatch, write):
    tables.write_labels(path, ["a"], [1])

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write(path)
    assert [file.read_text() for file in path.parent.iterdir()] == ["ID,TARGET\na,1\n"]


@pytest.fixture
def beat_lines(path) -> list[str]:
    """The beat_lines of a good table of three beats, classes 0, 4 and 1, as numpy.savetxt writes them."""
    values = np.random.default_rng(0).random((3, tables.BEAT_SAMPLES + 1))
    values[:, -1] = [0, 4, 1]
    np.savetxt(path, values, delimiter=",")
    return path.read_text().splitlines()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    x=arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.just(tables.BEAT_SAMPLES)), elements=FLOATS),
    label=st.integers(0, 4),
)
def test_beats_come_back_as_they_were(tmp_path, x, label):
    y = np.full(len(x), label)
    tables.write_beats(tmp_path / "x.csv", x, y)
    back, classes = tables.read_beats(tmp_path / "x.csv")
    np.testing.assert_array_equal(back, x)
    np.testing.assert_array_equal(classes, y)
    assert (back.dtype, classes.dtype.kind) == (np.float32, "i")


def test_the_published_way_of_writing_is_read(path, beat_lines):
    assert beat_lines[0].endswith(",0.000000000000000000e+00")
    x, y = tables.read_beats(path)
    assert x.shape == (3, tables.BEAT_SAMPLES)
    assert x[1, 2] == np.float32(beat_lines[1].split(",")[2])
    assert y.tolist() == [0, 4, 1]


def test_others_read_what_is_written(path):
    x = np.random.default_rng(1).random((4, tables.BEAT_SAMPLES), dtype=np.float32)
    tables.write_beats(path, x, np.array([0, 1, 2, 3]))
    table = np.loadtxt(path, delimiter=",")
    np.testing.assert_array_equal(table[:, :-1].astype(np.float32), x)
    assert table[:, -1].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "count"), [(lambda row: row.rpartition(",")[0], 187), (lambda row: "0.5," + row, 189)]
)
def test_too_few_or_too_many_columns(path, beat_lines, change, count):
    path.write_text("\n".join(map(change, beat_lines)))
    assert f"has {count} columns: expected 187 samples and the class = 188" in refusal(path, tables.read_beats)
    path.write_text("\n".join([*beat_lines[:2], change(beat_lines[2])]))
    assert f"line 3: {count} values" in refusal(path, tables.read_beats)


def test_a_table_of_186_samples_without_class(path, beat_lines):
    path.write_text("\n".join(",".join(line.split(",")[:186]) for line in beat_lines))
    assert "has 186 columns" in refusal(path, tables.read_beats)


@pytest.mark.parametrize("cell", ["abc", "nan", "NaN", "inf", "1e99", "1_0"])
@pytest.mark.parametrize("column", [6, 188])
def test_a_value_of_a_beat_that_is_no_number_is_named(path, beat_lines, cell, column):
    row = beat_lines[1].split(",")
    path.write_text("\n".join([beat_lines[0], ",".join([*row[: column - 1], cell, *row[column:]]), beat_lines[2]]))
    assert f"line 2, column {column}: {cell!r} is not a finite number" in refusal(path, tables.read_beats)


def test_an_empty_cell_of_a_beat_is_named(path, beat_lines):
    row = beat_lines[2].split(",")
    path.write_text("\n".join([*beat_lines[:2], ",".join(["", *row[1:]])]))
    assert "line 3, column 1: the cell is empty" in refusal(path, tables.read_beats)


def test_a_header_above_beats_is_told(path, beat_lines):
    path.write_text("\n".join([",".join(f"s{k}" for k in range(188)), *beat_lines]))
    assert "line 1, column 1: 's0' is not a finite number" in refusal(path, tables.read_beats)


@pytest.mark.parametrize(
    ("label", "classes", "words"),
    [
        ("5.0", 5, "is 5: expected a whole number from 0 to 4"),
        ("-1", 5, "is -1: expected a whole number from 0 to 4"),
        ("1.5", 5, "is 1.5: expected a whole number from 0 to 4"),
        ("2.0", 2, "is 2: expected a whole number from 0 to 1"),
    ],
)
def test_bad_classes_are_named(path, beat_lines, label, classes, words):
    rows = [f"{line.rpartition(',')[0]},{label if k else '1.0'}" for k, line in enumerate(beat_lines)]
    path.write_text("\n".join(rows))
    assert f"line 2: the class (column 188) {words}" in refusal(path, tables.read_beats, classes)


def test_words_are_no_table_of_beats(path):
    path.write_text("some words\n")
    assert "has 1 columns" in refusal(path, tables.read_beats)


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
def test_beats_that_cannot_be_read_back_are_not_written(path, x, y, words):
    with pytest.raises(InputError, match=words):
        tables.write_beats(path, x, y)
    assert not path.exists()


def test_beats_with_semicolons_decimal_commas_and_empty_lines(path, beat_lines):
    expected = tables.read_beats(path)
    path.write_text("\n\n".join(beat_lines).replace(",", ";").replace(".", ","))
    for array, same in zip(tables.read_beats(path), expected, strict=True):
        np.testing.assert_array_equal(array, same)
    path.write_text("\n\n".join(line.rpartition(",")[0] + ",9.0" for line in beat_lines[::-1]))
    assert "line 1: the class" in refusal(path, tables.read_beats)
    path.write_text("\n\n".join([*beat_lines, beat_lines[0].rpartition(",")[0] + ",9.0"]))
    assert "line 7: the class" in refusal(path, tables.read_beats)
