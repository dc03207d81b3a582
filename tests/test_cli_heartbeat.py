"""The commands of lesson 5: what they print, what they write, and how they fail."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons import simulator
from ecg_lessons.data.tables import read_beats, write_beats

REASONS = ("Healthy control", "Myocardial infarction")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder in PhysioNet's layout, of simulated patients."""
    root = tmp_path_factory.mktemp("data")
    simulator.simulate_arrhythmias(root / "mitdb" / "1.0.0", patients=20, minutes=1)
    simulator.simulate_cohort(root / "ptb-xl" / "1.0.3", patients=50)
    names = []
    for k in range(12):
        signal, about = wfdb.rdsamp(str(root / "ptb-xl" / "1.0.3" / "records500" / "00000" / f"{k + 1:05d}_hr"))
        folder = root / "ptbdb" / "1.0.0" / f"patient{k:03d}"
        folder.mkdir(parents=True)
        form = {"fmt": ["16"] * 12, "adc_gain": [1000.0] * 12, "baseline": [0] * 12, "write_dir": str(folder)}
        comments = [f"Reason for admission: {REASONS[k % 2]}"]
        wfdb.wrsamp(f"s{k:04d}", 500, ["mV"] * 12, about["sig_name"], signal, **form, comments=comments)
        names.append(f"patient{k:03d}/s{k:04d}")
        (folder / f"s{k:04d}.xyz").write_bytes(b"")
    (root / "ptbdb" / "1.0.0" / "RECORDS").write_text("\n".join(names) + "\n")
    return root


