"""The command line: what it prints, what it writes, and how it fails."""

import json
import re
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons.cli import tables
from ecg_lessons.data import recordings

pytestmark = pytest.mark.usefixtures("at_hand")


@pytest.mark.parametrize("words", ["--help", "--version", "train --help", "evaluate --help", "sweep --help"])
def test_help_is_there_at_once(words):
    """It waits for no library of numbers or networks."""
    code = (
        f"import sys; sys.argv = ['ecg-lessons', *{words.split()}]\n"
        "from ecg_lessons import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'numpy', 'pandas', 'keras', 'tensorflow', 'wfdb', 'ray'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage" in done.stdout or done.stdout == f"ecg-lessons {version('ecg-lessons')}\n"


def test_commands_stand_in_the_order_in_which_one_meets_them(call):
    status, printed, _ = call("--help")
    names = ["course", "check", "simulate", "train", "evaluate", "predict", "export"]
    places = [printed.index(f"\n  {name} ") for name in names]
    assert (status, places) == (0, sorted(places))


def test_check(call, monkeypatch, tmp_path):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    status, printed, _ = call("check")
    assert status == 0
    for word in ("Python", "Keras", "memory", "disk", "trains"):
        assert word in printed
    (tmp_path / "ludb" / "1.0.1").mkdir(parents=True)
    (tmp_path / "ludb" / "1.0.1" / ".lock").touch()
    assert "ludb" not in call("check")[1]
    (tmp_path / "ludb" / "1.0.1" / "data").mkdir()
    status, printed, _ = call("check")
    assert (status, "ludb (incomplete)" in printed) == (1, True)
    status, printed, _ = call("check", "--json")
    lines = {line["what"]: line for line in json.loads(printed)}
    assert (status, lines["Python"]["remedy"]) == (1, "")
    assert any(line["remedy"] for line in lines.values())


@pytest.mark.parametrize(
    ("words", "files", "record", "shape"),
    [
        ("", "ptbxl_database.csv", "records500/00000/00001_hr", (12, 500, 5000)),
        ("--infarctions", "ptbxl_database.csv", "records500/00000/00001_hr", (12, 500, 5000)),
        ("--rhythms", "REFERENCE-v3.csv", "training2017/*.mat", (1, 300, None)),
        ("--arrhythmias --minutes 1", "RECORDS", "a002", (2, 360, 21600)),
    ],
)
def test_simulated_twice_a_cohort_is_the_same_to_the_byte(call, tmp_path, words, files, record, shape):
    for name in ("a", "b"):
        status, printed, _ = call("simulate", *words.split(), "--to", tmp_path / name, "--patients", 3, "--seed", 1)
        assert (status, printed) == (0, f"3 simulated patients are in {tmp_path / name}.\n")
    one, two = (sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in ("a", "b"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    table = (tmp_path / "a" / files).read_text()
    assert len(table.splitlines()) >= 3
    assert ("infarction_stadium1" in table) == ("infarctions" in words)
    path = next((tmp_path / "a").glob(record if "." in record else f"{record}.hea"))
    header = wfdb.rdheader(str(path.with_suffix("")))
    assert (header.n_sig, header.fs) == shape[:2]
    assert shape[2] in (None, header.sig_len)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("simulate --infarctions --arrhythmias --to x", "--arrhythmias and --infarctions are two cohorts: choose one"),
        ("simulate --rhythms --infarctions --arrhythmias --to x", "are three cohorts: choose one of them"),
        ("simulate --minutes 1 --to x", "--minutes belongs to --arrhythmias"),
        ("simulate --rhythms --minutes 1 --to x", "--minutes belongs to --arrhythmias"),
        ("simulate --patients 0 --to x", "--patients"),
        ("train heart", "No such command 'heart'"),
        ("export patients --to x", "has no files of an original project"),
        ("predict runs/first", "Missing argument 'recordings'"),
        ("evaluate nowhere", "nowhere is no run"),
        ("evaluate nowhere --data-csv x.csv", "nowhere is no run"),
        ("predict nowhere record --to x.csv --threshold 0.3", "nowhere is no run"),
        ("summarize nowhere", "nowhere is no run"),
        ("fetch mitbd", "did you mean 'mitdb'"),
        ("fetch challenge-2017 --zip", "has no zip of the whole project"),
        ("results rhythms", "no lesson 'rhythms': did you mean 'rhythm'"),
        ("results rhythm --only plane", "No training of rhythm has 'plane' in its name"),
        ("results infarction --only plane", "has 'plane' in its name; one is called"),
        ("split --to x --train 0.9 --source physionet", "The shares come to 1.3"),
        ("vote r --recordings r --to x.csv", "One network cannot vote"),
        ("sweep nowhere.toml", "Cannot read nowhere.toml"),
    ],
)
def test_mistakes_end_in_one_sentence_and_leave_nothing(refused, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert told in refused(*words.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("lesson", "dataset"), [("inversion", "ptb-xl"), ("rhythm", "challenge-2017")])
def test_no_real_data_names_the_way_out(refused, tmp_path, monkeypatch, lesson, dataset):
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    error = refused("train", lesson, "--source", "physionet", "--out", tmp_path / "run")
    assert f"ecg-lessons fetch {dataset}" in error
    assert "--source sample" in error
    assert not (tmp_path / "run").exists()


@pytest.fixture
def broken(tmp_path, physionet):
    """Files that cannot be used, by name."""
    folder = physionet / "ptb-xl" / "1.0.3" / "records500" / "00000"
    header, signal = (folder / "00001_hr.hea").read_text(), (folder / "00001_hr.dat").read_bytes()
    (tmp_path / "alone.hea").write_text(header.replace("00001_hr", "alone"))
    (tmp_path / "short.hea").write_text(header.replace("00001_hr", "short"))
    (tmp_path / "short.dat").write_bytes(signal[:60001])
    (tmp_path / "junk.hea").write_bytes(bytes(range(256)))
    for name, leads in (("three", ["I", "II", "V2"]), ("flat", list(recordings.LEADS))):
        form = {"fmt": ["16"] * len(leads), "adc_gain": [1000.0] * len(leads), "baseline": [0] * len(leads)}
        form |= {"p_signal": np.zeros((5000, len(leads))), "write_dir": str(tmp_path)}
        wfdb.wrsamp(name, 500, ["mV"] * len(leads), leads, **form)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "void").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("alone", "alone.dat is missing"),
        ("short", "short"),
        ("junk", "junk"),
        ("three", "has 3 leads (I, II, V2)"),
        ("flat", "V6 are flat lines or missing"),
        ("nowhere", "No header"),
        ("empty.csv", "empty"),
        ("binary.csv", "binary.csv"),
        ("void", "No recordings"),
    ],
)
def test_bad_recordings_end_in_one_sentence(refused, trained, broken, name, told):
    assert told in refused("predict", trained("inversion"), broken / name, "--to", broken / "p.csv")
    assert not (broken / "p.csv").exists()


