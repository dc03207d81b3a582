"""Recordings from the outside world, judged by each lesson: the right value, or one sentence."""

import numpy as np
import pandas as pd
import pytest
import scipy.io

from ecg_lessons.data.voltages import LEADS
from ecg_lessons.signals import leads, quality

LESSONS = ("inversion", "rhythm", "beat-images", "heartbeat", "infarction")


def ecg(rate=500, seconds=10, seed=1):
    """Twelve leads in mV of a heart that beats 72 times a minute, and its R peaks."""
    rng = np.random.default_rng(seed)
    beats = 0.35 + np.cumsum(60 / 72 * (1 + 0.03 * rng.standard_normal(int(seconds * 1.3))))
    beats = beats[beats < seconds - 0.1]
    time = np.arange(round(rate * seconds)) / rate
    waves = [(-0.17, 0.12, 0.022), (-0.03, -0.08, 0.010), (0, 1.0, 0.011), (0.03, -0.18, 0.011), (0.26, 0.28, 0.045)]

    def lead(*scale):
        near = [(beat + delay, height, width) for beat in beats for delay, height, width in waves]
        scale = np.tile(scale, len(beats))
        return sum(k * a * np.exp(-0.5 * ((time - b) / w) ** 2) for k, (b, a, w) in zip(scale, near, strict=True))

    limb = leads.limb_leads(lead(0.6, 0.5, 0.55, 0.9, 0.7), lead(1, 1, 1, 1, 1))
    chest = [lead(0.5, 0, 0.15, 6, -0.2), lead(0.5, 0, 0.3, 7, 1), lead(0.6, 0.3, 0.6, 4, 1), lead(0.7, 0.8, 1.1, 2, 1)]
    chest += [lead(0.7, 1, 1.05, 1, 0.9), lead(0.7, 1, 0.8, 0.5, 0.8)]
    signal = np.hstack([limb, np.stack(chest, axis=1)])
    return signal + rng.normal(0, 0.004, signal.shape), np.round(beats * rate).astype(int)


def write(folder, name, x, names, rate=500, unit="mV", gain=1000):
    folder.mkdir(parents=True, exist_ok=True)
    steps = np.where(np.isnan(x), -32768, np.rint(np.nan_to_num(x) * 1000)).astype("<i2")
    (folder / f"{name}.dat").write_bytes(steps.tobytes())
    lines = [
        f"{name} {len(names)} {rate} {len(steps)}",
        *(f"{name}.dat 16 {gain}/{unit} 16 0 0 0 0 {n}" for n in names),
    ]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    return folder / name


@pytest.fixture
def judged(call, trained, tmp_path):
    """Let a lesson judge a path; gives status, the table of verdicts if there is one, and what was said."""

    def judge(lesson, path, *more):
        to = tmp_path / "verdicts.csv"
        to.unlink(missing_ok=True)
        status, said, error = call("predict", trained(lesson), path, "--to", to, *more)
        assert "Traceback" not in error
        return status, pd.read_csv(to) if to.exists() else None, said + error

    return judge


@pytest.mark.parametrize("lesson", LESSONS)
def test_microvolts_get_the_verdict_of_millivolts(judged, tmp_path, lesson):
    x, _ = ecg()
    (_, one, _), (_, other, _) = (
        judged(lesson, write(tmp_path / unit, "r", x, LEADS, unit=unit, gain=gain))
        for unit, gain in (("mV", 1000), ("uV", 1))
    )
    pd.testing.assert_frame_equal(one, other)
    status, table, said = judged(lesson, write(tmp_path / "no", "r", x, LEADS, unit="mV", gain=1))
    assert (status, table) == (2, None)
    assert "mV, and no heart does: mend its unit or gain" in said


