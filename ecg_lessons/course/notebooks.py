"""From ``notebooks/source/NN_name.py`` to ``notebooks/NN_name.ipynb``: built, executed, and compared.

``python -m ecg_lessons.course.notebooks`` builds all notebooks, or those named by number; ``--check`` only compares;
``--solved FOLDER`` writes copies whose last cells are the solutions of the exercises.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import io
import itertools
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ecg_lessons import files
from ecg_lessons.errors import InputError, choice

#: Longest time for one cell, and largest notebook with its outputs.
SECONDS, BYTES = 1800, 500_000
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}


class CellFailed(Exception):
    """A cell of a notebook did not run; the message names the cell and its error in one line."""


def locate() -> Path:
    """Find the folder ``notebooks`` in the current directory, above it, or in the clone of this package."""
    here = Path.cwd()
    for place in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (place / "notebooks" / "source").is_dir():
            return place / "notebooks"
    raise InputError(f"There is no folder notebooks/source in or above {here}: run this inside the clone.")


def to_run() -> Path:
    """Find the lessons that can be run: the clone's, or the notebooks that come with the package."""
    try:
        return locate()
    except InputError:
        return files.carried("notebooks")


def sources(folder: Path, only: str | None = None) -> list[Path]:
    """List the sources in `folder`, or its notebooks where it has none; or the one whose number or name is `only`."""
    paths = sorted((folder / "source").glob("[0-9][0-9]_*.py")) or sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    chosen = [path for path in paths if only is None or only.zfill(2) in (path.stem, path.stem[:2])]
    if not chosen:
        raise choice("lesson", only, [path.stem[:2] for path in paths])
    return chosen


def target(source: Path) -> Path:
    """Name the notebook of a source."""
    return source.parents[1] / f"{source.stem}.ipynb"


