"""The whole course on one page: run the lessons on the built-in cohort and write them as HTML.

A page for each lesson, and one that shows them all.
"""

import asyncio
import hashlib
import html
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from ecg_lessons import files, machine
from ecg_lessons.course import notebooks

#: Lessons side by side: on two cores the course took 5 min 17 s, and one after the other 7 min 24 s before that.
JOBS = 2
#: Seconds of a lesson whose table says nothing.
USUAL = 120.0
_INDEX = Path(__file__).with_name("index.html")
_TOP = """<style>main { max-width: 64rem; margin: 0 auto; }</style>
<nav aria-label="Course"><a href="index.html">All lessons</a></nav>"""
#: What nbconvert writes for a figure.
# nbconvert's page with the stored description of each figure, which it leaves out.
_TEMPLATE = """{% extends 'lab/index.html.j2' %}
{%- block data_png scoped -%}
{%- set alt = output | get_metadata('alt', 'image/png') or resources.metadata.name -%}
{{ super() | replace('<img', '<img alt="' ~ (alt | escape_html) ~ '"') }}
{%- endblock -%}"""
#: Stand for the tags of a folded block on the way through nbconvert: characters that no text uses.
_FOLD, _TITLED, _UNFOLD = "\ue000", "\ue001", "\ue002"


