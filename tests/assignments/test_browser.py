"""What students write never runs in a browser of others: the page for marking, nbgrader's formgrader, the feedback."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import requests

from ecg_lessons.grading import assignments, grade, gradebook, sandbox

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
    pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal())),
]
FIRST = assignments.called("1")
MANUAL = [question for question in FIRST.questions if question.manual]
RUN = "window.pwned=1"
#: Each is tried in a text cell, in what a code cell prints, and in a code cell's source.
SCRIPTS = {
    "script": f"<script>{RUN}</script>",
    "onerror": f"<img src=x onerror='{RUN}'>",
    "svg": f"<svg onload='{RUN}'><script>{RUN}</script></svg>",
    "attribute": f"**a** <b onmouseover='{RUN}' style='position:fixed;inset:0'>move here</b>",
    "link": f"[click me](javascript:{RUN}) <a href='javascript:{RUN}'>me too</a>",
    "links": f"[click me] [r] [click me][r] [r]\n\n[r]: javascript:{RUN}\n\n![x](javascript:{RUN}) <javascript:{RUN}>",
    "math": f"$\\href{{javascript:{RUN}}}{{click me}}$ [click me](<java&#115;cript:{RUN}>)",
    "iframe": f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    "details": f"<details open ontoggle='{RUN}'>x</details>\n\n$<img src=x onerror='{RUN}'>$",
    "fence": f"```html\n</code></pre><script>{RUN}</script>\n```\n</script><script>{RUN}</script>",
}


def handed_in(text):
    """Make a submission that says the text wherever a student can."""
    notebook = FIRST.release()
    named = [cell.id for cell in notebook.cells if "nbgrader" in cell.metadata]
    # What the release itself computes has nothing to say here.
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown" or cell.id in named]
    solved = {cell.metadata["grade_id"]: cell for cell in FIRST.cells if cell.metadata.get("solution")}
    for cell in notebook.cells:
        if cell.id in solved and cell.cell_type == "code" and solved[cell.id].metadata.get("points"):
            cell.source = (
                f"from IPython.display import HTML, display\nprint({text!r})\ndisplay(HTML({text!r}))\n{text!r}"
            )
        elif cell.id in solved and cell.cell_type == "markdown":
            cell.source = text
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
    notebook.cells.append(nbformat.v4.new_code_cell(f"raise ValueError({text!r})"))
    return nbformat.writes(notebook)


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    (folder / "in").mkdir()
    for name, text in SCRIPTS.items():
        (folder / "in" / f"{name}.ipynb").write_text(handed_in(text), encoding="utf-8")
    grade.grade(folder / "in", FIRST, folder / "marks")
    return folder / "marks"


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("dialog", lambda dialog: (page.errors.append("a dialog"), dialog.dismiss()))
    yield page
    page.close()


@contextlib.contextmanager
def serving(words, cwd, ready):
    process = subprocess.Popen(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield ready(process)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.fixture(scope="module")
def marking(marks):
    words = [sys.executable, "-m", "ecg_lessons", "mark", str(marks), "--assignment", "1", "--no-browser"]

    def address(process):
        said = ""
        while "http://" not in said or "(Ctrl-C" not in said:  # the line may be wrapped
            line = process.stdout.readline()
            assert line, said
            said += line.strip() + " "
        return "".join(said[said.index("http://") : said.index("(Ctrl-C")].split())

    with serving(words, marks, address) as found:
        yield found


@pytest.fixture(scope="module")
def formgrader(marks):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    words += ["--IdentityProvider.token=secret", "--ServerApp.port_retries=0"]
    base = f"http://127.0.0.1:{port}"

    def answers(process):
        for _ in range(240):
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{base}/api/status?token=secret", timeout=5).ok:
                    return base
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.25)
        raise AssertionError("jupyter server does not answer")

    with serving(words, marks, answers) as found:
        yield found


def poke(page):
    """Move over everything and click every link: what waits for that must not run either."""
    for x in range(100, 1200, 100):
        page.mouse.move(x, 300)
    for link in page.get_by_text("click me").all() + page.get_by_text("me too").all():
        with contextlib.suppress(playwright.Error):
            link.click(timeout=500, no_wait_after=True)
    return page.evaluate("window.pwned")


def test_the_page_for_marking_runs_nothing_and_keeps_marks(page, marking, marks):
    requests_out = []
    page.on("request", lambda request: requests_out.append(request.url))
    page.goto(marking)
    for question in MANUAL:
        page.select_option("#question", question.grade_id)
        for number in range(len(SCRIPTS)):
            page.locator("#students button").nth(number).click()
            assert page.locator("#who").inner_text()
            assert poke(page) is None
    origin = marking.split("/?")[0]
    assert all(url.startswith((origin, "data:")) for url in requests_out)
    assert page.errors == []
    # Items by key, the sum, a comment, and undo.
    page.keyboard.press("1")
    page.keyboard.press("2")
    items = MANUAL[-1].items
    both = items[0][0] + items[1][0]
    assert page.input_value("#points") == f"{both:g}"
    page.fill("#words", "Well <b>said</b>.")
    page.locator("#words").blur()
    playwright.expect(page.locator("#kept")).to_have_text("kept")
    who, name = sorted(gradebook.names(marks, FIRST).items(), key=lambda pair: pair[1])[-1]
    assert page.locator("#who").inner_text() == name
    page.wait_for_function("sending.then(() => true)")
    mark = gradebook.marks(marks, FIRST)[who][MANUAL[-1].grade_id]
    assert (mark.points, mark.waits) == (both, False)
    assert mark.comment == f"✓ {items[0][0]:g} {items[0][1]}\n✓ {items[1][0]:g} {items[1][1]}\nWell <b>said</b>."
    page.locator("#undo").click()
    page.locator("#undo").click()
    page.wait_for_function("sending.then(() => true)")
    mark = gradebook.marks(marks, FIRST)[who][MANUAL[-1].grade_id]
    assert mark.points == items[0][0]
    assert mark.comment == f"✓ {items[0][0]:g} {items[0][1]}"
    if shots := os.environ.get("ECG_LESSONS_SHOTS"):
        page.screenshot(path=f"{shots}/mark.png")


def test_the_page_for_marking_asks_for_its_token(marking):
    origin = marking.split("/?")[0]
    for path in ("/", "/answers?question=alarm-words", "/?token=wrong"):
        assert requests.get(origin + path, timeout=10).status_code == 403
    assert requests.post(origin + "/mark", json={}, timeout=10).status_code == 403


def test_the_formgrader_runs_nothing(page, formgrader, marks):
    from nbgrader.api import Gradebook

    page.goto(f"{formgrader}/formgrader?token=secret")
    with Gradebook(f"sqlite:///{marks / 'gradebook.db'}") as book:
        ids = [one.id for one in book.notebook_submissions(FIRST.name, FIRST.name)]
    assert len(ids) == len(SCRIPTS)
    for number, one in enumerate(ids):
        page.goto(f"{formgrader}/formgrader/submissions/{one}/")
        assert page.locator(".nbgrader_cell, .score").count() > 0, "the boxes for points are there"
        page.wait_for_timeout(300)
        assert poke(page) is None, page.content()
        if shots := os.environ.get("ECG_LESSONS_SHOTS"):
            page.screenshot(path=f"{shots}/formgrader-{number}.png", full_page=True)


def test_the_feedback_runs_nothing(page, marks):
    for place in sorted((marks / FIRST.name / "feedback").glob("*.html")):
        page.goto(Path(place).as_uri())
        assert poke(page) is None
        if shots := os.environ.get("ECG_LESSONS_SHOTS"):
            page.screenshot(path=f"{shots}/feedback-{place.stem}.png", full_page=True)
    assert page.errors == []
