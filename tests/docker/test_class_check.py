"""The check on the day before class, against programs and a hub that only pretend."""

import csv
import http.server
import json
import os
import re
import socket
import threading
import urllib.parse
from pathlib import Path

import pytest

from ecg_lessons import classroom

ROOT = Path(__file__).parents[2]
HUB = ROOT / "docker" / "jupyterhub"
PEOPLE = [("teacher", "lecturer", "chalk-and-board"), *((f"s{k:02d}", "student", f"code-of-{k}") for k in range(34))]


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a hub as a login meets."""

    codes: dict[str, str]

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        if self.path == "/hub/api":
            return self.answer(200, b'{"version": "6.1.1"}')
        if self.path == "/hub/home" and "session=" in self.headers.get("Cookie", ""):
            return self.answer(200, b"home")
        return self.answer(200, b"login", Set_Cookie="_xsrf=mark; Path=/hub/")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(text))
        if form["_xsrf"] != "mark" or self.codes.get(form["username"]) != form["password"]:
            return self.answer(403)
        return self.answer(302, Location="/hub/home", Set_Cookie="session=1; Path=/hub/")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """A server at whose door a whole class may stand."""

    request_queue_size = 64


@pytest.fixture
def hub():
    handler = type("Ours", (Hub,), {"codes": {name: code for name, _, code in PEOPLE}})
    with Server(("127.0.0.1", 0), handler) as server:
        server.codes = handler.codes
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def write_list(path: Path, people=PEOPLE, columns=("name", "role", "code"), delimiter=",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([columns, *people])
    path.chmod(0o600)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A hub's folder with nothing to mend, and an engine with all images."""
    for name in [name for name in os.environ if name.startswith(("CLASS_", "JUPYTER_TOKEN")) or name == "PORT"]:
        monkeypatch.delenv(name)
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools / "docker", f"case $* in *--format*) echo {tmp_path};; esac")
    program(tools / "nvidia-smi", "echo 'GPU 0: Some card (UUID: GPU-1a)'; echo 'GPU 1: Some card (UUID: GPU-2b)'")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(classroom, "IMAGES", dict.fromkeys(classroom.IMAGES, 0))
    monkeypatch.setattr(classroom, "HOME", 0)
    made = tmp_path / "docker" / "jupyterhub"
    made.mkdir(parents=True)
    write_list(made / "class.csv")
    env = f"CLASS_RELEASE={ROOT / 'assignments' / 'release'}\nCONFIGPROXY_AUTH_TOKEN='a word'\nDOCKER_GROUP=999\n"
    env += f"CLASS_UID={os.getuid()}\n"
    (made / ".env").write_text(f"{env}CLASS_PORT={free_port()}\nPORT={free_port()}\n# CLASS_GPUS=7\n")
    return made


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def rows(folder: Path, logins: str | None = None) -> dict[str, classroom.Finding]:
    return {row.what.split()[0]: row for row in classroom.check(folder, logins)}


def add(folder: Path, line: str) -> None:
    with (folder / ".env").open("a") as file:
        file.write(f"{line}\n")


def test_a_machine_that_is_ready(folder, hub, call):
    status, printed, _ = call("class-check", "--folder", str(folder), "--logins", hub.url)
    assert (status, "!!" in printed) == (0, False), printed
    for words in ("free, for the hub", "docker answers", "ecg-lessons:cpu is there", "35 people, lecturers: 1"):
        assert words in printed
    assert re.search(r"logins +30 of 30 at once, \d+\.\d s", printed)
    status, printed, _ = call("class-check", "--folder", str(folder), "--json")
    assert (status, {row["remedy"] for row in json.loads(printed)}) == (0, {""})


