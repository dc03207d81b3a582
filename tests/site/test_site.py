"""The site: no page asks another host, errs, or scrolls sideways; axe finds nothing; links lead somewhere."""

import re
from itertools import pairwise

import pytest

from .conftest import CLONE

#: What axe is asked of each page: level A and AA, and only for what is wrong, which costs half.
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
PAGES = [
    "index.html",
    "electrodes.html",
    "beat.html",
    "rhythm.html",
    "results.html",
    "notebooks/01_inversion_detection.html",
]
#: What is done first, so that all of a page can be seen.
FIRST = {"rhythm.html": "guess(0)"}
#: Asked at one width and scheme each: they have nothing that the others have not.
ONCE = {
    (390, "dark"): ["api/signals.html", "limits.html", "get_the_course.html", "notebooks/glossary.html"],
    (390, "light"): ["data/README.html", "notebooks/06_infarction_transfer.html", "syllabus.html"],
    (1280, "light"): ["syllabus.html"],
}


def test_every_link_and_picture_is_there(site):
    lacking = []
    for page in (page for page in site.rglob("*.html") if "_static" not in page.parts):
        for target in re.findall(r'(?:href|src)="([^"#?]+)[^"]*"', page.read_text(encoding="utf-8")):
            if not re.match(r"https?:|mailto:|data:|javascript:", target) and not (page.parent / target).exists():
                lacking.append(f"{page.relative_to(site)}: {target}")
    assert lacking == []


def test_words_lead_to_their_place_in_the_glossary(site):
    text = (site / "notebooks" / "glossary.html").read_text(encoding="utf-8")
    places = re.findall(r'<a id="([\w-]+)" href="#\1"', text)
    assert len(places) == len(set(places)) > 100
    links = {
        page.stem: re.findall(r'glossary\.html#([\w-]+)"', page.read_text("utf-8")) for page in site.rglob("*.html")
    }
    assert {name for names in links.values() for name in names} <= set(places)
    assert links["results"] == ["macro-f1"]
    assert {"sensitivity", "fold"} <= set(links["01_inversion_detection"])
    assert all(links[path.stem] for path in (CLONE / "notebooks").glob("[0-9]*.ipynb"))


def test_lessons_follow_one_another_and_have_their_figures_in_words(site):
    lessons = sorted(path.stem for path in (CLONE / "notebooks").glob("[0-9]*.ipynb"))
    for this, following in pairwise(lessons):
        text = (site / "notebooks" / f"{this}.html").read_text(encoding="utf-8")
        assert f'{following}.html" title="next page"' in re.sub(r"\s+", " ", text)
        assert 'alt=""' not in re.findall(r"<article.*</article>", text, re.DOTALL)[0]
    assert max(page.stat().st_size for page in site.rglob("*.html")) < 2**20


def test_the_three_numbers_are_those_that_are_stored(site):
    text = (site / "results.html").read_text(encoding="utf-8")
    assert all(number in text for number in ("99.1", "77.6", "92.8", "87.1"))  # claimed, honest, claimed, adapted


def test_a_phone_has_the_contents_too(site, visit):
    page = visit(site / "syllabus.html", 390)
    assert not page.locator("dialog[open]").count()
    page.locator("button.primary-toggle:visible").click()
    page.locator("dialog[open]").get_by_role("link", name="Glossary").wait_for()


@pytest.mark.parametrize("name", ["syllabus.html", "notebooks/01_inversion_detection.html"])
def test_on_a_phone_rows_of_words_are_cards(site, visit, name):
    def corners(width):
        row = visit(site / name, width).locator(".bd-article tbody tr").first
        return [(box["x"], box["y"]) for box in (cell.bounding_box() for cell in row.locator("td").all())]

    wide, narrow = corners(1280), corners(390)
    assert len({y for _, y in wide}) == 1
    assert len({x for x, _ in narrow}) == 1
    assert len({y for _, y in narrow}) == len(wide)


@pytest.mark.parametrize("width", [390, 1280])
def test_there_is_one_way_to_search(site, visit, width):
    assert visit(site / "syllabus.html", width).locator("button.search-button__button:visible").count() == 1


def test_notebooks_are_there_to_take_along(site):
    for path in (*CLONE.glob("notebooks/*.ipynb"), *CLONE.glob("assignments/release/*.ipynb")):
        assert (site / "download" / path.name).read_bytes() == path.read_bytes()
        assert f'download/{path.name}"' in (site / path.relative_to(CLONE)).with_suffix(".html").read_text("utf-8")


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_err_nowhere_ask_nobody_and_do_not_scroll_sideways(site, visit, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    schemes = {name: ["light", "dark"] for name in PAGES}
    for scheme in ("light", "dark"):
        schemes |= {name: [scheme] for name in ONCE.get((width, scheme), [])}
    for name, asked in schemes.items():
        page = visit(site / name, width, asked[0])
        page.evaluate(FIRST.get(name, "null"))
        for scheme in asked:  # opened once, as a system that turns dark leaves a page open
            page.emulate_media(color_scheme=scheme)
            page.wait_for_selector(f":root[data-theme={scheme}]")
            assert page.faults == [], name  # before axe, which reads style sheets in a way that a file forbids
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            found = axe.run(page, options=LEVELS).response["violations"]
            told = [f"{one['id']}: {one['nodes'][0]['html'][:150]} ({len(one['nodes'])})" for one in found]
            assert told == [], (name, scheme)
            page.faults.clear()
        page.close()
