"""WFDB records as nearly all are: one file of format 16 or 212, one sample a frame, every field where it belongs.

The package wfdb looks each field of a header up in a table of pandas, copies the samples six times, and walks through
annotations byte by byte. What is not plain, or damaged, is left to it: here it is None.
"""

import re
from pathlib import Path

import numpy as np
import wfdb
from wfdb.io.annotation import ann_labels

_TEXT = re.compile(rb"[ -~\t\r\n]*")
_RECORD = re.compile(r"([-\w]+) ([1-9]\d{0,3}) ([1-9]\d{0,5}) ([1-9]\d{0,11})", re.ASCII)
#: File, format, gain, baseline and unit, resolution, zero, first sample, checksum, size of a block, name.
_SIGNAL = re.compile(
    r"([-\w]+\.\w+) (16|212) ([1-9]\d{0,5})(?:\.0*)?(?:\((-?\d{1,6})\))?(?:/[\w^?%/-]+)? "
    r"\d+ (-?\d{1,6}) -?\d+ (-?\d{1,9}) \d+ ([!-~](?:[ -~]*[!-~])?)", re.ASCII,
)  # fmt: skip
#: What stands for a missing sample in each format.
_MISSING = {"16": -(2**15), "212": -(2**11)}
#: Codes of annotations: four bytes of time follow, a comment on the record, a note of so many bytes follows.
_SKIP, _COMMENT, _NOTE = 59, 22, 63
_SYMBOLS = np.full(64, "")
_SYMBOLS[[label.label_store for label in ann_labels]] = [label.symbol.strip() for label in ann_labels]


def header(base: Path) -> wfdb.Record | None:
    """Read a header: what `wfdb.rdheader` gives, without comments, units, first samples and sizes."""
    path = base.with_name(f"{base.name}.hea")
    raw = path.read_bytes() if path.is_file() else b""
    lines = [line.strip() for line in raw.decode("latin-1").splitlines()]
    first, *others = [line for line in lines if line and not line.startswith("#")] or [""]
    record, signals = _RECORD.fullmatch(first), [_SIGNAL.fullmatch(line) for line in others]
    if not (_TEXT.fullmatch(raw) and record and all(signals) and len(signals) == int(record[2])):
        return None
    fields = zip(*(signal.groups() for signal in signals), strict=True)
    names, forms, gains, baselines, zeros, checksums, leads = map(list, fields)
    if len(set(names)) != 1 or len(set(forms)) != 1:
        return None
    return wfdb.Record(
        record_name=record[1], n_sig=len(signals), fs=int(record[3]), sig_len=int(record[4]), file_name=names,
        fmt=forms, samps_per_frame=[1] * len(signals), skew=[None] * len(signals), adc_gain=list(map(float, gains)),
        baseline=[int(told or zero) for told, zero in zip(baselines, zeros, strict=True)],
        checksum=list(map(int, checksums)), sig_name=leads,
    )  # fmt: skip


def steps(base: Path, plain: wfdb.Record) -> np.ndarray | None:
    """Read the samples of a plain record, int16 (leads, samples); None where its file is too short."""
    path, total = base.with_name(plain.file_name[0]), plain.sig_len * plain.n_sig
    if plain.fmt[0] == "16":
        found = np.fromfile(path, "<i2", total)
        return found.reshape(-1, plain.n_sig).T if len(found) == total else None
    packed = np.fromfile(path, np.uint8, 3 * -(-total // 2))
    if 2 * len(packed) < 3 * total or len(packed) % 3:
        return None
    # Two samples of 12 bits in three bytes, their highest bits together in the second; shifts extend the sign.
    pair, shared = np.empty((2, len(packed) // 3), np.int16), packed[1::3].astype(np.int16)
    np.bitwise_or(shared << 12 >> 4, packed[0::3], out=pair[0])
    np.bitwise_or((shared & 0xF0) << 8 >> 4, packed[2::3], out=pair[1])
    return pair if plain.n_sig == 2 else pair.T.reshape(-1)[:total].reshape(-1, plain.n_sig).T


def units(steps: np.ndarray, plain: wfdb.Record) -> np.ndarray:
    """Give the leads of a plain record in the units of its header, float32 (samples, leads), NaN where missing."""
    signal = np.empty(steps.shape[::-1], np.float32)
    for column, lead, baseline, gain in zip(signal.T, steps, plain.baseline, plain.adc_gain, strict=True):
        # The gains are whole numbers, so single precision gives what wfdb's double precision is rounded to.
        np.subtract(lead, np.float32(baseline), out=column)
        column /= np.float32(gain)
        column[lead == _MISSING[plain.fmt[0]]] = np.nan
    return signal


def annotations(base: Path, annotator: str) -> wfdb.Annotation | None:
    """Read the annotations of a plain record: samples, symbols and codes, in the order of the file."""
    raw, plain = base.with_name(f"{base.name}.{annotator}").read_bytes(), header(base)
    if plain is None or len(raw) % 2 or raw[-2:] != bytes(2):
        return None
    words = np.frombuffer(raw, "<u2")
    code, step, own, end = words >> 10, (words & 1023).astype(np.int64), np.ones(len(words), bool), 0
    own[-1] = False
    for at in np.flatnonzero(code >= _SKIP).tolist():
        if at < end:  # within a note, or a time
            continue
        skip = code[at] == _SKIP
        end = at + (3 if skip else 1)
        if code[at] == _NOTE:
            end += (int(words[at] & 255) + 1) // 2
        if end >= len(words) or (skip and code[end] > _SKIP) or (not skip and at == 0):
            return None
        own[at:end], step[at:end] = False, 0
        if skip:
            step[at] = np.array(words[[at + 2, at + 1]]).view("<i4")[0]  # the high word comes first
    samples, code = np.cumsum(step)[own], code[own]
    symbols = _SYMBOLS[code]
    if (symbols == "").any() or ((samples == 0) & (code == _COMMENT)).any():
        return None
    return wfdb.Annotation(plain.record_name, annotator, samples, symbols, label_store=code, fs=plain.fs)
