"""Where a network looked is where its verdict hangs on, and pictures of it replace nothing unasked."""

from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from ecg_lessons import looks
from ecg_lessons.data.recordings import Beats, Recording
from ecg_lessons.errors import InputError
from ecg_lessons.evaluation import verdict_plots

TWELVE, HOLTER = "ptb-xl/1.0.3/records500/00000/00001_hr", "mitdb/1.0.0/a001"
ONE = "challenge-2017/1.0.0/training2017/S00001.mat"


def recording(seconds=12, rate=100, leads=("I", "II")):
    signal = np.random.default_rng(0).normal(size=(seconds * rate, len(leads))).astype(np.float32)
    return Recording("r", "p", signal, rate, leads)


class Watching:
    """Judges by the height at one time, or around every R peak, and refuses where another time is flat."""

    name = "watching"

    def __init__(self, at, every_beat=False):
        self.at, self.every_beat = at, every_beat

    def judge(self, run, of, **_):
        peaks = of.beats.samples / of.rate if self.every_beat and of.beats else np.zeros(1)
        heights = of.signal[np.rint((peaks + self.at) * of.rate).astype(int), 0]
        if not self.every_beat and np.ptp(of.signal[908:912]) == 0:
            raise InputError("flat")
        yes = np.mean(heights == 5)
        table = pd.DataFrame({"ID": [of.name]})
        table.attrs |= {"probability": np.array([[1 - yes, yes]]), "classes": ("no", "yes")}
        table.attrs["every_beat"] = self.every_beat
        return table


def looked(monkeypatch, lesson, of, start=0.0):
    monkeypatch.setattr(looks, "_read", lambda path, how: of)
    return looks.look(lesson, SimpleNamespace(folder=None, model=None), "r", start)


def test_the_stretch_that_a_verdict_hangs_on_is_found(monkeypatch):
    of = recording()
    of.signal[730, 0] = 5
    found = looked(monkeypatch, Watching(7.3), of)
    worst = found.stretches[np.nanargmin(found.change)]
    assert worst[0] < 7.3 < worst[1]
    assert found.change.shape == (50,)
    assert np.nanmin(found.change) == -1
    assert np.nansum(found.change) == -1  # and no other
    assert (of.signal[730, 0], found.recording.signal[730, 0]) == (5, 5)  # what is read stays as it is
    later = looked(monkeypatch, Watching(7.3), of, start=11)
    assert (later.start, later.stretches[0, 0]) == (2, 2)  # ten seconds are shown, so far as there are ten


def test_a_refused_question_has_no_answer(monkeypatch):
    of = recording()
    of.signal[730, 0] = 5
    of.signal[[880, 920]] = 0
    assert not np.isnan(looked(monkeypatch, Watching(7.3), of).change).any()
    monkeypatch.setattr(looks, "STRETCH", 0.4)  # from 8.8 to 9.2 s: a flat line at 9.1 s is refused
    found = looked(monkeypatch, Watching(7.3), of)
    assert np.flatnonzero(np.isnan(found.change)).tolist() == [22]
    assert np.nanmin(found.change) == -1


def test_what_stands_in_every_beat_is_erased_in_every_beat(monkeypatch):
    of, peaks = recording(), np.arange(100, 1100, 90)
    of.signal[peaks + 16, 0] = 5
    of = Recording("r", "p", of.signal, of.rate, of.leads, Beats(peaks, np.full(len(peaks), "N")))
    found = looked(monkeypatch, Watching(0.16, every_beat=True), of)
    assert np.nanmin(found.change) == -1
    begin, end = found.stretches[np.nanargmin(found.change)]
    assert begin < 0.16 < end
    assert (found.change < 0).sum() == 1


def test_gaps_stay_gaps():
    of = recording()
    of.signal[100:110] = np.nan
    line = looks.erased(of, np.array([[0.5, 0.8], [0.95, 1.02]])).signal
    assert np.isnan(line).sum() == np.isnan(of.signal).sum()
    np.testing.assert_allclose(np.diff(line[50:81], n=2, axis=0), 0, atol=1e-5)
    assert np.array_equal(line[:50], of.signal[:50])


