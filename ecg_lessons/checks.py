"""Small checks inside the lessons: they say whether a thing is as it should be, and hint, never tell.

``rate = expect("00.rate", rate)`` looks at what a student wrote, and gives it back if it is right, else our own way, so
that a lesson goes on; ``solution("00.rate")`` shows that way; ``verdict("accuracy above 90 %", x > 0.9)`` writes a
trained score as a sentence that is the same on every machine.
"""

import hashlib
import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_lessons import files, solutions
from ecg_lessons.errors import InputError, pick
from ecg_lessons.signals.leads import RA_RL


def near(wanted: Any, tolerance: float = 1e-6) -> Callable[[Any], bool]:
    """Accept numbers, truth values or arrays of the shape of `wanted` and nowhere further from it."""

    def right(value: Any) -> bool:
        value = np.asarray(value)
        if value.shape != np.shape(wanted):
            return False
        return bool(np.isclose(value.astype(float), wanted, rtol=0, atol=tolerance, equal_nan=True).all())

    return right


@dataclass(frozen=True)
class Check:
    """What an exercise asks for: our own way, and inputs for which another one must give the same."""

    solution: Any
    inputs: tuple[tuple, ...] = ()
    tolerance: float = 1e-6
    #: Decides in place of the inputs where several answers are right.
    accepts: Callable[[Any], bool] | None = None

    def right(self, answer: Any) -> bool:
        """Say whether an answer is right; a function gets copies of the inputs."""
        if self.accepts:
            return self.accepts(answer)
        values = ((self.solution(*deepcopy(given)), _written(answer(*deepcopy(given)))) for given in self.inputs)
        return all(near(wanted, self.tolerance)(value) for wanted, value in values)


class Unwritten(Exception):
    """An answer still has its three dots."""


def _written(value: Any) -> Any:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else (value,)
    if any(part is ... for part in parts):
        raise Unwritten
    return value


_rng = np.random.default_rng
_EVEN = np.array([0.8, 0.8])
_I, _II = np.array([0.3, 1.1, -0.2, 0.0]), np.array([0.5, 0.7, 0.4, -0.9])
_SIGNAL = np.arange(24.0).reshape(2, 12) ** 1.5
_TWELVE = _rng(1).normal(size=(50, 12))
_FLAT = _TWELVE @ RA_RL.T
_QUIET = _FLAT + 0.02 * _rng(4).normal(size=_FLAT.shape)  # flat but for the noise of the recorder
_CALLED, _EXCHANGED = np.array([1, 1, 0, 1, 1, 0, 0, 0, 1]) > 0, np.array([1, 1, 1, 1, 0, 0, 0, 0, 0]) > 0
_TEN = _rng(5).dirichlet(np.ones(10), 6)
_PEAKS = np.array([0, 300, 620, 850, 1300])
_PICTURE = np.arange(128 * 128).reshape(128, 128)
_CORNERS = {128 * top + left for top in (0, 16, 32) for left in (0, 16, 32)}
_MITDB = np.array(["100", "202", "106", "201", "202", "100"])
_TIMES = np.array([30.0, 90.0, 599.0, 600.0, 601.0, 1500.0])
_WINDOW = 1 + np.arange(1250.0)
_CONFUSION = np.array([[90, 8, 2], [5, 12, 3], [1, 0, 4]])
_THREE = _rng(2).dirichlet(np.ones(3), 6)
_RECORDS = np.array(["b", "b", "a", "c", "a", "b"])
_FEATURES = _rng(3).normal(size=(9, 4))
_FOUR = np.array([[50, 2, 7, 1], [1, 20, 3, 0], [6, 4, 30, 2], [2, 5, 1, 6]])
_VERDICTS = np.array([[0, 1, 3, 2], [0, 1, 2, 2], [1, 1, 2, 0]])
_PRINTED = np.array([90.0, 80.0, 50.0]), np.array([70.0, 85.0, 60.0]), np.array([78.75, 82.6, 54.55])


def _beat(one: float, v6: float) -> np.ndarray:
    # A median beat whose QRS has the heights `one` in lead I and `v6` in V6, each with a Q and an S, on a slow wave.
    time = np.arange(200) - 75
    qrs = np.exp(-((time / 5) ** 2)) - 0.15 * np.exp(-(((time + 9) / 3) ** 2)) - 0.2 * np.exp(-(((time - 9) / 3) ** 2))
    beat = np.tile(0.02 * np.sin(time / 30)[:, None], 12)
    beat[:, 0] += one * qrs
    beat[:, 11] += v6 * qrs
    return beat


def _raised(height: float, level: float) -> np.ndarray:
    # A median beat with one lead raised after QRS, on a line that is not at zero.
    beat = np.full((200, 12), level)
    beat[85:150, 4] += height
    beat[70:80] += 1.2
    beat[110:150, 7] -= 2.0  # a deep T wave moves the mean, not the line
    return beat


#: What there is to measure on images/measure.png, and how far a reading by eye may be off.
_MEASURED = {"rate": 79, "PR": 186, "QRS": 82, "QT": 354, "axis": -21}
_OFF = {"rate": 4, "PR": 40, "QRS": 30, "QT": 50, "axis": 15}


def _is_measured(answer: dict) -> bool:
    return all(abs(answer[name] - value) <= _OFF[name] for name, value in _MEASURED.items())


def _corner(crop: np.ndarray) -> int | None:
    # The number in the corner of a crop of _PICTURE, 96 x 96; None for another size.
    return int(crop[0, 0]) if np.shape(crop) == (96, 96) else None


def _crops_nine_ways(crop: Callable) -> bool:
    return {_corner(_written(crop(_PICTURE, _rng(seed)))) for seed in range(200)} == _CORNERS


