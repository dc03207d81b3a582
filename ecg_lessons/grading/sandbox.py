"""Run a stranger's Python where it can harm nobody and learn nothing.

Threat model. A notebook may be wrong, endless or hostile: it may read files, search memory for expected values, use the
network, fill memory, disk or the table of processes, or outlive its own end. So

- it sees the system's libraries, this Python and one folder of inputs, all read-only: no home, no gradebook, no other
  submission, no source of an assignment, no variable of this process;
- it has no network, its own processes, and no capability; started by root, it becomes a user that owns nothing;
- time, memory (also shared), files, temporary space and processes end at `LIMITS`;
- only text comes out, capped; nothing in it is executed or unpickled. Whoever reads it must not trust it: a program can
  print what it likes, so what is expected must never go in.

Not covered: faults of the kernel itself, and what takes the time of a core while it is allowed to. A container does the
work where docker or podman answers and has the image of the course, else bubblewrap. A real start is tried before: a
file named bwrap says nothing.
"""

import contextlib
import functools
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from ecg_lessons.errors import InputError

#: User and group in a container, and in the sandbox that root starts.
NOBODY = 64001
#: The image whose Python runs in a container; another one: the variable ECG_LESSONS_IMAGE.
IMAGE = "ecg-lessons:cpu"
_SETTINGS = {
    "HOME": "/tmp", "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONHASHSEED": "0", "ECG_LESSONS_CACHE": "/tmp/cache",
}  # fmt: skip
#: Without process groups and signals no program is ended for certain.
WINDOWS = sys.platform == "win32"
_MIB = 2**20
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")


class Limits(NamedTuple):
    """What one run may take: seconds, MiB of memory, of one process's addresses, files and output, and processes."""

    seconds: float = 120
    memory: int = 1536
    addresses: int = 8192
    disk: int = 64
    output: int = 16
    processes: int = 128


LIMITS = Limits()


class Ended(NamedTuple):
    """What came out, and why it ended early, or None."""

    output: bytes
    reason: str | None


def _parents(path: Path) -> list[str]:
    # bwrap makes missing parents for root alone: say that everybody may pass.
    between = [str(parent) for parent in reversed(path.parents) if str(parent) != "/"]
    return [word for parent in between for word in ("--perms", "0755", "--dir", parent)]


def _python() -> list[Path]:
    # The virtual environment and the interpreter behind it, wherever they are; what /usr holds is there already.
    places = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    return sorted(place for place in places if Path("/usr") not in (place, *place.parents))


