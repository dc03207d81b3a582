"""What a hostile program finds in the sandbox: limits, and nothing of the host."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.grading import sandbox

LIMITS = sandbox.LIMITS._replace(seconds=15, memory=300)
pytestmark = pytest.mark.skipif(bool(sandbox.refusal()), reason=str(sandbox.refusal()))


@pytest.fixture
def run():
    def run(code, **limits):
        program = [sys.executable, "-I", "-c", code]
        return sandbox.run(program, {"input.json": b"{}"}, limits=LIMITS._replace(**limits))

    return run


BOMBS = {
    "fork bomb": "import os\nwhile True: os.fork()",
    "memory": "x = []\nwhile True: x.append(bytearray(10**7))",
    "shared memory": "import mmap\nx = []\nwhile True:\n    x.append(mmap.mmap(-1, 10**8)); x[-1].write(b'1' * 10**8)",
    "disk": "import itertools\nfor i in itertools.count(): open(f'/tmp/{i}', 'wb').write(b'1' * 10**7)",
    "shm": "import itertools\nfor i in itertools.count(): open(f'/dev/shm/{i}', 'wb').write(b'1' * 10**7)",
    "output": "while True: print('x' * 10**6)",
    "endless": "while True: pass",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_end_at_their_limit(run, bomb):
    ended = run(f"{BOMBS[bomb]}\nprint('survived')", seconds=4, output=2)
    assert b"survived" not in ended.output
    wanted = {"shared memory": "memory", "output": "printed", "endless": "longer"}
    assert wanted.get(bomb, "") in (ended.reason or "")


def test_there_is_no_network(run):
    code = "import socket\nprint(socket.if_nameindex())\nsocket.create_connection(('192.0.2.1', 53), 2)\nprint('out')"
    assert run(code).output.strip() == b"[(1, 'lo')]"


def test_nothing_of_the_host_is_seen(run, monkeypatch):
    monkeypatch.setenv("SECRET", "the-expected-value")
    code = (
        f"import os\nprint(os.listdir('/in'), os.environ.get('SECRET'), os.path.exists('{Path.home()}/.ssh'),"
        " len([p for p in os.listdir('/proc') if p.isdigit()]) < 5)\n"
        "for p in os.listdir('/proc'):\n"
        "    try: print(open(f'/proc/{p}/environ').read())\n"
        "    except OSError: pass\n"
    )
    assert run(code).output.decode().split("\n")[0] == "['input.json'] None False True"
    assert b"expected-value" not in run(code).output


def test_bubblewrap_itself_does_not_hold_the_environment(run, monkeypatch, project):
    # It is /proc/1 inside, and an ordinary user may read the environment of its own processes.
    monkeypatch.setenv("SECRET", "the-expected-value")
    slow = threading.Thread(target=run, args=("import time\ntime.sleep(60)",), daemon=True)
    slow.start()
    family = []

    def started():
        family[:] = [one for one in psutil.Process().children(recursive=True) if one.name() == "bwrap"]
        return len(family) > 1

    try:
        project.until(started, 15)
        assert all(set(one.environ()) <= {"PATH", "PWD"} for one in family)
    finally:
        for one in family:
            one.kill()
        slow.join()


@pytest.mark.parametrize("path", ["/in/input.json", os.path.join(sys.prefix, "pyvenv.cfg"), "/usr/x", "/x"])
def test_inputs_and_this_python_cannot_be_changed(run, path):
    assert run(f"try: open({path!r}, 'a')\nexcept OSError: print('kept')\nelse: print('changed')").output == b"kept\n"


def test_it_has_no_capability_and_is_not_root(run):
    code = "import os\nprint(os.getuid(), open('/proc/self/status').read().split('CapEff:')[1].split()[0])"
    uid, capabilities = run(code).output.split()
    assert int(uid) != 0
    assert int(capabilities, 16) == 0


def test_a_machine_without_sandbox_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sandbox, "refusal", lambda: "There is no bwrap: install it, or add --unprotected.")
    with pytest.raises(InputError, match="There is no bwrap"):
        sandbox.run([sys.executable, "-c", "print(1)"], {})
    assert sandbox.run([sys.executable, "-c", "print(1)"], {}, unprotected=True).output == b"1\n"


AS_USER = """import sys
sys.path[:0] = {paths!r}
from ecg_lessons.grading import sandbox
assert not sandbox.refusal(), sandbox.refusal()
def run(code, **limits):
    return sandbox.run([sys.executable, "-I", "-c", code], {{}}, limits=sandbox.LIMITS._replace(**limits))
print(run("import os; print(os.getuid())"))
print(run("import os\\nwhile True: os.fork()", seconds=5))
print(run("import mmap\\nx = mmap.mmap(-1, 3 * 2**30)\\nfor n in range(0, len(x), 4096): x[n] = 1", seconds=30))
print(run("open('/tmp/x', 'wb').write(bytes(2**30))"))
print(run("import glob; print(glob.glob('/home/*') + glob.glob('{home}/*') + glob.glob('/in/../etc/shadow'))"))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests ran as an ordinary user")
def test_an_ordinary_user_is_protected_as_root_is(tmp_path_factory):
    """Started by root, so the user needs a Python that everybody may read: the system's."""
    system = "/usr/bin/python3"
    paths = [str(Path(sandbox.__file__).parents[2]), str(Path(psutil.__file__).parents[1])]
    words = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", system, "-c"]
    where = {"HOME": "/tmp", "PATH": os.environ["PATH"], "TMPDIR": "/tmp"}
    ready = subprocess.run(
        [*words, f"import sys; sys.path[:0] = {paths!r}; import psutil, ecg_lessons"], cwd="/", env=where
    )
    if ready.returncode:
        pytest.skip(f"{system} as another user cannot read this clone or load its libraries")
    done = subprocess.run(
        [*words, AS_USER.format(paths=paths, home=str(Path.home() / "x"))],
        cwd="/",
        env=where,
        capture_output=True,
        text=True,
    )
    user, forks, shared, disk, search = done.stdout.splitlines() or [done.stderr] * 5
    assert "65533" in user
    assert "output=b''" in forks
    assert "memory" in shared or "ended" in shared or "output=b''" in shared
    assert "output=b''" in disk
    assert "[]" in search


def test_a_container_is_taken_where_an_engine_really_starts_the_image(tmp_path, monkeypatch):
    engine = tmp_path / "docker"
    engine.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = rm ] || echo well\n')
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for cached in (sandbox.engine, sandbox.refusal):
        cached.cache_clear()
    try:
        assert (sandbox.kind(), sandbox.refusal()) == ("docker", None)
        ended = sandbox.run([sys.executable, "-I", "/in/a.py"], {"a.py": b""}, shown=[Path("/a/package")])
        _, call, removed = (tmp_path / "calls").read_text().splitlines()
        engine.write_text("#!/bin/sh\nexit 1\n")
        sandbox.engine.cache_clear()
        assert sandbox.engine() is None, "a file named docker says nothing"
    finally:
        for cached in (sandbox.engine, sandbox.refusal):
            cached.cache_clear()
    assert ended.output == b"well\n"
    for words in ("--network none", "--read-only", "--cap-drop ALL", "no-new-privileges", "--pids-limit 128"):
        assert words in call
    assert "--volume /a/package:/a/package:ro" in call
    assert "--env PYTHONPATH=/a" in call
    assert call.endswith("ecg-lessons:cpu -P /in/a.py")
    name = call.split("--name ")[1].split()[0]
    assert removed == f"rm --force {name}"
