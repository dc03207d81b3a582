"""WFDB and .mat files to recordings, and what happens when they are damaged."""

import io
import shutil

import numpy as np
import pandas as pd
import pytest
import scipy.io
import wfdb

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError, Note
from ecg_lessons.signals import leads
from ecg_lessons.signals.leads import limb_leads

RATE = 500


@pytest.fixture
def record(tmp_path):
    """A two-lead record of a second with three annotated beats; gives its path and the signal in mV."""
    signal = np.round(np.random.default_rng(0).normal(size=(RATE, 2)), 3)
    form = {"fmt": ["16", "16"], "adc_gain": [1000.0] * 2, "baseline": [0, 0], "write_dir": str(tmp_path)}
    wfdb.wrsamp("r1", RATE, ["mV", "mV"], ["mlii", "v5"], signal, **form)
    wfdb.wrann("r1", "atr", np.array([50, 200, 420]), ["N", "V", "N"], write_dir=str(tmp_path))
    return tmp_path / "r1", signal


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulator.simulate_cohort(tmp_path_factory.mktemp("recordings") / "cohort", patients=12, seed=1)


@pytest.mark.parametrize("ending", ["", ".hea", ".dat"])
def test_reads_what_was_written(record, ending):
    path, signal = record
    found = recordings.read(path.with_name(path.name + ending), patient="Anna", annotator="atr")
    assert (found.name, found.patient, found.rate, found.seconds) == ("r1", "Anna", 500.0, 1.0)
    assert found.signal.dtype == np.float32
    np.testing.assert_allclose(found.signal, signal, atol=0.0006)
    assert list(found.beats.samples) == [50, 200, 420]
    assert list(found.beats.symbols) == ["N", "V", "N"]


def test_leads_get_their_usual_spelling(record):
    path, _ = record
    header = path.with_suffix(".hea")
    header.write_text(header.read_text().replace("mlii", "AVR").replace("v5", "v5"))
    assert recordings.read(path).leads == ("aVR", "V5")


def test_twelve_puts_leads_in_standard_order():
    order = recordings.LEADS[::-1]
    signal = np.tile(np.arange(12, dtype=np.float32), (4, 1))
    found = recordings.Recording("r", "p", signal, 500.0, order).twelve()
    np.testing.assert_array_equal(found[0], np.arange(12)[::-1])


def test_twelve_names_what_is_missing():
    signal = np.zeros((4, 2), np.float32)
    with pytest.raises(InputError, match="Record r has 2 leads"):
        recordings.Recording("r", "p", signal, 500.0, ("I", "II")).twelve()


def test_reads_a_bare_mat_file_of_cinc_2017(tmp_path):
    values = np.arange(-50, 50, dtype=np.int16)[None, :]
    scipy.io.savemat(tmp_path / "A00001.mat", {"val": values})
    found = recordings.read(tmp_path / "A00001.mat")
    assert (found.rate, found.leads, found.name) == (300.0, ("ECG",), "A00001")
    np.testing.assert_allclose(found.signal[:, 0], values[0] / 1000)


def remove_signal(path):
    path.with_suffix(".dat").unlink()


def cut_signal(path):
    path.with_suffix(".dat").write_bytes(path.with_suffix(".dat").read_bytes()[:1001])


def empty_signal(path):
    path.with_suffix(".dat").write_bytes(b"")


def empty_header(path):
    path.with_suffix(".hea").write_text("")


def binary_header(path):
    path.with_suffix(".hea").write_bytes(bytes(range(256)))


def remove_beats(path):
    path.with_suffix(".atr").unlink()


def no_beats(path):
    path.with_suffix(".atr").write_bytes(bytes(2))


def damaged_beats(path):
    path.with_suffix(".atr").write_bytes(b"\x07")


def late_beat(path):
    wfdb.wrann("r1", "atr", np.array([50, 900]), ["N", "V"], write_dir=str(path.parent))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (remove_signal, "signal file r1.dat is missing"),
        (cut_signal, "truncated or damaged"),
        (empty_signal, "truncated or damaged"),
        (empty_header, "r1"),
        (binary_header, "r1"),
        (remove_beats, r"has no annotations \(r1.atr\)"),
        (no_beats, r"r1.atr holds no annotation"),
        (damaged_beats, r"r1.atr\) cannot be read"),
        (late_beat, r"annotation at sample 900 lies beyond the signal's end \(500\)"),
    ],
)
def test_damage_is_told_in_one_sentence(record, damage, words):
    path, _ = record
    damage(path)
    with pytest.raises(InputError, match=words) as caught:
        recordings.read(path, annotator="atr")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"), [({"other": 1}, "no variable 'val'"), (None, "cannot be read as a MATLAB file")]
)
def test_damaged_mat_files(tmp_path, content, words):
    path = tmp_path / "A1.mat"
    scipy.io.savemat(path, content) if content else path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match=words):
        recordings.read(path)


