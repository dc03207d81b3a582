"""Exchanged electrodes as exact linear maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecg_lessons.data.recordings import LEADS
from ecg_lessons.signals import leads

ELECTRODES = ("RA", "LA", "LL", "RL", "C1", "C2", "C3", "C4", "C5", "C6")
potentials = arrays(np.float64, (20, len(ELECTRODES)), elements=st.floats(-5, 5))


def record(potential: np.ndarray, wires: tuple[str, ...] = ELECTRODES) -> np.ndarray:
    """Compute the twelve leads from potentials in mV; `wires` names the electrode that each wire sits on."""
    at = {wire: potential[:, ELECTRODES.index(place)] for wire, place in zip(ELECTRODES, wires, strict=True)}
    limb = leads.limb_leads(at["LA"] - at["RA"], at["LL"] - at["RA"])
    terminal = (at["RA"] + at["LA"] + at["LL"]) / 3
    chest = np.stack([at[f"C{i}"] - terminal for i in range(1, 7)], axis=-1)
    return np.concatenate([limb, chest], axis=-1)


def exchanged(*pairs: tuple[str, str]) -> tuple[str, ...]:
    trade = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    return tuple(trade.get(name, name) for name in ELECTRODES)


def wires_of(name: str) -> tuple[str, ...]:
    if name == "V1-V6 reversed":
        return exchanged(("C1", "C6"), ("C2", "C5"), ("C3", "C4"))
    a, b = name.replace("V", "C").split("/")
    return exchanged((a, b))


def test_every_swap_of_the_lesson_is_there():
    assert list(leads.SWAPS) == [
        "LA/RA", "RA/LL", "LA/LL", "V1/V2", "V2/V3", "V3/V4", "V4/V5", "V5/V6", "V1-V6 reversed",
    ]  # fmt: skip


@pytest.mark.parametrize("name", leads.SWAPS)
@given(potential=potentials)
@settings(max_examples=20, deadline=None)
def test_map_equals_exchanged_wires(name, potential):
    """The published rules follow from the definition of the leads, for any potentials."""
    np.testing.assert_allclose(
        leads.swap(record(potential), leads.SWAPS[name]), record(potential, wires_of(name)), atol=1e-9
    )


@given(potential=potentials)
@settings(max_examples=20, deadline=None)
def test_right_arm_and_right_leg(potential):
    """With both legs at one potential, the map equals exchanged wires; lead II is flat."""
    potential = potential.copy()
    potential[:, ELECTRODES.index("RL")] = potential[:, ELECTRODES.index("LL")]
    got = leads.swap(record(potential), leads.RA_RL)
    np.testing.assert_allclose(got, record(potential, exchanged(("RA", "RL"))), atol=1e-6)
    assert np.abs(got[:, LEADS.index("II")]).max() < 1e-6


@pytest.mark.parametrize("name", leads.SWAPS)
def test_twice_is_once_and_back(name):
    np.testing.assert_array_equal(leads.SWAPS[name] @ leads.SWAPS[name], np.eye(12))


@pytest.mark.parametrize("matrix", [*leads.SWAPS.values(), leads.RA_RL], ids=[*leads.SWAPS, "RA/RL"])
@given(potential=potentials)
@settings(max_examples=10, deadline=None)
def test_identities_survive_every_swap(matrix, potential):
    assert leads.identity_error(leads.swap(record(potential), matrix)) < 1e-6


def test_identity_error_betrays_a_mixed_up_lead():
    signal = record(np.random.default_rng(0).normal(size=(50, len(ELECTRODES))))
    signal[:, [3, 4]] = signal[:, [4, 3]]  # aVR and aVL traded after the recording, the others left alone
    assert leads.identity_error(signal) > 0.1


def test_flat_lead_two():
    signal = record(np.random.default_rng(0).normal(size=(500, len(ELECTRODES))))
    assert not leads.lead_two_is_flat(signal)
    assert leads.lead_two_is_flat(leads.swap(signal, leads.RA_RL))


def test_real_recordings_keep_the_identities(real):
    """The identities hold in PTB-XL to a few steps of 1 µV, so that the maps say what wires would."""
    from ecg_lessons.data import recordings

    errors = []
    for recording, _ in zip(recordings.ptb_xl(real / "ptb-xl" / "1.0.3"), range(20), strict=False):
        errors.append(leads.identity_error(recording.twelve()))
    assert np.median(errors) < 0.005
