"""Speed of training CNet, as a ratio to the original's way: a PyTorch loop over batches of 256, on one CPU in one run.

The peer's network is written anew after the paper (Kachuee et al. 2018, arXiv 1805.00794). PyTorch is an extra:
``pip install ecg-lessons[peer]``.
"""

import time

import numpy as np
import pytest

from ecg_lessons import environment

environment.setup()

import keras  # noqa: E402

from ecg_lessons.models import heartbeat  # noqa: E402

BEATS, BATCH = 10_240, 256


@pytest.fixture(scope="module")
def beats():
    rng = np.random.default_rng(0)
    return rng.random((BEATS, heartbeat.SAMPLES, 1), dtype=np.float32), rng.integers(0, 5, BEATS)


def peer(torch):
    """CNet in PyTorch, channels first."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = (nn.Conv1d(32, 32, 5, padding=2) for _ in range(2))
            self.pool = nn.MaxPool1d(5, 2)

        def forward(self, x):
            return self.pool(torch.relu(x + self.two(torch.relu(self.one(x)))))

    tail = [nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5)]
    return nn.Sequential(nn.Conv1d(1, 32, 5), *(Block() for _ in range(5)), *tail)


def test_cnet_trains_as_fast_as_the_original_loop(benchmark, beats):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install ecg-lessons[peer]")
    x, y = beats
    theirs, ours = peer(torch), heartbeat.cnet()
    assert sum(p.numel() for p in theirs.parameters()) == ours.count_params() == 53_957
    optimizer, loss = torch.optim.Adam(theirs.parameters(), 1e-3), torch.nn.CrossEntropyLoss()
    rows = torch.utils.data.TensorDataset(torch.from_numpy(x).transpose(1, 2), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(rows, BATCH, shuffle=True)

    def their_epoch():
        for some, labels in loader:
            optimizer.zero_grad()
            loss(theirs(some), labels).backward()
            optimizer.step()

    ours.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")

    def our_epoch():
        ours.fit(x, y, batch_size=BATCH, verbose=0)

    our_epoch()
    their_epoch()
    seconds = []

    def one_of_each():
        start = time.perf_counter()
        their_epoch()
        seconds.append(time.perf_counter() - start)

    # In turn, so that other work on the machine slows both alike.
    benchmark.pedantic(our_epoch, setup=one_of_each, rounds=6)
    ratio = min(seconds) / benchmark.stats.stats.min
    benchmark.extra_info["times faster"] = round(ratio, 2)
    print(f"\ntraining CNet: {ratio:.2f} times as fast as PyTorch {torch.__version__}")
    assert ratio > 1