def read(source: Path) -> Any:
    """Turn a source, or a stored notebook, into one without outputs; a cell's id follows from what stands in it."""
    import jupytext
    import nbformat

    if source.suffix == ".ipynb":
        notebook = nbformat.read(source, as_version=4)
        for cell in notebook.cells:
            cell.update({"outputs": [], "execution_count": None} if cell.cell_type == "code" else {})
        return notebook
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = nbformat.from_dict(_METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        if cell.cell_type == "markdown":
            _attach_drawings(cell, source.parents[2] / "images")
        digest = hashlib.sha256(f"{cell.cell_type} {cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def _attach_drawings(cell: Any, folder: Path) -> None:
    # A notebook that is downloaded alone shows its drawings: they travel inside.
    for name in re.findall(r"\]\(\.\./images/(\w+)\.\w+\)", cell.source):
        cell.setdefault("attachments", {})[f"{name}.png"] = {"image/png": _in_few_colours(folder / f"{name}.png")}
    cell.source = re.sub(r"\]\(\.\./images/(\w+)\.\w+\)", r"](attachment:\1.png)", cell.source)


@cache
def _in_few_colours(path: Path) -> str:
    # A drawing as PNG in base64; 32 colours and 900 pixels take a third of the bytes.
    from PIL import Image

    small, drawing = io.BytesIO(), Image.open(path).convert("RGB")
    drawing.thumbnail((900, 900))
    drawing.quantize(32).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def execute(notebook: Any, folder: Path) -> None:
    """Run all cells in place, see `running`."""
    asyncio.run(running(notebook, folder))


async def running(
    notebook: Any, folder: Path, progress: Callable[[int, int], None] = lambda done, total: None, threads: int = 0
) -> None:
    """Run all cells in place, in `folder`, on the built-in cohort, whatever the user's own settings are.

    `progress` is called before each code cell with how many are done, and how many there are. TensorFlow computes in
    so many `threads`, or in as many as it likes. `CellFailed` tells of the first cell that fails; the outputs up to
    there stay.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    number = 0

    def starting(**_) -> None:
        # nbclient would take Ctrl-C for a dead kernel and let the caller go on: leave it to Python.
        for stop in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # on Windows it is left already
                asyncio.get_running_loop().remove_signal_handler(stop)

    def count(**_) -> None:
        nonlocal number
        progress(number, total)
        number += 1

    kernel = {"kernel_name": "python3", "extra_arguments": ["--log-level=CRITICAL"], "timeout": SECONDS}
    kept = {"record_timing": False, "store_widget_state": False, "coalesce_streams": True}
    hooks = {"on_notebook_start": starting, "on_cell_execute": count}
    client = NotebookClient(notebook, **kernel, **kept, **hooks, resources={"metadata": {"path": str(folder)}})
    settings = {"ECG_LESSONS_SOURCE": "sample", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    settings |= {f"TF_NUM_{kind}_THREADS": str(threads) for kind in ("INTRAOP", "INTEROP") if threads}
    with tempfile.TemporaryDirectory() as profile:
        try:
            await client.async_execute(env=os.environ | settings | {"IPYTHONDIR": profile})
        except CellExecutionError as error:
            reason = error.evalue.strip().split("\n")[0][:300]
            raise CellFailed(f"cell {number} failed with {error.ename}: {reason}") from None
        except CellTimeoutError:
            raise CellFailed(f"cell {number} took longer than {SECONDS // 60} minutes") from None
        except DeadKernelError:
            raise CellFailed(f"cell {number} ended the kernel, perhaps for lack of memory") from None
        finally:
            _tidy(notebook)
            describe(notebook)


def plain(markdown: str) -> str:
    """Give a line of Markdown without links, tags and marks."""
    text = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", markdown.replace("<br>", " "))
    return re.sub(r"<[^>]+>|[*`]", "", text).strip()


def describe(notebook: Any) -> None:
    """Give every figure an alternative text: what stands in italics at the beginning of the cell below it."""
    for cell, below in itertools.pairwise(notebook.cells):
        words = re.match(r"\*(?!\*)(.+?)\*(?!\*)", below.source, re.DOTALL) if below.cell_type == "markdown" else None
        for output in cell.get("outputs", ()):
            if words and "image/png" in output.get("data", {}):
                output.metadata["image/png"] = {"alt": " ".join(plain(words[1]).split())}


def _tidy(notebook) -> None:
    # Drop what differs between machines and runs: versions, times, the random ids of widgets.
    import nbformat

    notebook.metadata = nbformat.from_dict(_METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            for kind in ("application/vnd.jupyter.widget-view+json", "image/svg+xml"):
                output.get("data", {}).pop(kind, None)


def cover(notebook: Any) -> bytes | None:
    """Give the PNG that stands for a notebook: from the cell tagged ``cover``, else the first there is."""
    cells = sorted(notebook.cells, key=lambda cell: "cover" not in cell.metadata.get("tags", ()))
    shown = (output.get("data", {}).get("image/png") for cell in cells for output in cell.get("outputs", ()))
    return next((base64.b64decode(png) for png in shown if png), None)


def build(source: Path) -> Path:
    """Build and execute one notebook, and write it and its picture ``images/lesson-NN.png``, or neither."""
    import nbformat

    notebook = read(source)
    execute(notebook, source.parents[1])
    content = (nbformat.writes(notebook) + "\n").encode()
    if len(content) > BYTES:
        raise CellFailed(f"the notebook has {len(content) // 1000} kB, more than {BYTES // 1000}: draw smaller figures")
    files.write(target(source), content)
    if picture := cover(notebook):
        files.write(source.parents[2] / "images" / f"lesson-{source.stem[:2]}.png", picture)
    return target(source)


def difference(source: Path) -> str | None:
    """Say in one sentence how the stored notebook differs from its source, or None if it does not."""
    import nbformat

    path, remedy = target(source), "run 'make notebooks'"
    if not path.exists():
        return f"{path.name} is not built: {remedy}."
    stored, fresh = nbformat.read(path, as_version=4), read(source)
    kept = ("cell_type", "id", "source", "metadata", "attachments")
    for number, cell in enumerate(fresh.cells):
        if number >= len(stored.cells) or any(stored.cells[number].get(key) != cell.get(key) for key in kept):
            return f"{path.name} differs from its source in cell {number + 1}, counted from the top: {remedy}."
    if len(stored.cells) > len(fresh.cells):
        return f"{path.name} has more cells than its source: {remedy}."
    return None


def solved(source: Path, to: Path) -> Path:
    """Write a stored notebook into a folder, with the code of its folded solutions as last cells: for tests."""
    import nbformat

    notebook = nbformat.read(target(source), as_version=4)
    texts = " \n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for solution in re.findall(r"<summary>Solution</summary>(.*?)</details>", texts, re.DOTALL):
        for code in re.findall(r"```python\n(.*?)```", solution, re.DOTALL):
            cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["nbval-ignore-output"]})
            notebook.cells.append(cell)
    return files.write(to / target(source).name, (nbformat.writes(notebook) + "\n").encode())


def main() -> int:
    """Build or compare the notebooks; give 1 if one fails or differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="such as 01; all if none is given")
    parser.add_argument("--check", action="store_true", help="only compare the notebooks with their sources")
    parser.add_argument("--solved", type=Path, metavar="FOLDER", help="write copies with solutions as last cells")
    asked, status = parser.parse_args(), 0
    try:
        for source in [path for number in asked.numbers or [None] for path in sources(locate(), number)]:
            if asked.solved:
                solved(source, asked.solved)
                continue
            try:
                problem = difference(source) if asked.check else print(f"{build(source).name} is built.")
            except CellFailed as error:
                problem = f"{source.name}: {error}."
            if problem:
                print(problem, file=sys.stderr)
                status = 1
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
