"""A class on loopback: a real hub by the real configuration, local processes in place of containers.

`make class-test` runs it. As root each person of the class is a user of the system of their own.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hubs import LECTURERS, NOTEBOOK, PROXY, ROOT, STUDENTS, UIDS, Client, Hub, python_for_all

pytest.importorskip("jupyterhub", reason="the hub is not installed: run 'make class-test'")
pytest.importorskip("firstuseauthenticator", reason="the hub is not installed: run 'make class-test'")


@pytest.fixture(scope="module")
def hub():
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    folder = Path(tempfile.mkdtemp(prefix="ecg-class-"))  # pytest's own folders are closed to all other users
    python = python_for_all() if os.geteuid() == 0 else None
    words, env = [], {}
    if python:
        folder.chmod(0o711)
        (folder / "class").mkdir()
        os.chown(folder / "class", 0, LECTURERS)
        words = [f"--Spawner.cmd=['{python}', '-m', 'jupyterhub.singleuser']"]
        env = {"CLASS_UIDS": str(UIDS), "PYTHONPATH": str(Path(pytest.__file__).parents[1])}
    made = Hub(folder, *words, **env)
    yield made
    made.close()
    shutil.rmtree(folder)


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


# What a user can get at: of these paths, those whose content or list could be read.
TRY = """
import json, os, sys
def reads(path):
    try:
        return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
    except OSError:
        return False
print(json.dumps([path for path in json.load(sys.stdin) if reads(path)]))
"""


def reached(uid: int, paths: list[Path]) -> list[str]:
    """Give what a user of the system can read of some paths."""
    done = subprocess.run(
        [python_for_all(), "-c", TRY],
        input=json.dumps([str(path) for path in paths]),
        user=uid, group=uid, extra_groups=(), cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def save(client: Client, path: str, text: str) -> None:
    """Save a file in one's home, through one's server, as JupyterLab does."""
    where = f"/user/{client.name}/api/contents/{path}"
    # The server asks the hub who this is; its way through the door may be a moment younger than what the hub says.
    client.hub.until(lambda: client.get(f"/user/{client.name}/files/none.txt").status == 404, 30)
    content = json.dumps({"type": "file", "format": "text", "content": text}).encode()
    headers = {"X-XSRFToken": client.xsrf(where), "Content-Type": "application/json"}
    answer = client.get(where, content, "PUT", **headers)
    assert answer.status in (200, 201), answer.body


def test_nobody_reads_the_home_of_another_or_what_is_the_lecturers(hub, students, teacher):
    if "CLASS_UIDS" not in hub.env:
        pytest.skip("only root gives each person a user of the system, and all users must be able to start a Python")
    begun = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(Client.start_server, [*students, teacher]))
    print(f"\n31 servers started at once in {time.monotonic() - begun:.1f} s")
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda one: save(one, "diary.txt", f"of {one.name}"), students))
    save(teacher, "solutions.py", (ROOT / "assignments/source/01_inversion.py").read_text())
    homes, servers = hub.folder / "homes", hub.servers()
    everything = [homes / name for name in servers] + [homes / name / "diary.txt" for name in STUDENTS]
    everything += [Path(f"/proc/{process}/environ") for process in servers.values()]  # the token of a server
    everything += [homes / "teacher/solutions.py", homes, hub.folder, hub.folder / "class.csv", hub.folder / "state"]
    everything += [path for name in ("state", "class") for path in (hub.folder / name).rglob("*")]
    for number, name in enumerate(sorted([*STUDENTS, "teacher"])):
        mine = reached(UIDS + number, everything)
        if name == "teacher":
            assert str(homes / "teacher/solutions.py") in mine
        else:
            own = [homes / name, homes / name / "diary.txt", Path(f"/proc/{servers[name]}/environ")]
            assert sorted(mine) == sorted(map(str, own)), name
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda one: one.api(f"users/{one.name}/server", method="DELETE"), [*students, teacher]))
    hub.until(lambda: not hub.servers())


def test_a_server_hands_in_under_the_name_of_its_owner(hub, students):
    student = students[9]
    student.start_server()
    env = dict(
        line.split("=", 1)
        for line in Path(f"/proc/{hub.servers()[student.name]}/environ").read_text().split("\0")
        if line.startswith(("CLASS_SERVICE=", "JUPYTERHUB_API_TOKEN="))
    )
    content = b'{"cells": [], "by": "the command"}'
    # As `ecg-lessons hand-in` asks.
    request = urllib.request.Request(
        f"{env['CLASS_SERVICE']}submit/01", content, {"Authorization": f"token {env['JUPYTERHUB_API_TOKEN']}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["student"] == student.name
    place = hub.folder / "class" / "submissions" / "01" / student.name / NOTEBOOK.name
    assert place.read_bytes() == content
    student.api(f"users/{student.name}/server", method="DELETE")
    hub.until(lambda: not hub.servers())


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


def send(client: Client, number: str, name: str, content: bytes):
    """Return a page of feedback, as the form of the lecturer's page does."""
    where, line = f"/services/assignments/return/{number}", "a-line-that-is-in-no-page"
    client.get("/services/assignments/")
    body = f'--{line}\r\nContent-Disposition: form-data; name="pages"; filename="{name}"\r\n\r\n'.encode()
    headers = {"X-XSRFToken": client.xsrf(where), "Content-Type": f"multipart/form-data; boundary={line}"}
    return client.get(where, body + content + f"\r\n--{line}--\r\n".encode(), **headers)


def test_feedback_goes_to_whom_it_belongs_and_comes_from_the_lecturer(students, teacher):
    name = STUDENTS[5]
    page = f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:6]}.html"  # as `ecg-lessons grade` names it
    assert send(students[6], "01", page, b"full marks").status == 403
    assert send(teacher, "01", "../../state/cookie_secret", b"").status == 400
    assert students[5].get("/services/assignments/feedback/01").status == 404
    assert send(teacher, "01", page, b"yours").status == 200
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
    # Another's server is closed to a student: the hub says so, whom it asks.
    assert eight[0].get(f"/user/{eight[0].name}/files/none.txt").status == 404
    refused = eight[0].get(f"/user/{eight[1].name}/files/none.txt")
    assert (refused.status, "/hub/api/oauth2/authorize" in refused.url) == (403, True)

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
