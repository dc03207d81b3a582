"""A silent training is spared, and a server without one ends: with seconds in place of minutes."""

import asyncio
import contextlib
import json
import threading
import time
import uuid
from pathlib import Path

import pytest

pytest.importorskip("jupyterhub", reason="the hub is not installed: run 'make class-test'")
pytest.importorskip("firstuseauthenticator", reason="the hub is not installed: run 'make class-test'")

from hubs import PROXY, Client, Hub
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

#: Seconds until a server is idle; how often Jupyter looks whether a server may end, which nobody can set; the training.
IDLE, LOOK, SILENT = 10, 60, 110


@pytest.fixture
def hub(tmp_path):
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    made = Hub(tmp_path, CLASS_IDLE_SECONDS=str(IDLE), CLASS_GPUS="0")
    yield made
    made.close()


def token_of(student: Client) -> dict[str, str]:
    token = json.loads(student.api(f"users/{student.name}/tokens", {}).body)["token"]
    return {"Authorization": f"token {token}", "Content-Type": "application/json"}


def begin(student: Client, code: str) -> None:
    """Start a kernel, give it work, and leave, as who closes the browser."""
    headers = token_of(student)
    kernel = json.loads(student.get(f"/user/{student.name}/api/kernels", b"{}", **headers).body)["id"]
    where = f"ws://127.0.0.1:{student.hub.port}/user/{student.name}/api/kernels/{kernel}/channels"

    async def ask() -> None:
        socket = await websocket_connect(HTTPRequest(where, headers=headers))
        header = {"msg_id": uuid.uuid4().hex, "session": uuid.uuid4().hex, "username": student.name}
        header |= {"msg_type": "execute_request", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await socket.write_message(json.dumps(message))
        while '"execute_input"' not in await socket.read_message():
            pass
        socket.close()

    asyncio.run(asyncio.wait_for(ask(), 60))


def leave_open(student: Client, end: threading.Event) -> None:
    """Ask for files again and again, as a page of JupyterLab does that nobody looks at."""
    headers = token_of(student)

    def ask() -> None:
        while not end.wait(2):
            with contextlib.suppress(OSError):
                student.get(f"/user/{student.name}/api/contents", **headers)

    threading.Thread(target=ask, daemon=True).start()


def test_a_silent_training_is_spared_and_what_does_nothing_ends(hub):
    busy, done, open_, on_card = (Client(hub, f"student{k:02d}") for k in range(4))
    closed = threading.Event()
    for one in (busy, done, open_, on_card):
        assert one.log_in() == 200
        one.start_server("gpu" if one is on_card else "cpu")
    for one in (open_, on_card):
        leave_open(one, closed)
    begin(busy, f"import time; time.sleep({SILENT})")
    begun = time.monotonic()
    begin(done, "1 + 1")
    # A page in front keeps a server, but not a card.
    hub.until(lambda: set(hub.servers()) == {busy.name, open_.name}, IDLE + LOOK + 30)
    print(f"\ntwo idle servers ended after {time.monotonic() - begun:.0f} s, with a limit of {IDLE} s")
    hub.until(lambda: json.loads((hub.folder / "state" / "gpus.json").read_text()) == {}, 15)
    while time.monotonic() - begun < SILENT - 2:
        assert set(hub.servers()) == {busy.name, open_.name}, (
            f"the training was ended after {time.monotonic() - begun:.0f} s"
        )
        time.sleep(1)
    closed.set()
    hub.until(lambda: not hub.servers(), 2 + IDLE + LOOK + 30)
    print(
        f"a silent training of {SILENT} s was spared; its server ended {time.monotonic() - begun - SILENT:.0f} s later"
    )
    # The hub knows it, so that cards are freed.
    hub.until(lambda: not json.loads(busy.api(f"users/{busy.name}").body)["server"], 15)
