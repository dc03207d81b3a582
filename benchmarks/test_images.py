"""Speed of drawing beats, against one matplotlib figure saved as PNG, read and resized by OpenCV."""

import time

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from ecg_lessons.signals import images


@pytest.fixture(scope="module")
def curve():
    return np.random.default_rng(0).random((4096, images.POINTS), dtype=np.float32)


def the_original_way(curve: np.ndarray, path) -> np.ndarray:
    figure = Figure(frameon=False)
    axes = figure.add_subplot()
    axes.plot(curve)
    axes.axis("off")
    figure.savefig(path)
    return cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (images.SIZE, images.SIZE))


def test_draw_images(benchmark, curve, tmp_path):
    cv2.setNumThreads(1)
    benchmark.pedantic(images.draw, (curve,), rounds=5, warmup_rounds=1)
    start = time.perf_counter()
    for one in curve[:20]:
        assert the_original_way(one, tmp_path / "beat.png").shape == (images.SIZE, images.SIZE)
    ratio = (time.perf_counter() - start) / 20 / (benchmark.stats.stats.median / len(curve))
    benchmark.extra_info["times faster"] = round(ratio)
    print(f"\nimages of beats: {ratio:.0f} times faster than the original way, on one core")
    assert ratio > 1000
