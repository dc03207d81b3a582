import json

import pytest

from ecg_lessons import simulator

SMALL = """
[augmentation]
window_seconds = 6
dropout_bursts = 0.05
[convolutions]
over = "time"
blocks = 2
layers = 1
halves = "pool"
first_channels = 8
[recurrence]
cell = "gru"
layers = 1
units = 6
[training]
epochs = 1
batch_size = 16
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_train_evaluate_predict_and_vote_on_rhythms(call, model, tmp_path):
    for fold in (0, 1):
        words = ("--network", model, "--recordings", 120, "--fold", fold, "--out", tmp_path / f"run{fold}")
        status, out, err = call("train", "rhythm", *words)
        assert (status, err) == (0, "")
        assert "epoch 1/1" in out
    status, out, _ = call("evaluate", tmp_path / "run0")
    assert status == 0
    for word in ("mean F1 of N, A, O", "accuracy", "majority", "sensitivity", "who was recorded is not published"):
        assert word in out
    assert json.loads((tmp_path / "run0" / "metrics.json").read_text())["examples"] == 24
    folder = simulator.sample_rhythms(120) / "training2017"
    recording = next(folder.glob("*.mat"))
    status, out, _ = call("predict", tmp_path / "run0", recording, "--to", tmp_path / "one.csv")
    assert status == 0
    assert "1 verdicts are in" in out
    status, out, _ = call(
        "vote", tmp_path / "run0", tmp_path / "run1", "--recordings", folder, "--to", tmp_path / "all.csv"
    )
    assert status == 0
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[0] == "ID,SECONDS,CLASS,PROBABILITY"
    assert len(lines) == 121
    status, _, err = call("vote", tmp_path / "run0", "--recordings", folder, "--to", tmp_path / "no.csv")
    assert (status, (tmp_path / "no.csv").exists()) == (2, False)
    assert "One network cannot vote" in err
    status, _, err = call("predict", tmp_path / "run0", recording, "--to", tmp_path / "n.csv", "--threshold", "0.5")
    assert status == 2
    assert "leave --threshold out" in err
    status, _, err = call("evaluate", tmp_path / "run0", "--pictures", tmp_path)
    assert status == 2
    assert "leave --pictures out" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--network", "rnn"), "no network 'rnn': choose cnn, compact, compact-signal, crnn"),
        (("--fold", 5), "There is no split 'fold-5'"),
        (("--fold", 1, "--split", "x.json"), "--fold and --split exclude each other"),
        (("--split", "nowhere.json"), "Cannot read nowhere.json"),
        (("--source", "moon"), "no source 'moon'"),
        (("--network", "nowhere.toml"), "No model file nowhere.toml"),
    ],
)
def test_a_mistake_in_training_rhythms_gets_one_sentence(call, tmp_path, words, sentence):
    words = words if "--network" in words else ("--recordings", 120, *words)
    status, _, err = call("train", "rhythm", *words, "--out", tmp_path / "run")
    assert status == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_recordings_that_cannot_be_judged_are_named(call, model, tmp_path):
    status, _, err = call("predict", tmp_path, tmp_path, "--to", tmp_path / "a.csv")
    assert status == 2
    assert "is no run" in err
