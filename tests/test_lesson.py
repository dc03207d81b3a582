"""What all lessons do: what a run may be scored on, and a sixth lesson that is one file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecg_lessons import files, lessons, simulator
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.lesson import names_of, people
from ecg_lessons.lessons import beat_images, heartbeat, infarction, inversion, rhythm
from ecg_lessons.training import Run

NAMES = [name for name in lessons.titles() if name != "patients"]


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Small examples of every lesson, by name."""
    folder = tmp_path_factory.mktemp("cohorts")
    holter = simulator.simulate_arrhythmias(folder / "holter", patients=12, minutes=1)
    standing = simulator.simulate_cohort(folder / "standing", patients=50)
    one_lead = simulator.simulate_rhythms(folder / "one-lead", 100)
    return {
        "inversion": inversion.from_recordings(recordings.ptb_xl(standing)),
        "rhythm": rhythm.from_recordings(recordings.challenge_2017(one_lead)),
        "beat-images": beat_images.from_recordings(recordings.mitdb(holter)),
        "heartbeat": heartbeat.from_recordings(recordings.mitdb(holter)),
        "infarction": infarction.from_diagnoses(infarction.diagnosed(recordings.ptb_xl(standing))),
    }


@pytest.fixture
def begun(cohorts, tmp_path):
    """Make the folder of a run of a lesson, as a training leaves it but for the network."""

    def make(name, source="sample", split=None):
        lesson, examples = lessons.get(name), cohorts[name]
        parts = lesson.split(examples, split)
        run, rows = Run(tmp_path / name), names_of(examples.info)
        about = {"lesson": name, "network": "any", "source": source, "split": parts.name}
        run.write("run.json", about | {"learnt": list(range(len(examples.classes)))})
        run.write("split.json", {side: rows[index].tolist() for side, index in parts.sides.items()})
        return run, lesson, examples, parts

    return make


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_scored_on_its_own_test_rows_and_on_all_of_them(begun, name):
    run, lesson, examples, parts = begun(name)
    for source in (None, "sample"):  # its own source under its name is no other data
        rows, met = lesson.judged(run, examples, source)
        assert (sorted(names_of(rows.info)), met) == (sorted(run.sides["test"]), 0)
    with pytest.raises(InputError, match=r"1 of its \d+ test (beats|recordings) are not in these data"):
        lesson.judged(run, examples.take(np.setdiff1d(np.arange(len(examples)), parts.test[:1])))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "rhythm"])
def test_of_other_files_nobody_is_scored_whom_the_run_has_met(begun, name, tmp_path):
    run, lesson, examples, parts = begun(name)
    (tmp_path / "other").write_text("")
    rows, met = lesson.judged(run, examples, paths=[tmp_path / "other"])
    assert met == len(parts.train) + len(parts.validation)
    known = people(np.array([*run.sides["train"], *run.sides["validation"]]))
    assert not set(people(names_of(rows.info))) & set(known)
    stranger = examples.but(info=examples.info.assign(record="x" + examples.info["record"].astype(str)))
    assert lesson.judged(run, stranger, paths=[tmp_path / "other"])[1] == 0
    nobody = lesson.judged(run, examples.take(parts.train), paths=[tmp_path / "other"])
    assert (len(nobody[0]), nobody[1]) == (0, len(parts.train))
    with pytest.raises(InputError, match="are left to score on"):
        lesson.evaluate(run, paths=[tmp_path / "other"], examples=examples.take(parts.train))


@pytest.mark.parametrize("name", NAMES)
def test_one_database_knows_nobody_of_another(begun, name):
    run, lesson, examples, _ = begun(name)
    assert lesson.judged(run, examples, "physionet")[1] == 0


def test_of_beats_split_at_random_single_beats_are_known(begun, tmp_path):
    run, lesson, examples, parts = begun("beat-images", split="random-beats")
    (tmp_path / "other").write_text("")
    rows, met = lesson.judged(run, examples, paths=[tmp_path / "other"])
    assert sorted(names_of(rows.info)) == sorted(run.sides["test"])
    assert met == len(parts.train) + len(parts.validation)


