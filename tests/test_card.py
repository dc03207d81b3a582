"""The card of a run says what the run's own files say."""

import json
import shutil

from ecg_lessons import card, lessons
from ecg_lessons.data import recordings
from ecg_lessons.lessons import inversion
from ecg_lessons.training import Run


def test_training_writes_a_card_and_evaluation_its_scores(call, at_hand, physionet, trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained("inversion"), folder)
    for path in folder.glob("metrics*.json"):
        path.unlink()
    before = trained("inversion") / card.NAME
    assert before.is_file()
    sides = json.loads((folder / "split.json").read_text())
    patient = {one.name: one.patient for one in recordings.ptb_xl(physionet / "ptb-xl" / "1.0.3")}
    people = {side: len({patient[name] for name in sides[side]}) for side in ("train", "validation", "test")}
    for word, side in {"Train": "train", "Validate": "validation", "Test": "test"}.items():
        assert f"| **{word}** | {len(sides[side])} recordings of {people[side]} patients |" in before.read_text()
    assert any(len(sides[side]) > number for side, number in people.items())
    assert call("evaluate", folder)[0] == 0
    scored, text = json.loads((folder / "metrics.json").read_text()), (folder / card.NAME).read_text()
    one = scored["balanced_accuracy"]
    assert f"| balanced accuracy | {one['value']:.3f} (" in text
    assert "None yet" not in text
    assert scored["examples"] == 10 * len(sides["test"])
    assert f"own test rows ({scored['examples']:,} of {people['test']} patients)" in text
    assert "simulated people only" not in text  # its source is a data folder
    assert call("evaluate", folder)[0] == 0
    assert (folder / card.NAME).read_text() == text
    others = (text.split("## Scores")[0], text.split("## Limits")[1])
    assert others == (before.read_text().split("## Scores")[0], before.read_text().split("## Limits")[1])


def test_limits_are_those_of_the_run(tmp_path):
    def told(**about):
        run = Run(tmp_path)
        run.write("run.json", {"network": "n", "source": "sample", "split": "by-patient", "learnt": [0, 1]} | about)
        run.write("split.json", {"train": ["a", "b"], "validation": [], "test": ["c"]})
        run.write("plan.toml", inversion.LESSON.plan("plain").toml())
        run.write("history.csv", "epoch,loss,val_loss,seconds\n1,1.0,1.0,2.0\n")
        counts = {"train": card.count("2 beats", 1), "validation": "0 beats", "test": card.count("1 beats", None)}
        return card.write(run, "T.", "built-in cohort", counts, ("N", "S", "V")).read_text()

    assert "simulated people only" in told()
    assert "It has never met: V." in told()
    assert "hearts that also trained" not in told()
    assert "hearts that also trained" in told(split="random-beats")
    assert "simulated people only" not in told(source="physionet")
    assert "never met" not in told(learnt=[0, 1, 2])
    assert "| **Train** | 2 beats of 1 patient |" in told()
    assert "| **Test** | 1 beats; the data name no patients |" in told()


def test_a_run_of_every_kind_has_one(trained):
    assert "recordings; the data name no patients |" in (trained("rhythm") / card.NAME).read_text()
    assert "beats of " in (trained("beat-images") / card.NAME).read_text()
    for name in ("heartbeat", "infarction"):
        text = (trained(name) / card.NAME).read_text()
        assert ("It began as" in text) == (name == "infarction")
        assert lessons.get(name).title in text
