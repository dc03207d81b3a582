"""What the command line does for every lesson: train, evaluate, predict, export, and what each refuses."""

import importlib.util
import io
import json
import re
import shutil
from contextlib import redirect_stdout
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from ecg_lessons import cli, lessons
from ecg_lessons.data.tables import read_beats, write_beats

pytestmark = pytest.mark.usefixtures("at_hand")


class Case(NamedTuple):
    """What is particular about the commands of a lesson."""

    printed: str  # words that `evaluate` prints, one after a bar
    recordings: str  # to judge, in PhysioNet's layout
    columns: str  # of the verdicts
    entries: dict  # of run.json
    export: str = ""  # options of `export`
    files: str = ""  # options of `train` that name what was exported
    other: str = ""  # source to evaluate on


TWELVE = "ptb-xl/1.0.3/records500/00000/00001_hr ptb-xl/1.0.3/records500/00000"
HOLTER, ONE = "mitdb/1.0.0/a001 mitdb/1.0.0", "challenge-2017/1.0.0/training2017"
BEATS = "majority|sensitivity|precision (PPV)|AUC|people|over patients"
CASES = {
    "inversion": Case(
        "balanced accuracy|sensitivity LA/RA|which swap", TWELVE, "ID TARGET PROBABILITY SWAP",
        {"network": "hypotheses", "task": "which", "split": "by-patient"},
        "--source physionet", "--data-csv {}/data.csv --labels-csv {}/labels.csv",
    ),
    "rhythm": Case(
        "mean F1 of N, A, O|accuracy|majority|sensitivity|who was recorded is not published",
        f"{ONE}/*.mat {ONE}", "ID SECONDS CLASS PROBABILITY",
        {"network": "small", "split": "fold-1", "augment": True, "recordings": 100},
    ),
    "beat-images": Case(
        f"{BEATS}|Leaky: random-beats|! flutter", HOLTER, "ID TIME CLASS PROBABILITY ANNOTATED",
        {"network": "signal", "split": "random-beats", "most": 6, "rr": False},
        "--source physionet --most 6", "--pictures {}", "sample",
    ),
    "heartbeat": Case(
        f"{BEATS}|macro f1", HOLTER, "ID TIME CLASS PROBABILITY ANNOTATED",
        {"network": "cnet", "task": "heartbeat", "balance": "focal", "rule": "published"},
        "--source physionet", "--train-csv {}/mitbih_train.csv --test-csv {}/mitbih_test.csv",
    ),
    "infarction": Case(
        f"{BEATS}|infarction sensitivity", TWELVE, "ID BEATS CLASS PROBABILITY",
        {"network": "cnet", "task": "infarction", "frozen": True, "share": 0.5},
        "--source ptbdb", "--normal-csv {}/ptbdb_normal.csv --abnormal-csv {}/ptbdb_abnormal.csv", "ptbdb",
    ),
}  # fmt: skip
EXPORTED = [name for name, case in CASES.items() if case.files]


@pytest.fixture(scope="module")
def files(physionet, tmp_path_factory):
    """Write files of the original projects, once; gives the folder of a lesson, and what was printed."""
    root, ready = tmp_path_factory.mktemp("files"), {}

    def export(name):
        if name not in ready:
            words = ["ecg-lessons", "export", name, *CASES[name].export.split(), "--to", str(root / name)]
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
                patch.setenv("ECG_LESSONS_DATA", str(physionet))
                patch.setattr("sys.argv", words)
                with pytest.raises(SystemExit) as end:
                    cli.main()
            assert not end.value.code
            ready[name] = root / name, said.getvalue()
        return ready[name]

    return export


