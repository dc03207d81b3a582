"""Simulated infarctions: their signs by territory, their files, and what real recordings say of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import LEADS
from ecg_lessons.signals.beats import bandpass, r_peaks
from ecg_lessons.simulator import cohorts, dipole, patients, simulate_infarctions, territories

RATE = 500
#: The leads that look at a territory, and those that look at it from the opposite side.
SIGNS = {
    "ASMI": (("V1", "V2", "V3"), ()),
    "AMI": (("V2", "V3", "V4"), ()),
    "IMI": (("II", "III", "aVF"), ("I", "aVL")),
    "LMI": (("I", "aVL", "V5", "V6"), ("III", "aVF", "V1")),
    "ILMI": (("II", "III", "aVF", "V5", "V6"), ("aVL", "V1")),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return simulate_infarctions(tmp_path_factory.mktemp("infarctions") / "sixty", patients=60, seed=3)


@pytest.fixture(scope="module")
def table(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "ptbxl_database.csv", keep_default_na=False)


def columns(values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Take leads by name from the last axis."""
    return values[..., [LEADS.index(name) for name in names]]


def drawn(person: patients.Patient) -> np.ndarray:
    """Give the beat of a patient without noise, R at 0.5 s, the PR segment at 0, shape (750, 12)."""
    moments = dipole.dipoles(person.waves, np.array([0.5]), np.array([0.89]), 750, RATE)
    matrix = dipole.lead_matrix(patients.CHEST_ALONG, 0, person.chest)
    beat = dipole.twelve_leads(moments @ matrix.T)
    return beat - beat[203:213].mean(axis=0)


def hearts(code: str | None, acute: bool = False, number: int = 80) -> np.ndarray:
    """Give the beats of many patients with an infarction, or without: shape (number, 750, 12)."""
    beats = []
    for k in range(number):
        rng = np.random.default_rng([8, k])
        infarction = territories.draw(rng, code, acute) if code else None
        beats.append(drawn(territories.patient(rng, infarction)))
    return np.array(beats)


@pytest.fixture(scope="module")
def normal() -> np.ndarray:
    return hearts(None, number=200)


def raised(beats: np.ndarray) -> np.ndarray:
    """Measure ST at the J point, 44 ms after R (mV)."""
    return beats[:, 272]


def q_waves(beats: np.ndarray) -> np.ndarray:
    """Give the ms that Q lasts in each lead; 0 where it is not 0.1 mV deep, or R comes before it."""
    first_80_ms = beats[:, 218:262]
    below = first_80_ms < -0.03
    begun = np.maximum.accumulate(below, axis=1)
    ended = np.maximum.accumulate(begun & ~below, axis=1)
    deep = np.where(ended, 0, first_80_ms).min(axis=1) < -0.1
    r_first = (~begun & (first_80_ms > 0.05)).any(axis=1)
    return 1000 / RATE * (begun & ~ended).sum(axis=1) * (deep & ~r_first)


def test_half_of_the_patients_have_an_infarction(folder, table):
    read = list(recordings.ptb_xl(folder))
    kinds = {one.patient: one.labels["superclasses"] for one in read}
    assert set(kinds.values()) == {("NORM",), ("MI",)}
    assert 0.35 < np.mean([kind == ("MI",) for kind in kinds.values()]) < 0.65
    codes = {code for one in read for code in one.labels["diagnoses"]}
    assert codes == {"NORM", "SR", *territories.TERRITORIES}
    stage = table["infarction_stadium1"].to_numpy()
    normal = table["scp_codes"].str.contains("NORM").to_numpy()
    assert ((stage == "") == normal).all()
    assert set(stage[~normal]) == {"Stadium I", "Stadium III"}
    assert len({(one.patient, one.labels["fold"]) for one in read}) == len(kinds) == 60


def test_the_codes_are_those_of_ptb_xl(real):
    statements = pd.read_csv(real / "ptb-xl" / "1.0.3" / "scp_statements.csv", index_col=0)
    assert (statements["diagnostic_class"].reindex(list(territories.TERRITORIES)) == "MI").all()
    known = pd.read_csv(real / "ptb-xl" / "1.0.3" / "ptbxl_database.csv")["infarction_stadium1"]
    assert set(cohorts.STADIUM.values()) <= set(known.dropna())


def test_the_reports_say_that_they_are_simulated(folder, table):
    assert f"{len(table)} recordings of 60 patients" in (folder / "README.txt").read_text()
    assert table["report"].str.startswith("SIMULATED").all()
    assert table["report"].str.contains("acute inferior myocardial infarction").any()