def test_the_id_of_an_exported_ecg_is_known_again(begun, cohorts, tmp_path):
    run, lesson, examples, parts = begun("inversion")
    inversion.export(examples, tmp_path / "sample", source="sample")
    pair = (tmp_path / "sample" / "data.csv", tmp_path / "sample" / "labels.csv")
    rows, met = lesson.judged(run, lesson.read(pair), paths=pair)
    assert met == len(parts.train) + len(parts.validation)
    assert set(rows.info["record"]) == {f"sample-{name}" for name in run.sides["test"]}
    inversion.export(examples, tmp_path / "ludb", source="ludb")
    pair = (tmp_path / "ludb" / "data.csv", tmp_path / "ludb" / "labels.csv")
    assert lesson.judged(run, lesson.read(pair), paths=pair)[1] == 0


def test_files_are_known_by_name_and_content(begun, cohorts, tmp_path):
    """Moved, they are its own; renamed, exchanged or cut, rows that it has learnt from are known by their content."""
    lesson = heartbeat.LESSON
    heartbeat.export(cohorts["heartbeat"], tmp_path / "csv")
    train, test = (tmp_path / "csv" / name for name in ("mitbih_train.csv", "mitbih_test.csv"))
    run = heartbeat.train(tmp_path / "run", paths=(train, test), changes={"epochs": 1})
    rows = len(test.read_text().splitlines())
    moved = [path.rename(tmp_path / path.name) for path in (train, test)]
    for paths in (moved, moved[1:]):
        assert lesson.is_own(run, None, paths)
        assert len(lesson.judged(run, lesson.read(paths), paths=paths)[0]) == rows
    train.write_bytes(moved[1].read_bytes())
    test.write_bytes(moved[0].read_bytes())
    exchanged, met = lesson.judged(run, lesson.read([test]), paths=[test])
    assert (len(exchanged), met) == (0, len(test.read_text().splitlines()))
    assert len(lesson.judged(run, lesson.read([train]), paths=[train])[0]) == rows
    test.write_text("\n".join(test.read_text().splitlines()[:400]) + "\n")
    assert lesson.judged(run, lesson.read([test]), paths=[test])[1] == 400


def test_what_a_run_comes_from_is_not_forgotten(cohorts, tmp_path):
    lesson, examples = heartbeat.LESSON, cohorts["heartbeat"]
    first = lesson.train(tmp_path / "first", changes={"epochs": 1}, examples=examples)
    how = {"changes": {"epochs": 1}, "transfer_from": first.folder}
    strangers = examples.but(
        x=examples.x | {"beat": examples.x["beat"][:, ::-1]},
        info=examples.info.assign(record="x" + examples.info["record"]),
    )
    second = lesson.train(tmp_path / "second", source="physionet", examples=strangers, **how)
    tested, met = lesson.judged(second, examples, "sample")
    assert met == len(first.sides["train"]) + len(first.sides["validation"])
    assert set(names_of(tested.info)) == set(first.sides["test"])
    heartbeat.export(examples, tmp_path / "csv")
    paths = [tmp_path / "csv" / name for name in ("mitbih_train.csv", "mitbih_test.csv")]
    with pytest.raises(InputError, match=r"has met \d+ of the \d+ test beats: transfer from a run that has not"):
        lesson.train(tmp_path / "third", paths=paths, **how)
    assert not (tmp_path / "third").exists()


def test_other_ecgs_of_people_who_trained_a_run_are_not_scored(begun, tmp_path):
    """A run on files, judged on the source that they were exported from."""
    run, lesson, examples, _ = begun("inversion")
    twice = np.flatnonzero(pd.Series(examples.patient).duplicated(keep=False))[:1]
    sides = run.sides
    trained = [f"sample-{name}" for name in names_of(examples.info.iloc[twice])]
    run.write("split.json", {"train": trained, "validation": [], "test": sides["test"], "content": []})
    run.write("run.json", run.about | {"source": "csv"})
    rows, met = lesson.judged(run, examples, "sample")
    assert met >= 2
    assert not set(rows.patient) & set(examples.patient[twice])