@pytest.mark.parametrize("name", [name for name in lessons.titles() if name != "patients"])
def test_what_is_trained_is_evaluated(call, trained, name):
    run, case = trained(name), CASES[name]
    about = json.loads((run / "run.json").read_text())
    assert about | case.entries | {"source": "physionet"} == about
    status, printed, _ = call("evaluate", run)
    assert status == 0
    for word in case.printed.split("|"):
        assert word in printed
    status, printed, _ = call("evaluate", run, "--json")
    scores, stored = json.loads(printed, parse_constant=pytest.fail), json.loads((run / "metrics.json").read_text())
    table = pd.read_csv(run / "predictions.csv")
    assert stored.pop("examples") == len(table)
    assert stored.pop("patients") in (None, table["patient"].nunique())
    assert scores == stored
    if case.other:
        assert call("evaluate", run, "--source", case.other)[0] == 0
        assert (run / f"predictions-{case.other}.csv").exists()
    before = (run / "model.keras").read_bytes()
    status, printed, _ = call(*trained.words[name])
    assert (status, "epoch 1/" in printed) == (0, False)
    assert f"Next: ecg-lessons evaluate {run}\n" in printed
    assert (run / "model.keras").read_bytes() == before


@pytest.mark.parametrize("name", CASES)
def test_a_run_judges_recordings(call, trained, physionet, name, tmp_path):
    for recording in CASES[name].recordings.split():
        place = next(physionet.glob(recording), physionet / recording)
        assert call("predict", trained(name), place, "--to", tmp_path / "p.csv")[0] == 0
        table = pd.read_csv(tmp_path / "p.csv", dtype={"ID": str})
        assert list(table.columns) == CASES[name].columns.split()
        judged = {record.split("_")[0] for record in table["ID"]}
        assert len(judged) == (len({path.stem for path in place.glob("*.hea")}) if place.is_dir() else 1)


@pytest.mark.parametrize("name", EXPORTED)
def test_files_of_the_original_train_and_are_scored(call, refused, files, name, tmp_path):
    case, (folder, said), run = CASES[name], files(name), tmp_path / "run"
    named = case.files.format(folder, folder).split()
    assert f"are in {folder}" in said
    assert "not empty" in refused("export", name, *case.export.split(), "--to", folder)
    status, printed, _ = call("train", name, *named, "--epochs", 1, "--out", run)
    assert (status, printed.count("name no patients")) == (0, name != "beat-images")
    following = printed.split("Next: ecg-lessons ")[1].splitlines()[0]
    assert following == f"evaluate {run} {' '.join(named)}"
    status, printed, _ = call(*following.split())
    assert (status, "sensitivity" in printed) == (0, True)
    assert ("name no patients" in printed, "over beats" in printed) == (name != "beat-images", name in EXPORTED[2:])
    assert "to evaluate it" in refused("evaluate", run)
    assert "not both" in refused("evaluate", run, *named, "--source", "sample")
    if name == "heartbeat":
        assert call("evaluate", run, *named[2:])[0] == 0
    if name == "infarction":
        assert "test beats are not in these data" in refused("evaluate", run, *named[:2])


def test_what_is_exported(files):
    beats = {name: sum(len(read_beats(path)[1]) for path in files(name)[0].iterdir()) for name in EXPORTED[2:]}
    assert f"{beats['heartbeat']} beats are in" in files("heartbeat")[1]
    assert len(read_beats(files("heartbeat")[0] / "mitbih_test.csv")[1]) == round(0.2 * beats["heartbeat"])
    assert read_beats(files("infarction")[0] / "ptbdb_abnormal.csv")[1].all()
    pictures = files("beat-images")[0]
    assert (pictures / "paced").is_dir()
    assert f"{len(list(pictures.glob('*/*.png')))} pictures" in files("beat-images")[1]


