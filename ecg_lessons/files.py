"""Files and folders that are there whole or not at all; JSON and TOML with one wording; one lock."""

import glob
import json
import os
import shutil
import socket
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ecg_lessons.errors import InputError, shown


def cache() -> Path:
    """Give the folder for what can be made or fetched again: $ECG_LESSONS_CACHE, or the user's cache folder."""
    import pooch

    return Path(os.environ.get("ECG_LESSONS_CACHE") or pooch.os_cache("ecg-lessons")).expanduser()


def carried(folder: str) -> Path:
    """Find what comes with the package, such as "notebooks" or "data/results": in the wheel, or in the clone."""
    package = Path(__file__).parent
    for place in (package / "carried" / folder, package.parent / folder):
        if place.is_dir():
            return place
    raise InputError(f"The package lacks its folder {folder}: install it again, or use a clone.")


def nearest(path: str | Path) -> Path:
    """Give a path, or the nearest folder above it that exists."""
    path = Path(path).absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def cannot_write(path: str | Path, error: OSError) -> InputError:
    """Say in one sentence why a file or folder cannot be written; NumPy and h5py give no reason on a full disk."""
    why, path = error.strerror or "the disk may be full", Path(path)
    remedy = "choose another place"
    if path.absolute().is_relative_to(cache().absolute()):
        remedy = "make room, or set ECG_LESSONS_CACHE to another folder"
    return InputError(f"Cannot write {path} ({why}): {remedy}.")


@contextmanager
def writing(path: str | Path, mode: str = "w") -> Iterator[IO]:
    """Open a file that appears under its name only when it is complete; its folder is made."""
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open(mode, **({} if "b" in mode else {"encoding": "utf-8", "newline": ""})) as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if part.is_file():
            part.unlink()


def write(path: str | Path, content) -> Path:
    """Write bytes, a text, a dict as JSON, or a DataFrame as CSV; whole or not at all."""
    if isinstance(content, dict):
        content = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    elif hasattr(content, "to_csv"):
        content = content.to_csv(index=False)
    with writing(path, "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)
    return Path(path)


def read_json(path: str | Path, remedy: str, *keys: str) -> dict:
    """Read a JSON object with certain keys; of a damaged file say the remedy. A missing one is a FileNotFoundError."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not set(keys) <= set(content):
        raise InputError(f"{path} is damaged: {remedy}.")
    return content


def read_toml(path: str | Path) -> dict:
    """Read TOML."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): give the path of a TOML file.") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError among them
        raise InputError(f"{path} is not TOML ({shown(str(error))}): mend that line.") from None


def refuse_full(folder: str | Path, what: str) -> None:
    """Refuse a folder that holds something; `what` is to be written there."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not empty: give a new folder for {what}.")


@contextmanager
def new_folder(folder: str | Path, what: str) -> Iterator[Path]:
    """Give a folder to write into, which becomes `folder` at the end and vanishes after an error.

    A draft names its machine and process: what a killed one left is removed by the next that makes the same folder.
    """
    folder = Path(folder)
    refuse_full(folder, what)
    kind = f".{folder.name}-{socket.gethostname()}-"
    draft = folder.with_name(f"{kind}{os.getpid()}")
    try:
        for left in folder.parent.glob(f"{glob.escape(kind)}[0-9]*"):
            if not _alive(int(left.name.removeprefix(kind))):
                shutil.rmtree(left, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        if folder.exists():
            folder.rmdir()
        draft.replace(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _alive(process: int) -> bool:
    import psutil

    return psutil.pid_exists(process)


def cached(folder: Path, make: Callable[[Path], object]) -> Path:
    """Give a folder, made on first use; of two processes that make it at once, the first to finish is kept."""
    if not folder.exists():
        try:
            make(folder)
        except (OSError, InputError):
            if not folder.exists():  # nobody else was faster: the error is a true one
                raise
    return folder


@contextmanager
def alone(path: str | Path, busy: str | None = None, say: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock `path`; another holder is refused with the sentence `busy`, or waited for after `say`."""
    from filelock import FileLock, Timeout

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        if busy:
            raise InputError(busy) from None
        say()
        held = lock.acquire()
    with held:
        yield
