"""Keras networks, one module per published project."""

from collections.abc import Callable, Mapping

import keras

from ecg_lessons.errors import pick


def build(networks: Mapping[str, Callable[..., keras.Model]], name: str, **options) -> keras.Model:
    """Build one of some networks by name."""
    return pick("network", name, networks)(**options)
