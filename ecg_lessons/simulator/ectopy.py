"""When an irregular heart beats, and from where: events that break into the rhythm of the sinus node.

An atrial premature beat resets the node: all later ticks move. A ventricular one does not reach it: the next
tick finds the ventricles refractory, is lost, and the one after it falls where it would have fallen anyway (the full
compensatory pause). A pacemaker senses the ventricular beat and starts counting anew.

Coupling intervals, return cycles, escape and flutter cycles were set between the 5th and 95th percentile
of the records of the MIT-BIH Arrhythmia Database that have at least 12 such beats: A at 0.5-0.85 of the RR interval
(100, 118, 200, 220, 222, 223), V at 0.55-0.9 (106, 116, 119, 208, 214, 221, 228, 233), E every 0.85-1.4 s and
flutter waves every 0.23-0.39 s (207). Over its 26 records with five or more V after a usual beat they stand at 0.73 of
the interval, with a deviation of 0.12: 0.09 from person to person, 0.08 from beat to beat.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.random import Generator

_SHORTEST = 0.35  # s between two beats when the atria fibrillate, at least
#: Events are planned between so many seconds after the start and before the end. One that had to wait may begin
#: later, but so early that flutter, the longest that must not be cut in two, ends before the recording.
HEAD, TAIL, LATEST = 4.0, 22.0, 14.0
_QUIET = 3  # beats of the ground rhythm between two events, at least


@dataclass(frozen=True)
class Heart:
    """How the rhythm of one patient behaves: rate and variability of `sinus`, coupling by RR, events a minute."""

    heart_rate: float
    variability: float
    breathing: float
    early_atrial: float
    early_ventricular: float
    events: Mapping[str, float] = field(default_factory=dict)
    ground: str = "N"  # the symbol of the ground rhythm's beats: N, L, R, or "/" for a pacemaker
    fibrillation: bool = False  # of the atria: no P waves, and no two intervals alike
    foci: int = 1  # from how many places, 1 or 2, the ventricular beats come


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

    An integral pulse frequency modulation: beats fall where the integral of the momentary heart rate passes whole
    numbers (McSharry 2003 gives the two bands of its spectrum). Times in s, from 2 s before the recording to 2 s after
    it; the variability is the standard deviation of the RR intervals, as a share of their mean.
    """
    time = np.arange(-2.0, seconds + 2.0, 0.01)
    phases = rng.uniform(0, 2 * np.pi, 2)
    respiratory, mayer = (np.sin(2 * np.pi * f * time + at) for f, at in zip((breathing, 0.1), phases, strict=True))
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
    gamma = rng.gamma((above / spread) ** 2, spread**2 / above, round(1.5 * seconds / mean))
    return np.cumsum(shortest + gamma) - 2.0


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


def simulate(rng: Generator, heart: Heart, seconds: float) -> Rhythm:
    """Let a heart beat, from before the start of a recording to after its end; it is longer than `HEAD` and `TAIL`."""
    node = Node(rng, heart, seconds)
    node.done.marks.append((0.05, "+", node.name))
    plan, quiet = _schedule(rng, heart, seconds), 0
    while node.last < seconds + 1.5:
        due = plan and quiet >= _QUIET and plan[0][0] <= node.last < seconds - LATEST
        if due:
            EVENTS[plan.pop(0)[1]](node)
        else:
            node.ground()
        quiet = 0 if due else quiet + 1
    return node.done


def _schedule(rng: Generator, heart: Heart, seconds: float) -> list[tuple[float, str]]:
    """Spread each kind of event evenly, but not regularly, over the recording."""
    plan = []
    for name, rate in heart.events.items():
        count = max(1, round(rate * seconds / 60))
        shares = (np.arange(count) + rng.uniform(0, 1, count)) / count
        plan += [(HEAD + share * (seconds - TAIL - HEAD), name) for share in shares]
    return sorted(plan)


def _atrial(node: Node, cycle: float | None = None) -> None:
    rr = node.rr
    early = np.clip(node.heart.early_atrial + node.rng.normal(0, 0.045), 0.45, 0.88) * rr
    time = node.last + max(early if cycle is None else cycle, 0.34)
    node.done.beat(time, "A")
    node.done.p_wave(time, ectopic=True)
    node.reset(time + rr * node.rng.uniform(1.02, 1.16))


def _atrial_run(node: Node) -> None:
    cycle, start = node.rng.uniform(0.38, 0.50), len(node.done.time)
    for _ in range(node.rng.integers(3, 9)):
        _atrial(node, cycle * node.rng.uniform(0.96, 1.04))
    node.named("(SVTA", start)


