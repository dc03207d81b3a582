"""Files from outside: the same ECG in every format gives the same leads in mV, or one sentence."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.io

from ecg_lessons.data import formats, recordings, voltages
from ecg_lessons.data.voltages import LEADS, How
from ecg_lessons.errors import InputError, Note

RATE, LENGTH = 500, 1000


@pytest.fixture
def ecg():
    """Twelve leads in whole steps of 1 µV, in mV."""
    return np.rint(np.random.default_rng(0).normal(0, 300, (LENGTH, 12))) / 1000


def write(folder, name, x, leads, *, rate=RATE, gain="1000/mV", steps=None, length=None, sums=True):
    """Write a record of format 16 by hand."""
    steps = np.rint(x * 1000).astype("<i2") if steps is None else steps.astype("<i2")
    (folder / f"{name}.dat").write_bytes(steps.tobytes())
    lines = [f"{name} {steps.shape[1]} {rate} {len(steps) if length is None else length}"]
    for k, lead in enumerate(leads):
        total = int(steps[:, k].astype(int).sum()) % 65536 if sums else 0
        lines.append(f"{name}.dat 16 {gain} 16 0 {steps[0, k]} {total - 65536 * (total > 32767)} 0 {lead}".rstrip())
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("gain", ["1000/mV", "1000", "1/uV", "1/µV", "1/μV", "0.001/nV", "1000000/V", "1000000(0)/V"])
def test_every_unit_of_voltage_gives_the_same_millivolts(tmp_path, ecg, gain):
    found = recordings.read(write(tmp_path, "r", ecg, LEADS, gain=gain))
    np.testing.assert_allclose(found.signal, ecg, rtol=1e-5, atol=1e-7)


def test_leads_that_a_header_stretches_to_one_height_are_read_in_their_own(tmp_path, ecg):
    """LUDB's headers do so: every lead is 1 mV high, and I + III is not II."""
    one, two = ecg[:, 0], ecg[:, 1]
    limbs = np.stack([one, two, two - one], axis=1)
    path = write(tmp_path, "r", limbs, ["I", "II", "III"])
    lines = path.with_suffix(".hea").read_text().splitlines()
    heights = np.rint(1000 * np.ptp(limbs, axis=0)).astype(int)
    stretched = [line.replace("1000/mV", f"{height}(7)/mV") for line, height in zip(lines[1:], heights, strict=True)]
    path.with_suffix(".hea").write_text("\n".join([lines[0], *stretched]) + "\n")
    with pytest.warns(Note, match="stretches each lead to one height"):
        found = recordings.read(path)
    np.testing.assert_allclose(found.signal, limbs, rtol=1e-5, atol=1e-6)


def test_what_is_no_voltage_is_left_out_and_an_ecg_lead_in_it_is_refused(tmp_path, ecg):
    path = write(tmp_path, "r", ecg[:, :2], ["II", "ABP"])
    header = path.with_suffix(".hea")
    header.write_text("/mmHg".join(header.read_text().rsplit("/mV", 1)))
    assert recordings.read(path).leads == ("II",)
    header.write_text(header.read_text().replace("/mV", "/mmHg"))
    with pytest.raises(InputError, match="lead II is in mmHg, which is no voltage"):
        recordings.read(path)


def test_missing_samples_are_marked(tmp_path, ecg):
    steps = np.rint(ecg[:, :2] * 1000)
    steps[200:300, 0] = -32768
    signal = recordings.read(write(tmp_path, "r", ecg[:, :2], ["II", "V5"], steps=steps)).signal
    assert np.isnan(signal[200:300, 0]).all()
    assert np.isfinite(np.delete(signal[:, 0], np.s_[200:300])).all()
    assert np.isfinite(signal[:, 1]).all()


