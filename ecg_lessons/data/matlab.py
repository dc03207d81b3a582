"""Arrays of numbers from MATLAB files of versions 5 to 7: SciPy's reader can end Python on a damaged one.

The format is "MAT-File Format", version 5, by MathWorks. Older files (4, as CinC 2017 has them) SciPy reads in plain
Python, which is slow where there are thousands of them: hence `row`.
"""

import os
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

#: Types of elements: numbers, a matrix, and what is compressed.
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
#: Classes of a matrix that are numbers, and the largest that is unpacked (bytes).
_NUMERIC, _MOST = range(6, 16), 2**29


def row(path: Path) -> np.ndarray | None:
    """Read a file of version 4 with one row of 16-bit numbers called val, as CinC 2017 has them; None for any other."""
    with path.open("rb") as file:
        samples = (os.fstat(file.fileno()).st_size - 24) // 2
        plain = 0 < samples <= _MOST // 4 and file.read(24) == struct.pack("<5i4s", 30, 1, samples, 0, 4, b"val\0")
        rest = file.read() if plain else b""
    return np.frombuffer(rest, "<i2")[None] if plain and len(rest) == 2 * samples else None


def is_new(path: Path) -> bool:
    """Tell whether a file is of version 5 or later."""
    with path.open("rb") as file:
        return file.read(128)[126:128] in (b"IM", b"MI")


def array(path: Path, name: str) -> np.ndarray | None:
    """Read the array of numbers called `name`; None if it is no array of numbers.

    Raises KeyError if there is none of that name, ValueError or struct.error where the file is damaged.
    """
    raw = path.read_bytes()
    order = "<" if raw[126:128] == b"IM" else ">"
    for kind, part in _elements(raw[128:], order):
        if kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            whole = unpacker.decompress(part, _MOST)
            if unpacker.unconsumed_tail:
                raise ValueError("an array is larger than can be read")
            ((kind, part),) = _elements(whole, order)
        if kind == _MATRIX:
            flags, dims, called, *data = _elements(part, order)
            if called[1].decode("ascii") == name:
                return _numbers(flags[1], dims[1], data, order)
    raise KeyError(name)


def _elements(raw: bytes, order: str) -> list[tuple[int, bytes]]:
    """Cut a file, or a matrix, into its elements: type and content."""
    found, at = [], 0
    while at + 8 <= len(raw):
        kind, size = struct.unpack_from(order + "II", raw, at)
        begin, step = at + 8, 8 + size
        if kind >> 16:  # a small element stands in its own head
            kind, size, begin, step = kind & 0xFFFF, kind >> 16, at + 4, 8
        if begin + size > len(raw):
            raise ValueError("an element is longer than its file")
        found.append((kind, raw[begin : begin + size]))
        at += step if kind == _COMPRESSED else -(-step // 8) * 8
    return found


def _numbers(flags: bytes, dims: bytes, data: list[tuple[int, bytes]], order: str) -> np.ndarray | None:
    (told,), shape = struct.unpack_from(order + "I", flags), np.frombuffer(dims, order + "i4")
    if told & 0xFF not in _NUMERIC or told & 0x0800 or not data:  # text, cells, structs, complex numbers
        return None
    kind, content = data[0]
    values = np.frombuffer(content, order + _NUMBERS[kind])
    if (shape < 0).any() or prod(map(int, shape)) != len(values):
        raise ValueError("an array has another size than its content")
    return values.reshape(shape, order="F")
