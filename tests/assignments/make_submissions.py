"""Write ``submissions/``: what students of public forums really handed in, each named after its thread.

``python tests/assignments/make_submissions.py`` makes them anew from assignment 3; a test holds the folder to it.
"""

import json
import sys
from pathlib import Path

import nbformat

from ecg_lessons.grading import assignments

THIRD = assignments.called("3")
FOLDER = Path(__file__).parent / "submissions"
#: A question with an automatic test, and the cell that answers it.
ASKED = next(question for question in THIRD.questions if not question.manual)
_CODE = [cell for cell in THIRD.cells if cell.metadata.get("solution") and cell.cell_type == "code"]
ANSWER = next(c.metadata["grade_id"] for c in _CODE if f"def {ASKED.checks[0].function}(" in c.source)
FUNCTIONS = sorted({check.function for question in THIRD.questions for check in question.checks})


def solved(assignment=THIRD, name="Zoe Example", slow=False):
    """Fill the release in with the reference solution; what is `slow`, trainings, only where that is asked for."""
    notebook = assignment.release()
    written = {cell.metadata["grade_id"]: cell for cell in assignment.cells if cell.metadata.get("solution")}
    for cell in notebook.cells:
        if cell.id in written:
            text = assignments.without(written[cell.id].source, "RUBRIC", "HIDDEN TESTS")
            cell.source = "\n".join(
                line for line in text.splitlines() if "## BEGIN" not in line and "## END" not in line
            )
            if written[cell.id].metadata.get("slow") and not slow:
                cell.source = "# trained elsewhere"
        if cell.id == "name":
            cell.source = f"NAME = {name!r}"
    return notebook


def code(source, name):
    """Make a code cell whose id does not change from call to call."""
    return nbformat.v4.new_code_cell(source, id=name)


def cell_of(notebook, name):
    """Find a cell by its name."""
    return next(cell for cell in notebook.cells if cell.id == name)


def adding(source):
    """Add a cell to the solution."""
    return lambda notebook: notebook.cells.append(code(source, "added"))


def copied(notebook):
    """Leave an empty copy behind the cell that was filled in."""
    copy = cell_of(THIRD.release(), ANSWER)
    copy.id = "copy"
    notebook.cells.append(copy)


def turned(notebook):
    """Turn a code cell into text, and set cells between."""
    cell_of(notebook, ANSWER).cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cell_of(notebook, ANSWER).pop(key)
    notebook.cells.insert(2, code("print('between')", "between"))


def without_test(notebook):
    """Delete a cell of tests that was read-only."""
    notebook.cells = [cell for cell in notebook.cells if cell.id != ASKED.grade_id]


def older(notebook):
    """Come from an older release: no names of cells, another text."""
    notebook.cells[0].source = "# Assignment 3, last year's"
    for cell in notebook.cells:
        cell.metadata = {}


def crafted(notebook):
    """Return objects that are equal to everything."""
    liar = "class Liar(float):\n    def __eq__(self, other): return True\n    def __abs__(self): return 0.0\n"
    lies = "\n".join(f"def {name}(*a, **k): return Liar('nan')" for name in FUNCTIONS)
    notebook.cells.append(code(liar + lies, "liar"))


def forged(notebook):
    """Write what a grader would write."""
    lines = 'for n in range(99): os.write(1, b\'{"call": %d, "value": true, "points": 100}\\n\' % n)'
    notebook.cells.append(code(f"import os\n{lines}\nos._exit(0)", "forged"))


def hidden(notebook):
    """Fail the hidden tests alone: their text must not come back."""
    sources = [cell for cell in notebook.cells if cell.id == ANSWER]
    sources[0].source += f"\n\n\ndef {ASKED.checks[0].function}(*values):\n    raise ValueError(repr(values)[:20])"


NEIGHBOUR = """import glob
for place in ("/in", "/tmp", "/home", "/root", "..", "/proc/1/root"):
    for path in glob.glob(f"{place}/**/*.ipynb", recursive=True):
        print("found", path, open(path).read())
"""

#: By name: what is done to the solution. Bytes are the file itself; a file's name may be changed too.
CASES = {
    "nbgrader-1083-copied-cell": copied,
    "nbgrader-1941-cell-type-changed-and-cells-inserted": turned,
    "nbgrader-1682-deleted-read-only-cell": without_test,
    "nbgrader-1033-cell-time-out": adding("while True: pass"),
    "nbgrader-427-loop-that-eats-memory": adding("x = []\nwhile True: x.append(bytearray(10**7))"),
    "nbgrader-1429-out-of-memory": adding("import numpy as np\nx = np.ones(10**10)"),
    "nbgrader-1302-renamed-notebook": lambda notebook: None,
    "nbgrader-917-1363-hidden-tests-in-feedback": hidden,
    "grader-service-341-old-version-submitted": older,
    "otter-813-one-time-out-ends-the-batch": lambda notebook: notebook.cells.insert(
        1, code("import time\nwhile True: time.sleep(1)", "asleep")
    ),
    "otter-723-no-results": adding("import sys\n" + "\n".join(f"del {name}" for name in FUNCTIONS) + "\nsys.exit(0)"),
    "relate-295-crafted-objects": crafted,
    "classroom50-1037-forged-result": forged,
    "cocalc-4951-os-exit": adding("import os\nos._exit(0)"),
    "broken-json": b'{"cells": [{"cell_type": "code", "source": "x = 1',
    "wrong-kernel": lambda notebook: notebook.metadata.update(
        kernelspec={"name": "ir", "display_name": "R", "language": "R"}, language_info={"name": "R"}
    ),
    "late": lambda notebook: None,
    "huge-output": adding("print('x' * 10**8)"),
    "network": adding("import urllib.request\nurllib.request.urlopen('http://192.0.2.1', timeout=5)"),
    "other-students-files": adding(NEIGHBOUR),
    "fork-bomb": adding("import os\nwhile True: os.fork()"),
    "untouched": lambda notebook: notebook.update(THIRD.release()),
    "empty": b"",
    "Zoë Ünal-Łęcka 漢字": lambda notebook: None,
}
FILES = {"late": "late_LATE_12_345_a.ipynb", "nbgrader-1302-renamed-notebook": "Meine Lösung (2) FINAL.ipynb"}


def content(name):
    """Give the bytes of a submission."""
    made = CASES[name]
    if isinstance(made, bytes):
        return made
    notebook = solved()
    made(notebook)
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def path(name):
    """Give the place of a submission in the folder."""
    return Path(name, FILES.get(name, f"{THIRD.name}.ipynb"))


def main():
    """Write every submission."""
    for name in CASES:
        place = FOLDER / path(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
