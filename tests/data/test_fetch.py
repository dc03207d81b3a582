import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from ecg_lessons.data import download, recordings
from ecg_lessons.data.fetch import _alone, fetch, locate
from ecg_lessons.errors import InputError

MITDB = "/files/mitdb/1.0.0/"
ZIP = "/content/mitdb/get-zip/1.0.0/"


class Server(ThreadingHTTPServer):
    """A mirror with faults.

    `faults[path]` holds one word for each coming request: a status such as 404, "drop" (half of the bytes,
    then the line is cut), "corrupt" (one wrong byte), "slow" (no answer until the client gives up), "stall" (half of
    the bytes, and then nothing for as long as the test lasts), or None.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes | Path] = {}
        self.faults: dict[str, list] = defaultdict(list)
        self.log: list[tuple[str, str | None]] = []
        self.ranges = True
        self.closing = threading.Event()
        self.address = f"http://127.0.0.1:{self.server_address[1]}/files/"

    def add(self, files: dict[str, bytes], folder: str = MITDB, sums: bool = True) -> None:
        if sums:
            lines = [f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in files.items()]
            self.files[folder + "SHA256SUMS.txt"] = "".join(lines).encode()
        self.files |= {folder + path: content for path, content in files.items()}

    def requests(self, name: str) -> list[str | None]:
        """The Range headers of the requests for a file."""
        return [asked for path, asked in self.log if path.endswith("/" + name)]

    def handle_error(self, *_):
        """Clients that hang up are part of the game."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.log.append((self.path, asked))
        fault = server.faults[self.path].pop(0) if server.faults[self.path] else None
        if fault == "slow":
            server.closing.wait(5)
        content = server.files.get(self.path)
        if isinstance(fault, int) or content is None:
            self.send_response(fault or 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = content.read_bytes() if isinstance(content, Path) else content
        start, size = 0, len(content)
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if fault == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if start >= size > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            start = size
        elif start:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        else:
            self.send_response(200)
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "stall":
            self.wfile.write(body[: len(body) // 2])
            server.closing.wait(60)
        elif fault == "drop":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("ECG_LESSONS_MIRROR", server.address)
        yield server
        server.closing.set()
        server.shutdown()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of mitdb, with short waits."""
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    monkeypatch.setattr(download, "WAITS", (0.01, 0.01))
    monkeypatch.setattr(download, "TIMEOUT", (1.0, 0.2))
    return tmp_path / "mitdb" / "1.0.0"


@pytest.fixture
def tree(server) -> dict[str, bytes]:
    """Two small records on the server."""
    random = np.random.default_rng(1)
    tree = {
        f"{n}{end}": random.bytes(200_000 if end == ".dat" else 300)
        for n in (100, 101)
        for end in (".hea", ".dat", ".atr")
    }
    tree["RECORDS"] = b"100\n101\n"
    server.add(tree)
    return tree


def found(folder: Path) -> dict[str, bytes]:
    """All files of a folder, without the two of our own and the checksums."""
    own = {".ecg-lessons.json", ".lock", "SHA256SUMS.txt"}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in own
    }


def refusal(*args, **kwargs) -> str:
    with pytest.raises(InputError) as told:
        fetch(*args, progress=False, **kwargs)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_fetch_and_locate(server, tree, folder, capsys):
    with pytest.raises(InputError, match="run 'ecg-lessons fetch mitdb' or choose --source sample"):
        locate("mitdb")
    assert fetch("mitdb") == folder
    assert found(folder) == tree
    assert locate("mitdb") == folder
    shown = capsys.readouterr().err
    assert "Open Data Commons" in shown
    assert "10.1109/51.932724" in shown
    assert "100 % of 6 files" in shown
    assert "Warning" not in shown


def test_a_second_fetch_needs_neither_network_nor_hashing(server, tree, folder, capsys, monkeypatch):
    fetch("mitdb", progress=False)
    capsys.readouterr()
    server.log.clear()
    monkeypatch.setattr("pooch.file_hash", lambda *_: pytest.fail("a file was hashed again"))
    fetch("mitdb")
    assert server.log == []
    assert capsys.readouterr().err == ""


def test_only_what_is_missing_or_damaged_is_fetched(server, tree, folder):
    fetch("mitdb", progress=False)
    (folder / "100.atr").unlink()
    (folder / "101.hea").write_bytes(tree["101.hea"][:-1] + b"?")
    with pytest.raises(InputError, match=r"lacks 1 of 7 files \(first: 100.atr\)"):
        locate("mitdb")
    server.log.clear()
    fetch("mitdb", progress=False)
    assert sorted(path for path, _ in server.log) == [MITDB + "100.atr", MITDB + "101.hea"]
    assert found(folder) == tree


def test_a_complete_folder_that_may_not_be_written(server, tree, folder, monkeypatch):
    fetch("mitdb", progress=False)
    (folder / ".ecg-lessons.json").unlink()
    server.log.clear()
    real_open = Path.open

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def read_only(path, mode="r", *args, **kwargs):
        return real_open(path, mode, *args, **kwargs) if "r" in mode else refused()

    monkeypatch.setattr(Path, "open", read_only)
    monkeypatch.setattr("pooch.retrieve", refused)
    fetch("mitdb", progress=False)
    (folder / "SHA256SUMS.txt").unlink()
    fetch("mitdb", progress=False)
    assert server.log == []
    (folder / "100.dat").unlink()
    assert "Cannot write into" in refusal("mitdb")


def test_some_files_only(server, tree, folder):
    fetch("mitdb", ["100.hea", "100.dat"], progress=False)
    assert sorted(found(folder)) == ["100.dat", "100.hea"]


@pytest.mark.parametrize("ranges", [True, False], ids=["resumed", "server ignores Range"])
def test_dropped_connections(server, tree, folder, ranges):
    server.ranges = ranges
    server.faults[MITDB + "100.dat"] = ["drop", None]
    fetch("mitdb", progress=False)
    assert found(folder) == tree
    assert server.requests("100.dat") == [None, "bytes=98304-"]  # what came in whole chunks of 16 KiB


def test_progress_is_never_given_up(server, tree, folder):
    server.faults[MITDB + "100.dat"] = ["drop"] * 4  # more than the failures allowed without progress
    fetch("mitdb", progress=False)
    assert found(folder) == tree


def test_a_server_that_recovers(server, tree, folder):
    server.faults[MITDB + "100.dat"] = [503, 429]
    server.faults[MITDB + "101.dat"] = ["slow"]
    fetch("mitdb", progress=False)
    assert found(folder) == tree


def test_a_server_that_does_not_recover(server, tree, folder):
    server.faults[MITDB + "100.dat"] = [503] * 9
    assert "HTTP 503" in refusal("mitdb")
    assert "100.dat" not in found(folder)


def test_a_server_too_slow(server, tree, folder):
    server.faults[MITDB + "SHA256SUMS.txt"] = ["slow"] * 9
    assert "does not answer in time" in refusal("mitdb")


def test_a_wrong_checksum_is_refetched_once(server, tree, folder):
    server.faults[MITDB + "100.dat"] = ["corrupt"]
    fetch("mitdb", progress=False)
    assert found(folder) == tree
    assert server.requests("100.dat") == [None, None]


def test_a_checksum_that_stays_wrong_is_refused_by_name(server, tree, folder):
    server.faults[MITDB + "100.dat"] = ["corrupt"] * 9
    assert "100.dat from http" in refusal("mitdb")
    assert "100.dat" not in found(folder)
    assert len(server.requests("100.dat")) == 2


def test_a_wrong_digit_in_the_list_of_checksums_is_mended(server, tree, folder):
    fetch("mitdb")
    path = folder / "SHA256SUMS.txt"
    whole = path.read_text()
    name = whole.split()[1]
    path.write_text(("0" if whole[0] != "0" else "1") + whole[1:])
    (folder / name).unlink()
    fetch("mitdb")
    assert path.read_text() == whole
    assert (folder / name).read_bytes() == server.files[MITDB + name]


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>Log in</title>", b"\n<html>Log in</html>"])
def test_a_login_page_is_no_list_and_no_file(server, tree, folder, page):
    sums = server.files.pop(MITDB + "SHA256SUMS.txt")
    name = sums.split()[1].decode()
    right, server.files[MITDB + name] = server.files[MITDB + name], page
    assert "gives a web page and no" in refusal("mitdb")
    assert not (folder / name).exists()
    server.files |= {MITDB + name: right, MITDB + "SHA256SUMS.txt": sums[:-20]}  # a list that is cut
    assert "gives no checksums" in refusal("mitdb")
    assert not (folder / "SHA256SUMS.txt").exists()
    server.files[MITDB + "SHA256SUMS.txt"] = sums
    fetch("mitdb")


def test_verify_hashes_every_file_again(server, tree, folder):
    fetch("mitdb")
    name = server.files[MITDB + "SHA256SUMS.txt"].split()[1].decode()
    path, before = folder / name, (folder / name).stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # it looks as it did
    fetch("mitdb")
    assert path.read_bytes() == bytes(before.st_size)
    fetch("mitdb", verify=True)
    assert path.read_bytes() == server.files[MITDB + name]


def test_a_memory_that_is_a_list_does_no_harm(server, tree, folder):
    fetch("mitdb")
    (folder / ".ecg-lessons.json").write_text("[1]")
    fetch("mitdb")


def test_a_stale_part_does_no_harm(server, tree, folder):
    folder.mkdir(parents=True)
    (folder / "100.dat.part").write_bytes(b"x" * 5000)
    (folder / "101.dat.part").write_bytes(b"x" * 500_000)  # longer than the file
    (folder / "101.atr.part").write_bytes(tree["101.atr"])  # complete, but killed before it got its name
    fetch("mitdb", progress=False)
    assert found(folder) == tree
    assert server.requests("100.dat") == ["bytes=5000-", None]
    assert server.requests("101.atr") == ["bytes=300-"]


def test_a_file_the_server_lacks(server, tree, folder):
    message = refusal("mitdb", ["100.hea", "nothing.dat"])
    assert "nothing.dat" in message
    assert server.address + "mitdb/1.0.0/nothing.dat (HTTP 404)" in message
    assert "is not a path inside" in refusal("mitdb", ["../../secret"])


def test_offline(server, tree, folder, monkeypatch):
    monkeypatch.setenv("ECG_LESSONS_MIRROR", "http://127.0.0.1:9/files")
    assert "built-in cohort, which needs no network (--source sample)" in refusal("mitdb")
    monkeypatch.setenv("ECG_LESSONS_MIRROR", "physionet")
    assert "not a web address" in refusal("mitdb")


def test_a_login_page_is_not_taken_for_data(server, tree, folder):
    server.files[MITDB + "SHA256SUMS.txt"] = b"<html>Welcome to our hotel</html>"
    assert "login page" in refusal("mitdb")
    assert found(folder) == {}
    server.add(tree)
    fetch("mitdb", progress=False)
    assert found(folder) == tree


def test_without_checksums_there_is_a_warning(server, folder, capsys):
    tree = {"training2017.zip": b"a zip", "REFERENCE-v3.csv": b"A00001,N\n"}
    server.add(tree, "/files/challenge-2017/1.0.0/", sums=False)
    assert found(fetch("challenge-2017", progress=False)) == tree
    assert "no checksums for 2 of 2 files" in capsys.readouterr().err
    server.log.clear()
    assert found(fetch("challenge-2017", progress=False)) == tree
    assert server.log == []
    assert capsys.readouterr().err == ""


def test_the_zip_of_the_project(server, tree, folder):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in tree.items():
            if path != "101.atr":  # left to be fetched alone
                wrong = b"?" if path == "101.hea" else b""
                archive.writestr(f"mit-bih-arrhythmia-database-1.0.0/{path}", content + wrong)
        archive.writestr("mit-bih-arrhythmia-database-1.0.0/x_mitdb/big.dat", b"not needed")
    server.files[ZIP] = packed.getvalue()
    server.faults[ZIP] = ["drop"]
    fetch("mitdb", progress=False, whole_zip=True)
    assert found(folder) == tree
    fetched = {path for path, _ in server.log}
    assert fetched == {ZIP} | {MITDB + name for name in ("SHA256SUMS.txt", "RECORDS", "101.atr", "101.hea")}


def test_a_damaged_zip_is_refused(server, tree, folder):
    server.files[ZIP] = b"not a zip"
    assert "damaged zip twice" in refusal("mitdb", whole_zip=True)
    assert sorted(found(folder)) == ["RECORDS"]
    assert "has no zip" in refusal("challenge-2017", whole_zip=True)


def test_a_full_disk(server, tree, folder, monkeypatch):
    class Full(io.BufferedWriter):
        def write(self, data):
            super().write(data[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(path, mode="r", *args, **kwargs):
        if path.name == "100.dat.part" and "b" in mode:
            return Full(io.FileIO(path, mode.replace("b", "")))
        return real_open(path, mode, *args, **kwargs)

    real_open = Path.open
    monkeypatch.setattr(Path, "open", opened)
    assert f"The disk of {folder} is full" in refusal("mitdb")
    left = found(folder)
    assert left == {name: tree[name] for name in left if name != "100.dat"}  # no half file, no part


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EROFS, "Read-only")]
)
def test_a_folder_that_may_not_be_written(server, tree, folder, monkeypatch, error):
    def refused(*_, **__):
        raise error

    monkeypatch.setattr("pooch.retrieve", refused)
    assert f"Cannot write into {folder} ({error.strerror})" in refusal("mitdb")


def test_a_file_where_the_folder_should_be(server, tree, folder):
    folder.parent.write_text("a file")
    assert "set ECG_LESSONS_DATA to a folder of your own" in refusal("mitdb")


def test_two_fetches_do_not_meet(server, tree, folder):
    folder.mkdir(parents=True)
    with _alone(folder):
        second = threading.Thread(target=fetch, args=("mitdb", None, False))
        second.start()
        second.join(0.1)
        assert server.log == []
    second.join(10)
    assert found(folder) == tree


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_an_interrupted_fetch_goes_on(server, folder, blow):
    big = np.random.default_rng(2).bytes(4_000_000)
    server.add({"100.dat": big, "100.hea": b"header"})
    server.faults[MITDB + "100.dat"] = ["stall"]
    code = "from ecg_lessons.data.fetch import fetch; fetch('mitdb', ['100.dat', '100.hea'], progress=False)"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    part = folder / "100.dat.part"
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size > 300_000 and (folder / "100.hea").exists()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(blow)
    assert process.wait(120) != 0
    assert set(found(folder)) == {"100.dat.part", "100.hea"}
    kept = part.stat().st_size
    assert kept < len(big)
    fetch("mitdb", ["100.dat", "100.hea"], progress=False)
    assert found(folder) == {"100.dat": big, "100.hea": b"header"}
    assert server.requests("100.dat") == [None, f"bytes={kept}-"]


def test_keras_is_not_imported():
    code = "import sys, ecg_lessons.data.fetch, ecg_lessons.data.tables; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.real
def test_real_records_over_a_bad_line(server, real, tmp_path, monkeypatch):
    source = real / "mitdb" / "1.0.0"
    names = [f"{record}.{end}" for record in (100, 208) for end in ("hea", "dat", "atr")]
    server.files = {MITDB + name: source / name for name in [*names, "SHA256SUMS.txt"]}
    server.faults[MITDB + "100.dat"] = ["drop", 503, "drop"]
    server.faults[MITDB + "208.dat"] = ["corrupt"]
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    monkeypatch.setattr(download, "WAITS", (0.01, 0.01))
    folder = fetch("mitdb", names, progress=False)
    assert found(folder) == {name: (source / name).read_bytes() for name in names}
    recording = recordings.read(folder / "208", annotator="atr")
    assert recording.signal.shape == (650_000, 2)
    assert recording.rate == 360
    assert (recording.beats.symbols == "V").sum() == 992
