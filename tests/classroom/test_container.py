"""With a real engine: a student's server in a container of the course's image. The image must be there.

`CLASS_ENGINE=unix:///var/run/docker.sock make class-test` runs it, with Docker or with Podman's service.
"""

import contextlib
import json
import os
import uuid
from pathlib import Path

import pytest
from hubs import NOTEBOOK, PROXY, Client
from test_docker import ContainerHub

docker = pytest.importorskip("docker", reason="the hub is not installed: run 'make class-test'")
ENGINE = os.environ.get("CLASS_ENGINE")
IMAGE = os.environ.get("CLASS_IMAGE", "ecg-lessons:cpu")
#: Nobody's volume: the name is new in each run.
NAME = f"ada{uuid.uuid4().hex[:8]}"
pytestmark = pytest.mark.skipif(not ENGINE, reason="CLASS_ENGINE names no container engine")


class RealHub(ContainerHub):
    """A hub on this machine, whose students are in containers."""

    bind = "0.0.0.0"
    people = (f"{NAME},student,code-of-{NAME}", "teacher,lecturer,chalk-and-board")


@pytest.fixture(scope="module")
def engine():
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    client = docker.DockerClient(base_url=ENGINE, timeout=180)
    yield client
    with contextlib.suppress(docker.errors.NotFound):
        client.volumes.get(f"ecg-home-{NAME}").remove()
    client.close()


@pytest.fixture(scope="module")
def hub(engine, tmp_path_factory):
    network = engine.networks.create(f"class-{NAME}", driver="bridge")
    network.reload()
    gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
    # Podman makes a network's address when its first container starts.
    first = engine.containers.run(IMAGE, ["sleep", "600"], network=network.name, detach=True, auto_remove=True)
    made = RealHub(
        tmp_path_factory.mktemp("hub"),
        CLASS_SPAWNER="docker",
        CLASS_HUB_NAME=gateway,
        CLASS_NETWORK=network.name,
        CLASS_IMAGE=IMAGE,
        CLASS_RELEASE=str(NOTEBOOK.parent),
        DOCKER_HOST=ENGINE,
    )
    yield made
    for container in engine.containers.list(all=True, filters={"name": f"ecg-{NAME}"}):
        container.remove(force=True)
    made.close()
    first.remove(force=True)
    network.remove()


def names(engine) -> list[str]:
    return [one.name for one in engine.containers.list(all=True, filters={"name": f"ecg-{NAME}"})]


def test_a_student_works_in_a_container_of_the_course(engine, hub):
    student = Client(hub, NAME)
    assert student.log_in() == 200
    student.start_server()
    container = engine.containers.get(f"ecg-{NAME}")

    def does(*words: str) -> tuple[int, str]:
        done = container.exec_run(list(words))
        return done.exit_code, done.output.decode()

    assert "uid=1000" in does("id")[1]
    assert does("touch", "/opt/course/x")[0] != 0
    assert does("test", "-e", "/srv/class")[0] != 0
    assert does("touch", "/srv/release/x")[0] != 0
    status, said = does("ecg-lessons", "check")
    assert (status, "a matrix product is right" in said) == (0, True), said
    assert does("ecg-lessons", "hand-in", f"/srv/release/{NOTEBOOK.name}") == (
        0,
        f"Handed in for assignment 01 as {NAME}. The last one you hand in counts.\n",
    )
    handed_in = hub.folder / "class" / "submissions" / "01" / NAME / NOTEBOOK.name
    assert handed_in.read_bytes() == NOTEBOOK.read_bytes()

    hub.kill()
    hub.start()
    assert names(engine) == [f"ecg-{NAME}"]
    assert json.loads(student.api(f"users/{NAME}").body)["server"]
    student.api(f"users/{NAME}/server", method="DELETE")
    hub.until(lambda: not names(engine), 30)
    # The home stays.
    student.start_server()
    container = engine.containers.get(f"ecg-{NAME}")
    assert does("test", "-d", "/srv/student/ecg-lessons/notebooks")[0] == 0