def test_bad_annotations_end_in_one_sentence(refused, physionet, tmp_path, monkeypatch):
    folder = tmp_path / "mitdb" / "1.0.0"
    shutil.copytree(physionet / "mitdb" / "1.0.0", folder)
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    words = ("train", "beat-images", "--source", "physionet", "--out", tmp_path / "run")
    (folder / "a003.atr").unlink()
    assert "a003" in refused(*words)
    wfdb.wrann("a003", "atr", np.array([100, 400, 10**6]), ["N"] * 3, write_dir=str(folder))
    assert re.search("a003.*beyond", refused(*words))
    assert not (tmp_path / "run").exists()


def test_a_real_recording(call, trained, real, tmp_path):
    record = real / "ludb" / "1.0.1" / "data" / "1"
    assert call("predict", trained("inversion"), record, "--to", tmp_path / "p.csv")[0] == 0
    assert list(pd.read_csv(tmp_path / "p.csv")["ID"]) == [1]


def test_places_that_cannot_be_written(refused, trained, physionet, tmp_path):
    place = tmp_path / "file"
    place.write_text("precious")
    record = physionet / "ptb-xl" / "1.0.3" / "records500" / "00000" / "00001_hr"
    for command in (
        ("predict", trained("inversion"), record, "--to", place / "p.csv"),
        ("export", "inversion", "--source", "physionet", "--to", place),
        ("simulate", "--to", place / "x", "--patients", 1),
        ("train", "inversion", "--source", "physionet", "--out", place / "run"),
        ("split", "--source", "physionet", "--to", place / "split.json"),
    ):
        assert "file" in refused(*command)
    assert place.read_text() == "precious"


def test_ctrl_c_is_told_in_one_sentence(call, monkeypatch):
    monkeypatch.setattr("ecg_lessons.machine.check", lambda: signal.raise_signal(signal.SIGINT))
    told = "ecg-lessons: stopped; the same command goes on from here.\n"
    assert call("check") == (130, "", told)


def test_names_are_printed_as_they_are(call, tmp_path, capsys):
    status, printed, _ = call("simulate", "--patients", 1, "--to", tmp_path / "[red]a :heart:")
    assert (status, f"are in {tmp_path}/[red]a :heart:." in printed) == (0, True)
    for words in ("short", "long " * 30):
        tables.table("[red]run", ["[a]", "b"], [["[red]x", words]])
        printed = capsys.readouterr().out
        assert all(name in printed for name in ("[red]run", "[a]", "[red]x"))


def test_verdicts_that_were_left_empty_are_counted(tmp_path, capsys):
    found = pd.DataFrame({"ID": ["a", "b", "c"], "TARGET": pd.array([1, pd.NA, 0], dtype="Int64")})
    tables.verdicts(found, tmp_path / "v.csv")
    said = " ".join(capsys.readouterr().out.split())
    assert "1 exchanged, 1 not exchanged, 1 left empty" in said or "1 not exchanged, 1 exchanged, 1 left empty" in said
