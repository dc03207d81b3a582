"""Keras networks, one module per published project."""

from collections.abc import Callable, Mapping

import keras
import pandas as pd

from ecg_lessons.errors import pick


def build(networks: Mapping[str, Callable[..., keras.Model]], name: str, **options) -> keras.Model:
    """Build one of some networks by name."""
    return pick("network", name, networks)(**options)


def table(network: keras.Model) -> pd.DataFrame:
    """List the layers of a network: what each is, the shape it gives (without the batch), and its parameters."""
    rows = [
        {"layer": type(layer).__name__, "gives": " x ".join(map(str, layer.output.shape[1:])), "parameters": n}
        for layer, n in ((layer, layer.count_params()) for layer in network.layers)
    ]
    return pd.DataFrame(rows, index=range(1, len(rows) + 1))
