"""What a student hears before handing in, and how a notebook is handed in."""

import http.server
import shutil
import socket
import threading
from typing import ClassVar

import make_submissions as made
import nbformat
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.grading import assignments, submit

FIRST = assignments.called("1")


def said(tmp_path, notebook):
    path = tmp_path / "mine.ipynb"
    nbformat.write(notebook, path)
    lines, well = submit.check(path)
    return "\n".join(lines), well


def test_a_solved_notebook_passes_and_may_be_handed_in(tmp_path):
    words, well = said(tmp_path, made.solved(FIRST))
    assert well, words
    tests = sum(not question.manual for question in FIRST.questions)
    assert f"{tests} of {tests} tests that you see pass" in words
    assert words.endswith("You can hand it in.")


def test_what_is_empty_copied_missing_or_wrong_is_named(tmp_path):
    words, well = said(tmp_path, FIRST.release())
    assert not well
    assert "is not filled in" in words
    assert "write your own name" in words
    notebook = made.solved(FIRST)
    first = next(question.grade_id for question in FIRST.questions if not question.manual)
    notebook.cells = [cell for cell in notebook.cells if cell.id != first]
    last = notebook.cells[-4].copy()
    last.id = "again"
    notebook.cells.append(last)
    notebook.cells.append(made.code("1 / 0", "zero"))
    words, well = said(tmp_path, notebook)
    assert not well
    assert f"{first}: is missing" in words
    assert "ZeroDivisionError" in words
    assert "there 2 times" in words or "is not filled in" not in words


def test_what_is_no_assignment_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        submit.check(tmp_path / "none.ipynb")
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(InputError, match="JupyterLab"):
        submit.check(tmp_path / "bad.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=[made.code("1", "one")]), tmp_path / "other.ipynb")
    with pytest.raises(InputError, match="no cell of an assignment"):
        submit.check(tmp_path / "other.ipynb")


@pytest.fixture
def hub(monkeypatch):
    """The hub's service for assignments, as far as a student's command sees it."""

    class Service(http.server.BaseHTTPRequestHandler):
        taken: ClassVar = []
        status = 200

        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            self.taken.append((self.path, self.headers["Authorization"], content))
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(b'{"student": "ada", "assignment": "01"}')

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CLASS_SERVICE", f"http://127.0.0.1:{server.server_port}/services/assignments/")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "a-token")
        yield Service
        server.shutdown()


def test_a_notebook_is_handed_in_as_it_is_whatever_its_name(hub, tmp_path):
    path = tmp_path / "my own name.ipynb"
    shutil.copy(assignments.locate() / "release" / "01_inversion.ipynb", path)
    assert submit.hand_in(path) == "Handed in for assignment 01 as ada. The last one you hand in counts."
    assert hub.taken == [("/services/assignments/submit/01", "token a-token", path.read_bytes())]
    hub.status = 403
    with pytest.raises(InputError, match=r"did not take .* \(403 Forbidden\): ask your lecturer"):
        submit.hand_in(path)


def test_an_image_has_no_solutions_and_hands_in_all_the_same(hub, tmp_path, monkeypatch):
    shutil.copytree(assignments.locate() / "release", tmp_path / "assignments" / "release")
    monkeypatch.setattr(assignments, "__file__", str(tmp_path / "ecg_lessons" / "grading" / "assignments.py"))
    monkeypatch.chdir(tmp_path)
    assert "assignment 01" in submit.hand_in(tmp_path / "assignments" / "release" / "02_rhythm.ipynb")
    assert hub.taken[0][0].endswith("/submit/02")
    with pytest.raises(InputError, match="no folder assignments/source"):
        assignments.locate()


def test_what_is_no_assignment_is_not_handed_in(hub, tmp_path, monkeypatch):
    path = tmp_path / "01_inversion.ipynb"
    with pytest.raises(InputError, match="Cannot read"):
        submit.hand_in(path)
    path.write_text("{}")
    with pytest.raises(InputError, match="Open it in JupyterLab and save it"):
        submit.hand_in(path)
    path.write_text('{"cells": []}')
    with pytest.raises(InputError, match="no assignment of this course"):
        submit.hand_in(path)
    assert hub.taken == []
    monkeypatch.delenv("CLASS_SERVICE")
    with pytest.raises(InputError, match="There is no hub to hand in to"):
        submit.hand_in(path)


def test_a_hub_that_is_gone_is_told(hub, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CLASS_SERVICE", f"http://127.0.0.1:{free.getsockname()[1]}/services/assignments/")
        with pytest.raises(InputError, match="The hub does not answer"):
            submit.hand_in(assignments.locate() / "release" / "02_rhythm.ipynb")
