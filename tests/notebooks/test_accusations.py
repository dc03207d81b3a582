"""What the lessons charge the originals with: each charge is shown, and names the file, the line and the commit."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecg_lessons import simulator, study
from ecg_lessons.data import recordings
from ecg_lessons.lessons import infarction, inversion, patients
from ecg_lessons.models import museum
from ecg_lessons.signals import beats, kachuee

FOLDER = Path(__file__).parents[2] / "notebooks" / "source"
TABLE = study.described("heartbeat")["claimed"]["table"]
ROWS = [(how, network) for how, networks in TABLE.items() for network in networks]


def text(lesson: str) -> str:
    """Give the prose of a lesson in one line."""
    source = next(FOLDER.glob(f"{lesson}_*.py")).read_text(encoding="utf-8")
    return " ".join(line.removeprefix("# ") for line in source.splitlines() if line.startswith("# "))


def harmonic(row: dict) -> np.ndarray:
    precision, recall = np.array(row["precision"]), np.array(row["recall"])
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(("how", "network"), ROWS)
def test_the_published_f1_follow_from_precision_and_recall(how, network):
    """All but one: an infarction cell, printed 99.06, must be 99.47."""
    row = TABLE[how][network]
    off = np.abs(harmonic(row) - row["f1"]) > 0.02
    assert off.tolist() == [False] * 5 + [(how, network) == ("smote", "cnet")]
    claimed = study.described("heartbeat")["claimed"]["macro F1"][how][network]
    assert np.mean(row["f1"][:5]) == pytest.approx(100 * claimed, abs=0.01)


def test_the_sentence_quotes_precisions():
    assert np.mean(TABLE["none"]["cnet"]["precision"][:5]) == pytest.approx(93.66, abs=0.01)
    assert TABLE["none"]["cnet"]["precision"][5] == 99.57
    assert harmonic(TABLE["smote"]["cnet"])[5] == pytest.approx(99.47, abs=0.01)
    assert all(number in text("05") for number in ("0.9366", "0.9677", "0.9957", "92.83"))


def test_the_first_exercise_of_lesson_5_computes_what_its_solution_says():
    """The cell that is off stands in the table; its right value in the solution alone, not in the lesson before it."""
    lesson, exercise = text("05").split("**One** (5 minutes).")
    cell, other = harmonic(TABLE["smote"]["cnet"])[5], harmonic({"precision": 92.57, "recall": 88.94})
    assert "99.57, 99.38" in exercise
    assert "92.57, 88.94" in exercise
    assert f"is printed 99.06, and should be {cell:.2f}" in exercise
    assert f"{cell:.2f}" not in lesson
    ours = study.read("heartbeat")["protocols"]["DS1 to DS2"]["ours"]["none"]["by_class"]["S"]["f1"]["value"]
    assert f"F1 of S is {other:.2f}" in exercise
    assert f"ours is {ours:.2f}, {other - 100 * ours:.0f} points lower" in exercise


def test_lesson_5_says_how_its_beats_differ_from_those_of_lesson_4(real):
    with_q = study.read("heartbeat")["data"]["examples"]
    without = study.read("patients")["data"]["examples"]
    unknown = sum((one.beats.symbols == "Q").sum() for one in recordings.mitdb(real / "mitdb" / "1.0.0"))
    cut = sum(with_q.values()) - sum(without.values()) - unknown
    assert f"Lesson 4 had {sum(without.values()):,} beats" in text("05")
    assert f"{unknown} that nobody could name, and {cut} at the ends of records" in text("05")


@pytest.mark.parametrize(
    ("lesson", "where"),
    [
        ("02", "yruffiner/ecg-classification at commit 81a7983"),
        ("02", "`utils/nn_layers.py`, line 71"),
        ("02", "`train.py`, lines 174 and 176"),
        ("02", "`network/network.py`, line 157"),
        ("02", "`network/network.py`, line 287"),
        ("02", "`network/network.py`, line 162"),
        ("05", "`models.py`, lines 120-121, commit 064a7e0"),
        ("05", "`models.py`, lines 73-74"),
        ("05", "`train_ecg.py`, lines 95-99, commit 064a7e0"),
        ("05", '`README.md`, "Results", commit 7138c41'),
    ],
)
def test_a_charge_says_where_it_stands(lesson, where):
    assert where in text(lesson)


@pytest.mark.parametrize(
    ("lesson", "false"),
    [
        ("01", "random quarter"),
        ("02", "where `==` was meant"),
        ("02", "Five faults"),
        ("04", "chose its best epoch"),
        ("05", "recision sold as F1"),
        ("05", "holds the precisions"),
        ("05", "240,000"),
    ],
)
def test_what_nobody_did_is_charged_to_nobody(lesson, false):
    assert not re.search(re.escape(false), text(lesson))


def test_the_last_quarter_of_the_rows_holds_copies_of_ecgs_that_train(tmp_path, monkeypatch):
    """Lesson 1: the original's rows are the ECGs, then all first copies and so on; the last quarter validates."""
    correct = inversion.examples("sample").take(np.arange(40))
    shown = {}
    monkeypatch.setattr(
        inversion.training, "fit", lambda build, train, held, *a, **k: shown.update(train=train, held=held)
    )
    inversion.train_original(correct, tmp_path)
    train, held = (set(shown[side].info["record"]) for side in ("train", "held"))
    assert len(shown["held"]) == 6 * 40 // 4
    assert held <= train == set(correct.info["record"])


