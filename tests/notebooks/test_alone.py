"""The wheel alone: what it carries, and a notebook by itself in an empty folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

CLONE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel of a copy without what git ignores, and unpack it."""
    place = tmp_path_factory.mktemp("wheel")
    copy, package = place / "clone", place / "site"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=CLONE, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        wanted = name.startswith(("ecg_lessons/", "notebooks/", "images/", "data/", "experiments/")) or "/" not in name
        if wanted and (CLONE / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((CLONE / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "uv",
        "build",
        "--wheel",
        "--no-build-isolation",
        "--quiet",
        "--out-dir",
        str(place),
    ]
    subprocess.run([*command, str(copy)], check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(package)
    return package


def test_the_wheel_carries_lessons_results_and_drawings(installed):
    carried = installed / "ecg_lessons" / "carried"
    for folder, kind in (
        ("notebooks", "*.ipynb"),
        ("notebooks", "*.md"),
        ("data/results", "*.json"),
        ("images", "*.png"),
    ):
        assert sorted(path.name for path in (carried / folder).glob(kind)) == sorted(
            path.name for path in (CLONE / folder).glob(kind)
        )


def test_a_lone_notebook_runs_from_the_wheel(installed, tmp_path):
    """Lesson 0 from top to bottom, and the stored results and drawings of the others, where there is no clone."""
    (name,) = [path.name for path in (CLONE / "notebooks").glob("00_*.ipynb")]
    notebook = nbformat.read(CLONE / "notebooks" / name, as_version=4)
    more = "from ecg_lessons import study, files\\nprint(files.__file__)\\n"
    more += "from ecg_lessons.lessons import rhythm\\nfrom ecg_lessons.course import copies\\n"
    more += "rhythm.design('compact'), copies.copy(files.Path('mine'))\\n"
    more += "[study.read(path.stem) for path in files.carried('data/results').glob('*.json')]"
    notebook.cells.append(nbformat.v4.new_code_cell(more.replace("\\n", "\n")))
    nbformat.write(notebook, tmp_path / name)
    run = (
        "import nbformat, pathlib, sys\n"
        "from ecg_lessons.course import notebooks\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "notebook = nbformat.read(path, as_version=4)\n"
        "notebooks.execute(notebook, path.parent)\n"
        "print(notebook.cells[-1].outputs[0].text)\n"
    )
    run += "from ecg_lessons.course import course\n"
    run += "[one] = course.build(path.parent / 'build', '00')\nassert not one.failure\n"
    place = os.environ | {"PYTHONPATH": str(installed), "JUPYTER_PREFER_ENV_PATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", run, tmp_path / name], cwd=tmp_path, env=place, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().startswith(str(installed))
    assert (tmp_path / "build" / "index.html").exists()  # as ecg-lessons course writes it, without a clone
