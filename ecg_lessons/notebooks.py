"""From ``notebooks/source/NN_name.py`` to ``notebooks/NN_name.ipynb``: built, executed, and compared.

``python -m ecg_lessons.notebooks`` builds all notebooks, or those named by number; ``--check`` only compares.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from ecg_lessons.errors import InputError

#: Longest time for one cell, and largest notebook with its outputs.
SECONDS, BYTES = 1800, 500_000
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}


class CellFailed(Exception):
    """A cell of a notebook did not run; the message names the cell and its error in one line."""


def locate() -> Path:
    """Find the folder ``notebooks`` in the current directory, above it, or in the clone of this package.

    Raises
    ------
    InputError
        Outside of a clone.
    """
    here = Path.cwd()
    for place in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (place / "notebooks" / "source").is_dir():
            return place / "notebooks"
    raise InputError(f"There is no folder notebooks/source in or above {here}: run this inside the clone.")


def sources(folder: Path, only: str | None = None) -> list[Path]:
    """List the sources in `folder`, or the one whose number or name is `only`.

    Raises
    ------
    InputError
        If there is none.
    """
    found = sorted((folder / "source").glob("[0-9][0-9]_*.py"))
    chosen = [path for path in found if only is None or only in (path.stem, path.stem[:2])]
    if not chosen:
        there = ", ".join(path.stem[:2] for path in found) or "none yet"
        raise InputError(f"There is no lesson {only!r}: the numbers are {there}.")
    return chosen


def read(source: Path) -> NotebookNode:
    """Turn a source into a notebook without outputs; a cell's id follows from what stands in it."""
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = nbformat.from_dict(_METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        digest = hashlib.sha256(f"{cell.cell_type} {cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def execute(
    notebook: NotebookNode, folder: Path, progress: Callable[[int, int], None] = lambda done, all_: None
) -> None:
    """Run all cells in place, in `folder`, on the built-in cohort, whatever the user's own settings are.

    Parameters
    ----------
    notebook : NotebookNode
        Gets the outputs, as far as the cells ran.
    folder : Path
        Where the kernel starts.
    progress : callable
        Told before each code cell how many are done, and how many there are.

    Raises
    ------
    CellFailed
        For the first cell that fails.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    number = 0

    def starting(**_) -> None:
        # nbclient would take Ctrl-C for a dead kernel and let the caller go on: leave it to Python.
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    def count(cell: NotebookNode, **_) -> None:
        nonlocal number
        progress(number, len(code))
        number += 1

    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=CRITICAL"],
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=starting,
        on_cell_execute=count,
    )
    with tempfile.TemporaryDirectory() as profile:
        settings = {
            "ECG_LESSONS_SOURCE": "sample",
            "IPYTHONDIR": profile,
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        try:
            client.execute(env=os.environ | settings)
        except CellExecutionError as error:
            said = error.evalue.strip().split("\n")[0][:300]
            raise CellFailed(f"cell {number} failed with {error.ename}: {said}") from None
        except CellTimeoutError:
            raise CellFailed(f"cell {number} took longer than {SECONDS // 60} minutes") from None
        except DeadKernelError:
            raise CellFailed(f"cell {number} ended the kernel, perhaps for lack of memory") from None
        finally:
            _tidy(notebook)


def _tidy(notebook: NotebookNode) -> None:
    """Drop what differs between machines and runs: versions, times, the random ids of widgets."""
    notebook.metadata = nbformat.from_dict(_METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            for kind in ("application/vnd.jupyter.widget-view+json", "image/svg+xml"):
                output.get("data", {}).pop(kind, None)


def cover(notebook: NotebookNode) -> bytes | None:
    """Give the PNG that stands for a notebook: from the cell tagged ``cover``, else the first there is."""
    cells = sorted(notebook.cells, key=lambda cell: "cover" not in cell.metadata.get("tags", ()))
    for cell in cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                return base64.b64decode(output.data["image/png"])
    return None


def target(source: Path) -> Path:
    """Name the notebook of a source."""
    return source.parents[1] / f"{source.stem}.ipynb"


def build(source: Path, progress: Callable[[int, int], None] = lambda done, all_: None) -> Path:
    """Build and execute one notebook, and write it and its picture ``images/lesson-NN.png``.

    Raises
    ------
    CellFailed
        If a cell fails or the notebook grows too large; the files then stay as they were.
    """
    notebook = read(source)
    execute(notebook, source.parents[1], progress)
    text = nbformat.writes(notebook) + "\n"
    if len(text.encode()) > BYTES:
        raise CellFailed(
            f"the notebook has {len(text) // 1000} kB, more than {BYTES // 1000}: draw smaller figures"
        )
    place(target(source), text.encode())
    picture = cover(notebook)
    if picture:
        place(source.parents[2] / "images" / f"lesson-{source.stem[:2]}.png", picture)
    return target(source)


def place(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is complete.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror}): choose another place.") from error


def difference(source: Path) -> str | None:
    """Say in one sentence how the stored notebook differs from its source, or None if it does not."""
    remedy = "run 'make notebooks'"
    stored_path = target(source)
    if not stored_path.exists():
        return f"{stored_path.name} is not built: {remedy}."
    stored, fresh = nbformat.read(stored_path, as_version=4), read(source)
    kept = ("cell_type", "id", "source", "metadata")
    for number, cell in enumerate(fresh.cells):
        if number >= len(stored.cells) or any(stored.cells[number][key] != cell[key] for key in kept):
            return f"{stored_path.name} differs from its source in cell {number + 1}, counted from the top: {remedy}."
    if len(stored.cells) > len(fresh.cells):
        return f"{stored_path.name} has more cells than its source: {remedy}."
    return None


def main() -> int:
    """Build or compare the notebooks; give 1 if one fails or differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="such as 01; all if none is given")
    parser.add_argument("--check", action="store_true", help="only compare the notebooks with their sources")
    given = parser.parse_args()
    status = 0
    try:
        folder = locate()
        for source in [path for number in given.numbers or [None] for path in sources(folder, number)]:
            if given.check:
                said = difference(source)
            else:
                try:
                    said = None
                    print(f"{build(source).name} is built.")
                except CellFailed as error:
                    said = f"{source.name}: {error}."
            if said:
                print(said, file=sys.stderr)
                status = 1
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