def test_missing_mat_file(tmp_path):
    with pytest.raises(InputError, match="No file"):
        recordings.read(tmp_path / "A1.mat")


def test_ptb_xl_layout(cohort):
    found = list(recordings.ptb_xl(cohort))
    assert len(found) >= 12
    assert len({one.patient for one in found}) == 12
    assert all(one.signal.shape == (5000, 12) for one in found)
    assert {"NORM"} <= {name for one in found for name in one.labels["superclasses"]}


def test_ptb_xl_says_what_is_missing(cohort, tmp_path):
    with pytest.raises(InputError, match="ecg-lessons fetch ptb-xl"):
        next(recordings.ptb_xl(tmp_path))
    copy = shutil.copytree(cohort, tmp_path / "copy")
    table = copy / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("patient_id", "person", 1))
    with pytest.raises(InputError, match="lacks the column 'patient_id'"):
        next(recordings.ptb_xl(copy))


@pytest.fixture
def two_leads(record):
    """A folder in the layout of the MIT-BIH database: records 201 and 202, and annotations without a record."""
    path, _ = record
    for name in ("202", "201"):
        for ending in (".hea", ".dat", ".atr"):
            text = path.with_suffix(ending).read_bytes()
            path.with_name(name + ending).write_bytes(text.replace(b"r1", name.encode()) if ending == ".hea" else text)
    shutil.copy(path.with_suffix(".atr"), path.with_name("102-0.atr"))
    path.with_name("RECORDS").write_text("201\n202\n")
    return path.parent


def test_mitdb_layout(two_leads):
    found = list(recordings.mitdb(two_leads))
    assert [(one.name, one.patient, one.labels) for one in found] == [("201", "201", {}), ("202", "201", {})]
    assert found[0].leads == ("MLII", "V5")
    assert list(found[1].beats.symbols) == ["N", "V", "N"]
    assert [one.name for one in recordings.mitdb(two_leads, records=[202])] == ["202"]


def test_mitdb_says_what_is_missing(two_leads, tmp_path):
    with pytest.raises(InputError, match="has no record '102-0'; it names 201 to 202"):
        list(recordings.mitdb(two_leads, ["201", "102-0"]))
    (two_leads / "202.atr").unlink()
    with pytest.raises(InputError, match=r"Record 202 has no annotations \(202.atr\)"):
        list(recordings.mitdb(two_leads))
    with pytest.raises(InputError, match="ecg-lessons fetch mitdb"):
        next(recordings.mitdb(tmp_path / "nowhere"))


def test_real_ptb_xl(real):
    found = list(recordings.ptb_xl(real / "ptb-xl" / "1.0.3"))
    assert len(found) == 500
    assert len({one.patient for one in found}) == 466
    assert sum("NORM" in one.labels["superclasses"] for one in found) == 297
    assert all(one.rate == 500 and one.signal.shape == (5000, 12) for one in found)


def test_real_ludb(real):
    found = list(recordings.ludb(real / "ludb" / "1.0.1"))
    assert len(found) == 200
    assert found[0].leads == recordings.LEADS
    broken = [leads.identity_error(one.signal - np.median(one.signal, axis=0)) for one in found]
    assert np.quantile(broken, 0.9) < 0.05 < 0.9 < np.median([np.ptp(one.signal[:, 1]) for one in found])  # mV


def test_real_beats_of_mit_bih(real):
    found = recordings.read(real / "mitdb" / "1.0.0" / "100", annotator="atr")
    assert found.leads == ("MLII", "V5")
    assert (found.beats.symbols == "A").sum() == 33  # the database's own table


def test_real_mit_bih(real):
    names = [one.name for one in recordings.mitdb(real / "mitdb" / "1.0.0")]
    assert len(names) == 48
    assert names == sorted(names)
    assert set(names) == {*recordings.DS1, *recordings.DS2, *recordings.PACED}
    (one,) = recordings.mitdb(real / "mitdb" / "1.0.0", ["202"])
    assert (one.patient, one.signal.shape, one.rate) == ("201", (650_000, 2), 360.0)


