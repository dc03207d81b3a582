"""The hub's service for assignments: fetch, hand in under the name that the hub knows, and get feedback.

A student reads the release and what is theirs. Nobody says who they are: the hub does, and the name is the folder.
"""

import contextlib
import hashlib
import html
import io
import os
import re
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlparse

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado import httpserver, ioloop, web

FOLDER = Path(os.environ["CLASS_FOLDER"])
RELEASE = Path(os.environ["CLASS_RELEASE_FOLDER"])
LECTURERS = set(os.environ["CLASS_LECTURERS"].split())
PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
#: In a cluster the address that others call is not one of this container.
BIND = os.environ.get("CLASS_SERVICE_BIND", "")
#: Largest notebook, as the grader takes it.
BYTES = 30_000_000
#: How a page of feedback is called; see `page_of`.
PAGE = r"[\w-]{0,40}-[0-9a-f]{6}\.html"


def page_of(student: str) -> str:
    """Name the page of feedback that `ecg-lessons grade` writes for a student."""
    safe = re.sub(r"[^\w-]", "-", student)[:40].strip("-")
    return f"{safe}-{hashlib.sha256(student.encode()).hexdigest()[:6]}.html"


def released() -> dict[str, Path]:
    """List what can be fetched, by its number."""
    return {path.name[:2]: path for path in sorted(RELEASE.glob("[0-9][0-9]_*.ipynb"))}


class Page(HubOAuthenticated, web.RequestHandler):
    """What all pages share: the hub says who asks."""

    asked = False

    @property
    def name(self) -> str:
        """The user's name, as the hub knows it."""
        return self.current_user["name"]

    def check_xsrf_cookie(self):
        """Ask for the form's mark, except from who brings a token: no other page can make a browser send that."""
        if "Authorization" in self.request.headers and not self.asked:
            self.asked = True  # the hub comes here again if the token is none
            _ = self.current_user
        return super().check_xsrf_cookie()

    def path_of(self, number: str) -> Path:
        """Give the released notebook of a number."""
        found = released().get(number)
        if found is None:
            raise web.HTTPError(404, reason=f"There is no assignment {number}.")
        return found

    def only_lecturers(self) -> None:
        """Refuse everybody else."""
        if self.name not in LECTURERS:
            raise web.HTTPError(403, reason="Only lecturers may do this.")


class Start(Page):
    """The list of assignments, with what one has handed in."""

    @web.authenticated
    def get(self):
        rows = ""
        for number, path in released().items():
            mine = FOLDER / "submissions" / number / self.name / path.name
            when = (
                f"{datetime.fromtimestamp(mine.stat().st_mtime, UTC):%d %B, %H:%M} UTC" if mine.is_file() else "not yet"
            )
            back = feedback_of(path.stem, self.name)
            feedback = f'<a href="{PREFIX}feedback/{number}">feedback</a>' if back.is_file() else ""
            rows += (
                f'<tr><td><a href="{PREFIX}release/{number}">{html.escape(path.name)}</a><td>handed in: {when}<td>'
                f"{self.form(f'submit/{number}', 'notebook', '.ipynb', 'Hand in')}<td>{feedback}"
            )
            if self.name in LECTURERS:
                rows += self.of_lecturer(number)
        self.write(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Assignments</title>'
            f"<style>body {{ font: 1rem/1.5 sans-serif; margin: 2rem }} td {{ padding: 0.3rem 1rem }}</style>"
            f"<h1>Assignments of {html.escape(self.name)}</h1><table>{rows}</table>"
            f"<p>Save before you hand in. In a terminal of your server, this hands in as well: "
            f"<code>ecg-lessons hand-in 01_inversion.ipynb</code>. <a href='/hub/home'>Your server</a></p></html>"
        )

    def form(self, path: str, name: str, kind: str, words: str, many: bool = False) -> str:
        """Write a form that sends files."""
        return (
            f'<form method="post" enctype="multipart/form-data" action="{PREFIX}{path}">{self.xsrf_form_html()}'
            f'<input type="file" name="{name}" accept="{kind}" aria-label="{words}" required{" multiple" * many}>'
            f"<button>{words}</button></form>"
        )

    def of_lecturer(self, number: str) -> str:
        """Write what a lecturer has besides: what all handed in, and the way back for feedback."""
        many = len(list((FOLDER / "submissions" / number).glob("*/*.ipynb")))
        collect = f'<a href="{PREFIX}collect/{number}">collect {many}</a>' if many else "nothing to collect"
        return f"<td>{collect}<td>{self.form(f'return/{number}', 'pages', '.html', 'Return feedback', many=True)}"


