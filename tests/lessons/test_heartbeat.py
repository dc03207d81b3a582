"""Lesson 5: examples, splits, runs and files."""

import json
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from ecg_lessons import simulator, training
from ecg_lessons.data import recordings
from ecg_lessons.data.tables import read_beats
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Lesson, names_of
from ecg_lessons.lessons import heartbeat as lesson
from ecg_lessons.signals import unusual
from ecg_lessons.splits import few

FEW = lesson.plan("cnet").but(epochs=1, batch_size=128)
CLASSES = lesson.CLASSES


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulator.simulate_arrhythmias(tmp_path_factory.mktemp("beats") / "cohort", patients=20, minutes=1)


@pytest.fixture(scope="module")
def given(cohort):
    return lesson.from_recordings(recordings.mitdb(cohort))


@pytest.fixture(scope="module")
def run(given, tmp_path_factory):
    return lesson.train(tmp_path_factory.mktemp("runs") / "cnet", plan=FEW, examples=given)


@pytest.fixture(scope="module")
def ours(given, tmp_path_factory):
    return lesson.train(tmp_path_factory.mktemp("runs") / "ours", network="ours", plan=FEW, examples=given)


@pytest.fixture(scope="module")
def folder(given, tmp_path_factory):
    """Two CSV files of the original, of simulated beats."""
    folder = tmp_path_factory.mktemp("csv") / "beats"
    lesson.export(given, folder)
    return folder


def test_examples_are_what_they_promise(given):
    assert given.x["beat"].shape == (len(given), 187, 1)
    assert given.x["unusual"].shape == (len(given), len(unusual.NAMES))
    assert all(part.dtype == np.float32 for part in given.x.values())
    assert given.x["beat"].min() == 0
    assert given.x["beat"].max() == 1
    assert given.classes == ("N", "S", "V", "F", "Q")
    assert list(given.info) == ["record", "sample", "time", "symbol"]
    assert len(set(names_of(given.info))) == len(given)
    aami = {"N": "N", "L": "N", "R": "N", "A": "S", "V": "V", "E": "V", "F": "F", "/": "Q"}
    assert (given.info["symbol"].map(aami) == np.array(CLASSES)[given.y]).all()


def test_early_beats_are_early(given):
    early = given.x["unusual"][:, unusual.NAMES.index("RR by usual")]
    assert np.median(early[given.y == CLASSES.index("S")]) < np.log(0.9)
    assert np.median(early[given.y == CLASSES.index("N")]) == pytest.approx(0, abs=0.03)


def test_the_published_rule_finds_fewer_beats(cohort, given):
    found = lesson.from_recordings(recordings.mitdb(cohort), "published")
    assert 0 < len(found) < len(given)
    assert set(found.patient) <= set(given.patient)


def test_plans_are_the_originals():
    for name in ("cnet", "seq2seq", "bilstm", "bigru"):
        plan = lesson.plan(name, "paper")
        assert (plan.epochs, plan.batch_size, plan.learning_rate) == (80, 256, 1e-3)
        assert (plan.optimizer, plan.schedule) == ("adam", "constant")
        assert (lesson.plan(name).epochs, lesson.plan(name).schedule) == (8, "cosine")
    plan = lesson.plan("ours", "paper")
    assert (plan.optimizer, plan.schedule, plan.keep) == ("adamw", "cosine", "last")


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_keeps_whole_patients(given, share):
    rows = lesson.split(given).train
    kept = few(given, rows, share, seed=3)
    people = np.unique(given.patient[kept])
    np.testing.assert_array_equal(kept, rows[np.isin(given.patient[rows], people)])
    everyone = np.unique(given.patient[rows])
    assert round(share * len(everyone)) <= len(people) <= round(share * len(everyone)) + len(CLASSES)
    assert set(given.y[kept]) == set(given.y[rows])
    np.testing.assert_array_equal(few(given, rows, share, seed=3), kept)
    np.testing.assert_array_equal(few(given, rows, 1.0), rows)


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan")])
def test_what_is_no_share_is_told(given, share):
    with pytest.raises(InputError, match="is no share of the patients"):
        few(given, np.arange(9), share)


