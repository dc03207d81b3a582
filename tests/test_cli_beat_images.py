"""The commands of lesson 3: what they print, what they write, and how they fail."""

import shutil

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons import simulator


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulator.simulate_arrhythmias(tmp_path_factory.mktemp("cli") / "cohort", patients=20, minutes=1)


@pytest.fixture(scope="module")
def data(cohort, tmp_path_factory):
    """A data folder in PhysioNet's layout whose MIT-BIH is a simulated cohort."""
    root = tmp_path_factory.mktemp("data")
    shutil.copytree(cohort, root / "mitdb" / "1.0.0")
    return root


@pytest.fixture(autouse=True)
def at_hand(monkeypatch, data):
    """Let every command find these data."""
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))


WORDS = {"--source": "physionet", "--epochs": "1", "--most": "6", "--network": "signal"}
TRAIN = ("train", "beat-images", *(word for pair in WORDS.items() for word in pair), "--out")


def test_simulate_arrhythmias(call, tmp_path):
    assert call("simulate", "--arrhythmias", "--patients", 2, "--minutes", 1, "--to", tmp_path / "a")[0] == 0
    assert wfdb.rdrecord(str(tmp_path / "a" / "a002")).sig_name[0] == "MLII"
    status, _, error = call("simulate", "--minutes", 1, "--to", tmp_path / "b")
    assert status == 2
    assert "--minutes belongs to --arrhythmias" in error


def test_train_compare_evaluate_predict(call, cohort, tmp_path):
    status, printed, _ = call(*TRAIN, tmp_path / "img", "--split", "random-beats", "--compare", "light")
    assert status == 0
    assert "macro F1" in printed
    assert (tmp_path / "img-light" / "metrics.json").exists()
    status, printed, _ = call("evaluate", tmp_path / "img")
    assert status == 0
    for word in ("majority", "sensitivity", "precision (PPV)", "AUC", "people", "Leaky: random-beats", "! flutter"):
        assert word in printed
    status, printed, _ = call("evaluate", tmp_path / "img-light", "--source", "sample")
    assert status == 0
    assert (tmp_path / "img-light" / "predictions-sample.csv").exists()
    assert call("predict", tmp_path / "img", cohort / "a001", "--to", tmp_path / "p.csv")[0] == 0
    table = pd.read_csv(tmp_path / "p.csv")
    assert list(table.columns) == ["ID", "TIME", "CLASS", "PROBABILITY", "ANNOTATED"]
    assert table["ID"].str.startswith("a001_").all()


def test_export_train_and_evaluate_pictures(call, tmp_path):
    words = ("export", "beat-images", "--source", "physionet", "--most", 6, "--to", tmp_path / "png")
    status, printed, _ = call(*words)
    assert status == 0
    files = list((tmp_path / "png").glob("*/*.png"))
    assert f"{len(files)} pictures" in printed
    assert (tmp_path / "png" / "paced").is_dir()
    trained = ("train", "beat-images", "--pictures", tmp_path / "png", "--epochs", 1, "--out", tmp_path / "run")
    assert call(*trained)[0] == 0
    assert "sensitivity" in call("evaluate", tmp_path / "run", "--pictures", tmp_path / "png")[1]
    status, _, error = call(*words)
    assert status == 2
    assert "not empty" in error


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--network resnet", "no network 'resnet'"),
        ("--compare light,vgg61", "no network 'vgg61'"),
        ("--augment ten-crops", "no augmentation 'ten-crops'"),
        ("--split by-beat", "no split 'by-beat'"),
        ("--preset desk", "no preset 'desk'"),
        ("--source moon", "no source 'moon'"),
        ("--pictures nowhere", "no folder nowhere"),
        ("--augment nine-crops --network signal --split random-beats", "sees no picture"),
        ("--most 0", "--most"),
    ],
)
def test_mistakes_end_in_one_sentence_and_leave_nothing(call, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = words if "--source" in words else f"{words} --source physionet"
    status, _, error = call("train", "beat-images", *words.split(), "--out", "r")
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_bad_records_end_in_one_sentence(call, data, cohort, tmp_path, monkeypatch):
    broken = tmp_path / "data" / "mitdb" / "1.0.0"
    shutil.copytree(cohort, broken)
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path / "data"))
    (broken / "a003.atr").unlink()
    status, _, error = call(*TRAIN, tmp_path / "run")
    assert status == 2
    assert "a003" in error
    assert error.count("\n") == 1
    wfdb.wrann("a003", "atr", np.array([100, 400, 10**6]), ["N"] * 3, write_dir=str(broken))
    status, _, error = call(*TRAIN, tmp_path / "run")
    assert status == 2
    assert "a003" in error
    assert "beyond" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))


def test_a_run_of_one_lesson_refuses_the_files_of_another(call, tmp_path):
    call(*TRAIN, tmp_path / "img")
    (tmp_path / "d.csv").write_text("ID,0\n")
    for words in (
        ("evaluate", tmp_path / "img", "--data-csv", tmp_path / "d.csv", "--labels-csv", tmp_path / "d.csv"),
        ("predict", tmp_path / "img", tmp_path / "a001", "--to", tmp_path / "p.csv", "--threshold", 0.5),
    ):
        status, _, error = call(*words)
        assert status == 2
        assert error.count("\n") == 1
        assert "esson 3" in error
    assert not (tmp_path / "p.csv").exists()