def test_networks_are_compared(call, trained, tmp_path, monkeypatch):
    """Also those of model files, into folders called after a name."""
    trained("rhythm")
    monkeypatch.chdir(tmp_path)
    other = shutil.copy(trained.folder / "small.toml", tmp_path / "other.toml")
    words = ("--network", trained.folder / "small.toml", "--compare", other, "--no-augment", "--name", "two")
    status, printed, error = call("train", "rhythm", "--source", "physionet", *words)
    assert (status, error) == (0, "")
    assert "parameters" in printed
    assert json.loads((tmp_path / "runs" / "rhythm-two" / "run.json").read_text())["augment"] is False
    assert (tmp_path / "runs" / "rhythm-two-other" / "metrics.json").exists()
    words = "--network light --augment nine-crops --compare signal --most 2 --epochs 1 --split random-beats --out img"
    status, printed, _ = call("train", "beat-images", "--source", "physionet", *words.split())
    assert status == 0
    assert "macro F1" in printed
    assert "Leaky: random-beats" in printed
    crops = [json.loads((tmp_path / name / "run.json").read_text())["nine_crops"] for name in ("img", "img-signal")]
    assert crops == [True, False]


def test_every_option_of_the_original_has_a_counterpart(call, tmp_path):
    words = "--network seq2seq --smote --batch-size 256 --learning-rate 0.002 --seed 7 --epochs 1 --split random-beats"
    status, _, error = call("train", "heartbeat", "--source", "physionet", *words.split(), "--out", tmp_path / "r")
    assert (status, error) == (0, "")
    about = json.loads((tmp_path / "r" / "run.json").read_text())
    assert (about["network"], about["balance"]) == ("seq2seq", "smote")
    plan = (tmp_path / "r" / "plan.toml").read_text()
    for line in ("batch_size = 256", "learning_rate = 0.002", "seed = 7", "epochs = 1"):
        assert line in plan


def test_recordings_are_divided_and_networks_vote(call, trained, physionet, tmp_path):
    assert call("split", "--folds", 5, "--source", "physionet", "--to", tmp_path / "folds")[0] == 0
    assert len(list((tmp_path / "folds").glob("fold-*.json"))) == 5
    status, printed, _ = call("split", "--source", "physionet", "--to", tmp_path / "mine.json")
    assert (status, printed) == (0, f"{tmp_path / 'mine.json'}: train 60, validation 20, test 20\n")
    words = ("--network", trained.folder / "small.toml", "--split", tmp_path / "mine.json", "--out", tmp_path / "r")
    assert call("train", "rhythm", "--source", "physionet", *words)[0] == 0
    assert json.loads((tmp_path / "r" / "run.json").read_text())["split"] == "shares-0.6-0.2-0.2"
    voters = (trained("rhythm"), tmp_path / "r")
    assert call("vote", *voters, "--recordings", physionet / ONE, "--to", tmp_path / "all.csv")[0] == 0
    table = pd.read_csv(tmp_path / "all.csv")
    assert list(table.columns) == ["ID", "SECONDS", "CLASS", "PROBABILITY"]
    assert len(table) == 100