def test_long_numbers_at_the_end_of_an_id_are_no_beats(begun, tmp_path):
    run, lesson, examples, _ = begun("inversion")
    sides = {side: [f"ecg_{name:0>6}" for name in names] for side, names in run.sides.items()}
    run.write("split.json", sides)
    (tmp_path / "other").write_text("")
    others = examples.but(info=examples.info.assign(record=[f"ecg_9{i:05}" for i in range(len(examples))]))
    assert lesson.judged(run, others, paths=[tmp_path / "other"])[1] == 0


def test_older_runs_on_files_without_names_must_be_trained_again(begun, tmp_path):
    run, lesson, examples, _ = begun("heartbeat")
    run.write("run.json", run.about | {"source": "csv", "files": ["mitbih_train.csv", "mitbih_test.csv"]})
    with pytest.raises(InputError, match="made by an older version, which did not note what it has met"):
        lesson.judged(run, examples, "sample")


@pytest.mark.parametrize("name", NAMES)
def test_runs_of_older_versions_are_read(begun, name):
    """They have no learnt classes, and know files by name only."""
    run, lesson, examples, _ = begun(name)
    about = run.about
    del about["learnt"]
    run.write("run.json", about | {"source": {"beat-images": "pictures"}.get(name, "data.csv")})
    assert lesson.judged(run, examples, None)[1] == 0
    if name != "rhythm":
        assert lesson.is_own(run, None, [Path("data.csv")])
        assert lesson.is_own(run, None, [Path("else.csv")]) == (name == "beat-images")


@pytest.mark.parametrize("name", lessons.titles())
def test_every_lesson_says_what_is_unknown(name):
    lesson = lessons.get(name)
    with pytest.raises(InputError, match=r"no source 'moon': choose sample"):
        lesson.load("moon")
    with pytest.raises(InputError, match=r"no network 'resent'"):
        lesson.plan("resent")
    with pytest.raises(InputError, match=r"no preset 'desk': choose laptop"):
        lesson.plan(None, "desk")
    assert lesson.title.startswith("Lesson ")
    assert next(iter(lesson.sources)) == "sample"


def test_a_name_that_is_nearly_right_gets_a_hint():
    with pytest.raises(InputError, match=r"no network 'lihgt': did you mean 'light'\? Choose light, signal"):
        beat_images.plan("lihgt")
    with pytest.raises(InputError, match="no lesson 'rythm': did you mean 'rhythm'"):
        lessons.get("rythm")


BEATS = ("beat-images", "heartbeat", "infarction")


@pytest.fixture(scope="module", params=BEATS)
def beats(request, cohorts, tmp_path_factory):
    """A lesson on beats, its examples, and a run of it."""
    lesson, folder = lessons.get(request.param), tmp_path_factory.mktemp(request.param)
    network = "signal" if request.param == "beat-images" else "cnet"
    examples = cohorts[request.param]
    return lesson, examples, lesson.train(folder / "run", network, changes={"epochs": 1}, examples=examples)


def test_splits_part_people_or_are_leaky(beats):
    lesson, examples, _ = beats
    for name, apart in (("by-patient", True), ("fold-0", True), ("fold-4", True), ("random-beats", False)):
        parts = lesson.split(examples, name)
        both = set(examples.patient[parts.train]) & set(examples.patient[parts.test])
        assert (not both, parts.name, parts.kind) == (apart, name, "apart" if apart else "leaky")
    for name, words in (("fold-5", "no split 'fold-5'"), ("de-chazal", "neither DS1 nor DS2")):
        with pytest.raises(InputError, match=words):
            lesson.split(examples, name)
    few = examples.take(np.isin(examples.patient, np.unique(examples.patient)[:4]))
    with pytest.raises(InputError, match="4 patients are too few for 10 folds"):
        lesson.split(few, "fold-0")


def test_scores_are_those_of_the_predictions(beats):
    lesson, examples, run = beats
    left_out = lesson.evaluate(run, examples=examples)["left_out"]
    table = pd.read_csv(run.folder / "predictions.csv", keep_default_na=False)
    stored = files.read_json(run.folder / "metrics.json", "")
    assert not set(run.sides["train"]) & set(run.sides["test"])
    assert stored["examples"] == len(table) == len(run.sides["test"]) - sum(left_out.values())
    assert stored["accuracy"]["value"] == round((table["verdict"] == table["label"]).mean(), 4)
    for name, row in stored["by_class"].items():
        label, called = table["label"] == name, table["verdict"] == name
        assert (row["beats"], row["patients"]) == (label.sum(), table["patient"][label].nunique())
        assert row["sensitivity"]["value"] == round((label & called).sum() / label.sum(), 4)
        if called.any():
            assert row["precision"]["value"] == round((label & called).sum() / called.sum(), 4)
        assert row["f1"]["value"] == round(2 * (label & called).sum() / (label.sum() + called.sum()), 4)
    assert (table.filter(like="P(").max(axis=1) - table["probability"]).abs().max() < 1e-9


