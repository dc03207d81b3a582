import json

import numpy as np
import pytest

from ecg_lessons import splits, study
from ecg_lessons.data.recordings import Recording
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.lesson import Asked
from ecg_lessons.lessons import rhythm
from ecg_lessons.models.crnn import Design
from ecg_lessons.plans import Plan

RNG = np.random.default_rng(1)
SMALL = {
    "augmentation": {"window_seconds": 6, "stretch": 0.1, "dropout_bursts": 0.05},
    "convolutions": {"over": "time", "blocks": 2, "layers": 1, "halves": "pool", "first_channels": 8},
    "recurrence": {"cell": "gru", "layers": 1, "units": 6},
    "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.01},
}


def recording(name, length=3000, rhythm="N", rate=300.0, leads=1):
    return Recording(
        name, name, RNG.normal(0, 0.2, (length, leads)).astype("float32"), rate, ("ECG",) * leads,
        labels={"rhythm": rhythm},
    )  # fmt: skip


def small(folder, **changes):
    """Write a small model file."""
    path = folder / "small.toml"
    path.write_text(Design(**SMALL | changes).toml(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def given():
    return rhythm.from_recordings(recording(f"T{i:03}", 2700 + 20 * i, "NAO~"[i % 4]) for i in range(80))


def test_recordings_become_microvolts_with_zeros_behind_the_end(given):
    one = recording("T", 2700, "O")
    row = rhythm.from_recordings([one])
    assert row.x["signal"].dtype == np.int16
    np.testing.assert_array_equal(row.x["signal"][0, :2700], np.rint(one.signal[:, 0] * 1000))
    assert not row.x["signal"][0, 2700:].any()
    assert row.x["length"].tolist() == [[2700]]
    assert (row.y[0], row.patient[0], row.info["seconds"][0]) == (2, "T", 9.0)
    assert given.counts()["examples"].tolist() == [20] * 4


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (recording("T1", 63), "Recording T1 has 63 samples: give one of 64"),
        (recording("T2", 19_000), "Recording T2 has 19000 samples"),
        (recording("T3", rate=250.0), "Recording T3 has 1 leads at 250 Hz"),
        (recording("T4", leads=2), "Recording T4 has 2 leads at 300 Hz"),
    ],
)
def test_a_recording_that_does_not_fit_is_named(wrong, sentence):
    with pytest.raises(InputError) as told:
        rhythm.from_recordings([recording("T0"), wrong])
    assert sentence in str(told.value)


def test_the_score_of_the_challenge_leaves_noise_out():
    y = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    verdict = np.array([0, 0, 1, 0, 2, 2, 0, 3])
    names = np.arange(8).astype(str)
    table = Examples(np.zeros((8, 1)), y, names, rhythm.CLASSES)
    score = rhythm.score(np.eye(4)[verdict], table)
    f1 = [2 * 2 / (2 + 4), 2 * 1 / (2 + 1), 1.0, 2 * 1 / (2 + 1)]
    assert score["mean_f1"].value == pytest.approx(np.mean(f1[:3]))
    assert score["mean_f1_with_noise"].value == pytest.approx(np.mean(f1))
    assert score["accuracy"].value == 0.75
    assert score["by_class"]["~"]["recordings"] == 2


def test_networks_vote_and_the_mean_decides_a_tie():
    one, two, three = np.eye(4)[[0, 1, 2]] * 0.6 + 0.1
    assert rhythm.vote([[one], [one], [two]]).argmax() == 0
    sure = np.array([0.0, 0.9, 0.1, 0.0])
    assert rhythm.vote([[one], [sure], [three]]).argmax() == 1
    np.testing.assert_allclose(rhythm.vote([[one], [two]]).sum(), 1)


def test_the_five_folds_test_every_recording_once(given):
    tested = np.concatenate([rhythm.split(given, f"fold-{k}").test for k in range(5)])
    assert sorted(tested) == list(range(len(given)))
    for wrong in ("fold-5", "fold--1", "random", "by-patient"):
        with pytest.raises(InputError, match="no split"):
            rhythm.split(given, wrong)


