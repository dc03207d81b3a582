"""Speed of training CNet, as a ratio to the original's way: a PyTorch loop over batches of 256, on one CPU in one run.

PyTorch is an extra: ``pip install ecg-lessons[peer]``.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecg_lessons import machine

machine.setup()

import keras  # noqa: E402

from ecg_lessons.models import heartbeat  # noqa: E402

BEATS, BATCH, EPOCHS = 10_240, 256, 4
PEER = Path(__file__).with_name("cnet_in_torch.py")


def peer() -> dict:
    command = [sys.executable, PEER, *map(str, (BEATS, BATCH, EPOCHS))]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed: pip install ecg-lessons[peer]"
)
def test_cnet_trains_as_fast_as_the_original_loop(benchmark):
    rng = np.random.default_rng(0)
    x, y = rng.random((BEATS, heartbeat.SAMPLES, 1), dtype=np.float32), rng.integers(0, 5, BEATS)
    ours = heartbeat.cnet()
    ours.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    theirs = []
    # In turn, so that other work on the machine slows both alike.
    benchmark.pedantic(
        lambda: ours.fit(x, y, batch_size=BATCH, verbose=0),
        setup=lambda: theirs.append(peer()),
        rounds=3,
        warmup_rounds=1,
    )
    assert {one["parameters"] for one in theirs} == {ours.count_params()} == {53_957}
    ratio = min(min(one["seconds"]) for one in theirs) / benchmark.stats.stats.min
    benchmark.extra_info["times faster"] = round(ratio, 2)
    print(f"\ntraining CNet: {ratio:.2f} times as fast as PyTorch {theirs[0]['version']}")
    assert ratio > 1
