"""Submissions that are alike beyond the release."""

from ecg_lessons.grading import similar

GIVEN = ["def crops(picture):\n    raise NotImplementedError", "import numpy as np\nepochs = np.arange(1, 31)"]
LOOP = """def crops(picture):
    found = []
    for top in range(0, 48, 16):
        for left in range(0, 48, 16):
            found.append(picture[top : top + 96, left : left + 96])
    return np.stack(found)
"""
RENAMED = (
    LOOP.replace("found", "alle").replace("top", "y").replace("left", "x").replace("return", "# fertig\n    return")
)
OTHER = """def crops(picture):
    windows = np.lib.stride_tricks.sliding_window_view(picture, (96, 96))[::16, ::16]
    return windows.reshape(-1, *windows.shape[2:])[: 3 * 3].copy() if windows.size else None
"""


def test_a_copy_with_other_names_and_comments_is_found_and_an_own_way_is_not():
    students = {"ada": {"crops": LOOP}, "bob": {"crops": RENAMED}, "eve": {"crops": OTHER}}
    table = similar.pairs(students, GIVEN)
    assert table[["student", "other", "alike", "cells"]].to_numpy().tolist() == [["ada", "bob", 1.0, "crops"]]


def test_what_was_handed_out_or_most_wrote_makes_nobody_alike():
    assert similar.pairs({name: {"crops": GIVEN[0], "setup": GIVEN[1]} for name in "abc"}, GIVEN).empty
    assert similar.pairs({name: {"crops": LOOP} for name in "abcdefgh"}, GIVEN).empty


def test_broken_code_is_read_as_far_as_it_goes():
    assert similar.tokens('def f(:\n  "')[:3] == ["def", "name", "("]
