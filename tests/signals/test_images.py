"""Beats as pictures: three ways of drawing that agree, and the nine crops."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_lessons.signals import augment, images


@pytest.fixture(scope="module")
def curve():
    """Smooth beats with one sharp peak each, shape (12, POINTS)."""
    rng = np.random.default_rng(0)
    time = np.linspace(0, 1, images.POINTS)
    sharp = np.exp(-0.5 * ((time - rng.uniform(0.2, 0.8, (12, 1))) / 0.02) ** 2)
    wave = 0.3 * np.sin(2 * np.pi * (time * rng.uniform(0.5, 2, (12, 1)) + rng.random((12, 1))))
    low, high = (f(sharp + wave, axis=1, keepdims=True) for f in (np.min, np.max))
    return ((sharp + wave - low) / (high - low)).astype(np.float32)


def test_curves_follow_the_signal():
    signal = np.sin(np.arange(400) / 20)
    first, last = np.array([10, 100]), np.array([109, 300])
    found = images.curves(signal, first, last)
    assert found.shape == (2, images.POINTS)
    for one, a, b in zip(found, first, last, strict=True):
        beat = np.interp(np.linspace(a, b, images.POINTS), np.arange(400), signal)
        np.testing.assert_allclose(one, (beat - beat.min()) / np.ptp(beat), atol=1e-5)


def test_a_long_beat_and_a_short_one_become_the_same_curve():
    """This is what the published pictures lose: the RR interval."""
    short, long = (np.sin(np.linspace(0, 6, n)) for n in (150, 300))
    found = [images.curves(s, np.array([0]), np.array([len(s) - 1]))[0] for s in (short, long)]
    np.testing.assert_allclose(*found, atol=0.01)


def test_a_flat_beat_is_a_line_in_the_middle():
    flat = images.curves(np.ones(50), np.array([3]), np.array([40]))
    rows = np.flatnonzero(images.draw(flat)[0].any(axis=1))
    assert abs(rows.mean() - images.SIZE / 2 + 0.5) <= 0.5
    assert len(rows) <= 3


@given(seed=st.integers(0, 10_000), n=st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_batch_and_layer_agree_for_any_curve(seed, n):
    curve = np.random.default_rng(seed).random((n, images.POINTS), dtype=np.float32)
    batch = images.draw(curve, chunk=2)
    layer = np.asarray(augment.DrawBeats()(curve))[..., 0]
    np.testing.assert_allclose(batch / 255, layer, atol=2 / 32 + 1 / 255)


def test_batch_agrees_with_opencv(curve):
    """Two pens are never the same to the pixel, but their ink lies within one pixel of each other."""
    batch, one = images.draw(curve), np.stack([images.draw_one(c) for c in curve])
    near = np.ones((3, 3), np.uint8)
    for a, b in zip(batch, one, strict=True):
        assert ((a > 127) <= (cv2.dilate(b, near) > 0)).all()
        assert ((b > 127) <= (cv2.dilate(a, near) > 0)).all()
    assert np.corrcoef(batch.ravel(), one.ravel())[0, 1] > 0.9


def test_the_curve_is_one_line_without_gaps(curve):
    for image in images.draw(curve):
        count, _ = cv2.connectedComponents((image > 0).astype(np.uint8))
        assert count == 2  # ground and one line
        assert image.any(axis=0).all()


def test_up_is_up(curve):
    """The highest value is drawn at the top margin, the lowest at the bottom margin."""
    for image in images.draw(curve):
        rows = np.flatnonzero(image.any(axis=1))
        assert abs(rows[0] - images.MARGIN * images.SIZE) <= 1.5
        assert abs(rows[-1] - (1 - images.MARGIN) * images.SIZE) <= 1.5


def test_nine_crops_are_the_published_windows(curve):
    whole = np.asarray(augment.DrawBeats()(curve))
    crops = augment.nine_crops(whole)
    assert crops.shape == (9, *whole.shape)
    windows = [(r, c) for r in (0, 16, 32) for c in (0, 16, 32)]
    for crop, (r, c) in zip(crops, windows, strict=True):
        for found, image in zip(crop[..., 0], whole[..., 0], strict=True):
            np.testing.assert_allclose(found, cv2.resize(image[r : r + 96, c : c + 96], (128, 128)), atol=1e-5)


def test_training_draws_among_the_nine_and_evaluation_sees_the_whole(curve):
    whole = np.asarray(augment.DrawBeats()(curve))
    layer, crops = augment.NineCrops(seed=2), augment.nine_crops(whole)
    np.testing.assert_array_equal(np.asarray(layer(whole, training=False)), whole)
    seen = set()
    for _ in range(8):
        drawn = np.asarray(layer(whole, training=True))
        distance = np.abs(crops - drawn).max(axis=(2, 3, 4))
        assert distance.min(axis=0).max() < 1e-5
        seen |= set(distance.argmin(axis=0))
    assert seen == set(range(9))


def test_another_hand_draws_the_same_beat_elsewhere(curve):
    again = np.repeat(curve[:1], 200, axis=0)
    layer = augment.RandomHand(stretch=0.1, shift=0.05, seed=1)
    drawn = np.asarray(layer(again, training=True))
    np.testing.assert_array_equal(np.asarray(layer(again)), again)
    peak = drawn.argmax(axis=1) / (images.POINTS - 1)
    middle = curve[0].argmax() / (images.POINTS - 1)
    most = 0.05 + 0.11 * abs(middle - 0.5) + 0.01
    assert np.abs(peak - middle).max() <= most
    assert np.ptp(peak) > 0.04
    height = np.ptp(drawn, axis=1)
    assert height.min() >= 0.85
    assert height.max() <= 1.1 + 1e-4
    assert np.ptp(height) > 0.1


def test_a_steady_hand_changes_nothing(curve):
    drawn = np.asarray(augment.RandomHand(stretch=0.0, shift=0.0)(curve, training=True))
    np.testing.assert_allclose(drawn, curve, atol=1e-4)