def test_a_class_that_was_never_learnt_is_left_out(beats, tmp_path):
    lesson, examples, run = beats
    copy = Run(tmp_path)
    for name in ("model.keras", "plan.toml", "split.json"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    copy.write("run.json", run.about | {"learnt": run.about["learnt"][:1]})
    result, tested = lesson.evaluate(copy, examples=examples), lesson.judged(run, examples)[0]
    first, *others = examples.classes
    assert list(result["by_class"]) == [first]
    counts = tested.counts()["examples"]
    assert result["left_out"] == {name: counts[name] for name in others if counts[name]}


@pytest.mark.parametrize("beats", BEATS[:2], indirect=True)
def test_verdicts_on_records_with_and_without_annotations(beats, tmp_path):
    lesson, examples, run = beats
    cohort = simulator.simulate_arrhythmias(tmp_path / "cohort", patients=1, minutes=1)
    annotated = lesson.judge(run, cohort / "a001.hea")
    (cohort / "a001.atr").unlink()
    found = lesson.judge(run, cohort)
    assert list(found.columns) == ["ID", "TIME", "CLASS", "PROBABILITY", "ANNOTATED"]
    assert set(found["CLASS"]) <= set(examples.classes)
    assert set(found["ANNOTATED"]) == {""}
    assert "" not in set(annotated["ANNOTATED"])
    assert len(found) == pytest.approx(len(annotated), rel=0.1)
    near = np.abs(found["TIME"].to_numpy()[:, None] - annotated["TIME"].to_numpy()).min(axis=1)
    assert np.median(near) < 0.05


SIXTH = '''
"""Lesson 6: tell from one median beat whether a heart is left or right of the middle."""

from functools import partial

import keras
import numpy as np
import pandas as pd

from ecg_lessons import simulator, splits, training
from ecg_lessons.data import recordings
from ecg_lessons.evaluation import classwise
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Files, Learning, Lesson, Network, Options, Source
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beats


def load(found):
    found = list(found)
    x = np.stack([beats.median_beat(record.signal, record.rate) for record in found])
    y = (x[..., 0].max(axis=1) > x[..., 1].max(axis=1)).astype(int)
    info = pd.DataFrame({"record": [record.name for record in found]})
    return Examples(x, y, np.array([record.patient for record in found]), ("right", "left"), info)


def net(classes=2):
    beat = keras.Input((200, 12))
    return keras.Model(beat, keras.layers.Dense(classes, "softmax")(keras.layers.Flatten()(beat)))


def learn(asked):
    return Learning(partial(net), *asked.sides, asked.plan)


def judge(run, path, tick=None):
    examples = load(map(recordings.read, recordings.paths(path)))
    verdict = training.predict(run, examples.x).argmax(axis=1)
    return pd.DataFrame({"ID": examples.info["record"], "CLASS": np.array(examples.classes)[verdict]})


def export(examples, to):
    to.mkdir(parents=True)
    np.save(to / "beats.npy", examples.x)
    return f"{len(examples)} beats are in {to}."


LESSON = Lesson(
    "axis",
    "Lesson 6: learn to tell left from right.",
    {"net": Network(net, {"laptop": Plan(epochs=2)})},
    {"sample": Source("built-in cohort", lambda _: load(recordings.ptb_xl(simulator.sample_cohort(30))))},
    lambda examples, name=None, seed=42, asked=None: splits.named(examples, name or "by-patient", seed),
    learn,
    lambda run, x, tick=None: training.predict(run, x, tick=tick),
    classwise.score,
    judge,
    Options,
    Files("beats", {}, load, export),
)
'''


def test_a_sixth_lesson_is_one_file(call, tmp_path, monkeypatch):
    """It trains, is scored, predicts, exports, is swept and listed, without a change elsewhere."""
    assert len(SIXTH.strip().splitlines()) <= 65
    place = tmp_path / "ecg_lessons" / "lessons"
    place.mkdir(parents=True)
    (place / "axis.py").write_text(SIXTH)
    (tmp_path / "job.toml").write_text(
        'lesson = "axis"\nmodels = ["net"]\nfolds = [0, 1]\ncpus = 1\n[plan]\nepochs = 1\n'
    )
    paths = [str(Path(lessons.__file__).parents[2]), str(tmp_path), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}

    def other(*words):
        command = [sys.executable, "-m", "ecg_lessons", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Lesson 6: learn to tell left from right." in other("train", "--help")
    assert "net fold-1 finished" in other("sweep", "job.toml", "--out", "sweeps")
    monkeypatch.setattr(lessons, "__path__", [*lessons.__path__, str(place)])  # the rest in this process: it is quicker
    lessons._declared.cache_clear()
    monkeypatch.chdir(tmp_path)
    simulator.simulate_cohort(tmp_path / "cohort", patients=2)
    for words, told in {
        "train axis --out run": "epoch 2/2",
        "evaluate run": "macro f1",
        "predict run cohort/records500/00000 --to v.csv": "",
        "export axis --to csv": "beats are in",
        "summarize sweeps": "net",
    }.items():
        status, printed, error = call(*words.split())
        assert (status, told in printed) == (0, True), error
    assert set(pd.read_csv(tmp_path / "v.csv")["CLASS"]) <= {"left", "right"}
    assert re.search(r"net\s+job\s+2", printed)
    sys.modules.pop("ecg_lessons.lessons.axis")
    lessons._declared.cache_clear()


def test_imports_go_one_way():
    """No module imports from a floor above, and nothing below the lessons names one."""
    floors = [
        ["errors", "quiet"],
        ["files"],
        ["settings", "simulator", "solutions"],
        ["examples", "plans", "data", "machine"],
        ["signals", "splits"],
        ["models", "training", "evaluation"],
        ["card", "checks", "classroom", "lesson"],
        ["convert", "looks", "trials", "study"],
        ["lessons"],
        ["sweeps", "ray_runner", "course", "grading"],
        ["cli"],
        ["__main__"],
    ]
    floor = {name: number for number, names in enumerate(floors) for name in names}
    root = Path(lessons.__file__).parents[1]
    told = re.compile(r"^(?:from|import) ecg_lessons(?:\.(\w+))?(?: import ([\w, ]+))?", re.MULTILINE)
    names = "|".join([*lessons.titles(), "patients"])
    for path in root.rglob("*.py"):
        mine = path.relative_to(root).parts[0].removesuffix(".py")
        if mine == "__init__":
            continue
        text = path.read_text(encoding="utf-8")
        for package, imported in told.findall(text):
            for name in [package] if package else re.findall(r"(\w+)(?: as \w+)?(?:, |$)", imported):
                assert floor[name] <= floor[mine], f"{path.name} imports {name} from above"
        if floor[mine] < floor["lessons"]:
            assert not re.search(rf"from ecg_lessons\.lessons|lessons\.({names})", text), path.name


def test_settings_of_a_run_stand_in_its_folder(cohorts, tmp_path):
    run = inversion.train(
        tmp_path / "r", "plain", task="inverted", examples=cohorts["inversion"], changes={"epochs": 1, "seed": 3}
    )
    assert (run.about["task"], run.about["network"], run.plan.seed) == ("inverted", "plain", 3)
    assert set(run.about) == {"lesson", "network", "source", "split", "task", "learnt"}
    result = inversion.evaluate(run, examples=cohorts["inversion"])
    stored = files.read_json(run.folder / "metrics.json", "")
    table = pd.read_csv(run.folder / "predictions.csv", dtype={"record": str})
    assert stored["examples"] == len(table) == 10 * len(run.sides["test"])
    assert set(table["record"]) == set(run.sides["test"])
    assert stored["specificity"]["value"] == round(result["specificity"].value, 4)
    assert json.loads((run.folder / "split.json").read_text())["content"]
