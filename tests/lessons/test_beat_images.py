"""Lesson 3: examples, splits, runs, pictures and files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons import simulator
from ecg_lessons.data import pictures, recordings
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import classwise
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Asked, names_of
from ecg_lessons.lessons import beat_images as lesson
from ecg_lessons.lessons.beat_images import Sight
from ecg_lessons.signals import beat_sets, images

FEW = lesson.plan("light").but(epochs=2, batch_size=32)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulator.simulate_arrhythmias(tmp_path_factory.mktemp("beats") / "cohort", patients=20, minutes=1)


@pytest.fixture(scope="module")
def given(cohort):
    return lesson.from_recordings(recordings.mitdb(cohort))


@pytest.fixture(scope="module")
def few(given):
    return lesson.thin(given, 8)


@pytest.fixture(scope="module")
def run(few, tmp_path_factory):
    return lesson.train(tmp_path_factory.mktemp("runs") / "light", plan=FEW, examples=few)


@pytest.fixture(scope="module")
def folder(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures") / "beats"
    lesson.export(few, folder)
    return folder


def test_examples_are_what_they_promise(given):
    assert given.x["curve"].shape == (len(given), images.POINTS)
    assert given.x["curve"].min() == 0
    assert given.x["curve"].max() == 1
    assert given.x["rr"].shape == (len(given), 3)
    assert (given.info["symbol"] == np.array(given.classes)[given.y]).all()
    assert len(set(names_of(given.info))) == len(given)


def test_a_curve_is_the_signal_between_the_neighbours(cohort, given):
    recording = next(recordings.mitdb(cohort))
    mine = given.info["record"] == recording.name
    sample = given.info["sample"][mine].iloc[3]
    peaks = recording.beats.samples[np.isin(recording.beats.symbols, list("NLRAVEF/!"))]
    i = int(np.flatnonzero(peaks == sample)[0])
    stretch = recording.signal[peaks[i - 1] + 20 : peaks[i + 1] - 20, 0]
    curve = given.x["curve"][mine][3]
    assert curve[[0, -1]] == pytest.approx((stretch[[0, -1]] - stretch.min()) / np.ptp(stretch), abs=0.02)
    assert np.argmax(curve) / 511 == pytest.approx(np.argmax(stretch) / (len(stretch) - 1), abs=0.01)


def test_thin_keeps_some_of_everything(given):
    thin = lesson.thin(given, 5, seed=1)
    counts = pd.DataFrame({"patient": thin.patient, "y": thin.y}).value_counts()
    whole = pd.DataFrame({"patient": given.patient, "y": given.y}).value_counts()
    pd.testing.assert_series_equal(counts.sort_index(), whole.clip(upper=5).sort_index())
    assert (names_of(lesson.thin(given, 5, seed=1).info) == names_of(thin.info)).all()
    assert (names_of(lesson.thin(given, 5, seed=2).info) != names_of(thin.info)).any()


def test_fewer_beats_train_and_the_same_validate(given):
    parts = lesson.split(given, "by-patient")
    shown = {}
    for name, sight in {"all": {}, "every": {"every": 12}, "thinned": {"most": 3}}.items():
        asked = Asked("signal", Sight(**sight), lesson.plan("signal"), examples=given, split=parts)
        shown[name] = lesson.learn(asked)
    assert len(shown["all"].train) == len(parts.train)
    assert len(shown["every"].train) == -(-len(parts.train) // 12)
    assert (shown["every"].train.y == given.y[parts.train][::12]).all()
    assert len(shown["thinned"].train) == len(lesson.thin(given.take(parts.train), 3))
    assert len({len(one.validation) for one in shown.values()}) == 1


def test_whose_beats_are_normal_ones_labelled_by_patient(given):
    whose = lesson.whose(given, most=4)
    assert set(whose.info["symbol"]) == {"N"}
    assert (np.array(whose.classes)[whose.y] == whose.patient).all()
    assert np.bincount(whose.y).max() <= 4


def test_jun_trains_as_published():
    plan = lesson.plan("jun", "paper")
    assert (plan.batch_size, plan.learning_rate, plan.schedule, plan.optimizer) == (32, 1e-4, "decay", "adam")
    rate = plan.optimizer_for(10).learning_rate
    optimizer = plan.optimizer_for(10_000)
    optimizer.build([])
    optimizer.iterations.assign(2500)
    assert float(optimizer.learning_rate) == pytest.approx(1e-4 * 0.95**2, rel=1e-5)
    assert float(rate) == pytest.approx(1e-4)


def test_an_interrupted_plan_is_not_mixed_with_another(run, few):
    with pytest.raises(InputError, match=r"holds another run \(epochs: 2 there, 3 here\)"):
        lesson.train(run.folder, plan=FEW.but(epochs=3), examples=few)


def test_nine_crops_average_nine_answers(few, tmp_path):
    trained = lesson.train(tmp_path / "r", "light", nine_crops=True, rr=True, plan=FEW, examples=few)
    part = few.take(np.arange(6))
    answer = lesson.predict(trained, part)
    whole = trained.model.predict(lesson.look(part.x, Sight(True, True)), verbose=0)
    assert answer.shape == (6, 8)
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-5)
    assert np.abs(answer - whole).max() > 1e-4


def test_timing_reaches_the_network(few, tmp_path):
    trained = lesson.train(tmp_path / "r", "light", rr=True, plan=FEW, examples=few)
    part = few.take(np.arange(6))
    early = replace(part, x=part.x | {"rr": part.x["rr"] * np.float32([0.4, 1.5, 1])})
    assert np.abs(lesson.predict(trained, part) - lesson.predict(trained, early)).max() > 1e-5


def test_the_network_of_the_curve_refuses_what_it_cannot_see(few, folder, tmp_path):
    with pytest.raises(InputError, match="sees no picture to crop"):
        lesson.train(tmp_path / "r", "signal", nine_crops=True, plan=FEW, examples=few)
    with pytest.raises(InputError, match="needs the curve"):
        lesson.train(tmp_path / "r", "signal", plan=FEW, examples=lesson.from_pictures(folder))
    with pytest.raises(InputError, match="hold no RR intervals"):
        lesson.train(tmp_path / "r", "light", rr=True, plan=FEW, examples=lesson.from_pictures(folder))
    assert not (tmp_path / "r").exists()


def test_pictures_are_the_same_beats(few, folder):
    again = lesson.from_pictures(folder)
    order = np.argsort(names_of(few.info))
    assert (again.info["name"].sort_values() == names_of(few.info)[order]).all()
    back = again.take(np.argsort(again.info["name"]))
    assert (back.y == few.y[order]).all()
    assert (back.patient == few.patient[order]).all()
    drawn = images.draw(few.x["curve"][order]) / np.float32(255)
    np.testing.assert_allclose(back.x["image"][..., 0], drawn, atol=1e-6)


def test_a_network_trains_on_pictures_and_judges_curves(few, folder, tmp_path):
    seen = lesson.from_pictures(folder)
    trained = lesson.train(tmp_path / "r", "light", plan=FEW, paths=[folder])
    result = lesson.evaluate(trained, examples=seen)
    assert 0 <= result["accuracy"].value <= 1
    order = np.argsort(names_of(few.info))
    on_curves = lesson.predict(trained, few.take(order))
    on_pictures = lesson.predict(trained, seen.take(np.argsort(seen.info["name"].to_numpy())))
    np.testing.assert_allclose(on_curves, on_pictures, atol=0.02)
    with pytest.raises(InputError, match="--pictures"):
        lesson.evaluate(trained)


def test_a_network_of_curves_judges_pictures(run, few, folder):
    seen = lesson.from_pictures(folder)
    on_pictures = lesson.predict(run, seen.take(np.argsort(seen.info["name"].to_numpy())))
    on_curves = lesson.predict(run, few.take(np.argsort(names_of(few.info))))
    np.testing.assert_allclose(on_curves, on_pictures, atol=0.02)


def test_pictures_of_nobody_are_not_split_by_patient(few, tmp_path):
    drawn = images.draw(few.x["curve"][:40])
    symbols = np.array(few.classes)[few.y[:40]]
    pictures.write_pictures(tmp_path / "p", [(drawn, [f"beat{i}" for i in range(40)], symbols)])
    nameless = lesson.from_pictures(tmp_path / "p")
    with pytest.raises(InputError, match="does not say whose it is"):
        lesson.split(nameless, "by-patient")
    assert len(lesson.split(nameless, "random-beats").test) == 8


def test_score_knows_the_rest_of_the_world():
    y, patient = np.array([0, 0, 0, 1, 1, 2]), np.array(list("aabbcc"))
    given = Examples(np.zeros((6, 1)), y, patient, ("N", "V", "A"))
    verdict = np.array([0, 0, 1, 1, 1, 0])
    found = classwise.score(np.eye(3)[verdict] * 0.9, given)
    assert found["accuracy"].value == pytest.approx(4 / 6)
    assert found["majority"].value == pytest.approx(0.5)
    assert found["arrhythmia_sensitivity"].value == pytest.approx(2 / 3)
    assert found["arrhythmia_specificity"].value == pytest.approx(2 / 3)
    v = found["by_class"]["V"]
    assert (v["sensitivity"].value, v["specificity"].value) == (1, 0.75)
    assert v["precision"].value == pytest.approx(2 / 3)
    assert (v["beats"], v["patients"]) == (2, 2)
    assert found["by_class"]["A"]["f1"].value == 0
    assert np.isnan(found["by_class"]["A"]["precision"].value)


def test_other_rates_give_the_same_beats(run, cohort, tmp_path):
    recording = next(recordings.mitdb(cohort))
    twice = np.repeat(recording.signal.astype(float), 2, axis=0)
    form = {"fmt": ["16"] * 2, "adc_gain": [1000.0] * 2, "baseline": [0] * 2}
    wfdb.wrsamp("fast", 720, ["mV"] * 2, ["II", "V1"], twice, write_dir=str(tmp_path), **form)
    wfdb.wrann("fast", "atr", recording.beats.samples * 2, recording.beats.symbols, write_dir=str(tmp_path))
    (x, info), (slow, before) = (
        lesson.inputs([beat_sets.with_beats(recordings.read(path, annotator="atr"))], beat_sets.KIN_OF_MLII)
        for path in (tmp_path / "fast", cohort / recording.name)
    )
    assert (info["symbol"] == before["symbol"]).all()
    np.testing.assert_allclose(info["time"], before["time"], atol=0.003)
    assert np.median(np.abs(x["curve"] - slow["curve"])) < 0.02


def test_too_few_beats_are_told_with_the_record(cohort, tmp_path):
    form = {"fmt": ["16"], "adc_gain": [1000.0], "baseline": [0]}
    strip = next(recordings.mitdb(cohort)).signal[:3600, :1].astype(float)
    wfdb.wrsamp("few", 360, ["mV"], ["MLII"], strip, write_dir=str(tmp_path), **form)
    wfdb.wrann("few", "atr", np.array([400, 800]), ["N", "N"], write_dir=str(tmp_path))
    with pytest.raises(InputError, match="Record few: no beat stands between two others"):
        lesson.judge(None, tmp_path / "few")


def test_real_beats(real):
    found = lesson.examples("physionet").counts()
    published = {"N": 75052, "/": 7028, "L": 8075, "R": 7259, "V": 7130, "A": 2546, "!": 472, "E": 106}
    # The first and the last beat of a record have one neighbour only; the paper's rule for them is not known.
    for name, n in published.items():
        assert 0 <= n - found["examples"][name] <= 0.002 * n + 1, name
    assert found["patients"].to_dict() == {"N": 39, "/": 4, "L": 4, "R": 6, "V": 36, "A": 26, "!": 1, "E": 2}
