"""Symbols to classes."""

import numpy as np
import pytest
import wfdb

from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.signals import labels


@pytest.mark.parametrize(("scheme", "count"), [("eight", 8), ("fourteen", 14), ("aami", 5)])
def test_every_class_of_a_scheme_is_reached(scheme, count):
    found = labels.encode(np.array(labels.PEAKS), scheme)
    assert len(labels.classes(scheme)) == count
    assert set(found) - {-1} == set(range(count))


def test_symbols_go_where_the_papers_put_them():
    symbols = np.array(list("NLRejAaJSVEF/fQ!+"))
    names = np.array([*labels.classes("aami"), "-"])
    assert "".join(names[labels.encode(symbols, "aami")]) == "NNNNNSSSSVVFQQQ--"
    assert labels.classes("aami") == ("N", "S", "V", "F", "Q")
    assert labels.classes("eight") == tuple("N/LRVA!E")
    assert labels.encode(["Q", "!", "~", "N"], "fourteen").tolist() == [-1, -1, -1, 0]


def test_a_scheme_of_ones_own():
    assert labels.encode(["V", "N", "A"], {"N": "normal", "V": "other"}).tolist() == [1, 0, -1]


def test_beats_are_told_from_other_marks():
    assert labels.is_peak(["N", "+", "!", "~", "Q", "|"]).tolist() == [True, False, True, False, True, False]
    assert labels.is_peak([]).tolist() == []


def test_symbols_are_those_of_wfdb():
    table = {one.symbol for one in wfdb.io.annotation.ann_labels} - {" "}
    assert {*labels.BEATS, *labels.MARKS} == table | {"`", "'"}  # two of the C library's that wfdb-python lacks
    assert not {*labels.BEATS} & {*labels.MARKS}


def test_unknown_symbols_are_named():
    with pytest.raises(InputError, match="Unknown beat symbols 'N ', 'Z': WFDB knows"):
        labels.encode(["N", "Z", "N ", "Z"], "aami")
    with pytest.raises(InputError, match="Unknown beat symbols 'Z'"):
        labels.is_peak(["Z"])


def test_unknown_schemes_are_named():
    with pytest.raises(InputError, match="no scheme of classes 'five': choose eight, fourteen or aami"):
        labels.encode(["N"], "five")


@pytest.fixture(scope="module")
def symbols(real):
    return np.concatenate([one.beats.symbols for one in recordings.mitdb(real / "mitdb" / "1.0.0")])


def test_real_beats_are_counted(symbols):
    assert len(symbols) == 112_647
    assert np.isin(symbols, labels.BEATS).sum() == 109_494
    assert (symbols == labels.FLUTTER).sum() == 472


def test_real_counts_of_the_eight_classes(symbols):
    y = labels.encode(symbols, "eight")
    counted = dict(zip(labels.classes("eight"), np.bincount(y[y >= 0]).tolist(), strict=True))
    assert counted == {
        "N": 75_052, "/": 7_028, "L": 8_075, "R": 7_259, "V": 7_130, "A": 2_546, "!": 472, "E": 106
    }  # fmt: skip