@dataclass
class Lesson:
    """One lesson as the page shows it; title, question and minutes come from the head of its notebook."""

    source: Path
    notebook: Any
    seconds: float | None = None
    failure: str = ""

    @property
    def number(self) -> str:
        """Two digits."""
        return self.source.stem[:2]

    @property
    def title(self) -> str:
        """The first heading, without its number."""
        found = re.search(r"^# +(?:Lesson )?[\d·:. –-]*(.+)$", self._text, re.MULTILINE)
        return found[1].strip() if found else self.source.stem[3:].replace("_", " ")

    @property
    def question(self) -> str:
        """The first question of the table at the top."""
        asked = notebooks.plain(self._row("question")).split("?")
        return f"{asked[0].strip()}?" if len(asked) > 1 else asked[0]

    @property
    def minutes(self) -> str:
        """What the table at the top says about minutes."""
        return notebooks.plain(self._row("minutes"))

    @property
    def expected(self) -> float:
        """How many seconds it runs on two cores, by its own table: two minutes where that does not say."""
        found = re.search(r"running (\d+)", self.minutes)
        return 60.0 * int(found[1]) if found else USUAL

    @property
    def state(self) -> str:
        """Say "done", "failed" or "not run"."""
        return "failed" if self.failure else "not run" if self.seconds is None else "done"

    @property
    def _text(self) -> str:
        return "\n".join(cell.source for cell in self.notebook.cells[:6] if cell.cell_type == "markdown")

    def _row(self, name: str) -> str:
        found = re.search(rf"^\| *\**{name}[^|]*\| *(.*?) *\|? *$", self._text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""


def page(lesson: Lesson) -> str:
    """Write the notebook as one HTML file, with a way back to the index.

    A figure without a caption has the title of the lesson for its alternative text.
    """
    import nbformat
    from nbconvert import HTMLExporter

    offline = {"embed_images": True, "require_js_url": "", "mathjax_url": ""}  # nothing from the network
    exporter = HTMLExporter(raw_template=_TEMPLATE, exclude_input_prompt=True, exclude_output_prompt=True, **offline)
    shown = nbformat.from_dict(lesson.notebook)
    shown.cells = [nbformat.v4.new_markdown_cell(_TOP), *shown.cells]
    for cell in shown.cells:
        if cell.cell_type == "markdown":
            source = cell.source.replace(".ipynb)", ".html)")  # a link leads to the page of a lesson
            # Marks, paragraphs of their own, stand for the tags of folded blocks: nbconvert cleans the HTML of one
            # paragraph at a time, and would close a tag whose end stands in another.
            marks = rf"\n\n{_FOLD}\1{_TITLED}\n\n"
            source = re.sub(r"<details>\s*<summary>(.*?)</summary>", marks, source, flags=re.DOTALL)
            cell.source = source.replace("</details>", f"\n\n{_UNFOLD}\n\n")
    text = exporter.from_notebook_node(shown, {"metadata": {"name": lesson.title}})[0].replace(
        f"<p>{_UNFOLD}</p>", "</details>"
    )
    return re.sub(rf"<p>{_FOLD}(.*?){_TITLED}</p>", r"<details><summary>\1</summary>", text, flags=re.DOTALL)


def index(lessons: Sequence[Lesson], to: Path) -> str:
    """Write the page that shows all lessons; pictures and pages that it links to lie in `to`."""
    states = [lesson.state for lesson in lessons]
    counts = (f"{states.count(state)} {state}" for state in ("done", "failed", "not run") if state in states)
    shown = {"rows": "\n".join(_row(lesson, to) for lesson in lessons), "summary": ", ".join(counts)}
    return Template(_INDEX.read_text(encoding="utf-8")).substitute(shown, date=time.strftime("%d %B %Y"))


def _row(lesson: Lesson, to: Path) -> str:
    stem, title = lesson.source.stem, html.escape(lesson.title)
    picture, link = "", f'<a href="{stem}.html">{title}</a>' if (to / f"{stem}.html").exists() else title
    if (to / f"{stem}.png").exists():
        picture = f'<img src="{stem}.png" alt="A figure of the lesson {title}" loading="lazy">'
    sign = {"done": "✓", "failed": "✗", "not run": "–"}[lesson.state]
    why = f"<small>{html.escape(lesson.failure)}</small>" if lesson.failure else ""
    cells = (
        ("", "picture", picture),
        ("It answers", "question", html.escape(lesson.question)),
        ("Minutes", "minutes", html.escape(lesson.minutes)),
        ("Time here", "time", "" if lesson.seconds is None else duration(lesson.seconds)),
        ("State", f"state {lesson.state.replace(' ', '-')}", f"{sign} {lesson.state}{why}"),
    )
    row = "".join(f'<td class="{kind}" data-label="{label}">{inner}</td>' for label, kind, inner in cells)
    return f'<tr><th scope="row"><span>{lesson.number}</span>{link}</th>{row}</tr>'


def duration(seconds: float) -> str:
    """Write a time as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def build(to: Path, only: str | None = None, console: Console | None = None, jobs: int = JOBS) -> list[Lesson]:
    """Run the lessons, or one; write executed notebooks, a page each, and ``index.html``, and give their states.

    So many `jobs` run side by side, never more than there are cores, or fit into free memory. What is done in `to` and
    has not changed since is not run again, so that an interrupted course goes on where it stopped. A lesson that fails
    does not stop the others.
    """
    console = console or Console()
    folder = notebooks.to_run()
    chosen = notebooks.sources(folder, only)
    lessons = [Lesson(source, notebooks.read(source)) for source in notebooks.sources(folder)]
    for lesson in lessons:
        _recall(lesson, to)
    files.write(to / "index.html", index(lessons, to))
    asked = [lesson for lesson in lessons if lesson.source in chosen]
    for lesson in asked:
        if lesson.state == "done":
            console.print(f"{lesson.number} {lesson.title}: done before", markup=False)
    if waiting := [lesson for lesson in asked if lesson.state != "done"]:
        asyncio.run(_Running(to, console, lessons, waiting, jobs).all())
    return asked


def left(seconds: float) -> str:
    """Say about how much time something still takes."""
    return "less than a minute left" if seconds < 60 else f"about {round(seconds / 60)} min left"


class _Running:
    """Lessons that run side by side, each in a process of its own, and what is told of them."""

    def __init__(self, to: Path, console: Console, lessons: list[Lesson], waiting: list[Lesson], jobs: int) -> None:
        self.to, self.console, self.lessons, self.waiting = to, console, lessons, waiting
        self.lanes = machine.side_by_side(jobs, len(waiting))
        # More threads than cores would wait for one another; of one lesson at a time TensorFlow knows best.
        self.threads = machine.cores() // self.lanes if self.lanes > 1 else 0
        self.began: dict[str, float] = {}
        self.ran: list[Lesson] = []

    async def all(self) -> None:
        """Run all that wait."""
        self.console.print(f"{len(self.waiting)} of {len(self.lessons)} lessons to run, {left(self.seconds_left())}")
        # On one line of 80 characters: a long title is cut.
        title = Column(no_wrap=True, overflow="ellipsis", max_width=max(self.console.width - 52, 12))
        columns = (
            TextColumn("{task.description}", markup=False, table_column=title),
            BarColumn(12),
            TextColumn("{task.fields[what]} {task.completed} of {task.total}"),
            _Left(self.seconds_left),
        )
        hidden = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=hidden) as bar:
            whole = bar.add_task("Lessons done", total=len(self.waiting), what="", whole=True)
            await asyncio.gather(*(self._lane(bar, whole) for _ in range(self.lanes)))

    def seconds_left(self) -> float:
        """Reckon with lessons as slow as those that ran; what their tables say counts as one more that ran."""
        slow = (sum(one.seconds for one in self.ran) + USUAL) / (sum(one.expected for one in self.ran) + USUAL)
        whole = {one.source.stem: slow * one.expected for one in self.lessons}
        rests = [whole[stem] - (time.monotonic() - since) for stem, since in self.began.items()]
        rests += [slow * one.expected for one in self.waiting]
        return max(sum(max(rest, 0) for rest in rests) / self.lanes, 0, *rests)

    async def _lane(self, bar: Progress, whole: TaskID) -> None:
        while self.waiting:
            lesson = self.waiting.pop(0)
            await self._run(lesson, bar)
            self.ran.append(lesson)
            bar.advance(whole)
            told = lesson.failure or f"done in {duration(lesson.seconds)}"
            more = f"; {left(self.seconds_left())}" if self.waiting or self.began else ""
            self.console.print(f"{lesson.number} {lesson.title}: {told}{more}", markup=False, soft_wrap=True)
            files.write(self.to / "index.html", index(self.lessons, self.to))

    async def _run(self, lesson: Lesson, bar: Progress) -> None:
        self.began[lesson.source.stem], digest = time.monotonic(), _digest(lesson.source)
        folder = lesson.source.parents[1] if lesson.source.suffix == ".py" else self.to
        lesson.notebook, lesson.failure = notebooks.read(lesson.source), ""
        cells = sum(cell.cell_type == "code" for cell in lesson.notebook.cells)
        task = bar.add_task(f"{lesson.number} {lesson.title}", total=cells, what="cell ", whole=False)

        def count(done: int, of: int) -> None:
            bar.update(task, completed=done + 1, total=of)

        try:
            await notebooks.running(lesson.notebook, folder, count, self.threads)
        except notebooks.CellFailed as error:
            lesson.failure = str(error)
        bar.remove_task(task)
        lesson.seconds = round(time.monotonic() - self.began.pop(lesson.source.stem), 1)
        _write(lesson, self.to, {"digest": digest, "seconds": lesson.seconds, "failure": lesson.failure})


class _Left(ProgressColumn):
    """About how much time the whole course still takes."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__(Column(no_wrap=True))
        self._seconds = seconds

    def render(self, task: Task) -> Text:
        """Say it once, beside the lessons that are done."""
        return Text(left(self._seconds()) if task.fields["whole"] else "")


def _write(lesson: Lesson, to: Path, about: dict) -> None:
    import nbformat

    notebook, stem = lesson.notebook, lesson.source.stem
    notebook.metadata["ecg_lessons"] = about
    (to / f"{stem}.png").unlink(missing_ok=True)
    if picture := notebooks.cover(notebook):
        files.write(to / f"{stem}.png", picture)
    files.write(to / f"{stem}.html", page(lesson))
    # The notebook comes last: it carries the mark that the lesson is done.
    files.write(to / f"{stem}.ipynb", nbformat.writes(notebook))


def _digest(source: Path) -> str:
    # Name the state of the lesson and of the package that it imports, with its tables.
    package = Path(__file__).parents[1].rglob("*")
    parts = [source, *sorted(path for path in package if path.suffix in (".py", ".toml", ".txt"))]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def _recall(lesson: Lesson, to: Path) -> None:
    # Take over what an earlier call left in `to`, if the lesson has not changed since.
    import nbformat

    try:
        stored = nbformat.read(to / f"{lesson.source.stem}.ipynb", as_version=4)
    except (OSError, ValueError):  # not there, or not a notebook
        return
    about = stored.metadata.get("ecg_lessons", {})
    if about.get("digest") == _digest(lesson.source):
        lesson.notebook, lesson.seconds, lesson.failure = stored, about["seconds"], about["failure"]
