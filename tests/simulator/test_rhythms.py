"""Simulated rhythms in the layout of CinC 2017."""

import collections

import numpy as np
import pytest
import wfdb

from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import RHYTHM_RATE, RHYTHMS, challenge_2017
from ecg_lessons.errors import InputError
from ecg_lessons.simulator import courses, handheld, simulate_rhythms

DRAWS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_rhythms(tmp_path_factory.mktemp("rhythms") / "forty", recordings=40, seed=3)


def rhythm(name, seed=0, seconds=30.0):
    """Let a heart go, and give its beats, all of them in order."""
    course = courses.KINDS[name].go(np.random.default_rng(seed), seconds)
    return course, np.sort(np.concatenate([course.beats, course.ventricular]))


def test_the_loader_reads_what_was_written(folder):
    found = list(challenge_2017(folder))
    assert [one.name for one in found[:2]] == ["S00001", "S00002"]
    assert {one.labels["rhythm"] for one in found} == set(RHYTHMS)
    seconds = np.array([one.seconds for one in found])
    assert (seconds >= 9).all()
    assert (seconds <= 61).all()
    assert np.median(seconds) == 30
    assert all(np.isfinite(one.signal).all() and one.signal.std() > 0.02 for one in found)
    assert max(np.abs(one.signal).max() for one in found) <= 20


def test_the_header_tells_the_same_as_the_mat_file(folder):
    path = folder / "training2017" / "S00005"
    record = wfdb.rdrecord(str(path))
    (one,) = challenge_2017(folder, ["S00005"])
    np.testing.assert_allclose(record.p_signal, one.signal, atol=1e-6)
    assert (record.fs, record.sig_name, record.units) == (RHYTHM_RATE, ["ECG"], ["mV"])
    np.testing.assert_allclose(recordings.read(f"{path}.mat").signal, one.signal, atol=1e-6)


def test_shares_of_the_labels(tmp_path):
    simulate_rhythms(tmp_path / "a", recordings=30, shares={"A": 1, "~": 2})
    counts = collections.Counter(one.labels["rhythm"] for one in challenge_2017(tmp_path / "a"))
    assert set(counts) == {"A", "~"}
    assert abs(counts["A"] - 10) <= 1


def test_shares_that_cannot_be_used_are_refused(tmp_path):
    for shares in ({"Q": 1.0}, {"N": -1.0, "A": 2.0}, {"N": 0.0}, {}):
        with pytest.raises(InputError, match="cannot be used: give a number for some of N, A, O and ~"):
            simulate_rhythms(tmp_path / "a", recordings=2, shares=shares)


@pytest.mark.parametrize("name", courses.KINDS)
@pytest.mark.parametrize("seconds", [9.0, 60.0])
def test_every_rhythm_covers_the_recording(name, seconds):
    for seed in range(DRAWS):
        _, beats = rhythm(name, seed, seconds)
        assert beats[0] < 2.5
        assert beats[-1] > seconds - 2.5
        assert np.diff(beats).min() > 0.2
        assert np.diff(beats).max() < 3.6


def test_fibrillating_atria_give_irregular_beats_and_no_p_wave():
    for seed in range(DRAWS):
        course, beats = rhythm("atrial fibrillation", seed)
        rr = np.diff(beats)
        assert course.fibrillating
        assert len(course.sinus) == len(course.ectopic) == 0
        assert rr.std() / rr.mean() > 0.04
        assert abs(np.corrcoef(rr[1:], rr[:-1])[0, 1]) < 0.6  # no memory


def test_rates_of_sinus_rhythms():
    for name, low, high in (("sinus rhythm", 50, 100), ("sinus tachycardia", 102, 150), ("sinus bradycardia", 36, 50)):
        rates = np.array([60 / np.diff(rhythm(name, seed)[1]).mean() for seed in range(DRAWS)])
        assert (rates > 0.93 * low).all(), name
        assert (rates < 1.07 * high).all(), name


def test_premature_beats_come_early_and_the_ventricular_ones_are_followed_by_a_full_pause():
    for name, pause in (("ventricular premature beats", (1.8, 2.2)), ("atrial premature beats", (1.5, 1.95))):
        around = []
        for seed in range(DRAWS):
            course, beats = rhythm(name, seed)
            rr = np.diff(beats)
            early = np.flatnonzero(rr[1:-1] < 0.83 * np.median(rr)) + 1
            if len(course.ventricular):
                assert len(early) > 0
            around += [(rr[i] + rr[i + 1]) / np.median(rr) for i in early]
        assert pause[0] < np.median(around) < pause[1], name


def test_in_bigeminy_and_trigeminy_many_beats_are_ventricular():
    shares = []
    for seed in range(DRAWS):
        course, beats = rhythm("bigeminy and trigeminy", seed)
        shares.append(np.isin(beats, course.ventricular).mean())
    assert 0.15 < np.median(shares) <= 0.5


def test_flutter_lets_whole_numbers_of_waves_pass():
    for seed in range(DRAWS):
        course, beats = rhythm("atrial flutter", seed)
        ratio = np.diff(beats) / course.flutter
        assert np.abs(ratio - np.rint(ratio)).mean() < 0.1
        assert set(np.rint(ratio)) <= {2, 3, 4, 5}
        assert 220 < 60 / course.flutter < 330


def test_the_node_of_wenckebach_tires_until_a_beat_is_lost():
    for seed in range(DRAWS):
        course, beats = rhythm("second degree AV block", seed)
        delay = beats - course.sinus[np.searchsorted(course.sinus, beats) - 1]
        lost = np.flatnonzero(np.diff(beats) > 1.35 * np.median(np.diff(course.sinus)))
        assert len(lost) >= 3
        assert len(course.sinus) > len(beats)
        assert (delay[lost] > delay[lost + 1] + 0.05).all()  # rested, it conducts quickly again


def test_first_degree_block_moves_p_away():
    course, beats = rhythm("first degree AV block")
    assert 0.08 <= np.median(beats - course.sinus) <= 0.20


def test_upside_down_inverts_and_contact_loss_hides_the_heart():
    heart = np.zeros(9000)
    heart[150::300] = 1.0
    still = {"wander": 0, "muscle": 0, "moves": 0, "size": 0, "settling": 0, "bursts": 0, "contact": 1.0}
    plain, turned, gone = (
        handheld.record(np.random.default_rng(0), handheld.Hold(**still, lost=lost, upside_down=down), heart)
        for lost, down in ((0.0, False), (0.0, True), (1.0, False))
    )
    np.testing.assert_allclose(plain, -turned)
    assert np.corrcoef(plain, np.roll(heart, 3))[0, 1] > 0.3
    assert abs(np.corrcoef(gone, np.roll(heart, 3))[0, 1]) < 0.1


def test_noise_may_hide_any_rhythm():
    below = {handheld.recording(np.random.default_rng(seed), "~")[1] for seed in range(30)}
    assert {courses.KINDS[name].label for name in below} == {"N", "A", "O"}