def test_what_must_be_mended_has_a_remedy_and_status_1(folder, call):
    (folder / "class.csv").unlink()
    status, printed, _ = call("class-check", "--folder", str(folder))
    assert (status, printed.count("!!"), printed.count("->")) == (1, 1, 1)
    assert "class.example.csv shows one" in printed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--folder", "nowhere"], "There is no folder nowhere: go to the root of the project, or name yours"),
        (["--logins", "localhost:8000"], "localhost:8000 is no address of a hub: write it as http://127.0.0.1:8000."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(folder, call, words, sentence):
    status, printed, told = call("class-check", "--folder", str(folder), *words)
    assert (status, printed, told.count("\n")) == (2, "", 1)
    assert sentence in told


def test_who_uses_a_port(folder, hub):
    add(folder, f"CLASS_PORT={hub.server_port}")
    assert rows(folder)["port"].remedy == ""
    with socket.create_server(("127.0.0.1", 0)) as other:
        add(folder, "CLASS_PORT=80000")
        add(folder, f"PORT={other.getsockname()[1]}")
        # A program that says nothing would be waited for.
        threading.Thread(target=lambda: [other.accept()[0].close() for _ in range(3)], daemon=True).start()
        found = [row for row in classroom.check(folder) if row.what.startswith("port")]
    assert [row.state for row in found] == ["is no port", "another program uses it"]
    assert all(row.remedy for row in found)


def test_a_running_hub_is_named(folder, hub):
    add(folder, f"CLASS_PORT={hub.server_port}")
    found = [row for row in classroom.check(folder) if row.what.endswith(str(hub.server_port))]
    assert found[0][1:] == ("a JupyterHub 6.1.1 is running there", "")


def test_gpus_that_are_not_there(folder):
    assert rows(folder)["GPUs"].state.startswith("0 Some card, 1 Some card; CLASS_GPUS is empty")
    add(folder, 'CLASS_GPUS="0,GPU-2b"')
    assert rows(folder)["GPUs"][1:] == ("0 Some card, 1 Some card; 2 for the class, one person each", "")
    add(folder, "CLASS_GPUS=1 2")
    assert rows(folder)["GPUs"].state.endswith("CLASS_GPUS also names 2")
    assert rows(folder)["GPUs"].remedy


def test_no_engine_no_image_no_room(folder, monkeypatch, tmp_path):
    program(tmp_path / "tools" / "docker", "case $1 in image) exit 1;; esac")
    assert rows(folder)["image"].remedy == "run 'make docker KIND=cpu' today: it takes minutes"
    add(folder, "CLASS_GPUS=0")
    add(folder, "CLASS_IMAGE_GPU=ours:gpu")
    remedies = [row.remedy for row in classroom.check(folder) if row.what == "image"]
    assert remedies[1] == "run 'docker pull ours:gpu' today: it takes minutes"
    for name in ("docker", "podman"):
        program(tmp_path / "tools" / name, "exit 1")
    assert "install Docker or podman" in rows(folder)["containers"].remedy
    assert "image" not in rows(folder)
    monkeypatch.setattr(classroom, "HOME", 10**9)
    assert rows(folder)["disk"].remedy == "make room there, for instance by 'docker image prune'"


def test_settings_and_token(folder, monkeypatch):
    assert rows(folder)["settings"].state == "complete"
    add(folder, "CLASS_LTI_ISSUER=https://moodle.example")
    assert "CLASS_LTI_CLIENT_ID, CLASS_LTI_AUTHORIZE_URL" in rows(folder)["settings"].state
    add(folder, "CLASS_LTI_ISSUER=")
    add(folder, "CLASS_RELEASE=./release")
    assert "no whole path" in rows(folder)["settings"].state
    add(folder, "DOCKER_GROUP=")
    assert "lacks DOCKER_GROUP" in rows(folder)["settings"].state
    add(folder, f"DOCKER_GROUP=999\nCLASS_RELEASE={ROOT / 'assignments' / 'release'}\nCLASS_UID=12345")
    assert rows(folder)["settings"].remedy == f"write CLASS_UID={os.getuid()} into {folder / '.env'}"
    (folder / ".env").unlink()
    assert "env.example" in rows(folder)["settings"].remedy
    assert rows(folder)["token"].remedy == ""
    (folder.parent / ".env").write_text("JUPYTER_TOKEN=short\n")
    assert "openssl rand" in rows(folder)["token"].remedy
    monkeypatch.setenv("JUPYTER_TOKEN", 32 * "a")
    assert rows(folder)["token"][1:] == ("JUPYTER_TOKEN is set", "")


def test_no_secret_is_printed(folder, call):
    add(folder, f"JUPYTER_TOKEN={'ab' * 16}")
    printed = "".join(call("class-check", "--folder", str(folder))[1:])
    assert "ab" * 16 not in printed
    assert "code-of-" not in printed


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ([*PEOPLE, ("S01", "student", "another")], "people twice: s01"),
        ([*PEOPLE, ("eve", "student", "")], "codes of fewer than 6 characters: eve"),
        ([*PEOPLE, ("eve", "admin", "long-enough")], "other roles than student and lecturer: eve"),
        ([*PEOPLE, ("eve", "student", "a-long-code")], "the codes of class.example.csv: eve"),
        (PEOPLE[1:], "has no lecturer"),
    ],
)
def test_faults_of_a_class_list(folder, people, words):
    write_list(folder / "class.csv", people)
    row = rows(folder)["class"]
    assert words in row.state
    assert row.remedy


