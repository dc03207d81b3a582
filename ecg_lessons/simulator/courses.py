"""What a heart does in half a minute: normal rhythm, atrial fibrillation, and what cardiologists call another rhythm.

Every kind belongs to a label of CinC 2017. Rates and intervals are those of textbooks; variability was set so that
the spread of RR intervals comes close to that of the real recordings with the same label
(`tests/simulator/test_rhythm_realism.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.random import Generator

from ecg_lessons.simulator import ectopy
from ecg_lessons.simulator.ectopy import Heart, fibrillation, sinus

#: Events begin so many seconds after the start of what is drawn; what is recorded begins a second earlier.
_BEGIN = ectopy.HEAD - 1
_none = partial(np.zeros, 0)


@dataclass(frozen=True)
class Course:
    """What happened, in seconds from the start of the recording (also shortly before and after it).

    P waves stand at the time at which QRS would follow after a usual PR interval.
    """

    beats: np.ndarray  # R peaks of the beats that come by the usual way
    ventricular: np.ndarray = field(default_factory=_none)  # R peaks of ventricular ectopic beats
    sinus: np.ndarray = field(default_factory=_none)  # P waves of the sinus node
    ectopic: np.ndarray = field(default_factory=_none)  # P waves of another place
    flutter: float = 0.0  # between two flutter waves of the atria; 0 without flutter
    fibrillating: bool = False


def _normal(rng: Generator, seconds: float, low: float, high: float) -> Course:
    """Sinus rhythm within limits of rate (beats a minute)."""
    ticks = _ticks(rng, seconds, low, high)
    return Course(beats=ticks, sinus=ticks)


def _ticks(rng: Generator, seconds: float, low: float, high: float) -> np.ndarray:
    middle = np.sqrt(low * high)
    rate = float(np.clip(middle * rng.lognormal(0, 0.5 * np.log(high / middle)), low, high))
    ticks = sinus(rng, seconds, rate, _variability(rng), rng.uniform(0.15, 0.33))
    # Slower than respiration, the rate goes up and down as a whole.
    pace, depth = 2 * np.pi * rng.uniform(0.01, 0.06), 0.035 * rng.lognormal(0, 0.6)
    return ticks + min(depth, 0.15) / pace * np.sin(pace * ticks + rng.uniform(0, 2 * np.pi))


def _variability(rng: Generator) -> float:
    return float(np.clip(0.018 * rng.lognormal(0, 0.8), 0.005, 0.13))


def _fibrillation(rng: Generator, seconds: float) -> Course:
    """Atrial fibrillation; one in twenty so even that one could take it for another rhythm."""
    rate = float(np.clip(88 * rng.lognormal(0, 0.26), 48, 165))
    even = rng.random() < 0.05
    spread = rng.uniform(0.06, 0.10) if even else np.clip(0.21 * rng.lognormal(0, 0.25), 0.1, 0.4)
    beats = fibrillation(rng, seconds + 6, rate, spread, min(0.35, 0.65 * 60 / rate))
    ectopic = rng.random(len(beats)) < (0.04 if rng.random() < 0.15 else 0.0)
    return Course(beats[~ectopic], beats[ectopic], fibrillating=True)


def _premature(rng: Generator, seconds: float, events: Mapping[str, tuple[float, float]]) -> Course:
    """Sinus rhythm broken by events of `ectopy`: how many a minute, at least and at most."""
    length = seconds + ectopy.TAIL + 2  # events are planned for what is recorded, and counted over all of it
    rate = float(np.clip(72 * rng.lognormal(0, 0.18), 50, 104))
    variability, breathing = _variability(rng), float(rng.uniform(0.15, 0.33))
    early = rng.uniform(0.55, 0.78, 2).tolist()  # of atrial and of ventricular beats
    planned = {name: rng.uniform(*limits) * seconds / length for name, limits in events.items()}
    done = ectopy.simulate(rng, Heart(rate, variability, breathing, *early, planned), length)
    time, symbol = np.array(done.time) - _BEGIN, np.array(done.symbol)
    p_time, ectopic = np.array(done.p_time) - _BEGIN, np.array(done.p_ectopic, dtype=bool)
    return Course(time[symbol != "V"], time[symbol == "V"], p_time[~ectopic], p_time[ectopic])


def _flutter(rng: Generator, seconds: float) -> Course:
    """Atrial flutter: the AV node lets every second to fourth wave pass, or now this many and now that."""
    cycle = 60 / rng.uniform(230, 320)
    waves = round(seconds / cycle)
    if rng.random() < 0.5:
        ratios = np.full(waves, rng.choice([2, 3, 4], p=[0.5, 0.15, 0.35]))
    else:
        ratios = rng.choice([2, 3, 4, 5], p=rng.dirichlet([2, 1, 3, 1]), size=waves)
    beats = np.cumsum(ratios) * cycle - 2.0
    return Course(beats + rng.normal(0, 0.006, len(beats)), flutter=cycle)


def _long_pr(rng: Generator, seconds: float) -> Course:
    """First degree AV block: P comes 0.08 to 0.20 s earlier than usual."""
    ticks = _ticks(rng, seconds, 48, 95)
    return Course(beats=ticks, sinus=ticks - rng.uniform(0.08, 0.20))


def _wenckebach(rng: Generator, seconds: float) -> Course:
    """Second degree AV block, type Wenckebach: PR grows from beat to beat by ever less, until a beat is lost."""
    ticks, first = _ticks(rng, seconds, 55, 95), rng.uniform(0.08, 0.16)
    place, delays = 0, np.zeros(len(ticks))
    while place < len(ticks):
        length = rng.integers(3, 7)
        delays[place : place + length] = np.r_[0, np.cumsum(first / np.arange(1, length))][: len(ticks) - place]
        if place + length <= len(ticks):
            delays[place + length - 1] = np.nan
        place += length
    conducted = ~np.isnan(delays)
    return Course(beats=(ticks + delays)[conducted], sinus=ticks - 0.02)


@dataclass(frozen=True)
class Kind:
    """A kind of rhythm: its label, its share among those with this label, how it goes, and the forms of its beats.

    The beats are those of `dipole.BEATS`.
    """

    label: str
    share: float
    go: Callable[[Generator, float], Course]
    beats: tuple[str, ...] = ("NORM", "NORM", "NORM", "NORM", "NORM", "NORM", "LVH", "ASMI", "LAFB", "IMI")


#: The shares are chosen for teaching. Who is normal may have a premature beat: it is where experts differ as well.
KINDS = {
    "sinus rhythm": Kind("N", 0.95, partial(_normal, low=50, high=100)),
    "sinus rhythm, one premature beat": Kind("N", 0.05, partial(_premature, events={"A": (0.5, 1.2)})),
    "atrial fibrillation": Kind("A", 1.0, _fibrillation),
    "atrial premature beats": Kind("O", 0.22, partial(_premature, events={"A": (4, 20)})),
    "runs of atrial beats": Kind("O", 0.05, partial(_premature, events={"A": (2, 10), "AA": (1, 3)})),
    "ventricular premature beats": Kind("O", 0.15, partial(_premature, events={"V": (4, 18)})),
    "bigeminy and trigeminy": Kind("O", 0.08, partial(_premature, events={"B": (3, 6), "T": (1, 4)})),
    "atrial flutter": Kind("O", 0.08, _flutter),
    "first degree AV block": Kind("O", 0.08, _long_pr),
    "second degree AV block": Kind("O", 0.05, _wenckebach),
    "sinus tachycardia": Kind("O", 0.11, partial(_normal, low=102, high=150)),
    "sinus bradycardia": Kind("O", 0.09, partial(_normal, low=36, high=50)),
    "bundle branch block": Kind("O", 0.09, partial(_normal, low=50, high=100), ("CLBBB", "CRBBB")),
}


def draw(rng: Generator, label: str) -> str:
    """Draw the name of one of `KINDS` for a label; where it is "~", anything may lie below the noise."""
    label = str(rng.choice(["N", "A", "O"])) if label == "~" else label
    shares = {name: kind.share for name, kind in KINDS.items() if kind.label == label}
    return list(shares)[rng.choice(len(shares), p=np.array(list(shares.values())) / np.sum(list(shares.values())))]
