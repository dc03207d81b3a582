from dataclasses import replace

import numpy as np
import pytest

from ecg_lessons.signals import beats
from ecg_lessons.simulator import body, ectopy, holter

HEART = ectopy.Heart(
    ground="N",
    fibrillation=False,
    heart_rate=70,
    variability=0.01,
    breathing=0.25,
    early_atrial=0.65,
    early_ventricular=0.6,
    foci=1,
)


def happened(seconds: float = 300, seed: int = 0, **events: float) -> tuple[np.ndarray, str, ectopy.Rhythm]:
    """Give the times and symbols of a heart with some kinds of events."""
    rhythm = ectopy.simulate(np.random.default_rng(seed), replace(HEART, events=events), seconds)
    return np.array(rhythm.time), "".join(rhythm.symbol), rhythm


def test_a_ventricular_beat_has_a_full_compensatory_pause():
    time, symbol, _ = happened(V=6.0)
    at = np.array([i for i in range(1, len(symbol) - 1) if symbol[i] == "V"])
    assert len(at) == 30
    early, around = time[at] - time[at - 1], time[at + 1] - time[at - 1]
    np.testing.assert_allclose(around / (2 * 60 / 70), 1, atol=0.05)
    assert (early / around < 0.4).all()


def test_an_atrial_beat_resets_the_sinus_node():
    time, symbol, rhythm = happened(A=6.0)
    at = np.array([i for i in range(1, len(symbol) - 1) if symbol[i] == "A"])
    assert len(at) == 30
    early, after = time[at] - time[at - 1], time[at + 1] - time[at]
    assert (early < 0.8 * 60 / 70).all()
    assert (after >= 0.98 * 60 / 70).all()
    assert (early + after < 1.95 * 60 / 70).all()
    assert np.array(rhythm.p_time)[rhythm.p_ectopic].tolist() == time[at].tolist()


def test_in_bigeminy_every_second_beat_is_ventricular():
    for name, pattern, mark in (("B", "NV" * 4, "(B"), ("T", "NNV" * 4, "(T")):
        time, symbol, rhythm = happened(**{name: 1.0})
        assert symbol.count(pattern) >= 3
        starts = [when for when, _, text in rhythm.marks if text == mark]
        assert len(starts) == 5
        for start in starts:
            first = int(np.searchsorted(time, start))
            assert symbol[first : first + len(pattern)] == pattern


def test_couplets_and_runs_are_as_long_as_their_names_say():
    for name, lengths in (("VV", {2}), ("VT", set(range(3, 10)))):
        time, symbol, _ = happened(**{name: 2.0})
        runs = [run for run in symbol.split("N") if run]
        assert len(runs) == 10
        assert {len(run) for run in runs} <= lengths
        inside = [time[i] - time[i - 1] for i in range(1, len(symbol)) if symbol[i - 1 : i + 1] == "VV"]
        assert max(inside) < 0.6


def test_escape_beats_are_slow_and_end_a_pause():
    time, symbol, _ = happened(E=1.0)
    first = [i for i in range(1, len(symbol)) if symbol[i - 1 : i + 1] == "NE"]
    inside = [i for i in range(1, len(symbol)) if symbol[i - 1 : i + 1] == "EE"]
    assert len(first) == 5
    assert min(time[i] - time[i - 1] for i in first) > 1.1
    assert min(time[i] - time[i - 1] for i in inside) > 60 / 70


def test_flutter_is_fast():
    time, symbol, _ = happened(VFL=1.0)
    cycles = [time[i] - time[i - 1] for i in range(1, len(symbol)) if symbol[i - 1 : i + 1] == "!!"]
    assert 180 < 60 / np.mean(cycles) < 260


def test_flutter_ends_before_a_short_recording_does():
    for seed in range(20):
        _, _, rhythm = happened(60, seed, VFL=2.0, B=2.0, V=6.0)
        brackets = [mark[:2] for mark in rhythm.marks if mark[1] in "[]"]
        assert [mark for _, mark in brackets][:2] == ["[", "]"]
        assert brackets[-1][1] == "]"
        assert brackets[-1][0] < 60


def test_a_pacemaker_is_regular_and_starts_anew_after_a_ventricular_beat():
    heart = replace(HEART, ground="/", events={"V": 4.0})
    rhythm = ectopy.simulate(np.random.default_rng(0), heart, 300)
    symbol, rr = np.array(rhythm.symbol), np.diff(rhythm.time)
    paced = (symbol[:-1] == "/") & (symbol[1:] == "/")
    assert rr[paced].std() < 0.01
    after = rr[symbol[:-1] == "V"]
    np.testing.assert_allclose(after, 60 / 70, atol=0.02)
    assert not rhythm.p_time


def test_fibrillating_atria_give_irregular_intervals_and_no_p_wave():
    heart = replace(HEART, fibrillation=True, events={"V": 1.0})
    rhythm = ectopy.simulate(np.random.default_rng(0), heart, 600)
    rr = np.diff(rhythm.time)
    assert not rhythm.p_time
    assert 0.18 < rr.std() / rr.mean() < 0.27
    assert rr.mean() == pytest.approx(60 / 70, rel=0.05)
    assert abs(np.corrcoef(rr[:-1], rr[1:])[0, 1]) < 0.15


def test_fusion_beats_lie_between_the_shapes_they_blend():
    rng = np.random.default_rng(0)
    patient = holter.draw(rng, 12)
    quiet = replace(
        patient,
        noise=body.Noise(np.zeros(2), np.zeros(2), np.zeros(2), 0.0),
        heart=replace(patient.heart, foci=1, variability=0.001, events={"F": 12.0, "V": 12.0}),
    )
    signal, rhythm = holter.record(rng, quiet, 120, 360)
    at, symbol = np.rint(np.array(rhythm.time) * 360).astype(int), np.array(rhythm.symbol)
    inside = (at > 100) & (at < len(signal) - 100)
    shape = {
        name: np.median(beats.windows(signal[:, 0], at[inside & (symbol == name)], 40, 40)[0], axis=0) for name in "NFV"
    }
    apart = np.linalg.norm(shape["N"] - shape["V"])
    assert np.linalg.norm(shape["F"] - shape["N"]) < 0.9 * apart
    assert np.linalg.norm(shape["F"] - shape["V"]) < 0.9 * apart
