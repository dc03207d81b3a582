"""The command line: what it prints, what it writes, and how it fails."""

import shutil

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons import cli, simulator
from ecg_lessons.data import recordings


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulator.simulate_cohort(tmp_path_factory.mktemp("cli") / "cohort", patients=24, seed=2)


@pytest.fixture(scope="module")
def data(cohort, tmp_path_factory):
    """A data folder in PhysioNet's layout whose PTB-XL is a simulated cohort."""
    root = tmp_path_factory.mktemp("data")
    shutil.copytree(cohort, root / "ptb-xl" / "1.0.3")
    return root


@pytest.fixture(scope="module")
def run_folder(data, tmp_path_factory):
    """A short training through the command line."""
    folder = tmp_path_factory.mktemp("runs") / "inv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECG_LESSONS_DATA", str(data))
        patch.setattr(
            "sys.argv",
            f"ecg-lessons train inversion --source physionet --epochs 2 --batch-size 8 --out {folder}".split(),
        )
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
    return folder


def test_check(call):
    status, printed, _ = call("check")
    assert status == 0
    for word in ("Python", "Keras", "memory", "disk", "trains"):
        assert word in printed


def test_simulate_twice_gives_the_same_bytes(call, tmp_path):
    for name in ("a", "b"):
        assert call("simulate", "--to", tmp_path / name, "--patients", 3, "--seed", 1)[0] == 0
    one, two = (sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in ("a", "b"))
    assert len(one) >= 8
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    record = wfdb.rdrecord(str(tmp_path / "a" / "records500" / "00000" / "00001_hr"))
    assert (record.n_sig, record.fs, record.sig_len) == (12, 500, 5000)


def test_simulate_infarctions(call, tmp_path):
    assert call("simulate", "--infarctions", "--patients", 4, "--to", tmp_path / "a")[0] == 0
    assert "infarction_stadium1" in (tmp_path / "a" / "ptbxl_database.csv").read_text()
    status, _, error = call("simulate", "--infarctions", "--arrhythmias", "--to", tmp_path / "b")
    assert status == 2
    assert "are two cohorts: choose one of them" in error
    assert not (tmp_path / "b").exists()


def test_simulate_rhythms(call, tmp_path):
    status, printed, _ = call("simulate", "--rhythms", "--patients", 4, "--to", tmp_path / "a")
    assert (status, "4 simulated patients" in printed) == (0, True)
    assert len((tmp_path / "a" / "REFERENCE-v3.csv").read_text().splitlines()) == 4
    for words, problem in (
        (("--infarctions",), "--infarctions and --rhythms are two cohorts: choose one of them"),
        (("--infarctions", "--arrhythmias"), "are three cohorts: choose one of them"),
        (("--minutes", 2), "--minutes belongs to --arrhythmias"),
    ):
        status, _, error = call("simulate", "--rhythms", *words, "--to", tmp_path / "b")
        assert (status, problem in error) == (2, True)
    assert not (tmp_path / "b").exists()


def test_train_evaluate_predict(call, run_folder, data, monkeypatch, tmp_path):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))
    status, printed, _ = call("evaluate", run_folder)
    assert status == 0
    assert "balanced accuracy" in printed
    assert "sensitivity LA/RA" in printed
    records = data / "ptb-xl" / "1.0.3" / "records500" / "00000"
    assert call("predict", run_folder, records / "00001_hr", "--to", tmp_path / "one.csv")[0] == 0
    assert call("predict", run_folder, records, "--to", tmp_path / "all.csv")[0] == 0
    table = pd.read_csv(tmp_path / "all.csv")
    assert len(table) == len(list(records.glob("*.hea")))
    assert set(table["TARGET"]) <= {0, 1}


def test_a_finished_training_is_not_repeated(call, run_folder, data, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))
    before = (run_folder / "model.keras").read_bytes()
    words = f"train inversion --source physionet --epochs 2 --batch-size 8 --out {run_folder}".split()
    status, printed, _ = call(*words)
    assert status == 0
    assert "epoch 1/" not in printed
    assert (run_folder / "model.keras").read_bytes() == before


def test_real_recording(call, run_folder, real, tmp_path):
    record = real / "ludb" / "1.0.1" / "data" / "1"
    assert call("predict", run_folder, record, "--to", tmp_path / "p.csv")[0] == 0
    assert list(pd.read_csv(tmp_path / "p.csv")["ID"]) == [1]