REFUSED = [
    ("inversion --data-csv x.csv", "--data-csv and --labels-csv belong together"),
    ("inversion --split sideways", "no split 'sideways'"),
    ("inversion --task why", "no task 'why'"),
    ("inversion --epoch 3", "No such option: --epoch (Possible options: --epochs)"),
    ("beat-images --augment ten-crops", "no augment 'ten-crops': did you mean 'nine-crops'"),
    ("beat-images --split by-beat", "no split 'by-beat'"),
    ("beat-images --compare light,vgg61", "no network 'vgg61': did you mean 'vgg16'"),
    ("beat-images --pictures nowhere", "no folder nowhere"),
    ("beat-images --augment nine-crops --network signal --split random-beats", "sees no picture"),
    ("beat-images --most 0", "--most"),
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
    ("heartbeat --transfer-from {runs}/heartbeat", "the same task from the same data"),
    ("infarction --abnormal-csv a.csv", "--normal-csv and --abnormal-csv belong together"),
    ("infarction --normal-csv a.csv --abnormal-csv b.csv", "No file a.csv"),
    ("infarction --rule published", "No such option: --rule"),
    ("infarction --transfer-from nowhere", "nowhere is no run"),
    ("infarction --transfer-from {runs}/inversion", "is a run of lesson 'inversion'"),
    ("infarction --transfer-from {runs}/heartbeat --network bigru", "leave --network bigru out"),
    ("rhythm --network rnn", "no network 'rnn': did you mean 'crnn'? Choose compact, cnn, compact-devices,"),
    ("rhythm --network nowhere.toml", "Cannot read nowhere.toml"),
    ("rhythm --fold 5", "no split 'fold-5'"),
    ("rhythm --fold 1 --split x.json", "--fold and --split exclude each other"),
    ("rhythm --split nowhere.json", "Cannot read nowhere.json"),
    ("rhythm --recordings 5", "--recordings"),
    ("patients", "add --leave-one-out"),
    ("patients --leave-one-out --network patient", "No such option: --network"),
    ("patients --leave-one-out --patients a001,b7", "no patient 'b7'; there are a001, a002"),
    ("patients --leave-one-out --patients ,", "No patient is named"),
    ("patients --leave-one-out --adapt-minutes 0", "0 minutes are no adaptation"),
    ("patients --leave-one-out --adapt-minutes nan", "nan minutes are no adaptation"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_mistakes_in_training_end_in_one_sentence_and_leave_nothing(
    refused, trained, words, told, tmp_path, monkeypatch
):
    for name in ("heartbeat", "inversion"):
        if f"runs}}/{name}" in words:
            trained(name)
    monkeypatch.chdir(tmp_path)
    words = words.format(runs=trained.folder).split()
    assert told in refused("train", *words, "--source", "physionet", "--out", "r")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", lessons.titles())
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--network resent", "resent"),
        ("--source moon", "no source 'moon': choose sample"),
        ("--preset desk", "no preset 'desk': choose laptop"),
        ("--plan nowhere.toml", "Cannot read nowhere.toml"),
        ("--epochs 0", "--epochs"),
        ("--seed -1", "--seed"),
        ("--moon 3", "No such option: --moon"),
    ],
)
def test_mistakes_that_all_lessons_refuse(refused, name, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual = ["--leave-one-out"] if name == "patients" else []
    source = [] if "moon " in f"{words} " else ["--source", "physionet"]
    told = "No such option: --network" if (name, told) == ("patients", "resent") else told
    assert told in refused("train", name, *words.split(), *usual, *source, "--out", "r")
    assert list(tmp_path.iterdir()) == []


OPTIONS = ["--data-csv", "--labels-csv", "--pictures", "--train-csv", "--test-csv", "--normal-csv", "--abnormal-csv"]


@pytest.mark.parametrize("name", CASES)
def test_options_of_another_lesson_are_refused(refused, trained, physionet, name, tmp_path):
    run, recordings = trained(name), physionet / CASES[name].recordings.split()[-1]
    for option in OPTIONS:
        if option not in CASES[name].files:
            assert f"No such option: {option}" in refused("evaluate", run, option, tmp_path)
    if name != "inversion":
        words = ("predict", run, recordings, "--to", tmp_path / "p.csv", "--threshold", 0.5)
        assert "No such option: --threshold" in refused(*words)
        assert not (tmp_path / "p.csv").exists()
    assert "No recordings" in refused("predict", run, tmp_path, "--to", tmp_path / "p.csv")
    assert "nothing to sum up" in refused("summarize", run)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda row: row[1:], "187 columns"),
        (lambda row: ["0.5", *row], "189 columns"),
        (lambda row: [*row[:-1], "5"], "the class (column 188) is 5"),
        (lambda row: [*row[:-1], "0.5"], "the class (column 188) is 0.5"),
        (lambda row: ["nan", *row[1:]], "line 1, column 1"),
        (None, "too few for SMOTE with 5 neighbours"),
        (None, "do not say whose"),
        (None, "CSV files name no hearts"),
    ],
)
def test_tables_that_cannot_train_end_in_one_sentence(refused, files, tmp_path, spoil, told):
    csv, bad, more = files("heartbeat")[0], tmp_path / "bad.csv", []
    if spoil:
        first, *rows = (csv / "mitbih_train.csv").read_text().splitlines()
        bad.write_text("\n".join([",".join(spoil(first.split(","))), *rows]) + "\n")
    else:
        x, y = read_beats(csv / "mitbih_train.csv")
        few = np.sort(np.concatenate([np.flatnonzero(y != 3), np.flatnonzero(y == 3)[:3]]))
        write_beats(bad, x[few], y[few])
        more = {"too": ["--smote"], "do": ["--split", "by-patient"], "CSV": ["--network", "ours"]}[told.split()[0]]
    words = ("--train-csv", bad, "--test-csv", csv / "mitbih_test.csv", *more, "--epochs", 1, "--out", tmp_path / "r")
    assert told in refused("train", "heartbeat", *words)
    assert not (tmp_path / "r").exists()