def command(inputs: Path, program: Sequence[str], limits: Limits, shown: Sequence[Path] = ()) -> list[str]:
    """Give the command line that runs `program` in a sandbox; `inputs` is /in there, and `shown` stays where it is."""
    root = os.geteuid() == 0
    words = ["bwrap", "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    words += ["--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox", "--cap-drop", "ALL", "--clearenv"]
    # Root needs two capabilities to become nobody; setpriv then gives them away for good.
    words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
    for place in filter(os.path.lexists, _SYSTEM):
        link = os.path.islink(place) and place.count("/") == 1
        words += ["--symlink", os.readlink(place), place] if link else ["--ro-bind", place, place]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/dev/shm"):
        words += ["--perms", "1777", "--size", str(limits.disk * _MIB), "--tmpfs", place]
    for place in (*_python(), *shown):
        words += [*_parents(place), "--ro-bind", str(place), str(place)]
    words += ["--ro-bind", str(inputs), "/in", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    words += [word for name, value in _SETTINGS.items() for word in ("--setenv", name, value)]
    # Limits of a user count for that user, not for root: they are set before, and bite after setpriv.
    caps = {"as": limits.addresses, "data": limits.memory, "fsize": limits.disk}
    limit = ["prlimit", "--core=0", f"--cpu={int(limits.seconds) * 2 + 1}"]
    limit += [f"--{name}={size * _MIB}" for name, size in caps.items()]
    processes = f"--nproc={limits.processes}"
    if root:
        limit += [processes]
        ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        words += ["setpriv", *ids, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    else:  # counted in the new user namespace alone; before it, the user's other processes would count too
        words += ["prlimit", processes]
    return [*limit, *words, *program]


def container(
    engine: str, inputs: Path, program: Sequence[str], limits: Limits, name: str, shown: Sequence[Path] = ()
) -> list[str]:
    """Give the command line that runs `program` in a container, with the image's Python.

    `inputs` are /in there; packages in `shown` take the place of the image's, so that both sides have one version.
    """
    words = [engine, "run", "--rm", "--name", name, "--network", "none", "--read-only", "--cap-drop", "ALL"]
    words += ["--security-opt", "no-new-privileges", "--user", f"{NOBODY}:{NOBODY}", "--pull", "never"]
    words += ["--memory", f"{limits.memory}m", "--memory-swap", f"{limits.memory}m", "--ulimit", "core=0:0"]
    words += ["--pids-limit", str(limits.processes), "--ulimit", f"nproc={limits.processes}:{limits.processes}"]
    words += ["--ulimit", "nofile=1024:1024", "--ulimit", f"fsize={limits.disk * _MIB}:{limits.disk * _MIB}"]
    words += ["--tmpfs", f"/tmp:size={limits.disk}m,mode=1777", "--shm-size", f"{limits.disk}m", "--workdir", "/tmp"]
    settings = {name: value for name, value in _SETTINGS.items() if name != "PATH"}  # the image has its own
    settings |= {"PYTHONPATH": ":".join(str(place.parent) for place in shown)}
    words += [word for pair in settings.items() for word in ("--env", "=".join(pair))]
    words += [word for place in shown for word in ("--volume", f"{place}:{place}:ro")]
    words += ["--volume", f"{inputs}:/in:ro", "--entrypoint", "python3", os.environ.get("ECG_LESSONS_IMAGE", IMAGE)]
    # The image finds the course by its environment, which -I would hide.
    return [*words, *("-P" if word == "-I" else word for word in program[1:])]


@functools.cache
def engine() -> str | None:
    """Name the container engine that really starts the image, or None."""
    for name in filter(shutil.which, ("docker", "podman")):
        probe = container(name, Path("/usr"), ["python3", "-I", "-c", "print('well')"], LIMITS, _fresh())
        with contextlib.suppress(subprocess.TimeoutExpired):
            if subprocess.run(probe, capture_output=True, text=True, timeout=60).stdout == "well\n":
                return name
    return None


def kind() -> str:
    """Say what protects the machine: docker, podman or bubblewrap."""
    return engine() or "bubblewrap"


def _fresh() -> str:
    return f"ecg-lessons-{uuid.uuid4().hex}"


@functools.cache
def refusal() -> str | None:
    """Say why no sandbox starts on this machine and what to do, or None; one is really started."""
    if engine():
        return None
    missing = [name for name in ("bwrap", "prlimit", "setpriv") if not shutil.which(name)]
    if sys.platform != "linux":
        return f"Grading needs docker or podman with the image {IMAGE} here, or Linux: make one, or add --unprotected."
    if missing:
        return f"There is no {missing[0]}: install it (apt-get install bubblewrap util-linux), or add --unprotected."
    try:
        probe = command(Path("/usr"), [sys.executable, "-I", "-c", "print('well')"], LIMITS)
        ended = subprocess.run(probe, capture_output=True, text=True, timeout=30, env=_environment())
    except subprocess.TimeoutExpired:
        return "The sandbox does not start within 30 seconds: try again when the machine is idle."
    if ended.stdout == "well\n":
        return None
    why = ended.stderr.strip().splitlines()[-1:] or ["it says nothing"]
    if Path("/.dockerenv").exists():
        remedy = "start this container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    elif Path("/run/.containerenv").exists():
        remedy = "start this container with --security-opt unmask=ALL"
    elif Path("/sys/kernel/security/apparmor").exists():
        remedy = "install Ubuntu's own bubblewrap and an AppArmor profile that allows it user namespaces"
    else:
        remedy = "allow user namespaces (sysctl user.max_user_namespaces)"
    return f"The sandbox does not start ({why[0]}): {remedy}, or add --unprotected."


def run(
    program: Sequence[str],
    inputs: Mapping[str, bytes],
    *,
    limits: Limits = LIMITS,
    shown: Sequence[Path] = (),
    unprotected: bool = False,
) -> Ended:
    """Run `program` in a sandbox until it ends or takes too much; `inputs` are files in /in.

    Unprotected it runs as the user, with time, memory and output limited.
    Words of `program` that begin with /in/ name those files in either case.
    """
    if WINDOWS:
        raise InputError("Notebooks are checked and graded on Linux and macOS: on Windows use WSL, or a server.")
    if not unprotected and (why := refusal()):
        raise InputError(why)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # whoever runs in the sandbox owns nothing
        for name, content in inputs.items():
            Path(folder, name).write_bytes(content)
            Path(folder, name).chmod(0o644)
        if unprotected:
            return _watched([word.replace("/in/", f"{folder}/") for word in program], limits)
        if runner := engine():
            try:
                return _watched(container(runner, Path(folder), program, limits, name := _fresh(), shown), limits)
            finally:  # the engine's client is not the container
                subprocess.run([runner, "rm", "--force", name], capture_output=True, check=False)
        return _watched(command(Path(folder), program, limits, shown), limits, _environment())


def _environment() -> dict[str, str]:
    # --clearenv clears what the program gets; bwrap itself is its /proc/1, and an ordinary user may read that.
    return {"PATH": os.environ.get("PATH", os.defpath)}


def _watched(words: Sequence[str], limits: Limits, environment: Mapping[str, str] | None = None) -> Ended:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, **pipes, env=environment, start_new_session=True)
    output, reason = bytearray(), None
    until = time.monotonic() + limits.seconds
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while reason is None:
                if selector.select(timeout=0.1):
                    part = os.read(process.stdout.fileno(), 2**16)
                    if not part:
                        break
                    output += part
                reason = _excess(process.pid, len(output), until, limits)
        if reason is None:
            process.wait(timeout=max(1.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        reason = "did not end"
    finally:
        _kill(process)
    return Ended(bytes(output[: limits.output * _MIB]), reason)


def _excess(pid: int, output: int, until: float, limits: Limits) -> str | None:
    if time.monotonic() > until:
        return f"took longer than {limits.seconds:.0f} seconds"
    if output > limits.output * _MIB:
        return f"printed more than {limits.output} MiB"
    try:
        family = psutil.Process(pid).children(recursive=True)
        memory = sum(member.memory_info().rss for member in family)
    except psutil.Error:  # it ends at this moment
        return None
    if memory > limits.memory * _MIB:
        return f"took more than {limits.memory} MiB of memory"
    return f"started more than {limits.processes} processes" if len(family) > limits.processes else None


def _kill(process: subprocess.Popen) -> None:
    # The first process of a namespace takes all others with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
