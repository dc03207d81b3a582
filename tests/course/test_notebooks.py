import re
import sys

import nbformat
import pytest

from ecg_lessons.course import notebooks
from ecg_lessons.errors import InputError

# A PNG of one pixel stands for a figure.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
GOOD = f"""# %% [markdown]
# # Lesson 7 · A good one

# %%
import os
print(os.environ["ECG_LESSONS_SOURCE"], os.path.basename(os.getcwd()))

# %%
from IPython.display import Image
import base64
Image(base64.b64decode("{PIXEL}"))

# %%
2 + 2

# %%
2 + 2
"""
BAD = """# %%
1 + 1

# %%
raise ValueError("no <leads>\\nsecond line")

# %%
print("never")
"""


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Give a folder like a clone with one good notebook."""
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "notebooks" / "source" / "07_good.py").write_text(GOOD)
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setenv("ECG_LESSONS_SOURCE", "physionet")
    return tmp_path


def test_a_clone_is_found_from_inside(clone, monkeypatch, tmp_path):
    assert notebooks.locate() == clone / "notebooks"
    monkeypatch.setattr(notebooks, "__file__", str(tmp_path / "a" / "b" / "c" / "notebooks.py"))
    monkeypatch.chdir("/")
    with pytest.raises(InputError, match="run this inside the clone"):
        notebooks.locate()


def test_an_unknown_number_is_refused_and_the_known_ones_named(clone):
    assert [path.stem for path in notebooks.sources(clone / "notebooks", "07")] == ["07_good"]
    with pytest.raises(InputError, match="no lesson '12': choose 07"):
        notebooks.sources(clone / "notebooks", "12")


def test_ids_follow_from_the_cells_and_stay_when_others_change(clone):
    source = clone / "notebooks" / "source" / "07_good.py"
    before = [cell.id for cell in notebooks.read(source).cells]
    assert before == [cell.id for cell in notebooks.read(source).cells]
    assert len(set(before)) == len(before)  # also of the two equal cells
    source.write_text(GOOD.replace("import base64", "import base64 as _"))
    after = [cell.id for cell in notebooks.read(source).cells]
    assert [one == two for one, two in zip(before, after, strict=True)] == [True, True, False, True, True]


def test_a_notebook_is_built_compared_and_built_to_the_same_bytes(clone, monkeypatch, capsys):
    source = clone / "notebooks" / "source" / "07_good.py"
    assert "is not built" in notebooks.difference(source)
    built = notebooks.build(source)
    first = built.read_bytes()
    assert nbformat.read(built, as_version=4).cells[1].outputs[0].text == "sample notebooks\n"
    assert (clone / "images" / "lesson-07.png").read_bytes().startswith(b"\x89PNG")
    assert notebooks.difference(source) is None
    assert notebooks.build(source).read_bytes() == first
    assert not re.search(rb"\d\.\d+\.\d+|iopub|20\d\d-", first)  # no versions, no times

    source.write_text(GOOD.replace("2 + 2", "2 + 3", 1))
    monkeypatch.setattr(sys, "argv", ["notebooks", "--check"])
    assert notebooks.main() == 1
    assert "07_good.ipynb differs from its source in cell 4" in capsys.readouterr().err
    source.write_text(GOOD.rsplit("# %%", 1)[0])
    assert "more cells" in notebooks.difference(source)


def test_a_failing_cell_is_named_and_the_stored_notebook_stays(clone):
    source = clone / "notebooks" / "source" / "08_bad.py"
    source.write_text(BAD)
    notebooks.target(source).write_text("before")
    with pytest.raises(notebooks.CellFailed, match=r"^cell 2 failed with ValueError: no <leads>$"):
        notebooks.build(source)
    assert notebooks.target(source).read_text() == "before"


def test_a_notebook_that_grew_too_large_is_refused(clone, monkeypatch):
    monkeypatch.setattr(notebooks, "BYTES", 1000)
    with pytest.raises(notebooks.CellFailed, match="draw smaller figures"):
        notebooks.build(clone / "notebooks" / "source" / "07_good.py")


def test_the_picture_comes_from_the_cell_tagged_cover():
    def cell(data, tags=()):
        output = nbformat.v4.new_output("display_data", {"image/png": data})
        return nbformat.v4.new_code_cell(outputs=[output], metadata={"tags": list(tags)})

    first, second = "Zmlyc3Q=", "c2Vjb25k"
    assert notebooks.cover(nbformat.v4.new_notebook(cells=[cell(first), cell(second)])) == b"first"
    tagged = nbformat.v4.new_notebook(cells=[cell(first), cell(second, ["cover"])])
    assert notebooks.cover(tagged) == b"second"
    assert notebooks.cover(nbformat.v4.new_notebook()) is None