def test_a_path_stands_for_a_record_or_for_all_of_a_folder(two_leads, tmp_path):
    for ending in ("", ".hea", ".dat", ".atr", ".mat"):
        assert recordings.paths(two_leads / f"201{ending}") == [two_leads / "201.hea"]
    assert recordings.paths(str(two_leads)) == [two_leads / f"{name}.hea" for name in ("201", "202", "r1")]
    scipy.io.savemat(two_leads / "A00001.mat", {"val": np.zeros((1, 9))})
    scipy.io.savemat(two_leads / "201.mat", {"val": np.zeros((1, 9))})
    (two_leads / "._201.hea").write_bytes(b"\0\5\x16\7")  # what macOS leaves
    (two_leads / "__MACOSX").mkdir()
    both = recordings.paths(two_leads)
    assert [path.name for path in both] == ["201.hea", "202.hea", "A00001.mat", "r1.hea"]
    assert [recordings.read(path).rate for path in both] == [500, 500, 300, 500]  # a header goes first
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"No recordings \(.hea, .mat, .*\) in"):
        recordings.paths(tmp_path / "empty")


def test_dots_and_capitals_in_names(tmp_path):
    for name, n in (("p1.mat", 20), ("p1.day1.mat", 12), ("p1.day2.mat", 15), ("P2.MAT", 9)):
        scipy.io.savemat(tmp_path / name, {"val": np.arange(n, dtype=np.int16)[None]}, appendmat=False)
    found = [recordings.read(path) for path in recordings.paths(tmp_path)]
    assert {one.name: len(one.signal) for one in found} == {"p1": 20, "p1.day1": 12, "p1.day2": 15, "P2": 9}
    assert len(recordings.read(tmp_path / "p1.day1").signal) == 12


def test_a_bad_recording_of_a_folder_does_not_stop_the_others(two_leads):
    (two_leads / "202.dat").unlink()
    names, left_out = recordings.each(two_leads, lambda recording: recording.name, "atr")
    assert names == ["201", "r1"]
    assert list(left_out) == ["202.hea"]
    assert "signal file 202.dat is missing" in left_out["202.hea"]
    with pytest.raises(InputError, match=r"signal file 202.dat is missing"):
        recordings.each(two_leads, lambda recording: recording.name, strict=True)
    for name in ("201", "r1"):
        (two_leads / f"{name}.dat").unlink()
    with pytest.raises(InputError, match="None of the 3 recordings in"):
        recordings.each(two_leads, lambda recording: recording.name)


@pytest.mark.parametrize("times", [0.25, 0.5, 2, 4])
def test_annotations_may_have_a_time_resolution_of_their_own(record, times):
    path, _ = record
    samples = np.rint(np.array([52, 200, 420]) * times).astype(int)
    wfdb.wrann("r1", "atr", samples, ["N", "V", "N"], fs=RATE * times, write_dir=str(path.parent))
    assert recordings.read(path, annotator="atr").beats.samples.tolist() == [52, 200, 420]


def test_annotations_come_sorted(record):
    path, _ = record
    code = {"N": 1, "V": 5}
    words = [(code["N"] << 10) | 400, 59 << 10, 0xFFFF, (-300) & 0xFFFF, code["V"] << 10, 0]  # a skip back to 100
    path.with_suffix(".atr").write_bytes(np.array(words, "<u2").tobytes())
    beats = recordings.read(path, annotator="atr").beats
    assert (beats.samples.tolist(), beats.symbols.tolist()) == ([100, 400], ["V", "N"])


def test_codes_that_wfdb_does_not_define_are_named(record):
    path, _ = record
    path.with_suffix(".atr").write_bytes(np.array([(1 << 10) | 100, (45 << 10) | 50, 0], "<u2").tobytes())
    with pytest.raises(InputError, match=r"r1.atr uses the codes \[45\]"):
        recordings.read(path, annotator="atr")


def test_one_lead_is_chosen_by_what_it_is():
    signal = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = recordings.Recording("r", "p", signal, 125.0, ("RESP", "ABP", "V", "II"))
    assert found.only("I", "II").leads == ("II",)
    assert found.only("I").leads == ("V",)  # no respiration
    assert found.only("I", lead="abp").signal[:, 0].tolist() == [1, 5]
    with pytest.raises(InputError, match="has no lead V9: choose with --lead: RESP, ABP, V, II"):
        found.only(lead="V9")
    breath = recordings.Recording("r", "p", signal[:, :2], 125.0, ("RESP", "ABP"))
    with pytest.raises(InputError, match="no lead that is known to be an ECG: choose with --lead: RESP, ABP"):
        breath.only("I")


