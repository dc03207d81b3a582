"""The PTB Diagnostic database, on files in its layout."""

import numpy as np
import pytest
import wfdb

from ecg_lessons.data.recordings import LEADS, ptb_diagnostic
from ecg_lessons.errors import InputError

NAMES = "i ii iii avr avl avf v1 v2 v3 v4 v5 v6 vx vy vz".split()  # noqa: SIM905
INFARCTION = [
    "age: 81",
    "sex: female",
    "Diagnose:",
    "Reason for admission: Myocardial infarction",
    "Acute infarction (localization): infero-lateral",
    "Former infarction (localization): no",
]
HEALTHY = ["Diagnose:", "Reason for admission: Healthy control", "Acute infarction (localization): no"]


def write(folder, name, comments):
    """Half a second of fifteen leads, the three of Frank in a file of their own; lead k holds k/10 mV."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.tile(np.arange(15) / 10, (500, 1))
    form = {"fmt": ["16"] * 15, "adc_gain": [2000.0] * 15, "baseline": [0] * 15, "write_dir": str(folder)}
    wfdb.wrsamp(name, 1000, ["mV"] * 15, NAMES, signal, **form, comments=comments)
    digital = np.fromfile(folder / f"{name}.dat", "<i2").reshape(-1, 15)
    digital[:, :12].tofile(folder / f"{name}.dat")
    digital[:, 12:].tofile(folder / f"{name}.xyz")
    lines = (folder / f"{name}.hea").read_text().splitlines()
    lines[13:16] = [line.replace(".dat", ".xyz") for line in lines[13:16]]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "patient001", "s0010_re", INFARCTION)
    write(tmp_path / "patient001", "s0014lre", INFARCTION)
    write(tmp_path / "patient104", "s0306lre", HEALTHY)
    write(tmp_path / "patient286", "s0546_re", ["age: 61"])
    records = ["patient001/s0010_re", "patient001/s0014lre", "patient104/s0306lre", "patient286/s0546_re"]
    (tmp_path / "RECORDS").write_text("\n".join(records) + "\n")
    return tmp_path


def test_patients_leads_and_signals(folder):
    found = list(ptb_diagnostic(folder))
    assert [one.name for one in found] == ["s0010_re", "s0014lre", "s0306lre", "s0546_re"]
    assert [one.patient for one in found] == ["patient001", "patient001", "patient104", "patient286"]
    assert found[0].leads == (*LEADS, "vx", "vy", "vz")
    assert (found[0].rate, found[0].signal.shape) == (1000.0, (500, 15))
    np.testing.assert_allclose(found[0].signal, np.tile(np.arange(15) / 10, (500, 1)), atol=0.0006)


def test_reason_and_localization_come_from_the_header(folder):
    labels = [one.labels for one in ptb_diagnostic(folder)]
    assert labels[0] == {"reason": "Myocardial infarction", "localization": "infero-lateral"}
    assert labels[2] == {"reason": "Healthy control", "localization": "no"}
    assert labels[3] == {"reason": "", "localization": ""}


def test_recordings_come_one_at_a_time(folder):
    (folder / "patient104" / "s0306lre.xyz").unlink()
    found = ptb_diagnostic(folder)
    assert [next(found).name, next(found).name] == ["s0010_re", "s0014lre"]
    with pytest.raises(InputError, match=r"signal file s0306lre.xyz is missing"):
        next(found)


def test_what_is_missing_is_told_in_one_sentence(folder, tmp_path):
    with pytest.raises(InputError, match="ecg-lessons fetch ptbdb"):
        next(ptb_diagnostic(tmp_path / "nowhere"))
    (folder / "RECORDS").write_text("patient001/s0099_re\n")
    with pytest.raises(InputError, match=r"No header .*s0099_re.hea"):
        next(ptb_diagnostic(folder))
    (folder / "RECORDS").write_text("s0010_re\n")
    with pytest.raises(InputError, match="names 's0010_re' without a patient's folder"):
        next(ptb_diagnostic(folder))
    (folder / "RECORDS").write_text("\n")
    with pytest.raises(InputError, match="lists no records"):
        next(ptb_diagnostic(folder))
