"""Heartbeats as sums of Gaussian waves of a dipole: one table per kind of heart.

Every line is a Gaussian: its name, its centre and its width (standard deviation) in ms around the R
peak, and the dipole at its summit in mV, pointing to the patient's left (x), feet (y) and back (z).

Where the numbers come from
---------------------------
PTB-XL 1.0.3 (Wagner 2020, CC BY 4.0), records 1-500 at 500 Hz, high-pass 0.5 Hz. The median beat of each
recording was turned into a dipole by least squares through Dower's matrix (leads I and II weighted
twice), stretched in time until the P, R and T summits and the width of the QRS complex agreed, and
averaged over a diagnosis; the Gaussians were fitted to the average by nonlinear least squares.

- ``NORM``: 296 recordings; the waves leave 0.2 % of the average's energy unexplained. An average of different
  hearts loses height, so R and T were then raised until the medians of R, S and T per lead in the simulated
  population met those of the recordings (`tests/simulator/test_patients.py` holds them together). The P wave was
  fitted apart, to its own average, which is where `dipole.ATRIA_TO_CHEST` comes from too.
- ``LAFB`` (17), ``ASMI`` (31), ``IMI`` (11), ``LVH`` (28 recordings without bundle branch block): fitted in
  the same way, then raised towards the medians of R and S of their diagnosis. ``IMI`` and ``ASMI`` are old
  infarctions, as nearly all in PTB-XL are.
- ``CLBBB``, ``CRBBB``, ``LPFB`` (8, 7 and 3 recordings: too few to fit) are drawn by hand, after the order
  in which the ventricles are activated, towards the medians of R and S. So is ``AMI``: the anteroseptal beat
  with the raised ST segment of an acute infarction, 0.2 mV and more in V2 and V3 (fourth universal definition
  of myocardial infarction, Thygesen 2018).
- ``LVOLT`` (low voltage) is the healthy beat, shrunk: `patients.FORMS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

#: RR interval to which the tables belong (s): the median of the 296 normal recordings.
REFERENCE_RR = 0.89

_P = """
P -150 24  0.097  0.065 -0.087
P -126 18  0.079  0.017  0.064
"""
_T = """
J  106 49  0.00  0.00 -0.06
T  231 47  0.13  0.03 -0.13
T  279 32  0.25  0.12 -0.07
"""
_QRS = """
Q  -15 11 -0.16 -0.11 -0.38
R   -1 11  1.56  0.76  0.62
R   11  6 -0.22 -0.09  0.01
S   15 11 -0.26 -0.05  0.39
"""
_ANTEROSEPTAL = """
Q  -17  9  0.08  0.05  0.24
R   -2 11  1.02  0.42  0.78
R   12 11 -0.14 -0.12  0.46
S   22 16 -0.07 -0.07  0.10
"""

_TABLES = {
    "NORM": _P + _QRS + _T,
    "LAFB": _P
    + """
Q  -21  9  0.20  0.14 -0.30
R    0 13  1.25  0.08  0.52
R   12  7 -0.45 -0.22  0.02
S   19 14 -0.40 -0.42  0.40
J   70 60 -0.01  0.01 -0.04
T  219 56  0.07  0.02 -0.10
T  276 36  0.20  0.08 -0.10
""",
    "LPFB": _P
    + """
Q  -18  9  0.20 -0.25 -0.36
R    0 11  0.95  1.35  0.70
R   10  6 -0.35 -0.10  0.05
S   16 11 -0.75  0.10  0.50
"""
    + _T,
    "CLBBB": _P
    + """
Q  -32  9  0.06  0.04  0.22
R  -12 14  0.54  0.20  1.05
R   16 19  0.24  0.12  1.25
S   44 19  0.66 -0.25  0.50
J  120 42 -0.16  0.00 -0.20
T  227 50 -0.12  0.01 -0.44
T  290 28 -0.06  0.07 -0.34
""",
    "CRBBB": _P
    + """
Q  -15 11 -0.16 -0.11 -0.38
R   -1 11  1.40  0.50  0.45
R   11  6 -0.22 -0.09  0.01
S   17 11 -0.22 -0.12  0.14
S   50 17 -0.50 -0.03 -0.56
S   76 13 -0.16 -0.01 -0.18
J  110 42 -0.02  0.00  0.04
T  236 47  0.10  0.04  0.12
T  285 34  0.20  0.09  0.07
""",
    "ASMI": _P
    + _ANTEROSEPTAL
    + """
J   83 59 -0.02 -0.01 -0.09
T  217 49  0.02  0.00 -0.14
T  279 34  0.14  0.08 -0.09
""",
    "AMI": _P
    + _ANTEROSEPTAL
    + """
J   72 32  0.07 -0.02 -0.14
J  135 45  0.10 -0.03 -0.20
T  215 48  0.16  0.00 -0.30
T  275 34  0.18  0.06 -0.14
""",
    "IMI": _P
    + """
Q  -19 12 -0.02 -0.34 -0.22
R   -3 13  1.55  0.40  0.78
R    7  7 -0.35 -0.10  0.06
S   14 13 -0.33  0.02  0.54
J   90 46 -0.01 -0.01 -0.07
T  214 53  0.04 -0.03 -0.13
T  278 33  0.13 -0.08 -0.11
""",
    "LVH": _P
    + """
Q  -17 13 -0.21 -0.16 -0.48
R   -1 13  2.40  1.20  1.50
R   13  7 -0.38 -0.20  0.08
S   14 14 -0.30 -0.16 0.46
J   93 60 -0.08 -0.05 -0.08
T  220 48 -0.06 -0.04 -0.14
T  277 37 -0.02  0.02 -0.14
""",
}


@dataclass(frozen=True)
class Waves:
    """The Gaussian waves of one kind of beat, at `REFERENCE_RR`."""

    kind: np.ndarray  # (waves,): P, Q, R, S, J (the ST segment) or T
    centre: np.ndarray  # (waves,), s from the R peak
    width: np.ndarray  # (waves,), standard deviation in s
    vector: np.ndarray  # (waves, 3), the dipole at the summit in mV: left, feet, back

    @property
    def atrial(self) -> np.ndarray:
        """Tell which waves come from the atria, shape (waves,)."""
        return self.kind == "P"

    @property
    def repolarisation(self) -> np.ndarray:
        """Tell which waves belong to the ST segment and the T wave, shape (waves,)."""
        return np.isin(self.kind, ("J", "T"))

    def changed(self, **arrays: np.ndarray) -> Waves:
        """Give the same waves with other centres, widths or vectors."""
        return replace(self, **arrays)

    def scaled(self, gain: float) -> Waves:
        """Give the same waves with vectors so many times as long."""
        return replace(self, vector=gain * self.vector)

    def plus(self, other: Waves) -> Waves:
        """Give these waves and others in one beat."""
        joined = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in vars(self)}
        return Waves(**joined)


def parse(table: str) -> Waves:
    """Read a table of waves: name, centre and width in ms, vector in mV (see above)."""
    rows = [line.split() for line in table.split("\n") if line]
    numbers = np.array([row[1:] for row in rows], dtype=float)
    return Waves(np.array([row[0] for row in rows]), numbers[:, 0] / 1e3, numbers[:, 1] / 1e3, numbers[:, 2:])


#: Kinds of beat by the SCP code that PTB-XL gives them.
BEATS = {code: parse(table) for code, table in _TABLES.items()}
