"""The sinus node or pacemaker of an irregular heart, and the record of what the heart did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

_SHORTEST = 0.35  # s between two beats when the atria fibrillate, at least


@dataclass(frozen=True)
class Heart:
    """How the rhythm of one patient behaves.

    The rate and its variability are those of `sinus`; a pacemaker has the rate and next to no variability. Coupling
    intervals are shares of the RR interval. `events` says how many a minute, by the names of `ectopy.EVENTS`; each
    comes at least once in three minutes.
    """

    ground: str  # the symbol of the ground rhythm's beats: N, L, R, or "/" for a pacemaker
    fibrillation: bool  # of the atria: no P waves, and no two intervals alike
    heart_rate: float
    variability: float
    breathing: float
    early_atrial: float
    early_ventricular: float
    foci: int  # from how many places, 1 or 2, the ventricular beats come
    events: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Rhythm:
    """What a heart did: lists that grow as the simulation goes on; all times in s."""

    time: list = field(default_factory=list)  # of every beat and flutter wave
    symbol: list = field(default_factory=list)  # of WFDB
    focus: list = field(default_factory=list)  # which ventricular one
    p_time: list = field(default_factory=list)  # of every P wave: when the QRS would follow it
    p_ectopic: list = field(default_factory=list)  # whether it comes from elsewhere than the sinus node
    marks: list = field(default_factory=list)  # other annotations: time, symbol, text

    def beat(self, time: float, symbol: str, focus: int = 0) -> None:
        """Add a beat."""
        self.time.append(time)
        self.symbol.append(symbol)
        self.focus.append(focus)

    def p_wave(self, time: float, ectopic: bool = False) -> None:
        """Add a P wave, by the time at which its QRS would stand."""
        self.p_time.append(time)
        self.p_ectopic.append(ectopic)


def sinus(rng: Generator, seconds: float, heart_rate: float, variability=0.03, breathing=0.25) -> np.ndarray:
    """Draw the R peaks of a sinus rhythm: a pacemaker whose speed follows respiration and the 0.1 Hz wave.

    The rhythm is an integral pulse frequency modulation: beats fall where the integral of the
    momentary heart rate passes whole numbers (McSharry 2003 gives the two bands of its spectrum). Gives times in s
    from 2 s before the recording to 2 s after it. The heart rate is per minute, breathing in Hz; the variability is
    the standard deviation of the RR intervals, as a share of their mean.
    """
    time = np.arange(-2.0, seconds + 2.0, 0.01)
    phases = rng.uniform(0, 2 * np.pi, 2)
    respiratory = np.sin(2 * np.pi * breathing * time + phases[0])
    mayer = np.sin(2 * np.pi * 0.1 * time + phases[1])
    speed = heart_rate / 60 * (1 + variability * (1.2 * respiratory + 0.6 * mayer))
    phase = np.cumsum(speed) * 0.01 + rng.uniform()
    beats = np.interp(np.arange(1, int(phase[-1]) + 1), phase, time)
    return beats + rng.normal(0, 0.1 * variability * 60 / heart_rate, len(beats))


def fibrillation(rng: Generator, seconds: float, heart_rate: float, variability=0.22, shortest=_SHORTEST) -> np.ndarray:
    """Draw the beats of a heart whose atria fibrillate: intervals without memory, none below `shortest` (s).

    Their spread, 0.22 of the mean, is about the median over the records of the MIT-BIH database that have more than
    100 such intervals (201, 202, 203, 210, 217, 219, 221, 222).
    """
    mean = 60 / heart_rate
    spread, above = variability * mean, mean - shortest
    count = round(1.5 * seconds / mean)
    intervals = shortest + rng.gamma((above / spread) ** 2, spread**2 / above, count)
    return np.cumsum(intervals) - 2.0


class Node:
    """The heart's clock: ticks (s) that become beats, unless an event comes before; `next` has not been used up."""

    def __init__(self, rng: Generator, heart: Heart, seconds: float) -> None:
        self.rng, self.heart, self.next, self.done = rng, heart, 0, Rhythm()
        self.paced = heart.ground == "/"
        self.p_waves = not (self.paced or heart.fibrillation)
        self.name = "(P" if self.paced else "(AFIB" if heart.fibrillation else "(N"
        # Premature atrial beats bring the later ticks forward: some to spare.
        length, spread = 1.4 * seconds + 20, 0.003 if self.paced else heart.variability
        if heart.fibrillation:
            self.ticks = fibrillation(rng, length, heart.heart_rate)
        else:
            self.ticks = sinus(rng, length, heart.heart_rate, spread, heart.breathing)

    @property
    def last(self) -> float:
        """When the last beat was (s)."""
        return self.done.time[-1] if self.done.time else self.ticks[0]

    @property
    def rr(self) -> float:
        """The interval that the clock is keeping now (s)."""
        return self.ticks[self.next + 1] - self.ticks[self.next]

    def ground(self) -> None:
        """Let the next tick become a beat."""
        time = self.ticks[self.next]
        self.done.beat(time, self.heart.ground)
        if self.p_waves:
            self.done.p_wave(time)
        self.next += 1

    def reset(self, time: float) -> None:
        """Let the next tick be at a time, and the others follow it."""
        self.ticks[self.next :] += time - self.ticks[self.next]

    def lose(self, until: float) -> None:
        """Lose the ticks before a time: they find the ventricles refractory, and all that shows is a P wave."""
        while self.ticks[self.next] < until:
            if self.p_waves:
                self.done.p_wave(self.ticks[self.next])
            self.next += 1

    def named(self, name: str, start: int) -> None:
        """Mark the rhythm that began with beat `start`, and the ground rhythm that follows it."""
        for text, time in ((name, self.done.time[start]), (self.name, self.ticks[self.next])):
            self.done.marks.append((time - 0.06, "+", text))
