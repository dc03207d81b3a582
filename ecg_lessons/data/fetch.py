"""Datasets from PhysioNet to a folder: only what is missing, verified, safe to interrupt."""

from __future__ import annotations

import errno
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

import pooch
from rich.console import Console

from ecg_lessons.data import catalog
from ecg_lessons.data.catalog import Dataset
from ecg_lessons.data.download import Downloads, NotOnServer
from ecg_lessons.data.ledger import SUMS, Ledger
from ecg_lessons.data.progress import FileBar
from ecg_lessons.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: no lock between two processes
    fcntl = None

#: Files fetched at a time: PhysioNet is slow for one file, and should not be crowded.
WORKERS = 6
_FULL = {errno.ENOSPC, errno.EDQUOT}  # the disk, or the user's share of it


def fetch(
    name: str, files: Iterable[str] | None = None, progress: bool = True, whole_zip: bool = False
) -> Path:
    """Fetch a dataset, or some of its files, and give its folder.

    What is there with the right checksum is kept, so that a second call is quick and needs no network. An
    interrupted fetch goes on where it stopped. Licence and citation are shown the first time.

    Parameters
    ----------
    name : str
        A dataset of `catalog.DATASETS`.
    files : iterable of str, optional
        Paths inside the dataset, such as ``["100.hea", "100.dat"]``; by default all that the lessons need.
    progress : bool
        Show a progress bar (on standard error).
    whole_zip : bool
        Get the zip of the whole project, unpack what is needed and remove it. Quicker for thousands of
        small files. A zip that already lies in the folder is used.

    Raises
    ------
    InputError
        In one sentence: unknown dataset, no network, a file the server lacks, a checksum that stays wrong,
        a full disk, a folder that may not be written.
    """
    dataset, folder = catalog.get(name), catalog.folder(name)
    if whole_zip and not dataset.zip_name:
        raise InputError(f"Dataset {name} has no zip of the whole project: fetch it without --zip.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            _Fetch(dataset, folder, progress).run(None if files is None else list(files), whole_zip)
    except OSError as error:
        raise _disk_trouble(folder, error) from error
    return folder


def locate(name: str) -> Path:
    """Give the folder of a dataset that is there, with every file the lessons need.

    Raises
    ------
    InputError
        If files are missing; the sentence says how to get them.
    """
    dataset, folder = catalog.get(name), catalog.folder(name)
    remedy = f"run 'ecg-lessons fetch {name}' or choose --source sample."
    try:
        files = dataset.files(folder)
    except FileNotFoundError:
        raise InputError(f"Dataset {name} is not in {folder}: {remedy}") from None
    missing = [path for path in files if not (folder / path).is_file()]
    if missing:
        count = f"{len(missing)} of {len(files)} files (first: {missing[0]})"
        raise InputError(f"Dataset {name} in {folder} lacks {count}: {remedy}")
    return folder


class _Fetch:
    """One run of `fetch`."""

    def __init__(self, dataset: Dataset, folder: Path, progress: bool):
        self.dataset, self.folder = dataset, folder
        self.ledger = Ledger(folder)
        self.announced = not self.ledger.new
        self.bar = FileBar(_console(), progress)
        self.downloads = Downloads(report=self.bar.report)

    def run(self, files: list[str] | None, whole_zip: bool) -> None:
        try:
            self._read_sums(files)
            if files is None:
                self._get_index()
                files = self.dataset.files(self.folder)
            missing = self.ledger.missing(files)
            if missing:
                self._announce(missing)
                if whole_zip:
                    self._unzip(missing)
                    missing = self.ledger.missing(missing)
                self._get(missing)
        finally:
            self.downloads.session.close()
            if self.announced:  # a memory of a folder says that its licence was shown
                self.ledger.save()

    def _read_sums(self, files: list[str] | None) -> None:
        """Get and read the checksums; not every mirror has them."""
        if self.ledger.read_sums():
            return
        if not self.ledger.new and self._complete(files):  # fetched from a mirror without checksums
            return
        url = self.dataset.file_url(SUMS)
        try:
            self.downloads.get(url, self.folder / SUMS)
        except NotOnServer:
            return
        except OSError:
            if self._complete(files):  # a full folder that may only be read
                return
            raise
        if not self.ledger.read_sums():
            (self.folder / SUMS).unlink()
            raise InputError(f"{url} gives no checksums: does the network wait for you on a login page?")

    def _complete(self, files: list[str] | None) -> bool:
        try:
            return not self.ledger.missing(files or self.dataset.files(self.folder))
        except FileNotFoundError:  # not even the list of records
            return False

    def _get_index(self) -> None:
        """Get the file that lists the records, where the dataset has one."""
        index = self.dataset.records
        if isinstance(index, str) and self.ledger.missing([index]):
            self._announce([index])
            self._get_one(index)

    def _get(self, missing: list[str]) -> None:
        """Download several files at a time; the first failure ends all."""
        if not missing:  # the zip had everything
            return
        with self.bar.over(self.dataset.name, len(missing)), ThreadPoolExecutor(WORKERS) as pool:
            try:
                for done in as_completed([pool.submit(self._get_one, path) for path in missing]):
                    done.result()
            except BaseException:
                self.downloads.halt()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _get_one(self, path: str) -> None:
        self.downloads.get(self.dataset.file_url(path), self.folder / path, self.ledger.sums.get(path))
        self.ledger.note(path)

    def _unzip(self, missing: list[str]) -> None:
        """Take files out of the project's zip; what it lacks or has damaged is left to be fetched alone."""
        archive = self.folder / self.dataset.zip_name
        for last in (False, True):
            with self.bar.over(archive.name, 1):
                self.downloads.get(self.dataset.zip_url, archive)
            try:
                with zipfile.ZipFile(archive) as packed:
                    inside = {member.partition("/")[2]: member for member in packed.namelist()}
                    for path in missing:
                        if path in inside:
                            self._unpack(packed, inside[path], path)
                break
            except (zipfile.BadZipFile, EOFError, zlib.error):
                archive.unlink()
                if last:
                    raise InputError(
                        f"{self.dataset.zip_url} gave a damaged zip twice: fetch the dataset without --zip."
                    ) from None
        archive.unlink()

    def _unpack(self, packed: zipfile.ZipFile, member: str, path: str) -> None:
        target = self.folder / path
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with packed.open(member) as source, part.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            if self.ledger.sums.get(path) in {None, pooch.file_hash(part)}:
                os.replace(part, target)
                self.ledger.note(path)
        finally:
            part.unlink(missing_ok=True)

    def _announce(self, missing: list[str]) -> None:
        """Show licence and citation once per folder, and say when files cannot be verified."""
        dataset, console = self.dataset, _console()
        if not self.announced:
            console.print(
                f"{dataset.title} {dataset.version}, about {dataset.size / 1e6:,.0f} MB\n"
                f"Licence: {dataset.licence} ({dataset.licence_url})\nPlease cite: {dataset.citation}"
            )
            self.announced = True
        unknown = sum(path not in self.ledger.sums for path in missing)
        if unknown:
            console.print(
                f"Warning: {dataset.url} has no checksums for {unknown} of {len(missing)} files to fetch: "
                "they could not be verified."
            )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time fetch into a folder: classmates may share it."""
    with ExitStack() as stack:
        with suppress(OSError):  # where no lock can be written, nothing else can
            _wait_for(stack.enter_context((folder / ".lock").open("w")), folder)
        yield


def _wait_for(lock: TextIO, folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _console().print(f"Another process is fetching into {folder}: waiting for it.")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _console() -> Console:
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def _disk_trouble(folder: Path, error: OSError) -> InputError:
    if error.errno in _FULL:
        for part in folder.rglob("*.part"):
            part.unlink(missing_ok=True)
        return InputError(
            f"The disk of {folder} is full: make room, or set ECG_LESSONS_DATA to a folder on another disk, "
            "then fetch again; complete files are kept."
        )
    # pooch words a PermissionError anew and loses its number
    reason = os.strerror(errno.EACCES) if isinstance(error, PermissionError) else error.strerror or error
    return InputError(f"Cannot write into {folder} ({reason}): set ECG_LESSONS_DATA to a folder of your own.")
