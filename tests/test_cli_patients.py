"""The commands of lesson 4: what they print, what they write, how they fail, and that a kill does no harm."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import wfdb

from ecg_lessons import simulator
from ecg_lessons.simulator import holter


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder in PhysioNet's layout whose MIT-BIH is a simulated cohort."""
    root = tmp_path_factory.mktemp("data")
    simulator.simulate_arrhythmias(root / "mitdb" / "1.0.0", patients=8, minutes=2)
    return root


@pytest.fixture(autouse=True)
def at_hand(monkeypatch, data):
    """Let every command find these data."""
    monkeypatch.setenv("ECG_LESSONS_DATA", str(data))


TRAIN = ("train", "patients", "--leave-one-out", "--source", "physionet", "--adapt-minutes", 1)
SHORT = ("--preset", "quick", "--epochs", 1)


def test_tensorboard_on_request(call, tmp_path):
    status, _, error = call(*TRAIN, *SHORT, "--patients", "a001", "--tensorboard", "--out", tmp_path)
    if importlib.util.find_spec("tensorboard") is None:
        assert status == 2
        assert "--tensorboard needs TensorBoard: install it" in error
    else:
        assert status == 0
        assert list(tmp_path.glob("pretraining/*/tensorboard/train/*"))


def test_train_and_summarise(call, tmp_path):
    folder = tmp_path / "loo"
    status, printed, _ = call(*TRAIN, *SHORT, "--patients", "a001, A003", "--out", folder)
    assert status == 0
    assert "a001 (1/2): " in printed
    assert f"2 patients are in {folder}. Next: ecg-lessons summarize" in printed
    status, printed, _ = call("summarize", folder)
    assert status == 0
    for word in ("majority", "generic", "head", "whole", "alone", "F1 frequent", "macro F1", "hurts:", "a003"):
        assert word in printed
    assert max(len(line.rstrip()) for line in printed.splitlines() if line.startswith(" ")) <= 80
    stored = json.loads((folder / "summary.json").read_text())
    metrics = [json.loads((folder / "patients" / p / "metrics.json").read_text()) for p in ("a001", "a003")]
    wanted = np.mean([one["arms"]["whole 1"]["accuracy"] for one in metrics])
    assert stored["arms"]["whole 1"]["accuracy"]["value"] == pytest.approx(wanted, abs=1e-4)
    gains = [one["arms"]["head 1"]["macro F1"] - one["arms"]["generic 0"]["macro F1"] for one in metrics]
    assert stored["arms"]["head 1"]["gain macro F1"]["value"] == pytest.approx(np.mean(gains), abs=1e-4)
    status, printed, _ = call(*TRAIN, *SHORT, "--patients", "a003,a004", "--out", folder)
    assert status == 0
    assert "a003 (1/2): finished before." in printed
    assert "a004 (2/2): F1" in printed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--patients a001,b7", "no patient 'b7'; there are a001, a002"),
        ("--patients ,", "No patient is named"),
        ("--preset desk", "no preset 'desk'"),
        ("--source moon", "no source 'moon'"),
        ("--adapt-minutes 0", "0 minutes are no adaptation"),
        ("--adapt-minutes nan", "nan minutes are no adaptation"),
        ("--adapt-minutes 2", "No patient could be done. Patient 'a001' has no rows after minute 2"),
        ("--epochs 0", "--epochs"),
        ("--plan nowhere.toml", "No plan nowhere.toml"),
    ],
)
def test_mistakes_end_in_one_sentence(call, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, error = call(*TRAIN, *words.split(), "--out", "r")
    assert status == 2
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("r/pretraining/*"))


def test_another_protocol_is_told(call, tmp_path):
    status, _, error = call("train", "patients", "--out", tmp_path / "r")
    assert status == 2
    assert "add --leave-one-out" in error


def test_summarise_refuses_what_it_cannot_sum_up(call, tmp_path):
    for content, told in (
        (None, "is no run"),
        ("{", "is damaged"),
        ('{"lesson": "inversion"}', "nothing to sum up"),
        ('{"lesson": "patients"}', "holds no leave-one-out"),
        ('{"lesson": "patients", "protocol": "leave-one-out"}', "No patient in"),
    ):
        if content:
            (tmp_path / "run.json").write_text(content)
        status, _, error = call("summarize", tmp_path)
        assert status == 2
        assert told in error
        assert error.count("\n") == 1


def test_a_patient_without_first_beats_does_not_stop_the_others(call, data, tmp_path, monkeypatch):
    root = tmp_path / "data"
    shutil.copytree(data, root)
    folder = root / "mitdb" / "1.0.0"
    marks = wfdb.rdann(str(folder / "a002"), "atr")
    late = marks.sample > 60 * holter.RATE
    symbols = np.array(marks.symbol)[late].tolist()
    wfdb.wrann("a002", "atr", marks.sample[late], symbols, write_dir=str(folder))
    monkeypatch.setenv("ECG_LESSONS_DATA", str(root))
    status, printed, _ = call(*TRAIN, *SHORT, "--patients", "a001,a002,a004", "--out", tmp_path / "r")
    assert status == 0
    assert "a002 (2/3): left out. Patient 'a002' has no rows before minute 1" in printed
    assert "a004 (3/3): F1" in printed
    status, printed, _ = call("summarize", tmp_path / "r")
    assert status == 0
    assert "a002 left out: Patient 'a002' has no rows before minute 1" in printed


def test_a_kill_does_no_harm(call, tmp_path):
    """Killed after the first patient, the same command goes on, and ends as an unbroken run does."""
    words = (*TRAIN, *SHORT, "--patients", "a001,a002,a003")
    folder, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    command = [sys.executable, "-c", "from ecg_lessons import cli; cli.main()", *map(str, words), "--out", folder]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = folder / "patients" / "a001" / "metrics.json"
    for _ in range(1200):
        if first.exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "patients" / "a003" / "metrics.json").exists()
    stamp = first.stat().st_mtime_ns
    status, printed, _ = call(*words, "--out", folder)
    assert status == 0
    assert "a001 (1/3): finished before." in printed
    assert first.stat().st_mtime_ns == stamp
    assert call(*words, "--out", unbroken)[0] == 0
    for patient in ("a001", "a002", "a003"):
        arms = [
            json.loads((place / "patients" / patient / "metrics.json").read_text())["arms"]
            for place in (folder, unbroken)
        ]
        assert arms[0] == arms[1]
