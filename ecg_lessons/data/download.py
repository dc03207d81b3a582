"""One file over HTTP: resumed, retried, verified, and put in place in one step."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pooch
import requests

from ecg_lessons.errors import InputError, WrongChecksum

#: Seconds to wait for a connection, and for the next bytes.
TIMEOUT = (10.0, 30.0)
#: Seconds to pause after the first, second, ... failure without progress; then give up.
WAITS = (0.5, 1.5, 4.0)
_CHUNK = 1 << 14  # what a broken line loses at most
_TRY_AGAIN = {408, 429, 500, 502, 503, 504}

pooch.get_logger().setLevel(logging.WARNING)  # our own progress bar says what is going on


class NotOnServer(InputError):
    """The server answers, and does not have the file."""


class Stopped(Exception):
    """Another download failed or the user pressed Ctrl-C: stop at the next bytes."""


@dataclass
class Downloads:
    """What the downloads of one run share; `report` gets the target, its bytes so far, and in all (0: not said)."""

    session: requests.Session = field(default_factory=requests.Session)
    stop: threading.Event = field(default_factory=threading.Event)
    report: Callable[[Path, int, int], None] = lambda target, received, total: None
    _answers: set[requests.Response] = field(default_factory=set, init=False, repr=False)

    def halt(self) -> None:
        """End every download now, also one whose server has fallen silent."""
        self.stop.set()
        for answer in tuple(self._answers):
            with suppress(OSError, ValueError):  # it has ended by itself meanwhile
                answer.raw.shutdown()

    def get(self, url: str, target: Path, sha256: str | None = None) -> None:
        """Download `url` to `target`, unless it is there with the right checksum; trouble with the disk is an OSError.

        The bytes gather in ``<target>.part``, which a later run continues. A wrong checksum costs one more download
        from scratch, since the part may have been damaged or stale.
        """
        for last in (False, True):
            try:
                pooch.retrieve(url, sha256, target.name, target.parent, downloader=lambda *to: self._fill(target, *to))
                return
            except InputError:
                raise
            except ValueError:  # pooch's word for a wrong checksum
                if last:
                    wrong = f"{target.name} from {url} had a wrong SHA-256 checksum twice and was not kept"
                    raise WrongChecksum(f"{wrong}: try again later, or tell the keeper of the mirror.") from None

    def _fill(self, target: Path, url: str, output_file: str, _: object) -> None:
        # Fill the part of `target`, and hand it over to pooch when it is complete.
        part = target.with_name(target.name + ".part")
        os.unlink(output_file)  # pooch's empty placeholder, which a killed process would leave behind
        try:
            self._persist(url, target, part)
            _refuse_page(url, target, part)
            os.replace(part, output_file)
        except requests.RequestException as error:
            raise _unreachable(url, error) from error
        finally:
            if part.exists() and not part.stat().st_size:
                part.unlink()

    def _persist(self, url: str, target: Path, part: Path) -> None:
        # Receive until the file is complete; only failures without a new byte count against the server.
        failures, best = 0, 0
        while True:
            try:
                return self._receive(url, target, part)
            except requests.RequestException as error:
                if self.stop.is_set():
                    raise Stopped from None
                if isinstance(error, requests.HTTPError) and error.response.status_code not in _TRY_AGAIN:
                    what = f"The server has no {target.name} at {url} (HTTP {error.response.status_code})"
                    raise NotOnServer(f"{what}: check the name, and ECG_LESSONS_MIRROR where you set it.") from None
                size = part.stat().st_size if part.exists() else 0
                failures, best = (1, size) if size > best else (failures + 1, best)
                if isinstance(error, ValueError) or failures > len(WAITS):  # no address, or no progress
                    raise
                self.stop.wait(WAITS[failures - 1])

    def _receive(self, url: str, target: Path, part: Path) -> None:
        # Ask for the bytes still missing, and append them to the part.
        start = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == 416:  # nothing follows: the part is complete, or of another file
                if answer.headers.get("Content-Range") != f"bytes */{start}":
                    part.unlink()
                    self._receive(url, target, part)
                return
            answer.raise_for_status()
            start *= answer.status_code == 206  # else the server sends everything, asked or not
            total = start + int(answer.headers.get("Content-Length", 0))
            with part.open("ab" if start else "wb") as file, ExitStack() as ending:
                self._answers.add(answer)  # `halt` knows of it while its bytes come in
                ending.callback(self._answers.discard, answer)
                for chunk in answer.iter_content(_CHUNK):
                    if self.stop.is_set():
                        raise Stopped
                    start += file.write(chunk)
                    self.report(target, start, total)


def _refuse_page(url: str, target: Path, part: Path) -> None:
    """Refuse a web page in place of a file: networks that want a login answer with one, and call it a success."""
    with part.open("rb") as file:
        begins = file.read(200).lstrip().lower()
    if begins.startswith((b"<!doctype", b"<html")) and target.suffix not in (".html", ".htm"):
        part.unlink()
        raise InputError(f"{url} gives a web page and no {target.name}: does the network wait for you on a login page?")


def _unreachable(url: str, error: requests.RequestException) -> InputError:
    kinds = {
        requests.HTTPError: f"it answers HTTP {getattr(error.response, 'status_code', '')}",
        requests.Timeout: "it does not answer in time",
        ValueError: "it is not a web address",
        Exception: "no connection, or it breaks off",
    }
    reason = next(words for kind, words in kinds.items() if isinstance(error, kind))
    remedy = "try again when you are online, what has arrived is kept; or work with the built-in cohort"
    return InputError(f"Cannot fetch {url} ({reason}): {remedy}, which needs no network (--source sample).")