def _are_nine(windows: Callable) -> bool:
    found = _written(windows())
    return {_corner(_PICTURE[one]) for one in found} == _CORNERS and len(found) == 9


#: All checks, by lesson and name.
CHECKS: dict[str, Check] = {
    "00.rate": Check(solutions.heart_rate, ((_EVEN,), (np.array([0.9, 1.0, 1.4]),))),
    "00.einthoven": Check(solutions.third, ((_I, _II), (_II, _I))),
    "00.axis": Check(solutions.axis, ((1, 1), (-1, 2), (-0.5, -1)), 0.1),
    "00.goldberger": Check(solutions.aVL_from, ((_I, _II), (_II, _I))),
    "00.measure": Check(_MEASURED, accepts=_is_measured),
    "01.arms": Check(solutions.exchange_arms, ((_SIGNAL,),), 1e-4),
    "01.shares": Check(solutions.shares, ((_CALLED, _EXCHANGED), (_CALLED[2:], _EXCHANGED[2:]))),
    "01.ppv": Check(solutions.predictive_value, ((0.9, 0.8, 0.1), (0.5, 0.99, 0.5))),
    "01.flat": Check(
        solutions.is_flat, tuple((scale * x,) for x in (_TWELVE, _FLAT, _QUIET) for scale in (0.02, 1, 5))
    ),
    "01.acquit": Check(
        solutions.arms_exchanged,
        tuple((_beat(one, v6),) for one in (-1.0, -0.1, 0.1, 1.0) for v6 in (-1.2, -0.2, 0.2, 1.2)),
    ),
    "01.prior": Check(solutions.with_prior, ((_TEN, 0.98), (_TEN, 0.9), (_TEN, 0.5))),
    "02.irregular": Check(solutions.irregular, ((_EVEN,), (np.array([0.6, 1.1, 0.7]),))),
    "02.frames": Check(solutions.frames, ((18_286,), (9000,), (64,), (127,))),
    "02.mean": Check(solutions.mean_over_time, ((_FEATURES, 9), (_FEATURES, 4))),
    "02.score": Check(solutions.challenge_score, ((_FOUR,), (_FOUR.T,))),
    "02.vote": Check(solutions.vote, ((_VERDICTS,), (_VERDICTS[:, ::-1],))),
    "03.cut": Check(solutions.cut, ((_PEAKS, 1), (_PEAKS, 3))),
    "03.crops": Check(solutions.windows, accepts=_are_nine),
    "03.random_crop": Check(solutions.random_crop, accepts=_crops_nine_ways),
    "03.parameters": Check(solutions.parameters, ((3, 1, 64), (3, 64, 128), (5, 32, 32))),
    "04.others": Check(solutions.others, ((_MITDB, "201"), (_MITDB, "100"))),
    "04.sides": Check(solutions.sides, ((_TIMES, 1), (_TIMES, 10))),
    "04.frequent": Check(solutions.frequent_f1, ((_CONFUSION,), (_CONFUSION + 10 * np.eye(3, k=2, dtype=int),))),
    "05.cut": Check(solutions.cut_beat, ((_WINDOW, 100, 90.0), (_WINDOW, 3, 170.0), (_WINDOW, 1200, 100.0))),
    "05.scores": Check(solutions.scores_of, ((_CONFUSION,), (_CONFUSION.T,))),
    "05.audit": Check(solutions.wrong_cells, (_PRINTED, tuple(part + 0.3 for part in _PRINTED))),
    "05.early": Check(solutions.earliness, ((np.array([0.5, 1.5, 0.2, 2.1, 1.0, 3.1]), _RECORDS[[0, 0, 2, 0, 2, 0]]),)),
    "06.by_recording": Check(solutions.by_recording, ((_THREE, _RECORDS), (_THREE[::-1], _RECORDS))),
    "06.raised": Check(
        solutions.raised, tuple((_raised(height, level),) for height in (0.05, 0.3) for level in (0.0, 0.4, -0.5))
    ),
}
#: What `expect` says of an answer that is not right yet: a hint, by the name of the check.
HINTS = files.read_toml(Path(__file__).with_suffix(".toml"))


def own_seed(name: str) -> int:
    """Turn a student's name into the seed of an assignment's data, however it is spaced and capitalised."""
    return int.from_bytes(hashlib.sha256(" ".join(name.casefold().split()).encode()).digest()[:4], "big")


def expect(name: str, answer: Any) -> Any:
    """Say in one line whether an answer is as check `name` wants it, and give what the lesson shall go on with."""
    check, stumble = pick("check", name, CHECKS), ""
    try:
        if check.right(_written(answer)):
            print(f"{name}: yes")
            return answer
    except Exception as error:  # a student's function may raise anything
        if isinstance(error, Unwritten) or "ellipsis" in str(error):
            print(f"{name}: yours to write. Until then the lesson uses ours.")
            return check.solution
        stumble = f"it stops with {type(error).__name__} ({error}); "
    print(f"{name}: not yet: {stumble}{HINTS[name]} Until then the lesson uses ours.")
    return check.solution


def solution(name: str) -> None:
    """Show one right answer to check `name`."""
    answer = pick("check", name, CHECKS).solution
    print(inspect.getsource(answer) if callable(answer) else answer)


def verdict(sentence: str, truth: bool) -> None:
    """Print "`sentence`: yes" or "no", for scores whose digits depend on the machine."""
    if not isinstance(truth, bool | np.bool_):
        raise InputError(f"'{sentence}' needs yes or no: compare {truth!r} with a bound, as in score > 0.9.")
    print(f"{sentence}: {'yes' if truth else 'no'}")
