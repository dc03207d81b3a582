"""What files of recordings hold: WFDB, .mat of CinC 2017, EDF, DICOM, CSV, NumPy. Leads in mV, NaN where none is."""

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.io
import wfdb

from ecg_lessons.data import matlab
from ecg_lessons.errors import InputError, note, shown

#: The order of the standard 12-lead electrocardiogram.
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_SPELLING = {lead.lower(): lead for lead in (*LEADS, "MLII")}
#: The rate of the hand-held device of CinC 2017 (Hz).
RHYTHM_RATE = 300.0
_MILLIVOLTS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_RATES = (10.0, 50_000.0)
#: The most samples that one recording may bring into memory, all leads together: 24 hours of 12 leads at 250 Hz.
_MOST = 2**28
_OWN = "mend the file, or leave it out"
#: Names of leads as monitors and Holters write them, beside those that begin with ECG.
_ECG = re.compile(r"(ecg|ekg|lead).*|m?l?i{1,3}|-?av[rlf]|m?v[1-9xyz]?r?|(mod\.)?v\d|mcl ?\d?|[cm][cmls]\d?|d[1-3]")


class Leads(NamedTuple):
    """The leads of one file: float32, shape (samples, leads), in mV, NaN where samples are missing; rate in Hz."""

    signal: np.ndarray
    rate: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class How:
    """What a file does not tell and somebody says: its rate in Hz, its unit; and how many seconds of its middle."""

    rate: float | None = None
    unit: str | None = None
    middle: float | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not _RATES[0] <= self.rate <= _RATES[1]:
            raise InputError(f"--rate {self.rate:g}: give the samples per second, from 10 to 50000.")
        if self.unit is not None and _factor(self.unit) is None:
            raise InputError(f"--unit {shown(self.unit)} is no voltage: choose V, mV, uV or nV.")


def is_ecg(name: str) -> bool:
    """Tell whether the name of a signal is that of an ECG lead."""
    return bool(_ECG.fullmatch(name.strip().lower()))


def spelled(names: Sequence[str | None]) -> tuple[str, ...]:
    """Spell leads in one way; leads without a name are numbered, and so are those whose name comes again."""
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        name = " ".join((name or "").split()) or f"lead {number}"
        bare = re.sub(r"^(lead|ecg|ekg)[ _-]*", "", name.lower())
        name = _SPELLING.get(bare, name)
        again = sum(one.partition(" #")[0] == name for one in found)
        found.append(f"{name} #{again + 1}" if again else name)
    return tuple(found)


def checked(columns: Sequence[np.ndarray], rates: Sequence[float], units: Sequence[str], names, what: str) -> Leads:
    """Put the voltages of a file together, in mV: those of the rate of its fastest ECG lead.

    What is no voltage, such as a blood pressure, is left out; an ECG lead in such a unit is refused.
    """
    names = spelled(names)
    factors = [_factor(unit) for unit in units]
    for name, unit, factor in zip(names, units, factors, strict=True):
        if factor is None and (is_ecg(name) or len(names) == 1):
            raise InputError(f"{what}: lead {shown(name)} is in {shown(unit)}, which is no voltage: {_OWN}.")
    volts = [k for k, factor in enumerate(factors) if factor is not None]
    if not volts:
        raise InputError(f"{what} holds no voltage, only {', '.join(map(shown, names))}: give an ECG.")
    rate = max(rates[k] for k in [k for k in volts if is_ecg(names[k])] or volts)
    kept = [k for k in volts if rates[k] == rate]
    if slower := [f"{names[k]} ({rates[k]:g} Hz)" for k in volts if k not in kept and is_ecg(names[k])]:
        note(f"{what}: {', '.join(slower)} left out, since the other leads have {rate:g} Hz.")
    if not (isfinite(rate) and _RATES[0] <= rate <= _RATES[1]):
        raise InputError(f"{what} has {rate:g} samples per second, and an ECG 10 to 50000: {_OWN}.")
    if not len(columns[kept[0]]):
        raise InputError(f"{what} holds no samples: {_OWN}.")
    signal = np.empty((len(columns[kept[0]]), len(kept)), np.float32)
    for place, k in enumerate(kept):
        signal[:, place] = columns[k]
        if factors[k] != 1:
            signal[:, place] *= factors[k]
    signal[~np.isfinite(signal)] = np.nan
    return Leads(signal, float(rate), tuple(names[k] for k in kept))


def read(path: Path, how: How) -> Leads:
    """Read a file by its ending, whatever its capitals."""
    kind = path.suffix.lower()
    if (how.rate or how.unit) and kind not in UNTOLD:
        raise InputError(f"{path} tells its rate and unit by itself: leave --rate and --unit out.")
    return READERS[kind](path, how)


