"""The measurements of lessons 4 and 5, the whole way, on simulated patients."""

from ecg_lessons import machine

machine.setup()

import json  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from ecg_lessons import simulator  # noqa: E402
from ecg_lessons.data import recordings  # noqa: E402
from ecg_lessons.evaluation import scores  # noqa: E402
from ecg_lessons.lessons import heartbeat as lesson  # noqa: E402
from ecg_lessons.lessons import heartbeat_results, infarction_results, measuring, patient_measured  # noqa: E402
from ecg_lessons.lessons import patients as personal  # noqa: E402
from ecg_lessons.plans import Plan  # noqa: E402

PLAN = Plan(epochs=1, batch_size=128, keep="last")


@pytest.fixture(scope="module")
def beats(tmp_path_factory):
    folder = simulator.simulate_arrhythmias(tmp_path_factory.mktemp("a") / "cohort", 12, 1, 3)
    return lesson.from_recordings(recordings.mitdb(folder))


@pytest.fixture(scope="module")
def hearts(tmp_path_factory):
    folder = simulator.simulate_infarctions(tmp_path_factory.mktemp("i") / "cohort", 40, 1)
    return lesson.from_diagnoses(lesson._diagnosed(recordings.ptb_xl(folder)))


def test_heartbeats(beats, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat_results, "_loaded", lambda: beats)
    monkeypatch.setattr(heartbeat_results, "plan", lambda job: PLAN.but(seed=job.seed))
    listed = heartbeat_results.jobs()
    assert len(listed) == len(set(listed)) == 2 * 2 * 6 + 5
    few = [job for job in listed if (job.protocol, job.network) == ("random beats", "cnet")][:2]
    for job in few:
        heartbeat_results.run(job, tmp_path / "runs")
    heartbeat_results.run(few[0], tmp_path / "runs")
    heartbeat_results.write(few, tmp_path / "runs", tmp_path / "json")
    found = heartbeat_results.read(tmp_path / "json")["protocols"]["random beats"]["cnet"]["none"]
    assert list(found["by_seed"]) == ["seed 1", "seed 2"]
    confusion = np.array(found["confusion"])
    tested = sum(len(lesson.split(beats, "random-beats", seed).test) for seed in (1, 2))
    assert confusion.sum() + sum(found["left_out"].values()) == tested
    assert found["accuracy"]["value"] == pytest.approx(np.trace(confusion) / confusion.sum(), abs=1e-4)
    assert found["macro_f1"]["value"] == pytest.approx(scores.macro_f1(confusion[None])[0], abs=1e-4)


def test_arms_that_were_not_measured_again_stay(beats, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat_results, "_loaded", lambda: beats)
    monkeypatch.setattr(heartbeat_results, "plan", lambda job: PLAN.but(seed=job.seed))
    monkeypatch.setattr(measuring, "_revision", lambda: "now")
    cnet = {"none": {"epochs": 30}, "smote": {"epochs": 7, "measured": {"revision": "earlier"}}}
    before = {"protocols": {"random beats": {"cnet": cnet}}, "revision": "then"}
    (tmp_path / "heartbeat.json").write_text(json.dumps(before))
    job = heartbeat_results.Job("random beats", "bigru", "none", 1)
    heartbeat_results.run(job, tmp_path / "runs")
    heartbeat_results.write([job], tmp_path / "runs", tmp_path)
    found = heartbeat_results.read(tmp_path)["protocols"]["random beats"]
    assert found["cnet"]["none"]["epochs"] == 30
    assert found["cnet"]["none"]["measured"]["revision"] == "then"
    assert found["cnet"]["smote"]["measured"]["revision"] == "earlier"
    assert found["bigru"]["none"]["measured"]["revision"] == "now"
    assert found["bigru"]["none"]["epochs"] == 1


def test_networks_that_answer_together(beats, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat_results, "_loaded", lambda: beats)
    monkeypatch.setattr(heartbeat_results, "PROTOCOLS", {"DS1 to DS2": "by-patient"})
    monkeypatch.setattr(heartbeat_results, "plan", lambda job: PLAN.but(seed=1, epochs=job.seed))
    few = [heartbeat_results.Job("DS1 to DS2", "ours", "none", 1)]
    for job in few:
        heartbeat_results.run(job, tmp_path / "runs")
    found = heartbeat_results._scored(few, tmp_path / "runs", beats)
    assert found["together"]["confusion"] == found["confusion"]


def test_smote_learns_for_as_many_steps():
    plain, filled = (
        heartbeat_results.plan(heartbeat_results.Job("random beats", "cnet", balance, 1)).epochs
        for balance in ("none", "smote")
    )
    assert filled * heartbeat_results._LONGER["random beats"] == pytest.approx(plain, rel=0.1)


def test_infarctions(hearts, beats, tmp_path, monkeypatch):
    monkeypatch.setattr(infarction_results, "_loaded", lambda: hearts)
    monkeypatch.setattr(infarction_results, "_PLAN", PLAN)
    monkeypatch.setattr(heartbeat_results, "_loaded", lambda: beats)
    monkeypatch.setattr(heartbeat_results, "plan", lambda job: PLAN.but(seed=job.seed))
    few = [
        job
        for job in infarction_results.jobs()
        if job.split in ("fold-0", "fold-1")
        and job.network == "cnet"
        and job.share == 1
        and job.start != "full"
    ]
    for job in few:
        infarction_results.run(job, tmp_path / "runs")
    infarction_results.write(few, tmp_path / "runs", tmp_path / "json")
    stored = infarction_results.read(tmp_path / "json")
    one, other = (
        stored["protocols"]["by patient"][f"cnet, {start}, 100%"] for start in ("scratch", "frozen")
    )
    assert list(one["by_split"]) == ["fold-0", "fold-1"]
    records = sum(row["beats"] for row in one["by_recording"]["by_class"].values())
    assert records == sum(
        hearts.info["record"].iloc[lesson.split(hearts, name, PLAN.seed).test].nunique()
        for name in ("fold-0", "fold-1")
    )
    gain = stored["paired"]["cnet, frozen, 100%"]
    assert gain["value"] == pytest.approx(other["macro_f1"]["value"] - one["macro_f1"]["value"], abs=2e-4)
    assert gain["low"] <= gain["value"] <= gain["high"]


def test_patients(tmp_path, monkeypatch):
    folder = simulator.simulate_arrhythmias(tmp_path / "cohort", 6, 3, 5)
    given = personal.from_recordings(recordings.mitdb(folder))
    monkeypatch.setattr(patient_measured, "_loaded", lambda: given)
    train = patient_measured.runs.train
    quick = personal.SETTINGS["quick"]

    def shorter(*args, **options):
        return train(*args, minutes=2, plan=personal.plan("quick").but(epochs=1), settings=quick, **options)

    monkeypatch.setattr(patient_measured.runs, "train", shorter)
    for job in patient_measured.jobs():
        patient_measured.run(job, tmp_path / "runs")
    patient_measured.write(patient_measured.jobs(), tmp_path / "runs", tmp_path / "json")
    stored = patient_measured.read(tmp_path / "json")
    assert stored["fast against plain"]["patients"] == 2
    assert stored["summary"]["arms"]["generic 0"]["patients"] == 6
    assert set(stored["over alone"]) == {"1", "2"}
    whole, majority = (
        stored["summary"]["arms"][f"{arm} 2"]["macro F1"]["value"] for arm in ("whole", "majority")
    )
    assert stored["whole over majority"]["value"] == pytest.approx(whole - majority, abs=2e-4)
