from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import LEADS
from ecg_lessons.signals.beats import bandpass, r_peaks
from ecg_lessons.simulator import body, dipole, ectopy, patients, simulate_cohort


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return simulate_cohort(tmp_path_factory.mktemp("cohorts") / "forty", patients=40, seed=3)


def beat(recording) -> np.ndarray:
    """Give the median beat at 500 Hz, -400..+700 ms around R, the PR segment at 0, shape (550, 12)."""
    signal = bandpass(recording.twelve(), recording.rate, 0.5, 150)
    peaks = r_peaks(recording.twelve(), recording.rate)
    peaks = peaks[(peaks >= 200) & (peaks < len(signal) - 350)]
    average = np.median(signal[peaks[:, None] + np.arange(-200, 350)], axis=0)
    return average - average[166:174].mean(axis=0)


def heights(beats: np.ndarray) -> dict[str, np.ndarray]:
    """Measure P, R, S and T per beat and lead (mV); T is the farthest point from 0 between 140 and 440 ms."""
    late = beats[:, 270:420]
    farthest = np.abs(late).argmax(axis=1)[:, None]
    return {
        "P": beats[:, 90:165].max(axis=1),
        "R": beats[:, 170:230].max(axis=1),
        "S": -beats[:, 170:230].min(axis=1),
        "T": np.take_along_axis(late, farthest, axis=1)[:, 0],
    }


@pytest.fixture(scope="module")
def healthy_beats() -> np.ndarray:
    """Give the median beats of 160 healthy hearts, (160, 550, 12)."""
    beats = []
    for number in range(160):
        rng = np.random.default_rng([1, number])
        signal = dipole.twelve_leads(patients.record(rng, patients.draw(rng, "NORM"))).astype(np.float32)
        beats.append(beat(recordings.Recording("x", "x", signal, 500.0, LEADS)))
    return np.array(beats)


@pytest.fixture(scope="module")
def healthy(healthy_beats) -> dict[str, np.ndarray]:
    return heights(healthy_beats)


def test_a_patient_does_not_depend_on_the_size_of_the_cohort(folder, tmp_path):
    small = simulate_cohort(tmp_path / "twenty", patients=20, seed=3)
    table, large = (pd.read_csv(place / "ptbxl_database.csv") for place in (small, folder))
    pd.testing.assert_frame_equal(table, large[: len(table)])
    for name in table.filename_hr:
        assert (small / f"{name}.dat").read_bytes() == (folder / f"{name}.dat").read_bytes()


def test_the_library_reads_it_as_ptb_xl(folder):
    read = list(recordings.ptb_xl(folder))
    assert len({recording.patient for recording in read}) == 40
    assert len(read) > 40  # some patients came twice
    assert {recording.leads for recording in read} == {LEADS}
    assert {recording.signal.shape for recording in read} == {(5000, 12)}
    assert {"NORM", "CD"} < {name for recording in read for name in recording.labels["superclasses"]}
    fold = {(recording.patient, recording.labels["fold"]) for recording in read}
    assert len(fold) == 40  # one fold a patient
    assert {number for _, number in fold} == set(range(1, 11))