def test_every_signal_keeps_its_own_rate(tmp_path, ecg):
    frames = np.rint(ecg * 1000).astype("<i2").reshape(LENGTH // 10, 10, 12).transpose(0, 2, 1).reshape(-1, 120)
    breath = np.arange(LENGTH // 10, dtype="<i2")[:, None]
    (tmp_path / "mf.dat").write_bytes(np.hstack([frames, breath]).tobytes())
    lines = [f"mf 13 50 {LENGTH // 10}", *(f"mf.dat 16x10 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS)]
    (tmp_path / "mf.hea").write_text("\n".join([*lines, "mf.dat 16 1000/mV 16 0 0 0 0 RESP"]) + "\n")
    found = recordings.read(tmp_path / "mf")
    assert (found.rate, found.leads) == (500, LEADS)
    np.testing.assert_allclose(found.signal, ecg, atol=1e-6)


def test_segments_are_one_recording_and_a_folder_passes_over_them(tmp_path, ecg):
    for k in range(2):
        write(tmp_path, f"m_{k}", ecg[k * 500 : (k + 1) * 500, :2], ["II", "V5"])
    (tmp_path / "m.hea").write_text("m/3 2 500 1100\nm_0 500\n~ 100\nm_1 500\n")
    (path,) = recordings.paths(tmp_path)
    found = recordings.read(path)
    assert (found.name, found.leads, len(found.signal)) == ("m", ("II", "V5"), 1100)
    np.testing.assert_allclose(found.signal[:500], ecg[:500, :2], atol=1e-6)
    assert np.isnan(found.signal[500:600]).all()
    np.testing.assert_allclose(found.signal[600:], ecg[500:, :2], atol=1e-6)
    (tmp_path / "m.hea").write_text("m/1 2 500 1100\nm 1100\n")
    with pytest.raises(InputError, match="names itself"):
        recordings.read(path)


def test_a_wrong_checksum_is_told_by_name_and_none_is_not(tmp_path, ecg):
    path = write(tmp_path, "r", ecg[:, :2], ["II", "V5"])
    recordings.read(path)
    raw = bytearray(path.with_suffix(".dat").read_bytes())
    raw[2] ^= 1  # a sample of V5
    path.with_suffix(".dat").write_bytes(raw)
    with pytest.warns(Note, match="the samples of V5 do not have the checksum"):
        recordings.read(path)
    recordings.read(write(tmp_path, "zero", ecg[:, :2], ["II", "V5"], sums=False))


def test_leads_are_spelled_in_one_way():
    names = ["Lead I", "ECG II", "aVr", "MLII", None, "ECG", "ECG", "v1", "lead", "RESP"]
    told = ("I", "II", "aVR", "MLII", "lead 5", "ECG", "ECG #2", "V1", "lead", "RESP")
    assert voltages.spelled(names) == told
    assert [name for name in ("RESP", "ABP", "PLETH", "CVP", "PAP", "ART", "CO2", "") if voltages.is_ecg(name)] == []
    assert all(map(voltages.is_ecg, [*LEADS, "MLII", "V", "MCL1", "ECG1", "mod.V1", "CM5", "D3", "lead 2", "Vx"]))


def test_a_length_of_zero_is_unknown(tmp_path, ecg):
    found = recordings.read(write(tmp_path, "r", ecg[:, :2], ["II", "V5"], length=0))
    np.testing.assert_allclose(found.signal, ecg[:, :2], atol=1e-6)


def test_the_middle_of_a_long_recording(tmp_path, ecg):
    path = write(tmp_path, "r", ecg[:, :2], ["II", "V5"])
    with pytest.warns(Note, match="Record r lasts 0 min: its middle 1 s are read"):
        found = recordings.read(path, how=How(middle=1))
    np.testing.assert_allclose(found.signal, ecg[250:750, :2], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("r 2 500 1000", "r 2 500 9999999", "truncated or damaged: its header tells of"),
        ("r 2 500 1000", "r 2 500 9999999999999", "cut it into pieces"),
        ("r 2 500 1000", "r 2 0.001 1000", "0.001 samples per second"),
        ("r 2 500 1000", "r 2 999999 1000", "999999 samples per second"),
        ("r 2 500 1000", "r 0 500 1000", "has no signals"),
        ("r 2 500 1000", "r 99999999 500 1000", "tells of 99999999 signals and describes 2"),
        ("r.dat 16 ", "r.dat 16:2000000000 ", "skewed by more than its length"),
        ("r.dat 16 ", "../r.dat 16 ", "cannot be read as WFDB"),
    ],
)
def test_headers_that_no_record_has(tmp_path, ecg, old, new, told):
    path = write(tmp_path, "r", ecg[:, :2], ["II", "V5"])
    header = path.with_suffix(".hea")
    header.write_text(header.read_text().replace(old, new))
    with pytest.raises(InputError, match=told) as caught:
        recordings.read(path)
    assert "\n" not in str(caught.value)


STEPS = np.arange(-300, 300, dtype="<i2")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.tile(STEPS, (3, 1)), "'val' is 3 x 600"),
        (np.tile(STEPS[:, None], 3), "'val' is 600 x 3"),
        (np.zeros((0, 0)), "'val' is 0 x 0"),
        ("hello", "no numbers but a struct, cells or text"),
        ({"ecg": STEPS, "fs": 300}, "no numbers but a struct, cells or text"),
        (np.array([STEPS, STEPS[:9]], dtype=object), "no numbers but a struct, cells or text"),
        (STEPS[None] / 7, "holds fractions"),
    ],
)
def test_a_mat_file_of_something_else_is_refused(tmp_path, values, told):
    scipy.io.savemat(tmp_path / "a.mat", {"val": values})
    with pytest.raises(InputError, match=told):
        recordings.read(tmp_path / "a.mat")


