"""What a myocardial infarction adds to the heartbeat, by the territory of the heart that it takes.

Two dipoles are added to a healthy beat, as Gaussian waves in the form of waves.txt:

- *Necrosis*, of an old infarction: dead muscle makes no force, so the force of the opposite wall stands alone. The
  vector of the first 40 ms turns away from the territory, which is a Q wave in the leads that look at it; what R has
  lost of its height follows. The T wave turns away as well.
- *Injury*, of an acute infarction: a current flows between the injured muscle and the sound, and between QRS and T
  the dipole points to the territory. The leads that look at it show a raised ST segment, those that look from the
  opposite side a lowered one (reciprocal depression); T is tall and broad (hyperacute).

The numbers, and where they come from, stand in infarctions.txt.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ecg_lessons.simulator import dipole
from ecg_lessons.simulator import patients as people
from ecg_lessons.simulator.dipole import BEATS, COHORTS, Waves, parse, tables


@dataclass(frozen=True)
class Territory:
    """A territory: its share of the infarctions, its name, and the waves that an infarction of full size adds."""

    share: float
    name: str
    necrosis: Waves
    injury: Waves


_TABLES = {name: parse(rows) for name, rows in tables("infarctions.txt").items()}
#: Early repolarisation, a variant of the normal.
J_POINT = _TABLES["J point"]


#: By the SCP code of PTB-XL.
TERRITORIES = {
    code: Territory(place["share"], place["name"], _TABLES[code], _TABLES["injury"].scaled(np.array(place["raised"])))
    for code, place in COHORTS["territories"].items()
}
#: Axis of normal hearts. The limit on the left is -30 degrees in the textbook; in this model hearts beyond -10 have
#: Q in III and aVF, which normal recordings lack (of 290 in PTB-XL none has 30 ms and 0.1 mV in two inferior leads).
AXIS = (-10, 90)


@dataclass(frozen=True)
class Infarction:
    """An infarction and the sizes of lost force, turned T and raised ST; 1 is full."""

    code: str
    acute: bool
    necrosis: float
    inversion: float
    injury: float

    @property
    def diagnosis(self) -> str:
        """Its name, for example "acute inferior myocardial infarction"."""
        return f"{'acute' if self.acute else 'old'} {TERRITORIES[self.code].name} myocardial infarction"


def draw(rng: Generator, code: str | None = None, acute: bool | None = None) -> Infarction:
    """Draw an infarction: its territory and phase where they are not given, and its size, from hardly seen to large."""
    drawn = str(rng.choice(list(TERRITORIES), p=[territory.share for territory in TERRITORIES.values()]))
    early = bool(rng.random() < 0.5)
    remains, turned = rng.uniform(0.2, 1.2), rng.uniform(0.2, 1.8)
    fresh, raised = rng.uniform(0.0, 0.5), rng.uniform(0.4, 1.6)
    if early if acute is None else acute:
        return Infarction(code or drawn, True, necrosis=fresh, inversion=0.0, injury=raised)
    return Infarction(code or drawn, False, necrosis=remains, inversion=turned * remains, injury=0.0)


def beat(infarction: Infarction | None, j_point: float = 0.0) -> Waves:
    """Give the typical beat of a heart with this infarction, or with none; `j_point` is the size of `J_POINT`."""
    waves = BEATS["NORM"].plus(J_POINT.scaled(j_point))
    if infarction is None:
        return waves
    territory = TERRITORIES[infarction.code]
    size = np.where(territory.necrosis.repolarisation, infarction.inversion, infarction.necrosis)
    return waves.plus(territory.necrosis.scaled(size[:, None])).plus(territory.injury.scaled(infarction.injury))


def patient(rng: Generator, infarction: Infarction | None) -> people.Patient:
    """Draw a patient with this infarction, or a normal one, drawn again while its axis lies outside `AXIS`."""
    waves = beat(infarction, j_point=max(0.0, rng.normal(0.2, 0.5)))
    while True:
        person = people.person(rng, infarction.code if infarction else "NORM", waves)
        if infarction or AXIS[0] <= _axis(person.waves) <= AXIS[1]:
            return person


def _axis(waves: Waves) -> float:
    """Give the frontal axis, in degrees, from the areas of QRS in the leads I and aVF."""
    qrs = ~(waves.atrial | waves.repolarisation)
    one, two = dipole.DOWER[:2] @ (waves.width[qrs] @ waves.vector[qrs])
    return float(np.degrees(np.arctan2((two - one / 2) / (np.sqrt(3) / 2), one)))  # aVF is weaker than I
