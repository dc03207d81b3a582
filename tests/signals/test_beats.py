"""Peaks and median beats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_lessons.data.recordings import Recording
from ecg_lessons.errors import InputError
from ecg_lessons.signals import beats, leads


def heart(rate=500.0, seconds=10.0, rr=0.8, noise=0.0, seed=0):
    """Twelve leads with a narrow peak every `rr` seconds; gives the signal and the peak samples."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    at = np.arange(0.5, seconds - 0.6, rr)
    wave = np.exp(-0.5 * ((time[:, None] - at) / 0.012) ** 2).sum(axis=1)
    wave += 0.2 * np.exp(-0.5 * ((time[:, None] - at - 0.3) / 0.04) ** 2).sum(axis=1)
    eight = wave[:, None] * rng.normal(1, 0.5, 8)
    limb = leads.limb_leads(eight[:, 0], eight[:, 1])
    signal = np.concatenate([limb, eight[:, 2:]], axis=1)
    return (signal + rng.normal(0, noise, signal.shape)).astype(np.float32), np.round(at * rate).astype(int)


@pytest.mark.parametrize("rr", [0.5, 0.8, 1.4])
@pytest.mark.parametrize("rate", [250.0, 500.0])
def test_peaks_are_found_where_they_are(rr, rate):
    signal, at = heart(rate, rr=rr, noise=0.05)
    found = beats.r_peaks(signal, rate)
    assert len(found) == len(at)
    assert np.abs(found - at).max() <= 0.012 * rate


def test_one_burst_does_not_hide_the_beats():
    signal, at = heart()
    signal[2000:2010] += 20
    found = beats.r_peaks(signal, 500.0)
    near = np.abs(found[:, None] - at).min(axis=0)
    assert (near <= 6).mean() > 0.8


@pytest.mark.parametrize("name", leads.SWAPS)
def test_median_beat_commutes_with_every_swap(name):
    signal, _ = heart(noise=0.1)
    swapped = beats.median_beat(leads.swap(signal, leads.SWAPS[name]), 500.0)
    np.testing.assert_allclose(swapped, leads.swap(beats.median_beat(signal, 500.0), leads.SWAPS[name]), atol=1e-5)


def test_median_beat_has_its_peak_where_it_is_promised():
    signal, _ = heart(noise=0.05)
    beat = beats.median_beat(signal, 500.0)
    assert beat.shape == (beats.BEAT_SAMPLES, 12)
    assert beat.dtype == np.float32
    peak = np.abs(beat).sum(axis=1).argmax() / beats.BEAT_RATE
    assert peak == pytest.approx(beats.BEAT_BEFORE, abs=0.012)


def test_median_beat_of_a_strip_without_a_whole_beat():
    signal = heart()[0][:600]
    assert np.isfinite(beats.median_beat(signal, 500.0)).all()


def test_resampling_keeps_a_slow_wave():
    time = np.arange(5000) / 500
    wave = np.sin(2 * np.pi * 3 * time).astype(np.float32)[:, None]
    slow = beats.resample(wave, 500, 250)
    np.testing.assert_allclose(slow[50:-50], wave[::2][50:-50], atol=0.01)


def test_bandpass_takes_the_wander_and_leaves_the_beat():
    time = np.arange(5000) / 500
    wander, wave = np.sin(2 * np.pi * 0.05 * time), np.sin(2 * np.pi * 8 * time)
    clean = beats.bandpass((wander + wave)[:, None], 500)[:, 0]
    np.testing.assert_allclose(clean[1000:-1000], wave[1000:-1000], atol=0.1)


@given(
    samples=st.lists(st.integers(0, 60), max_size=12),
    before=st.integers(0, 20),
    after=st.integers(1, 20),
    leads=st.sampled_from([(), (1,), (3,)]),
)
def test_windows_are_the_slices_that_fit(samples, before, after, leads):
    signal = np.random.default_rng(0).normal(size=(50, *leads)).astype(np.float32)
    cut, fits = beats.windows(signal, np.array(samples, int), before, after)
    slices = [signal[at - before : at + after] for at in samples if at >= before and at + after <= 50]
    assert cut.shape == (len(slices), before + after, *leads)
    assert fits.tolist() == [at >= before and at + after <= 50 for at in samples]
    np.testing.assert_array_equal(cut, np.array(slices).reshape(cut.shape))


def test_windows_of_a_column_and_of_a_signal_shorter_than_the_window():
    signal = np.arange(40, dtype=np.float32).reshape(20, 2)
    np.testing.assert_array_equal(beats.windows(signal[:, 1], [5], 2, 2)[0], [[7, 9, 11, 13]])
    cut, fits = beats.windows(signal, [5], 30, 30)
    assert (cut.shape, fits.tolist()) == ((0, 60, 2), [False])


def test_windows_own_their_memory():
    signal = np.zeros((20, 2), np.float32)
    cut, _ = beats.windows(signal, [5, 6], 2, 2)
    cut[:] = 1
    assert not signal.any()


def test_rr_intervals_by_hand():
    rr = beats.rr_intervals(np.array([0, 100, 150, 350]), 100.0)
    np.testing.assert_allclose(rr[:, 0], [1, 1, 0.5, 2])
    np.testing.assert_allclose(rr[:, 1], [1, 0.5, 2, 2])
    np.testing.assert_allclose(rr[:, 2], [1, 1, 2.5 / 3, 4.5 / 4])


def test_local_rhythm_is_that_of_the_last_ten_intervals():
    samples = np.cumsum(np.random.default_rng(0).integers(50, 150, 40))
    previous, _, local = beats.rr_intervals(samples, 100.0).T
    for beat in range(40):
        assert local[beat] == pytest.approx(previous[max(0, beat - 9) : beat + 1].mean(), rel=1e-5)


def test_a_single_beat_has_no_interval():
    assert np.isnan(beats.rr_intervals(np.array([7]), 100.0)).all()
    assert beats.rr_intervals(np.array([], int), 100.0).shape == (0, 3)


def test_a_lead_is_found_by_name():
    signal = np.arange(8, dtype=np.float32).reshape(4, 2)
    recording = Recording("114", "114", signal, 360.0, ("V5", "MLII"))
    np.testing.assert_array_equal(beats.lead(recording, "MLII"), signal[:, 1])
    np.testing.assert_array_equal(beats.lead(recording, "MLIII", "V5"), signal[:, 0])
    with pytest.raises(InputError, match=r"Record 114 has no lead II or V1, only V5, MLII: name one"):
        beats.lead(recording, "II", "V1")
