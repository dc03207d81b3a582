"""What holds for every cohort: one seed one cohort, whole or not at all, cached, and said to be simulated."""

import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from ecg_lessons import simulator
from ecg_lessons.errors import InputError
from ecg_lessons.simulator import cohorts, layouts

#: The function without its last part, where the recordings are, and other arguments that make it quick.
COHORTS = {
    "cohort": ("records500", {}),
    "infarctions": ("records500", {}),
    "arrhythmias": ("", {"minutes": 1}),
    "rhythms": ("training2017", {}),
}


def simulate(name: str, folder: Path, number: int, **options) -> Path:
    return getattr(simulator, f"simulate_{name}")(folder, number, **COHORTS[name][1], **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def recordings_of(folder: Path, name: str) -> dict[str, bytes]:
    within = contents(folder / COHORTS[name][0])
    return {file: content for file, content in within.items() if Path(file).suffix in {".dat", ".hea", ".mat", ".atr"}}


@pytest.mark.parametrize("name", COHORTS)
def test_one_seed_one_cohort_byte_for_byte_and_a_larger_one_begins_with_the_smaller(name, tmp_path):
    first, again = (simulate(name, tmp_path / place, 8, seed=3) for place in ("first", "again"))
    assert contents(first) == contents(again)
    large, small = recordings_of(first, name), recordings_of(simulate(name, tmp_path / "s", 4, seed=3), name)
    assert 8 <= len(small) < len(large)
    assert small.items() <= large.items()
    other = recordings_of(simulate(name, tmp_path / "other", 8, seed=4), name)
    assert not {file for file in other.keys() & large.keys() if not file.endswith("hea") and other[file] == large[file]}


@pytest.mark.parametrize("name", COHORTS)
def test_everything_says_that_it_is_simulated(name, tmp_path):
    folder = simulate(name, tmp_path / "cohort", 3)
    text = (folder / "README.txt").read_text()
    assert text.startswith("SIMULATED ELECTROCARDIOGRAMS - NOT CLINICAL DATA\n\nThis folder holds")
    assert re.search(r"holds \d+ recordings .*version \d, seed 0\)", text, re.DOTALL)
    assert text.endswith("must not serve any medical purpose.\n")
    headers = [content for file, content in contents(folder).items() if file.endswith(".hea")]
    assert len(headers) >= 3
    assert all(b"# simulated" in header for header in headers)


@pytest.mark.parametrize("name", COHORTS)
def test_mistakes_are_told_and_leave_nothing_behind(name, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not empty: give a new folder"):
        simulate(name, tmp_path, 1)
    for number, seed in ((0, 0), (2, -1), *([(1000, 0)] if name == "arrhythmias" else [])):
        with pytest.raises(InputError, match=rf"A cohort needs .*1 .* a seed of 0 or more, not {number} and {seed}"):
            simulate(name, tmp_path / "none", number, seed=seed)
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("name", COHORTS)
def test_progress_counts_and_a_simulation_that_breaks_leaves_nothing_behind(name, tmp_path):
    seen = []

    def interrupt(*state: int) -> None:
        seen.append(state)
        if len(seen) == 5:
            raise KeyboardInterrupt

    (tmp_path / "empty").mkdir()
    simulate(name, tmp_path / "empty", 3, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        simulate(name, tmp_path / "half", 3, progress=interrupt)
    assert seen == [(1, 3), (2, 3), (3, 3), (1, 3), (2, 3)]
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("name", COHORTS)
def test_the_sample_is_made_once(name, tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_CACHE", str(tmp_path))
    sample = getattr(simulator, f"sample_{name}")
    first = sample(2)
    assert first.parent == tmp_path / "sample"
    (first / "mark").touch()
    assert sample(2) == first
    assert (first / "mark").exists()


def _sample(cache: Path) -> str:
    os.environ["ECG_LESSONS_CACHE"] = str(cache)
    return str(simulator.sample_cohort(patients=5, seed=9))


def test_two_processes_may_ask_for_the_sample_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_CACHE", str(tmp_path))  # so that the change below is undone
    with ProcessPoolExecutor(2) as pool:
        first, second = pool.map(_sample, [tmp_path, tmp_path])
    assert first == second
    assert [path.name for path in Path(first).parent.iterdir()] == [Path(first).name]  # no draft left


def test_loser_of_the_race_keeps_the_winners_cohort(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_CACHE", str(tmp_path))
    close = layouts.PtbXl.close

    def slow(layout, *tables):
        close(layout, *tables)
        winner = layout.folder.parent / f"ptb-xl-v{cohorts.VERSIONS['ptb-xl']}-2-patients-seed-0"
        winner.mkdir()
        (winner / "winner").touch()

    monkeypatch.setattr(layouts.PtbXl, "close", slow)
    folder = simulator.sample_cohort(patients=2)
    assert [path.name for path in folder.iterdir()] == ["winner"]
    assert list(folder.parent.iterdir()) == [folder]


def test_importing_the_simulator_does_not_import_keras():
    code = "import sys, ecg_lessons.simulator; sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_simulator_leans_on_nothing_else_of_the_package():
    code = "\n".join(path.read_text() for path in Path(cohorts.__file__).parent.glob("*.py"))
    names = re.findall(r"^ *(?:from|import) (ecg_lessons\S*)(?: import (\w+))?", code, re.MULTILINE)
    ours = {f"{module}.{name}" if module == "ecg_lessons" else module for module, name in names}
    allowed = {"ecg_lessons.files", "ecg_lessons.errors"}
    assert {name for name in ours if not name.startswith("ecg_lessons.simulator")} == allowed
