"""Draw an ECG to measure, without a mark on it: ``python images/draw_measure.py`` writes measure.svg and .png.

It also prints what there is to find. The patient is simulated: leads I, II and aVF.
"""

import numpy as np
from draw_waves import BOLD, INK, SHEET, THIN, borders
from matplotlib.figure import Figure
from saving import save

from ecg_lessons.simulator import dipole, patients

PATIENT, RR = 531, 0.76  # s
LEADS = ("I", "II", "aVF")
WIDTH, HEIGHT, LINES = 50, 45, (33, 20, 10)  # mm of ECG paper, and where the line of each lead lies


def signals() -> np.ndarray:
    """Simulate I, II and aVF for 2 s (mV), 1,000 samples a second, with R peaks at 0.2 s, and every RR then."""
    patient = patients.draw(np.random.default_rng(PATIENT), "NORM")
    peaks = 0.2 + RR * np.arange(-1, 4)
    one, two = (dipole.dipoles(patient.waves, peaks, np.full(5, RR), 2000, 1000) @ dipole.lead_matrix()[:2].T).T
    return np.stack([one, two, two - one / 2], axis=1)


def truth() -> dict[str, float]:
    """Give rate (1/min), PR, QRS and QT (ms), and axis (degrees)."""
    beat = signals()[200 + round(1000 * RR) - 500 :][:1200]
    time = np.arange(1200) - 500
    at = borders(np.where((time > -250) & (time < 1000 * RR - 250), beat[:, 1], 0))  # of one beat alone
    one, avf = beat[int(at["Q"]) + 500 : int(at["J"]) + 500, [0, 2]].sum(axis=0)
    axis = np.degrees(np.arctan2(avf * 2 / 3**0.5, one))
    return {
        "rate": 60 / RR,
        "PR": at["Q"] - at["P"],
        "QRS": at["J"] - at["Q"],
        "QT": at["T end"] - at["Q"],
        "axis": axis,
    }


def draw() -> Figure:
    """Draw three leads on ECG paper, magnified."""
    figure = Figure(figsize=(10, 9), facecolor=SHEET, layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.set_axis_off()
    for step, colour, width in ((1, THIN, 0.8), (5, BOLD, 1.2)):
        axes.vlines(np.arange(0, WIDTH + 1, step), 0, HEIGHT, colors=colour, linewidths=width, zorder=0)
        axes.hlines(np.arange(0, HEIGHT + 1, step), 0, WIDTH, colors=colour, linewidths=width, zorder=0)
    ecg = signals()
    for name, lead, line in zip(LEADS, ecg.T, LINES, strict=True):
        axes.plot(np.arange(len(lead)) / 40, line + 10 * lead, color=INK, linewidth=1.8)
        axes.text(0.6, line + 2, name, size=14, weight="bold", color=INK)
    axes.text(WIDTH - 0.5, 0.6, "25 mm/s  10 mm/mV, magnified; simulated", ha="right", size=11, color=INK)
    return figure


if __name__ == "__main__":
    save("measure", "An ECG to measure (simulated)", draw(), dpi=120, colours=32)
    print({name: round(float(value)) for name, value in truth().items()})
