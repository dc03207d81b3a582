import asyncio
import io
import re
import time
from html.parser import HTMLParser

import nbformat
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from ecg_lessons import cli, machine
from ecg_lessons.course import course, notebooks

FIGURE = """# %% [markdown]
# # Lesson 1 · A <good> one
#
# ![A drawing](../images/drawing.png)
#
# | | |
# |---|---|
# | **Questions** | What is *this*? And that? |
# | **Minutes** | reading 2 · running 1 |

# %%
from pathlib import Path
with Path("ran.txt").open("a") as file:
    print(file.write("x"))

# %%
import base64
from IPython.display import Image
Image(base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
))

# %% [markdown]
# *One grey pixel.* It is small.
#
# 1. One?
# <details><summary>A *short* answer</summary>On one line.</details>
#
# 2. Two?
# <details><summary>Solution</summary>
#
# Some *emphasised* words.
#
# ```python
# answer = 42
# ```
#
# - an item
#
# </details>
#
# Below the fold.
"""


class Page(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    source = tmp_path / "notebooks" / "source"
    source.mkdir(parents=True)
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8), "white").save(tmp_path / "images" / "drawing.png")
    (source / "01_good.py").write_text(FIGURE)
    (source / "02_bad.py").write_text("# %% [markdown]\n# # Lesson 2 · A bad one\n\n# %%\n1 / 0\n")
    (source / "03_after.py").write_text('# %%\nprint("after")\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quiet():
    return Console(quiet=True)


def test_a_course_shows_what_ran_and_what_did_not_and_goes_on_from_there(clone):
    to = clone / "build" / "course"
    lessons = course.build(to, console=quiet())
    assert [lesson.state for lesson in lessons] == ["done", "failed", "done"]
    assert lessons[1].failure == "cell 1 failed with ZeroDivisionError: division by zero"

    page = Page(to / "index.html")
    assert page.all("html") == [{"lang": "en"}]
    assert [image["src"] for image in page.all("img")] == ["01_good.png"]
    assert all(image["alt"] for image in page.all("img"))
    linked = [link["href"] for link in page.all("a")]
    assert linked == ["01_good.html", "02_bad.html", "03_after.html"]
    assert all((to / name).exists() for name in linked)
    for text in ("A <good> one", "What is this?", "reading 2 · running 1", "✓ done", "✗ failed", "division by zero"):
        assert text in page.text
    assert "And that" not in page.text
    loaded = [attrs.get("src", "") + attrs.get("href", "") for _, attrs in page.tags]
    assert not [address for address in loaded if "//" in address]

    before = lessons[0].seconds
    (clone / "notebooks" / "source" / "02_bad.py").write_text("# %%\n1 / 1\n")
    again = course.build(to, console=quiet())
    assert [lesson.state for lesson in again] == ["done", "done", "done"]
    assert again[0].seconds == before
    assert (clone / "notebooks" / "ran.txt").read_text() == "x"  # once only


def test_a_page_of_a_lesson_works_offline_and_describes_its_figures(clone):
    to = clone / "out"
    course.build(to, "01", quiet())
    page = Page(to / "01_good.html")
    assert [image["alt"] for image in page.all("img")] == ["A drawing", "One grey pixel."]
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert not [script for script in page.all("script") if script.get("src")]
    assert {"href": "index.html"}.items() <= page.all("a")[0].items()
    stored = nbformat.read(to / "01_good.ipynb", as_version=4)
    assert stored.cells[1].execution_count == 1
    assert "image/png" in stored.cells[0].attachments["drawing.png"]


def test_a_solution_lies_inside_its_fold(clone):
    to = clone / "out"
    course.build(to, "01", quiet())
    text = (to / "01_good.html").read_text(encoding="utf-8")
    assert not re.search(r"</summary>\s*</details>", text)
    short, long = re.findall(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", text, re.DOTALL)
    assert short[0] == "A <em>short</em> answer"
    assert short[1].strip() == "<p>On one line.</p>"
    assert long[0] == "Solution"
    for part in ("<em>emphasised</em>", '<span class="n">answer</span>', "<li>an item</li>"):
        assert part in long[1]
    below = text.split("</details>")[-1]
    assert "Below the fold." in below
    assert '<ol start="2">' in text  # the second question keeps its number
    assert not re.search("[\ue000-\ue002]", text)


def test_a_changed_package_runs_again(clone, monkeypatch):
    source = clone / "notebooks" / "source" / "01_good.py"
    before = course._digest(source)
    (clone / "package").mkdir()
    (clone / "package" / "new.py").write_text("")
    monkeypatch.setattr(course, "__file__", str(clone / "package" / "course" / "course.py"))
    assert course._digest(source) != before


def test_the_command_names_the_page_and_fails_with_a_failed_lesson(clone):
    run = CliRunner().invoke(cli.app, ["course", "03", "--to", "out"])
    assert run.exit_code == 0
    assert "Open out/index.html" in run.output
    assert "not run" in Page(clone / "out" / "index.html").text
    run = CliRunner().invoke(cli.app, ["course", "02", "--to", "out"])
    assert run.exit_code == 1
    assert "02 A bad one: cell 1 failed with ZeroDivisionError" in run.output


def test_one_lesson_by_its_number_and_no_other(clone):
    run = CliRunner().invoke(cli.app, ["course", "3", "--to", "out"])
    assert run.exit_code == 0
    assert not list((clone / "out").glob("01_*"))
    refused = CliRunner().invoke(cli.app, ["course", "9", "--to", "out"])
    assert "choose" in str(refused.exception)


def test_the_time_left_is_that_of_what_runs_and_what_waits(clone, monkeypatch):
    """A table says a minute for the first; the others, which say nothing, count two."""
    lessons = [course.Lesson(source, notebooks.read(source)) for source in notebooks.sources(clone / "notebooks")]
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "MEMORY", 1)
    alone, pair = (course._Running(clone, quiet(), lessons, list(lessons), jobs) for jobs in (1, 2))
    assert (alone.lanes, pair.lanes, pair.threads) == (1, 2, 2)
    assert (alone.seconds_left(), pair.seconds_left()) == (300, 150)
    now = time.monotonic()
    monkeypatch.setattr(course.time, "monotonic", lambda: now + 90)
    for running in (alone, pair):  # the first took four times its time, the second began 90 s ago: twice, they say
        lessons[0].seconds = 240
        running.ran, running.began = [running.waiting.pop(0)], {running.waiting.pop(0).source.stem: now}
    assert alone.seconds_left() == 240 - 90 + 240
    assert pair.seconds_left() == 240  # the last is begun only now, and takes twice its two minutes
    monkeypatch.setattr(machine, "MEMORY", 10**18)
    assert course._Running(clone, quiet(), lessons, list(lessons), 2).lanes == 1  # no room for two
    assert course.left(390) == "about 6 min left"
    assert course.left(59) == "less than a minute left"


def test_lessons_run_side_by_side(clone, monkeypatch):
    at_work, most = set(), []

    async def running(notebook, folder, progress, threads):
        at_work.add(id(notebook))
        most.append((len(at_work), threads))
        await asyncio.sleep(0.2)
        at_work.discard(id(notebook))

    monkeypatch.setattr(notebooks, "running", running)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "MEMORY", 1)
    course.build(clone / "two", None, quiet())
    assert most == [(1, 1), (2, 1), (2, 1)]
    most.clear()
    course.build(clone / "one", None, quiet(), jobs=1)
    assert most == [(1, 0)] * 3


