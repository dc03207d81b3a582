"""Sweeps by Ray: trials side by side, a worker killed, a session on another machine."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from ecg_lessons.experiments import runners, trials

import ecg_lessons
from ecg_lessons.errors import InputError

pytestmark = pytest.mark.skipif(
    not runners.ray_is_there(), reason="Ray is not installed: pip install 'ecg-lessons[cluster]'"
)


def until(happens, seconds=90):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def kill_a_worker(trial):
    """Kill a trial's worker once two epochs are behind it."""
    until(lambda: trial.epochs >= 2)
    os.kill(int((trial.folder / "starts.txt").read_text().split()[0]), signal.SIGKILL)


def test_a_killed_worker_goes_on_and_a_refused_trial_tells(project, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    plan = {"epochs": 8, "pause": 0.4, "refuse": "fold-1"}
    found = project.trials(project.job(models=["compact", "crnn"], plan=plan))
    events = []
    killer = threading.Thread(target=kill_a_worker, args=(found[0],), daemon=True)
    killer.start()
    refused = runners.by_ray(
        found, "fake_trial:train", lambda trial, event: events.append((str(trial), event)), lambda: None, cpus=2
    )
    killer.join()
    assert {str(trial) for trial in refused} == {"compact fold-1", "crnn fold-1"}
    assert all("the data of this fold are gone" in reason for reason in refused.values())
    first, second = project.starts(found[0])
    assert first[0] != second[0]
    assert int(second[1]) >= 2  # it went on, and did not begin anew
    assert found[0].result()["epochs"] == 8
    assert len(project.starts(found[1])) == 1
    assert second[2] == "1"  # as many threads as CPUs
    assert {event for name, event in events if name == "crnn fold-0"} == {"starts", "finished"}
    processes = {start[0] for trial in found for start in project.starts(trial)}
    assert len(processes) <= 3  # two and one in the place of the killed: who is done takes the next trial
    assert not list(project.out.glob(".tune-*"))


def kill_the_node(trial):
    """Kill what holds this machine's workers, as the system does that runs out of memory."""
    until(lambda: trial.epochs >= 2)
    (raylet,) = (one for one in psutil.Process().children(recursive=True) if one.name() == "raylet")
    raylet.kill()


def test_a_sweep_whose_ray_dies_says_so_and_goes_on_later(project, monkeypatch, capfd):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    path = project.job(folds=[0, 1, 2], plan={"epochs": 200, "pause": 0.3})
    found = project.trials(path)
    threading.Thread(target=kill_the_node, args=(found[0],), daemon=True).start()
    with pytest.raises(InputError, match="Ray itself died, not a trial"):
        runners.by_ray(found, "fake_trial:train", lambda *_: None, lambda: None, cpus=2)
    assert not list(project.out.glob(".tune-*"))
    assert "Traceback" not in "".join(capfd.readouterr())
    assert 2 <= found[0].epochs < 200
    assert not any(trial.finished for trial in found)


def test_trials_that_no_machine_can_hold():
    machine = {"Alive": True, "Resources": {"CPU": 2.0}}
    ray = SimpleNamespace(nodes=lambda: [machine, machine])
    runners._fits(ray, 2, 0)
    with pytest.raises(InputError, match="takes 3 CPUs and 0 GPUs, but a machine here has at most 2 and 0"):
        runners._fits(ray, 3, 0)
    with pytest.raises(InputError, match="takes 1 CPUs and 1 GPUs"):
        runners._fits(ray, 1, 1)


def test_the_address_of_the_dashboard_is_not_that_of_the_cluster(project, call, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    status, _, told = call("sweep", project.job(), "--out", project.out)
    assert status == 2
    assert "use 'ray job submit'" in told


def test_a_cluster_that_does_not_answer(project, call, monkeypatch):
    (port,) = free_ports(1)
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}", "127.0.0.1:nowhere"):
        monkeypatch.setenv("RAY_ADDRESS", address)
        status, _, told = call("sweep", project.job(), "--out", project.out)
        assert status == 2
        assert f"No cluster answers at RAY_ADDRESS={address}" in told


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def head(monkeypatch):
    """Start a Ray head on loopback; give the address where jobs are handed in."""
    if importlib.util.find_spec("ray.dashboard.modules.job.sdk") is None:
        pytest.skip("Ray's dashboard is not installed")
    for name, value in {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    place = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # sockets within: the path must be short
    port, dashboard, agent = free_ports(3)
    words = ["start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
    words += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", f"--temp-dir={place}"]
    words += [f"--dashboard-agent-listen-port={agent}", f"--object-store-memory={100 * 2**20}"]
    with (Path(place) / "head.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *words],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{dashboard}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(place, ignore_errors=True)


def upload_of(project, to):
    """Make a small project to upload: the package, the trials, and a program that joins both."""
    shutil.copytree(Path(ecg_lessons.__file__).parent, to / "ecg_lessons", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(Path(__file__).with_name("fake_trial.py"), to)
    for name in ("models", "jobs"):
        shutil.copytree(project.root / name, to / name)
    (to / "sweep.py").write_text(
        "from ecg_lessons import cli\n"
        "from ecg_lessons.cli import experiments\n"
        "print('code from', experiments.__file__)\n"
        "experiments.LESSONS['rhythm'] = experiments.Wiring(lambda *_: None, 'fake_trial:train')\n"
        "cli.main()\n"
    )


def test_a_session_on_another_machine(project, head, tmp_path):
    from ray.job_submission import JobStatus, JobSubmissionClient

    upload = tmp_path / "upload"
    upload.mkdir()
    project.job(plan={"epochs": 3})
    upload_of(project, upload)
    client = []

    def answers():
        try:
            client.append(JobSubmissionClient(head))
        except (ConnectionError, RuntimeError):
            return False
        return True

    until(answers)
    number = client[0].submit_job(
        entrypoint=f"{sys.executable} sweep.py sweep jobs/job.toml --out {project.out}",
        submission_id="sweep-1",
        runtime_env={"working_dir": str(upload)},
    )
    assert number == "sweep-1"
    until(lambda: client[0].get_job_status(number).is_terminal())
    logs = client[0].get_job_logs(number)
    assert client[0].get_job_status(number) == JobStatus.SUCCEEDED, logs
    assert [job.submission_id for job in client[0].list_jobs() if job.submission_id] == ["sweep-1"]
    assert "compact fold-0 finished" in logs
    assert str(Path(ecg_lessons.__file__).parent) not in logs  # the uploaded code ran, not the installed
    results = [project.out / "compact" / "job" / f"fold-{fold}" / trials.RESULT for fold in (0, 1)]
    assert all(path.exists() for path in results)
