"""Lesson 4: examples, pre-training, arms, folders and the summary."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from ecg_lessons import simulator
from ecg_lessons.data import fetch, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import patient_arms as arms
from ecg_lessons.lessons import patients as lesson
from ecg_lessons.lessons.beat_images import thin
from ecg_lessons.models import patient as models

PLAN = lesson.plan(preset="quick").but(epochs=1)
SOME = ["a001", "a002", "a004", "a007"]
FEW = lesson.Settings(folds=3, most=20, adaptation=arms.Adaptation(steps=20))


def leave_out(folder, patients=None, say=lambda line: None, **how):
    """Leave patients out, and hear what is said."""
    who = {"patients": ",".join(patients)} if patients else {}
    how = {"leave_one_out": True, "progress": lambda number, row: say(row["line"])} | how
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(lesson.SETTINGS, "laptop", how.pop("settings"))
        return lesson.train(folder, **who, **how)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patients") / "cohort"
    return simulator.simulate_arrhythmias(folder, patients=8, minutes=3)


@pytest.fixture(scope="module")
def given(cohort):
    return lesson.from_recordings(recordings.mitdb(cohort))


@pytest.fixture(scope="module")
def done(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "loo"
    return leave_out(folder, patients=SOME, adapt_minutes=2, plan=PLAN, settings=FEW, examples=given)


def test_examples_are_what_they_promise(cohort, given):
    assert given.x.shape == (len(given), models.SAMPLES, models.LEADS)
    assert given.classes == tuple("NLRV/AfFjaEJeS")
    assert (given.info["symbol"] == np.array(given.classes)[given.y]).all()
    recording = next(recordings.mitdb(cohort))
    at = given.info["sample"][5]
    window = recording.signal[at - 80 : at + 80]
    for lead in (0, 1):  # scaled, and nothing else
        assert np.corrcoef(given.x[5, :, lead], window[:, lead])[0, 1] == pytest.approx(1, abs=1e-5)


def test_scaling_sees_the_first_minute_only(cohort):
    recording = next(recordings.mitdb(cohort))
    late = recording.signal.copy()
    late[60 * lesson.RATE :] *= 7
    one, other = (next(lesson.scaled([replace(recording, signal=s)])).signal for s in (recording.signal, late))
    np.testing.assert_array_equal(one[: 60 * lesson.RATE], other[: 60 * lesson.RATE])
    np.testing.assert_allclose(np.median(one[: 60 * lesson.RATE], axis=0), 0, atol=1e-5)
    flat = np.zeros_like(recording.signal)
    assert not next(lesson.scaled([replace(recording, signal=flat)])).signal.any()


def test_recordings_of_another_kind_are_told(cohort):
    recording = next(recordings.mitdb(cohort))
    for other in (replace(recording, rate=250), replace(recording, signal=recording.signal[:, :1])):
        with pytest.raises(InputError, match=r"a001 has . leads? at .* two leads at 360 Hz"):
            lesson.from_recordings([other])


def test_patients_are_found_by_any_spelling_and_unknown_ones_told(given):
    assert lesson.people(given) == [f"a00{k}" for k in range(1, 9)]
    assert lesson.people(given, ["A003 ", "a001", "a003"]) == ["a001", "a003"]
    with pytest.raises(InputError, match="no patient 'b001'; there are a001, a002"):
        lesson.people(given, ["a001", "b001"])
    with pytest.raises(InputError, match="No patient is named"):
        lesson.people(given, [])


def test_the_test_part_does_not_depend_on_the_length_of_the_adaptation(given):
    parts = lesson.split(given, "a002", 2)
    time = given.info["time"].to_numpy()
    assert set(given.patient[np.r_[parts.train, parts.test]]) == {"a002"}
    assert time[parts.train].max() < 120 <= time[parts.test].min()
    assert len(parts.train) + len(parts.test) == (given.patient == "a002").sum()
    assert lesson.lengths(10) == (1, 2, 5, 10)
    assert lesson.lengths(0.5) == (0.5,)
    assert lesson.lengths(3) == (1, 2, 3)


def test_frequent_f1_is_not_ruled_by_single_beats():
    y = np.array([0] * 90 + [3] * 10 + [5])
    right, wrong = y.copy(), y.copy()
    wrong[-1] = 0
    assert lesson.score(y, right) == {"F1 frequent": 1, "macro F1": 1, "accuracy": 1}
    missed = lesson.score(y, wrong)
    assert missed["macro F1"] < 0.67
    assert missed["F1 frequent"] > 0.99
    few = lesson.score(np.array([0, 3]), np.array([0, 3]))
    assert np.isnan(few["F1 frequent"])


@pytest.mark.parametrize("way", [arms.Plain, arms.Shared])
def test_nobody_is_in_their_own_pretraining(way, given, tmp_path, monkeypatch):
    """Whatever reaches a network in a training is noted, and traced back to whose beat it is."""
    taught = thin(given, 10)
    owner = {row.tobytes(): patient for row, patient in zip(taught.x, taught.patient, strict=True)}
    seen, fit = [], keras.Model.fit

    def noted(self, x, y, **options):
        for part in (x, options.get("validation_data", ([],))[0]):
            seen.extend(owner[row.tobytes()] for row in part)
        return fit(self, x, y, **options)

    monkeypatch.setattr(keras.Model, "fit", noted)
    pupil = way(taught, tmp_path / "p", PLAN)
    for patient in ("a001", "a004"):
        seen.clear()
        if way is arms.Shared:
            pupil._first.clear()
        pupil.weights(patient)
        assert seen
        split = pupil.split(patient)
        assert set(taught.patient[split.test]) == {patient}
        for side in (split.train, split.validation):
            assert patient not in taught.patient[side]
        if way is arms.Plain or patient == "a001":
            assert set(seen) == set(taught.patient) - {patient}
        assert patient not in seen


def test_in_both_ways_everybody_else_trains(given, tmp_path):
    taught = thin(given, 10)
    for way in (arms.Plain, arms.Shared):
        split = way(taught, tmp_path, PLAN).split("a005")
        both = np.concatenate([split.train, split.validation])
        assert set(taught.patient[both]) == set(taught.patient) - {"a005"}


def test_too_few_patients_for_folds(given, tmp_path):
    few = given.take(np.isin(given.patient, ["a001", "a002", "a003"]))
    with pytest.raises(InputError, match="3 patients are too few to leave one out"):
        leave_out(tmp_path / "r", examples=few, adapt_minutes=2, plan=PLAN, settings=FEW)
    assert not (tmp_path / "r").exists()


def test_a_reused_network_trains_as_a_new_one(given):
    """Weights, moments and steps of the last training leave no trace."""
    x, y = given.x[:64], given.y[:64]
    reused = arms.Reused(models.build(), 1e-3)
    start = [weight.copy() for weight in reused.model.get_weights()]
    reused.fit(start, given.x[64:256], given.y[64:256], 16)
    again = reused.fit(start, x, y, 16)
    new = models.build()
    new.set_weights(start)
    new.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    new.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    for ours, theirs in zip(again, new.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_head_adapts_the_last_two_layers_only(given):
    own = given.take(given.patient == "a003")
    parts = lesson.split(own, "a003", 2)
    first, test = own.take(parts.train), own.take(parts.test)
    learner = arms.Arms(arms.Adaptation(steps=30))
    generic = models.build().get_weights()
    found = learner.answers(generic, first, test.x, (1.0, 2.0), 0)
    assert set(found) == {("generic", 0)} | {
        (arm, m) for arm in ("majority", "head", "whole", "alone") for m in (1.0, 2.0)
    }
    for probability in found.values():
        np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-6)
    share = np.bincount(first.y, minlength=14) / len(first)
    np.testing.assert_allclose(found["majority", 2.0][0], share)
    plain = models.build()
    plain.set_weights(generic)
    whole = keras.ops.convert_to_numpy(keras.ops.softmax(plain(test.x)))
    np.testing.assert_allclose(found["generic", 0], whole, atol=1e-5)
    again = learner.answers(generic, first, test.x, (2.0,), 0)
    for key in again:  # neither what came before nor the other lengths have a say
        np.testing.assert_allclose(again[key], found[key], atol=1e-5)


def test_a_run_keeps_every_patient(done, given):
    assert done.finished() == SOME
    metrics, table = done.metrics("a002"), done.predictions("a002")
    parts = lesson.split(given, "a002", 2)
    assert table["sample"].tolist() == given.info["sample"].iloc[parts.test].tolist()
    assert sum(metrics["tested on"].values()) == len(table)
    assert sum(metrics["adapted on"].values()) == len(parts.train)
    for name, one in metrics["arms"].items():
        assert one["accuracy"] == pytest.approx((table[name] == table["symbol"]).mean(), abs=1e-4)
        assert table[f"{name} p"].between(0, 1).all()
        assert sum(sum(row.values()) for row in one["confusion"].values()) == len(table)


def test_finished_patients_and_phases_are_not_trained_again(done, given, monkeypatch):
    def never(*args, **options):
        raise AssertionError("trained again")

    lines = []
    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "fit", never)
        args = {"adapt_minutes": 2, "plan": PLAN, "settings": FEW, "examples": given}
        leave_out(done.folder, patients=SOME, **args, say=lines.append)
    assert len(lines) == 4
    assert all("finished before" in line for line in lines)
    before = done.metrics("a004")
    (done.folder / "patients" / "a004" / "metrics.json").unlink()
    lines.clear()
    leave_out(done.folder, patients=["a004"], **args, say=lines.append)
    assert len(lines) == 1  # the shared phase was at hand
    assert done.metrics("a004")["arms"] == before["arms"]


def test_other_wishes_are_not_mixed_into_a_folder(done, given, tmp_path):
    args = {"adapt_minutes": 2, "plan": PLAN, "settings": FEW, "examples": given}
    for change, words in (
        ({"adapt_minutes": 1}, "minutes: 2.0 there, 1.0 here"),
        ({"plain": True}, "plain: False there"),
        ({"plan": PLAN.but(seed=1)}, "seed: 42 there, 1 here"),
        ({"examples": given.take(np.arange(len(given) - 1))}, "beats"),
    ):
        with pytest.raises(InputError, match=words):
            leave_out(done.folder, **(args | change))
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and is no run"):
        leave_out(tmp_path, **args)
    with pytest.raises(InputError, match="give a number above 0"):
        leave_out(tmp_path / "r", **(args | {"adapt_minutes": 0}))


def test_a_patient_without_first_beats_is_told_and_the_others_go_on(given, tmp_path):
    time, right = given.info["time"].to_numpy(), given.classes.index("R")
    gone = (given.patient == "a002") & (time < 120)
    gone |= (given.patient == "a003") & (time < 60)
    gone |= (given.patient == "a004") & (time < 120) & (given.y != right)
    late = given.take(~gone)
    lines = []
    args = {"adapt_minutes": 2, "plan": PLAN, "settings": FEW, "examples": late}
    cohort = leave_out(tmp_path / "r", patients=["a002", "a003", "a004"], **args, say=lines.append)
    told = "\n".join(lines)
    assert "Patient 'a002' has no rows before minute 2" in told
    assert "No beat before minute 1: not adapted on 1." in told
    assert "Only R in the first 2 minutes. Not met in them, but tested: A" in told
    assert "head 1" not in cohort.metrics("a003")["arms"]
    assert "head 2" in cohort.metrics("a003")["arms"]
    with pytest.raises(InputError, match=r"No patient could be done. Patient 'a002' has no rows before"):
        leave_out(tmp_path / "r", patients=["a002"], **args)
    summary = lesson.summarise(cohort)
    assert list(summary.refused) == ["a002"]
    assert summary.table.loc[("head", 1.0), "patients"] == 1
    assert summary.table.loc[("head", 2.0), "patients"] == 2


def test_the_summary_compares_patient_by_patient(done):
    summary = lesson.summarise(done)
    assert summary.minutes == 2
    longest = summary.by_patient("accuracy")
    assert list(longest.columns) == list(arms.ARMS)
    assert list(longest.index) == done.finished()
    gain = summary.table.loc[("whole", 2.0), "gain accuracy"]
    assert gain.value == pytest.approx((longest["whole"] - longest["generic"]).mean())
    assert gain.low <= gain.value <= gain.high
    assert str(summary.gain("whole", score="accuracy")) == str(gain)
    found = summary.gain("alone", "head", 1, "accuracy")
    one = [done.metrics(patient)["arms"] for patient in done.finished()]
    wanted = np.mean([arm["alone 1"]["accuracy"] - arm["head 1"]["accuracy"] for arm in one])
    assert found.value == pytest.approx(wanted)
    hurt = summary.hurt("alone", "accuracy")
    assert (hurt < -lesson.MARGIN).all()
    change = longest["alone"] - longest["generic"]
    assert set(hurt.index) == set(change.index[change < -lesson.MARGIN])
    stored = summary.as_dict()
    assert stored["arms"]["head 1"]["patients"] == 4
    assert json.loads(json.dumps(stored, allow_nan=False)) == stored


def test_a_mean_over_one_patient_has_no_interval():
    assert lesson.mean(np.array([0.5, np.nan])).value == 0.5
    assert np.isnan(lesson.mean(np.array([0.5, np.nan])).low)
    assert np.isnan(lesson.mean(np.array([np.nan])).value)
    spread = lesson.mean(np.random.default_rng(0).normal(1, 1, 400))
    assert spread.high - spread.low == pytest.approx(4 * 1 / 20, rel=0.1)


def test_damaged_files_are_told(done, tmp_path):
    broken = lesson.Cohort(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run.json is damaged: train into another folder"):
        print(broken.about)
    (tmp_path / "run.json").write_text('{"protocol": "leave-one-out"}')
    (tmp_path / "patients" / "a").mkdir(parents=True)
    (tmp_path / "patients" / "a" / "metrics.json").write_text("{")
    with pytest.raises(InputError, match=r"metrics.json is damaged: remove it"):
        lesson.Cohort.open(tmp_path).metrics("a")
    with pytest.raises(InputError, match="holds no predictions"):
        broken.predictions("a")
    with pytest.raises(InputError, match="'a009' is not finished"):
        done.metrics("a009")


def test_real_patients(real):
    given = lesson.examples("physionet")
    assert len(given) == 109_438
    assert (given.y == 0).mean() == pytest.approx(0.6856, abs=5e-5)
    assert len(lesson.people(given)) == 47
    assert lesson.people(given, ["202", "201"]) == ["201"]
    assert set(given.info["record"][given.patient == "201"]) == {"201", "202"}
    for patient in lesson.people(given):
        own = given.take(given.patient == patient)
        parts = lesson.split(own, patient)
        assert len(parts.train) > 300
        assert len(parts.test) > 700


def test_the_lead_that_grows_grows_as_the_lesson_says(real):
    (found,) = (one for one in recordings.mitdb(fetch.locate("mitdb")) if one.name == "200")
    minutes = found.signal[: 30 * 60 * 360, 1].reshape(30, -1)
    spread = np.ptp(np.percentile(minutes, [1, 99], axis=1), axis=0)  # mV
    assert np.median(spread[:10]).round(1) == 0.3
    assert np.median(spread[17:]).round(1) == 1.1
