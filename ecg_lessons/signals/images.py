"""Heartbeats as pictures: a curve on a grey image of 128 x 128 pixels, ink 255 on a ground of 0.

A beat becomes a `curve` of a fixed number of points first. Three ways of drawing start from there and agree:
`draw_one` draws as the published project did, line by line with OpenCV; `draw` draws a whole batch at once;
`signals.augment.DrawBeats` draws inside a network, so that 107,000 images never touch the disk.
"""

from functools import reduce

import cv2
import numpy as np

#: Rows and columns of an image, points of a curve, and the width of the pen in pixels.
SIZE, POINTS, PEN = 128, 512, 1.5
#: Empty share above and below the curve.
MARGIN = 0.05
_STEPS = 16  # a position is rounded to 1/16 pixel before it is drawn
_INK = 255


def curves(signal: np.ndarray, first: np.ndarray, last: np.ndarray, chunk: int = 32) -> np.ndarray:
    """Cut beats out of one lead, and stretch each to a curve, float32 (n, POINTS), from 0 (lowest) to 1; 0.5 if flat.

    This is the published way, and where the RR interval is lost: a short beat and a long one fill the same width.
    `chunk` beats at a time stay in the processor's cache.
    """
    drawn, share = np.empty((len(first), POINTS), dtype=np.float32), np.linspace(0, 1, POINTS)
    for start in range(0, len(first), chunk):
        begin, end = (places[start : start + chunk, None] for places in (first, last))
        values = begin + (end - begin) * share
        left = np.minimum(values.astype(np.int64), len(signal) - 2)
        before = signal.take(left)
        values -= left
        values *= signal.take(left + 1) - before
        values += before
        values -= values.min(axis=1, keepdims=True)
        high = values.max(axis=1, keepdims=True)
        drawn[start : start + chunk] = np.where(high <= 0, 0.5, values / np.where(high <= 0, 1, high))
    return drawn


def heights(curve: np.ndarray) -> np.ndarray:
    """Turn values from 0 to 1 into rows of the image, counted from the top: 1 is up."""
    return np.float32(SIZE * (1 - MARGIN)) - np.float32(SIZE * (1 - 2 * MARGIN)) * curve


def spans(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give between which rows, the pen included, curves (n, a multiple of SIZE) run in each column: (n, SIZE) twice."""
    step = curve.shape[1] // SIZE
    parts = [curve[:, k::step] for k in range(step)]
    # Up to where the next column begins.
    parts.append(np.concatenate([parts[0][:, 1:], curve[:, -1:]], axis=1))
    low, high = reduce(np.minimum, parts), reduce(np.maximum, parts)
    return heights(high) - PEN / 2, heights(low) + PEN / 2


#: How much of each pixel of a column lies above a position: (positions, SIZE), 0 to 255.
_ABOVE = np.clip(np.arange(SIZE * _STEPS + 1)[:, None] / _STEPS - np.arange(SIZE), 0, 1)
_RAMPS = np.round(_INK * _ABOVE).astype(np.uint8)


def draw(curve: np.ndarray, chunk: int = 32) -> np.ndarray:
    """Draw many beats at once, anti-aliased: from `curves` (n, points) to uint8 (n, SIZE, SIZE).

    What lies above `bottom`, less what lies above `top`, is the ink, and both stand in one small table: drawing is two
    look-ups and a difference. `chunk` images at a time stay in the processor's cache.
    """
    images = np.empty((len(curve), SIZE, SIZE), dtype=np.uint8)
    for start in range(0, len(curve), chunk):
        edges = np.array(spans(curve[start : start + chunk]))
        top, bottom = np.clip(edges * _STEPS + 0.5, 0, SIZE * _STEPS).astype(np.int64)
        above, below = (_RAMPS[edge].swapaxes(1, 2) for edge in (top, bottom))
        np.subtract(below, above, out=images[start : start + chunk])
    return images


def draw_one(curve: np.ndarray) -> np.ndarray:
    """Draw one curve (points,) as a polyline with OpenCV's anti-aliased pen: uint8 (SIZE, SIZE)."""
    shift = 8  # OpenCV counts in 1/256 pixel; its pixels are centred on whole numbers
    x = (np.arange(len(curve)) + 0.5) * SIZE / len(curve) - 0.5
    points = np.stack([x, heights(curve) - 0.5], axis=1)
    image = np.zeros((SIZE, SIZE), dtype=np.uint8)
    cv2.polylines(image, [np.round(points * 2**shift).astype(np.int32)], False, _INK, 1, cv2.LINE_AA, shift)
    return image
