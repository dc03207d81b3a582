"""Figures that one can ask questions, with ipywidgets; without it, a still picture."""

import base64
import contextlib
import io
from collections.abc import Mapping

import numpy as np

from ecg_lessons.data.recordings import LEADS, Recording
from ecg_lessons.evaluation.paper import ecg_page

WAITS = "Waiting: the kernel is busy with other cells, and draws this page when they are done."


def swapped_page(recording: Recording, name: str, matrix: np.ndarray):
    """Draw a 12-lead page as exchanged electrodes (a matrix of `leads.SWAPS`) record it; changed leads are marked."""
    changed = [lead for lead, row, kept in zip(LEADS, matrix, np.eye(12), strict=True) if (row != kept).any()]
    signal = recording.twelve() @ matrix.T.astype(np.float32)
    title = f"{recording.name}: {name}" + (f", changed: {' '.join(changed)}" if changed else "")
    return ecg_page(signal, recording.rate, title, highlight=changed)


class Explorer:
    """A page on which the reader exchanges the electrodes of a correct recording; a still page without widgets."""

    def __init__(self, recording: Recording, swaps: Mapping[str, np.ndarray]):
        self.recording = recording
        self.maps = {"correct": np.eye(12)} | dict(swaps)

    def png(self, name: str) -> bytes:
        """Draw the page of one swap."""
        file = io.BytesIO()
        swapped_page(self.recording, name, self.maps[name]).savefig(file, format="png", dpi=90)
        return file.getvalue()

    def widget(self):
        """Build the list and a page for each choice, drawn when first chosen.

        The browser turns the pages itself: while the kernel is busy, a page that is not drawn yet says that it waits.
        """
        import ipywidgets

        choice = ipywidgets.Dropdown(options=list(self.maps), description="Exchange")
        waiting = {name: ipywidgets.VBox([ipywidgets.HTML(WAITS)]) for name in self.maps}
        pages = ipywidgets.Stack(list(waiting.values()), selected_index=choice.index)
        ipywidgets.jsdlink((choice, "index"), (pages, "selected_index"))

        def draw(name: str) -> None:
            if page := waiting.pop(name, None):
                page.children = [ipywidgets.Image(format="png", value=self.png(name))]

        draw(choice.value)
        choice.observe(lambda change: draw(change["new"]), names="value")
        return ipywidgets.VBox([choice, pages])

    def _repr_mimebundle_(self, **_) -> dict:
        """Offer the widget first and a still page of the last swap beside it; front ends take what they can."""
        last = list(self.maps)[-1]
        bundle = {"text/plain": f"A page with {len(self.maps)} choices; without widgets: {last}"}
        bundle["image/png"] = base64.b64encode(self.png(last)).decode()
        with contextlib.suppress(ImportError):
            bundle |= {k: v for k, v in self.widget()._repr_mimebundle_().items() if k != "text/plain"}
        return bundle


swap_explorer = Explorer
