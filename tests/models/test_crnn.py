import keras
import numpy as np
import pytest

from ecg_lessons.lessons import rhythm
from ecg_lessons.models import crnn
from ecg_lessons.models.crnn import Design
from ecg_lessons.signals.spectrograms import frames

RNG = np.random.default_rng(0)
SMALL = {
    "convolutions": {"over": "time", "blocks": 2, "layers": 1, "first_channels": 8, "more_channels": 4},
    "recurrence": {"cell": "gru", "layers": 1, "units": 6},
}


def some(n=3, length=6000, samples=18_286):
    signal = np.zeros((n, samples), dtype=np.int16)
    signal[:, :length] = RNG.integers(-800, 800, (n, length))
    return {"signal": signal, "length": np.full((n, 1), length, dtype=np.int32)}


@pytest.mark.parametrize(
    ("name", "parameters", "features"),
    [("cnn", 9_843_620, 224), ("crnn", 5_794_596, 480), ("compact", 330_184, 128), ("compact-signal", 367_272, 128)],
)
def test_the_networks_have_their_sizes(name, parameters, features):
    model = crnn.build(rhythm.design(name))
    assert model.count_params() == parameters
    assert model.get_layer("convolutions").output_shape[-1] == features


def test_the_paper_has_24_convolutions_with_its_channels():
    for name, last in (("cnn", [64, 96, 128, 160, 192, 224]), ("crnn", [64, 96, 128, 160])):
        layers = crnn.build(rhythm.design(name)).get_layer("convolutions").layers
        found = [one for one in layers if isinstance(one, keras.layers.Conv2D)]
        assert len(found) == 24
        assert [one.filters for one in found if one.strides == (2, 2)] == last
        assert {one.kernel_size for one in found} == {(5, 5)}


@pytest.mark.parametrize("more", [{}, {"signal": {"channels": 8}}])
def test_what_stands_behind_the_end_says_nothing(more):
    model = crnn.build(Design(**(SMALL | more)))
    given = some()
    before = model.predict(given, verbose=0)
    given["signal"][:, 7000:] = 3000  # beyond the reach of the convolutions at the end
    np.testing.assert_allclose(model.predict(given, verbose=0), before, atol=1e-5)
    given["signal"][:, 3000:3100] = 3000
    assert np.abs(model.predict(given, verbose=0) - before).max() > 1e-4


@pytest.mark.parametrize("largest", [False, True])
def test_over_time_counts_true_steps_only(largest):
    features = RNG.normal(size=(2, 5, 3)).astype("float32")
    true = np.arange(5) < np.array([[2], [5]])
    row = np.asarray(crnn.OverTime(largest)(features, true))
    np.testing.assert_allclose(row[0, :3], features[0, :2].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(row[1, :3], features[1].mean(axis=0), rtol=1e-5)
    assert row.shape == (2, 6 if largest else 3)
    if largest:
        np.testing.assert_allclose(row[0, 3:], features[0, :2].max(axis=0))


@pytest.mark.parametrize("step", [32, 16])
def test_true_steps_follow_the_halvings_of_the_convolutions(step):
    length = np.array([[18_286], [9000], [64], [20]], dtype="int32")
    steps = int(frames(18_286, step))
    for _ in range(3):
        steps = -(-steps // 2)
    mask = np.asarray(crnn.TrueSteps(step, 3)(np.zeros((4, steps, 1), "float32"), length))
    expected = [-(-int(frames(n, step)) // 8) for n in length[:, 0]]
    assert mask.sum(axis=1).tolist() == [*expected[:3], 1]
    assert mask[:, 0].all()


@pytest.mark.parametrize(("step", "samples"), [(8, 3000), (16, 3001), (16, 3008), (32, 3015), (32, 3007)])
def test_each_step_of_the_signal_stands_at_the_middle_of_its_window(step, samples):
    keras.utils.set_random_seed(1)  # an unlucky draw of four channels may see the spike late
    design = Design(**(SMALL | {"spectrogram": {"step": step, "floor": 0.01}, "signal": {"channels": 4}}))
    model = crnn.build(design, samples=samples)
    seen = keras.Model(model.input, model.get_layer("beside").output)
    quiet = np.ones((1, samples), "int16")
    spike = quiet.copy()
    spike[:, 1500:1508] = 900
    length = np.full((1, 1), samples, "int32")
    low, high = (seen.predict({"signal": one, "length": length}, verbose=0)[0] for one in (quiet, spike))
    assert low.shape == (int(frames(samples, step)), 33 + 4)
    windows, steps = (np.abs(high - low)[:, part].sum(axis=1) for part in (slice(33), slice(33, None)))
    middle = [np.average(np.arange(len(one)), weights=one > 0.5 * one.max()) for one in (windows, steps)]
    assert abs(middle[0] - middle[1]) <= 32 / step + 1  # half a window, and one for the pools


def test_a_recording_is_scaled_by_itself_alone():
    signal = RNG.normal(0, 50, (3, 400)).astype("float32")
    signal[2] = 0
    signal[:2, 300:] = 0
    length = np.array([[300], [300], [400]], dtype="int32")
    scaled = np.asarray(crnn.OwnScale()(signal, length))
    assert scaled.shape == (3, 400, 1)
    np.testing.assert_allclose(np.square(scaled[:2]).sum(axis=1) / 300, 1, rtol=0.05)
    np.testing.assert_allclose(crnn.OwnScale()(10 * signal, length)[:2], scaled[:2], rtol=0.05)
    assert not scaled[2].any()


def test_training_sees_another_signal_than_evaluation():
    model = crnn.build(Design(**(SMALL | {"augmentation": {"dropout_bursts": 0.3}})))
    given = {name: keras.ops.convert_to_tensor(value) for name, value in some().items()}
    quiet = [np.asarray(model(given)) for _ in range(2)]
    loud = [np.asarray(model(given, training=True)) for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    assert np.abs(loud[0] - loud[1]).max() > 0


def test_a_network_comes_back_from_its_file(tmp_path):
    augmented = {"augmentation": {"window_seconds": 10, "stretch": 0.1, "gain": 0.1, "flip": 0.5}}
    model = crnn.build(Design(**(SMALL | augmented | {"signal": {"channels": 8}})))
    model.save(tmp_path / "model.keras")
    again, given = keras.saving.load_model(tmp_path / "model.keras"), some()
    np.testing.assert_allclose(again.predict(given, verbose=0), model.predict(given, verbose=0), atol=1e-6)


def test_the_head_for_now_has_the_same_convolutions_and_no_recurrence():
    design = rhythm.design("crnn")
    whole, now = crnn.build(design), crnn.build(design, "for now")
    shapes = [[v.shape for v in one.get_layer("convolutions").weights] for one in (whole, now)]
    assert shapes[0] == shapes[1]
    assert not [one for one in now.layers if one.name.startswith("recurrence")]
    assert len([one for one in whole.layers if one.name.startswith("recurrence")]) == 3
