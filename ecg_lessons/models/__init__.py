"""Keras networks, one module per published project."""

from collections.abc import Callable, Mapping

import keras

from ecg_lessons.errors import InputError


def build(
    networks: Mapping[str, Callable[..., keras.Model]], lesson: str, name: str, **options
) -> keras.Model:
    """Build a network of a lesson by name.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if name not in networks:
        raise InputError(f"Lesson {lesson} has no network {name!r}: choose {', '.join(networks)}.")
    return networks[name](**options)
