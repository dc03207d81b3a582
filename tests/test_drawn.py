"""`predict --plot`: pictures of verdicts."""

import numpy as np
import pandas as pd
import pytest

from ecg_lessons.cli import drawn
from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import LEADS
from ecg_lessons.evaluation.paper import MARK
from ecg_lessons.signals import leads
from ecg_lessons.training import Run


@pytest.fixture
def places(physionet):
    twelve = physionet / "ptb-xl" / "1.0.3" / "records500" / "00000" / "00001_hr"
    beats = physionet / "mitdb" / "1.0.0" / "a001"
    rhythm = next((physionet / "challenge-2017" / "1.0.0").rglob("*.mat"))
    return {"inversion": twelve, "rhythm": rhythm, "beat-images": beats, "heartbeat": beats, "infarction": twelve}


@pytest.mark.parametrize("lesson", ["inversion", "rhythm", "beat-images", "heartbeat", "infarction"])
def test_a_recording_is_drawn_with_its_verdict(call, at_hand, trained, places, tmp_path, lesson):
    for ending in ("png", "svg", "pdf"):
        to = tmp_path / f"p.{ending}"
        status, said, error = call(
            "predict", trained(lesson), places[lesson], "--to", tmp_path / "v.csv", "--plot", to, "--force"
        )
        assert status == 0, error
        assert f"The picture is {to}" in said
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


def test_the_leads_that_an_exchange_changes_are_blue(places):
    recording = recordings.read(places["inversion"])
    for found in ("V2/V3", "LA/RA", "none"):
        table = pd.DataFrame({"ID": ["r"], "TARGET": [int(found != "none")], "PROBABILITY": [0.8], "SWAP": [found]})
        figure = drawn.exchange(None, recording, table)
        blue = {line.get_label() for line in figure.axes[0].lines if line.get_color() == MARK}
        matrix = leads.SWAPS.get(found, np.eye(12))
        assert blue == {lead for k, lead in enumerate(LEADS) if matrix[k, k] != 1}
        words = " ".join(text.get_text() for text in figure.axes[0].texts)
        assert ("most likely " + found in words) == (found != "none")


def test_a_verdict_rests_on_what_takes_it_away(places, monkeypatch):
    """A network that looks at seconds 4 to 6 alone: without these its probability falls, and without others not."""
    recording = recordings.read(places["rhythm"])

    def predict_rows(run, x, tick=None):
        power = x["signal"][:, 4 * 300 : 6 * 300].astype(float).std(axis=1)
        p = 0.9 * power / power.max()
        return np.stack([1 - p, p, 0 * p, 0 * p], axis=1)

    monkeypatch.setattr(drawn.rhythm, "predict_rows", predict_rows)
    table = pd.DataFrame({"ID": ["r"], "CLASS": ["A"], "PROBABILITY": [0.9]})
    figure = drawn.heard(Run("."), recording, table)
    falls = figure.axes[1].lines[0].get_ydata()
    assert falls.argmax() == 4
    assert falls[4] > 0.8
    assert np.abs(falls[[0, 1, 7, 8]]).max() < 0.05


def test_the_ten_seconds_with_most_that_is_not_normal_are_drawn(places):
    recording = recordings.read(places["heartbeat"])
    time = np.arange(0.5, 100, 0.5)
    called = np.where((time > 60) & (time < 68), "V", "N")
    table = pd.DataFrame({"ID": time.astype(str), "TIME": time, "CLASS": called, "PROBABILITY": 1.0})
    figure = drawn.named(None, recording, table)
    letters = [text.get_text() for text in figure.axes[0].texts if text.get_text() in ("N", "V")]
    assert letters.count("V") == (called == "V").sum()
    assert len(letters) == 20


def test_what_cannot_be_drawn_is_refused_before_the_judging(refused, at_hand, trained, places, tmp_path):
    run, to = trained("inversion"), ("--to", tmp_path / "v.csv")
    assert "choose .png, .svg or .pdf" in refused("predict", run, places["inversion"], *to, "--plot", tmp_path / "p.bmp")
    folder = places["inversion"].parent
    assert "name a recording in it" in refused("predict", run, folder, *to, "--plot", tmp_path / "p.png")
    (tmp_path / "p.png").write_text("mine")
    assert "add --force" in refused("predict", run, places["inversion"], *to, "--plot", tmp_path / "p.png")
    assert (tmp_path / "p.png").read_text() == "mine"
    assert not (tmp_path / "v.csv").exists()
