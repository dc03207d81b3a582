"""The PhysioNet/CinC Challenge 2017: 8,528 recordings of one lead from a hand-held device, each with one label.

Clifford GD et al. (2017); https://doi.org/10.22489/CinC.2017.065-469. 9 to 61 s at 300 Hz. Who was recorded is not
published, and people may have sent more than one recording: splits can keep recordings apart, but not people.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from ecg_lessons import files
from ecg_lessons.data import catalog
from ecg_lessons.data.recordings import Recording
from ecg_lessons.data.wfdb_files import read_mat
from ecg_lessons.errors import InputError

RATE = 300.0
#: The labels: normal sinus rhythm, atrial fibrillation, another rhythm, too noisy to tell.
CLASSES = ("N", "A", "O", "~")
_LABELS = ("REFERENCE-v3.csv", "REFERENCE.csv", "training2017/REFERENCE-v3.csv", "training2017/REFERENCE.csv")
# A RuntimeError is how zipfile tells of a way of packing that it does not know.
_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error, LZMAError, RuntimeError)
_AGAIN = "delete it and run 'ecg-lessons fetch challenge-2017' again."


def challenge_2017(
    folder: str | Path,
    records: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Recording]:
    """Read the training set of CinC 2017 (or a folder in its layout), in the order of its labels.

    Parameters
    ----------
    folder : str or Path
        Holds ``REFERENCE-v3.csv`` (or the older ``REFERENCE.csv``) and either ``training2017/`` with a .mat file for
        each recording, or ``training2017.zip``, which is unpacked once into this computer's cache.
    records : iterable of str, optional
        Which recordings, in which order; all where nothing is said.
    progress : callable, optional
        Called with the number of recordings done and of all; where the zip is unpacked, first for that.

    Yields
    ------
    Recording
        One lead, ``ECG``, at 300 Hz, with ``labels["rhythm"]``, one of `CLASSES`. The patient is the name of the
        recording, since nothing better is published.

    Raises
    ------
    InputError
        If the labels are missing, damaged or unknown, if they and the recordings do not match, or if the zip or a
        recording is damaged.
    """
    folder = Path(folder)
    labels = read_labels(folder)
    place = _recordings(folder, progress)
    _match(labels, place, folder)
    names = list(labels if records is None else map(str, records))
    for done, name in enumerate(names, start=1):
        if name not in labels:
            raise InputError(f"{folder} has no recording {name!r}; it has {min(labels)} to {max(labels)}.")
        signal = read_mat(place / f"{name}.mat")
        yield Recording(name, name, signal, RATE, ("ECG",), labels={"rhythm": labels[name]})
        if progress:
            progress(done, len(names))


def read_labels(folder: str | Path) -> dict[str, str]:
    """Read the label of every recording by its name, without a look at the recordings.

    Raises
    ------
    InputError
        If there are no labels, or a row is no ``name,label``, names an unknown label or a recording for the second
        time; the sentence gives the row.
    """
    path = next((Path(folder) / name for name in _LABELS if (Path(folder) / name).is_file()), None)
    if path is None:
        raise InputError(
            f"No labels {Path(folder) / _LABELS[0]}: run 'ecg-lessons fetch challenge-2017', or choose --source sample."
        )
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    labels = {}
    for number, row in rows:
        name, label = (cell.strip() for cell in row) if len(row) == 2 else ("", "")
        if not name:
            raise InputError(f"{path}, row {number}: expected name,label such as A00001,N; mend the row.")
        if label not in CLASSES:
            raise InputError(
                f"{path}, row {number}: unknown label {label!r} of {name}; the labels are {' '.join(CLASSES)}."
            )
        if name in labels:
            raise InputError(f"{path}, row {number}: {name} has a label already; delete one of its rows.")
        labels[name] = label
    if not labels:
        raise InputError(f"{path} holds no labels: {_AGAIN}")
    return labels


def _match(labels: dict[str, str], place: Path, folder: Path) -> None:
    """Refuse recordings without a label, and labels without a recording."""
    there = {path.stem for path in place.glob("*.mat")}
    if extra := sorted(there - labels.keys()):
        raise InputError(
            f"The labels in {folder} lack {len(extra)} of {len(there)} recordings of training2017 "
            f"(first: {extra[0]}): add a row for each, or fetch the labels again."
        )
    if missing := sorted(labels.keys() - there):
        raise InputError(
            f"The labels in {folder} name {len(missing)} of {len(labels)} recordings that training2017 lacks "
            f"(first: {missing[0]}.mat): fetch or unpack it again."
        )


def _recordings(folder: Path, progress: Callable[[int, int], None] | None) -> Path:
    """Give the folder with the .mat files, unpacked if need be."""
    place, packed = folder / "training2017", folder / "training2017.zip"
    if not packed.is_file() or next(place.glob("*.mat"), None):
        if not place.is_dir():
            raise InputError(
                f"No recordings {packed}: run 'ecg-lessons fetch challenge-2017', or choose --source sample."
            )
        return place
    try:
        with zipfile.ZipFile(packed) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(".mat")]
            # The checksums tell one content from another, whenever and wherever it was downloaded.
            key = zlib.crc32(repr([(one.filename, one.CRC, one.file_size) for one in members]).encode())
            unpacked = catalog.cache() / "challenge-2017" / f"training2017-{key:08x}"
            return files.cached(unpacked, lambda to: _unpack(archive, members, to, progress))
    except _DAMAGED:
        raise InputError(f"{packed} is damaged: {_AGAIN}") from None
    except OSError as error:
        raise InputError(
            f"Cannot unpack {packed} into {catalog.cache()} ({error.strerror}): make room there, or set "
            "ECG_LESSONS_CACHE to another folder."
        ) from None


def _unpack(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write the .mat files into a new folder, which is there whole or not at all."""
    with files.new_folder(folder, "the recordings") as draft:
        for done, member in enumerate(members, start=1):
            (draft / PurePosixPath(member.filename).name).write_bytes(archive.read(member))
            if progress:
                progress(done, len(members))