def test_scaling_by_the_whole_record_lets_its_end_change_its_beginning():
    """Lesson 4: a drift after minute ten shrinks minute one by the original's way of scaling, and not by ours."""
    *_, recording = recordings.mitdb(simulator.sample_arrhythmias(20, patients.SAMPLE_MINUTES))
    signal, ten = recording.signal, round(600 * recording.rate)
    drifting = signal.copy()
    drifting[ten:] += 4
    scaled = [(one - one.min(axis=0)) / np.ptp(one, axis=0) for one in (signal, drifting)]
    heights = [np.ptp(one[: ten // 10, 0]) for one in scaled]
    assert heights[1] < 0.8 * heights[0]


def test_a_rule_with_and_augments_in_fits():
    assert [epoch for epoch in range(20) if museum.is_reloaded(epoch)] == [0, 2, 8, 10, 16, 18]


def test_what_lesson_4_says_of_the_original_follows_from_the_stored_numbers():
    stored = study.read("patients")
    original, ours = stored["original"], stored["summary"]["F1 frequent by patient"]
    theirs = original["F1 frequent by patient"]
    gain = patients.mean(np.array([ours[who]["generic"] - theirs[who] for who in theirs]))
    assert len(theirs) == original["people after minute 10"]["of"] == 47
    points = [round(100 * number) for number in (gain.value, gain.low, gain.high)]
    assert f"differ by {points[0]} points ({points[1]} to {points[2]})" in text("04")
    f1, accuracy = (100 * original["whole records"][name]["value"] for name in ("F1 frequent", "accuracy"))
    assert f"F1 frequent {f1:.0f} % (accuracy {accuracy:.0f} %) over whole records" in text("04")
    assert f"F1 frequent {100 * original['people after minute 10']['F1 frequent']['value']:.0f} %" in text("04")


def test_so_many_normal_people_have_a_raised_st_as_lesson_6_says(real):
    normal = [one for one in recordings.ptb_xl(real / "ptb-xl" / "1.0.3") if "NORM" in one.labels["diagnoses"]]
    beat = np.stack([beats.median_beat(one.twelve(), one.rate) for one in normal])
    st = beat[:, 95] - beat[:, 58:63].mean(axis=1)
    guideline = np.where(np.isin(recordings.LEADS, ("V2", "V3")), 0.2, 0.1)
    first, second = ((np.sum(st >= limit, axis=1) >= 2).sum() for limit in (0.1, guideline))
    assert f"Of {len(normal)} normal recordings of PTB-XL" in text("06")
    assert f"the first rule calls {first} raised and the second {second}" in text("06")


def test_lesson_6_says_what_became_of_the_normal_recordings(real):
    found = list(recordings.ptb_xl(real / "ptb-xl" / "1.0.3"))
    normal = [one for one in found if "NORM" in one.labels["diagnoses"]]
    alone = [pair for pair in infarction.diagnosed(found) if pair[1] == "normal"]
    cut = [len(kachuee.beat_of_diagnosis(*pair)[0]) for pair in alone]
    kept = infarction.from_diagnoses(alone).info["record"].nunique()
    stored = study.read("infarction")["protocols"]["by patient"]["cnet, scratch, 100%"]["by_recording"]
    assert stored["by_class"]["normal"]["beats"] == kept
    assert f"Section 1 counted {len(normal)} normal recordings; {kept} of them are here." in text("06")
    assert {one.labels["superclasses"] for one in normal} == {("NORM",), ("CD", "NORM")}
    gone = len(normal) - len(alone), cut.count(0), len(alone) - cut.count(0) - kept
    assert "{} show a conduction disturbance too, in {} the published rule finds no beat, and {} are".format(
        *gone
    ) in text("06")


def test_lesson_6_says_how_old_its_infarctions_are(real):
    folder = real / "ptb-xl" / "1.0.3"
    stage = pd.read_csv(folder / "ptbxl_database.csv", index_col="ecg_id")["infarction_stadium1"]
    ill = [pair for pair in infarction.diagnosed(recordings.ptb_xl(folder)) if pair[1] == "infarction"]
    of = stage.loc[np.unique(infarction.from_diagnoses(ill).info["record"].astype(int))].value_counts()
    assert of["Stadium I"] == 1
    assert f"Of these {of.sum()} infarctions one is marked as acute; of {of['unknown']} the stage is unknown." in text(
        "06"
    )


def test_r_shrinks_from_v2_to_v3_in_the_record_that_lesson_1_draws(real):
    (one,) = [one for one in recordings.ptb_xl(real / "ptb-xl" / "1.0.3") if one.name == "497"]
    beat = beats.median_beat(one.twelve(), one.rate)
    r = (beat - beat[58:63].mean(axis=0))[60:95, 6:10].max(axis=0)
    assert r[2] < 0.5 * r[1] < 0.25 * r[3]