def test_mat_files_of_one_lead(tmp_path):
    gap = np.where(np.arange(600) // 100 == 2, np.nan, STEPS.astype(float))
    for name, values in {"row": STEPS[None], "column": STEPS[:, None], "gap": gap[None]}.items():
        scipy.io.savemat(tmp_path / f"{name}.mat", {"val": values})
        expected = gap if name == "gap" else STEPS
        np.testing.assert_allclose(recordings.read(tmp_path / f"{name}.mat").signal[:, 0], expected / 1000, rtol=1e-6)
    scipy.io.savemat(tmp_path / "mv.mat", {"val": STEPS[None] / 1024})
    found = recordings.read(tmp_path / "mv.mat", how=How(250, "mV"))
    assert found.rate == 250
    np.testing.assert_allclose(found.signal[:, 0], STEPS / 1024, rtol=1e-6)


def test_a_mat_file_of_matlab_7_3_and_one_that_inflates(tmp_path):
    (tmp_path / "a.mat").write_bytes(
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" + bytes(64)
    )
    with pytest.raises(InputError, match="save it with save -v7"):
        recordings.read(tmp_path / "a.mat")
    scipy.io.savemat(tmp_path / "b.mat", {"val": np.zeros((1, 10**6), "i1")}, do_compression=True)
    assert voltages._MOST > 10**6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voltages, "_MOST", 10**5)
        with pytest.raises(InputError, match="cut it into pieces"):
            recordings.read(tmp_path / "b.mat")


def as_edf(folder, x):
    edfio = pytest.importorskip("edfio")
    signals = [
        edfio.EdfSignal(
            x[:, k] * 1000, RATE, label=f"ECG {lead}", physical_dimension="uV", physical_range=(-4000, 4000)
        )
        for k, lead in enumerate(LEADS)
    ]
    signals.append(edfio.EdfSignal(np.arange(40.0), 20, label="Resp", physical_dimension="Ohm"))
    edfio.Edf(signals).write(folder / "r.edf")
    return folder / "r.edf", How()


def as_dicom(folder, x):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"  # 12-lead ECG
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    whole = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    whole.SOPClassUID, whole.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID

    def group(values):
        one = Dataset()
        one.NumberOfWaveformChannels, one.NumberOfWaveformSamples = values.shape[1], len(values)
        one.SamplingFrequency, one.WaveformOriginality = RATE, "ORIGINAL"
        one.WaveformBitsAllocated, one.WaveformSampleInterpretation = 16, "SS"
        channels = []
        for lead in LEADS:
            channel, source, unit = Dataset(), Dataset(), Dataset()
            source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "x", "MDC", f"Lead {lead}"
            unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
            channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [unit]
            channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = 1.0, 1.0
            channel.ChannelBaseline, channel.WaveformBitsStored = 0.0, 16
            channels.append(channel)
        one.ChannelDefinitionSequence = channels
        one.WaveformData = np.rint(values * 1000).astype("<i2").tobytes()
        return one

    whole.WaveformSequence = [group(x[:100]), group(x)]  # medians of beats stand beside the recording
    whole.save_as(folder / "r.dcm", enforce_file_format=True)
    return folder / "r.dcm", How()


def as_csv(folder, x):
    table = pd.DataFrame(
        {"time": np.arange(LENGTH) / RATE} | {f"{lead} (uV)": x[:, k] * 1000 for k, lead in enumerate(LEADS)}
    )
    table.to_csv(folder / "r.csv", index=False)
    return folder / "r.csv", How()


def as_bare_csv(folder, x):
    pd.DataFrame(x * 1e6, columns=LEADS).to_csv(folder / "r.csv", index=False, sep=";", decimal=",")
    return folder / "r.csv", How(RATE, "nV")


def as_npy(folder, x):
    np.save(folder / "r.npy", x * 1000)
    return folder / "r.npy", How(RATE, "uV")


def as_npz(folder, x):
    np.savez_compressed(folder / "r.npz", **{lead: x[:, k] for k, lead in enumerate(LEADS)})
    return folder / "r.npz", How(RATE)


@pytest.mark.parametrize("convert", [as_edf, as_dicom, as_csv, as_bare_csv, as_npy, as_npz])
def test_every_format_gives_what_its_wfdb_twin_gives(tmp_path, ecg, convert):
    twin = recordings.read(write(tmp_path, "twin", ecg, LEADS))
    path, how = convert(tmp_path, ecg)
    found = recordings.read(path, how=how)
    assert (found.name, found.rate, found.leads) == ("r", twin.rate, twin.leads)
    np.testing.assert_allclose(found.signal, twin.signal, atol=1e-4)
    loud = path.rename(tmp_path / f"R{path.suffix.upper()}")  # as old systems spell it
    np.testing.assert_array_equal(recordings.read(loud, how=how).signal, found.signal)


