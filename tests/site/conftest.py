"""The site, built once, and a browser that tells of errors and of requests to other hosts."""

import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the site as `make site` does: from what is stored, and warnings are errors."""
    place = tmp_path_factory.mktemp("site")
    subprocess.run([sys.executable, CLONE / "site" / "assemble.py", place / "source"], check=True)
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", place / "source", place / "html"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "html"


@pytest.fixture
def visit(browser):
    """Open a page; give it with what went wrong: errors, and requests that leave the machine."""
    pages = []

    def open_page(path, width=1280, scheme="light", touch=False):
        view = {"width": width, "height": 900}
        page = browser.new_page(viewport=view, color_scheme=scheme, has_touch=touch, is_mobile=touch)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda told: page.faults.append(told.text) if told.type == "error" else None)
        local = ("file:", "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(local) else page.faults.append(asked.url))
        page.goto(path.absolute().as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def stroke(page, *points):
    """Let a finger come down, go on from point to point, and leave."""
    touch = page.context.new_cdp_session(page)
    for k, (x, y) in enumerate(points):
        kind = "touchMove" if k else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