def test_eight_leads_make_twelve():
    rng = np.random.default_rng(0)
    eight = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    signal = rng.normal(size=(5, 8)).astype(np.float32)
    with pytest.warns(Note, match="lacks III, aVR, aVL, aVF: they are computed from I and II"):
        twelve = recordings.Recording("r", "p", signal, 500.0, eight).twelve()
    np.testing.assert_allclose(twelve[:, :6], limb_leads(signal[:, 0], signal[:, 1]), rtol=1e-6)
    np.testing.assert_array_equal(twelve[:, 6:], signal[:, 2:])


@pytest.fixture
def published(cohort, tmp_path):
    """Write the table of a cohort anew; gives what `ptb_xl` reads, or its sentence."""
    copy = shutil.copytree(cohort, tmp_path / "copy")
    path = copy / "ptbxl_database.csv"
    text = path.read_text(encoding="utf-8")

    def read(change, encoding="utf-8"):
        path.write_bytes(change(text).encode(encoding))
        try:
            return list(recordings.ptb_xl(copy))
        except InputError as error:
            return str(error)

    return read


def cell(column, value):
    """Give a change of one cell, in row 3 of the file."""

    def change(text):
        table = pd.read_csv(io.StringIO(text), dtype=str)
        table.loc[1, column] = value
        return table.to_csv(index=False)

    return change


def test_the_table_of_ptb_xl_in_other_encodings(published):
    as_it_is = published(lambda text: text)
    for change, encoding in (
        (cell("report", "lagetyp überdreht"), "latin-1"),
        (cell("report", "lagetyp überdreht"), "utf-8-sig"),
        (lambda text: pd.read_csv(io.StringIO(text), dtype=str).to_csv(index=False, sep=";"), "utf-8"),
    ):
        assert [one.labels for one in published(change, encoding)] == [one.labels for one in as_it_is]


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("filename_hr", "", "filename_hr is empty"),
        ("filename_hr", "records500/none", "no records500/none.hea, and this course reads 500 Hz"),
        ("patient_id", "", "patient_id is 'nan'"),
        ("patient_id", "Anna", "patient_id is 'Anna'"),
        ("scp_codes", "", "scp_codes are nan"),
        ("scp_codes", "{'NORM': 100.0", "scp_codes are {'NORM': 100.0, and not such as"),
        ("scp_codes", "['NORM']", "scp_codes are ['NORM'], and not such as"),
        ("scp_codes", "[" * 5000, "scp_codes are [[[["),
        ("ecg_id", "1", "this ecg_id stands in the table twice"),
    ],
)
def test_a_row_of_the_table_that_cannot_be_used_is_named(published, column, value, told):
    said = published(cell(column, value))
    assert f"ptbxl_database.csv, row 3 (ecg_id {1 if column == 'ecg_id' else 2}): {told}" in said
    assert "\n" not in said


@pytest.mark.filterwarnings("ignore")
def test_rows_that_are_longer_than_the_header_are_read_as_the_others(published):
    long = published(lambda text: text.replace("\n", ",more,more\n").replace(",more,more\n", "\n", 1))
    assert [one.labels for one in long] == [one.labels for one in published(lambda text: text)]


def test_a_diagnosis_with_likelihood_0_is_none(published):
    labels = published(cell("scp_codes", "{'NORM': 0.0, 'SR': 0.0}"))[1].labels
    assert (labels["diagnoses"], labels["superclasses"]) == (("NORM", "SR"), ())
    assert published(cell("scp_codes", "{}"))[1].labels["diagnoses"] == ()


def test_what_macos_leaves_in_ludb_is_passed_over(record, tmp_path):
    path, _ = record
    place = tmp_path / "ludb" / "data"
    place.mkdir(parents=True)
    for ending in (".hea", ".dat"):
        shutil.copy(path.with_suffix(ending), place / f"1{ending}")
    (place / "1.hea").write_text((place / "1.hea").read_text().replace("r1", "1"))
    (place / "._1.hea").write_bytes(b"\0\5\x16\7")
    assert [one.name for one in recordings.ludb(place.parent)] == ["1"]
