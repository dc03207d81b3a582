"""The hub as its containers run it: DockerSpawner by the real configuration, and a stand-in for Docker's engine.

What the spawner asks the engine for is held against what compose.yaml lets through.
"""

import json
import os
import re
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("jupyterhub", reason="the hub is not installed: run 'make class-test'")
pytest.importorskip("dockerspawner", reason="the hub is not installed: run 'make class-test'")

import yaml
from engine import Engine
from hubs import NOTEBOOK, PROXY, ROOT, Client, Hub

COMPOSE = yaml.safe_load((ROOT / "docker/jupyterhub/compose.yaml").read_text(encoding="utf-8"))["services"]
#: What whoever takes over a hub would ask for.
FORBIDDEN = [
    "GET /v1.47/containers/json",
    "GET /v1.47/containers/ecg-ada/archive",
    "GET /v1.47/images/json",
    "GET /v1.47/secrets",
    "POST /v1.47/containers/ecg-ada/exec",
    "POST /v1.47/exec/1/start",
    "POST /v1.47/containers/ecg-ada/update",
    "POST /v1.47/build",
    "POST /v1.47/images/create",
    "POST /v1.47/volumes/create",
    "PUT /v1.47/containers/ecg-ada/archive",
    "DELETE /v1.47/volumes/ecg-home-ada",
    "DELETE /v1.47/images/ecg-lessons",
]


def let_through(asked: str) -> bool:
    """Tell whether compose.yaml's proxy of the socket lets a request through."""
    method, path = asked.split(" ", 1)
    rules = [word.split("=", 1)[1] for word in COMPOSE["docker"]["command"] if word.startswith(f"-allow{method}=")]
    return any(re.fullmatch(rule, path) for rule in rules)


class Door:
    """The proxy, started as compose.yaml starts it, on loopback."""

    def __init__(self, port: int, api: int, hub: int, word: str):
        told = (
            " ".join(COMPOSE["proxy"]["command"])
            .replace("0.0.0.0", "127.0.0.1")
            .replace("hub:8081", f"127.0.0.1:{hub}")
        )
        told = told.replace("--port=8000", f"--port={port}").replace("--api-port=8001", f"--api-port={api}")
        env = os.environ | {"CONFIGPROXY_AUTH_TOKEN": word}
        self.process = subprocess.Popen([PROXY, *told.split()], env=env, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class ContainerHub(Hub):
    """A hub that starts containers, behind a door that is not its own."""

    door = None

    def start(self) -> None:
        if self.door is None:
            self.door = Door(self.port, self.ports["api"], self.ports["hub"], self.env["CONFIGPROXY_AUTH_TOKEN"])
        super().start()

    def close(self) -> None:
        super().close()
        self.door.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    made = Engine(tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def hub(engine, tmp_path_factory):
    made = ContainerHub(
        tmp_path_factory.mktemp("hub"),
        CLASS_SPAWNER="docker",
        CLASS_HUB_NAME="127.0.0.1",
        CLASS_RELEASE=str(NOTEBOOK.parent),
        CLASS_GPUS="0 GPU-5c1e",
        CLASS_IMAGE="ecg-lessons:cpu",
        CLASS_IMAGE_GPU="registry.example.org/ecg-lessons:gpu",
        DOCKER_HOST=f"unix://{engine.socket}",
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(hub) -> dict[str, Client]:
    found = {name: Client(hub, name) for name in ("student00", "student01", "teacher")}
    for name, client in found.items():
        assert client.log_in("chalk-and-board" if name == "teacher" else "") == 200
        client.start_server("gpu" if name == "student01" else "cpu")
    return found


def test_a_container_is_the_courses_with_its_limits_and_nothing_of_the_hub(engine, hub, people):
    made = engine.made["ecg-student00"]
    host = made["HostConfig"]
    assert made["Image"] == "ecg-lessons:cpu"
    assert made["Cmd"][0] == "jupyterhub-singleuser"
    assert made["Labels"] == {"ecg-lessons.user": "student00"}
    assert sorted(host["Binds"]) == sorted([f"{NOTEBOOK.parent}:/srv/release:ro", "ecg-home-student00:/srv/student:rw"])
    assert (host["Memory"], host["CpuQuota"] / host["CpuPeriod"], host["PidsLimit"]) == (4 * 2**30, 2, 1024)
    assert host["ReadonlyRootfs"] is True
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"])
    assert (host["NetworkMode"], host["AutoRemove"]) == ("ecg-class", True)
    assert not host.get("PortBindings")
    assert not host.get("DeviceRequests")
    assert not host.get("Privileged")
    env = "\n".join(made["Env"])
    assert hub.env["CONFIGPROXY_AUTH_TOKEN"] not in env
    assert "DOCKER_HOST" not in env
    assert "NVIDIA_VISIBLE_DEVICES" not in env


def test_a_card_of_the_ledger_is_the_card_of_the_container(engine, hub, people):
    made = engine.made["ecg-student01"]
    (request,) = made["HostConfig"]["DeviceRequests"]
    cards = json.loads((hub.folder / "state" / "gpus.json").read_text())
    assert cards == {"0": "student01"}
    assert (request["Driver"], request["DeviceIDs"], request["Capabilities"]) == ("nvidia", ["0"], [["gpu"]])
    assert request["Count"] == 0  # a number would give everybody the same card
    assert made["Image"] == "registry.example.org/ecg-lessons:gpu"


def test_the_lecturer_alone_has_what_was_handed_in(engine, people):
    assert "ecg-class:/srv/class:rw" in engine.made["ecg-teacher"]["HostConfig"]["Binds"]
    for name in ("ecg-student00", "ecg-student01"):
        assert not [bind for bind in engine.made[name]["HostConfig"]["Binds"] if bind.startswith("ecg-class")]


def test_the_server_in_the_container_is_its_owners_and_hands_in(engine, hub, people):
    assert people["student00"].get("/user/student00/files/none.txt").status == 404  # let in; there is no such page
    assert people["student01"].get("/user/student00/files/none.txt").status == 403
    env = dict(line.split("=", 1) for line in engine.made["ecg-student00"]["Env"])
    headers = {"Authorization": f"token {env['JUPYTERHUB_API_TOKEN']}"}
    request = urllib.request.Request(f"{env['CLASS_SERVICE']}submit/01", b'{"cells": []}', headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["student"] == "student00"


def test_containers_outlive_the_hub_and_go_when_they_are_stopped(engine, hub, people):
    before = dict(engine.ids)
    hub.kill()
    hub.start()
    assert engine.ids == before
    assert json.loads(people["student01"].api("users/student01").body)["server"]
    begun = time.monotonic()
    people["student01"].api("users/student01/server", method="DELETE")
    hub.until(lambda: "ecg-student01" not in engine.made, 30)
    hub.until(lambda: json.loads((hub.folder / "state" / "gpus.json").read_text()) == {}, 10)
    print(f"\na container and its card were free {time.monotonic() - begun:.1f} s after the end was asked for")
    assert sorted(engine.made) == ["ecg-student00", "ecg-teacher"]


def test_compose_lets_through_what_the_hub_asked_and_nothing_else(engine, people):
    assert len(set(engine.asked)) > 5
    assert [one for one in engine.asked if not let_through(one)] == []
    assert [one for one in FORBIDDEN if let_through(one)] == []
