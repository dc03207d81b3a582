"""A hub of a class on loopback, by the real configuration, and browsers of its people, for the tests of this folder."""

import http.cookiejar
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
from pathlib import Path
from typing import ClassVar

import pytest

ROOT = Path(__file__).parents[2]
STUDENTS = [f"student{k:02d}" for k in range(30)]
PROXY = shutil.which("configurable-http-proxy") or ROOT / "build/class/node_modules/.bin/configurable-http-proxy"
NOTEBOOK = ROOT / "assignments" / "release" / "01_inversion.ipynb"
#: The first of the users that the people of a class are, where a test runs as root, and the group of lecturers.
UIDS, LECTURERS = 43210, 43199


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def for_all(path: Path) -> bool:
    """Tell whether every user of this machine may read a file."""
    path = path.resolve()
    return bool(path.stat().st_mode & 0o004) and all(place.stat().st_mode & 0o001 for place in path.parents)


def python_for_all() -> str | None:
    """Find a Python like this one that any user may start, with the packages of this one if any user may read them."""
    name = f"python3.{sys.version_info.minor}"
    found = [Path(sys.executable), *(Path(place) / name for place in ("/usr/local/bin", "/usr/bin"))]
    usable = [str(path) for path in found if path.is_file() and for_all(path)]
    return usable[0] if usable and for_all(Path(pytest.__file__)) else None


class Hub:
    """A hub in a folder, that can be killed and started again."""

    #: Where the hub listens: to this machine alone.
    bind = "127.0.0.1"
    people: ClassVar = ["teacher,lecturer,chalk-and-board", *(f"{name},student,code-of-{name}" for name in STUDENTS)]

    def __init__(self, folder: Path, *words: str, **env: str):
        self.folder, self.port = folder, free_port()
        self.ports = ports = {name: free_port() for name in ("api", "service", "hub")}
        (folder / "class.csv").write_text("\n".join(["name,role,code", *self.people]) + "\n")
        for name, mode in {"state": 0o700, "class": 0o2770, "homes": 0o711}.items():
            (folder / name).mkdir(exist_ok=True)
            (folder / name).chmod(mode)
        (folder / "class.csv").chmod(0o600)
        self.env = os.environ | {
            "PATH": f"{Path(PROXY).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CLASS_SPAWNER": "local",
            "CLASS_LIST": str(folder / "class.csv"),
            "CLASS_STATE": str(folder / "state"),
            "CLASS_FOLDER": str(folder / "class"),
            "CLASS_HOMES": str(folder / "homes"),
            "CLASS_RELEASE_FOLDER": str(NOTEBOOK.parent),
            "CLASS_PORT": str(self.port),
            "CLASS_SERVICE_PORT": str(ports["service"]),
            "CLASS_PROXY_API": f"http://127.0.0.1:{ports['api']}",
            "CONFIGPROXY_AUTH_TOKEN": uuid.uuid4().hex,
            "CLASS_GPUS": "0 1 2 3",
            **env,
        }
        self.words = [sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "docker/jupyterhub/jupyterhub_config.py")]
        self.words += [f"--JupyterHub.hub_bind_url=http://{self.bind}:{ports['hub']}", *words]
        self.start()

    def start(self) -> None:
        self.log = (self.folder / "hub.log").open("ab")
        self.process = subprocess.Popen(
            self.words, cwd=self.folder / "state", env=self.env, stdout=self.log, stderr=self.log
        )
        self.well()

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

    def well(self, seconds: float = 120) -> None:
        """Wait until hub and service answer."""
        self.until(lambda: Client(self).get("/hub/health").status == 200, seconds)
        self.until(lambda: Client(self).get("/services/assignments/").status == 200, seconds)

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

    def start_server(self, kind: str = "cpu") -> None:
        """Ask for a server and wait until it answers; the hub gives none while the one before is still ending."""
        self.hub.until(lambda: self.api(f"users/{self.name}/server", {"kind": kind}, "POST").status in (201, 202))
        self.hub.until(lambda: json.loads(self.api(f"users/{self.name}").body)["server"], 300)

    def hand_in(self, content: bytes, number: str = "01"):
        self.get("/services/assignments/")
        where = f"/services/assignments/submit/{number}"
        return self.get(where, content, **{"X-XSRFToken": self.xsrf(where), "Content-Type": "application/json"})
