"""CNet and its training loop in PyTorch, written anew after Kachuee et al. (2018, arXiv 1805.00794).

The peer of `test_heartbeat`, and a program of its own, because PyTorch and TensorFlow do not always bear each other in
one process. It prints its version, its parameters, and the seconds of each epoch.
"""

import json
import sys
import time

import torch
from torch import nn


class Block(nn.Module):
    """Two convolutions beside a bridge, then a pool."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv1d(32, 32, 5, padding=2) for _ in range(2))
        self.pool = nn.MaxPool1d(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Channels first."""
        return self.pool(torch.relu(x + self.two(torch.relu(self.one(x)))))


def main(beats: int, batch: int, epochs: int) -> None:
    """Train on noise."""
    tail = [nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5)]
    network = nn.Sequential(nn.Conv1d(1, 32, 5), *(Block() for _ in range(5)), *tail)
    optimizer, loss = torch.optim.Adam(network.parameters(), 1e-3), nn.CrossEntropyLoss()
    rows = torch.utils.data.TensorDataset(torch.rand(beats, 1, 187), torch.randint(5, (beats,)))
    loader = torch.utils.data.DataLoader(rows, batch, shuffle=True)
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        for x, y in loader:
            optimizer.zero_grad()
            loss(network(x), y).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    parameters = sum(p.numel() for p in network.parameters())
    print(json.dumps({"version": torch.__version__, "parameters": parameters, "seconds": seconds}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