def _factor(unit: str) -> float | None:
    return _MILLIVOLTS.get(unit.strip().replace("µ", "u").replace("μ", "u").lower())  # two letters look like a mu


def refuse_large(samples: float, what: str) -> None:
    """Refuse what would not fit into memory, before it is read."""
    if not 0 <= samples <= _MOST:
        raise InputError(f"{what} holds {samples:.3g} values, and {_MOST:.3g} can be read: cut it into pieces.")


# WFDB


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
        raise InputError(f"{what} is truncated or damaged: its header {told}: {_OWN}.")
    try:
        header = wfdb.rdheader(str(base))
        options = _span(header, how)
        frames = options["sampto"] - options["sampfrom"] if options else header.sig_len or 0
        many = _checked_header(base, header, frames, what)
        if header.sig_len == 0:  # unknown to the header, and wfdb looks for itself only where nothing stands there
            return _of_unknown_length(path, header.file_name, how)
        record = wfdb.rdrecord(str(base), return_res=32, physical=False, smooth_frames=max(many) == 1, **options)
        if not options:
            _compare_checksums(record, max(many) > 1, what)
        columns = record.dac(expanded=max(many) > 1, return_res=32)
    except InputError:
        raise
    except FileNotFoundError as error:
        lacking = f"its signal file {Path(error.filename or base).name} is missing"
        raise InputError(f"Record {base} has a header but {lacking}: put it beside the header.") from None
    except Exception as error:
        why = shown((str(error) or type(error).__name__).splitlines()[0], 120)
        raise InputError(f"{what} cannot be read as WFDB (truncated or damaged: {why}): {_OWN}.") from None
    units = _units(path)
    if len(units) != len(record.sig_name):  # a line end within a line
        raise InputError(f"{what} is truncated or damaged: its header has odd lines: {_OWN}.")
    if max(many) == 1 and _stretched(columns, record.d_signal, record.sig_name):
        what = "its steps keep Einthoven's law, and are read as microvolts"
        note(f"A header stretches each lead to one height, as LUDB's do: {what}.")
        columns, units = record.d_signal.astype(np.float32), ["uV"] * len(units)
    columns = columns if max(many) > 1 else list(columns.T)
    return checked(columns, [header.fs * number for number in many], units, record.sig_name, what)


def _stretched(signal: np.ndarray, steps: np.ndarray, names: Sequence[str | None]) -> bool:
    """Tell whether the gains of a header give all leads one height, while I + III = II in the steps that are stored."""
    spelling, height = spelled(names), np.ptp(signal, axis=0)
    if not {"I", "II", "III"} <= set(spelling) or not 0.999 * height.max() <= height.min() or not height.min() > 0:
        return False
    one, two, three = ((steps[:, spelling.index(name)]).astype(float) for name in ("I", "II", "III"))
    return np.ptp(one + three - two) < 0.1 * max(np.ptp(one), np.ptp(two), np.ptp(three))


def _joined(path: Path, parts: list[tuple[str, int]], how: How) -> Leads:
    what = f"Record {path.with_suffix('')}"
    headers = {name: path.with_name(f"{name}.hea") for name, length in parts if length and name != "~"}
    for name, header in headers.items():
        if not os.path.isfile(header) or segments(header):
            why = "names itself" if header.stem == path.stem else "is missing or has segments of its own"
            raise InputError(f"{what}: its segment {shown(name)} {why}: put the segment beside it.")
    refuse_large(float(sum(length for _, length in parts)), what)
    found = {name: read(header, How()) for name, header in headers.items()}
    if len({leads.rate for leads in found.values()}) != 1:
        raise InputError(f"{what} has no segments of one rate: {_OWN}.")
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
            raise InputError(f"Record {path.with_suffix('')} has a header without a length that can be read: {_OWN}.")
        copy.write_bytes(untold)
        return wfdb_record(copy, how)


def _checked_header(base: Path, header, wanted: int, what: str) -> list[int]:
    """Refuse what no record has, before memory is taken for it; give the samples a frame of each signal.

    Of a long record so many frames are `wanted`.
    """
    if not header.n_sig:
        raise InputError(f"{what} has no signals: {_OWN}.")
    many, length = header.samps_per_frame, header.sig_len or 0
    refuse_large(sum(many) * wanted, what)
    bytes_ = sum(base.with_name(name).stat().st_size for name in set(header.file_name))
    # Eight bits a sample or more; the formats from 500 on are packed.
    if all(int(form) < 500 for form in header.fmt) and sum(many) * length > bytes_:
        need = f"{sum(many) * length:,} samples, and its files have {bytes_:,} bytes"
        raise InputError(f"{what} is truncated or damaged: its header tells of {need}: {_OWN}.")
    if length and any(abs(skew or 0) > length for skew in header.skew):
        raise InputError(f"{what} has signals that are skewed by more than its length: {_OWN}.")
    return many


