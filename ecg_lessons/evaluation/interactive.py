"""Figures that one can ask questions, with ipywidgets; without it, a still picture."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from ecg_lessons.data.recordings import LEADS, Recording
from ecg_lessons.evaluation.paper import ecg_page


def swapped_page(recording: Recording, name: str, matrix: np.ndarray):
    """Draw a 12-lead page as exchanged electrodes would record it, the leads that change marked.

    Parameters
    ----------
    recording : Recording
        Twelve leads, correctly recorded.
    name : str
        Stands in the title.
    matrix : ndarray, shape (12, 12)
        One of `signals.leads.SWAPS`; the identity matrix changes nothing.
    """
    changed = [lead for lead, row, kept in zip(LEADS, matrix, np.eye(12), strict=True) if (row != kept).any()]
    signal = recording.twelve() @ matrix.T.astype(np.float32)
    title = f"{recording.name}: {name}" + (f", changed: {' '.join(changed)}" if changed else "")
    return ecg_page(signal, recording.rate, title, highlight=changed)


def swap_explorer(recording: Recording, swaps: Mapping[str, np.ndarray]):
    """Let the reader exchange electrodes and see the page change.

    Parameters
    ----------
    recording : Recording
    swaps : mapping of str to ndarray, shape (12, 12)

    Returns
    -------
    ipywidgets.VBox, or a Figure of the first swap where ipywidgets is missing
    """
    try:
        import ipywidgets
    except ImportError:
        name, matrix = next(iter(swaps.items()))
        return swapped_page(recording, name, matrix)
    maps = {"correct": np.eye(12)} | dict(swaps)
    choice = ipywidgets.Dropdown(options=list(maps), description="Exchange")
    page = ipywidgets.Image(format="png", value=_png(recording, "correct", maps["correct"]))

    def draw(change: dict) -> None:
        page.value = _png(recording, change["new"], maps[change["new"]])

    choice.observe(draw, names="value")
    return ipywidgets.VBox([choice, page])


def _png(recording: Recording, name: str, matrix: np.ndarray) -> bytes:
    file = io.BytesIO()
    swapped_page(recording, name, matrix).savefig(file, format="png", dpi=90)
    return file.getvalue()
