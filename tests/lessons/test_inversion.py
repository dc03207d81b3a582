"""Lesson 1: examples, swaps, scores, and its runs."""

import numpy as np
import pandas as pd
import pytest

from ecg_lessons import simulator
from ecg_lessons.data import recordings, tables
from ecg_lessons.data.recordings import Recording
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import inversion as lesson
from ecg_lessons.signals import beats, leads


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulator.simulate_cohort(tmp_path_factory.mktemp("inversion") / "cohort", patients=30, seed=5)


@pytest.fixture(scope="module")
def correct(cohort):
    return lesson.from_recordings(recordings.ptb_xl(cohort))


@pytest.fixture(scope="module")
def run(correct, tmp_path_factory):
    plan = lesson.plan("hypotheses").but(epochs=12, batch_size=8)
    return lesson.train(tmp_path_factory.mktemp("runs") / "hypotheses", plan=plan, examples=correct)


def test_examples_are_what_they_promise(correct):
    assert correct.x["signal"].shape[1:] == (2500, 12)
    assert correct.x["beat"].shape[1:] == (beats.BEAT_SAMPLES, 12)
    assert len(set(correct.patient)) == 30 < len(correct)
    assert set(correct.info["state"]) == {"correct"}


def test_swapped_beat_is_the_beat_of_the_swapped_signal(correct):
    few = correct.take(np.arange(9))
    swapped = lesson.swapped(few, np.arange(1, 10))
    for i, name in enumerate(leads.SWAPS):
        assert swapped.info["state"][i] == name
        signal = leads.swap(few.x["signal"][i], leads.SWAPS[name])
        np.testing.assert_allclose(swapped.x["signal"][i], signal, atol=1e-6)
        np.testing.assert_allclose(swapped.x["beat"][i], leads.swap(few.x["beat"][i], leads.SWAPS[name]), atol=1e-6)


def test_every_state_once_for_every_recording(correct):
    every = lesson.every_state(correct)
    assert len(every) == 10 * len(correct)
    assert every.info.groupby(["record", "state"]).size().eq(1).all()


def test_fresh_swaps_leave_about_half_alone(correct):
    drawn = [lesson.fresh_swaps(correct, np.random.default_rng(seed)).y for seed in range(20)]
    assert np.mean(np.concatenate(drawn) == 0) == pytest.approx(0.5, abs=0.1)
    assert set(np.concatenate(drawn)) == set(range(10))
    assert (drawn[0] != drawn[1]).any()


def test_rolled_copies_jump(correct):
    copied = lesson.rolled(correct, np.random.default_rng(0))
    assert len(copied) == 6 * len(correct)
    original = lesson.fit_length(correct.x["signal"][0], 750)
    np.testing.assert_array_equal(copied.x["signal"][0], original)
    np.testing.assert_allclose(np.sort(copied.x["signal"][3], axis=0), np.sort(original, axis=0))


@pytest.mark.parametrize(("length", "want"), [(750, 2500), (2500, 750), (750, 750), (751, 2500)])
def test_fit_length_keeps_the_middle(length, want):
    signal = np.random.default_rng(0).normal(size=(2, length, 12))
    fitted = lesson.fit_length(signal, want)
    assert fitted.shape == (2, want, 12)
    back = lesson.fit_length(fitted, min(length, want))
    np.testing.assert_array_equal(back, lesson.fit_length(signal, min(length, want)))


def test_a_perfect_and_a_blind_judge(correct):
    every = lesson.every_state(correct)
    perfect = np.eye(10)[every.y]
    best = lesson.score(perfect, every)
    assert best["balanced_accuracy"].value == best["which_swap"].value == best["auc"] == 1
    blind = lesson.score(np.tile([0.6] + [0.4 / 9] * 9, (len(every), 1)), every)
    assert blind["balanced_accuracy"].value == pytest.approx(0.5)
    assert blind["sensitivity"]["LA/RA"].value == 0


def test_learns_on_the_built_in_cohort(run, correct):
    """Chance is 0.5; a network that sees 18 patients for 8 epochs is already far above it."""
    result = lesson.evaluate(run, examples=correct)
    assert result["balanced_accuracy"].value > 0.7
    assert (run.folder / "metrics.json").exists()
    assert len((run.folder / "predictions.csv").read_text().splitlines()) > 10


