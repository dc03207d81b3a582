"""Examples refuse what would spoil a training."""

import numpy as np
import pandas as pd
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples


def some(**changes):
    parts = {
        "x": {"signal": np.arange(24.0).reshape(6, 4), "rr": np.ones((6, 1))},
        "y": np.array([0, 1, 1, 0, 1, 1]),
        "patient": np.array(["a", "a", "b", "b", "c", "c"]),
        "classes": ("N", "V", "F"),
        "info": pd.DataFrame({"record": list("uvwxyz"), "lead": ["I", "II"] * 3}),
    }
    return Examples(**(parts | changes))


def test_take_keeps_rows_together():
    for index in (np.array([4, 1]), np.array([False, True, False, False, True, False])):
        taken = some().take(index)
        rows = np.flatnonzero(index) if index.dtype == bool else index
        np.testing.assert_array_equal(taken.x["signal"][:, 0], rows * 4.0)
        assert list(taken.info["record"]) == [list("uvwxyz")[i] for i in rows]
        assert list(taken.patient) == [some().patient[i] for i in rows]


def test_where_picks_by_information():
    assert list(some().where(lead="II").info["record"]) == ["v", "x", "z"]
    assert len(some().where(lead="II", record="v")) == 1
    with pytest.raises(InputError, match="know no 'colour'; they know record, lead"):
        some().where(colour="red")


def test_counts_people_and_examples():
    table = some().counts()
    assert table.loc["V"].tolist() == [4, 3]
    assert table.loc["F"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": np.zeros(5, int)}, "unequal length: 5 labels but 6 rows of signal"),
        ({"patient": np.array(["a"] * 5)}, "6 labels but 5 rows of patient"),
        ({"y": np.array([0, 1, 3, 0, 0, 0])}, "0 to 3, but there are 3 classes"),
        ({"y": np.array([0, 1, -1, 0, 0, 0])}, "-1 to 1"),
        ({"patient": np.array(["a", "a", "", "b", "c", "c"])}, "Row 2 names no patient"),
        ({"patient": np.array([1.0, 2, 3, np.nan, 4, 5])}, "Row 3 names no patient"),
        ({"x": np.array([[1.0], [2], [np.nan], [1], [1], [1]])}, "Row 2 of x holds NaN"),
        ({"x": {"rr": np.array([[1.0], [np.inf], [1], [1], [1], [1]])}}, "Row 1 of rr holds NaN or infinity"),
    ],
)
def test_refuses(changes, words):
    with pytest.raises(InputError, match=words):
        some(**changes)
