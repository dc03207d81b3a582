"""A class on loopback: a real hub by the real configuration, local processes in place of containers.

`make class-test` runs it. Students are one system user here: what keeps their homes apart in a class are volumes, and
here only what the hub and its service let through is tested.
"""

import hashlib
import http.cookiejar
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("jupyterhub", reason="the hub is not installed: run 'make class-test'")
pytest.importorskip("firstuseauthenticator", reason="the hub is not installed: run 'make class-test'")

ROOT = Path(__file__).parents[2]
STUDENTS = [f"student{k:02d}" for k in range(30)]
PROXY = shutil.which("configurable-http-proxy") or ROOT / "build/class/node_modules/.bin/configurable-http-proxy"
NOTEBOOK = ROOT / "assignments" / "release" / "01_inversion.ipynb"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Hub:
    """A hub in a folder, that can be killed and started again."""

    def __init__(self, folder: Path, **env: str):
        self.folder, self.port = folder, free_port()
        ports = {name: free_port() for name in ("api", "service", "hub")}
        people = ["name,role,code", "teacher,lecturer,chalk-and-board", *(f"{s},student,code-of-{s}" for s in STUDENTS)]
        (folder / "class.csv").write_text("\n".join(people) + "\n")
        for name in ("state", "class"):
            (folder / name).mkdir()
        self.env = os.environ | {
            "PATH": f"{Path(PROXY).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CLASS_SPAWNER": "local",
            "CLASS_LIST": str(folder / "class.csv"),
            "CLASS_STATE": str(folder / "state"),
            "CLASS_FOLDER": str(folder / "class"),
            "CLASS_RELEASE_FOLDER": str(NOTEBOOK.parent),
            "CLASS_PORT": str(self.port),
            "CLASS_SERVICE_PORT": str(ports["service"]),
            "CLASS_PROXY_API": f"http://127.0.0.1:{ports['api']}",
            "CONFIGPROXY_AUTH_TOKEN": uuid.uuid4().hex,
            "CLASS_GPUS": "0 1 2 3",
            **env,
        }
        self.words = [sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "docker/jupyterhub/jupyterhub_config.py")]
        self.words.append(f"--JupyterHub.hub_bind_url=http://127.0.0.1:{ports['hub']}")
        self.start()

    def start(self) -> None:
        self.log = (self.folder / "hub.log").open("ab")
        self.process = subprocess.Popen(
            self.words, cwd=self.folder / "state", env=self.env, stdout=self.log, stderr=self.log
        )
        self.until(lambda: Client(self).get("/hub/health").status == 200)
        self.until(lambda: Client(self).get("/services/assignments/").status == 200)

    def until(self, happens, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                if happens():
                    return
            except OSError:
                pass
            assert time.monotonic() < end, (self.folder / "hub.log").read_text()[-3000:]
            assert self.process.poll() is None, (self.folder / "hub.log").read_text()[-3000:]
            time.sleep(0.1)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def servers(self) -> dict[str, int]:
        """Give the processes of the students' servers, by user, as the operating system knows them."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                words, env = (place / "cmdline").read_bytes(), (place / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            user = re.search(r"JUPYTERHUB_USER=([^\0]+)", env)
            if b"jupyterhub.singleuser" in words and user and str(self.folder) in env:
                found[user[1]] = int(place.name)
        return found

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        for process in self.servers().values():  # no hub is left that starts more of them
            os.kill(process, signal.SIGKILL)
        pid = self.folder / "state" / "proxy.pid"
        if pid.is_file():
            os.kill(int(pid.read_text()), signal.SIGKILL)
        self.log.close()


class Client:
    """A browser, as far as a class needs one."""

    def __init__(self, hub: Hub, name: str = ""):
        self.hub, self.name, self.jar = hub, name, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str, data: bytes | None = None, method: str | None = None, **headers: str):
        url = path if path.startswith("http") else f"http://127.0.0.1:{self.hub.port}{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            answer = self.opener.open(request, timeout=120)
        except urllib.error.HTTPError as error:
            answer = error
        answer.body = answer.read()
        return answer

    def xsrf(self, path: str) -> str:
        fitting = [one for one in self.jar if one.name == "_xsrf" and path.startswith(one.path)]
        return max(fitting, key=lambda one: len(one.path)).value

    def log_in(self, password: str = "") -> int:
        self.get("/hub/login")
        form = {"username": self.name, "password": password or f"code-of-{self.name}", "_xsrf": self.xsrf("/hub/login")}
        return self.get("/hub/login?next=/hub/home", urllib.parse.urlencode(form).encode()).status

    def api(self, path: str, content: dict | None = None, method: str | None = None):
        data = None if content is None else json.dumps(content).encode()
        headers = {
            "X-XSRFToken": self.xsrf("/hub/"),
            "Content-Type": "application/json",
            "Referer": f"http://127.0.0.1:{self.hub.port}/hub/home",
        }
        return self.get(f"/hub/api/{path}", data, method, **headers)

    def hand_in(self, content: bytes, number: str = "01"):
        self.get("/services/assignments/")
        where = f"/services/assignments/submit/{number}"
        return self.get(where, content, **{"X-XSRFToken": self.xsrf(where), "Content-Type": "application/json"})


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    made = Hub(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def students(hub) -> list[Client]:
    found = [Client(hub, name) for name in STUDENTS]
    begun = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        assert list(pool.map(Client.log_in, found)) == [200] * 30
    print(f"\n30 students logged in at once in {time.monotonic() - begun:.1f} s")
    return found


@pytest.fixture(scope="module")
def teacher(hub) -> Client:
    found = Client(hub, "teacher")
    assert found.log_in("chalk-and-board") == 200
    return found


def test_nobody_comes_in_by_another_name_or_from_outside_the_list(hub):
    assert Client(hub, "teacher").log_in("my-own-password") == 403
    assert Client(hub, "stranger").log_in("my-own-password") == 403
    assert Client(hub, "student00").log_in("code-of-student01") == 403


def work(student: Client) -> bytes:
    """Fetch, fill in with one's own name, hand in; gives what was handed in."""
    fetched = student.get("/services/assignments/release/01").body
    assert fetched == NOTEBOOK.read_bytes()
    notebook = json.loads(fetched)
    notebook["metadata"]["author"] = student.name
    content = json.dumps(notebook).encode()
    answer = student.hand_in(content)
    assert answer.status == 200, answer.body
    told = json.loads(answer.body)
    assert told == {"student": student.name, "assignment": "01", "sha256": hashlib.sha256(content).hexdigest()}
    return content


def test_thirty_students_hand_in_at_once_and_thirty_are_collected(students, teacher):
    begun = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        handed_in = dict(zip(STUDENTS, pool.map(work, students), strict=True))
    print(f"\n30 fetched and handed in at once in {time.monotonic() - begun:.1f} s")
    teacher.get("/services/assignments/")
    with zipfile.ZipFile(io.BytesIO(teacher.get("/services/assignments/collect/01").body)) as archive:
        collected = {name.split("/")[0]: archive.read(name) for name in archive.namelist()}
    assert collected == handed_in


def test_the_last_one_counts_and_the_earlier_one_stays(hub, students):
    student = students[7]
    student.hand_in(b'{"cells": []}')
    place = hub.folder / "class" / "submissions" / "01" / student.name
    assert [path.read_bytes() for path in place.iterdir()] == [b'{"cells": []}']
    assert list((hub.folder / "class" / "earlier" / "01" / student.name).iterdir())


def test_students_get_neither_what_others_handed_in_nor_anything_of_the_lecturer(students):
    student = students[3]
    student.get("/services/assignments/")
    assert student.get("/services/assignments/collect/01").status == 403
    for path in ("release/../submit/01", "release/99", "feedback/01", "../../etc/passwd"):
        assert student.get(f"/services/assignments/{path}").status in (403, 404, 405), path
    assert student.api("users/student04").status in (403, 404)
    assert b"student04" not in student.api("users").body


def test_feedback_goes_to_whom_it_belongs(hub, students):
    sys.path.insert(0, str(ROOT))
    folder = hub.folder / "class" / "marks" / NOTEBOOK.stem / "feedback"
    folder.mkdir(parents=True)
    name = STUDENTS[5]
    # As `ecg-lessons grade` names the pages.
    (folder / f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:6]}.html").write_text("yours")
    students[5].get("/services/assignments/")
    answer = students[5].get("/services/assignments/feedback/01")
    assert (answer.status, answer.body) == (200, b"yours")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    students[6].get("/services/assignments/")
    assert students[6].get("/services/assignments/feedback/01").status == 404


