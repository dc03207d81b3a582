"""The first minutes in JupyterLab: it opens lesson 0, which runs, and the figure of lesson 1 answers."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

import ecg_lessons
from ecg_lessons.evaluation.interactive import WAITS

TOKEN, TOUR = {"token": "secret"}, "ecg-lessons:tour"
#: What axe is asked of the tour: level A and AA.
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
#: What waits for Python is waited for as long as a busy machine needs, in milliseconds.
LONG = 150_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Give the address of a JupyterLab that knows no user's settings, and its folder."""
    place = tmp_path_factory.mktemp("lab")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "ecg_lessons", "lab", "--to", "Meine Übungen", "--no-browser", "--allow-root"]
    words += [f"--port={port}", "--IdentityProvider.token=secret", "--ServerApp.port_retries=0"]
    own = {f"JUPYTER_{name}_DIR": str(place / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{name}_DIR": str(place / name) for name in ("SETTINGS", "WORKSPACES")}
    own |= {"PYTHONPATH": str(Path(ecg_lessons.__file__).parents[1]), "IPYTHONDIR": str(place / "ipython")}
    with (place / "said").open("w") as said:
        process = subprocess.Popen(words, cwd=place, env=os.environ | own, stdout=said, stderr=said)
    base, end = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while not _answers(base):
            assert process.poll() is None, (place / "said").read_text()
            assert time.monotonic() < end, (place / "said").read_text()
            time.sleep(0.25)
        yield base, place / "Meine Übungen"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(base):
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{base}/api/status", TOKEN, timeout=5).ok


def test_it_opens_lesson_0_keeps_the_time_of_cells_and_asks_for_no_news(lab):
    base, _ = lab
    first = requests.get(base, TOKEN, allow_redirects=False, timeout=30)
    assert first.headers["Location"].partition("?")[0] == "/lab/tree/00_start_here.ipynb"

    def usual(plugin, name):
        return _settings(base, plugin)["schema"]["properties"][name]["default"]

    assert usual("@jupyterlab/notebook-extension:tracker", "recordTiming") is True
    assert usual("@jupyterlab/notebook-extension:tracker", "kernelStatus")["showJumpToRecentExecutionButton"] is True
    assert usual("@jupyterlab/apputils-extension:notification", "fetchNews") == "false"
    assert usual(TOUR, "offer") is True


def _settings(base, plugin):
    return requests.get(f"{base}/lab/api/settings/{plugin}", TOKEN, timeout=30).json()


@pytest.fixture
def visit(lab, browser):
    """Open a notebook in JupyterLab; give its page with what went wrong: errors, and requests to other hosts."""
    base, pages = lab[0], []
    ours = (base, base.replace("http", "ws"), "attachment:", "data:", "blob:")
    # JupyterLab asks once for each drawing by its name in the notebook, before it puts the drawing in that place.
    drawing = "net::ERR_UNKNOWN_URL_SCHEME"

    def open_page(path="", tour=False):
        raw = {"raw": json.dumps({"offer": tour})}
        assert requests.put(f"{base}/lab/api/settings/{TOUR}", json=raw, params=TOKEN, timeout=30).ok
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        pages.append(page)
        page.faults = faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda told: faults.append(told.text) if told.type == "error" and drawing not in told.text else None,
        )
        page.on("request", lambda asked: None if asked.url.startswith(ours) else faults.append(asked.url))
        page.goto(f"{base}/{path}?token=secret")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=LONG)
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=LONG)  # menus are there before
        return page

    yield open_page
    for page in pages:
        page.close()