def test_shades_are_where_the_changes_are():
    of, stretches = recording(), np.array([[1, 1.2], [2, 2.2], [3, 3.2], [4, 4.2]])
    figure = verdict_plots.verdict(of, "t", stretches, np.array([-0.4, 0.2, 0.001, np.nan]))
    falls, rises = figure.axes[0].collections[-2:]
    assert falls.get_paths()[0].get_extents().x0 == pytest.approx(20 + 25)
    assert rises.get_paths()[0].get_extents().x0 == pytest.approx(20 + 50)
    assert falls.get_alpha() == pytest.approx(2 * rises.get_alpha())
    words = [text.get_text() for text in figure.axes[0].texts]
    assert any("falls (orange, by 0.40 at most) or rises (blue, by 0.20 at most)" in one for one in words)
    nothing = verdict_plots.verdict(of, "t", stretches, np.full(4, np.nan)).axes[0].texts
    assert any("Nothing is shaded" in text.get_text() for text in nothing)
    of.signal[:] = np.nan
    with pytest.raises(InputError, match="has nothing from 0 s on"):
        verdict_plots.verdict(of, "t", stretches, np.zeros(4))


@pytest.mark.parametrize(("name", "place"), [("inversion", TWELVE), ("infarction", TWELVE), ("heartbeat", HOLTER),
                                             ("beat-images", HOLTER), ("rhythm", ONE)])  # fmt: skip
def test_every_lesson_draws_its_verdict(call, at_hand, trained, physionet, name, place, monkeypatch, tmp_path):
    monkeypatch.setattr(looks, "STRETCH", 2.0)
    to = tmp_path / "p" / "verdict.png"
    status, printed, error = call("predict", trained(name), physionet / place, "--plot", to, "--to", tmp_path / "v.csv")
    assert status == 0, error
    assert f"The picture is in {to}: {physionet.joinpath(place).stem}, 0 to 10 s of" in printed
    assert (tmp_path / "v.csv").is_file()
    height, width, _ = matplotlib.image.imread(to).shape
    assert width / 150 * 25.4 > 265  # ten seconds of 25 mm
    assert height > 200
    if name == "heartbeat":
        table = pd.read_csv(tmp_path / "v.csv")
        counts = table["CLASS"][table["TIME"].between(0, 10)].value_counts()
        assert ", ".join(f"{n} {one}" for one, n in counts.items()) in printed


def test_a_picture_replaces_pictures_only(call, refused, at_hand, trained, physionet, monkeypatch, tmp_path):
    monkeypatch.setattr(looks, "FINE", 0.3)
    run, of, to = trained("inversion"), physionet / TWELVE, tmp_path / "verdict.html"
    to.write_text("mine")
    assert "holds no verdict drawn by 'predict'" in refused("predict", run, of, "--plot", to)
    assert to.read_text() == "mine"
    assert "ends in .png or .html" in refused("predict", run, of, "--plot", tmp_path / "v.pdf")
    assert "is a folder, and --plot draws one" in refused("predict", run, of.parent, "--plot", tmp_path / "v.png")
    assert "lies in the folder of a run" in refused("predict", run, of, "--plot", run / "v.png")
    assert "Add --to verdicts.csv" in refused("predict", run, of)
    assert "--start 10 is not within it" in refused("predict", run, of, "--plot", tmp_path / "v.png", "--start", 10)
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.html"]
    assert call("predict", run, of, "--plot", to, "--force")[0] == 0
    page = to.read_text()
    assert 'src="data:image/png;base64,' in page
    assert "00001_hr, 0 to 10 s of 10 s. Lesson inversion, network hypotheses: " in page
    assert call("predict", run, of, "--plot", to)[0] == 0  # its own is replaced
