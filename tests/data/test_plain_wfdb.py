"""Plain WFDB records are read as the package wfdb reads them, and what is not plain is left to it."""

import numpy as np
import pytest
import wfdb

from ecg_lessons.data import plain_wfdb, recordings

LEADS = ["I", "II", "V 1"]


def written(folder, form, leads, samples):
    """Write a record of noise in which the smallest step, which stands for a missing sample, comes up too."""
    bits = {"16": 16, "212": 12}[form]
    rng = np.random.default_rng(leads * samples)
    steps = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (samples, leads))
    steps[rng.random(steps.shape) < 0.1] = -(2 ** (bits - 1))
    names = {"fmt": [form] * leads, "adc_gain": [200, 1000.0, 37][:leads], "baseline": [1024, 0, -5][:leads]}
    wfdb.wrsamp("r", 360, ["mV"] * leads, LEADS[:leads], d_signal=steps, **names, write_dir=str(folder))
    return folder / "r"


@pytest.mark.parametrize("form", ["16", "212"])
@pytest.mark.parametrize("leads", [1, 2, 3])
@pytest.mark.parametrize("samples", [500, 501])
def test_the_same_as_wfdb_to_the_last_bit(tmp_path, form, leads, samples):
    base = written(tmp_path, form, leads, samples)
    plain, theirs = plain_wfdb.header(base), wfdb.rdrecord(str(base), physical=False, return_res=32)
    known = "record_name n_sig fs sig_len file_name fmt adc_gain baseline checksum sig_name".split()  # noqa: SIM905
    assert [getattr(plain, name) for name in known] == [getattr(theirs, name) for name in known]
    steps = plain_wfdb.steps(base, plain)
    if (leads, samples, form) in {(1, 501, "212"), (3, 501, "212")}:
        assert steps is None  # half of the last three bytes is not there
        return
    np.testing.assert_array_equal(steps.T, theirs.d_signal)
    units = plain_wfdb.units(steps, plain)
    assert np.isnan(units).any()
    np.testing.assert_array_equal(units, theirs.dac(return_res=32))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("16", "16x2"), ("16", "16:3"), ("16", "16+24"), ("16", "80"), ("1000.0", "0"), ("1000.0", "200.5"),
        ("360", "0"), ("360", "360/10"), ("500", "500 12:00:00"), ("r 2", "r 3"), ("r.dat", "q.dat"), ("I", "µ"),
        (" 0 ", "\t0 "),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_wfdb(tmp_path, old, new):
    header = written(tmp_path, "16", 2, 500).with_suffix(".hea")
    header.write_text(header.read_text().replace(old, new, 1), encoding="utf-8")
    assert plain_wfdb.header(header.with_suffix("")) is None


def test_a_file_that_is_too_short_is_left_to_wfdb(tmp_path):
    base = written(tmp_path, "212", 2, 500)
    signal = base.with_suffix(".dat")
    signal.write_bytes(signal.read_bytes()[:-1])
    assert plain_wfdb.steps(base, plain_wfdb.header(base)) is None


def test_annotations_with_all_that_may_stand_beside_them(tmp_path):
    base = written(tmp_path, "16", 2, 500)
    samples, symbols = np.array([0, 3, 9, 2_000, 70_000_000]), ["+", "N", "V", '"', "!"]
    beside = {"subtype": np.array([0, 1, 0, 2, 0]), "chan": np.array([0, 0, 1, 1, 1]), "num": np.array([0, 1, 1, 2, 2])}
    notes = ["(N", "", "odd", "a much longer note", ""]
    wfdb.wrann("r", "atr", samples, symbols, aux_note=notes, **beside, write_dir=str(tmp_path))
    found = plain_wfdb.annotations(base, "atr")
    theirs = wfdb.rdann(str(base), "atr", return_label_elements=["symbol", "label_store"])
    for name in ("sample", "symbol", "label_store"):
        np.testing.assert_array_equal(getattr(found, name), getattr(theirs, name))
    assert found.fs == theirs.fs == 360


def test_damaged_annotations_are_left_to_wfdb(tmp_path):
    base = written(tmp_path, "16", 2, 500)
    beat, end = b"\x05\x04", bytes(2)
    damaged = [b"", b"\x05", beat, beat * 2, beat + b"\x09\xfc" + end, b"\x01\xf4" + end, beat + b"\x00\xec" + end]
    unknown, nothing, definition = b"\x05\xc8" + end, end + beat + end, b"\x00\x58\x02\xfc##" + end
    for raw in (*damaged, unknown, nothing, definition):
        base.with_suffix(".atr").write_bytes(raw)
        assert plain_wfdb.annotations(base, "atr") is None, raw


@pytest.mark.real
def test_real_records_are_plain(real):
    for record in ("mitdb/1.0.0/100", "ludb/1.0.1/data/1", "ptb-xl/1.0.3/records500/00000/00001_hr"):
        base = real / record
        assert plain_wfdb.steps(base, plain_wfdb.header(base)) is not None
    assert plain_wfdb.annotations(real / "mitdb/1.0.0/100", "atr") is not None
    assert recordings.read(real / "mitdb/1.0.0/100", annotator="atr").beats.symbols[0] == "+"