@pytest.fixture(autouse=True)
def at_hand(monkeypatch, data):
    """Let every command find these data."""
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A heartbeat run and an inversion folder that only says what it is."""
    from ecg_lessons.lessons import heartbeat_runs as runs

    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECG_LESSONS_DATA", str(data))
        plan = runs.lesson.plan("cnet").but(epochs=1)
        runs.train(folder / "cnet", source="physionet", plan=plan, split="random-beats")
    (folder / "other").mkdir()
    (folder / "other" / "run.json").write_text('{"lesson": "inversion"}')
    (folder / "other" / "model.keras").write_text("")
    return folder


@pytest.fixture(scope="module")
def csv(data, tmp_path_factory):
    """The four files of the original, of simulated beats."""
    from ecg_lessons.lessons import heartbeat, heartbeat_tables

    folder = tmp_path_factory.mktemp("csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECG_LESSONS_DATA", str(data))
        for task in heartbeat_tables.NAMES:
            made = heartbeat_tables.export(task, heartbeat.load(task, "physionet"), folder / task)
            for path in made.iterdir():
                shutil.move(path, folder)
    return folder


def train(task, out, *words, source="physionet"):
    return ("train", task, "--source", source, "--epochs", 1, "--out", out, *words)


def test_train_evaluate_predict(call, data, tmp_path):
    status, printed, _ = call(*train("heartbeat", tmp_path / "r", "--balance", "focal", "--rule", "published"))
    assert status == 0
    assert f"Next: ecg-lessons evaluate {tmp_path / 'r'}" in printed
    about = json.loads((tmp_path / "r" / "run.json").read_text())
    assert (about["network"], about["balance"], about["rule"]) == ("cnet", "focal", "published")
    status, printed, _ = call("evaluate", tmp_path / "r")
    assert status == 0
    for word in ("macro f1", "majority", "sensitivity", "precision (PPV)", "AUC", "people", "over patients"):
        assert word in printed
    records = data / "mitdb" / "1.0.0"
    assert call("predict", tmp_path / "r", records / "a001", "--to", tmp_path / "p.csv")[0] == 0
    table = pd.read_csv(tmp_path / "p.csv")
    assert list(table.columns) == ["ID", "TIME", "CLASS", "PROBABILITY", "ANNOTATED"]


def test_every_option_of_the_original_has_a_counterpart(call, tmp_path):
    words = ("--network", "seq2seq", "--smote", "--batch-size", 256, "--learning-rate", 0.002, "--seed", 7)
    status, _, error = call(*train("heartbeat", tmp_path / "r", "--split", "random-beats", *words))
    assert (status, error) == (0, "")
    about = json.loads((tmp_path / "r" / "run.json").read_text())
    assert (about["network"], about["balance"]) == ("seq2seq", "smote")
    plan = (tmp_path / "r" / "plan.toml").read_text()
    for line in ("batch_size = 256", "learning_rate = 0.002", "seed = 7", "epochs = 1"):
        assert line in plan


def test_transfer_to_infarction(call, data, trained, tmp_path):
    words = ("--transfer-from", trained / "cnet", "--frozen", "--share", 0.5)
    status, _, error = call(*train("infarction", tmp_path / "mi", *words))
    assert (status, error) == (0, "")
    about = json.loads((tmp_path / "mi" / "run.json").read_text())
    assert (about["task"], about["network"], about["frozen"], about["share"]) == ("infarction", "cnet", True, 0.5)
    status, printed, _ = call("evaluate", tmp_path / "mi")
    assert status == 0
    assert "infarction sensitivity" in printed
    status, printed, _ = call("evaluate", tmp_path / "mi", "--source", "ptbdb")
    assert status == 0
    assert (tmp_path / "mi" / "predictions-ptbdb.csv").exists()
    records = data / "ptb-xl" / "1.0.3" / "records500" / "00000"
    assert call("predict", tmp_path / "mi", records, "--to", tmp_path / "p.csv")[0] == 0
    assert list(pd.read_csv(tmp_path / "p.csv").columns) == ["ID", "BEATS", "CLASS", "PROBABILITY"]


def test_files_of_the_original_are_written(call, tmp_path):
    words = ("export", "heartbeat", "--source", "physionet", "--to", tmp_path / "h")
    status, printed, _ = call(*words)
    assert status == 0
    shapes = {path.name: read_beats(path)[0].shape for path in (tmp_path / "h").iterdir()}
    assert set(shapes) == {"mitbih_train.csv", "mitbih_test.csv"}
    beats = sum(shape[0] for shape in shapes.values())
    assert shapes["mitbih_test.csv"][0] == round(0.2 * beats)
    assert f"{beats} beats are in" in printed
    assert call("export", "infarction", "--source", "ptbdb", "--to", tmp_path / "i")[0] == 0
    assert {path.name for path in (tmp_path / "i").iterdir()} == {"ptbdb_normal.csv", "ptbdb_abnormal.csv"}
    status, _, error = call(*words)
    assert status == 2
    assert "not empty" in error
    assert error.count("\n") == 1


def test_train_and_evaluate_on_files_without_patients(call, csv, tmp_path):
    both = ("--train-csv", csv / "mitbih_train.csv", "--test-csv", csv / "mitbih_test.csv")
    status, printed, _ = call(*train("heartbeat", tmp_path / "r", *both))
    assert status == 0
    assert printed.count("name no patients") == 1
    status, printed, _ = call("evaluate", tmp_path / "r", "--test-csv", csv / "mitbih_test.csv")
    assert status == 0
    assert "name no patients" in printed
    assert "over beats" in printed
    both = ("--normal-csv", csv / "ptbdb_normal.csv", "--abnormal-csv", csv / "ptbdb_abnormal.csv")
    status, printed, _ = call(*train("infarction", tmp_path / "mi", *both))
    assert status == 0
    assert "name no patients" in printed
    status, printed, _ = call("evaluate", tmp_path / "mi", *both)
    assert status == 0
    for words, told in (
        ((), "name the files again"),
        (both[:2], "test beats are not in these data"),
        (("--test-csv", csv / "mitbih_test.csv"), "leave --test-csv out"),
        ((*both, "--source", "sample"), "not both"),
    ):
        status, _, error = call("evaluate", tmp_path / "mi", *words)
        assert status == 2
        assert told in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("heartbeat --network resnet", "no network 'resnet'"),
        ("heartbeat --preset desk", "no preset 'desk'"),
        ("heartbeat --source moon", "no source 'moon'"),
        ("heartbeat --rule own", "no rule 'own'"),
        ("heartbeat --split by-beat", "no split 'by-beat'"),
        ("heartbeat --split files", "no split 'files'"),
        ("heartbeat --split de-chazal", "neither DS1 nor DS2"),
        ("heartbeat --balance adasyn", "no balance 'adasyn'"),
        ("heartbeat --smote --balance focal", "--smote and --balance focal contradict"),
        ("heartbeat --no-smote --balance smote", "--no-smote and --balance smote contradict"),
        ("heartbeat --network ours --smote", "SMOTE makes beats without a heart"),
        ("heartbeat --share 0", "0 is no share"),
        ("heartbeat --share 1.5", "1.5 is no share"),
        ("heartbeat --frozen", "name a run with --transfer-from"),
        ("heartbeat --train-csv a.csv", "--train-csv and --test-csv belong together"),
        ("infarction --abnormal-csv a.csv", "--normal-csv and --abnormal-csv belong together"),
        ("infarction --normal-csv a.csv --abnormal-csv b.csv", "No file a.csv"),
        ("infarction --rule published", "--rule"),
        ("infarction --source moon", "no source 'moon'"),
        ("infarction --transfer-from nowhere", "nowhere is no run"),
    ],
)
def test_mistakes_end_in_one_sentence_and_leave_nothing(call, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = words if "--source" in words else f"{words} --source physionet"
    status, _, error = call("train", *words.split(), "--epochs", 1, "--out", "r")
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("task", "words", "told"),
    [
        ("infarction", "other", "is a run of lesson 'inversion'"),
        ("infarction", "cnet --network bigru", "leave --network bigru out"),
        ("heartbeat", "cnet", "the same task from the same data"),
    ],
)
def test_runs_that_do_not_fit_are_told(call, trained, tmp_path, task, words, told):
    start, *words = words.split()
    status, _, error = call(*train(task, tmp_path / "r", "--transfer-from", trained / start, *words))
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda row: row[1:], "187 columns"),
        (lambda row: ["0.5", *row], "189 columns"),
        (lambda row: [*row[:-1], "5"], "the class (column 188) is 5"),
        (lambda row: [*row[:-1], "0.5"], "the class (column 188) is 0.5"),
        (lambda row: ["nan", *row[1:]], "line 1, column 1"),
    ],
)
def test_bad_tables_end_in_one_sentence(call, csv, tmp_path, spoil, told):
    rows = (csv / "mitbih_train.csv").read_text().splitlines()
    rows[0] = ",".join(spoil(rows[0].split(",")))
    (tmp_path / "bad.csv").write_text("\n".join(rows) + "\n")
    words = ("--train-csv", tmp_path / "bad.csv", "--test-csv", csv / "mitbih_test.csv")
    status, _, error = call(*train("heartbeat", tmp_path / "r", *words))
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_files_are_not_split_by_patient(call, csv, tmp_path):
    both = ("--train-csv", csv / "mitbih_train.csv", "--test-csv", csv / "mitbih_test.csv")
    for words, told in (
        (("--split", "by-patient"), "do not say whose"),
        (("--network", "ours"), "CSV files name no hearts"),
    ):
        status, _, error = call(*train("heartbeat", tmp_path / "r", *both, *words))
        assert status == 2
        assert told in error
        assert error.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_too_few_for_smote_is_told(call, csv, tmp_path):
    x, y = read_beats(csv / "mitbih_train.csv")
    kept = np.sort(np.concatenate([np.flatnonzero(y != 3), np.flatnonzero(y == 3)[:3]]))
    write_beats(tmp_path / "few.csv", x[kept], y[kept])
    words = ("--train-csv", tmp_path / "few.csv", "--test-csv", csv / "mitbih_test.csv", "--smote")
    status, _, error = call(*train("heartbeat", tmp_path / "r", *words))
    assert status == 2
    assert "too few for SMOTE with 5 neighbours" in error
    assert error.count("\n") == 1


def test_the_lessons_refuse_each_others_files(call, csv, trained, tmp_path):
    for words, told in (
        (("evaluate", trained / "other", "--test-csv", csv / "mitbih_test.csv"), "run of lesson 1: leave --test-csv"),
        (("evaluate", trained / "cnet", "--pictures", tmp_path), "leave --pictures out"),
        (("evaluate", trained / "cnet", "--normal-csv", csv / "ptbdb_normal.csv"), "leave --normal-csv out"),
        (("predict", trained / "cnet", tmp_path, "--to", tmp_path / "p.csv"), "No WFDB headers"),
        (("predict", trained / "cnet", tmp_path, "--to", tmp_path / "p.csv", "--threshold", 0.5), "Lesson 5"),
    ):
        status, _, error = call(*words)
        assert status == 2
        assert told in error
        assert error.count("\n") == 1
    assert not (tmp_path / "p.csv").exists()