def test_verdicts_name_a_swap(run, cohort):
    given = lesson.from_recordings(map(recordings.read, recordings.paths(cohort / "records500" / "00000")))
    table = lesson.judge(run, cohort / "records500" / "00000")
    assert list(table.columns) == ["ID", "TARGET", "PROBABILITY", "SWAP"]
    assert set(table["SWAP"][table["TARGET"] == 0]) <= {"none"}
    wrong = lesson.verdicts(run, lesson.swapped(given, np.array(lesson.STATES.index("LA/RA"))))
    assert wrong["PROBABILITY"].mean() > table["PROBABILITY"].mean() + 0.1
    assert wrong["SWAP"].mode()[0] == "LA/RA"


def test_a_doubtful_verdict_is_left_out_on_request(run, correct):
    given = lesson.fresh_swaps(correct, np.random.default_rng(0))
    every, some = lesson.verdicts(run, given), lesson.verdicts(run, given, sure=0.9)
    doubtful = every["PROBABILITY"].between(0.1001, 0.8999)
    assert 0 < doubtful.sum() < len(every)
    assert (some["TARGET"].isna() == doubtful).all()
    assert set(some["SWAP"][doubtful]) == {"unsure"}
    assert (some[~doubtful] == every[~doubtful]).all(axis=None)
    assert not lesson.verdicts(run, given, threshold=0.95)["TARGET"].isna().any()


def test_right_arm_on_right_leg_is_found_by_its_flat_lead(run, correct):
    given = correct.take(np.arange(6))
    x = {name: leads.swap(part, leads.RA_RL) for name, part in given.x.items()}
    flat = given.but(x=x)
    assert set(lesson.verdicts(run, flat)["SWAP"]) == {"RA/RL"}
    assert "RA/RL" not in set(lesson.verdicts(run, given)["SWAP"])


@pytest.mark.parametrize("network", ["usoltsev", "hypotheses"])
def test_the_original_csv_way(network, correct, tmp_path):
    """TRAIN, EVAL and PRED of the original on its files."""
    lesson.export(correct, tmp_path, source="sample")
    pair = (tmp_path / "data.csv", tmp_path / "labels.csv")
    names = [f"sample-{name}" for name in correct.info["record"]]
    assert tables.read_labels(pair[1], names).mean() == pytest.approx(0.5, abs=0.2)
    plan = lesson.plan(network).but(epochs=2)
    trained = lesson.train(tmp_path / "run", network, plan=plan, paths=pair)
    assert trained.model.output_shape == (None, 1)
    result = lesson.evaluate(trained, paths=pair)
    assert set(result["sensitivity"]) == {"inverted"}
    table = lesson.judge(trained, pair[0])
    assert list(table.columns) == ["ID", "TARGET", "PROBABILITY"]
    assert set(table["TARGET"]) <= {0, 1}
    with pytest.raises(InputError, match="name --data-csv and --labels-csv"):
        lesson.evaluate(trained)


def test_a_network_that_names_swaps_is_asked_yes_or_no_by_files(run, correct, tmp_path):
    strangers = correct.but(info=correct.info.assign(record="x" + correct.info["record"]))
    lesson.export(strangers, tmp_path)
    result = lesson.evaluate(run, paths=(tmp_path / "data.csv", tmp_path / "labels.csv"))
    table = pd.read_csv(run.folder / "predictions-data.csv")
    assert set(result["sensitivity"]) == {"inverted"}
    assert len(table) == len(correct)
    hit = (table["verdict"] == "inverted")[table["label"] == "inverted"].mean()
    assert result["mean_sensitivity"].value == pytest.approx(hit)


def test_labels_of_one_kind_cannot_train(correct, tmp_path):
    lesson.export(correct, tmp_path)
    tables.write_labels(tmp_path / "labels.csv", correct.info["record"].tolist(), [0] * len(correct))
    with pytest.raises(InputError, match="needs both 0 and 1"):
        lesson.train(tmp_path / "run", paths=(tmp_path / "data.csv", tmp_path / "labels.csv"))


def test_three_leads_are_too_few():
    signal = np.zeros((5000, 3), np.float32)
    with pytest.raises(InputError, match=r"Record h1 has 3 leads \(I, II, V2\) and lacks III"):
        lesson.from_recordings([Recording("h1", "h1", signal, 500.0, ("I", "II", "V2"))])


def test_a_second_is_too_short():
    from ecg_lessons.data.recordings import LEADS

    with pytest.raises(InputError, match=r"lasts 1 s: this lesson needs 2 s"):
        lesson.from_recordings([Recording("s", "s", np.zeros((500, 12), np.float32), 500.0, LEADS)])