def test_wfdb_reads_it_and_agrees_with_the_checksums(folder):
    record = wfdb.rdrecord(str(folder / "records500/00000/00001_hr"), physical=False)
    assert record.fs == 500
    assert record.sig_name == ["I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert record.adc_gain == [1000.0] * 12
    assert record.calc_checksum() == record.checksum
    assert record.init_value == list(record.d_signal[0])


def test_the_limb_leads_keep_their_identities_to_one_step(folder):
    for path in sorted(folder.glob("records500/*/*.dat")):
        one, two, three, avr, avl, avf = np.fromfile(path, "<i2").reshape(-1, 12)[:, :6].T.astype(int)
        assert np.array_equal(one + three, two)
        assert np.abs(avr + (one + two) / 2).max() <= 0.5
        assert np.abs(avl - (one - two / 2)).max() <= 0.5
        assert np.abs(avf - (two - one / 2)).max() <= 0.5


def test_without_displacement_the_lead_matrix_is_dowers():
    matrix = dipole.lead_matrix()
    np.testing.assert_allclose(matrix[:, :3], dipole.DOWER)
    assert matrix.shape == (8, 9)
    assert (np.abs(matrix[:2, 3:6] / dipole.DOWER[:2] - 1) < 0.1).all()  # in the limbs P is seen as QRS is
    moved = dipole.lead_matrix(along=np.array([1, 0, 0, 0, 0, 0]))
    np.testing.assert_allclose(moved[2, :3], dipole.DOWER[3])  # V1's electrode where V2's belongs


def test_noise_of_electrodes_reaches_the_leads_as_their_differences():
    leads = body.ELECTRODES_TO_LEADS
    np.testing.assert_allclose(leads @ np.ones(9), 0, atol=1e-12)  # what all electrodes share is not seen
    np.testing.assert_allclose((leads[1] - leads[0])[:3], [0, -1, 1])  # III = LL - LA


def test_beats_of_several_kinds_add_up_and_the_window_does_not_cut_them():
    normal, times, rr = dipole.BEATS["NORM"], np.arange(-1.0, 12.0, 0.8), np.full(17, 0.8)
    whole = dipole.dipoles(normal, times, rr, 5000, 500)
    parts = [dipole.dipoles(normal, times[k::2], rr[k::2], 5000, 500) for k in (0, 1)]
    np.testing.assert_allclose(parts[0] + parts[1], whole, atol=1e-12)
    assert np.abs(np.diff(whole, axis=0)).max() < 0.25  # the fastest upstroke, and no jump anywhere
    long = dipole.dipoles(normal, np.array([5.0]), np.array([2.0]), 5000, 500)
    assert np.abs(long[[round(4.56 * 500), round(5.79 * 500)]]).max() < 0.002


def test_qt_follows_the_heart_rate_slowly():
    def t_summit(rr: float) -> float:
        trace = np.linalg.norm(dipole.dipoles(dipole.BEATS["NORM"], np.array([1.0]), np.array([rr]), 1000, 500), axis=1)
        return trace[560:].argmax() / 500 + 0.12

    ratio = t_summit(1.2) / t_summit(0.6)
    assert ratio == pytest.approx(2**dipole.QT_POWER, rel=0.03)
    step = dipole.adapted(np.cumsum(np.r_[np.full(31, 1.0), np.full(60, 0.6)]))
    assert step[30] > 0.9
    assert step[-1] == pytest.approx(0.6, abs=0.01)


def test_intervals_of_healthy_hearts_are_plausible():
    pr, qrs, qtc = [], [], []
    for number in range(60):
        person = patients.draw(np.random.default_rng([2, number]), "NORM")
        waves = person.waves
        groups = {"P": waves.atrial, "QRS": ~(waves.atrial | waves.repolarisation), "T": waves.repolarisation}
        spans = {}
        for name, rows in groups.items():  # a wave is there where its dipole exceeds 20 µV
            part = person.waves.changed(vector=person.waves.vector * rows[:, None])
            moment = np.linalg.norm(dipole.dipoles(part, np.array([1.0]), np.array([0.89]), 2000, 1000), axis=1)
            there = np.flatnonzero(moment > 0.02) / 1000
            spans[name] = there[0], there[-1]
        pr.append(spans["QRS"][0] - spans["P"][0])
        qrs.append(spans["QRS"][1] - spans["QRS"][0])
        qtc.append((spans["T"][1] - spans["QRS"][0]) / 0.89 ** (1 / 3))
    assert 0.11 < np.median(pr) < 0.20
    assert min(qrs) > 0.06
    assert max(qrs) < 0.12
    assert 0.36 < np.median(qtc) < 0.44
    assert min(qtc) > 0.32
    assert max(qtc) < 0.50


def test_rhythm_has_the_rate_and_the_variability_asked_for():
    rng = np.random.default_rng(0)
    rr = np.diff(ectopy.sinus(rng, 600, 70, variability=0.05))
    assert rr.mean() == pytest.approx(60 / 70, rel=0.01)
    assert rr.std() / rr.mean() == pytest.approx(0.05, rel=0.25)


def test_heart_rates_are_plausible(folder):
    for recording in recordings.ptb_xl(folder):
        rr = np.diff(r_peaks(recording.twelve(), 500)) / 500
        assert 45 < 60 / np.median(rr) < 110, recording.name


def test_healthy_hearts_look_healthy(healthy):
    lead = {name: i for i, name in enumerate(LEADS)}
    p, r, s, t = (healthy[name] for name in "PRST")
    assert (p[:, lead["II"]] > p[:, lead["I"]]).mean() > 0.7
    assert np.median(p[:, lead["II"]]) == pytest.approx(0.12, abs=0.04)
    assert (s[:, lead["aVR"]] > 2 * r[:, lead["aVR"]]).mean() > 0.95
    assert (t[:, lead["aVR"]] < 0).mean() > 0.95
    typical = np.median(r, axis=0)
    assert typical[lead["V1"]] < typical[lead["V2"]] < typical[lead["V3"]] < typical[lead["V4"]]
    assert (r[:, lead["V1"]] < r[:, lead["V4"]]).mean() > 0.95
    assert (r[:, lead["V6"]] < r[:, lead["V5"]]).mean() > 0.7
    deep = np.median(s, axis=0)
    assert deep[lead["V2"]] > deep[lead["V3"]] > deep[lead["V4"]] > deep[lead["V5"]] > deep[lead["V6"]]
    for name in ("I", "II", "V3", "V4", "V5", "V6"):
        assert (t[:, lead[name]] > 0).mean() > 0.9, name


def _typical(code: str) -> np.ndarray:
    """Give the average beat of a diagnosis without noise, twelve leads."""
    form = patients.FORMS[code]
    moments = dipole.dipoles(dipole.BEATS[form.beat], np.array([0.5]), np.array([0.89]), 750, 500) * form.gain
    return dipole.twelve_leads(moments @ dipole.lead_matrix(patients.CHEST_ALONG, 0, patients.CHEST_GAIN).T)


def test_sick_hearts_show_the_signs_of_their_disease():
    lead = {name: i for i, name in enumerate(LEADS)}
    shape = {code: _typical(code) for code in patients.FORMS}
    qrs = slice(round(0.43 * 500), round(0.6 * 500))
    r = {code: trace[qrs].max(axis=0) for code, trace in shape.items()}
    s = {code: -trace[qrs].min(axis=0) for code, trace in shape.items()}
    st = {code: trace[round(0.6 * 500)] for code, trace in shape.items()}

    def net(code: str, name: str) -> float:
        return r[code][lead[name]] - s[code][lead[name]]

    def qrs_seconds(code: str) -> float:
        slope = np.linalg.norm(np.diff(shape[code][170:320, 6:], axis=0), axis=1)
        return np.ptp(np.flatnonzero(slope > 0.04)) / 500

    assert net("LAFB", "I") > 0 > net("LAFB", "II")
    assert net("LPFB", "I") < 0 < net("LPFB", "aVF")
    assert (r["LVOLT"] + s["LVOLT"])[:6].max() < 0.5
    assert (r["LVOLT"] + s["LVOLT"])[6:].max() < 1.0
    assert r["LVH"][lead["V5"]] + s["LVH"][lead["V1"]] > 3.5  # Sokolow-Lyon
    assert r["NORM"][lead["V5"]] + s["NORM"][lead["V1"]] < 3.5
    assert r["ASMI"][lead["V3"]] < 0.3  # poor R progression
    assert min(st["AMI"][lead[name]] for name in ("V2", "V3")) > 0.2
    assert abs(st["ASMI"][lead["V3"]]) < 0.15
    inferior = shape["IMI"][: round(0.49 * 500), [lead[name] for name in ("II", "III", "aVF")]]
    assert (inferior.min(axis=0) < -0.1).all()  # Q waves
    for code in ("CLBBB", "CRBBB"):
        assert qrs_seconds(code) > 0.12 > qrs_seconds("NORM") > 0.06
    assert net("CLBBB", "V1") < -1
    assert net("CLBBB", "V6") > 0.5
    late = slice(round(0.53 * 500), round(0.6 * 500))
    assert shape["CRBBB"][late, lead["V1"]].max() > 0.5  # R'
    assert shape["CRBBB"][late, lead["V6"]].min() < -0.2  # broad S


@pytest.mark.real
def test_the_population_agrees_with_normal_recordings_of_ptb_xl(real, healthy):
    beats = [
        beat(recording)
        for recording in recordings.ptb_xl(real / "ptb-xl" / "1.0.3")
        if "NORM" in recording.labels["diagnoses"]
    ]
    truth = heights(np.array(beats))
    for wave, share, floor in (("R", 0.30, 0.06), ("S", 0.30, 0.10), ("T", 0.30, 0.06), ("P", 0.30, 0.03)):
        ours, theirs = (np.median(measured[wave], axis=0) for measured in (healthy, truth))
        # Lead III is the small difference of two large leads: 0.1 mV more.
        band = np.maximum(share * np.abs(theirs), floor) + 0.1 * (np.array(LEADS) == "III")
        close = np.abs(ours - theirs) <= band
        assert close.all(), f"{wave}: simulated {ours.round(2)}, real {theirs.round(2)}"


@pytest.mark.real
def test_small_waves_of_healthy_hearts_are_neither_missing_nor_monstrous(real, healthy_beats):
    """P in V1, ST in I and V6, and T of 1 mV in V2 to V4, against normal recordings of PTB-XL."""

    def measured(beats: np.ndarray) -> dict[str, np.ndarray]:
        lead = {name: beats[:, :, i] for i, name in enumerate(LEADS)}
        st = {f"ST {name}": lead[name][:, 240:256].mean(axis=1) for name in ("I", "V6")}
        t = [lead[name][:, 275:410].max(axis=1) for name in ("V2", "V3", "V4")]
        return st | {"P": np.ptp(lead["V1"][:, 75:165], axis=1), "T": np.max(t, axis=0)}

    normal = (one for one in recordings.ptb_xl(real / "ptb-xl" / "1.0.3") if "NORM" in one.labels["diagnoses"])
    theirs, ours = measured(np.array([beat(recording) for recording in normal])), measured(healthy_beats)
    for name in ("P", "ST I", "ST V6"):
        apart = (np.median(ours[name]) - np.median(theirs[name])) / theirs[name].std()
        assert abs(apart) < 0.7, (name, apart)
    assert (ours["T"] > 1).mean() < (theirs["T"] > 1).mean() + 0.04