@pytest.mark.parametrize(
    ("name", "content", "how", "told"),
    [
        ("a.csv", b"I,II\n1,2\n3,4\n", How(), "add --rate"),
        ("a.csv", b"I,II\n1,x\n3,4\n", How(500), "the column II holds no numbers"),
        ("a.csv", b"1.5,2\n3,4\n5,6\n", How(500), "its first line holds numbers"),
        ("a.csv", b"time,II\n0,1\n1,2\n9,3\n", How(), "do not rise evenly"),
        ("a.csv", b"I (mmHg)\n1\n", How(500), "which is no voltage"),
        ("a.csv", b"\xff\xfe\0\0", How(500), "a.csv"),
        ("a.npy", b"nonsense", How(500), "cannot be read as NumPy's"),
        ("a.npz", b"nonsense", How(500), "cannot be read as NumPy's"),
        ("a.npy", b"", How(), "add --rate"),
        ("a.edf", b"0       nonsense", How(), "a.edf"),
        ("a.dcm", b"nonsense", How(), "a.dcm"),
        ("a.edf", b"", How(500), "leave --rate and --unit out"),
        ("a.xyz", b"", How(), r"a file that ends in .hea, .mat, .edf"),
    ],
)
def test_files_that_hold_no_ecg_end_in_one_sentence(tmp_path, name, content, how, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told) as caught:
        recordings.read(tmp_path / name, how=how)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("how", "told"), [({"rate": 1}, "--rate 1:"), ({"unit": "mmHg"}, "--unit mmHg is no voltage")])
def test_what_somebody_says_of_a_file_is_checked(how, told):
    with pytest.raises(InputError, match=told):
        How(**how)


def test_formats_are_optional(tmp_path):
    code = (
        "import sys; sys.modules['edfio'] = sys.modules['pydicom'] = None\n"
        "from ecg_lessons.data import recordings\n"
        "for name in ('a.edf', 'a.dcm'):\n"
        "    try: recordings.read(name)\n"
        "    except Exception as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert said.count("pip install 'ecg-lessons[formats]'") == 2


def test_a_lead_of_another_rate_is_left_out_aloud(tmp_path):
    """The fastest ECG lead decides; what is slower is named with its rate."""
    time = np.arange(1000) / 500
    columns, names = [np.sin(time), np.sin(time[::2]), time[::4]], ["V1", "V5", "Resp"]
    with pytest.warns(Note, match=r"V5 \(250 Hz\) left out, since the other leads have 500 Hz"):
        leads = voltages.checked(columns, [500, 250, 125], ["mV"] * 3, names, "Record r")
    assert (leads.names, leads.rate, leads.signal.shape) == (("V1",), 500, (1000, 1))


def test_the_middle_of_a_day_is_read_where_the_day_would_not_fit(tmp_path):
    """Twelve leads at 500 Hz for 24 hours are half a billion samples; lesson 1 asks for ten minutes of them."""
    leads, day = 12, 24 * 3600 * 500
    with (tmp_path / "day.dat").open("wb") as file:
        file.truncate(2 * leads * day)  # a file with a hole takes no room
    lines = [f"day {leads} 500 {day}", *(f"day.dat 16 1000/mV 16 0 0 0 0 {name}" for name in voltages.LEADS)]
    (tmp_path / "day.hea").write_text("\n".join(lines) + "\n")
    with pytest.warns(Note, match=r"lasts 1440 min: its middle 600 s are read"):
        middle = formats.read(tmp_path / "day.hea", voltages.How(middle=600))
    assert middle.signal.shape == (300_000, 12)
    with pytest.raises(InputError, match=r"5.18e\+08 values"):
        formats.read(tmp_path / "day.hea", voltages.How())


def test_a_header_whose_length_is_no_number_is_refused_at_once(tmp_path):
    """It was copied into a folder within a folder within a folder, for a minute."""
    np.zeros(100, "<i2").tofile(tmp_path / "a.dat")
    (tmp_path / "a.hea").write_text("a 1 500 00\na.dat 16 1000/mV 16 0 0 0 0 I\n")
    with pytest.raises(InputError, match="a header without a length that can be read"):
        formats.read(tmp_path / "a.hea", How())


def test_odd_characters_in_a_comment_of_a_header_are_no_lines(tmp_path):
    (100 * np.sin(np.arange(1000) / 9)).astype("<i2").tofile(tmp_path / "a.dat")
    text = "a 1 500 1000\na.dat 16 1000/uV 16 0 0 0 0 I\n# a comment\x85 with more\n"
    (tmp_path / "a.hea").write_bytes(text.encode("latin-1"))
    assert formats.read(tmp_path / "a.hea", How()).names == ("I",)
