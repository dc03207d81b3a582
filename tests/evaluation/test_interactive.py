"""The figure with which one exchanges electrodes."""

import base64
import sys

import numpy as np
import pytest

from ecg_lessons import simulator
from ecg_lessons.data import recordings
from ecg_lessons.evaluation import interactive
from ecg_lessons.signals import leads


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = simulator.simulate_cohort(tmp_path_factory.mktemp("interactive") / "cohort", patients=1)
    return next(recordings.ptb_xl(folder))


def test_each_page_waits_until_it_is_chosen_and_is_drawn_once(recording):
    choice, pages = interactive.swap_explorer(recording, leads.SWAPS).widget().children

    def shown(name):
        return pages.children[choice.options.index(name)].children[0]

    first = shown("correct")
    assert shown("LA/RA").value == interactive.WAITS
    choice.value = "LA/RA"
    assert bytes(shown("LA/RA").value).startswith(b"\x89PNG")
    assert bytes(shown("LA/RA").value) != bytes(first.value)
    choice.value = "correct"
    assert shown("correct") is first
    assert shown("LA/LL").value == interactive.WAITS


def test_title_names_the_leads_that_change(recording):
    figure = interactive.swapped_page(recording, "LA/LL", leads.SWAPS["LA/LL"])
    words = " ".join(text.get_text() for text in figure.findobj(match=lambda a: hasattr(a, "get_text")))
    assert "changed: I II III aVL aVF" in words
    figure = interactive.swapped_page(recording, "fine", np.eye(12))
    assert "changed" not in " ".join(t.get_text() for t in figure.findobj(match=lambda a: hasattr(a, "get_text")))


@pytest.mark.parametrize("there", [True, False])
def test_a_still_picture_stands_beside_the_widget(recording, monkeypatch, there):
    if not there:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    bundle = interactive.swap_explorer(recording, leads.SWAPS)._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert ("application/vnd.jupyter.widget-view+json" in bundle) == there
    assert "V1-V6 reversed" in bundle["text/plain"]
