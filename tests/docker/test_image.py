"""What the images are made of, as far as files tell; `make docker-test` builds and runs them."""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


def locked(kind: str) -> dict[str, Requirement]:
    """Give what a lock holds; what is there for no platform is left out."""
    text = (DOCKER / f"{kind}.lock").read_text(encoding="utf-8")
    lines = re.findall(r"^([\w.\[\]-]+==[^\\\n]+?) *\\?$", text, re.MULTILINE)
    found = [Requirement(line) for line in lines if "'never'" not in line]
    return {canonicalize_name(one.name): one for one in found}


def asked(kind: str) -> list[Requirement]:
    """Give what the project and the image ask for."""
    extras = PROJECT["optional-dependencies"]
    names = ["formats", "tensorboard"] + ["gpu"] * (kind == "gpu") + ["cluster"] * (kind == "ray")
    lines = PROJECT["dependencies"] + [line for name in names for line in extras[name]]
    for name in ("image.in", f"{kind}.in"):
        text = (DOCKER / name).read_text(encoding="utf-8")
        lines += [line for line in text.splitlines() if line and not line.startswith(("#", "-r"))]
    found = [Requirement(line) for line in lines]
    return [one for one in found if kind == "gpu" or one.name != "tensorflow"]


@pytest.mark.parametrize("kind", ["cpu", "gpu", "ray"])
def test_the_lock_of_an_image_holds_what_the_project_asks_for(kind):
    there = locked(kind)
    for requirement in asked(kind):
        version = next(iter(there[canonicalize_name(requirement.name)].specifier)).version
        assert requirement.specifier.contains(version), f"{requirement} {version}"
    assert ("tensorflow" in there, "tensorflow-cpu" in there) == ((True, False) if kind == "gpu" else (False, True))


@pytest.mark.parametrize("kind", ["gpu", "ray"])
def test_all_images_hold_the_same_versions(kind):
    cpu, other = locked("cpu"), locked(kind)
    assert {name: other[name] for name in set(cpu) & set(other) if str(cpu[name]) != str(other[name])} == {}


def test_the_gpu_image_has_one_set_of_cuda_wheels():
    cuda = [name for name in locked("gpu") if name.startswith("nvidia-")]
    assert len(cuda) >= 12
    assert {"jax-cuda12-plugin", "jax-cuda12-pjrt"} <= set(locked("gpu"))
    assert all(name.endswith("-cu12") for name in cuda)
    assert not [name for name in locked("cpu") if name.startswith("nvidia-")]


@pytest.mark.parametrize("name", ["build", "cpu", "gpu", "ray"])
def test_every_locked_package_has_hashes_and_no_address_stands_there(name):
    text = (DOCKER / f"{name}.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    assert [entry[:40] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert not re.search(r"://|index-url|find-links|file:", text)


def test_solutions_and_tests_do_not_reach_the_image():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    taken = [line[1:] for line in lines if line.startswith("!")]
    assert [name for name in taken if name.startswith(("assignments", "tests", ".git"))] == ["assignments/release"]
    assert all(list(ROOT.glob(name)) for name in taken)


def test_what_changes_often_comes_last_and_no_secret_is_in_the_image():
    for target in ("gpu", "ray", "cpu"):
        stage = DOCKERFILE.split(f" AS {target}\n")[1]
        assert stage.index(f"--from={target}-packages /opt/ecg-lessons") < stage.index("--from=course")
    assert "USER 1000:0" in DOCKERFILE
    assert not re.search(r"(?i)(token|password|secret)\s*=", DOCKERFILE)


def test_a_dead_server_is_unhealthy_within_half_a_minute():
    told = dict(re.findall(r"--(interval|timeout|retries)=(\d+)", DOCKERFILE))
    assert int(told["retries"]) * (int(told["interval"]) + int(told["timeout"])) < 30


def healthy(port: int, prefix: str = "/") -> subprocess.CompletedProcess:
    code = (DOCKER / "healthy.py").read_text(encoding="utf-8").replace(":8888", f":{port}")
    env = os.environ | {"JUPYTERHUB_SERVICE_PREFIX": prefix}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_health_is_that_of_the_server_in_the_container():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in ("/api", "/user/ada/api") else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        assert [healthy(port).returncode, healthy(port, "/user/ada/").returncode] == [0, 0]
        assert healthy(port, "/user/bob/").returncode == 1
        server.shutdown()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert healthy(free.getsockname()[1]).returncode == 1


def start(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess:
    """Run the image's start with this project in place of the image's folder."""
    script = (DOCKER / "start").read_text(encoding="utf-8").replace("/opt/course/", f"{ROOT}/")
    env = {"PATH": os.environ["PATH"], "HOME": str(home)} | env
    return subprocess.run(["sh", "-c", script, "start", *words], env=env, capture_output=True, text=True, check=False)


def test_a_new_home_gets_the_lessons_and_an_old_one_keeps_its_own(tmp_path):
    assert start(tmp_path, "echo", "two words").stdout == "two words\n"
    lesson = tmp_path / "ecg-lessons" / "notebooks" / "01_inversion_detection.ipynb"
    lesson.write_text("mine")
    assert start(tmp_path, "true").returncode == 0
    assert lesson.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["ecg-lessons"]


def test_without_a_token_nothing_is_served(tmp_path):
    for env in ({}, {"JUPYTER_TOKEN": ""}):
        done = start(tmp_path, **env)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("ecg-lessons: JUPYTER_TOKEN is missing: set it")


def test_the_bill_of_materials_names_packages_with_versions_and_licences():
    done = subprocess.run([sys.executable, DOCKER / "sbom.py"], capture_output=True, text=True, check=False)
    if "dpkg-query" in done.stderr:
        pytest.skip("no Debian: dpkg-query is missing")
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    by_name = {part["name"]: part for part in bill["components"] if part["purl"].startswith("pkg:pypi/")}
    assert {"keras", "numpy", "tensorflow"} <= set(by_name)
    assert len([part for part in by_name.values() if "licenses" in part]) > 0.9 * len(by_name)


def test_a_compose_service_is_reached_from_this_machine_only_and_asks_for_a_token():
    services = COMPOSE["services"]
    assert {name for one in services.values() for name in one["profiles"]} == {"cpu", "gpu", "tensorboard", "ray"}
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        words = " ".join(service["environment"].values())
        assert "${JUPYTER_TOKEN:?" in words, name
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert services["gpu"]["build"]["target"] == "gpu"
    device = services["gpu"]["deploy"]["resources"]["reservations"]["devices"][0]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_the_hubs_containers_are_closed_to_all_but_whom_they_serve():
    told = yaml.safe_load((DOCKER / "jupyterhub" / "compose.yaml").read_text(encoding="utf-8"))
    services = told["services"]
    assert {name: set(service["networks"]) for name, service in services.items()} == {
        "proxy": {"door", "class"},
        "hub": {"class", "engine"},
        "docker": {"engine"},  # no student's server reaches it
    }
    assert told["networks"]["engine"] == {"internal": True}
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]
    assert services["proxy"]["ports"] == ["${CLASS_BIND:-127.0.0.1}:${CLASS_PORT:-8000}:8000"]
    assert [name for name, one in services.items() if "docker.sock" in json.dumps(one.get("volumes"))] == ["docker"]
    for name, service in services.items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
    taken = (DOCKER / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in taken if not line.startswith("#")] == ["*", "!build.lock", "!hub.lock", "!jupyterhub/*.py"]
