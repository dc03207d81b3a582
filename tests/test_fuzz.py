"""Damaged files of every kind: each is read or refused in one sentence, soon, and in little memory.

500 inputs a run, always the same; ``make fuzz`` tries 10,000.
"""

import io
import os
import random
import re
import shutil
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import scipy.io

from ecg_lessons.data import pictures, recordings, tables
from ecg_lessons.data.voltages import LEADS, How
from ecg_lessons.errors import InputError
from ecg_lessons.lessons import beat_images, heartbeat, inversion, rhythm
from ecg_lessons.models.crnn import Design
from ecg_lessons.plans import Plan
from ecg_lessons.signals import beat_sets
from ecg_lessons.sweeps import JobFile

INPUTS = int(os.environ.get("ECG_LESSONS_FUZZ", 500))
SECONDS, GIGABYTES = 10, 2
EXTREME = [
    b"99999999999",
    b"-1",
    b"0",
    b"nan",
    b"inf",
    b"-inf",
    b"1e23",
    b"1e-300",
    b"",
    b"\xff\xfe",
    b"[" * 3000,
    b"'",
]


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Damage a file as disks, editors and other programs do."""
    out = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1) if rng.random() < 0.5 else rng.randrange(min(len(out), 400) + 1)
        span = rng.choice((1, 2, 8, 100, len(out) // 3))
        how = rng.randrange(7)
        if how == 0:
            out[at : at + span] = rng.randbytes(min(span, 200))
        elif how == 1:
            del out[at : at + span]
        elif how == 2:
            out[at:at] = out[at : at + span]
        elif how == 3:
            del out[at:]
        elif how == 4:
            out[at:at] = rng.choice(EXTREME)
        elif how == 5:
            numbers = [k for k in range(min(len(out), 5000)) if chr(out[k]).isdigit() and not chr(out[k - 1]).isdigit()]
            if numbers:
                k = rng.choice(numbers)
                end = next((e for e in range(k, len(out)) if not chr(out[e]).isdigit()), len(out))
                out[k:end] = rng.choice(EXTREME)
        elif out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
    return bytes(out)


def memory(peak: bool) -> float:
    """Give the memory of this process in GB: its peak since it was last asked for what it holds, or what it holds."""
    own = Path("/proc/self")
    if not (own / "clear_refs").exists():  # Linux alone tells
        return 0
    if not peak:
        (own / "clear_refs").write_text("5")  # the peak begins anew
    return int(re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", (own / "status").read_text())[1]) / 2**20


def judged(path: Path, how: How | None = None) -> None:
    """Do what `predict` does with a recording before a network sees it, for every lesson."""

    def beats(recording):
        found = [beat_sets.with_beats(recording)]
        beat_images.inputs(found, found[0].leads)
        _, info = heartbeat.kachuee.annotated(found, found[0].leads)
        heartbeat.unusual.comparisons(found, info, found[0].leads)

    def rhythms(recording):
        rhythm.from_recordings([rhythm.fitted(recording)])

    refused = []
    for make in (inversion._heard, rhythms, beats):
        try:
            recordings.each(path, make, "atr", how)
        except InputError as error:
            refused.append(error)
    if refused:
        raise refused[0]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, physionet, trained):
    """Give a whole input of each kind: its folder, the files that are damaged, and who reads it."""
    root = tmp_path_factory.mktemp("corpus")
    cases = {}

    def case(name, files, read):
        cases[name] = (root / name, files, read)
        (root / name).mkdir(exist_ok=True)
        return root / name

    twelve = physionet / "ptb-xl" / "1.0.3"
    signal = next(recordings.ptb_xl(twelve)).signal
    for ending in (".hea", ".dat"):
        shutil.copy(twelve / "records500" / "00000" / f"00001_hr{ending}", case("wfdb", (".hea", ".dat"), None))
    cases["wfdb"] = (root / "wfdb", ("00001_hr.hea", "00001_hr.hea", "00001_hr.dat"), lambda f: judged(f / "00001_hr"))
    for ending in (".hea", ".dat", ".atr"):
        shutil.copy(physionet / "mitdb" / "1.0.0" / f"a001{ending}", case("beats", (), None))
    cases["beats"] = (root / "beats", ("a001.atr", "a001.atr", "a001.hea"), lambda f: judged(f / "a001"))
    steps = np.rint(signal[:3000, :1].T * 1000).astype("<i2")
    scipy.io.savemat(case("mat", ("r.mat",), lambda f: judged(f / "r.mat")) / "r.mat", {"val": steps})
    frame = pd.DataFrame(signal[:1500], columns=LEADS)
    frame.to_csv(case("csv", ("r.csv",), lambda f: judged(f / "r.csv", How(500))) / "r.csv", index=False)
    np.save(case("npy", ("r.npy",), lambda f: judged(f / "r.npy", How(500))) / "r.npy", signal[:1500])
    arrays = {lead: signal[:1500, k] for k, lead in enumerate(LEADS)}
    np.savez_compressed(case("npz", ("r.npz",), lambda f: judged(f / "r.npz", How(500))) / "r.npz", **arrays)
    edfio = pytest.importorskip("edfio")
    edf = [edfio.EdfSignal(signal[:, k].astype(float), 500, label=LEADS[k], physical_dimension="mV") for k in range(12)]
    edfio.Edf(edf).write(case("edf", ("r.edf",), lambda f: judged(f / "r.edf")) / "r.edf")
    ecgs = np.random.default_rng(0).normal(size=(2, 750, 12)).astype("f4").round(2)
    tables.write_ecgs(case("ecgs", ("a.csv",), lambda f: inversion.from_csv(f / "a.csv")) / "a.csv", ["a", "b"], ecgs)
    x, y = np.random.default_rng(0).random((9, 187)).round(2), np.arange(9) % 5
    tables.write_beats(case("kachuee", ("b.csv",), lambda f: tables.read_beats(f / "b.csv")) / "b.csv", x, y)
    ink = np.zeros((128, 128), np.uint8)
    cv2.line(ink, (3, 100), (120, 7), 255, 2)
    place = case("png", ("N/100_000300.png",), pictures.read_pictures) / "N"
    place.mkdir()
    cv2.imwrite(str(place / "100_000300.png"), np.dstack([ink, ink, ink, ink]))
    table, statements = "ptbxl_database.csv", "scp_statements.csv"
    place = case("ptb-xl", (table, table, statements), lambda f: next(recordings.ptb_xl(f)))
    for name in (table, statements):
        shutil.copy(twelve / name, place)
    (place / "records500").symlink_to(twelve / "records500")
    place = case("cinc", ("REFERENCE-v3.csv", "training2017.zip"), lambda f: list(recordings.challenge_2017(f)))
    with zipfile.ZipFile(place / "training2017.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(4):
            held = io.BytesIO()
            scipy.io.savemat(held, {"val": steps})
            archive.writestr(f"training2017/A{k}.mat", held.getvalue())
    (place / "REFERENCE-v3.csv").write_text("".join(f"A{k},N\n" for k in range(4)))
    experiments = Path(__file__).parents[1] / "experiments"
    (case("plan", ("p.toml",), lambda f: Plan.read(f / "p.toml")) / "p.toml").write_text(Plan().toml())
    place = case("design", ("m.toml",), lambda f: Design.read(f / "m.toml"))
    shutil.copy(experiments / "models" / "crnn.toml", place / "m.toml")
    place = case("job", ("j.toml",), lambda f: JobFile.read(f / "j.toml"))
    shutil.copy(experiments / "jobs" / "smoke.toml", place / "j.toml")
    for name in ("run.json", "split.json", "history.csv", "plan.toml", "model.keras"):
        shutil.copy(trained("inversion") / name, case("run", (), None))
    parts = ("run.json", "split.json", "history.csv", "plan.toml", "model.keras")
    cases["run"] = (root / "run", parts, opened)
    return cases


def opened(folder: Path) -> None:
    """Do what `evaluate` and `predict` do with a run folder before they look at data."""
    from ecg_lessons.cli import declared

    run = declared.lesson_of(folder).open(folder)
    run.sides, run.history, run.plan, run.model  # noqa: B018
    inversion.LESSON.stored(run.about)


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_read_or_refused_in_one_sentence(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_CACHE", str(tmp_path / "cache"))
    rng, faults, refusals = random.Random(17), [], 0
    for number in range(INPUTS):
        name = list(corpus)[number % len(corpus)]
        source, files, read = corpus[name]
        folder = shutil.copytree(source, tmp_path / "case", symlinks=True, dirs_exist_ok=True)
        file = folder / rng.choice(files)
        file.write_bytes(mutated(file.read_bytes(), rng))
        start, held = time.process_time(), memory(peak=False)
        try:
            read(folder)
        except InputError as error:
            refusals += 1
            if "\n" in str(error) or len(str(error)) > 1000:
                faults.append(f"{number} {name} {file.name}: {str(error)[:300]!r}")
        except Exception as error:
            faults.append(f"{number} {name} {file.name}: {type(error).__name__}: {str(error)[:200]}")
        if (seconds := time.process_time() - start) > SECONDS:
            faults.append(f"{number} {name} {file.name}: {seconds:.0f} s")
        if (taken := memory(peak=True) - held) > GIGABYTES:
            faults.append(f"{number} {name} {file.name}: {taken:.1f} GB")
        shutil.rmtree(folder)
    assert not faults, "\n".join(faults)
    assert refusals > INPUTS / 4  # the damage is damage
