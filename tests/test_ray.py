"""Sweeps by Ray: a worker killed, Ray itself killed, a session on another machine. Ray may need minutes to start."""

import importlib.util
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import ecg_lessons
from ecg_lessons import ray_runner
from ecg_lessons.errors import InputError

pytestmark = pytest.mark.skipif(
    not ray_runner.is_there(), reason="Ray is not installed: pip install 'ecg-lessons[cluster]'"
)


def by_ray(found, events):
    """Run trials of one CPU on two; skip where Ray does not start at all."""
    try:
        return ray_runner.by_ray(found, (1, 0), lambda *event: events.append(event), lambda: None, cpus=2)
    except InputError as error:
        if "Ray did not start" in str(error):
            pytest.skip(str(error))
        raise


def test_a_killed_worker_goes_on_and_a_refused_trial_tells(project):
    events = []
    found = project.kill_a_worker(lambda found: by_ray(found, events))
    assert len(project.starts(found[1])) == 1  # the neighbour was left alone
    assert [event for trial, event in events if trial is found[1]] == ["starts", "finished"]


def test_a_sweep_whose_ray_dies_says_so_and_goes_on_later(project, capfd):
    found = project.trials(project.job(folds=[0, 1, 2], plan={"epochs": 8}, options={"wait": str(project.gate)}))

    def kill():
        """Kill what holds this machine's workers, as the system does that runs out of memory."""
        project.until(lambda: found[0].epochs == 2)
        (raylet,) = (one for one in psutil.Process().children(recursive=True) if one.name() == "raylet")
        raylet.kill()

    threading.Thread(target=kill, daemon=True).start()
    with pytest.raises(InputError, match="Ray itself died, not a trial"):
        by_ray(found, [])
    assert "Traceback" not in "".join(capfd.readouterr())
    assert found[0].epochs == 2
    assert not any(trial.finished for trial in found)


def test_trials_that_no_machine_can_hold():
    machine = {"Alive": True, "Resources": {"CPU": 2.0}}
    ray = SimpleNamespace(nodes=lambda: [machine, machine, {"Alive": False, "Resources": {"CPU": 9.0}}])
    ray_runner._fits(ray, 2, 0)
    with pytest.raises(InputError, match="takes 3 CPUs and 0 GPUs, but a machine here has at most 2 and 0"):
        ray_runner._fits(ray, 3, 0)
    with pytest.raises(InputError, match="takes 1 CPUs and 1 GPUs"):
        ray_runner._fits(ray, 1, 1)


def test_a_cluster_that_does_not_answer(project, refused, monkeypatch):
    (port,) = free_ports(1)
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}", "127.0.0.1:nowhere"):
        monkeypatch.setenv("RAY_ADDRESS", address)
        error = refused("sweep", project.job(), "--out", project.out)
        assert f"No cluster answers at RAY_ADDRESS={address}" in error
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")  # of the dashboard
    assert "use 'ray job submit'" in refused("sweep", project.job(), "--out", project.out)


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def client(project, monkeypatch):
    """Start a Ray head on loopback; give a client that hands jobs in."""
    if importlib.util.find_spec("ray.dashboard.modules.job.sdk") is None:
        pytest.skip("Ray's dashboard is not installed")
    from ray.job_submission import JobSubmissionClient

    for name, value in {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTHONPATH", raising=False)  # what is uploaded shall run
    for _ in range(3):  # Ray gives its agent 15 s to start (ray-project/ray, issue 65983): a busy machine needs more
        with head(project.until) as (started, word):
            if started:
                yield JobSubmissionClient(word)
                return
    pytest.skip(f"Ray did not start: {word}")


@contextmanager
def head(until):
    """Start a Ray head; give whether it started, and the address of its dashboard or the end of its log."""
    place = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # sockets within: the path must be short
    port, dashboard, agent = free_ports(3)
    words = ["start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
    words += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", f"--temp-dir={place}"]
    words += [f"--dashboard-agent-listen-port={agent}", f"--object-store-memory={100 * 2**20}"]
    command, told = [sys.executable, "-m", "ray.scripts.scripts", *words], place / "head.log"
    with told.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or "Ray runtime started" in told.read_text())
        started = process.poll() is None
        yield started, f"http://127.0.0.1:{dashboard}" if started else told.read_text()[-300:]
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(place, ignore_errors=True)


def commands(page):
    """Give the commands of section 4 and 5 of the page, and the last one of section 6, as they are written."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text[text.index("## 4") : text.index("## When")], re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if not line.startswith("rsync")]


def test_a_session_on_another_machine(project, client, tmp_path, monkeypatch):
    """The page on a remote GPU as written, against a head on loopback; a lesson of one's own goes with the code."""
    upload, package = tmp_path / "upload", Path(ecg_lessons.__file__).parent
    project.job("smoke", plan={"epochs": 3})
    for name in ("models", "jobs"):
        shutil.copytree(project.root / name, upload / "experiments" / name)
    shutil.copytree(package, upload / "ecg_lessons", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(project.root / "mine" / "ecg_lessons" / "lessons" / "slow.py", upload / "ecg_lessons" / "lessons")
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", client.get_address())
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    def run(words):
        words = [str(project.out) if word in ("/data/sweeps", "runs/sweeps") else word for word in words]
        return subprocess.run(words, cwd=upload, text=True, capture_output=True, timeout=300)

    submit, status, logs, listed, summarize = commands(Path(__file__).parents[1] / "notebooks" / "remote_gpu.md")
    submit[submit.index("python")] = sys.executable
    answer = run(submit)
    assert not answer.returncode, answer.stdout + answer.stderr
    project.until(lambda: client.get_job_status("first").is_terminal())
    told = run(logs).stdout
    said = run(status)
    assert "succeeded" in (said.stdout + said.stderr).lower(), told
    assert "first" in run(listed).stdout
    assert "compact fold-0 finished" in told  # by the uploaded code: no other knows this lesson
    folder = project.out / "compact" / "smoke"
    assert all((folder / f"fold-{fold}" / "trial.json").exists() for fold in (0, 1))
    assert run(summarize).returncode == 0
