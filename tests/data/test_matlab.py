"""The reader of MATLAB's arrays: the same as SciPy's, and no damage ends Python."""

import random

import numpy as np
import pytest
import scipy.io

from ecg_lessons.data import matlab

KINDS = ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_reads_what_scipy_reads(tmp_path, kind, compressed):
    rng, path = np.random.default_rng(0), tmp_path / "a.mat"
    arrays = {
        "other": np.arange(3),
        "val": (100 * rng.random((1, 777))).astype(kind),
        "b": rng.random((2, 3, 4)).astype(kind),
    }
    scipy.io.savemat(path, arrays, do_compression=compressed)
    assert matlab.is_new(path)
    for name in ("val", "b"):
        found = matlab.array(path, name)
        np.testing.assert_array_equal(found, scipy.io.loadmat(path)[name])
    with pytest.raises(KeyError):
        matlab.array(path, "none")


@pytest.mark.parametrize("value", ["text", {"a": 1}, np.array([1, "a"], dtype=object), np.array([1j])])
def test_what_is_no_array_of_numbers_is_none(tmp_path, value):
    scipy.io.savemat(tmp_path / "a.mat", {"val": value})
    assert matlab.array(tmp_path / "a.mat", "val") is None


def test_an_old_file_is_left_to_scipy(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"val": np.arange(5)}, format="4")
    assert not matlab.is_new(tmp_path / "a.mat")


def test_a_row_of_an_old_file_is_read_and_anything_else_left_to_scipy(tmp_path):
    path, steps = tmp_path / "a.mat", np.arange(-3, 6, dtype=np.int16)[None]
    scipy.io.savemat(path, {"val": steps}, format="4")
    np.testing.assert_array_equal(matlab.row(path), steps)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole + b"\0", whole[:24], b"", b"\x14" + whole[1:]):
        path.write_bytes(damaged)
        assert matlab.row(path) is None
    for other in ({"val": steps.T}, {"val": steps.astype(float)}, {"ecg": steps}, {"val": steps, "b": steps}):
        scipy.io.savemat(path, other, format="4")
        assert matlab.row(path) is None


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    scipy.io.savemat(tmp_path / "a.mat", {"val": np.zeros((1, 10**6))}, do_compression=True)
    monkeypatch.setattr(matlab, "_MOST", 10**6)
    with pytest.raises(ValueError, match="larger than can be read"):
        matlab.array(tmp_path / "a.mat", "val")


@pytest.mark.parametrize("compressed", [False, True])
def test_no_damage_ends_python(tmp_path, compressed):
    """SciPy's own reader dies of a type of numbers that there is not."""
    path, rng, refused = tmp_path / "a.mat", random.Random(3), 0
    scipy.io.savemat(path, {"val": np.arange(300, dtype="i2")[None]}, do_compression=compressed)
    whole = path.read_bytes()
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 2, 5))):
            damaged[rng.randrange(128, min(len(damaged), 260))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.choice((len(damaged), rng.randrange(130, len(damaged))))])
        try:
            matlab.array(path, "val")
        except Exception:
            refused += 1
    assert refused > 1000
