"""A stand-in for Docker's engine, on a socket: its containers are processes, and what was asked is kept."""

import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """HTTP on a socket of the file system."""

    daemon_threads = True

    def get_request(self):
        """Give the handler an address, as it expects one."""
        connection, _ = super().get_request()
        return connection, ("engine", 0)


class Engine:
    """Containers by their names, what each was made of, and every request."""

    def __init__(self, folder: Path):
        self.folder, self.socket = folder, folder / "docker.sock"
        self.made: dict[str, dict] = {}
        self.ids: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen] = {}
        self.asked: list[str] = []
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                url, length = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                engine.asked.append(f"{self.command} {url.path}")
                status, told = engine.handle(self.command, url.path, parse_qs(url.query), body)
                content = json.dumps(told).encode() if told is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_) -> None:
                pass

        self.server = Server(str(self.socket), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, method: str, path: str, query: dict, body: dict | None) -> tuple[int, dict | None]:
        """Do what is asked as far as a spawner asks it; all else is unknown."""
        path = re.sub(r"^/v1\.\d+", "", path)
        if path == "/version":
            return 200, {"ApiVersion": "1.47", "MinAPIVersion": "1.24", "Version": "27.0"}
        if (method, path) == ("POST", "/containers/create"):
            name = query["name"][0]
            self.made[name], self.ids[f"{len(self.ids):064x}"] = body, name
            return 201, {"Id": list(self.ids)[-1], "Warnings": []}
        found = re.fullmatch(r"/containers/([\w.-]+)(/json|/start|/stop)?", path)
        name = self.ids.get(found[1], found[1]) if found else ""
        if name not in self.made:
            return 404, {"message": f"No such container: {name}"}
        match method, found[2]:
            case "GET", "/json":
                return 200, self.inspected(name)
            case "POST", "/start":
                self.start(name)
                return 204, None
            case ("POST", "/stop") | ("DELETE", None):
                self.end(name)  # it was made to be removed when it ends
                return 204, None
        return 404, {"message": "page not found"}

    def address(self, name: str) -> str:
        """Give a container's address: each has one of its own on loopback."""
        return f"127.0.8.{list(self.made).index(name) + 2}"

    def inspected(self, name: str) -> dict:
        """Tell of a container what a spawner reads."""
        process = self.processes.get(name)
        running = process is not None and process.poll() is None
        (network,) = [self.made[name]["HostConfig"]["NetworkMode"]]
        state = {"Running": running, "Status": "running" if running else "exited", "ExitCode": 0, "Error": ""}
        state |= {"FinishedAt": "", "OOMKilled": False, "Paused": False, "Restarting": False}
        number = next(number for number, other in self.ids.items() if other == name)
        return {
            "Id": number,
            "Name": f"/{name}",
            "State": state,
            "NetworkSettings": {"Networks": {network: {"IPAddress": self.address(name)}}},
        }

    def start(self, name: str) -> None:
        """Run what the container would run, with its environment."""
        told, home = self.made[name], self.folder / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        env = dict(line.split("=", 1) for line in told["Env"])
        env["JUPYTERHUB_SERVICE_URL"] = env["JUPYTERHUB_SERVICE_URL"].replace("0.0.0.0", self.address(name))
        env |= {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        there = Path(__file__).parents[2]
        words = [word.replace("/opt/course/", f"{there}/") for word in told["Cmd"]]
        words[0] = shutil.which(words[0], path=env["PATH"])
        words += ["--allow-root"] if os.geteuid() == 0 else []
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(words, cwd=home, env=env, stdout=log, stderr=log)

    def end(self, name: str) -> None:
        """End a container and forget it."""
        process = self.processes.pop(name, None)
        if process is not None:
            process.terminate()
            process.wait(30)
        self.made.pop(name)

    def close(self) -> None:
        """End all."""
        for name in list(self.made):
            self.end(name)
        self.server.shutdown()
        self.server.server_close()