def _span(header, how: How) -> dict:
    length, wanted = header.sig_len, how.middle and round(how.middle * header.fs)
    if not wanted or not length or length <= wanted:
        return {}
    note(f"Record {header.record_name} lasts {length / header.fs / 60:.0f} min: its middle {how.middle:g} s are read.")
    return {"sampfrom": (length - wanted) // 2, "sampto": (length - wanted) // 2 + wanted}


def _compare_checksums(record, expanded: bool, what: str) -> None:
    told, found = record.checksum, record.calc_checksum(expanded)  # 0 is what writers put who do not compute it
    wrong = [k for k, cs in enumerate(told) if cs and (cs - found[k]) % 65536]
    if wrong:
        note(f"{what}: the samples of {', '.join(spelled(record.sig_name)[k] for k in wrong)} do not have the checksum "
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


# Other formats


def mat(path: Path, how: How) -> Leads:
    """Read a .mat file of CinC 2017: one lead, 1000 steps per mV at 300 Hz unless told otherwise."""
    if not path.is_file():
        raise InputError(f"No file {path}: give the path of a .mat recording of CinC 2017.")
    with path.open("rb") as file:
        if file.read(128).startswith(b"MATLAB 7.3"):
            raise InputError(f"{path} is of MATLAB 7.3, which is another format: save it with save -v7.")
    expected = "expected one lead, 1 x n whole numbers of 1/1000 mV, as CinC 2017 has it"
    try:
        refuse_large(path.stat().st_size, str(path))
        if matlab.is_new(path):
            values = matlab.array(path, "val")
        else:
            values = scipy.io.loadmat(path, variable_names=["val"])["val"]
    except InputError:
        raise
    except KeyError:
        raise InputError(f"{path} has no variable 'val': it is not a recording of CinC 2017.") from None
    except Exception:
        raise InputError(f"{path} cannot be read as a MATLAB file: {_OWN}.") from None
    if values is None or values.dtype.kind not in "iuf":
        raise InputError(f"{path}: 'val' holds no numbers but a struct, cells or text: {expected}.")
    refuse_large(values.size, str(path))
    if sorted(values.shape)[:-1] != [1] * (values.ndim - 1) or not values.size:
        raise InputError(f"{path}: 'val' is {' x '.join(map(str, values.shape))}: {expected}; write a file a lead.")
    values = values.ravel()
    there = values[np.isfinite(values)]
    if how.unit is None and (there != np.rint(there)).any():
        raise InputError(f"{path}: 'val' holds fractions: {expected}; or tell the unit, such as --unit mV.")
    steps = values if how.unit else (values / 1000).astype(np.float32)
    return checked([steps], [how.rate or RHYTHM_RATE], [how.unit or "mV"], ["ECG"], str(path))


def table(path: Path, how: How) -> Leads:
    """Read a CSV table: a header of lead names, a unit in brackets behind each or `--unit`, and a column of seconds."""
    try:
        refuse_large(path.stat().st_size / 2, str(path))
        with path.open(encoding="utf-8-sig") as file:
            separator = max(",;\t", key=file.readline(1 << 16).count)
        decimal = "," if separator == ";" else "."
        frame = pd.read_csv(path, sep=separator, decimal=decimal, encoding="utf-8-sig", low_memory=False)
    except FileNotFoundError:
        raise InputError(f"No file {path}: check the path.") from None
    except ValueError as error:  # ParserError and UnicodeError among them
        raise InputError(f"{path} is no CSV table ({shown(str(error))}): give a header of lead names.") from None
    names = [str(name).strip() for name in frame.columns]
    told = [re.fullmatch(r"(.*?)\s*[\[(]\s*(\S+)\s*[\])]", name) for name in names]
    names = [match[1] if match else name for match, name in zip(told, names, strict=True)]
    wrong = [name for name, kind in zip(names, frame.dtypes, strict=True) if kind.kind not in "iuf"]
    if wrong or all(re.fullmatch(r"[-+.\deE]*", name) for name in names):
        which = f"the column {shown(wrong[0])} holds no numbers" if wrong else "its first line holds numbers"
        raise InputError(f"{path}: {which}: expected a header of lead names, such as I,II,V1, and numbers below it.")
    clock = next((k for k, name in enumerate(names) if name.lower() in ("time", "t", "seconds", "sec")), None)
    rate = how.rate
    if clock is not None and rate is None:
        rate = _rate_of(frame.iloc[:, clock].to_numpy(float), path, (told[clock] or "  s")[2])
    if rate is None:
        raise InputError(f"{path} does not tell its rate: add --rate, such as --rate 500, in samples per second.")
    kept = [k for k in range(len(names)) if k != clock]
    units = [told[k][2] if told[k] else how.unit or "mV" for k in kept]
    columns = [frame.iloc[:, k].to_numpy(np.float64) for k in kept]
    return checked(columns, [rate] * len(kept), units, [names[k] for k in kept], str(path))


def _rate_of(time: np.ndarray, path: Path, unit: str) -> float:
    steps = np.diff(time) * {"ms": 1e-3, "us": 1e-6}.get(unit, 1.0)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if not usual > 0 or np.abs(steps - usual).max() > 0.5 * usual:
        raise InputError(f"{path}: its times do not rise evenly: mend that column, or leave it out and give --rate.")
    rate = 1 / float(steps.mean())
    return float(round(rate)) if abs(rate - round(rate)) < 0.01 * rate else rate


def array(path: Path, how: How) -> Leads:
    """Read a NumPy array (samples, leads), where twelve are in standard order, or .npz of one array a lead, by name."""
    if how.rate is None:
        raise InputError(f"{path} does not tell its rate: add --rate, such as --rate 500, in samples per second.")
    try:
        refuse_large(path.stat().st_size if path.suffix.lower() == ".npy" else _inflated(path) / 2, str(path))
        found = np.load(path, allow_pickle=False)
        arrays = {name: found[name] for name in found.files} if hasattr(found, "files") else {"": found}
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"No file {path}: check the path.") from None
    except Exception as error:
        raise InputError(f"{path} cannot be read as NumPy's ({shown(str(error))}): use np.save.") from None
    if len(arrays) > 1:
        values, names = np.stack(list(arrays.values()), axis=-1) if _alike(arrays) else None, list(arrays)
    else:
        values, names = next(iter(arrays.values())), None
    if values is None or values.dtype.kind not in "iuf" or values.ndim not in (1, 2) or not values.size:
        raise InputError(f"{path}: expected numbers, samples x leads, or in .npz one array a lead, by its name.")
    values = values.reshape(len(values), -1)
    if values.shape[1] > len(values):
        raise InputError(f"{path} is {len(values)} x {values.shape[1]}: expected samples x leads; transpose it.")
    if names is None:
        names = list(LEADS) if values.shape[1] == 12 else ["ECG"] * values.shape[1]
    return checked(values.T, [how.rate] * len(names), [how.unit or "mV"] * len(names), names, str(path))


def _alike(arrays: Mapping[str, np.ndarray]) -> bool:
    return len({one.shape for one in arrays.values()}) == 1 and next(iter(arrays.values())).ndim == 1


def _inflated(path: Path) -> int:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def edf(path: Path, how: How) -> Leads:
    """Read EDF, EDF+ or BDF; its annotations are passed over."""
    edfio = _optional("edfio", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read_file = edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf
            found = read_file(path)
        refuse_large(sum(float(one.sampling_frequency) * found.duration for one in found.signals), str(path))
        columns = [one.data for one in found.signals]
        rates = [float(one.sampling_frequency) for one in found.signals]
        units, names = ([getattr(one, name) for one in found.signals] for name in ("physical_dimension", "label"))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path} cannot be read as EDF ({shown(str(error))}): {_OWN}.") from None
    if not columns:
        raise InputError(f"{path} has no signals: {_OWN}.")
    return checked(columns, rates, units, names, str(path))


def dicom(path: Path, how: How) -> Leads:
    """Read a DICOM waveform: of several groups the longest, which is the recording; others are medians of beats."""
    pydicom = _optional("pydicom", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pydicom.dcmread(path)
            groups = list(found.WaveformSequence)
            lengths = [int(group.NumberOfWaveformSamples) for group in groups]
            k = int(np.argmax(lengths))
            group = groups[k]
            refuse_large(lengths[k] * int(group.NumberOfWaveformChannels), str(path))
            values, rate = found.waveform_array(k), float(group.SamplingFrequency)
            channels = group.ChannelDefinitionSequence
            names = [one.ChannelSourceSequence[0].CodeMeaning for one in channels]
            units = [one.ChannelSensitivityUnitsSequence[0].CodeValue for one in channels]
    except AttributeError:
        raise InputError(f"{path} is DICOM without a waveform that tells its leads and units: give an ECG.") from None
    except Exception as error:
        raise InputError(f"{path} cannot be read as DICOM ({shown(str(error))}): {_OWN}.") from None
    return checked(values.T, [rate] * len(names), units, names, str(path))


def _optional(name: str, path: Path):
    try:
        return __import__(name)
    except ImportError:
        raise InputError(f"{path} needs another package: pip install 'ecg-lessons[formats]'.") from None


READERS: dict[str, Callable[[Path, How], Leads]] = {
    ".hea": wfdb_record, ".mat": mat, ".edf": edf, ".bdf": edf, ".dcm": dicom, ".csv": table,
    ".npy": array, ".npz": array,
}  # fmt: skip
#: Files that do not tell their rate and unit.
UNTOLD = (".mat", ".csv", ".npy", ".npz")