@pytest.mark.parametrize("lesson", ["beat-images", "heartbeat"])
def test_no_beat_is_named_in_a_gap_and_none_that_touches_one(judged, tmp_path, lesson):
    x, peaks = ecg(360, 40)
    x = x[:, [1, 10]] + 3.0  # gaps read as 0 mV would be the lowest value of all
    _, whole, _ = judged(lesson, write(tmp_path, "r", x, ["MLII", "V5"], 360))
    gap = x.copy()
    gap[5400:9000] = np.nan
    _, table, _ = judged(lesson, write(tmp_path, "r", gap, ["MLII", "V5"], 360))
    time = table["TIME"].to_numpy()
    assert not ((time > 15 - 0.1) & (time < 25 + 0.1)).any()
    assert len(table) >= len(whole) - 16
    shared = whole.merge(table, on="ID")
    assert len(shared) == len(table)
    assert np.abs(shared["PROBABILITY_x"] - shared["PROBABILITY_y"]).median() < 0.02
    assert (shared["CLASS_x"] == shared["CLASS_y"]).mean() > 0.9
    assert np.abs(time[:, None] - peaks / 360).min(axis=1).max() < 0.02


def test_missing_leads_and_missing_recordings(judged, tmp_path):
    x, _ = ecg()
    gap = x.copy() + 1.5
    gap[2000:3000] = np.nan
    for lesson in ("inversion", "rhythm", "infarction"):
        (status, table, _), (_, whole, _) = (
            judged(lesson, write(tmp_path / name, "r", y, LEADS)) for name, y in (("gap", gap), ("whole", x + 1.5))
        )
        assert status == 0
        # One fifth is missing; by a lead that falls to 0 mV the verdict would move by far more.
        assert abs(table["PROBABILITY"][0] - whole["PROBABILITY"][0]) < 0.1
    for lesson in LESSONS:
        status, table, said = judged(lesson, write(tmp_path / "none", "r", np.full_like(x, np.nan), LEADS))
        assert (status, table) == (2, None)
        assert "0 s without missing samples" in said
    for off, named in ((range(6, 12), "V1, V2, V3, V4, V5, V6 are flat lines or missing"), ([7], "V2 is a flat line")):
        for value in (np.nan, 0.0):
            half = x.copy()
            half[:, off] = value
            status, table, said = judged("inversion", write(tmp_path / "half", "r", half, LEADS))
            assert (status, table) == (2, None)
            assert named in said


def test_a_lost_right_arm_is_still_called_by_its_name(judged, tmp_path):
    x, _ = ecg()
    status, table, said = judged("inversion", write(tmp_path, "r", leads.swap(x, leads.RA_RL.astype(float)), LEADS))
    assert (status, table["SWAP"][0], table["PROBABILITY"][0]) == (0, "RA/RL", 1)
    assert "TARGET 1, PROBABILITY 1.0, SWAP RA/RL" in said


def test_einthovens_law_is_checked(judged, tmp_path):
    x, _ = ecg()
    assert "Einthoven" not in judged("inversion", write(tmp_path, "r", x, LEADS))[2]
    x[:, 3] *= -1  # one lead turned over, which no exchange of electrodes does
    status, table, said = judged("inversion", write(tmp_path, "r", x, LEADS))
    assert (status, len(table)) == (0, 1)
    assert "The limb leads of r break Einthoven's law by more than a fifth of their height" in said