def _ventricular(node: Node) -> None:
    rr = node.rr
    early = np.clip(node.heart.early_ventricular + node.rng.normal(0, 0.07), 0.46, 0.95) * rr
    time = node.last + max(early, 0.33)
    _from_a_focus(node, time)
    if node.paced:
        node.reset(time + rr)
    else:
        node.lose(max(time + 0.25 * rr, node.ticks[node.next] + 1e-6))


def _from_a_focus(node: Node, time: float) -> None:
    node.done.beat(time, "V", int(node.heart.foci > 1 and node.rng.random() < 0.3))  # three in ten from the second


def _salvo(node: Node, shortest: int, longest: int) -> None:
    """Several ventricular beats in a row, from the first premature one to the pause after the last."""
    rr, start = node.rr, len(node.done.time)
    cycle = float(np.clip(node.rng.uniform(0.50, 0.68) * rr, 0.32, 0.55))
    time = node.last + max(node.heart.early_ventricular * rr, 0.34)
    count = node.rng.integers(shortest, longest + 1)
    for _ in range(count):
        _from_a_focus(node, time)
        time += cycle * node.rng.uniform(0.94, 1.06)
    if node.paced:
        node.reset(node.last + rr)
    else:
        node.lose(node.last + 0.7 * rr)
    if count > 2:
        node.named("(VT", start)


def _pattern(node: Node, name: str, ground: int, longest: int) -> None:
    """Every second or third beat is ventricular, for a while."""
    start = len(node.done.time)
    for _ in range(node.rng.integers(4, longest + 1)):
        for _ in range(ground):
            node.ground()
        _ventricular(node)
    node.named(name, start)


def _fusion(node: Node) -> None:
    """Let a ventricular beat meet the sinus beat: both excite the ventricles, and the rhythm goes on."""
    tick = node.ticks[node.next]
    node.done.beat(tick - node.rng.uniform(0.0, 0.05) * node.rr, "F")
    if node.p_waves:
        node.done.p_wave(tick)
    node.next += 1


def _escape(node: Node) -> None:
    """Stop the sinus node; the ventricles help themselves."""
    start, cycle = len(node.done.time), max(1.2 * node.rr, 0.95) * node.rng.uniform(1.0, 1.15)
    time = node.last + cycle * node.rng.uniform(1.1, 1.5)
    for _ in range(node.rng.integers(4, 9)):
        node.done.beat(time, "E")
        time += cycle * node.rng.uniform(0.95, 1.05)
    node.reset(node.last + cycle * node.rng.uniform(0.85, 1.0))
    node.named("(IVR", start)


def _flutter(node: Node) -> None:
    """Two ventricular beats, waves without a pause between them, and a pause."""
    _salvo(node, 2, 2)
    start, begin, cycle = len(node.done.time), node.last + 0.4, node.rng.uniform(0.25, 0.32)
    time, end = begin, begin + node.rng.uniform(5, 11)
    while time < end:
        node.done.beat(time, "!")
        time += cycle * np.clip(node.rng.normal(1, 0.04), 0.88, 1.12)
    node.done.marks += [(begin - 0.03, "[", ""), (node.last + 0.03, "]", "")]
    node.reset(node.last + max(1.3 * node.rr, 1.0))
    node.named("(VFL", start)


def _pacing(node: Node) -> None:
    """Slow the sinus node down; a pacemaker takes over for a while."""
    rr, start = node.rr * node.rng.uniform(1.05, 1.15), len(node.done.time)
    time = node.last + rr
    for _ in range(node.rng.integers(10, 25)):
        node.done.beat(time, "/")
        time += rr + node.rng.normal(0, 0.003)
    node.reset(time - 0.12 * rr)
    node.named("(P", start)


#: What may happen: atrial premature beat, run of them, ventricular premature beat, couplet, tachycardia, bigeminy,
#: trigeminy, fusion beat, pause with escape beats, ventricular flutter, a stretch of pacing.
EVENTS: dict[str, Callable[[Node], None]] = {
    "A": _atrial,
    "AA": _atrial_run,
    "V": _ventricular,
    "VV": partial(_salvo, shortest=2, longest=2),
    "VT": partial(_salvo, shortest=3, longest=9),
    "B": partial(_pattern, name="(B", ground=1, longest=11),
    "T": partial(_pattern, name="(T", ground=2, longest=7),
    "F": _fusion,
    "E": _escape,
    "VFL": _flutter,
    "P": _pacing,
}