# Lesson 4, whose training is a training for each patient

TRAIN = ["train", "patients", "--leave-one-out", "--source", "physionet"]
TRAIN += ["--preset", "quick", "--epochs", 1, "--adapt-minutes", 1]


def test_patients_are_summed_up(call, refused, trained, tmp_path):
    folder = tmp_path / "loo"
    status, printed, _ = call(*TRAIN, "--patients", "a001, A003", "--out", folder)
    assert status == 0
    assert "a001 (1/2): " in printed
    assert f"2 patients are in {folder}. Next: ecg-lessons summarize" in printed
    status, printed, _ = call("summarize", folder)
    assert status == 0
    for word in ("majority", "generic", "head", "whole", "alone", "F1 frequent", "macro F1", "hurts:", "a003"):
        assert word in printed
    assert re.search(r"2 of \d+ people are finished: ", " ".join(printed.split()))
    assert max(len(line.rstrip()) for line in printed.splitlines() if line.startswith(" ")) <= 80
    stored = json.loads((folder / "summary.json").read_text())
    assert json.loads(call("summarize", folder, "--json")[1]) == stored
    metrics = [json.loads((folder / "patients" / p / "metrics.json").read_text())["arms"] for p in ("a001", "a003")]
    wanted = np.mean([arms["whole 1"]["accuracy"] for arms in metrics])
    assert stored["arms"]["whole 1"]["accuracy"]["value"] == pytest.approx(wanted, abs=1e-4)
    gained = np.mean([arms["head 1"]["macro F1"] - arms["generic 0"]["macro F1"] for arms in metrics])
    assert stored["arms"]["head 1"]["gain macro F1"]["value"] == pytest.approx(gained, abs=1e-4)
    status, printed, _ = call(*TRAIN, "--patients", "a003,a004", "--out", folder)
    assert "a003 (1/2): finished before." in printed
    assert "a004 (2/2): F1" in printed
    late = (*TRAIN[:-1], 2, "--patients", "a001", "--out", tmp_path / "late")
    assert "No patient could be done. Patient 'a001' has no rows after minute 2" in refused(*late)
    assert not list(tmp_path.glob("late/pretraining/*"))
    for command in (("evaluate", folder), ("predict", folder, folder, "--to", tmp_path / "p.csv")):
        assert "a training for each patient: give 'ecg-lessons summarize" in refused(*command)


def test_tensorboard_on_request(call, tmp_path):
    status, _, error = call(*TRAIN, "--patients", "a001", "--tensorboard", "--out", tmp_path)
    if importlib.util.find_spec("tensorboard") is None:
        assert (status, "--tensorboard needs TensorBoard: install it" in error) == (2, True)
    else:
        assert status == 0
        assert list(tmp_path.glob("pretraining/*/tensorboard/train/*"))


def test_what_cannot_be_summed_up(refused, tmp_path):
    assert "is no run" in refused("summarize", tmp_path)
    for content, told in {
        "{": "is damaged",
        '{"lesson": "heart"}': "lesson 'heart', which this version does not know",
        '{"lesson": "patients"}': "holds no leave-one-out",
        '{"lesson": "patients", "protocol": "leave-one-out"}': "No patient in",
    }.items():
        (tmp_path / "run.json").write_text(content)
        assert told in refused("summarize", tmp_path)
