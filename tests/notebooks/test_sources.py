"""Each stored notebook is what its source says, ran from top to bottom, and keeps to the style of a lesson."""

import re
from pathlib import Path
from statistics import median

import nbformat
import pytest

from ecg_lessons.course import notebooks

FOLDER = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted((FOLDER / "source").glob("[0-9][0-9]_*.py"))
LESSONS = [source for source in SOURCES if source.stem[:2] != "00"]
ABSOLUTE = re.compile(r"(?<![\w.~:/])/(?:home|root|Users|work|workspaces|tmp|usr|var|opt)/|[A-Z]:\\\\")


def named(paths):
    return pytest.mark.parametrize("source", paths, ids=lambda path: path.stem)


def stored(source: Path):
    return nbformat.read(notebooks.target(source), as_version=4)


def code(source: Path):
    return [cell for cell in stored(source).cells if cell.cell_type == "code"]


def test_every_notebook_has_a_source():
    assert [path.stem for path in sorted(FOLDER.glob("*.ipynb"))] == [path.stem for path in SOURCES]
    assert SOURCES


@named(SOURCES)
def test_the_notebook_is_what_its_source_says(source):
    assert notebooks.difference(source) is None


@named(SOURCES)
def test_every_cell_ran_in_order_and_without_an_error(source):
    assert [cell.execution_count for cell in code(source)] == list(range(1, len(code(source)) + 1))
    kinds = {output.output_type for cell in code(source) for output in cell.outputs}
    assert kinds <= {"stream", "display_data", "execute_result"}
    said = [out.text for cell in code(source) for out in cell.outputs if out.get("name") == "stderr"]
    assert said == []


@named(SOURCES)
def test_no_absolute_path_is_stored(source):
    texts = [cell.source for cell in stored(source).cells]
    for cell in code(source):
        for output in cell.outputs:
            texts += [output.get("text", "")]
            texts += [str(data) for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
    assert [text for text in texts if ABSOLUTE.search(text)] == []


@named(SOURCES)
def test_few_outputs_are_left_unchecked(source):
    ignored = [cell for cell in code(source) if "nbval-ignore-output" in cell.metadata.get("tags", ())]
    assert len(ignored) <= len(code(source)) / 10


@named(SOURCES)
def test_the_notebook_is_small_and_its_pictures_are_png(source):
    assert notebooks.target(source).stat().st_size < notebooks.BYTES
    kinds = {kind for cell in code(source) for out in cell.outputs for kind in out.get("data", ())}
    assert {kind for kind in kinds if kind.startswith("image/")} == {"image/png"}
    picture = FOLDER.parent / "images" / f"lesson-{source.stem[:2]}.png"
    assert picture.read_bytes() == notebooks.cover(stored(source))


@named(SOURCES)
def test_formulas_can_be_read_offline(source):
    """The pages of 'make course' load nothing from the network, and so no MathJax."""
    formulas = [cell.source for cell in stored(source).cells if re.search(r"\$[^$\n]+\$|\\\(", cell.source)]
    assert [text for text in formulas if not text.lstrip().startswith(("import", "from"))] == []


@named(LESSONS)
def test_a_lesson_has_short_cells_of_one_idea(source):
    lines = sorted(len(cell.source.splitlines()) for cell in code(source))
    assert 25 <= len(lines) <= 40
    assert median(lines) <= 6
    assert sum(count < 15 for count in lines) >= 0.9 * len(lines)


@named(LESSONS)
def test_a_lesson_is_read_in_its_time(source):
    """Up to its exercises, and without what is folded, a lesson has at most 1,800 words."""
    prose = " ".join(cell.source for cell in stored(source).cells if cell.cell_type == "markdown")
    shown = re.sub(r"<details>.*?</details>", " ", prose, flags=re.DOTALL)
    lesson = re.split(r"## \d+ · Exercises", shown)[0]
    words = [len(re.findall(r"\w[\w'’.-]*", re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text))) for text in (prose, lesson)]
    assert words[0] >= 1200
    assert words[1] <= 1800


@named(LESSONS)
def test_a_lesson_begins_with_a_requirement_and_ends_with_a_verdict(source):
    text = "\n".join(cell.source for cell in stored(source).cells if cell.cell_type == "markdown")
    assert text.index("**A requirement:**") < text.index("**Verdict:**") < text.index("Exercises\n")


@named(SOURCES)
def test_three_exercises_of_rising_size_wait_to_be_written(source):
    text = "\n".join(cell.source for cell in stored(source).cells if cell.cell_type == "markdown")
    minutes = re.findall(r"^\*\*(?:One|Two|Three|[ABC])\*\* \((\d+) minutes\)", text, re.MULTILINE)
    assert minutes == ["5", "15", "40"]
    asked = [cell.source for cell in code(source) if "checks.expect(" in cell.source]
    assert asked
    for cell in asked:
        assert "..." in cell  # nothing is solved already


def test_new_words_stand_in_the_glossary():
    glossary = (FOLDER / "glossary.md").read_text(encoding="utf-8").lower()
    for source in SOURCES:
        for cell in stored(source).cells:
            for word in re.findall(
                r"(?<=[\s(])\*\*([a-z][\w -]+)\*\*", cell.source if cell.cell_type == "markdown" else ""
            ):
                assert word.split(",")[0].removesuffix("s").lower() in glossary, f"{source.stem}: {word}"


@named(SOURCES)
def test_every_figure_says_in_words_what_it_shows(source):
    pictures = [out for cell in code(source) for out in cell.outputs if "image/png" in out.get("data", {})]
    words = [out.metadata.get("image/png", {}).get("alt", "") for out in pictures]
    assert pictures
    assert min(map(len, words)) > 30