@pytest.fixture
def broken(tmp_path, cohort):
    """Files that cannot be used, by name."""
    folder = cohort / "records500" / "00000"
    for ending in ("hea", "dat"):
        shutil.copy(folder / f"00001_hr.{ending}", tmp_path / f"00001_hr.{ending}")
    (tmp_path / "alone.hea").write_text((tmp_path / "00001_hr.hea").read_text().replace("00001_hr", "alone"))
    (tmp_path / "short.hea").write_text((tmp_path / "00001_hr.hea").read_text().replace("00001_hr", "short"))
    (tmp_path / "short.dat").write_bytes((tmp_path / "00001_hr.dat").read_bytes()[:60001])
    (tmp_path / "junk.hea").write_bytes(bytes(range(256)))
    signal = np.zeros((3000, 3))
    wfdb.wrsamp("three", 500, ["mV"] * 3, ["I", "II", "V2"], signal, fmt=["16"] * 3, write_dir=str(tmp_path))
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "void").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alone", "alone.dat is missing"),
        ("short", "short"),
        ("junk", "junk"),
        ("three", "has 3 leads (I, II, V2)"),
        ("nowhere", "No header"),
        ("empty.csv", "empty"),
        ("binary.csv", "binary.csv"),
        ("void", "No WFDB headers"),
    ],
)
def test_bad_recordings_end_in_one_sentence(call, run_folder, broken, name, words):
    status, _, error = call("predict", run_folder, broken / name, "--to", broken / "p.csv")
    assert status == 2
    assert error.startswith("ecg-lessons: ")
    assert error.count("\n") == 1
    assert words in error
    assert not (broken / "p.csv").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train inversion --network resnet", "no network 'resnet'"),
        ("train inversion --source moon", "no source 'moon'"),
        ("train inversion --data-csv x.csv", "belong together"),
        ("train inversion --plan nowhere.toml", "No plan nowhere.toml"),
        ("train inversion --split sideways", "no split 'sideways'"),
        ("train inversion --task why", "no task 'why'"),
        ("train heart", "No such command 'heart'"),
        ("train inversion --epochs -3", "--epochs"),
        ("train inversion --epoch 3", "No such option"),
        ("predict runs/first", "Missing argument"),
        ("evaluate nowhere", "nowhere is no run"),
        ("fetch mitbd", "did you mean 'mitdb'"),
        ("results rhythms", "no lesson 'rhythms'"),
        ("results inversion --only plain", "--only goes with rhythm and heartbeat"),
        ("results rhythm --only plane", "No training of rhythm has 'plane' in its name"),
    ],
)
def test_mistakes_end_in_one_sentence_and_status_two(call, command, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, error = call(*command.split())
    assert status == 2
    assert words in error
    assert error.startswith("ecg-lessons: ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_no_real_data_names_the_way_out(call, tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    status, _, error = call("train", "inversion", "--source", "physionet", "--out", tmp_path / "run")
    assert status == 2
    assert "ecg-lessons fetch ptb-xl" in error
    assert "--source sample" in error
    assert not (tmp_path / "run").exists()


def test_places_that_cannot_be_written(call, run_folder, data, monkeypatch, tmp_path):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))
    (tmp_path / "file").write_text("precious")
    record = data / "ptb-xl" / "1.0.3" / "records500" / "00000" / "00001_hr"
    for command in (
        ("predict", run_folder, record, "--to", tmp_path / "file" / "p.csv"),
        ("export", "inversion", "--source", "physionet", "--to", tmp_path / "file"),
        ("simulate", "--to", tmp_path / "file" / "x", "--patients", 1),
        ("train", "inversion", "--source", "physionet", "--out", tmp_path / "file" / "run"),
    ):
        status, _, error = call(*command)
        assert status == 2, command
        assert error.count("\n") == 1
        assert "file" in error
    assert (tmp_path / "file").read_text() == "precious"


def test_check_tells_a_part_from_the_whole(call, data, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))
    (data / "ludb" / "1.0.1").mkdir(parents=True, exist_ok=True)
    (data / "ludb" / "1.0.1" / ".lock").touch()
    assert "ludb" not in call("check")[1]
    (data / "ludb" / "1.0.1" / "data").mkdir(exist_ok=True)
    status, printed, _ = call("check")
    assert "ludb (incomplete)" in printed
    assert status == 1


def test_a_flat_line_gets_no_verdict(call, run_folder, tmp_path):
    names = list(recordings.LEADS)
    form = {"fmt": ["16"] * 12, "adc_gain": [1000.0] * 12, "baseline": [0] * 12}
    wfdb.wrsamp("flat", 500, ["mV"] * 12, names, np.zeros((5000, 12)), write_dir=str(tmp_path), **form)
    status, _, error = call("predict", run_folder, tmp_path / "flat", "--to", tmp_path / "p.csv")
    assert status == 2
    assert "Record flat is a flat line" in error


def test_ctrl_c_is_told_in_one_sentence(call, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("ecg_lessons.machine.check", interrupted)
    status, _, error = call("check")
    assert status == 130
    assert error == "ecg-lessons: stopped; the same command goes on from here.\n"
