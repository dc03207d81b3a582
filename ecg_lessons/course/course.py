"""The whole course on one page: run the lessons on the built-in cohort and write them as HTML."""

import hashlib
import os
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ecg_lessons import files
from ecg_lessons.course import notebooks, pages


def build(to: Path, only: str | None = None, console: Console | None = None) -> list[pages.Lesson]:
    """Run the lessons, or one; write executed notebooks, a page each, and ``index.html``, and give their states.

    What is done in `to` and has not changed since is not run again, so that an interrupted course goes on where it
    stopped. A lesson that fails does not stop the others.
    """
    console = console or Console()
    folder = notebooks.locate()
    chosen = notebooks.sources(folder, only)
    lessons = [pages.Lesson(source, notebooks.read(source)) for source in notebooks.sources(folder)]
    for lesson in lessons:
        _recall(lesson, to)
    files.write(to / "index.html", pages.index(lessons, to))
    asked = [lesson for lesson in lessons if lesson.source in chosen]
    for lesson in asked:
        if lesson.state == "done":
            console.print(f"{lesson.number} {lesson.title}: done before", markup=False)
            continue
        _run(lesson, to, console)
        files.write(to / "index.html", pages.index(lessons, to))
    return asked


def _run(lesson: pages.Lesson, to: Path, console: Console) -> None:
    began, digest = time.monotonic(), _digest(lesson.source)
    lesson.notebook, lesson.failure = notebooks.read(lesson.source), ""
    name = f"{lesson.number} {lesson.title}"
    told, counted = TextColumn("{task.description}", markup=False), TextColumn("cell {task.completed} of {task.total}")
    columns = (told, BarColumn(), counted, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done + 1, total=total)

        try:
            notebooks.execute(lesson.notebook, lesson.source.parents[1], progress)
        except notebooks.CellFailed as error:
            lesson.failure = str(error)
    lesson.seconds = round(time.monotonic() - began, 1)
    _write(lesson, to, {"digest": digest, "seconds": lesson.seconds, "failure": lesson.failure})
    outcome = lesson.failure or f"done in {pages.duration(lesson.seconds)}"
    console.print(f"{name}: {outcome}", markup=False)


def _write(lesson: pages.Lesson, to: Path, about: dict) -> None:
    import nbformat

    notebook, stem = lesson.notebook, lesson.source.stem
    notebook.metadata["ecg_lessons"] = about
    (to / f"{stem}.png").unlink(missing_ok=True)
    if picture := notebooks.cover(notebook):
        files.write(to / f"{stem}.png", picture)
    files.write(to / f"{stem}.html", pages.page(lesson))
    drawings = Path(os.path.relpath(lesson.source.parents[2] / "images", to)).as_posix()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../images/", f"]({drawings}/")
    # The notebook comes last: it carries the mark that the lesson is done.
    files.write(to / f"{stem}.ipynb", nbformat.writes(notebook))


def _digest(source: Path) -> str:
    # Name the state of the lesson and of the package that it imports, with its tables.
    package = sorted(Path(__file__).parents[1].rglob("*"))
    parts = [source, *(path for path in package if path.suffix in (".py", ".toml", ".txt"))]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def _recall(lesson: pages.Lesson, to: Path) -> None:
    # Take over what an earlier call left in `to`, if the lesson has not changed since.
    import nbformat

    try:
        stored = nbformat.read(to / f"{lesson.source.stem}.ipynb", as_version=4)
    except (OSError, ValueError):  # not there, or not a notebook
        return
    about = stored.metadata.get("ecg_lessons", {})
    if about.get("digest") == _digest(lesson.source):
        lesson.notebook, lesson.seconds, lesson.failure = stored, about["seconds"], about["failure"]
