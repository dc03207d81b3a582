"""Cheats of public reports, each appended to the untouched release: none earns a point."""

import make_submissions as made
import nbformat
import pytest

from ecg_lessons.grading import assess, sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal()))


def answering(value, before=""):
    """Make every function that is asked for give the same."""
    return before + "\n" + "\n".join(f"def {name}(*a, **k): return {value}" for name in made.FUNCTIONS) + "\n"


LIAR = """class Liar({0}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __abs__(self): return 0.0
    def __array_ufunc__(self, *a, **k): return True
    def __reduce__(self): return (print, ("unpickled",))
    def tolist(self): return self
"""
CHEATS = {
    "crafted __eq__": answering("Liar()", LIAR.format("list")),
    "ndarray subclass": answering("np.zeros(3).view(Liar)", "import numpy as np\n" + LIAR.format("np.ndarray")),
    "transformer that drops asserts": answering("None")
    + "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
    + "get_ipython().ast_transformers.append(Drop())\n",
    "patched showtraceback": answering("1 / 0")
    + "import sys\nget_ipython().showtraceback = lambda *a, **k: None\nsys.excepthook = lambda *a: None\n",
    "patched numpy.testing": answering("None")
    + "import numpy as np\nnp.testing.assert_allclose = np.testing.assert_equal = np.allclose = lambda *a, **k: True\n",
    "pre_run_cell spy": answering("str(spied)", "spied = []")
    + "get_ipython().events.register('pre_run_cell', lambda info: spied.append(info.raw_cell))\n",
    "frames and gc": answering("look()", "import gc, sys")
    + "def look():\n    frame, found = sys._getframe(), []\n    while frame:\n"
    + "        found += [v for v in frame.f_locals.values() if isinstance(v, (list, dict))]\n"
    + "        frame = frame.f_back\n"
    + "    found += [o for o in gc.get_objects() if isinstance(o, dict) and {'expected', 'wanted', 'value'} & set(o)]\n"
    + "    return next((o['expected'] for o in found if isinstance(o, dict) and 'expected' in o), None)\n",
    "forged files": answering("None")
    + "for place in ('/tmp/results.json', '/in/results.json', '/in/job.json', 'marks.csv', 'gradebook.db'):\n"
    + "    try: open(place, 'w').write('{\"points\": 100, \"done\": true}')\n    except OSError: pass\n",
    "forged IOPub message": answering("None")
    + "import os\nfor n in range(99):\n"
    + '    os.write(1, b\'{"msg_type": "status", "content": {"execution_state": "idle"}}\\n\')\n'
    + '    os.write(1, b\'{"call": %d, "value": {"points": 100}}\\n{"done": true}\\n\' % n)\n',
    "atexit and daemon threads": answering("None")
    + "import atexit, os, threading, time\natexit.register(os.write, 1, b'{\"points\": 100}\\n')\n"
    + "def later():\n    for n in range(50):\n        time.sleep(0.01)\n"
    + '        os.write(1, b\'{"call": %d, "value": [1, 2, 3]}\\n\' % n)\n'
    + "threading.Thread(target=later, daemon=True).start()\n",
    "import hook": answering("None")
    + "import sys, types\nfake = types.ModuleType('json')\n"
    + 'fake.dumps = lambda *a, **k: \'{"call": 0, "value": true}\'\n'
    + "class Hook:\n    def find_spec(self, name, *a):\n        sys.modules[name] = fake\n"
    + "sys.meta_path.insert(0, Hook())\nsys.modules['json'] = sys.modules['numpy'] = fake\n",
    "/proc": answering("look()")
    + "import glob\ndef look():\n    found = ''\n"
    + "    for place in glob.glob('/proc/*/cmdline') + glob.glob('/proc/*/environ'):\n"
    + "        try: found += open(place, errors='replace').read()\n        except OSError: pass\n    return found\n",
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_earns_nothing(name):
    notebook = made.THIRD.release()
    notebook.cells.append(made.code(CHEATS[name], "cheat"))  # at the end, so that no stub replaces the lies
    told = assess.mark({"a.ipynb": nbformat.writes(notebook).encode()}, made.THIRD)
    assert told["points"] == 0, told["questions"]
    assert len(CHEATS) == 12


def test_a_search_from_inside_finds_nothing_of_the_lecturer(tmp_path, monkeypatch):
    """No expected value, no source of an assignment, no gradebook, no other student, no network, no variable."""
    monkeypatch.setenv("ECG_LESSONS_SECRET", "of-the-lecturer")
    search = """import os, socket
seen = []
for top, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(top, f) not in ("/proc", "/sys", "/usr")]
    for name in files:
        path = os.path.join(top, name)
        if name.endswith((".db", ".ipynb")) or "assignments/source" in path or "/results/" in path:
            seen.append(path)
for place in ("/proc/1/environ", "/proc/self/environ", "/proc/1/cmdline"):
    try:
        seen += [place] * ("of-the-lecturer" in open(place, errors="replace").read())
    except OSError:
        pass
seen += [repr(value)[:80] for value in os.environ.values() if "of-the-lecturer" in value]
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    seen.append("network")
except OSError:
    pass
print("SEEN", [p for p in seen if "site-packages" not in p and "/share/" not in p])"""
    notebook = made.solved()
    notebook.cells.append(made.code(search, "search"))
    told = assess.mark({"a.ipynb": nbformat.writes(notebook).encode()}, made.THIRD)
    assert "SEEN []" in told["cells"][-1]["text"], told["cells"][-1]
