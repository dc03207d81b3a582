"""When the heart beats."""

from __future__ import annotations

import numpy as np


def sinus(
    rng: np.random.Generator,
    seconds: float,
    heart_rate: float,
    variability: float = 0.03,
    breathing: float = 0.25,
) -> np.ndarray:
    """Draw the R peaks of a sinus rhythm: a pacemaker whose speed follows respiration and the 0.1 Hz wave.

    The rhythm is an integral pulse frequency modulation: beats fall where the integral of the
    momentary heart rate passes whole numbers (McSharry 2003 gives the two bands of its spectrum).

    Parameters
    ----------
    rng : numpy.random.Generator
    seconds : float
        Length of the recording; the beats begin 2 s before it and end 2 s after it.
    heart_rate : float
        Beats per minute.
    variability : float
        Standard deviation of the RR intervals, as a share of their mean.
    breathing : float
        Breaths per second (Hz).

    Returns
    -------
    ndarray, shape (beats,)
        Times of the R peaks in seconds from the start of the recording.
    """
    time = np.arange(-2.0, seconds + 2.0, 0.01)
    phases = rng.uniform(0, 2 * np.pi, 2)
    respiratory = np.sin(2 * np.pi * breathing * time + phases[0])
    mayer = np.sin(2 * np.pi * 0.1 * time + phases[1])
    speed = heart_rate / 60 * (1 + variability * (1.2 * respiratory + 0.6 * mayer))
    phase = np.cumsum(speed) * 0.01 + rng.uniform()
    beats = np.interp(np.arange(1, int(phase[-1]) + 1), phase, time)
    return beats + rng.normal(0, 0.1 * variability * 60 / heart_rate, len(beats))
