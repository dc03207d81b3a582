"""The museum pieces of lesson 5 have the faults they are kept for."""

import keras
import numpy as np
import pytest

from ecg_lessons.models import heartbeat, museum

OVER_BATCH = {"bilstm_over_batch": "bilstm", "bigru_over_batch": "bigru"}


@pytest.fixture(scope="module")
def beats():
    return np.random.default_rng(0).random((6, heartbeat.SAMPLES, 1), dtype=np.float32)


def answer(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


def moved(model, beats) -> tuple[float, float]:
    """How far the answers move when the beats are turned round, and when all but the first are others."""
    p = answer(model, beats)
    turned = answer(model, beats[::-1])[::-1]
    company = answer(model, np.concatenate([beats[:1], 1 - beats[1:]]))
    return np.abs(turned - p).max(), np.abs(company[0] - p[0]).max()


@pytest.mark.parametrize(("faulty", "sound"), OVER_BATCH.items())
def test_the_faulty_answer_depends_on_the_batch_and_ours_does_not(faulty, sound, beats):
    order, company = moved(museum.FAULTS[faulty](), beats)
    assert order > 1e-3
    assert company > 1e-3
    order, company = moved(heartbeat.build(sound), beats)
    assert order < 1e-5
    assert company < 1e-5


def recurrence_matters(model, part: str, beats) -> bool:
    """Tell whether the answers change without the weights of a part that lead from one step to the next."""
    before = answer(model, beats)
    wrapper = model.get_layer(part)
    for layer in (wrapper.forward_layer, wrapper.backward_layer):
        layer.cell.recurrent_kernel.assign(np.zeros(layer.cell.recurrent_kernel.shape))
    return not np.allclose(answer(model, beats), before, atol=1e-6)


def test_an_encoder_of_one_step_has_no_recurrence_and_its_decoder_and_ours_have(beats):
    faulty = museum.seq2seq_one_step()
    assert not recurrence_matters(faulty, "encoder", beats)
    assert recurrence_matters(faulty, "decoder", beats)
    assert recurrence_matters(heartbeat.seq2seq(), "encoder", beats)


@pytest.mark.parametrize("name", [name for name in museum.FAULTS if name != "relu_logits"])
def test_they_run_without_any_warning(name, beats, tmp_path):
    model = museum.FAULTS[name](classes=3)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    model.fit(beats, np.array([0, 1, 2, 0, 1, 2]), epochs=1, verbose=0)
    p = answer(model, beats)
    np.testing.assert_allclose(p.sum(axis=1), np.ones(6), rtol=1e-5)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(answer(again, beats), p)
