"""Datasets from PhysioNet to a folder: only what is missing, verified, safe to interrupt."""

import errno
import os
import re
import shutil
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ecg_lessons import files as disk
from ecg_lessons.data import catalog
from ecg_lessons.data.catalog import Dataset
from ecg_lessons.errors import InputError, WrongChecksum

#: Files fetched at a time: PhysioNet is slow for one file, and should not be crowded.
WORKERS = 6
#: PhysioNet's list of checksums, and ours of the files found to have them, in the dataset's folder.
_SUMS, _MEMORY = "SHA256SUMS.txt", ".ecg-lessons.json"


def fetch(
    name: str, files: Iterable[str] | None = None, progress: bool = True, whole_zip: bool = False, verify: bool = False
) -> Path:
    """Fetch a dataset, or some of its files such as ["100.hea", "100.dat"], and give its folder.

    What is there with the right checksum is kept, an interrupted fetch goes on where it stopped, and licence and
    citation are shown the first time. The zip of the whole project is quicker for thousands of small files. `verify`
    takes the list of checksums anew and hashes every file again, whatever is known of it.
    """
    dataset, folder = catalog.get(name), catalog.folder(name)
    if whole_zip and not dataset.zip_name:
        raise InputError(f"Dataset {name} has no zip of the whole project: fetch it without --zip.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            asked = None if files is None else list(files)
            first = _Fetch(dataset, folder, progress, verify)
            try:
                first.run(asked, whole_zip)
            except WrongChecksum:  # of the file, or in a list that lies here damaged
                again = _Fetch(dataset, folder, progress, verify=True)
                again.get_sums(asked)
                if again.sums == first.sums:
                    raise
                again.run(asked, whole_zip)
    except OSError as error:
        raise _disk_trouble(folder, error) from error
    return folder


def locate(name: str) -> Path:
    """Give the folder of a dataset that is there, with every file the lessons need."""
    dataset, folder = catalog.get(name), catalog.folder(name)
    remedy = f"run 'ecg-lessons fetch {name}' or choose --source sample."
    try:
        files = dataset.files(folder)
    except FileNotFoundError:
        raise InputError(f"Dataset {name} is not in {folder}: {remedy}") from None
    if missing := [path for path in files if not (folder / path).is_file() and not _unpacked(folder / path)]:
        count = f"{len(missing)} of {len(files)} files (first: {missing[0]})"
        raise InputError(f"Dataset {name} in {folder} lacks {count}: {remedy}")
    return folder


def _unpacked(path: Path) -> bool:
    """Tell whether what a zip holds lies beside the place where it should be."""
    return path.suffix == ".zip" and any(path.with_suffix("").glob("[!.]*"))


class _Fetch:
    """One run of `fetch`; no file is hashed twice, since a good one is known by its size and time of change."""

    def __init__(self, dataset: Dataset, folder: Path, progress: bool, verify: bool = False):
        from ecg_lessons.data.download import Downloads

        self.dataset, self.folder = dataset, folder
        self.sums, self.stamps, self.announced = {}, {}, False
        self.verify = verify
        with suppress(OSError, InputError):
            self.stamps = disk.read_json(folder / _MEMORY, "")
            self.announced = True  # a memory of a folder says that its licence was shown
        if verify:
            self.stamps = {}
        self.bar = _Bar(progress)
        self.downloads = Downloads(report=self.bar.report)

    def run(self, files: list[str] | None, whole_zip: bool) -> None:
        try:
            self.get_sums(files)
            if files is None:
                index = self.dataset.records
                if isinstance(index, str) and self._missing([index]):  # the file that lists the records
                    self._announce([index])
                    self._get_one(index)
                files = self.dataset.files(self.folder)
            if missing := self._missing(files):
                self._announce(missing)
                if whole_zip:
                    self._unzip(missing)
                    missing = self._missing(missing)
                if missing:
                    self._get(missing)
        finally:
            self.downloads.session.close()
            if self.announced:
                with suppress(InputError):  # a folder that may not be written is verified anew each time
                    disk.write(self.folder / _MEMORY, self.stamps)

    def get_sums(self, files: list[str] | None) -> None:
        """Have the list of checksums, from the server where it is not here, whole."""
        from ecg_lessons.data.download import NotOnServer

        # What was fetched from a mirror without checksums is complete without them.
        there = self._read_sums(self.folder / _SUMS)
        if not self.verify and (there or (self.announced and self._complete(files))):
            return
        url, fresh = self.dataset.file_url(_SUMS), self.folder / f"{_SUMS}.new"
        try:
            fresh.unlink(missing_ok=True)
            self.downloads.get(url, fresh)
            if not self._read_sums(fresh):
                raise InputError(f"{url} gives no checksums: does the network wait for you on a login page?")
            os.replace(fresh, self.folder / _SUMS)
        except NotOnServer:
            return
        except OSError:
            if self._complete(files):  # a full folder that may only be read
                return
            raise
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)

    def _read_sums(self, path: Path) -> bool:
        """Read a list of checksums, whole: a cut one knows too little, and then files would not be verified."""
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        matches = [re.fullmatch(r"([0-9a-f]{64})\s+\*?(?:\./)?(.+)", line) for line in lines]
        whole = bool(matches) and all(matches) and text.endswith("\n")
        self.sums = {match[2]: match[1] for match in matches} if whole else {}
        return whole

    def _complete(self, files: list[str] | None) -> bool:
        try:
            return not self._missing(files or self.dataset.files(self.folder))
        except FileNotFoundError:  # not even the list of records
            return False

    def _missing(self, files: Iterable[str]) -> list[str]:
        return [path for path in dict.fromkeys(files) if not self._good(path)]

    def _good(self, path: str) -> bool:
        import pooch

        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise InputError(f"{path} is not a path inside {self.folder}.")
        file = self.folder / path
        if not file.is_file():
            return False
        if path not in self.sums or self.stamps.get(path) == _stamp(file):
            return True
        if good := pooch.file_hash(file) == self.sums[path]:
            self._note(path)
        return good

    def _note(self, path: str) -> None:
        if path in self.sums:
            self.stamps[path] = _stamp(self.folder / path)

    def _get(self, missing: list[str]) -> None:
        # Download several files at a time; the first failure ends all.
        with self.bar.over(self.dataset.name, len(missing)), ThreadPoolExecutor(WORKERS) as pool:
            try:
                for done in as_completed([pool.submit(self._get_one, path) for path in missing]):
                    done.result()
            except BaseException:
                self.downloads.halt()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _get_one(self, path: str) -> None:
        self.downloads.get(self.dataset.file_url(path), self.folder / path, self.sums.get(path))
        self._note(path)

    def _unzip(self, missing: list[str]) -> None:
        # Take files out of the project's zip; what it lacks or has damaged is left to be fetched alone.
        archive = self.folder / self.dataset.zip_name
        for last in (False, True):
            with self.bar.over(archive.name, 1):
                self.downloads.get(self.dataset.zip_url, archive)
            try:
                with zipfile.ZipFile(archive) as packed:
                    inside = {member.partition("/")[2]: member for member in packed.namelist()}
                    for path in filter(inside.get, missing):
                        self._unpack(packed, inside[path], path)
                break
            except (zipfile.BadZipFile, EOFError, zlib.error):
                archive.unlink()
                if last:
                    what = f"{self.dataset.zip_url} gave a damaged zip twice"
                    raise InputError(f"{what}: fetch the dataset without --zip.") from None
        archive.unlink()

    def _unpack(self, packed: zipfile.ZipFile, member: str, path: str) -> None:
        import pooch

        target, part = self.folder / path, self.folder / f"{path}.part"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with packed.open(member) as source, part.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            if self.sums.get(path) in {None, pooch.file_hash(part)}:
                os.replace(part, target)
                self._note(path)
        finally:
            part.unlink(missing_ok=True)

    def _announce(self, missing: list[str]) -> None:
        # Show licence and citation once per folder, and say when files cannot be verified.
        dataset, console = self.dataset, _console()
        if not self.announced:
            console.print(f"{dataset.title} {dataset.version}, about {dataset.size / 1e6:,.0f} MB")
            console.print(f"Licence: {dataset.licence} ({dataset.licence_url})\nPlease cite: {dataset.citation}")
            self.announced = True
        if unknown := sum(path not in self.sums for path in missing):
            lacking = f"{dataset.url} has no checksums for {unknown} of {len(missing)} files to fetch"
            console.print(f"Warning: {lacking}: they could not be verified.")