def test_what_is_no_ecg_is_not_judged(judged, tmp_path):
    time = np.arange(3750) / 125
    monitor = np.stack([np.sin(time * 1.6), 5 + np.sin(time * 7.5), ecg(125, 30)[0][:, 6]], axis=1)
    path = write(tmp_path, "m", monitor, ["RESP", "ABP", "V"], 125)
    _, chosen, _ = judged("rhythm", path)
    _, named, _ = judged("rhythm", path, "--lead", "V")
    pd.testing.assert_frame_equal(chosen, named)
    status, _, said = judged("rhythm", path, "--lead", "V7")
    assert (status, "has no lead V7: choose with --lead: RESP, ABP, V" in said) == (2, True)
    status, _, said = judged("rhythm", write(tmp_path, "n", monitor[:, :2], ["RESP", "ABP"], 125))
    assert (status, "has no lead that is known to be an ECG" in said) == (2, True)
    twice = np.stack([np.zeros(3750), monitor[:, 2]], axis=1)
    path = write(tmp_path, "d", twice, ["ECG", "ECG"], 125)
    status, _, said = judged("rhythm", path)
    assert (status, "ECG is a flat line or missing: leave the record out, or choose another" in said) == (2, True)
    assert judged("rhythm", path, "--lead", "ECG #2")[0] == 0


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("samples", [1, 5, 30, 250, 500])
def test_short_recordings_are_refused_by_their_length(judged, tmp_path, lesson, samples):
    status, table, said = judged(lesson, write(tmp_path, "short", ecg()[0][:samples], LEADS))
    assert (status, table) == (2, None)
    assert f"Record short lasts {samples / 500:.3g} s: this lesson needs" in said


@pytest.mark.parametrize("lesson", ["inversion", "beat-images", "heartbeat", "infarction"])
def test_noise_without_a_heartbeat_is_refused(judged, tmp_path, lesson):
    noise = np.random.default_rng(3).normal(0, 0.3, (15000, 12))
    status, table, said = judged(lesson, write(tmp_path, "noise", noise, LEADS))
    assert (status, table) == (2, None)
    assert "shows no heartbeat that comes again" in said


def test_beats_that_stand_twice_count_once_and_marks_beside_them_stay(judged, tmp_path):
    import wfdb

    x, peaks = ecg(360, 20)
    path = write(tmp_path, "r", x[:, [1, 10]], ["MLII", "V5"], 360)
    samples = np.concatenate([[0], peaks[:6], [peaks[5]], peaks[6:], [peaks[-1]]])
    symbols = ["+", *["N"] * 5, "V", "V", *["N"] * (len(peaks) - 6), "~"]
    wfdb.wrann("r", "atr", samples, symbols, write_dir=str(tmp_path))
    status, table, said = judged("beat-images", path)
    assert status == 0
    assert "Record r: 1 beats stand twice in its annotations, and count once." in said
    assert table["ID"].is_unique
    np.testing.assert_allclose(table["TIME"], peaks[1:-1] / 360, atol=0.001)


def test_a_folder_is_judged_without_its_bad_recordings(judged, tmp_path):
    folder, x = tmp_path / "many", ecg(300, 12)[0][:, :1]
    for k in range(3):
        scipy.io.savemat(folder / f"p.day{k}.mat", {"val": np.rint(x.T * 1000)}) if k else write(
            folder, "w", x, ["I"], 300
        )
    scipy.io.savemat(folder / "bad.mat", {"val": np.zeros((3, 900))})
    (folder / "._w.hea").write_bytes(b"\0\5\x16\7")
    status, table, said = judged("rhythm", folder)
    assert (status, sorted(table["ID"])) == (1, ["p.day1", "p.day2", "w"])
    assert "1 of the recordings could not be judged:\n  bad.mat: " in said
    status, table, said = judged("rhythm", folder, "--strict")
    assert (status, table) == (2, None)
    assert "'val' is 3 x 900" in said


@pytest.mark.parametrize("lesson", LESSONS)
def test_csv_and_numpy_are_judged_as_their_wfdb_twin(judged, tmp_path, lesson):
    x = np.rint(ecg()[0] * 1000) / 1000
    _, twin, _ = judged(lesson, write(tmp_path, "r", x, LEADS))
    pd.DataFrame(x * 1000, columns=LEADS).to_csv(tmp_path / "r.csv", index=False)
    np.save(tmp_path / "r.npy", x)
    for name, more in (("r.csv", ["--rate", 500, "--unit", "uV"]), ("r.npy", ["--rate", 500])):
        status, table, said = judged(lesson, tmp_path / name, *more)
        assert status == 0, said
        np.testing.assert_allclose(table["PROBABILITY"], twin["PROBABILITY"], atol=0.01)
    assert "add --rate" in judged(lesson, tmp_path / "r.npy")[2]
    assert "leave --rate and --unit out" in judged(lesson, tmp_path / "r", "--rate", 500)[2]


