"""A converted network says what Keras says, or is not there."""

import importlib.util

import keras
import numpy as np
import pytest

from ecg_lessons import convert
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import heartbeat
from ecg_lessons.training import Run

ONNX = all(importlib.util.find_spec(name) for name in convert.FORMATS[".onnx"].needs)
WITH_ONNX = pytest.mark.skipif(not ONNX, reason="ONNX is not installed: pip install 'ecg-lessons[export]'")
TARGETS = ["net.tflite", "net", pytest.param("net.onnx", marks=WITH_ONNX)]


@pytest.fixture(scope="module")
def batch():
    return np.random.default_rng(1).normal(size=(3, 187, 1)).astype(np.float32)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_written_answers_as_the_run(call, at_hand, trained, batch, target, tmp_path):
    run, to = trained("heartbeat"), tmp_path / "made" / target
    status, printed, error = call("convert", run, "--to", to)
    assert (status, error) == (0, "")
    assert f"The network is in {to}. On 100 examples of the built-in cohort it differs" in printed
    answer = convert.FORMATS[to.suffix].open(to)
    name = Run(run).model.inputs[0].name
    np.testing.assert_allclose(answer({name: batch}), Run(run).model.predict(batch, verbose=0), atol=1e-5)


def test_a_network_that_says_something_else_leaves_nothing(monkeypatch, trained, tmp_path):
    open_ = convert.FORMATS[".tflite"].open

    def wrong(path):
        ask = open_(path)
        return lambda batch: ask(batch) + 2e-4

    other = convert.Format("TFLite", "litert", (), wrong)
    monkeypatch.setitem(convert.FORMATS, ".tflite", other)
    with pytest.raises(InputError, match=r"the TFLite network differs from Keras by 0\.0002"):
        convert.convert(heartbeat.LESSON, Run(trained("heartbeat")), tmp_path / "net.tflite")
    assert list(tmp_path.iterdir()) == []


def test_what_a_format_has_not_is_refused(tmp_path):
    run = Run(tmp_path / "run")
    run.write("run.json", {"network": "seq2seq"})
    heartbeat.LESSON.networks["seq2seq"].build(classes=5).save(run.folder / "model.keras")
    with pytest.raises(InputError, match="seq2seq holds operations that TFLite has not"):
        convert.convert(heartbeat.LESSON, run, tmp_path / "net.tflite")
    assert not (tmp_path / "net.tflite").exists()


def test_nothing_is_replaced_unasked(refused, call, at_hand, trained, monkeypatch, tmp_path):
    run, mine = trained("heartbeat"), tmp_path / "mine.tflite"
    mine.write_text("mine")
    assert "exists: name another file, or add --force" in refused("convert", run, "--to", mine)
    assert mine.read_text() == "mine"
    assert "names no format" in refused("convert", run, "--to", tmp_path / "net.h5")
    assert "is not empty" in refused("convert", run, "--to", tmp_path)
    assert "is no run" in refused("convert", tmp_path, "--to", tmp_path / "net.tflite")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'ecg-lessons[export]'" in refused("convert", run, "--to", tmp_path / "net.onnx")
    monkeypatch.undo()
    assert call("convert", run, "--to", mine, "--force")[0] == 0
    assert mine.read_bytes()[4:8] == b"TFL3"


def test_a_verdict_of_several_looks_is_no_network(monkeypatch, trained, tmp_path):
    twice = heartbeat.LESSON.but("twice", "Asks twice.", predict_rows=lambda run, x, tick: [
        run.model.predict(x["beat"]) for _ in range(2)
    ])  # fmt: skip
    assert isinstance(Run(trained("heartbeat")).model, keras.Model)
    with pytest.raises(InputError, match="a mean of several looks"):
        convert.convert(twice, Run(trained("heartbeat")), tmp_path / "net.tflite")
