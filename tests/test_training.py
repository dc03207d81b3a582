"""Training: run folders, early stopping, and going on after a kill."""

import os
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.plans import Plan

SCRIPT = """
import sys, time
sys.path.insert(0, {tests!r})
from ecg_lessons import machine
machine.setup()
from test_training import build, some
from ecg_lessons import training
from ecg_lessons.plans import Plan

def progress(epoch, row):
    print("epoch", epoch, flush=True)
    time.sleep(float(sys.argv[2]))

training.fit(build, some(0), some(1), Plan(epochs=6, seed=3), sys.argv[1], fresh=lambda e, rng: e, progress=progress)
"""


def some(seed: int, n: int = 64) -> Examples:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 8)).astype(np.float32) + y[:, None]
    return Examples(x, y, np.arange(n).astype(str), ("a", "b"))


def build() -> keras.Model:
    inputs = keras.Input((8,))
    x = keras.layers.Dropout(0.2)(keras.layers.Dense(8, activation="relu")(inputs))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))


def weights(run: training.Run) -> np.ndarray:
    return np.concatenate([w.ravel() for w in run.model.get_weights()])


def test_a_plan_with_too_few_class_weights_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="1 class_weights for 2 classes"):
        training.fit(build, some(0), some(1), Plan(epochs=1, class_weights=(1.0,)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_folder_holds_what_it_promises(tmp_path):
    run = training.fit(build, some(0), some(1), Plan(epochs=3), tmp_path / "run", about={"lesson": "test"})
    assert sorted(p.name for p in run.folder.iterdir()) == ["history.csv", "model.keras", "plan.toml", "run.json"]
    again = training.Run.open(run.folder)
    assert again.about == {"lesson": "test"}
    assert again.plan == Plan(epochs=3)
    assert list(again.history["epoch"]) == [1, 2, 3]
    assert training.predict(again, some(1).x).shape == (64, 2)


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = training.fit(build, some(0), some(1), Plan(epochs=2), tmp_path / "run")
    before = (first.folder / "model.keras").stat().st_mtime_ns
    training.fit(build, some(0), some(1), Plan(epochs=2), tmp_path / "run")
    assert (first.folder / "model.keras").stat().st_mtime_ns == before


def test_one_seed_one_network(tmp_path):
    one, two, other = (
        training.fit(build, some(0), some(1), Plan(epochs=2, seed=seed), tmp_path / name)
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    )
    np.testing.assert_array_equal(weights(one), weights(two))
    assert not np.allclose(weights(one), weights(other))


def test_stops_early_and_keeps_the_best(tmp_path):
    plan = Plan(epochs=40, patience=2, learning_rate=0.3)
    run = training.fit(build, some(0), some(1), plan, tmp_path / "run")
    losses = run.history["val_loss"]
    assert len(losses) < 40
    assert len(losses) - 1 - losses.argmin() == 2
    model = run.model
    assert model.evaluate(some(1).x, some(1).y, verbose=0)[0] == pytest.approx(losses.min(), rel=1e-4)


def test_keeps_the_best_by_another_metric(tmp_path):
    plan = Plan(epochs=8, learning_rate=0.3, best_by="accuracy")
    run = training.fit(build, some(0), some(1), plan, tmp_path / "run")
    best = run.history["val_accuracy"]
    assert best.argmax() < len(best) - 1  # not simply the last
    accuracy = run.model.evaluate(some(1).x, some(1).y, verbose=0)[1]
    assert accuracy == pytest.approx(best.max(), abs=1e-6)
    with pytest.raises(InputError, match="best_by = 'f1'; choose one of loss, accuracy"):
        training.fit(build, some(0), some(1), plan.but(best_by="f1"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_keeps_the_last_where_asked(tmp_path):
    run = training.fit(build, some(0), some(1), Plan(epochs=8, learning_rate=0.3, keep="last"), tmp_path / "run")
    loss = run.model.evaluate(some(1).x, some(1).y, verbose=0)[0]
    assert loss == pytest.approx(run.history["val_loss"].iloc[-1], rel=1e-4)


def test_fresh_examples_come_anew_in_every_epoch(tmp_path):
    seen = []

    def fresh(given, rng):
        seen.append(rng.random())
        return given

    training.fit(build, some(0), some(1), Plan(epochs=3), tmp_path / "run", fresh=fresh)
    assert len(set(seen)) == 3


def test_killed_and_resumed_equals_unbroken(tmp_path):
    """SIGKILL after the second epoch; the resumed run ends with the same epochs and the same weights."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=os.path.dirname(__file__)))

    def command(folder, pause):
        return [sys.executable, str(script), str(tmp_path / folder), str(pause)]

    with subprocess.Popen(command("killed", 300), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line == "epoch 1\n":
                break
        deadline = time.time() + 200
        while not (tmp_path / "killed" / "history.csv").exists() and time.time() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "killed" / "model.keras").exists()
    with pytest.raises(InputError, match="has not finished"):
        training.Run.open(tmp_path / "killed")
    resumed = subprocess.run(command("killed", 0), capture_output=True, text=True, check=True)
    assert resumed.stdout.split("\n")[:2] == ["epoch 2", "epoch 3"]
    unbroken = training.fit(
        build, some(0), some(1), Plan(epochs=6, seed=3), tmp_path / "unbroken", fresh=lambda e, rng: e
    )
    killed = training.Run.open(tmp_path / "killed")
    assert list(killed.history["epoch"]) == [1, 2, 3, 4, 5, 6]
    pd.testing.assert_series_equal(killed.history["val_loss"], unbroken.history["val_loss"])
    np.testing.assert_allclose(weights(killed), weights(unbroken), atol=1e-6)


def test_refuses_a_folder_that_holds_something_else(tmp_path):
    training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path / "run")
    with pytest.raises(InputError, match="holds another run"):
        training.fit(build, some(0), some(1), Plan(epochs=2), tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="is not empty and is no run"):
        training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_open_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="is no run"):
        training.Run.open(tmp_path)


def test_write_leaves_no_half_file_on_a_full_disk(tmp_path, monkeypatch):
    run = training.Run(tmp_path)
    run.write("metrics.json", {"a": 1})

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", full)
        with pytest.raises(InputError, match=r"metrics.json .No space left on device"):
            run.write("metrics.json", {"a": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]
    assert '"a": 1' in (tmp_path / "metrics.json").read_text()


def test_a_start_that_was_killed_after_the_plan_can_start_again(tmp_path):
    (tmp_path / "plan.toml").write_text(Plan(epochs=1).toml())
    run = training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path)
    assert len(run.history) == 1


def test_tensorboard_logs_or_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(training.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="--tensorboard needs TensorBoard: install it"):
        training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path / "run", tensorboard=True)
    assert not (tmp_path / "run").exists()


class Killed(BaseException):
    """The end of a process, at which nothing is tidied up."""


def test_killed_at_any_operation_on_files_it_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    plan = Plan(epochs=2, seed=3)
    unbroken = weights(training.fit(build, some(0), some(1), plan, tmp_path / "unbroken", about={"a": 1}))
    operations = {name: getattr(os, name) for name in ("replace", "unlink")}

    def train_until(last: int, folder) -> bool:
        """Train, die at an operation, and tell whether it came so far."""
        done = 0

        def dying(name):
            def operate(*args, **kwargs):
                nonlocal done
                done += 1
                if done == last:
                    raise Killed
                if done < last:
                    operations[name](*args, **kwargs)

            return operate

        with monkeypatch.context() as patch:
            for name in operations:
                patch.setattr(os, name, dying(name))
            try:
                training.fit(build, some(0), some(1), plan, folder, about={"a": 1})
            except Killed:
                return True
        return False

    for last in range(1, 60, 2):
        folder = tmp_path / f"killed-{last}"
        if not train_until(last, folder):
            break
        run = training.fit(build, some(0), some(1), plan, folder, about={"a": 1})
        np.testing.assert_array_equal(weights(run), unbroken)
        assert not [path.name for path in folder.iterdir() if "state-" in path.name or path.suffix == ".lock"]
    assert last > 9


def test_two_trainings_do_not_meet_in_one_folder(tmp_path):
    told = []

    def progress(epoch, row):
        with pytest.raises(InputError, match="Another training is at work in"):
            training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path / "run")
        told.append(epoch)

    training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path / "run", progress=progress)
    assert told == [1]


def test_a_folder_that_vanishes_under_a_training_is_one_sentence(tmp_path):
    import shutil

    folder = tmp_path / "run"
    vanish = lambda examples, rng: shutil.rmtree(folder) or examples  # noqa: E731
    with pytest.raises(InputError, match=r"Cannot write .*run") as caught:
        training.fit(build, some(0), some(1), Plan(epochs=1), folder, fresh=vanish)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"a,b\n1,2\n", b"epoch,loss,val_loss,seconds\nx,1,1,1\n", None])
def test_a_damaged_history_is_one_sentence(tmp_path, damage):
    run = training.fit(build, some(0), some(1), Plan(epochs=1), tmp_path / "run")
    path = run.folder / "history.csv"
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(InputError, match=r"history.csv is missing or damaged: train into another folder"):
        run.history  # noqa: B018


def test_a_network_of_other_sizes_than_its_weights_is_refused_before_memory_is_taken(tmp_path):
    """A small file may ask for gigabytes: a layer of a million units, or an input of as many samples."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    model.save(tmp_path / "whole.keras")
    assert training._load(tmp_path / "whole.keras").count_params() == model.count_params()
    for what in (b'"units": 3', b'"batch_shape": [null, 4'):
        with zipfile.ZipFile(tmp_path / "whole.keras") as whole, zipfile.ZipFile(tmp_path / "huge.keras", "w") as huge:
            for name in whole.namelist():
                huge.writestr(name, whole.read(name).replace(what, what + b"000000000"))
        with pytest.raises(InputError, match=r"huge\.keras is damaged \(ValueError\)"):
            training._load(tmp_path / "huge.keras")


def test_a_step_is_traced_once(tmp_path, monkeypatch):
    """What optimizer and metrics keep is made before: a step that makes it is traced again without."""
    steps, traced = keras.Model.train_step, []
    monkeypatch.setattr(keras.Model, "train_step", lambda self, data: traced.append(1) or steps(self, data))
    training.fit(build, some(0), some(1), Plan(epochs=2), tmp_path / "run")
    assert len(traced) == 1
