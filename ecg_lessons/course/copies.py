"""A student's own copy of the lessons, and JupyterLab on it: what stands there already is left alone."""

import os
from collections.abc import Sequence
from pathlib import Path

from ecg_lessons import files
from ecg_lessons.errors import InputError, choice


def originals() -> dict[str, Path]:
    """Give the lessons and their pages by the name of the file."""
    folder = files.carried("notebooks")
    return {path.name: path for kind in ("[0-9]*.ipynb", "*.md") for path in sorted(folder.glob(kind))}


def copy(to: Path) -> list[str]:
    """Copy what is not there yet: notebooks, pages and the pictures that pages show; name the files that are new."""
    new = [name for name in originals() if not (to / name).exists()]
    for name in new:
        _write(originals()[name], to)
    for picture in files.carried("images").glob("*.png"):
        if not (to / "images" / picture.name).exists():
            files.write(to / "images" / picture.name, picture.read_bytes())
    return new


def reset(number: str, to: Path) -> Path:
    """Bring the original of a lesson back; what stood there stays beside it, as NAME.before.ipynb."""
    found = [path for name, path in originals().items() if number in (name[:2], path.stem)]
    if not found:
        raise choice("lesson", number, sorted({name[:2] for name in originals() if name[:2].isdecimal()}))
    mine = to / found[0].name
    if mine.exists():
        before = mine.with_suffix(".before.ipynb")
        if before.exists():
            raise InputError(f"{before} is there from an earlier reset: rename or remove it first.")
        files.write(before, mine.read_bytes())
    return _write(found[0], to)


def open_lab(folder: Path, words: Sequence[str] = ()) -> None:
    """Run JupyterLab in `folder` until it is stopped, with our settings below the user's; `words` are its options."""
    from jupyterlab.labapp import LabApp

    ours = str(Path(__file__).with_name("jupyter"))
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):  # where settings lie, and where the tour
        os.environ[name] = os.pathsep.join(filter(None, (os.environ.get(name), ours)))
    first = ["--LabApp.default_url=/lab/tree/00_start_here.ipynb", f"--ServerApp.root_dir={folder.absolute()}"]
    LabApp.launch_instance([*first, *words])


def _write(path: Path, to: Path) -> Path:
    content = path.read_bytes()
    if path.suffix == ".md":
        content = content.replace(b"](../images/", b"](images/")
    return files.write(to / path.name, content)