def _run_all(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(".jp-InputPrompt", has_text="[*]").first.wait_for(timeout=LONG)


def test_a_tour_is_offered_once_and_goes_by_keyboard(lab, visit):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    base, page = lab[0], visit(tour=True)
    tour, titles = page.locator("dialog.ecg-tour"), []
    tour.wait_for(timeout=LONG)
    place = page.locator("#jp-main-statusbar").get_by_text("Cell 1/")
    cells = place.inner_text()
    page.keyboard.type("dd")  # would delete a cell, did it reach the notebook
    while tour.count():
        titles.append(tour.get_by_role("heading").inner_text())
        assert (tour.locator(".spot").bounding_box()["width"] > 0) == (len(titles) > 1), titles
        assert axe.run(page, context="dialog.ecg-tour", options=LEVELS).response["violations"] == []
        page.keyboard.press("Enter")
    assert titles[1:] == ["Run", "Wait, or stop", "Restart", "Check", "Solution", "Your copy"]
    assert place.inner_text() == cells
    end = time.monotonic() + 60
    while _settings(base, TOUR)["settings"]["offer"]:
        assert time.monotonic() < end, "it would come back"
    page.reload()
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=LONG)
    assert not tour.count()
    page.get_by_role("menuitem", name="Help", exact=True).click()
    page.get_by_role("menuitem", name="Tour of the First Minute").click()
    tour.wait_for()
    page.keyboard.press("Escape")
    tour.wait_for(state="detached")
    lesson = page.get_by_role("tab", name="00_start_here.ipynb")
    page.keyboard.press("Control+s")
    lesson.and_(page.locator(":not(.jp-mod-dirty)")).locator(".lm-TabBar-tabCloseIcon").click()
    tile = page.locator(".jp-Launcher-section", has_text="ECG Lessons").get_by_text("Start here: lesson 0")
    tile.wait_for()  # where nothing is open, JupyterLab shows its launcher
    page.screenshot(path=lab[1] / "launcher.png")
    tile.click()
    lesson.wait_for(timeout=LONG)
    page.locator(".jp-Notebook").get_by_role("heading", name="Start here").wait_for(timeout=LONG)
    assert page.faults == [], "\n".join(page.faults)


def test_lesson_0_runs_in_the_browser(lab, visit):
    folder, page = lab[1], visit()
    assert page.get_by_role("tab", name="00_start_here.ipynb").count()
    _run_all(page)
    _finish(page, folder / "00_start_here.ipynb")
    assert page.locator(".jp-Notebook [data-mime-type*=stderr]").count() == 0
    pictures = "[...document.querySelectorAll('.jp-Notebook img')]"
    page.wait_for_function(f"{pictures}.length && {pictures}.every((picture) => picture.naturalWidth)")
    assert page.locator(".jp-CodeCell .jp-OutputArea-output img").first.is_visible()
    page.screenshot(path=folder / "first.png")
    assert page.faults == [], "\n".join(page.faults)


def test_lesson_1_runs_to_its_end_and_its_figure_answers(lab, visit):
    name = "01_inversion_detection.ipynb"
    page = visit(f"lab/workspaces/one/tree/{name}")
    _run_all(page)
    choice, waits = page.locator(".widget-dropdown select"), page.get_by_text(WAITS).locator("visible=true")
    picture, drawn = page.locator(".widget-image:visible"), []

    def look():
        picture.wait_for(timeout=LONG)
        assert not waits.count()
        drawn.append(
            picture.evaluate("async (image) => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]")
        )

    choice.wait_for(timeout=LONG)
    look()
    choice.select_option("LA/RA")  # while the network of section 4 trains
    waits.wait_for()
    assert not picture.count()
    _finish(page, lab[1] / name)
    look()
    choice.select_option("V1-V6 reversed")
    look()
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    for _ in range(3):  # cells find their height when they come into sight
        picture.evaluate("(image) => image.scrollIntoView({ block: 'center' })")
        page.wait_for_timeout(500)
    page.screenshot(path=lab[1] / "second.png")
    assert page.faults == [], "\n".join(page.faults)


def _finish(page, notebook):
    # Wait until all code cells have run to their ends, without errors; exercises say that nobody has solved them yet.
    end, code = time.monotonic() + 900, _code(notebook)
    while waiting := [cell["source"] for cell in code or [{"source": "all"}] if not _has_run(cell)]:
        assert time.monotonic() < end, f"they have not run: {waiting}"
        assert page.locator(".jp-Dialog").all_inner_texts() == []  # as where the kernel has died
        page.wait_for_timeout(1000)
        page.keyboard.press("Control+s")
        code = _code(notebook)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    exercises = [cell for cell in code if "checks.expect(" in "".join(cell["source"])]
    unsolved = [cell for cell in exercises if "Until then the lesson uses ours." in json.dumps(cell["outputs"])]
    assert exercises == unsolved != []


def _code(notebook):
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except json.JSONDecodeError:  # it is being saved
        return []
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _has_run(cell):
    # The originals tell no times. An error would let all that follow wait for ever.
    assert [output for output in cell.get("outputs", []) if output["output_type"] == "error"] == []
    return "shell.execute_reply" in cell.get("metadata", {}).get("execution", {})
