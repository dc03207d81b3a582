import keras
import numpy as np
import pytest

from ecg_lessons.evaluation import scores
from ecg_lessons.lessons import rhythm
from ecg_lessons.models.losses import MeanF1


def some(n=300):
    rng = np.random.default_rng(0)
    labels, probability = rng.choice(4, n, p=(0.5, 0.2, 0.2, 0.1)), rng.dirichlet([1] * 4, n)
    probability[np.arange(n), labels] += 0.5
    return labels, probability.astype("float32")


def test_it_is_the_score_of_the_lesson_batch_by_batch():
    labels, probability = some()
    metric = MeanF1(4, scored=3)
    for part in (slice(0, 70), slice(70, None)):
        metric.update_state(labels[part, None], probability[part])
    counted = scores.Scores.of(labels, probability.argmax(axis=1), np.arange(300).astype(str), rhythm.CLASSES)
    assert float(metric.result()) == pytest.approx(rhythm.mean_f1(counted.confusion[None])[0], abs=1e-6)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_a_network_is_saved_with_it(tmp_path):
    labels, probability = some()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[MeanF1(4, scored=3)])
    before = model.evaluate(probability, labels, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    after = keras.saving.load_model(tmp_path / "model.keras").evaluate(probability, labels, verbose=0, return_dict=True)
    assert after == pytest.approx(before)
    assert 0.3 < after["mean_f1"] < 1