def test_a_run_tells_what_it_is(run, given):
    about, train = run.about, json.loads((run.folder / "split.json").read_text())["train"]
    assert about["lesson"] == about["task"] == "heartbeat"
    assert (about["network"], about["source"], about["rule"]) == ("cnet", "sample", "annotated")
    assert (about["split"], about["balance"], about["share"]) == ("by-patient", "none", 1.0)
    assert (about["transfer_from"], about["frozen"]) == (None, False)
    assert sum(about["counts"].values()) == len(train)
    assert "loss" not in about


def test_ours_sees_comparisons_and_nothing_else(ours, given):
    part = given.take(np.arange(40))
    p = lesson.predict(ours, part)
    assert p.shape == (40, 5)
    np.testing.assert_array_equal(p, lesson.predict(ours, replace(part, x=part.x | {"beat": 0 * part.x["beat"]})))
    other = replace(part, x=part.x | {"unusual": np.roll(part.x["unusual"], 1, axis=0)})
    np.testing.assert_allclose(np.roll(p, 1, axis=0), lesson.predict(ours, other), atol=1e-6)


@pytest.fixture
def shown(monkeypatch):
    """Record what `training.fit` is given, without training."""
    seen = {}

    def fit(build, train, validation, plan, folder, **how):
        seen.update(build=build, train=train, validation=validation, plan=plan, **how)
        folder.mkdir()
        return training.Run(folder)

    monkeypatch.setattr(training, "fit", fit)
    monkeypatch.setattr(Lesson, "_describe", lambda *_: None)  # of a training that was none
    return seen


@pytest.mark.parametrize("balance", ["smote", "smote-tomek"])
def test_smote_fills_the_training_part_only(given, shown, tmp_path, balance):
    lesson.train(tmp_path / "plain", plan=FEW, examples=given, split="random-beats")
    plain = dict(shown)
    lesson.train(tmp_path / "r", plan=FEW, examples=given, split="random-beats", balance=balance)
    n = len(plain["train"])
    counts, before = np.bincount(shown["train"].y), np.bincount(plain["train"].y)
    assert len(shown["train"]) > n
    if balance == "smote":
        assert (counts == before.max()).all()
        np.testing.assert_array_equal(shown["train"].x[:n], plain["train"].x)
    np.testing.assert_array_equal(shown["validation"].x, plain["validation"].x)
    assert (tmp_path / "r" / "split.json").read_text() == (tmp_path / "plain" / "split.json").read_text()
    assert shown["about"]["counts"] == dict(zip(CLASSES, before.tolist(), strict=True))


def test_weights_and_focal_loss_leave_the_examples_alone(given, shown, tmp_path):
    lesson.train(tmp_path / "w", plan=FEW, examples=given, balance="weights")
    weights = np.array(shown["plan"].class_weights)
    assert weights @ np.bincount(shown["train"].y, minlength=5) == pytest.approx(len(shown["train"]))
    assert shown["loss"] is None
    lesson.train(tmp_path / "f", plan=FEW, examples=given, balance="focal")
    assert shown["loss"].gamma == 2
    assert shown["plan"] == FEW


def test_a_focal_run_survives_its_folder(given, tmp_path):
    trained = lesson.train(tmp_path / "r", plan=FEW, examples=given, balance="focal")
    assert trained.about["loss"]["gamma"] == 2
    assert trained.model.loss.gamma == 2
    again = lesson.train(tmp_path / "r", plan=FEW, examples=given, balance="focal")
    assert len(again.history) == 1
    part = given.take(np.arange(64))
    p = lesson.predict(trained, part)[np.arange(64), part.y]
    expected = np.mean(-((1 - p) ** 2) * np.log(np.maximum(p, keras.config.epsilon())))
    measured = trained.model.evaluate(part.x["beat"], part.y, verbose=0, return_dict=True)["loss"]
    assert measured == pytest.approx(expected, rel=1e-4)