def small_validation(examples, share):
    """Split as a model file with a small share for validation does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rhythm, "design", lambda _: Design(validation=share))
        return rhythm.split(examples, None, 14, Asked("", rhythm.Choices(), Plan()))


def test_a_small_validation_part_still_has_every_class(given):
    split = small_validation(given, 0.01)
    assert set(given.y[split.validation]) == {0, 1, 2, 3}
    assert len(split.validation) < 8
    few = given.take(np.flatnonzero((given.y != 3) | (np.cumsum(given.y == 3) <= 5)))
    assert 3 in few.y[small_validation(few, 0.05).validation]


def test_a_run_trains_is_evaluated_and_keeps_its_split(given, tmp_path):
    network = small(tmp_path)
    run = rhythm.train(tmp_path / "run", network, "sample", "fold-1", examples=given)
    result = rhythm.evaluate(run, examples=given)
    assert result["accuracy"].low <= result["accuracy"].value
    stored = json.loads((run.folder / "metrics.json").read_text())
    assert stored["examples"] == 16
    assert {"model.keras", "model.toml", "split.json", "history.csv", "predictions.csv"} <= {
        path.name for path in run.folder.iterdir()
    }
    with pytest.raises(InputError, match="test recordings are not in these data"):
        rhythm.evaluate(run, examples=given.take(np.arange(10)))
    again = rhythm.train(tmp_path / "run", network, "sample", "fold-1", examples=given)
    assert len(again.history) == 2
    assert again.history["val_mean_f1"].between(0, 1).all()


def test_a_stored_split_serves_for_training(given, tmp_path):
    path = splits.write(splits.sized(given, 0.5, 0.25, 0.25, 3), given, tmp_path / "split.json")
    run = rhythm.train(tmp_path / "run", small(tmp_path), "sample", str(path), examples=given)
    assert len(json.loads((run.folder / "split.json").read_text())["test"]) == 20


def test_phases_hand_their_weights_on(given, tmp_path):
    still = {"trains": "all", "epochs": 1, "learning_rate": 1e-12}
    phases = [{"trains": name, "epochs": 1} for name in ("convolutions", "recurrence", "all")]
    phases.insert(2, still)
    network = small(tmp_path, phases=phases, repeat_classes=[1, 3, 1, 7], signal={"channels": 8})
    run = rhythm.train(tmp_path / "run", network, "sample", "fold-0", examples=given)
    models = [type(run).open(tmp_path / "run" / place).model for place in ("phase-1", "phase-2", "phase-3", ".")]
    for part in ("convolutions", "waves"):
        first, second, _, last = (model.get_layer(part).get_weights() for model in models)
        # What batch normalisation has seen goes on in no frozen layer either.
        for one, two in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, two)
        assert any((one != two).any() for one, two in zip(second, last, strict=True))
    before, after = (model.get_layer("recurrence_1").get_weights() for model in models[1:3])
    for one, two in zip(before, after, strict=True):  # the phase that trains all goes on with the one before
        np.testing.assert_allclose(one, two, atol=1e-6)
    assert run.plan.epochs == 1


def test_repeats_must_fit_the_classes(given, tmp_path):
    with pytest.raises(InputError, match="repeat_classes has 2 numbers"):
        rhythm.train(tmp_path / "run", small(tmp_path, repeat_classes=[1, 2]), examples=given)


def test_real_recordings_are_read_with_their_published_counts(real):
    given = rhythm.examples("physionet")
    assert given.counts()["examples"].tolist() == [5076, 758, 2415, 279]
    split = rhythm.split(given, "fold-0")
    assert [len(rows) for rows in split.sides.values()] == [5685, 1137, 1706]


def test_what_the_device_of_the_challenge_does_not_write_is_not_judged():
    """Hum of 50 Hz and a wandering line are gone at reading; the beats stay as high."""
    time = np.arange(6000) / 300
    heart = (np.sin(2 * np.pi * 8 * time) * (np.abs((time % 1) - 0.5) < 0.06))[:, None].astype("float32")
    hum, line = (np.sin(2 * np.pi * rate * time)[:, None].astype("float32") for rate in (50, 0.1))
    clean, heard = (
        rhythm.fitted(Recording("T", "T", signal, 300.0, ("ECG",))).signal[300:-300]
        for signal in (heart, heart + 0.2 * hum + 0.5 * line)
    )
    assert np.abs(heard - clean).max() < 0.1 * np.ptp(clean)


@pytest.mark.parametrize("device", rhythm.DEVICES)
def test_another_device_leaves_what_stands_behind_the_end(given, device):
    few = given.take([0, 40])
    other, read = (rhythm.recorded_by(device, few, band) for band in (False, True))
    for row, length in enumerate(few.x["length"][:, 0]):
        assert not other.x["signal"][row, length:].any()
        assert not read.x["signal"][row, length:].any()
    same = np.array_equal(other.x["signal"], few.x["signal"])
    assert same == (device == "as recorded")
    assert read.x["signal"].std() < other.x["signal"].std()


def test_training_for_other_devices_is_worth_what_lesson_2_says():
    measured = study.read("rhythm")["other devices"]
    found = {
        (network, device, read): entry[device][read]["found"]["A"]["value"]
        for network, entry in measured.items()
        for device in rhythm.DEVICES
        for read in ("as it is", "0.5 to 40 Hz")
    }
    clean, noisy = "as recorded", "20 µV of white noise"
    assert found["compact", noisy, "as it is"] < 0.6 * found["compact", clean, "as it is"]
    assert found["compact", noisy, "0.5 to 40 Hz"] > found["compact", noisy, "as it is"] + 0.1
    assert found["compact-devices", noisy, "0.5 to 40 Hz"] > found["compact", clean, "as it is"] - 0.03
    scores = [measured[name][clean]["as it is"]["mean_f1"] for name in ("compact", "compact-devices")]
    assert scores[1]["value"] > scores[0]["low"]
