"""What a myocardial infarction adds to the heartbeat, by the territory of the heart that it takes.

Two dipoles are added to a healthy beat, as Gaussian waves in the form of `waves`:

- *Necrosis*, of an old infarction: dead muscle makes no force, so the force of the opposite wall stands alone. The
  vector of the first 40 ms turns away from the territory, which is a Q wave in the leads that look at it; what R has
  lost of its height follows. The T wave turns away as well.
- *Injury*, of an acute infarction: a current flows between the injured muscle and the sound, and between QRS and T
  the dipole points to the territory. The leads that look at it show a raised ST segment, those that look from the
  opposite side a lowered one (reciprocal depression); T is tall and broad (hyperacute).

Where the numbers come from
---------------------------
The limits are those of the fourth universal definition of myocardial infarction (Thygesen 2018,
https://doi.org/10.1161/CIR.0000000000000617): acute, ST raised at the J point by 0.1 mV and more in two neighbouring
leads, in V2 and V3 by 0.2 mV (0.25 in men under 40, 0.15 in women); old, Q of 30 ms and 0.1 mV or QS in two
neighbouring leads of a group (I, aVL; V1-V6; II, III, aVF), or any Q longer than 20 ms or QS in V2 and V3. Which
leads see which territory, and which are reciprocal, is textbook (Goldberger, Clinical Electrocardiography, 9th ed.
2018). The directions follow from these through Dower's matrix; sizes were chosen so that an infarction of full size
passes the limits and a small one does not.

Beside PTB-XL (28 recordings with an inferior and 23 with an anteroseptal infarction, nearly all old) R comes near the
medians per lead, and so does T of the anteroseptal ones. Q and T of the inferior ones are plainer here: four of five
have Q in two leads as above, and one of four recordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ecg_lessons.simulator import dipole
from ecg_lessons.simulator import patients as people
from ecg_lessons.simulator.waves import BEATS, Waves, parse


@dataclass(frozen=True)
class Territory:
    """A territory: its share of the infarctions, its name, and the waves that an infarction of full size adds."""

    share: float
    name: str
    necrosis: Waves
    injury: Waves


#: From the J point to the end of T, the share of the injury's dipole at the summit of each wave, the same for left,
#: feet and back: a raised ST segment that runs into a hyperacute T.
_ST = parse("""
J   56 26  0.75 0.75 0.75
J  112 44  0.85 0.85 0.85
T  205 52  1.20 1.20 1.20
T  268 36  0.85 0.85 0.85
""")


def _injury(left: float, feet: float, back: float) -> Waves:
    """Give the injury with this dipole, in mV, about which ST is raised."""
    return _ST.changed(vector=_ST.vector * (left, feet, back))


#: By the SCP code of PTB-XL. The shares are chosen for teaching; they are no prevalence.
TERRITORIES = {
    "ASMI": Territory(
        0.24,
        "anteroseptal",
        parse("""
Q  -19 10  0.14  0.10  0.62
R   -1 12 -0.35 -0.22  0.28
S   17 14 -0.05 -0.10  0.05
T  235 47 -0.10  0.00  0.06
T  275 32 -0.10  0.00  0.10
"""),
        _injury(0.00, -0.02, -0.24),
    ),
    "AMI": Territory(
        0.18,
        "anterior",
        parse("""
Q  -19 11 -0.20  0.08  0.56
R    1 12 -0.60 -0.10  0.34
T  235 47 -0.12  0.00  0.08
T  275 32 -0.20  0.00  0.16
"""),
        _injury(0.16, -0.03, -0.22),
    ),
    "IMI": Territory(
        0.28,
        "inferior",
        parse("""
Q  -20 11  0.10 -0.38  0.10
R   -2 12  0.15 -0.38  0.05
T  235 47 -0.04 -0.10 -0.02
T  275 32 -0.08 -0.20 -0.03
"""),
        _injury(-0.06, 0.22, 0.06),
    ),
    "LMI": Territory(
        0.14,
        "lateral",
        parse("""
Q  -20 11 -0.46  0.12 -0.20
R   -1 12 -0.55  0.05 -0.20
T  235 47 -0.12  0.03  0.00
T  275 32 -0.24  0.04 -0.04
"""),
        _injury(0.22, -0.10, 0.14),
    ),
    "ILMI": Territory(
        0.16,
        "inferolateral",
        parse("""
Q  -20 11 -0.34 -0.36 -0.16
R   -1 12 -0.40 -0.38 -0.14
T  235 47 -0.08 -0.10  0.00
T  275 32 -0.18 -0.20 -0.04
"""),
        _injury(0.12, 0.20, 0.09),
    ),
}

#: Early repolarisation, a variant of the normal: the J point is raised in V2 to V5 within the limits above.
J_POINT = parse("J 52 38 0.03 0.01 -0.05")
#: Axis of normal hearts. The limit on the left is -30 degrees in the textbook; in this model hearts beyond -10 have
#: Q in III and aVF, which normal recordings lack (of 290 in PTB-XL none has 30 ms and 0.1 mV in two inferior leads).
AXIS = (-10, 90)


@dataclass(frozen=True)
class Infarction:
    """An infarction of one patient, by its code in `TERRITORIES`.

    necrosis, inversion, injury: sizes of the lost force, of the turning of T and of the raised ST segment; 1 is full.
    """

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
    drawn = str(rng.choice(list(TERRITORIES), p=[one.share for one in TERRITORIES.values()]))
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
    loss, injury = territory.necrosis, territory.injury.scaled(infarction.injury)
    size = np.where(loss.repolarisation, infarction.inversion, infarction.necrosis)
    return waves.plus(loss.changed(vector=size[:, None] * loss.vector)).plus(injury)


def patient(rng: Generator, infarction: Infarction | None) -> people.Patient:
    """Draw a patient with this infarction, or a normal one; early repolarisation is theirs whatever they have.

    A normal heart is drawn again while its axis lies outside `AXIS`.
    """
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