def test_mistakes_of_training_are_told(given, tmp_path):
    def refused(told, table=given, **how):
        with pytest.raises(InputError, match=told):
            lesson.train(tmp_path / "r", plan=FEW, examples=table, **how)
        assert not (tmp_path / "r").exists()

    refused("no balance 'adasyn': choose none, smote", balance="adasyn")
    refused("SMOTE makes beats without a heart", network="ours", balance="smote")
    refused("0 is no share", share=0)
    rare = np.flatnonzero(given.y == CLASSES.index("F"))[3:]
    refused(r"too few for SMOTE", given.take(np.setdiff1d(np.arange(len(given)), rare)), balance="smote")
    refused("nothing but class 'N' to train on", given.take(given.y == 0))


def test_runs_of_a_share_say_whom_they_saw(given, shown, tmp_path):
    lesson.train(tmp_path / "r", plan=FEW, examples=given, share=0.1)
    names = json.loads((tmp_path / "r" / "split.json").read_text())
    assert len(names["train"]) == len(shown["train"]) == sum(shown["about"]["counts"].values())
    assert shown["about"]["share"] == 0.1
    whole = lesson.split(given, "by-patient", FEW.seed)
    assert len(names["test"]) == len(whole.test)
    kept = given.take(np.isin(names_of(given.info), names["train"]))
    everyone = given.take(whole.train)
    for patient in np.unique(kept.patient):
        assert (kept.patient == patient).sum() == (everyone.patient == patient).sum()
    assert len(np.unique(kept.patient)) < len(np.unique(everyone.patient))


def test_tables_are_the_same_beats(given, folder):
    read = lesson.from_csv(folder / "mitbih_train.csv", folder / "mitbih_test.csv")
    assert len(read) == len(given)
    assert (read.info["part"] == 1).sum() == round(0.2 * len(given))
    order = [np.lexsort(one.x["beat"][..., 0].T) for one in (read, given)]
    np.testing.assert_array_equal(read.x["beat"][order[0]], given.x["beat"][order[1]])
    assert read.patient[0] == "row 1 of mitbih_train.csv"
    assert not read.info["known"].any()


def test_export_leaves_a_full_folder_alone(given, folder):
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(InputError, match="exists and is not empty"):
        lesson.export(given, folder)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_the_files_are_a_split(folder):
    read = lesson.from_csv(folder / "mitbih_train.csv", folder / "mitbih_test.csv")
    parts = lesson.split(read, "files")
    record = read.info["record"].to_numpy()
    assert set(record[parts.train]) == set(record[parts.validation]) == {"mitbih_train.csv"}
    assert set(record[parts.test]) == {"mitbih_test.csv"}
    assert sum(map(len, parts.sides.values())) == len(read)
    assert len(parts.validation) == pytest.approx(len(parts.train) / 9, abs=1)
    assert parts.kind == "leaky"


@pytest.mark.parametrize("name", ["by-patient", "fold-0", "de-chazal"])
def test_rows_of_nobody_are_not_split_by_patient(folder, name):
    read = lesson.from_csv(folder / "mitbih_train.csv", folder / "mitbih_test.csv")
    with pytest.raises(InputError, match=r"do not say whose .* choose --split files"):
        lesson.split(read, name)


def test_two_tables_need_two_names(folder):
    with pytest.raises(InputError, match=r"Two files are called mitbih_test.csv"):
        lesson.from_csv(folder / "mitbih_test.csv", folder / "mitbih_test.csv")


