"""Set-up of the machine, in processes of their own."""

import json
import os
import platform
import subprocess
import sys

import pytest

from ecg_lessons import machine
from ecg_lessons.errors import Note


def run(code: str, **env: str) -> subprocess.CompletedProcess:
    env = os.environ | env
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)


def test_import_is_silent():
    done = run(
        "import os; os.environ.pop('TF_CPP_MIN_LOG_LEVEL', None)\n"
        "from ecg_lessons import machine; machine.setup()\n"
        "import keras, numpy as np\n"
        "m = keras.Sequential([keras.Input((9, 2)), keras.layers.Conv1D(3, 3), keras.layers.Flatten(),"
        " keras.layers.Dense(1)]); m.compile('adam', 'mse')\n"
        "m.fit(np.ones((4, 9, 2)), np.ones((4, 1)), verbose=0)\n"
    )
    assert done.stdout == ""
    assert done.stderr == ""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is for processors of this kind")
def test_tensorflow_computes_with_onednn_unless_told_not_to(tmp_path):
    """Also where the processor has no AVX-512; TensorFlow's own trace tells which kernel computed."""
    tf = pytest.importorskip("tensorflow")
    convolve = tf.function(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"))
    given = tf.ones((4, 16, 16, 8)), tf.ones((3, 3, 8, 8))
    convolve(*given)
    with tf.profiler.experimental.Profile(str(tmp_path)):
        convolve(*given)
    (trace,) = tmp_path.rglob("*.xplane.pb")
    assert b"MklNativeConv2D" in trace.read_bytes()
    told = run("import ecg_lessons, os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])", TF_ENABLE_ONEDNN_OPTS="0")
    assert told.stdout == "0\n"


def test_one_seed_one_stream():
    one, again, other = run(
        "from ecg_lessons import machine\n"
        "for seed in (1, 1, 2):\n"
        "    machine.setup(seed)\n"
        "    import keras, numpy as np; print(np.random.rand(), float(keras.random.uniform(())))"
    ).stdout.splitlines()
    assert one == again != other


def test_settings_of_a_user_change_nothing(tmp_path):
    settings = {"backend": "numpy", "floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.1}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "from ecg_lessons import machine; machine.setup()\n"
        "import keras; print(keras.config.backend(), keras.config.floatx(), keras.config.image_data_format(),"
        " keras.config.epsilon(), keras.config.dtype_policy().name)"
    )
    shown = run(code, KERAS_HOME=str(tmp_path), KERAS_BACKEND="").stdout
    assert shown == "tensorflow float32 channels_last 1e-07 float32\n"
    with pytest.raises(subprocess.CalledProcessError) as error:
        run(code, KERAS_HOME=str(tmp_path), KERAS_BACKEND="abacus")
    assert "abacus" in error.value.stderr


@pytest.mark.parametrize("content", ["{damaged", '{"backend": "theano"}'])
def test_a_keras_json_that_keras_refuses_is_not_read(tmp_path, content):
    (tmp_path / "keras.json").write_text(content)
    code = "from ecg_lessons import machine; machine.setup(); import keras; print(keras.config.backend())"
    assert run(code, KERAS_HOME=str(tmp_path), KERAS_BACKEND="").stdout == "tensorflow\n"


def test_a_backend_that_is_not_installed_is_one_sentence(tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['ecg-lessons', 'check']\n"
        "from ecg_lessons import cli; cli.main()"
    )
    with pytest.raises(subprocess.CalledProcessError) as error:
        run(code, KERAS_BACKEND="torch")
    assert error.value.returncode == 2
    assert error.value.stderr.startswith("ecg-lessons: KERAS_BACKEND=torch cannot be used")
    assert error.value.stderr.count("\n") == 1


def test_the_command_line_is_there_at_once():
    heavy = "'numpy', 'pandas', 'sklearn', 'scipy', 'wfdb', 'nbformat', 'jupytext', 'nbclient', 'requests', 'pooch'"
    run(
        "import sys\n"
        "import ecg_lessons.machine, ecg_lessons.data.catalog, ecg_lessons.data.fetch\n"
        "from ecg_lessons.course import course, notebooks\n"
        f"assert not {{{heavy}, 'keras'}} & set(sys.modules), {{{heavy}}} & set(sys.modules)"
    )


def test_data_and_signals_do_not_import_keras():
    """Downloading and reading must not wait for TensorFlow."""
    run(
        "import sys\n"
        "from ecg_lessons import simulator\n"
        "from ecg_lessons.data import catalog, fetch, recordings, tables\n"
        "from ecg_lessons.signals import beats, leads\n"
        "import ecg_lessons.splits, ecg_lessons.checks, ecg_lessons.cli\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )


def test_a_figure_in_a_notebook_is_one_small_png_of_its_own_size():
    """Also figures that pyplot did not make, and without a word from the layout engine."""
    done = run(
        "import os; os.environ['MPLBACKEND'] = 'module://matplotlib_inline.backend_inline'\n"
        "import io\n"
        "from IPython.core.interactiveshell import InteractiveShell; shell = InteractiveShell.instance()\n"
        "from ecg_lessons import machine; machine.setup(figures=True)\n"
        "import matplotlib.pyplot as plt; from PIL import Image; from ecg_lessons.evaluation import paper\n"
        "ours, theirs = paper.sheet(127, 50.8)[0], plt.subplots(figsize=(3, 2))[0]\n"
        "for figure, size in ((ours, (500, 200)), (theirs, (300, 200))):\n"
        "    data, _ = shell.display_formatter.format(figure)\n"
        "    image = Image.open(io.BytesIO(data['image/png']))\n"
        "    assert (image.size, image.mode, len(data)) == (size, 'P', 2), (image.size, image.mode, list(data))\n"
    )
    assert done.stderr == ""


@pytest.mark.parametrize("rows", [3, 8, 11])
def test_arrays_are_cut_into_the_batches_that_keras_makes(rows):
    machine.setup()
    machine.setup()
    import numpy as np
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

    x = {"signal": np.arange(rows * 6, dtype=np.int16).reshape(rows, 3, 2), "length": np.arange(rows) / 3}
    for shuffle in (False, True):
        adapter = ArrayDataAdapter(x, np.arange(rows) % 2, batch_size=4, shuffle=shuffle, class_weight={0: 1.0, 1: 3.0})
        data = adapter.get_tf_dataset()
        assert data.options().autotune.enabled is False
        batches = list(data.as_numpy_iterator())
        assert [len(y) for _, y, _ in batches] == [min(4, rows - start) for start in range(0, rows, 4)]
        found = [np.concatenate([batch[0][name] for batch in batches]) for name in ("signal", "length")]
        order = found[0][:, 0, 0].argsort()
        assert shuffle or (order == np.arange(rows)).all()
        np.testing.assert_array_equal(found[0][order], x["signal"])
        assert (found[0].dtype, found[1].dtype) == (np.int16, np.float32)
        np.testing.assert_allclose(found[1][order], x["length"], rtol=1e-6)
        np.testing.assert_array_equal(np.concatenate([w for *_, w in batches])[order], 1 + 2 * (np.arange(rows) % 2))
    several = [np.zeros((rows, 3)), np.ones((rows, 5))]  # as for a network of two inputs
    (first, second), *_ = next(
        ArrayDataAdapter(several, np.zeros(rows), batch_size=4).get_tf_dataset().as_numpy_iterator()
    )
    assert (first.shape[1], second.shape[1]) == (3, 5)


class Card:
    """A TensorFlow that finds one GPU of some compute capability."""

    def __init__(self, capability: tuple[int, int]):
        self.capability, self.visible, self.grows = capability, ["card"], []
        self.config = self.experimental = self

    def list_physical_devices(self, kind):
        return ["card"]

    def get_visible_devices(self, kind):
        return self.visible

    def set_visible_devices(self, devices, kind):
        self.visible = devices

    def get_device_details(self, card):
        return {"device_name": "A card", "compute_capability": self.capability}

    def set_memory_growth(self, card, wanted):
        self.grows.append(card)


def test_a_card_that_tensorflow_can_use_is_used(monkeypatch, recwarn):
    card = Card((9, 0))
    machine._gpus_of(card)
    assert (card.visible, card.grows, len(recwarn)) == (["card"], ["card"], 0)
    monkeypatch.setitem(sys.modules, "tensorflow", card)
    _, state, remedy = machine._device()
    assert "A card, compute capability 9.0: a matrix product is right" in state
    assert not remedy


def test_a_card_too_new_for_tensorflow_is_left_alone_and_jax_proposed(monkeypatch):
    card = Card((12, 0))
    with pytest.warns(Note, match="set KERAS_BACKEND=jax"):
        machine._gpus_of(card)
    assert (card.visible, card.grows) == ([], [])
    monkeypatch.setitem(sys.modules, "tensorflow", card)
    _, state, remedy = machine._device()
    assert "compute capability 12.0" in state
    assert "on the CPU" in state
    assert remedy.startswith("set KERAS_BACKEND=jax")


def test_no_gpu_is_no_fault_and_three_sentences_tell_what_to_do(monkeypatch):
    monkeypatch.setattr(machine, "_gpus", lambda backend: [])
    _, state, remedy = machine._device()
    assert machine.NO_GPU in state
    assert machine.NO_GPU.count(". ") == 2
    assert not remedy


@pytest.mark.parametrize("fault", [RuntimeError("CUDA_ERROR_NO_BINARY_FOR_GPU"), None])
def test_a_device_that_cannot_multiply_is_told_with_the_way_to_the_cpu(monkeypatch, fault):
    import keras

    def product(left, right):
        if fault:
            raise fault
        return left

    monkeypatch.setattr(keras.ops, "matmul", product)
    _, state, remedy = machine._device()
    assert ("a matrix product failed (RuntimeError)" if fault else "a matrix product is wrong") in state
    assert "CUDA_VISIBLE_DEVICES=-1" in remedy


def test_nothing_of_the_package_makes_tensorflow_talk():
    """Whatever is imported first, TensorFlow's greetings stay away from the standard error."""
    work = "from ecg_lessons import training as t; import numpy as n; t.keras.layers.Dense(2)(n.ones((1, 3))); print(1)"
    place = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", work], env=place, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
