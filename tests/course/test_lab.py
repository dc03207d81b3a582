"""The first minute in JupyterLab: it opens lesson 0, whose first cells run."""

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

TOKEN, SCHEME = {"token": "secret"}, "net::ERR_UNKNOWN_URL_SCHEME"


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
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{base}/api/status", TOKEN, timeout=5).ok


def test_it_opens_lesson_0_keeps_the_time_of_cells_and_asks_for_no_news(lab):
    base, _ = lab
    first = requests.get(base, TOKEN, allow_redirects=False, timeout=30)
    assert first.headers["Location"].partition("?")[0] == "/lab/tree/00_start_here.ipynb"

    def usual(plugin, name):
        told = requests.get(f"{base}/lab/api/settings/@jupyterlab/{plugin}", TOKEN, timeout=30).json()
        return told["schema"]["properties"][name]["default"]

    assert usual("notebook-extension:tracker", "recordTiming") is True
    assert usual("notebook-extension:tracker", "kernelStatus")["showJumpToRecentExecutionButton"] is True
    assert usual("apputils-extension:notification", "fetchNews") == "false"


def test_lesson_0_runs_in_the_browser(lab, browser):
    base, folder = lab
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    # JupyterLab asks once for each drawing by its name in the notebook, before it puts the drawing in that place.
    page.on(
        "console", lambda told: faults.append(told.text) if told.type == "error" and SCHEME not in told.text else None
    )
    ours = (base, base.replace("http", "ws"), "attachment:", "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(ours) else faults.append(asked.url))
    page.goto(f"{base}/?token=secret")
    page.get_by_role("tab", name="00_start_here.ipynb").wait_for(timeout=60_000)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
    every, end = len(_untimed(folder)), time.monotonic() + 150
    while (waiting := _untimed(folder)) and time.monotonic() < end:
        if len(waiting) == every:  # on a busy machine the menu is there before what it does
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            page.wait_for_timeout(10_000)
        page.wait_for_timeout(1000)
        page.keyboard.press("Control+s")
    assert not waiting
    assert page.locator(".jp-Notebook [data-mime-type*=stderr], .jp-Notebook [data-mime-type*=error]").count() == 0
    pictures = "[...document.querySelectorAll('.jp-Notebook img')]"
    page.wait_for_function(f"{pictures}.length && {pictures}.every((picture) => picture.naturalWidth)")
    assert page.locator(".jp-CodeCell .jp-OutputArea-output img").first.is_visible()
    page.screenshot(path=folder / "first.png")
    assert faults == [], "\n".join(faults)
    page.close()


def _untimed(folder):
    # The code cells of the saved notebook that have not run: the originals tell no times.
    cells = json.loads((folder / "00_start_here.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return [cell["source"] for cell in code if "shell.execute_reply" not in cell["metadata"].get("execution", {})]
