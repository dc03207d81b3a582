"""Codespaces and Binder, as far as files tell: the same course, from files that are there."""

import json
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
BINDER = (ROOT / ".binder" / "Dockerfile").read_text(encoding="utf-8")
DEVCONTAINER = ROOT / ".devcontainer" / "devcontainer.json"


def env(dockerfile: str) -> dict[str, str]:
    """Give what a Dockerfile sets by ENV."""
    joined = dockerfile.replace("\\\n", " ")
    words = [word for line in re.findall(r"^ENV (.+)", joined, re.MULTILINE) for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in words)


def test_the_devcontainer_is_the_image_for_cpus():
    told = json.loads(DEVCONTAINER.read_text(encoding="utf-8"))
    build = told["build"]
    assert (DEVCONTAINER.parent / build["dockerfile"]).resolve() == ROOT / "docker" / "Dockerfile"
    assert (DEVCONTAINER.parent / build["context"]).resolve() == ROOT
    assert build["target"] == "cpu"
    assert f" AS {build['target']}\n" in DOCKERFILE
    python = told["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.rsplit("/", 1)[0] in env(DOCKERFILE)["PATH"].split(":")
    # The code that is edited counts; the image's copy tells its version.
    assert told["containerEnv"]["PYTHONPATH"] == "${containerWorkspaceFolder}:" + env(DOCKERFILE)["PYTHONPATH"]


def test_binder_builds_what_the_target_cpu_builds():
    base = re.search(r"^ARG BASE=(\S+)", DOCKERFILE, re.MULTILINE)[1]
    assert set(re.findall(r"^FROM (\S+)", BINDER, re.MULTILINE)) == {base}
    assert re.findall(r"docker/(\w+)\.lock", BINDER) == ["build", "cpu"]
    assert "sh /opt/build/install" in BINDER
    assert "COPY docker/install docker/sbom.py /opt/build/" in BINDER
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG"):
        assert env(BINDER)[name] == env(DOCKERFILE)[name]


def test_binder_copies_what_is_there_and_what_the_image_takes():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    taken = {line[1:].split("/")[0] for line in lines if line.startswith("!")}
    words = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*", BINDER, re.MULTILINE)]
    sources = {word for line in words for word in line if not word.startswith("--")}
    assert [name for name in sources if not (ROOT / name).exists() or name.split("/")[0] not in taken] == []
    start = (ROOT / "docker" / "start").read_text(encoding="utf-8")
    lessons = re.search(r"for folder in ([^;]+);", start)[1].split()
    assert set(lessons) <= sources


def test_binder_gets_its_user_and_a_home_to_write_in():
    last = BINDER.rsplit("\nFROM ", 1)[1]
    assert re.findall(r"^ARG (\w+)", last, re.MULTILINE) == ["NB_USER", "NB_UID"]
    assert "USER ${NB_USER}" in last
    assert "WORKDIR ${HOME}" in last
    assert last.rindex("COPY ") < last.index('RUN chown -R "${NB_UID}" "${HOME}"') < last.index("USER ${NB_USER}\n")


def test_no_secret_stands_in_these_files():
    for text in (BINDER, DEVCONTAINER.read_text(encoding="utf-8")):
        assert not re.search(r"(?i)(token|password|secret)\W*[=:]", text)
        assert "IdentityProvider" not in text
