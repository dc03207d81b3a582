"""All live pages: dark or light as chosen in the site's menu, else as the system is; and a phone under a finger."""

import pytest

from .conftest import stroke
from .stored import LIVE

PAGES = ["electrodes.html", "beat.html", "rhythm.html"]
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 25, 28)"}


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chosen_mode_counts_and_else_the_system(visit, name, scheme):
    page, other = visit(LIVE / name, scheme=scheme), {"light": "dark", "dark": "light"}[scheme]
    assert ground(page) == GROUND[scheme]
    for mode, wanted in ((other, other), ("auto", scheme)):
        page.evaluate(f"localStorage.setItem('mode', '{mode}')")
        page.reload()
        assert ground(page) == GROUND[wanted]
    page.emulate_media(color_scheme=other)
    page.wait_for_selector(f":root[data-theme={other}]")
    assert ground(page) == GROUND[other]
    assert page.faults == []


@pytest.mark.parametrize("name", PAGES)
def test_a_frame_follows_the_page_around_it(visit, name):
    page = visit(LIVE / "rhythm.html")
    page.evaluate(
        f"const frame = document.createElement('iframe'); frame.src = '{name}?inside'; document.body.append(frame)"
    )
    frame = page.frames[-1]
    frame.wait_for_load_state()
    for mode in ("dark", "light"):
        page.evaluate(f"localStorage.setItem('mode', '{mode}')")
        frame.wait_for_selector(f":root[data-theme={mode}]")
        assert ground(frame) == GROUND[mode]
    assert page.faults == []


@pytest.mark.parametrize("name", PAGES)
def test_a_browser_that_keeps_nothing_is_no_fault(visit, name):
    page = visit(LIVE / name, scheme="dark")
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })")
    page.reload()
    assert ground(page) == GROUND["dark"]
    assert page.faults == []


#: What a hand can press; in an svg, too.
TARGETS = ":is(button, select, input, [role=button], header p:first-child a):visible"


@pytest.mark.parametrize("name", PAGES)
def test_a_finger_hits_what_it_is_meant_for(visit, name):
    page = visit(LIVE / name, 390, touch=True)
    if name == "rhythm.html":
        page.evaluate("guess(0)")
    targets = page.locator(TARGETS)
    assert targets.count() >= 5
    for target in targets.all():
        target.scroll_into_view_if_needed()
        box, what = target.bounding_box(), target.evaluate("(one) => one.id || one.textContent")
        assert round(min(box["width"], box["height"]), 1) >= 24, what  # target size of WCAG 2.2, AA
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        assert target.evaluate("(one, middle) => one.contains(document.elementFromPoint(...middle))", middle), what
    assert page.faults == []


#: Of each page what one draws or drags on, and how far from the edge of a phone the page scrolls.
FIGURES = [("electrodes.html", "#torso", 20), ("beat.html", "#board", 20), ("rhythm.html", ".running", 195)]


@pytest.mark.parametrize(("name", "figure", "x"), FIGURES)
def test_a_finger_scrolls_beside_the_figure(visit, name, figure, x):
    page = visit(LIVE / name, 390, touch=True)
    if name == "rhythm.html":
        page.evaluate("guess(0)")
    box = page.locator(figure).bounding_box()
    assert x > 20 or box["x"] >= 40  # a finger's width
    stroke(page, *[(x, box["y"] + box["height"] - 40 * step) for step in range(6)])
    page.wait_for_function("scrollY > 50")


def test_a_finger_drags_and_scrolls_in_a_frame(visit):
    page = visit(LIVE / "rhythm.html", 390, touch=True)
    page.evaluate("""
        const frame = document.createElement("iframe");
        addEventListener("message", (told) => { frame.style.height = `${told.data + 8}px`; });
        Object.assign(frame, { src: "electrodes.html?inside", style: "width: 100%; border: 0" });
        document.body.prepend(frame)
    """)
    frame = page.frames[-1]
    frame.wait_for_load_state()
    page.wait_for_function("document.querySelector('iframe').clientHeight > 1000")
    circles = [frame.locator(f"#wire-{wire} circle").bounding_box() for wire in ("RA", "LA")]
    stroke(page, *((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in circles))
    assert frame.inner_text("#say").startswith("RA and LA exchanged.")
    assert page.evaluate("scrollY") == 0
    torso = frame.locator("#torso").bounding_box()
    stroke(page, *[(20, torso["y"] + 300 - 40 * step) for step in range(6)])
    page.wait_for_function("scrollY > 50")
    assert page.faults == []