def test_eight_users_on_four_cards_and_a_hub_killed_among_them(hub, students):
    eight = students[:8]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.api(f"users/{one.name}/server", {"kind": "gpu"}, "POST"), eight[:4]))
    hub.until(lambda: len(hub.servers()) == 4)
    for one in eight[:4]:
        hub.until(lambda one=one: json.loads(one.api(f"users/{one.name}").body)["server"])
    ledger = hub.folder / "state" / "gpus.json"
    cards = json.loads(ledger.read_text())
    assert (sorted(cards), set(cards.values())) == (list("0123"), {one.name for one in eight[:4]})
    # Another's server is closed to a student.
    assert eight[0].get(f"/user/{eight[1].name}/api/contents").status == 403

    before = hub.servers()
    hub.kill()
    time.sleep(1)
    assert hub.servers() == before
    hub.start()
    assert hub.servers() == before
    for one in eight[:4]:
        assert json.loads(one.api(f"users/{one.name}").body)["server"], one.name
    assert json.loads(ledger.read_text()) == cards
    # The service of the killed hub is gone, and the new one knows its hub.
    assert eight[0].get("/services/assignments/release/01").body == NOTEBOOK.read_bytes()

    waiting = eight[4]
    waiting.api(f"users/{waiting.name}/server", {"kind": "gpu"}, "POST")
    seen = waiting.opener.open(
        urllib.request.Request(f"http://127.0.0.1:{hub.port}/hub/api/users/{waiting.name}/server/progress"), timeout=60
    )
    begun = time.monotonic()
    for line in seen:  # the hub says first that a server was requested, and lets no connection fall asleep
        if b"you are number 1 in line" in line:
            break
        assert time.monotonic() - begun < 60, "nobody told which place in line it is"
    begun = time.monotonic()
    freed = next(card for card, user in cards.items() if user == eight[2].name)
    eight[2].api(f"users/{eight[2].name}/server", method="DELETE")
    hub.until(lambda: json.loads(ledger.read_text()).get(freed) == waiting.name)
    print(f"\nthe card went on to the next in {time.monotonic() - begun:.1f} s")
    assert time.monotonic() - begun < 10