@pytest.mark.parametrize("code", SIGNS)
def test_acute_infarctions_raise_st_over_their_territory(code, normal):
    over, opposite = SIGNS[code]
    beats = hearts(code, acute=True)
    st = np.median(raised(beats), axis=0)
    # Thygesen 2018: 0.1 mV, in V2 and V3 0.2 mV; V1 and V6, at the edge of a territory, may show less.
    limit = np.array([{"V1": 0.07, "V2": 0.2, "V3": 0.2, "V6": 0.07, "V5": 0.07}.get(name, 0.1) for name in over])
    assert (columns(st, over) >= limit).all(), columns(st, over)
    assert (columns(st, opposite) < -0.03).all(), columns(st, opposite)
    assert np.argmax(st) in [LEADS.index(name) for name in over]
    # Some are large and some are hardly seen; the normal ones have nothing of the kind.
    per_patient = columns(raised(beats), over).max(axis=1)
    assert np.quantile(per_patient, 0.1) < 0.5 * np.quantile(per_patient, 0.9)
    assert (columns(raised(normal), over).max(axis=1) < np.median(per_patient)).mean() > 0.95


@pytest.mark.parametrize("code", SIGNS)
def test_old_infarctions_have_q_waves_over_their_territory(code, normal):
    over, _ = SIGNS[code]
    beats = hearts(code)
    long, healthy = (columns(q_waves(some), over) for some in (beats, normal))
    assert (np.median(long, axis=0) > 20).all(), np.median(long, axis=0)
    # Thygesen 2018: 30 ms and 0.1 mV in two leads. Small infarctions fail it.
    assert 0.5 < ((long >= 30).sum(axis=1) >= 2).mean() < 0.95
    assert ((healthy >= 30).sum(axis=1) >= 2).mean() < 0.06
    assert np.abs(np.median(columns(raised(beats), over), axis=0)).max() < 0.1  # ST has come back
    if code in ("ASMI", "AMI"):
        r, theirs = (np.median(some[:, 225:285, LEADS.index("V3")].max(axis=1)) for some in (beats, normal))
        assert r < 0.5 * theirs


@pytest.mark.parametrize("code", SIGNS)
def test_t_of_old_infarctions_is_lower_or_turned(code, normal):
    over, _ = SIGNS[code]
    late = slice(330, 410)
    ours, healthy = (columns(beats[:, late].mean(axis=1), over) for beats in (hearts(code), normal))
    assert (np.median(ours, axis=0) < np.median(healthy, axis=0)).all()
    assert (ours.min(axis=1) < 0).mean() > 0.1


def test_normal_hearts_vary_within_the_limits(normal):
    st = raised(normal)
    assert (columns(st, ("V2", "V3")).min(axis=1) > 0.25).mean() < 0.01
    assert np.quantile(columns(st, ("V2",)), 0.95) > np.quantile(columns(st, ("V2",)), 0.05) + 0.1
    rest = tuple(name for name in LEADS if name not in ("V1", "V2", "V3"))
    assert ((columns(st, rest) > 0.1).sum(axis=1) >= 2).mean() < 0.02
    q = columns(normal[:, 225:249].min(axis=1), ("I", "II", "V5", "V6"))
    assert (q > -0.25).mean() > 0.95


def _numbers(recording) -> np.ndarray:
    """Measure the median beat: Q, R, S, ST at two places and T in every lead, shape (72,)."""
    signal = bandpass(recording.twelve(), recording.rate, 0.5, 100)
    peaks = r_peaks(recording.twelve(), recording.rate)
    peaks = peaks[(peaks >= 75) & (peaks < len(signal) - 220)]
    beat = np.median(signal[peaks[:, None] + np.arange(-75, 220)], axis=0)
    beat = beat - beat[41:51].mean(axis=0)
    qrs, late = beat[53:105], beat[145:]
    t = late[np.abs(late).argmax(axis=0), np.arange(12)]
    return np.concatenate([beat[53:74].min(axis=0), qrs.max(axis=0), qrs.min(axis=0), beat[97], beat[115], t])


def _measured(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Give the numbers of normal recordings and of infarctions, and which is which."""
    found = [
        (_numbers(one), "MI" in one.labels["superclasses"])
        for one in recordings.ptb_xl(folder)
        if "MI" in one.labels["superclasses"] or one.labels["superclasses"] == ("NORM",)
    ]
    x, y = zip(*found, strict=True)
    return np.array(x), np.array(y)


@pytest.mark.real
def test_simulated_and_real_infarctions_teach_each_other(real, tmp_path):
    ours = _measured(simulate_infarctions(tmp_path / "cohort", patients=200))
    theirs = _measured(real / "ptb-xl" / "1.0.3")

    def auc(train, test) -> float:
        forest = RandomForestClassifier(100, min_samples_leaf=3, max_features=0.1, random_state=0)
        return roc_auc_score(test[1], forest.fit(*train).predict_proba(test[0])[:, 1])

    assert auc(ours, theirs) > 0.84
    assert auc(theirs, ours) > 0.84
