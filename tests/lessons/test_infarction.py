"""Lesson 6: examples, transfer, runs and files."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_lessons import simulator, training
from ecg_lessons.data import recordings
from ecg_lessons.data.tables import read_beats
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import heartbeat
from ecg_lessons.lessons import infarction as lesson

FEW = lesson.plan("cnet").but(epochs=1, batch_size=128)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    return simulator.simulate_cohort(tmp_path_factory.mktemp("standing") / "cohort", patients=50)


@pytest.fixture(scope="module")
def infarcted(standing):
    return lesson.from_diagnoses(lesson.diagnosed(recordings.ptb_xl(standing)))


@pytest.fixture(scope="module")
def beats(tmp_path_factory):
    """Heartbeats to learn from before."""
    cohort = simulator.simulate_arrhythmias(tmp_path_factory.mktemp("beats") / "cohort", patients=20, minutes=1)
    return heartbeat.from_recordings(recordings.mitdb(cohort))


@pytest.fixture(scope="module")
def taught(beats, tmp_path_factory):
    return heartbeat.train(tmp_path_factory.mktemp("runs") / "cnet", plan=FEW, examples=beats)


@pytest.fixture(scope="module")
def folder(infarcted, tmp_path_factory):
    """Two CSV files of the original, of simulated beats."""
    folder = tmp_path_factory.mktemp("csv") / "beats"
    lesson.export(infarcted, folder)
    return folder


def body(model):
    """The weights of all but the last two layers."""
    kept = [layer for layer in model.layers if layer.name not in ("hidden", "class")]
    return [weight for layer in kept for weight in layer.get_weights()]


def test_infarctions_are_those_of_the_superclasses(standing, infarcted):
    known = {one.name: one.labels["superclasses"] for one in recordings.ptb_xl(standing)}
    kind = infarcted.info["record"].map(known)
    assert set(kind[infarcted.y == 0]) == {("NORM",)}
    assert all("MI" in one for one in kind[infarcted.y == 1])
    assert set(infarcted.y) == {0, 1}
    assert set(infarcted.x) == {"beat"}


def test_a_recording_published_twice_counts_once(standing):
    found = [(one, "normal") for one, _ in zip(recordings.ptb_xl(standing), range(3), strict=False)]
    twice = [*found, (replace(found[0][0], name="9000", patient="stranger"), "normal")]
    assert len(lesson.from_diagnoses(twice)) == len(lesson.from_diagnoses(found))
    assert "stranger" not in lesson.from_diagnoses(twice).patient


def test_reasons_for_admission_become_classes(standing):
    reasons = ["Healthy control", "Myocardial infarction", "Cardiomyopathy", "n/a"]
    found = [
        replace(one, labels={"reason": reason})
        for one, reason in zip(recordings.ptb_xl(standing), reasons, strict=False)
    ]
    beats = lesson.from_diagnoses(lesson.admitted(found))
    assert set(beats.info["record"][beats.y == 0]) == {found[0].name}
    assert set(beats.info["record"][beats.y == 1]) == {found[1].name}
    with pytest.raises(InputError, match=r"scp_statements.csv must stand"):
        lesson.from_diagnoses(lesson.admitted(found[2:]))


def test_ours_has_nothing_to_compare_an_infarction_with(infarcted, tmp_path):
    with pytest.raises(InputError, match="an infarction is in all beats"):
        lesson.train(tmp_path / "r", network="ours", plan=FEW, examples=infarcted)


@pytest.mark.parametrize("frozen", [True, False])
def test_transfer_keeps_or_changes_the_body(taught, infarcted, tmp_path, frozen):
    trained = lesson.train(tmp_path / "r", plan=FEW, examples=infarcted, transfer_from=taught.folder, frozen=frozen)
    assert trained.about["network"] == taught.about["network"]
    assert trained.about["transfer_from"] == str(taught.folder)
    before, after = body(taught.model), body(trained.model)
    same = [np.array_equal(one, two) for one, two in zip(before, after, strict=True)]
    assert all(same) if frozen else not any(same)
    result = lesson.evaluate(trained, examples=infarcted)
    assert {"infarction_sensitivity", "infarction_specificity"} <= set(result)
    assert set(result["by_class"]) == {"normal", "infarction"}


def test_an_interrupted_frozen_training_stays_frozen(taught, infarcted, tmp_path, monkeypatch):
    plan = FEW.but(epochs=2)
    how = {"examples": infarcted, "transfer_from": taught.folder, "frozen": True}

    def stop(epoch, row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lesson.train(tmp_path / "r", plan=plan, progress=stop, **how)
    trained = lesson.train(tmp_path / "r", plan=plan, **how)
    assert len(trained.history) == 2
    assert all(np.array_equal(*pair) for pair in zip(body(taught.model), body(trained.model), strict=True))


def test_mistakes_of_transfer_are_told(taught, beats, tmp_path):
    def refused(told, **how):
        with pytest.raises(InputError, match=told):
            lesson.train(tmp_path / "r", plan=FEW, examples=beats, **how)
        assert not (tmp_path / "r").exists()

    refused("is no run", transfer_from=tmp_path)
    refused("leave --network bigru out", transfer_from=taught.folder, network="bigru")
    refused("name a run with --transfer-from", frozen=True)
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "run.json").write_text('{"lesson": "heartbeat"}')
    refused("has not finished", transfer_from=unfinished)
    (unfinished / "run.json").write_text('{"lesson": "inversion"}')
    (unfinished / "model.keras").write_text("")
    refused("is a run of lesson 'inversion'", transfer_from=unfinished)
    with pytest.raises(InputError, match="has learnt the same task from the same data"):
        heartbeat.train(tmp_path / "r", plan=FEW, examples=beats, transfer_from=taught.folder)
    between = training.Run(tmp_path / "between")  # what came from such a run has learnt it too
    about = {"lesson": "heartbeat", "task": "infarction", "source": "physionet", "network": "cnet"}
    between.write("run.json", about | {"transfer_from": str(taught.folder)})
    between.write("model.keras", "")
    with pytest.raises(InputError, match="has learnt the same task from the same data"):
        heartbeat.train(tmp_path / "r", plan=FEW, examples=beats, transfer_from=between.folder)


def test_tables_of_infarctions_hold_a_class_each(infarcted, folder):
    for name, label in (("ptbdb_normal.csv", 0), ("ptbdb_abnormal.csv", 1)):
        x, y = read_beats(folder / name, classes=2)
        assert (y == label).all()
        np.testing.assert_array_equal(x, infarcted.x["beat"][infarcted.y == label, :, 0])


def test_verdicts_on_infarction_are_one_a_recording(infarcted, standing, tmp_path):
    trained = lesson.train(tmp_path / "r", plan=FEW, examples=infarcted)
    judged = lesson.judge(trained, standing / "records500" / "00000")
    assert list(judged.columns) == ["ID", "BEATS", "CLASS", "PROBABILITY"]
    assert judged["ID"].is_unique
    assert ((judged["CLASS"] == "no beats") == (judged["BEATS"] == 0)).all()
    assert set(judged["CLASS"]) <= {"normal", "infarction", "no beats"}
    third = (infarcted.info["record"] == "3").to_numpy()
    mean = lesson.predict(trained, infarcted.take(third)).mean(axis=0)
    assert judged["BEATS"][2] == third.sum() > 0
    assert judged["CLASS"][2] == infarcted.classes[mean.argmax()]
    assert judged["PROBABILITY"][2] == pytest.approx(mean.max(), abs=1e-4)


@pytest.mark.parametrize("name", ["by-patient", "fold-0", "de-chazal", "files"])
def test_rows_of_nobody_are_not_split_by_patient(folder, name):
    read = lesson.LESSON.read([folder / "ptbdb_normal.csv", folder / "ptbdb_abnormal.csv"])
    told = rf"do not say whose their beats are, so no split '{name}': choose --split random-beats"
    with pytest.raises(InputError, match=told):
        lesson.split(read, name)


def test_plans_are_the_originals():
    for name in heartbeat.ORIGINALS:
        assert lesson.plan(name, "paper") == heartbeat.plan(name, "paper").but(epochs=600)
        assert lesson.plan(name) == heartbeat.plan(name)