class _Bar:
    """A progress bar over files, a part of a file as that part of one: sizes are known only once a file begins."""

    def __init__(self, visible: bool):
        told = "{task.percentage:3.0f} % of {task.total} files, {task.fields[megabytes]:.1f} MB"
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(told), TimeRemainingColumn())
        self._make = lambda: Progress(*columns, console=_console(), disable=not visible)
        self._lock, self._progress = threading.Lock(), None

    @contextmanager
    def over(self, label: str, files: int) -> Iterator[None]:
        self._seen, self._megabytes = {}, 0.0
        with self._make() as self._progress:
            self._task = self._progress.add_task(label, total=files, megabytes=0.0)
            yield
            self._progress.update(self._task, completed=files)
        self._progress = None

    def report(self, file: Path, received: int, total: int) -> None:
        """Note the bytes of a file that are there; a file begun anew goes back. Called from several threads."""
        with self._lock:
            if self._progress is None:
                return
            before, share_before = self._seen.get(file, (0.0, 0.0))
            now, share = self._seen[file] = received / 1e6, received / total if total else 0.0
            self._megabytes += now - before
            self._progress.update(self._task, advance=share - share_before, megabytes=self._megabytes)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # Let one process at a time fetch into a folder: classmates may share it.
    waiting = f"Another process is fetching into {folder}: waiting for it."
    with ExitStack() as stack:
        with suppress(OSError):  # where no lock can be written, nothing else can
            stack.enter_context(disk.alone(folder / ".lock", say=lambda: _console().print(waiting)))
        yield


def _stamp(file: Path) -> list[int]:
    return [file.stat().st_size, file.stat().st_mtime_ns]


def _console() -> Console:
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def _disk_trouble(folder: Path, error: OSError) -> InputError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:  # the disk, or the user's share of it
        for part in folder.rglob("*.part"):
            part.unlink(missing_ok=True)
        remedy = "make room, or set ECG_LESSONS_DATA to a folder on another disk, then fetch again"
        return InputError(f"The disk of {folder} is full: {remedy}; complete files are kept.")
    # pooch words a PermissionError anew and loses its number
    reason = os.strerror(errno.EACCES) if isinstance(error, PermissionError) else error.strerror or error
    return InputError(f"Cannot write into {folder} ({reason}): set ECG_LESSONS_DATA to a folder of your own.")
