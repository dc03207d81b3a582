"""What files of recordings hold: WFDB, .mat of CinC 2017, EDF, DICOM, CSV, NumPy. Leads in mV, NaN where none is."""

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io

from ecg_lessons.data import matlab
from ecg_lessons.data.voltages import LEADS, OWN, RHYTHM_RATE, How, Leads, checked, refuse_large
from ecg_lessons.data.wfdb_records import wfdb_record
from ecg_lessons.errors import InputError, shown


def read(path: Path, how: How) -> Leads:
    """Read a file by its ending, whatever its capitals."""
    kind = path.suffix.lower()
    if (how.rate or how.unit) and kind not in UNTOLD:
        raise InputError(f"{path} tells its rate and unit by itself: leave --rate and --unit out.")
    return READERS[kind](path, how)


def mat(path: Path, how: How) -> Leads:
    """Read a .mat file of CinC 2017: one lead, 1000 steps per mV at 300 Hz unless told otherwise."""
    if not path.is_file():
        raise InputError(f"No file {path}: give the path of a .mat recording of CinC 2017.")
    values = matlab.row(path)
    if values is None:
        values = _matrix(path)
    expected = "expected one lead, 1 x n whole numbers of 1/1000 mV, as CinC 2017 has it"
    if values is None or values.dtype.kind not in "iuf":
        raise InputError(f"{path}: 'val' holds no numbers but a struct, cells or text: {expected}.")
    refuse_large(values.size, str(path))
    if sorted(values.shape)[:-1] != [1] * (values.ndim - 1) or not values.size:
        raise InputError(f"{path}: 'val' is {' x '.join(map(str, values.shape))}: {expected}; write a file a lead.")
    values = values.ravel()
    there = values[np.isfinite(values)] if values.dtype.kind == "f" else values[:0]
    if how.unit is None and (there != np.rint(there)).any():
        raise InputError(f"{path}: 'val' holds fractions: {expected}; or tell the unit, such as --unit mV.")
    steps = values if how.unit else (values / 1000).astype(np.float32)
    return checked([steps], [how.rate or RHYTHM_RATE], [how.unit or "mV"], ["ECG"], str(path))


def _matrix(path: Path) -> np.ndarray | None:
    with path.open("rb") as file:
        if file.read(128).startswith(b"MATLAB 7.3"):
            raise InputError(f"{path} is of MATLAB 7.3, which is another format: save it with save -v7.")
    try:
        refuse_large(path.stat().st_size, str(path))
        if matlab.is_new(path):
            return matlab.array(path, "val")
        return scipy.io.loadmat(path, variable_names=["val"])["val"]
    except InputError:
        raise
    except KeyError:
        raise InputError(f"{path} has no variable 'val': it is not a recording of CinC 2017.") from None
    except Exception:
        raise InputError(f"{path} cannot be read as a MATLAB file: {OWN}.") from None


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
        raise InputError(f"{path} cannot be read as EDF ({shown(str(error))}): {OWN}.") from None
    if not columns:
        raise InputError(f"{path} has no signals: {OWN}.")
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
        raise InputError(f"{path} cannot be read as DICOM ({shown(str(error))}): {OWN}.") from None
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