@pytest.mark.parametrize(
    ("seconds", "colour", "most"),
    [(5, "white", 3), (10, "white", 1), (30, "white", 0), (5, "brown", 10), (10, "brown", 2), (30, "brown", 1)],
)
def test_noise_has_no_heartbeat(seconds, colour, most):
    """Of a hundred single leads few pass, the short ones; brown noise wanders as breathing does."""
    noise = np.random.default_rng(1).normal(size=(100, 300 * seconds, 1)).astype(np.float32)
    noise = 0.02 * np.cumsum(noise, axis=1) if colour == "brown" else 0.3 * noise
    assert sum(quality.beating(one, 300.0) for one in noise) <= most


def test_a_heartbeat_is_seen_in_five_noisy_seconds():
    signal = ecg()[0][:2500, 1:2]
    noise = np.random.default_rng(2).normal(size=(20, *signal.shape)).astype(np.float32)
    assert all(quality.beating(signal + 0.05 * one, 500.0) for one in noise)


@pytest.mark.real
def test_gates_refuse_no_real_recording(real):
    from dataclasses import replace

    from ecg_lessons.data import recordings

    for found in (recordings.ptb_xl(real / "ptb-xl" / "1.0.3"), recordings.ludb(real / "ludb" / "1.0.1")):
        for recording in found:
            quality.refuse_poor(recording, 2)
            quality.refuse_poor(recording.only("II"), 2)
    for recording in recordings.mitdb(real / "mitdb" / "1.0.0"):
        quality.refuse_poor(recording.only("MLII", "V5"), 2)
    for number, recording in enumerate(recordings.challenge_2017(real / "challenge-2017" / "1.0.0")):
        if number % 20 == 0:
            quality.refuse_poor(replace(recording, leads=("ECG",)), 5, heart=False)


def test_verdicts_replace_nothing_but_earlier_verdicts(call, refused, trained, tmp_path):
    run, x = trained("inversion"), ecg()[0]
    record = write(tmp_path, "r", x, LEADS)
    table = tmp_path / "r.csv"
    pd.DataFrame(x, columns=LEADS).to_csv(table, index=False)
    before = {path: path.read_bytes() for path in (table, run / "run.json", run / "model.keras")}
    more = ("--rate", 500)
    assert "is, or could be, a recording" in refused("predict", run, table, "--to", table, *more)
    assert "is, or could be, a recording" in refused("predict", run, record, "--to", tmp_path / "r.HEA")
    assert "lies in the folder of a run" in refused("predict", run, record, "--to", run / "run.json")
    assert "lies in the folder of a run" in refused("predict", run, record, "--to", run / "new.csv")
    assert "exists and holds no verdicts" in refused("predict", run, record, "--to", table)
    assert "is a folder" in refused("predict", run, record, "--to", tmp_path)
    assert {path: path.read_bytes() for path in before} == before
    to = tmp_path / "verdicts.csv"
    assert [call("predict", run, record, "--to", to)[0] for _ in range(2)] == [0, 0]
    assert call("predict", run, record, "--to", table, "--force")[0] == 0
    assert table.read_text().startswith("ID,TARGET,PROBABILITY")


def test_what_stands_in_files_is_shown_as_it_may_be_shown(judged, tmp_path):
    path = write(tmp_path, "r", ecg()[0][:, :1], ["\x1b[31mI\x07" + "x" * 5000])
    status, _, said = judged("inversion", path)
    assert status == 2
    assert "\x1b" not in said
    assert len(said) < 600
