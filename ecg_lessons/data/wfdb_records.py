"""WFDB records, of one segment or several: the header is checked before memory is taken for what it promises."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import wfdb

from ecg_lessons.data import plain_wfdb
from ecg_lessons.data.voltages import OWN, How, Leads, checked, refuse_large, spelled
from ecg_lessons.errors import InputError, note, shown


def _split(text: str) -> list[str]:
    """Split into lines; `str.splitlines` takes for an end of line what wfdb drops, such as 0x85."""
    return re.split(r"\r\n|\r|\n", text)


def _lines(header: Path) -> list[list[str]]:
    with header.open("rb") as file:
        lines = _split(file.read(1 << 20).decode("latin-1"))
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def segments(header: Path) -> list[tuple[str, int]]:
    """Name the records that a header of several segments is put together from, and their lengths; "~" is a gap."""
    lines = _lines(header)
    if not lines or "/" not in lines[0][0]:
        return []
    return [(line[0], int(line[1])) for line in lines[1:] if len(line) > 1 and line[1].isdecimal()]


def wfdb_record(path: Path, how: How) -> Leads:
    """Read a WFDB record: each signal at its own rate; a record of several segments as one."""
    base, what = path.with_suffix(""), f"Record {path.with_suffix('')}"
    if parts := segments(path):
        return _joined(path, parts, how)
    lines = _lines(path)
    if lines and len(lines[0]) > 1 and lines[0][1].isdecimal() and int(lines[0][1]) >= len(lines):
        told = f"tells of {shown(lines[0][1])} signals and describes {len(lines) - 1}"
        raise InputError(f"{what} is truncated or damaged: its header {told}: {OWN}.")
    try:
        plain = plain_wfdb.header(base)
        header = plain or wfdb.rdheader(str(base))
        options = _span(header, how)
        frames = options["sampto"] - options["sampfrom"] if options else header.sig_len or 0
        many = _checked_header(base, header, frames, what)
        if header.sig_len == 0:  # unknown to the header, and wfdb looks for itself only where nothing stands there
            return _of_unknown_length(path, header.file_name, how)
        expanded = max(many) > 1
        steps = plain_wfdb.steps(base, plain) if plain and not options else None
        if steps is None:
            header = wfdb.rdrecord(str(base), return_res=32, physical=False, smooth_frames=not expanded, **options)
            steps, plain = header.e_d_signal if expanded else header.d_signal.T, None
        if not options:
            _compare_checksums(header, steps, what)
        columns = plain_wfdb.units(steps, plain) if plain else header.dac(expanded=expanded, return_res=32)
        columns = columns if expanded else columns.T
    except InputError:
        raise
    except FileNotFoundError as error:
        lacking = f"its signal file {Path(error.filename or base).name} is missing"
        raise InputError(f"Record {base} has a header but {lacking}: put it beside the header.") from None
    except Exception as error:
        why = shown((str(error) or type(error).__name__).splitlines()[0], 120)
        raise InputError(f"{what} cannot be read as WFDB (truncated or damaged: {why}): {OWN}.") from None
    units, names = _units(path), header.sig_name
    if len(units) != len(names):  # a line end within a line
        raise InputError(f"{what} is truncated or damaged: its header has odd lines: {OWN}.")
    if not expanded and _stretched(columns, steps, names):
        told = "its steps keep Einthoven's law, and are read as microvolts"
        note(f"A header stretches each lead to one height, as LUDB's do: {told}.")
        columns, units = [lead.astype(np.float32) for lead in steps], ["uV"] * len(units)
    return checked(columns, [header.fs * number for number in many], units, names, what)


def _stretched(columns: Sequence[np.ndarray], steps: Sequence[np.ndarray], names: Sequence[str | None]) -> bool:
    """Tell whether the gains of a header give all leads one height, while I + III = II in the steps that are stored."""
    spelling = spelled(names)
    if not {"I", "II", "III"} <= set(spelling):
        return False
    height = [np.ptp(lead) for lead in columns]
    if not 0.999 * max(height) <= min(height) or not min(height) > 0:
        return False
    one, two, three = (steps[spelling.index(name)].astype(float) for name in ("I", "II", "III"))
    return np.ptp(one + three - two) < 0.1 * max(np.ptp(one), np.ptp(two), np.ptp(three))


def _joined(path: Path, parts: list[tuple[str, int]], how: How) -> Leads:
    what = f"Record {path.with_suffix('')}"
    headers = {name: path.with_name(f"{name}.hea") for name, length in parts if length and name != "~"}
    for name, header in headers.items():
        if not os.path.isfile(header) or segments(header):
            why = "names itself" if header.stem == path.stem else "is missing or has segments of its own"
            raise InputError(f"{what}: its segment {shown(name)} {why}: put the segment beside it.")
    refuse_large(float(sum(length for _, length in parts)), what)
    found = {name: wfdb_record(header, How()) for name, header in headers.items()}
    if len({leads.rate for leads in found.values()}) != 1:
        raise InputError(f"{what} has no segments of one rate: {OWN}.")
    names = tuple(dict.fromkeys(name for leads in found.values() for name in leads.names))
    length = sum(length for _, length in parts)
    refuse_large(float(length * len(names)), what)
    signal, start = np.full((length, len(names)), np.nan, np.float32), 0
    for part, length in parts:
        if part in found:
            within = found[part].signal[:length]
            signal[start : start + len(within), [names.index(name) for name in found[part].names]] = within
        start += length
    rate = next(iter(found.values())).rate
    if how.middle and len(signal) > (wanted := round(how.middle * rate)):
        note(f"{what} lasts {len(signal) / rate / 60:.0f} min: its middle {how.middle:g} s are read.")
        signal = signal[(len(signal) - wanted) // 2 :][:wanted]
    return Leads(signal, rate, names)


def _of_unknown_length(path: Path, signals: Sequence[str], how: How) -> Leads:
    with tempfile.TemporaryDirectory() as place:
        for name in set(signals):
            shutil.copyfile(path.with_name(name), Path(place, name))
        copy, told = Path(place, path.name), path.read_bytes()
        untold = re.sub(rb"(?m)^([^#\s]\S*\s+\d+\s+\S+)\s+0\b", rb"\1", told, count=1)
        if untold == told:
            raise InputError(f"Record {path.with_suffix('')} has a header without a length that can be read: {OWN}.")
        copy.write_bytes(untold)
        return wfdb_record(copy, how)


def _checked_header(base: Path, header, wanted: int, what: str) -> list[int]:
    """Refuse what no record has, before memory is taken for it; give the samples a frame of each signal.

    Of a long record so many frames are `wanted`.
    """
    if not header.n_sig:
        raise InputError(f"{what} has no signals: {OWN}.")
    many, length = header.samps_per_frame, header.sig_len or 0
    refuse_large(sum(many) * wanted, what)
    bytes_ = sum(base.with_name(name).stat().st_size for name in set(header.file_name))
    # Eight bits a sample or more; the formats from 500 on are packed.
    if all(int(form) < 500 for form in header.fmt) and sum(many) * length > bytes_:
        need = f"{sum(many) * length:,} samples, and its files have {bytes_:,} bytes"
        raise InputError(f"{what} is truncated or damaged: its header tells of {need}: {OWN}.")
    if length and any(abs(skew or 0) > length for skew in header.skew):
        raise InputError(f"{what} has signals that are skewed by more than its length: {OWN}.")
    return many


def _span(header, how: How) -> dict:
    length, wanted = header.sig_len, how.middle and round(how.middle * header.fs)
    if not wanted or not length or length <= wanted:
        return {}
    note(f"Record {header.record_name} lasts {length / header.fs / 60:.0f} min: its middle {how.middle:g} s are read.")
    return {"sampfrom": (length - wanted) // 2, "sampto": (length - wanted) // 2 + wanted}


def _compare_checksums(header, steps: Iterable[np.ndarray], what: str) -> None:
    told = zip(header.checksum, steps, strict=True)  # 0 is what writers put who do not compute it
    wrong = [k for k, (checksum, lead) in enumerate(told) if checksum and (checksum - int(lead.sum())) % 65536]
    if wrong:
        note(f"{what}: the samples of {', '.join(spelled(header.sig_name)[k] for k in wrong)} do not have the checksum "
             "that the header tells; trust its verdicts little.")  # fmt: skip


def _units(header: Path) -> list[str]:
    """Read the units of a header; wfdb drops what is not ASCII, which makes volts of microvolts."""
    raw = header.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = [line.split() for line in _split(text) if line.strip() and not line.startswith("#")][1:]
    return [(line[2].partition("/")[2] if len(line) > 2 else "") or "mV" for line in lines]
