"""Beats as PNG pictures, one folder a class: the format that the tutorial behind lesson 3 started from."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ecg_lessons import files
from ecg_lessons.errors import InputError

#: Folder of each WFDB symbol. "/" cannot be in the name of a folder, and shells have plans of their own with "!";
#: no two names differ in capitals only, which some disks do not tell apart.
FOLDER_NAMES = {symbol: symbol for symbol in "NLRAVE"} | {"/": "paced", "!": "flutter"}
#: Names of folders that are read, in small letters: ours, and the abbreviations of Jun et al. 2018.
SYMBOLS = {name.lower(): symbol for symbol, name in FOLDER_NAMES.items()} | {
    "nor": "N", "lbb": "L", "rbb": "R", "apc": "A", "pvc": "V", "veb": "E", "pab": "/", "vfw": "!",
}  # fmt: skip

#: No picture of a beat has more pixels on a side.
_LARGEST = 10_000

Chunk = tuple[np.ndarray, Sequence[str], Sequence[str]]


def picture_names(records: Sequence[str], samples: Sequence[int]) -> list[str]:
    """Name pictures after record and sample, for example ``100_000370``: whose a picture is stays known."""
    for record in set(records):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", record):
            raise InputError(f"Record {record!r} cannot name pictures: use letters, digits and '-' only.")
    return [f"{record}_{int(sample):06d}" for record, sample in zip(records, samples, strict=True)]


def write_pictures(folder: str | Path, chunks: Iterable[Chunk], progress: Callable[[int], None] | None = None) -> Path:
    """Write pictures into one folder a class, named by `FOLDER_NAMES`; all of them, or nothing.

    A chunk is images of uint8, shape (n, rows, columns), their names and WFDB symbols; `progress` gets their number.
    """
    folder = Path(folder)
    with files.new_folder(folder, "the pictures") as draft:
        _write(draft, chunks, progress)
    return folder


def read_pictures(folder: str | Path, size: int = 128) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read class folders of PNG pictures in grey: uint8 (n, size, size), WFDB symbols, records and names.

    The record is what stands before the first "_", if a number follows it, as in ``100_000370.png``; else "": then
    nobody knows whose beat it is. Whether ink is bright or dark is left as it is: the lessons draw in white on black,
    many tools in black on white.
    """
    if not Path(folder).is_dir():
        raise InputError(f"There is no folder {folder}: give one that holds a folder of pictures a class.")
    places = [path for path in _visible(Path(folder)) if path.is_dir()]
    for path in places:
        if path.name.lower() not in SYMBOLS:
            raise InputError(f"Folder {path} is no class: move it, or name it {', '.join(FOLDER_NAMES.values())}.")
    if not (paths := [path for place in places for path in _visible(place, ".png")]):
        raise InputError(f"{folder} holds no PNG pictures in class folders: export them first.")
    images = np.empty((len(paths), size, size), np.uint8)
    for image, path in zip(images, paths, strict=True):
        image[:] = _read(path, size)
    names = [path.stem for path in paths]
    records = [match[1] if (match := re.match(r"([^_]+)_\d", name)) else "" for name in names]
    return images, np.array([SYMBOLS[path.parent.name.lower()] for path in paths]), np.array(records), np.array(names)


def _write(folder: Path, chunks: Iterable[Chunk], progress: Callable[[int], None] | None) -> None:
    written = set()
    for images, names, symbols in chunks:
        if images.dtype != np.uint8 or images.ndim != 3:
            raise InputError(f"No pictures of {images.dtype}, shape {images.shape}: give uint8 (n, rows, columns).")
        for image, name, symbol in zip(images, names, symbols, strict=True):
            if symbol not in FOLDER_NAMES:
                raise InputError(f"Picture {name}: no folder for symbol {symbol!r}, only for {' '.join(FOLDER_NAMES)}.")
            if name.lower() in written:
                raise InputError(f"Two pictures have the name {name!r}: name them by record and sample.")
            written.add(name.lower())
            place = folder / FOLDER_NAMES[symbol]
            place.mkdir(exist_ok=True)
            # Encoded here and written by Python: OpenCV's own writing does not say why it failed.
            (place / f"{name}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        if progress:
            progress(len(written))
    if not written:
        raise InputError("There are no beats to make pictures of: name records that have some.")


def _visible(folder: Path, ending: str = "") -> list[Path]:
    paths = (path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    return sorted(path for path in paths if path.name.lower().endswith(ending))


def _whole(raw: bytes) -> bool:
    """Tell whether the parts of a PNG lie within it: OpenCV takes memory for all that a part promises to hold."""
    at, kind = 8, b""
    while raw.startswith(b"\x89PNG") and kind != b"IEND" and at < len(raw):
        kind, at = raw[at + 4 : at + 8], at + 12 + int.from_bytes(raw[at : at + 4], "big")
    return kind == b"IEND" and at <= len(raw)


def _read(path: Path, size: int) -> np.ndarray:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None
    if not _whole(raw):
        raise InputError(f"{path} is no PNG picture, or is damaged: export it again, or remove it.")
    wide, high = (int.from_bytes(raw[at : at + 4], "big") for at in (16, 20))
    if max(wide, high) > _LARGEST:  # before it is unpacked
        raise InputError(f"{path} has {wide}x{high} pixels, not {size}x{size}: resize it.")
    content = np.frombuffer(raw, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise InputError(f"{path} is no PNG picture, or is damaged: export it again, or remove it.")
    if image.shape != (size, size):
        raise InputError(f"{path} has {image.shape[1]}x{image.shape[0]} pixels, not {size}x{size}: resize it.")
    layers = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if layers.ndim == 3 and layers.shape[2] == 4:  # a transparent ground is laid on white
        opaque = layers[..., 3] / np.iinfo(layers.dtype).max
        image = np.rint(image * opaque + 255 * (1 - opaque)).astype(np.uint8)
    if image.min() == image.max():
        raise InputError(f"{path} is all of one grey: export it again, or remove it.")
    return image
