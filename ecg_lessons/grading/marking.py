"""A page for marking by hand: one question for all students, items of the rubric by key, points, a comment, and undo.

It listens on this machine alone and asks for a token. Marks go into nbgrader's gradebook, so the formgrader has them.
"""

import asyncio
import base64
import hmac
import json
import secrets
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from ecg_lessons.errors import InputError
from ecg_lessons.grading import gradebook
from ecg_lessons.grading.assignments import Assignment, Question

_PAGE = Path(__file__).with_name("mark.html")


def serve(course: Path, assignment: Assignment, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Show the page until Ctrl-C; `say` gets the lines for the terminal."""
    if words := gradebook.missing():
        raise InputError(f"{words}.")
    gradebook.marks(course, assignment)  # refuses a folder without marks before anything listens
    try:
        sockets = bind_sockets(port, "127.0.0.1")
    except OSError:
        raise InputError(f"Port {port} is taken: choose another one, or leave --port out.") from None
    token = secrets.token_urlsafe(24)
    address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/?token={token}"

    async def listen() -> None:
        HTTPServer(application(course, assignment, token)).add_sockets(sockets)
        say(f"Mark at {address} (Ctrl-C ends it; every mark is kept at once).")
        if browser:
            webbrowser.open(address)
        await asyncio.Event().wait()

    try:
        asyncio.run(listen())
    except KeyboardInterrupt:
        say(f"Next: give the same 'ecg-lessons grade' command again: it writes the marks of {course} into tables.")


def application(course: Path, assignment: Assignment, token: str) -> web.Application:
    """Make the application: the page, the answers to one question, and where marks are sent."""
    how = {"course": course, "assignment": assignment, "token": token}
    return web.Application([("/", _Page, how), ("/answers", _Answers, how), ("/mark", _Mark, how)])


def _lines(question: Question) -> list[str]:
    return [f"{gradebook.PICKED}{points:g} {what}" for points, what in question.items]


def picked(comment: str, question: Question) -> tuple[list[int], str]:
    """Tell the items of the rubric in a comment from the words beside them."""
    lines, said = _lines(question), comment.splitlines()
    return [n for n, line in enumerate(lines) if line in said], "\n".join(line for line in said if line not in lines)


def comment(items: list[int], words: str, question: Question) -> str:
    """Write picked items and words as one comment."""
    lines = [line for n, line in enumerate(_lines(question)) if n in items]
    return "\n".join([*lines, *words.strip().splitlines()])


class _Handler(web.RequestHandler):
    def initialize(self, course: Path, assignment: Assignment, token: str) -> None:
        self.course, self.assignment, self.token = course, assignment, token
        self.questions = {question.grade_id: question for question in assignment.questions if question.manual}

    def set_default_headers(self) -> None:
        # No script but ours, no other host; and no page of another site may look at the answers.
        self.nonce = secrets.token_urlsafe(12)
        policy = f"default-src 'none'; script-src 'nonce-{self.nonce}'; style-src 'nonce-{self.nonce}'; img-src data:"
        self.set_header("Content-Security-Policy", f"{policy}; connect-src 'self'; frame-ancestors 'none'")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")

    def prepare(self) -> None:
        # A cookie does not know of ports: the token in a header shows that our own page asks.
        given = self.get_query_argument("token", "") or self.request.headers.get("X-Token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise web.HTTPError(403, reason="Open the address that ecg-lessons mark printed")

    def question(self, name: str) -> Question:
        if name not in self.questions:
            raise web.HTTPError(404)
        return self.questions[name]


class _Page(_Handler):
    def get(self) -> None:
        cells, words = self.assignment.release().cells, {}
        for before, cell in zip([None, *cells], cells, strict=False):
            if cell.id in self.questions and before is not None:
                words[cell.id] = before.source.lstrip("# ")
        about: dict[str, Any] = {"assignment": self.assignment.name, "token": self.token}
        about["questions"] = [
            {"id": q.grade_id, "of": q.points, "items": q.items, "text": words.get(q.grade_id, "")}
            for q in self.questions.values()
        ]
        # Inside a script element only "</" and "<!" could end it.
        told = json.dumps(about).replace("<", "\\u003c")
        self.write(_PAGE.read_text(encoding="utf-8").replace("{nonce}", self.nonce).replace("{about}", told))


class _Answers(_Handler):
    async def get(self) -> None:
        question = self.question(self.get_query_argument("question"))
        found = await asyncio.to_thread(answers, self.course, self.assignment, question)
        self.write({"answers": found})


class _Mark(_Handler):
    async def post(self) -> None:
        try:
            sent = json.loads(self.request.body)
            question, student = self.question(sent["question"]), str(sent["student"])
            points = None if sent["points"] is None else float(sent["points"])
            items, words = [int(n) for n in sent["items"]], str(sent["words"])[:5000]
        except (ValueError, KeyError, TypeError):
            raise web.HTTPError(400) from None
        if points is not None and not 0 <= points <= question.points:
            raise web.HTTPError(400, reason=f"Give 0 to {question.points:g} points")
        told = comment(items, words, question)
        try:
            write = partial(gradebook.mark, self.course, self.assignment, student, question.grade_id, points, told)
            await asyncio.to_thread(write)
        except ValueError:  # nbgrader's, for a student it does not know
            raise web.HTTPError(404) from None
        self.write({"kept": True})


def answers(course: Path, assignment: Assignment, question: Question) -> list[dict]:
    """List what everybody answered to a question, with the marks so far."""
    names, marks = gradebook.names(course, assignment), gradebook.marks(course, assignment)
    found = []
    for student, name in sorted(names.items(), key=lambda pair: pair[1].casefold()):
        mark = marks[student][question.grade_id]
        items, words = picked(mark.comment, question)
        about = {"student": student, "name": name, "items": items, "words": words, "waits": mark.waits}
        found.append(about | {"points": mark.points} | _answer(course, assignment, student, question.grade_id))
    return found


def _answer(course: Path, assignment: Assignment, student: str, name: str) -> dict:
    place = course / "autograded" / student / assignment.name / f"{assignment.name}.ipynb"
    if not place.is_file():
        return {"source": "", "text": "", "figures": []}
    cells = nbformat.read(place, as_version=4).cells
    cell = next((cell for cell in cells if cell.id == name), {})
    outputs = cell.get("outputs", [])
    figures = [output.data["image/png"] for output in outputs if output.output_type == "display_data"]
    for png in figures:  # ours, yet looked at once more
        base64.b64decode(png, validate=True)
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    source = cell.get("source", "")
    if cell.get("cell_type") != "code":  # of a text, as `pages` made it harmless
        source = source.replace("&lt;", "<")
    return {"source": source, "text": text, "figures": figures}
