"""The day before class: look at the machine of a hub, its settings and its list of people, and log a class in."""

import csv
import http.client
import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ecg_lessons.errors import InputError, shown
from ecg_lessons.machine import Finding, Report

#: What docker/jupyterhub/compose.yaml cannot do without, and what the hub needs besides to ask a platform by LTI.
NEEDED = ("CLASS_RELEASE", "CONFIGPROXY_AUTH_TOKEN", "DOCKER_GROUP")
NEEDED_BY_LTI = ("CLASS_LTI_CLIENT_ID", "CLASS_LTI_AUTHORIZE_URL", "CLASS_LTI_JWKS_URL")
#: Room for one image in GiB, unpacked and while it is pulled, and for the home of one person.
IMAGES, HOME = {"ecg-lessons:cpu": 5, "ecg-lessons:gpu": 20}, 0.5
LOGINS = 30
#: The shortest token and the shortest code that nobody guesses in an afternoon.
TOKEN, CODE = 16, 6


class Person(NamedTuple):
    """A line of the class list."""

    name: str
    role: str
    code: str


def check(folder: Path, logins: str | None = None) -> Report:
    """Look at ports, disk, GPUs, the container engine, the settings and the class list in a folder.

    `logins` is the address of a hub that runs: the first 30 people of the list log in there at once, by their codes.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}: go to the root of the project, or name yours with --folder.")
    if logins is not None and not re.match(r"https?://[^/\s]", logins):
        raise InputError(f"{shown(logins)} is no address of a hub: write it as http://127.0.0.1:8000.")
    settings, settings_row = _settings(folder)
    people, list_row = _people(Path(settings.get("CLASS_LIST") or folder / "class.csv"))
    engine, engine_row = _engine()
    images = list(IMAGES) if settings.get("CLASS_GPUS", "").strip() else list(IMAGES)[:1]
    rows = [
        _port(settings.get("CLASS_PORT") or "8000", "the hub", "CLASS_PORT"),
        _port(settings.get("PORT") or "8888", "JupyterLab without a hub", "PORT"),
        _disk(engine, folder, sum(IMAGES[name] for name in images) + HOME * len(people)),
        _gpus(settings.get("CLASS_GPUS", "").replace(",", " ").split()),
        engine_row,
        *(_image(engine, name, settings) for name in images if engine),
        settings_row,
        _token(settings),
        list_row,
    ]
    if logins is not None:
        rows.append(_logins(logins.rstrip("/"), people, bool(settings.get("CLASS_LTI_ISSUER"))))
    return Report(rows)


def _said(*words: str) -> str | None:
    # What a program says; None where it is missing, fails or hangs.
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _port(word: str, use: str, variable: str) -> Finding:
    what = f"port {shown(word)}"
    if not word.isdecimal() or not 0 < int(word) < 65536:
        return Finding(what, "is no port", f"set {variable} to a number from 1024 to 65535")
    with socket.socket() as one:
        one.settimeout(2)
        if one.connect_ex(("127.0.0.1", int(word))):
            return Finding(what, f"free, for {use}")
    for path, who in (("/hub/api", "a JupyterHub"), ("/api", "a Jupyter server")):
        try:
            with _opener().open(f"http://127.0.0.1:{word}{path}", timeout=5) as answer:
                version = json.load(answer)["version"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        return Finding(what, f"{who} {shown(version)} is running there")
    return Finding(what, "another program uses it", f"end that program, or set {variable} to another port")


def _disk(engine: str, folder: Path, needed: float) -> Finding:
    # Where the engine keeps images and volumes; on macOS and Windows that lies in a machine of its own.
    form = "{{.DockerRootDir}}" if engine == "docker" else "{{.Store.GraphRoot}}"
    told = Path((_said(engine, "info", "--format", form) or "").strip() or folder) if engine else folder
    place = told if told.is_dir() else folder
    free = shutil.disk_usage(place).free / 2**30
    remedy = "" if free > needed else f"make room there, for instance by '{engine or 'docker'} image prune'"
    return Finding("disk", f"{free:.0f} GiB free in {place}; this class needs about {needed:.0f}", remedy)


def _gpus(cards: list[str]) -> Finding:
    lines = re.findall(r"^GPU (\d+): (.+?) \(UUID: (\S+)\)", _said("nvidia-smi", "-L") or "", re.MULTILINE)
    named = ", ".join(f"{number} {name}" for number, name, _ in lines) or "none"
    known = {word for number, _, uuid in lines for word in (number, uuid)}
    if lost := [card for card in cards if card not in known]:
        words = f"{named}; CLASS_GPUS also names {shown(' '.join(lost))}"
        return Finding("GPUs", words, "take those out of CLASS_GPUS, or install NVIDIA's driver if 'nvidia-smi' fails")
    if cards:
        return Finding("GPUs", f"{named}; {len(cards)} for the class, one person each")
    return Finding("GPUs", f"{named}; CLASS_GPUS is empty, so the class computes on the CPU")


def _engine() -> tuple[str, Finding]:
    # As docker/engine chooses.
    for name in ("docker", "podman"):
        if _said(name, "info") is not None:
            return name, Finding("containers", f"{name} answers")
    remedy = "install Docker or podman, start it, and see that you may use it: 'docker info' must answer"
    return "", Finding("containers", "neither docker nor podman answers", remedy)


def _image(engine: str, usual: str, settings: Mapping[str, str]) -> Finding:
    kind = usual.rpartition(":")[2]
    name = settings.get("CLASS_IMAGE_GPU" if kind == "gpu" else "CLASS_IMAGE") or usual
    if _said(engine, "image", "inspect", name) is not None:
        return Finding("image", f"{name} is there")
    make = f"make docker KIND={kind}" if name == usual else f"{engine} pull {name}"
    return Finding("image", f"{shown(name)} is not there", f"run '{make}' today: it takes minutes")


def _read_env(path: Path) -> dict[str, str]:
    found = {}
    text = path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found


def _settings(folder: Path) -> tuple[dict[str, str], Finding]:
    # What the shell says goes before what the file says, as in compose, which reads docker/.env.
    path = folder / ".env"
    ours = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("CLASS_", "JUPYTER_TOKEN")) or name in (*NEEDED, "PORT")
    }
    found = _read_env(folder.parent / ".env") | _read_env(path) | ours
    needed = NEEDED + (NEEDED_BY_LTI if found.get("CLASS_LTI_ISSUER") else ())
    if not path.is_file() and not all(found.get(name) for name in needed):
        return found, Finding("settings", f"there is no {path}", f"copy {folder / 'env.example'} there and fill it in")
    if lost := [name for name in needed if not found.get(name)]:
        return found, Finding("settings", f"{path} lacks {', '.join(lost)}", "fill in what env.example explains")
    release = Path(found["CLASS_RELEASE"])
    if not release.is_absolute() or not any(release.glob("[0-9][0-9]_*.ipynb")):
        words = f"CLASS_RELEASE={shown(str(release))} is no whole path of a folder with assignments"
        return found, Finding("settings", words, "copy assignments/release to such a folder and name it, from / on")
    people, user = folder / "class.csv", found.get("CLASS_UID") or "1000"
    if os.name == "posix" and people.is_file() and user != str(owner := people.stat().st_uid):
        words = f"CLASS_UID={shown(user)} is not whose class.csv is, and the hub could not read it"
        return found, Finding("settings", words, f"write CLASS_UID={owner} into {path}")
    return found, Finding("settings", "complete")


def _token(settings: Mapping[str, str]) -> Finding:
    token, make = settings.get("JUPYTER_TOKEN", ""), "run: export JUPYTER_TOKEN=$(openssl rand -hex 16)"
    if not token:
        return Finding("token", "JUPYTER_TOKEN is not set; the hub needs none, compose without a hub does")
    if len(token) < TOKEN:
        return Finding("token", f"JUPYTER_TOKEN has fewer than {TOKEN} characters", make)
    return Finding("token", "JUPYTER_TOKEN is set")


def _people(path: Path) -> tuple[list[Person], Finding]:
    what, form = "class list", "write a CSV file with commas whose first line is name,role,code"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"name", "role", "code"} <= set(rows.fieldnames or ()):
                return [], Finding(what, f"{path} has not the columns name, role and code", form)
            cells = [[(row[name] or "").strip() for name in ("name", "role", "code")] for row in rows]
    except FileNotFoundError:
        return [], Finding(what, f"there is no {path}", f"{form}; class.example.csv shows one")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return [], Finding(what, f"{path} cannot be read ({type(error).__name__})", f"{form}, saved as UTF-8")
    people = [Person(name.lower(), role, code) for name, role, code in cells if name]
    lecturers = sum(person.role == "lecturer" for person in people)
    names = [person.name for person in people]
    faults = {
        "people twice": sorted({name for name in names if names.count(name) > 1}),
        f"codes of fewer than {CODE} characters": [one.name for one in people if len(one.code) < CODE],
        "other roles than student and lecturer": [
            one.name for one in people if one.role not in ("student", "lecturer")
        ],
        "the codes of class.example.csv": [
            one.name for one in people if one.code in ("a-long-code", "another-code")
        ],
    }  # fmt: skip
    for fault, whom in faults.items():
        if whom:
            return people, Finding(what, f"{path} has {fault}: {_few(whom)}", "mend these lines and restart the hub")
    if not lecturers:
        return people, Finding(what, f"{path} has no lecturer", "give yourself a line with the role lecturer")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        return people, Finding(what, f"others on this machine can read the codes in {path}", f"run: chmod 600 {path}")
    return people, Finding(what, f"{len(people)} people, lecturers: {lecturers}")


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return shown(", ".join(names[:3])) + more


def _opener() -> urllib.request.OpenerDirector:
    # A browser of one's own; no proxy stands between a hub and its machine.
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
    opener.jar = jar
    return opener


def log_in(hub: str, person: Person) -> str:
    """Log a person in at a hub as a browser does; gives what went wrong, or nothing."""
    opener = _opener()
    try:
        opener.open(f"{hub}/hub/login", timeout=60).read()
        form = {"username": person.name, "password": person.code}
        if marks := [cookie for cookie in opener.jar if cookie.name == "_xsrf"]:
            form["_xsrf"] = max(marks, key=lambda cookie: len(cookie.path)).value
        sent = urllib.parse.urlencode(form).encode()
        with opener.open(f"{hub}/hub/login?next=/hub/home", sent, timeout=60) as answer:
            inside = not urllib.parse.urlsplit(answer.url).path.endswith("/hub/login")
            return "" if inside else "refused"
    except urllib.error.HTTPError as error:
        return "refused" if error.code in (401, 403) else f"status {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return "no answer" if isinstance(error, OSError) else "no hub answers"


def _logins(hub: str, people: list[Person], by_lti: bool) -> Finding:
    what = "logins"
    if by_lti:
        return Finding(what, "not tried: people come in from the platform (LTI); log in there once yourself")
    if not people:
        return Finding(what, "not tried: the class list has nobody", "mend the class list first")
    begun, class_ = time.perf_counter(), people[:LOGINS]
    with ThreadPoolExecutor(LOGINS) as pool:
        outcomes = dict(zip([one.name for one in class_], pool.map(lambda one: log_in(hub, one), class_), strict=True))
    failed = {name: why for name, why in outcomes.items() if why}
    state = f"{len(outcomes) - len(failed)} of {len(outcomes)} at once, {time.perf_counter() - begun:.1f} s"
    if not failed:
        return Finding(what, state)
    state += f"; {_few([f'{name}: {why}' for name, why in failed.items()])}"
    if len(failed) == len(outcomes) and set(failed.values()) == {"no answer"}:
        return Finding(what, f"no hub answers at {hub}", "start the hub, or give --logins its address")
    if set(failed.values()) == {"refused"}:
        return Finding(what, state, "restart the hub with this list; who has changed the password is refused rightly")
    return Finding(what, state, "read what the hub wrote in its log at this time")
