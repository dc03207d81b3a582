"""The measurements of all lessons, the whole way, on simulated patients."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg_lessons import lessons, machine, simulator, study
from ecg_lessons.data import recordings
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import scores
from ecg_lessons.examples import Examples
from ecg_lessons.lessons import beat_images, heartbeat, infarction, inversion, patients, rhythm
from ecg_lessons.plans import Plan

PLAN = Plan(epochs=1, batch_size=128, keep="last")


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohorts")
    holter = simulator.simulate_arrhythmias(folder / "holter", 12, 1, 3)
    hearts = simulator.simulate_infarctions(folder / "hearts", 40, 1)
    return {
        "heartbeat": heartbeat.from_recordings(recordings.mitdb(holter)),
        "beat-images": beat_images.from_recordings(recordings.mitdb(holter)),
        "infarction": infarction.from_diagnoses(infarction.diagnosed(recordings.ptb_xl(hearts))),
        "inversion": inversion.from_recordings(recordings.ptb_xl(hearts)),
    }


@pytest.fixture(autouse=True)
def small(cohorts, monkeypatch):
    """Let every study find small cohorts, whatever its source."""
    monkeypatch.setattr(study, "loaded", lambda lesson, source: cohorts[lesson.name])


def quick(whole, plan=PLAN):
    """Give a study whose trainings are short."""
    return replace(whole, arms=tuple(replace(arm, plan=plan) for arm in whole.arms))


def measure(whole, chosen, place):
    for measurement in chosen:
        whole.run(measurement, place / "runs")
    whole.write(chosen, place / "runs", place)
    return study.read(whole.file, place)


@pytest.mark.parametrize("name", lessons.titles())
def test_every_lesson_is_measured_under_names_of_their_own(name):
    every = lessons.study(name).measurements()
    names = [measurement.name for measurement in every]
    assert len(set(names)) == len(names)
    assert lessons.study(name).measurements(names[-1])[0].name == names[-1]
    with pytest.raises(InputError, match=f"No training of {name} has 'wibble' in its name; one is called"):
        lessons.study(name).measurements("wibble")


def test_heartbeats(cohorts, tmp_path):
    whole, beats = quick(heartbeat.STUDY), cohorts["heartbeat"]
    assert len(whole.measurements()) == 2 * 2 * 6 + 3 * 5 + 2 * (3 + 1) + 1
    chosen = whole.measurements("random-beats-cnet-none")[:2]
    found = measure(whole, chosen, tmp_path)["protocols"]["random beats"]["cnet"]["none"]
    kept = whole.folder(chosen[0], tmp_path / "runs") / study.KEPT
    stamp = kept.stat().st_mtime_ns
    whole.run(chosen[0], tmp_path / "runs")
    assert kept.stat().st_mtime_ns == stamp
    assert list(found["by_seed"]) == ["seed 1", "seed 2"]
    confusion = np.array(found["confusion"])
    tested = sum(len(heartbeat.split(beats, "random-beats", seed).test) for seed in (1, 2))
    assert confusion.sum() + sum(found["left_out"].values()) == tested
    assert found["accuracy"]["value"] == pytest.approx(np.trace(confusion) / confusion.sum(), abs=1e-4)
    assert found["macro_f1"]["value"] == pytest.approx(scores.macro_f1(confusion[None])[0], abs=1e-4)


def test_arms_that_were_not_measured_again_stay(tmp_path, monkeypatch):
    whole, now = quick(heartbeat.STUDY), {"keras": "new", "revision": "now", "date": "today"}
    monkeypatch.setattr(study, "stamp", lambda: now)
    cnet = {"none": {"epochs": 30}, "smote": {"epochs": 7, "measured": {"revision": "earlier"}}}
    protocols = {"random beats": {"cnet": cnet}, "DS1 to DS2": {"cnet": {"none": {"epochs": 30}}}}
    before = {"protocols": protocols, "revision": "then", "besides": {"a": 1}}
    (tmp_path / "heartbeat.json").write_text(json.dumps(before))
    stored = measure(whole, whole.measurements("random-beats-bigru-none"), tmp_path)
    found = stored["protocols"]["random beats"]
    assert found["cnet"]["none"]["epochs"] == 30
    for stored_arm in (found["cnet"]["none"], stored["protocols"]["DS1 to DS2"]["cnet"]["none"]):
        assert stored_arm["measured"]["revision"] == "then"
    assert found["cnet"]["smote"]["measured"]["revision"] == "earlier"
    assert found["bigru"]["none"]["measured"] == now
    assert found["bigru"]["none"]["epochs"] == 1
    assert (stored["revision"], stored["besides"]) == ("now", {"a": 1})


def test_networks_that_answer_together(tmp_path):
    whole = quick(heartbeat.STUDY, PLAN.but(seed=1))
    ours = replace(whole.arms[-1], splits=("by-patient",), seeds=(1,))
    whole = replace(whole, arms=(ours,))
    found = measure(whole, whole.measurements(), tmp_path)["protocols"]["DS1 to DS2"]["ours"]["none"]
    assert found["together"]["confusion"] == found["confusion"]
    s, of = found["by_class"]["S"], found["S by patient"].values()
    assert found["F1 of S by seed"] == {"seed 1": s["f1"]["value"]}
    assert sum(one["beats"] for one in of) == s["beats"]
    share = sum(one["beats"] * one["found"] for one in of) / s["beats"]
    assert share == pytest.approx(s["sensitivity"]["value"], abs=1e-4)


def test_smote_learns_for_as_many_steps():
    plain, filled = (
        heartbeat.STUDY.measurements(f"random-beats-cnet-{balance}")[0].arm.plan.epochs for balance in ("none", "smote")
    )
    assert filled * heartbeat._LONGER["random beats"] == pytest.approx(plain, rel=0.1)


def test_infarctions_from_scratch_and_from_heartbeats(cohorts, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "STUDY", quick(heartbeat.STUDY))
    whole, hearts = quick(infarction.STUDY), cohorts["infarction"]
    chosen = [
        measurement
        for start in ("scratch", "frozen")
        for measurement in whole.measurements(f"by-patient-cnet-{start}-100")
        if measurement.split in ("fold-0", "fold-1")
    ]
    stored = measure(whole, chosen, tmp_path)
    scratch, frozen = (stored["protocols"]["by patient"][f"cnet, {start}, 100%"] for start in ("scratch", "frozen"))
    assert list(scratch["by_split"]) == ["fold-0", "fold-1"]
    records = sum(row["beats"] for row in scratch["by_recording"]["by_class"].values())
    assert records == sum(
        hearts.info["record"].iloc[infarction.split(hearts, name, 1).test].nunique() for name in ("fold-0", "fold-1")
    )
    gain = stored["paired"]["cnet, frozen, 100%"]
    assert gain["value"] == pytest.approx(frozen["macro_f1"]["value"] - scratch["macro_f1"]["value"], abs=2e-4)
    assert gain["low"] <= gain["value"] <= gain["high"]
    whole.write(chosen[2:], tmp_path / "runs", tmp_path)  # of another scratch, which is not at hand, it says nothing
    stored = study.read(whole.file, tmp_path)
    assert (stored["paired"], set(stored["protocols"]["by patient"])) == (
        {},
        {f"cnet, {start}, 100%" for start in ("scratch", "frozen")},
    )


def test_pictures_of_beats(cohorts, tmp_path):
    whole, beats = quick(beat_images.STUDY), cohorts["beat-images"]
    chosen = whole.measurements("by-patient-signal-fold")[:2]
    found = measure(whole, chosen, tmp_path)["protocols"]["by patient"]
    assert found["beats of a class and patient, at most"] == {"in all": None, "to train": 100}
    found = found["networks"]["signal"]
    assert list(found["by_split"]) == ["fold-0, seed 1", "fold-1, seed 1"]
    rows = found["by_class"].values()
    tested = sum(len(beat_images.split(beats, measurement.split, 1).test) for measurement in chosen)
    assert sum(row["beats"] for row in rows) + sum(found["left_out"].values()) == tested
    right = sum(row["sensitivity"]["value"] * row["beats"] for row in rows)
    assert found["accuracy"]["value"] == pytest.approx(right / sum(row["beats"] for row in rows), abs=2e-4)
    subset = whole.measurements("random-beats-subset-signal")[0]
    assert len(whole.part(subset, beats)) == len(beat_images.thin(beats, 100))


def test_exchanged_electrodes(cohorts, tmp_path, monkeypatch):
    """Networks, the baseline and the original, inside and outside, and its own protocol."""
    short = replace(LESSON := inversion.LESSON, networks={
        name: replace(network, plans={"laptop": PLAN, "paper": PLAN}) for name, network in LESSON.networks.items()
    })  # fmt: skip
    monkeypatch.setattr(inversion, "LESSON", short)
    monkeypatch.setattr(inversion, "train", short.train)
    whole = replace(inversion.STUDY, lesson=short)
    chosen = [m for m in whole.measurements("seed-1") if "plain" not in m.name]
    stored = measure(whole, chosen, tmp_path)
    n = len(cohorts["inversion"])
    assert f"{n} recordings" in stored["data"]["ptb-xl"]
    assert set(stored["networks"]) == {
        f"{name}{kind}" for name in ("hypotheses", "classical", "original") for kind in ("", ", ensemble")
    }
    for found in stored["networks"].values():
        assert set(found) == {"ptb-xl", "ludb", "measured"}
        inside = found["ptb-xl"]
        mean = (inside["specificity"]["value"] + inside["mean_sensitivity"]["value"]) / 2
        assert inside["balanced_accuracy"]["value"] == pytest.approx(mean, abs=2e-4)
    one, alone = (stored["networks"][f"classical{kind}"]["ptb-xl"] for kind in ("", ", ensemble"))
    assert one == alone  # a single seed is its own ensemble
    assert one["auc"] > 0.6
    assert len(stored["original, its own protocol"]["balanced_accuracy"]) == 1
    assert stored["seconds"]["classical"] is None
    assert len(stored["ptb-xl recordings that the ensemble takes for exchanged with most certainty"]) == 5
    assert set(stored["thresholds of the ensemble, by specificity on ptb-xl"]) == {"0.999", "0.99"}


def test_rhythms_fold_by_fold_and_together(tmp_path, monkeypatch):
    rng, small = np.random.default_rng(1), {
        "convolutions": {"over": "time", "blocks": 2, "layers": 1, "halves": "pool", "first_channels": 8},
        "training": {"epochs": 1, "batch_size": 16},
    }  # fmt: skip
    network = tmp_path / "compact.toml"
    network.write_text(rhythm.Design(**small).toml())
    strips = [
        recordings.Recording(
            f"T{i:02}", f"T{i:02}", rng.normal(0, 0.2, (2700, 1)).astype("float32"), 300.0, ("ECG",),
            labels={"rhythm": "NAO~"[i % 4]},
        )
        for i in range(80)
    ]  # fmt: skip
    examples = rhythm.from_recordings(strips)
    monkeypatch.setattr(study, "loaded", lambda lesson, source: examples)
    arms = [replace(arm, network=str(network), splits=arm.splits[:2]) for arm in rhythm.arms("compact")]
    whole = replace(rhythm.STUDY, arms=(replace(arms[0], seeds=(1, 2)), arms[1]))
    found = measure(whole, whole.measurements(), tmp_path)["networks"][str(network)]
    assert list(found["augmented"]["by_fold"]) == [f"seed {s} fold {k}" for s in (1, 2) for k in (0, 1)]
    assert set(found["augmented"]["by_seed"]) == {"seed 1", "seed 2"}
    assert found["augmented"]["folds"] == [0, 1]
    assert found["augmented"]["together"]["networks"] == 2
    assert (found["all together"]["networks"], found["all together"]["folds"]) == (3, [0, 1])
    assert np.sum(found["plain"]["confusion"]) == 32


def test_patients_the_fast_way_and_the_plain_one(tmp_path, monkeypatch):
    holter = simulator.simulate_arrhythmias(tmp_path / "cohort", 4, 3, 5)
    examples = patients.from_recordings(recordings.mitdb(holter))
    monkeypatch.setattr(study, "loaded", lambda lesson, source: examples)
    monkeypatch.setitem(patients._FOLDERS, "physionet", lambda: holter)
    monkeypatch.setitem(patients._PLANS, "paper", patients.plan(preset="paper").but(epochs=1))
    plan, short = patients.plan(preset="quick").but(epochs=1), {"preset": "quick", "minutes": 2.0}
    arms = tuple(replace(arm, plan=plan, options=arm.options | short) for arm in patients.STUDY.arms)
    whole = replace(patients.STUDY, arms=arms)
    stored = measure(whole, whole.measurements(), tmp_path)
    assert stored["fast against plain"]["patients"] == 2
    assert stored["summary"]["arms"]["generic 0"]["patients"] == 4
    assert set(stored["over alone"]) == {"1", "2"}
    kept = stored["summary"]["arms"]
    gain = kept["whole 2"]["macro F1"]["value"] - kept["majority 2"]["macro F1"]["value"]
    assert stored["whole over majority"]["value"] == pytest.approx(gain, abs=2e-4)
    assert stored["original"]["whole records"]["of"] == 4
    assert stored["original"]["people after minute 2"]["of"] == 4


def test_the_original_scales_by_what_comes_later():
    """Each lead of a record fills [0, 1] exactly, over all of its minutes."""
    (scaled,) = list(patients.by_own_range([next(recordings.mitdb(simulator.sample_arrhythmias(20, 15)))]))
    assert scaled.signal.min(axis=0).tolist() == [0, 0]
    assert scaled.signal.max(axis=0).tolist() == [1, 1]


@pytest.mark.parametrize("name", lessons.titles())
def test_what_is_stored_has_the_arms_of_today(name):
    """The arms of the code are those of data/results, or missing there; none is called otherwise."""
    whole = lessons.study(name)
    stored = study.read(whole.file)
    if name == "patients":
        return
    arms = [arm for arm in whole.arms if not arm.pending]
    called = {arm.name.split(", ")[0] for arm in arms} | {arm.protocol for arm in arms}
    words = json.dumps(stored, ensure_ascii=False)
    assert all(json.dumps(word, ensure_ascii=False)[1:-1] in words for word in called - {"original"})


def test_what_has_not_been_measured_yet_is_trained_by_name_only():
    whole = rhythm.STUDY
    assert not any(one.arm.pending for one in whole.measurements())
    asked = whole.measurements("augmented-cnn")
    assert {one.arm.network for one in asked} == {"cnn"}
    assert all(one.arm.pending for one in asked)


def test_a_difference_is_paired_over_the_people_of_either_side():
    """Two of three people are in both; who is right for everybody lies ahead in every draw."""
    classes = ("a", "b")

    def pool(people, right):
        y = np.tile([0, 1], len(people))
        examples = Examples(np.zeros((len(y), 1)), y, np.repeat(people, 2), classes)
        return study.Pool(examples, np.eye(2)[y if right else 1 - y])

    better, worse = pool(["1", "2"], right=True), pool(["2", "3", "1"], right=False)
    difference = better.minus(worse, scores.accuracy)
    assert (difference["value"], difference["high"]) == (1, 1)
    assert worse.minus(better, scores.accuracy)["value"] == -1


@pytest.fixture
def measured(project, call, monkeypatch):
    """Give a command that measures a lesson of its own, and the folder of its runs."""
    shutil.copy(Path(__file__).with_name("measured_lesson.py"), project.root / "mine/ecg_lessons/lessons/measured.py")
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "MEMORY", 1)
    monkeypatch.setattr(machine, "has_gpu", lambda: False)
    runs = project.root / "runs"
    yield lambda *words: call("results", "measured", "--runs", runs, "--to", project.root, *words), runs
    sys.modules.pop("ecg_lessons.lessons.measured", None)


def test_measurements_are_made_side_by_side_and_once(measured):
    """Each waits for the other, so two processes are at work; what others start from is made before, in this one."""
    results, runs = measured
    status, said, told = results()
    assert (status, told) == (0, "")
    stored = study.read("measured", runs.parent)["networks"]
    assert {one["threads"] for one in stored.values()} == {"1"}
    assert len({str(os.getpid()), *(one["process"] for one in stored.values())}) == 3
    assert (runs / "start").read_text() == str(os.getpid())
    assert "fold-0-seed-1 finished" in said
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*.npz")}
    assert results()[0] == 0
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*.npz")} == before


def test_one_at_a_time_is_measured_in_this_process(measured):
    results, runs = measured
    runs.mkdir()
    (runs / "fold-1").touch()
    assert results("--jobs", "1", "--only", "fold-0")[0] == 0
    assert study.read("measured", runs.parent)["networks"]["fold-0"]["process"] == str(os.getpid())


def test_what_cannot_be_measured_is_named_with_a_remedy(measured):
    results, _ = measured
    status, said, told = results("--only", "ill")
    assert status == 2
    assert "ill-fold-2-seed-1: the data of this fold are gone: fetch them." in said
    assert "ill-fold-3-seed-1: KeyError: 'a fault of ours'; --jobs 1 shows all of it." in said
    assert told == "ecg-lessons: 2 of 2 trainings did not finish: mend that and measure again.\n"