def test_a_log_has_one_line_a_lesson_and_a_terminal_one_that_is_rewritten(clone):
    def written(to, terminal):
        course.build(clone / to, None, Console(file=(said := io.StringIO()), force_terminal=terminal, width=80), jobs=1)
        return re.sub(r"done in \d+ s", "done in 1 s", said.getvalue())

    assert written("log", terminal=False).splitlines() == [
        "3 of 3 lessons to run, about 5 min left",
        "01 A <good> one: done in 1 s; about 3 min left",  # two of two minutes each, and this one took seconds of one
        "02 A bad one: cell 1 failed with ZeroDivisionError: division by zero; less than a minute left",
        "03 after: done in 1 s",
    ]
    assert written("log", terminal=False).splitlines()[:3] == [
        "01 A <good> one: done before",
        "03 after: done before",
        "1 of 3 lessons to run, about 2 min left",
    ]
    source = clone / "notebooks" / "source" / "01_good.py"
    source.write_text(source.read_text().replace("A <good> one", "A title that is as long as " + "very " * 9 + "long"))
    shown = written("terminal", terminal=True)
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert re.search(r"Lessons done.* 0 of 3 .*about 5 min left", plain)
    assert re.search(r"A title that is as.*….*cell +2 of 2", plain)
    assert "\r" in shown


def test_every_lesson_says_how_long_it_runs():
    """The time that is left stands on it."""
    sources = notebooks.sources(notebooks.locate())
    lessons = [course.Lesson(source, notebooks.read(source)) for source in sources]
    assert [lesson.number for lesson in lessons if not re.search(r"running \d", lesson.minutes)] == []


def test_a_stop_by_the_user_is_no_failure(clone, monkeypatch):
    async def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(notebooks, "running", stopped)
    with pytest.raises(KeyboardInterrupt):
        course.build(clone / "out", "03", quiet())
    assert not (clone / "out" / "03_after.ipynb").exists()
    assert "3 not run" in Page(clone / "out" / "index.html").text