def test_a_class_list_that_cannot_be_read(folder):
    write_list(folder / "class.csv", delimiter=";")
    assert "has not the columns" in rows(folder)["class"].state
    (folder / "class.csv").write_bytes("name,role,code\nZoë,student,long-enough\n".encode("latin-1"))
    assert "saved as UTF-8" in rows(folder)["class"].remedy
    write_list(folder / "class.csv")
    (folder / "class.csv").chmod(0o644)
    assert rows(folder)["class"].remedy.startswith("run: chmod 600 ")


def test_logins_that_fail(folder, hub):
    hub.codes["s03"] = "changed by its owner"
    row = rows(folder, hub.url)["logins"]
    assert row.state.startswith("29 of 30 at once")
    assert "s03: refused" in row.state
    assert "who has changed the password" in row.remedy
    assert rows(folder, f"http://127.0.0.1:{free_port()}")["logins"].remedy.startswith("start the hub")
    (folder / "class.csv").unlink()
    assert rows(folder, hub.url)["logins"].remedy == "mend the class list first"


def test_what_the_check_wants_is_what_the_hub_reads():
    config = (HUB / "jupyterhub_config.py").read_text(encoding="utf-8")
    compose = (HUB / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+):\?", compose)) == set(classroom.NEEDED)
    read = set(re.findall(r'os\.environ\["(CLASS_\w+)"\]', config)) - {"CLASS_PROXY_API", "CLASS_LTI_ISSUER"}
    assert read == {"CLASS_RELEASE", *classroom.NEEDED_BY_LTI}
    # What the hub may be told, compose passes on; the rest is of the tests, or fixed by the containers.
    told = set(re.findall(r'"(CLASS_\w+)"', config)) - set(re.findall(r"^ +(CLASS_\w+):", compose, re.MULTILINE))
    fixed = {"CLASS_BIND", "CLASS_CONFIG", "CLASS_FOLDER", "CLASS_HUB_NAME", "CLASS_PORT", "CLASS_SERVICE_PORT"}
    fixed |= {"CLASS_HOMES", "CLASS_SPAWNER", "CLASS_STATE", "CLASS_UIDS", "CLASS_RELEASE_FOLDER"}
    assert told - fixed == {"CLASS_LECTURERS", "CLASS_SERVICE", "CLASS_SERVICE_BIND"}  # what the hub itself sets
    example = (HUB / "env.example").read_text(encoding="utf-8")
    assert all(f"\n{name}=" in example for name in classroom.NEEDED)
    with (HUB / "class.example.csv").open(newline="") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    assert codes == {"a-long-code", "another-code"}


def test_the_list_for_the_day_before_names_what_is_there():
    page = (ROOT / "docker" / "CLASS.md").read_text(encoding="utf-8")
    assert {"ecg-lessons class-check", "ecg-lessons class-check --logins http://127.0.0.1:8000"} <= {
        line.strip() for line in page.splitlines()
    }
    named = set(re.findall(r"`((?:docker|assignments)/[\w./]+)`", page))
    made = {"docker/jupyterhub/.env", "docker/jupyterhub/class.csv"}
    assert made < named
    assert [name for name in named - made if not (ROOT / name).exists()] == []
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "docker/jupyterhub/class.csv"} <= set(ignored)
