"""All live pages: dark or light as chosen in the site's menu, else as the system is."""

import pytest

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