class Release(Page):
    """A notebook to work on."""

    @web.authenticated
    def get(self, number):
        path = self.path_of(number)
        self.set_header("Content-Type", "application/x-ipynb+json")
        self.set_header("Content-Disposition", f'attachment; filename="{path.name}"')
        self.write(path.read_bytes())


class Submit(Page):
    """Take a notebook in; the last one counts, and earlier ones stay."""

    @web.authenticated
    def post(self, number):
        path = self.path_of(number)
        sent = self.request.files.get("notebook")
        content = sent[0]["body"] if sent else self.request.body
        if not content.strip() or len(content) > BYTES or len(sent or []) > 1:
            raise web.HTTPError(400, reason=f"Hand in one notebook of at most {BYTES // 10**6} MB.")
        folder = FOLDER / "submissions" / number / self.name
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{path.name}.part"
        draft.write_bytes(content)
        if (last := folder / path.name).is_file():
            earlier = FOLDER / "earlier" / number / self.name
            earlier.mkdir(parents=True, exist_ok=True)
            os.replace(last, earlier / f"{last.stat().st_mtime_ns}.ipynb")
        os.replace(draft, last)
        if sent:  # from the page; a program reads what follows
            self.redirect(PREFIX)
        else:
            self.write({"student": self.name, "assignment": number, "sha256": hashlib.sha256(content).hexdigest()})


def feedback_of(assignment: str, student: str) -> Path:
    """Give the place of a student's page of feedback."""
    return FOLDER / "marks" / assignment / "feedback" / page_of(student)


class Feedback(Page):
    """One's own page of feedback; no script of it runs."""

    @web.authenticated
    def get(self, number):
        page = feedback_of(self.path_of(number).stem, self.name)
        if not page.is_file():
            raise web.HTTPError(404, reason="There is no feedback yet.")
        self.set_header(
            "Content-Security-Policy", "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        )
        self.write(page.read_bytes())


class Collect(Page):
    """All that was handed in, as the zip that `ecg-lessons grade` takes."""

    @web.authenticated
    def get(self, number):
        self.only_lecturers()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for notebook in sorted((FOLDER / "submissions" / number).glob("*/*.ipynb")):
                archive.write(notebook, f"{notebook.parent.name}/{notebook.name}")
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="{number}.zip"')
        self.write(packed.getvalue())


class Return(Page):
    """Take the pages of feedback that `ecg-lessons grade` wrote; an earlier page is replaced."""

    @web.authenticated
    def post(self, number):
        self.only_lecturers()
        stem, pages = self.path_of(number).stem, self.request.files.get("pages", [])
        if wrong := [page["filename"] for page in pages if not re.fullmatch(PAGE, page["filename"])]:
            raise web.HTTPError(400, reason=f"Not from the folder feedback of ecg-lessons grade: {wrong[0]!a}.")
        folder = FOLDER / "marks" / stem / "feedback"
        folder.mkdir(parents=True, exist_ok=True)
        for page in pages:
            draft = folder / f".{page['filename']}.part"
            draft.write_bytes(page["body"])
            os.replace(draft, folder / page["filename"])
        self.redirect(PREFIX)


def main() -> None:
    """Serve at the address that the hub gives."""
    pages = {
        "": Start,
        r"release/(\d\d)": Release,
        r"submit/(\d\d)": Submit,
        r"feedback/(\d\d)": Feedback,
        r"collect/(\d\d)": Collect,
        r"return/(\d\d)": Return,
    }
    routes = [(PREFIX + path, page) for path, page in pages.items()]
    routes.append((PREFIX + "oauth_callback", HubOAuthCallbackHandler))
    application = web.Application(routes, cookie_secret=os.urandom(32), xsrf_cookies=True)
    address = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
    server = httpserver.HTTPServer(application, max_buffer_size=2 * BYTES)
    for left in range(20, -1, -1):  # the service of a hub that was killed may need a second to end
        try:
            server.listen(address.port, BIND or address.hostname)
            break
        except OSError:
            if not left:
                raise
            time.sleep(0.5)
    # A hub that is killed takes nobody along. Its service would keep the port, with a token that no hub knows.
    loop, parent = ioloop.IOLoop.current(), os.getppid()
    ioloop.PeriodicCallback(lambda: os.getppid() == parent or loop.stop(), 500).start()
    with contextlib.suppress(KeyboardInterrupt):  # so the hub ends it
        loop.start()


if __name__ == "__main__":
    main()
