"""What an annotated beat is called: WFDB symbols to classes."""

from collections.abc import Callable, Mapping

import numpy as np

from ecg_lessons.errors import InputError, pick

#: Symbols of beats, and of the other marks (rhythm, noise, waves ...), in the annotation code of WFDB:
#: https://physionet.org/physiotools/wpg/wpg_36.htm
BEATS = tuple("NLRBAaJSVrFejnE/fQ?")
MARKS = tuple("[!]x()ptu`'^|~+sT*D=\"@")
#: A ventricular flutter wave is a mark to WFDB, but a peak with neighbours all the same; `EIGHT` gives it a class.
FLUTTER = "!"
PEAKS = (*BEATS, FLUTTER)

#: Jun et al. (2018): the eight most frequent kinds that the paper draws. On the whole database N 75,052,
#: / 7,028, L 8,075, R 7,259, V 7,130, A 2,546, ! 472 and E 106.
EIGHT = {symbol: symbol for symbol in "N/LRVA!E"}
#: The database has fifteen kinds of beat, and these are all but Q, "unclassifiable" (33 beats). With
#: windows of 160 samples that fit into the record (80 before, 80 after), 109,438 beats remain and 75,036 of them,
#: 68.56 %, are normal: the share that the original reports. Leaving out any other kind gives another share.
FOURTEEN = {symbol: symbol for symbol in "NLRV/AfFjaEJeS"}
#: ANSI/AAMI EC57: five classes by where the beat comes from (de Chazal et al. 2004, table 1,
#: https://doi.org/10.1109/TBME.2004.827359): from the sinus node, bundle branch block or an escape beat;
#: supraventricular ectopic; ventricular ectopic; fusion of ventricular and normal; paced or unknown.
_AAMI = {"N": "NLRBej", "S": "AaJSn", "V": "VEr", "F": "F", "Q": "/fQ?"}
AAMI = {symbol: name for name, symbols in _AAMI.items() for symbol in symbols}
#: By name: each scheme maps symbols to classes.
SCHEMES = {"eight": EIGHT, "fourteen": FOURTEEN, "aami": AAMI}


def classes(scheme: str | Mapping[str, str]) -> tuple[str, ...]:
    """Name the classes of a scheme, in the order of the numbers that `encode` gives."""
    return tuple(dict.fromkeys(_mapping(scheme).values()))


def encode(symbols: np.ndarray, scheme: str | Mapping[str, str]) -> np.ndarray:
    """Turn WFDB symbols (beats,) into their places in ``classes(scheme)``; -1 for what the scheme leaves out."""
    mapping, names = _mapping(scheme), classes(scheme)
    return _each(symbols, lambda symbol: names.index(mapping[symbol]) if symbol in mapping else -1, int)


def is_peak(symbols: np.ndarray) -> np.ndarray:
    """Tell beats and flutter waves (True) from marks that are no heartbeat, such as ``+`` or ``~``."""
    return _each(symbols, lambda symbol: symbol in PEAKS, bool)


def _mapping(scheme: str | Mapping[str, str]) -> Mapping[str, str]:
    return scheme if isinstance(scheme, Mapping) else pick("scheme of classes", scheme, SCHEMES)


def _each(symbols: np.ndarray, tell: Callable[[str], object], kind: type) -> np.ndarray:
    kinds, where = np.unique(np.asarray(symbols, dtype=str), return_inverse=True)
    if unknown := [str(symbol) for symbol in kinds if symbol not in {*BEATS, *MARKS}]:
        known = f"WFDB knows {''.join(BEATS)} for beats and {''.join(MARKS)} for other marks"
        raise InputError(f"Unknown beat symbols {', '.join(map(repr, unknown))}: {known}; correct the annotations.")
    return np.array([tell(symbol) for symbol in kinds], dtype=kind)[where]