def test_a_run_on_tables_needs_them_to_be_judged(folder, given, tmp_path):
    csv = (folder / "mitbih_train.csv", folder / "mitbih_test.csv")
    trained = lesson.train(tmp_path / "r", plan=FEW, paths=csv)
    assert (trained.about["source"], trained.about["split"]) == ("csv", "files")
    result = lesson.evaluate(trained, paths=csv[1:])
    assert sum(row["beats"] for row in result["by_class"].values()) == round(0.2 * len(given))
    assert all("patients" not in row for row in result["by_class"].values())
    table = pd.read_csv(tmp_path / "r" / "predictions.csv")
    stored = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert stored["accuracy"]["value"] == round((table["verdict"] == table["label"]).mean(), 4)
    with pytest.raises(InputError, match=r"trained on mitbih_train.csv and mitbih_test.csv: name --train-csv"):
        lesson.evaluate(trained)
    with pytest.raises(InputError, match="test beats are not in these data"):
        lesson.evaluate(trained, paths=csv[:1])
    with pytest.raises(InputError, match="The network ours compares a beat with the others of its heart"):
        lesson.train(tmp_path / "o", network="ours", plan=lesson.plan("ours"), paths=csv)


def test_a_run_on_recordings_judges_the_beats_of_tables_that_it_has_not_met(run, folder, given):
    result = lesson.evaluate(run, paths=[folder / "mitbih_test.csv"])
    x, y = read_beats(folder / "mitbih_test.csv")
    p = training.predict(run, x[..., None])
    assert (run.folder / "predictions-mitbih_test.csv").exists()
    met = given.take(~np.isin(names_of(given.info), run.sides["test"])).x["beat"][..., 0]
    new = np.isin(y, run.about["learnt"]) & ~np.isin(x[:, :50] @ np.arange(50.0), met[:, :50] @ np.arange(50.0))
    assert 0 < result["met_before"] == len(y) - new.sum()
    assert result["accuracy"].value == pytest.approx(float((p.argmax(axis=1) == y)[new].mean()))


def test_intervals_of_nameless_beats_are_those_over_beats():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 4000)
    verdict = np.where(rng.random(4000) < 0.8, y, 1 - y)
    x, info = {"beat": np.zeros((4000, 1))}, pd.DataFrame({"known": np.zeros(4000, bool)})
    given = Examples(x, y, np.arange(4000).astype(str), CLASSES[:2], info)
    found = lesson.score(np.eye(2)[verdict], given)["accuracy"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 4000)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.15)


def test_verdicts_are_those_of_the_examples(run, cohort, given):
    judged = lesson.judge(run, cohort / "a002")
    mine = given.take((given.info["record"] == "a002").to_numpy())
    p = lesson.predict(run, mine)
    assert judged["ID"].tolist() == names_of(mine.info).tolist()
    np.testing.assert_allclose(judged["PROBABILITY"], p.max(axis=1), atol=1e-4)
    assert judged["CLASS"].tolist() == np.array(CLASSES)[p.argmax(axis=1)].tolist()


def test_real_beats_of_ds1_and_ds2(real):
    given = lesson.examples("physionet")
    parts = lesson.split(given, "de-chazal")
    counts = {side: np.bincount(given.y[rows], minlength=5) for side, rows in parts.sides.items()}
    np.testing.assert_array_equal(counts["test"], [44259, 1837, 3221, 388, 7])
    # Record 201, the person of record 202 in DS2, stands on no side.
    of_201 = np.bincount(given.y[(given.info["record"] == "201").to_numpy()], minlength=5)
    np.testing.assert_array_equal(counts["train"] + counts["validation"] + of_201, [45866, 944, 3788, 415, 8])
    assert "201" not in given.info["record"][parts.train].to_numpy()


def test_the_published_rule_finds_about_half_of_the_beats(real):
    annotated, by_rule = (lesson.examples("physionet", rule=rule).info for rule in ("annotated", "published"))
    found = 0  # some beats are found twice
    for record, peaks in by_rule.groupby("record"):
        beats = annotated["sample"][annotated["record"] == record].to_numpy()
        nearest = np.abs(beats[:, None] - peaks["sample"].to_numpy()).argmin(axis=0)
        found += len(np.unique(nearest))
    assert found / len(annotated) == pytest.approx(0.56, abs=0.005)
