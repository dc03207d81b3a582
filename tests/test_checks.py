import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from ecg_lessons import checks
from ecg_lessons.errors import InputError

ANSWERS = {
    "00.rate": lambda rr: 60 / np.median(rr),
    "00.einthoven": lambda one, two: two - one,
    "00.axis": lambda one, avf: np.degrees(np.arctan2(2 * avf, 3**0.5 * one)),
    "00.goldberger": lambda one, two: (one - (two - one)) / 2,
    "00.measure": {"rate": 80, "PR": 180, "QRS": 90, "QT": 360, "axis": -15},
    "01.arms": lambda x: np.hstack([-x[:, :1], x[:, [2, 1, 4, 3, 5]], x[:, 6:]]),
    "01.shares": lambda called, exchanged: [(called & exchanged).sum() / exchanged.sum(), np.mean(~called[~exchanged])],
    "01.ppv": lambda sensitivity, specificity, prevalence: (
        sensitivity * prevalence / (sensitivity * prevalence + (1 - specificity) * (1 - prevalence))
    ),
    "01.flat": lambda signal: np.ptp(signal[:, 1]) < np.ptp(signal[:, 0]) / 10,
    "01.acquit": lambda beat: beat[60:90, 0].sum() < 0 < beat[60:90, 11].sum(),
    "01.prior": lambda p, correct: normalised(p * np.array([correct] + [(1 - correct) / 9] * 9) / [0.5, *[1 / 18] * 9]),
    "02.irregular": lambda rr: np.sqrt(np.mean((rr - rr.mean()) ** 2)) / rr.mean(),
    "02.frames": lambda samples: len(range(64, samples + 1, 32)),
    "02.mean": lambda features, true: (features * (np.arange(len(features)) < true)[:, None]).sum(axis=0) / true,
    "02.score": lambda confusion: f1_score(*pairs(confusion), average=None)[:3].mean(),
    "02.vote": lambda verdicts: [np.bincount(column, minlength=4).argmax() for column in verdicts.T],
    "03.cut": lambda peaks, i: [peaks[i - 1] + 20, peaks[i + 1] - 20],
    "03.crops": lambda: [
        np.s_[16 * row : 16 * row + 96, 16 * column : 16 * column + 96] for row in range(3) for column in range(3)
    ],
    "03.random_crop": lambda picture, rng: random_crop(picture, *rng.choice([0, 16, 32], 2)),
    "03.parameters": lambda width, channels, filters: filters * width**2 * channels + filters,
    "04.others": lambda record, who: ~np.isin(record, ["201", "202"] if who == "201" else [who]),
    "04.sides": lambda time, minutes: (time / 60 < minutes, ~(time < 600)),
    "04.frequent": lambda confusion: three_scores(confusion)[2][confusion.sum(axis=1) > 9].mean(),
    "05.cut": lambda window, peak, period: np.append(window[peak : peak + round(1.2 * period)], np.zeros(187))[:187],
    "05.scores": lambda confusion: three_scores(confusion),
    "05.audit": lambda precision, recall, f1: np.abs(2 / (1 / precision + 1 / recall) - f1) > 0.02,
    "05.early": lambda time, record: np.concatenate([early_in(time[record == name]) for name in dict.fromkeys(record)])[
        np.argsort(np.concatenate([np.flatnonzero(record == name) for name in dict.fromkeys(record)]))
    ],
    "06.by_recording": lambda probability, record: (
        pd.DataFrame(probability).groupby(record, sort=False).mean().to_numpy()
    ),
    "06.raised": lambda beat: beat[95] > np.median(beat[58:63], axis=0) + 0.1,
}
#: What students write that is not right, by check: at least five a lesson, and those that a review had found to pass.
WRONG = {
    "00.rate": [lambda rr: 60 / np.mean(rr), lambda rr: 60 * np.median(rr), lambda rr: 1 / np.median(rr)],
    "00.einthoven": [lambda one, two: one - two, lambda one, two: one + two],
    "00.axis": [
        lambda one, avf: np.degrees(np.arctan2(avf, one)),
        lambda one, avf: np.degrees(np.arctan2(one, avf)),
        lambda one, avf: np.arctan2(avf * 2 / 3**0.5, one),
        lambda one, avf: np.degrees(np.arctan(avf * 2 / 3**0.5 / one)),
    ],
    "00.goldberger": [lambda one, two: one + two / 2, lambda one, two: two - one / 2],
    "00.measure": [
        {"rate": 79, "PR": 186, "QRS": 82, "QT": 270, "axis": -21},  # to the peak of T
        {"rate": 79, "PR": 100, "QRS": 82, "QT": 354, "axis": -21},  # from the end of P
        {"rate": 79, "PR": 186, "QRS": 82, "QT": 354, "axis": 21},  # aVF turned over
        {"rate": 0.76, "PR": 186, "QRS": 82, "QT": 354, "axis": -21},
        {"rate": 79, "PR": 0.186, "QRS": 0.082, "QT": 0.354, "axis": -21},
    ],
    "01.arms": [
        lambda x: np.hstack([-x[:, :1], x[:, 1:]]),
        lambda x: np.hstack([-x[:, :1], x[:, [2, 1, 3, 4, 5]], x[:, 6:]]),
        lambda x: np.hstack([x[:, :1], x[:, [2, 1, 4, 3, 5]], x[:, 6:]]),
    ],
    "01.shares": [
        lambda called, exchanged: (np.mean(~called[~exchanged]), called[exchanged].mean()),  # the wrong order
        lambda called, exchanged: (exchanged[called].mean(), np.mean(~exchanged[~called])),  # predictive values
        lambda called, exchanged: (np.mean(called == exchanged), np.mean(called == exchanged)),
    ],
    "01.ppv": [lambda se, sp, p: se * p, lambda se, sp, p: se / (se + 1 - sp), lambda se, sp, p: p],
    "01.flat": [
        lambda signal: np.ptp(signal[:, 1]) < 0.1,  # absolute, mV: a small heart is "flat"
        lambda signal: np.abs(signal[:, 1]).max() < 0.05,
        lambda signal: signal[:, 1].std() == 0,  # a recorder's noise is not zero
        lambda signal: signal[1].std() < 0.1 * signal[2].std(),  # the wrong axis
        lambda signal: signal[:, 1].std() < 0.1 * signal[:, 1].std(),
        lambda signal: signal[:, 0].std() < 0.1 * signal[:, 2].std(),
    ],
    "01.acquit": [
        lambda beat: beat[60:90, 0].sum() < 0,
        lambda beat: beat[:, 0].min() < -0.5,
        lambda beat: np.corrcoef(beat[:, 0], beat[:, 11])[0, 1] < 0,
        lambda beat: beat[60:90, 0].sum() < 0 and beat[60:90, 11].max() > 0.3,
    ],
    "01.prior": [
        lambda p, correct: p,
        lambda p, correct: p * np.array([correct] + [(1 - correct) / 9] * 9),  # rows do not add up to 1
        lambda p, correct: normalised(p * np.array([correct] + [(1 - correct) / 9] * 9)),  # the old prior stays in
    ],
    "02.irregular": [np.std, lambda rr: np.var(rr) / np.mean(rr), lambda rr: np.mean(rr) / (np.std(rr) + 1e-9)],
    "02.frames": [lambda n: n // 64, lambda n: n // 32, lambda n: (n - 64) // 32, lambda n: (n - 64) / 32 + 1],
    "02.mean": [lambda f, true: f.mean(axis=0), lambda f, true: f[:true].mean(), lambda f, true: f[:true].mean(axis=1)],
    "02.score": [
        lambda c: f1_score(*pairs(c), average="macro"),
        lambda c: three_scores(c[:3, :3])[2].mean(),  # noise left out altogether
        lambda c: (np.diag(c) / c.sum(axis=1))[:3].mean(),
    ],
    "02.vote": [
        lambda v: v[0],
        lambda v: np.round(v.mean(axis=0)),
        lambda v: np.array([np.bincount(row, minlength=4).argmax() for row in v]),
    ],
    "03.cut": [
        lambda p, i: (p[i] - 20, p[i] + 20),
        lambda p, i: (p[i - 1], p[i + 1]),
        lambda p, i: (p[i - 1] - 20, p[i + 1] + 20),
    ],
    "03.crops": [
        lambda: [np.s_[top : top + 96, top : top + 96] for top in (0, 16, 32)],
        lambda: [np.s_[top:96, left:96] for top in (0, 16, 32) for left in (0, 16, 32)],
        lambda: [np.s_[top : top + 96, left : left + 96] for top in (0, 16, 32) for left in (0, 32, 64)],
    ],
    "03.random_crop": [
        lambda picture, rng: picture[16:112, 16:112],
        lambda picture, rng: random_crop(picture, *[16 * rng.integers(0, 3)] * 2),
        lambda picture, rng: random_crop(picture, *rng.integers(0, 33, 2)),
        lambda picture, rng: np.kron(random_crop(picture, *(16 * rng.integers(0, 3, 2))), np.ones((2, 2)))[:128, :128],
    ],
    "03.parameters": [
        lambda width, channels, filters: width**2 * channels * filters,  # no bias
        lambda width, channels, filters: width * channels * filters + filters,
        lambda width, channels, filters: (width**2 + 1) * channels * filters,
    ],
    "04.others": [
        lambda record, who: record != who,
        lambda record, who: record == who,
        lambda record, who: record > who,
    ],
    "04.sides": [
        lambda time, minutes: (time < 60 * minutes, time >= 60 * minutes),
        lambda time, minutes: (time < minutes, time >= 10),
        lambda time, minutes: (time < 60 * minutes, time > 600),
    ],
    "04.frequent": [
        lambda c: three_scores(c)[2].mean(),
        lambda c: three_scores(c[np.ix_(c.sum(axis=1) >= 10, c.sum(axis=1) >= 10)])[2].mean(),  # drops columns too
        lambda c: three_scores(c)[2][c.sum(axis=0) >= 10].mean(),
        lambda c: three_scores(c)[1][c.sum(axis=1) >= 10].mean(),
    ],
    "05.cut": [
        lambda window, peak, T: window[peak : peak + round(1.2 * T)],
        lambda window, peak, T: window[peak : peak + 187],
        lambda window, peak, T: np.append(window[peak - 90 : peak + 97], np.zeros(187))[:187],
    ],
    "05.scores": [lambda c: three_scores(c.T), lambda c: three_scores(c)[::-1]],
    "05.audit": [
        lambda precision, recall, f1: np.abs((precision + recall) / 2 - f1) > 0.02,  # the arithmetic mean
        lambda precision, recall, f1: np.abs(np.sqrt(precision * recall) - f1) > 0.02,
        lambda precision, recall, f1: 2 * precision * recall / (precision + recall) != f1,  # rounding is no fault
    ],
    "05.early": [
        lambda time, record: np.append(np.nan, np.diff(time)) / np.median(np.diff(time)),  # across records
        lambda time, record: np.nan_to_num(pd.Series(time).groupby(record).diff().to_numpy()),
        lambda time, record: (pd.Series(time).groupby(record).diff() / np.median(np.diff(time))).to_numpy(),
    ],
    "06.by_recording": [
        lambda p, record: pd.DataFrame(p).groupby(record).mean().to_numpy(),  # in the order of the alphabet
        lambda p, record: p,
        lambda p, record: pd.DataFrame(p).groupby(record, sort=False).max().to_numpy(),
    ],
    "06.raised": [
        lambda beat: beat[95] >= 0.1,  # the line is not at zero
        lambda beat: beat[75] - beat[60] >= 0.1,  # at R
        lambda beat: beat[95] - beat.mean(axis=0) >= 0.1,
        lambda beat: beat.max(axis=0) - beat[60] >= 0.1,
    ],
}


def normalised(p):
    return p / p.sum(axis=1, keepdims=True)


def early_in(time):
    interval = np.append(np.nan, np.diff(time))
    return interval / np.nanmedian(interval) if len(time) > 1 else interval


def random_crop(picture, top, left):
    return picture[top : top + 96, left : left + 96]


def pairs(confusion):
    classes = range(len(confusion))
    true = np.repeat(np.repeat(classes, len(confusion)), confusion.ravel())
    return true, np.repeat(np.tile(classes, len(confusion)), confusion.ravel())


def three_scores(confusion):
    return precision_recall_fscore_support(*pairs(confusion))[:3]


@pytest.mark.parametrize("name", checks.CHECKS)
def test_a_right_answer_is_accepted_and_given_back(name, capsys):
    assert checks.expect(name, ANSWERS[name]) is ANSWERS[name]
    assert capsys.readouterr().out == f"{name}: yes\n"


@pytest.mark.parametrize("name", checks.CHECKS)
def test_the_solution_is_right_and_is_shown(name, capsys):
    solution = checks.CHECKS[name].solution
    assert checks.expect(name, solution) is solution
    checks.solution(name)
    assert ("return" if callable(solution) else "QRS") in capsys.readouterr().out


@pytest.mark.parametrize("name", checks.CHECKS)
@pytest.mark.parametrize("wrong", [lambda *given: given[0], lambda *given: 7.0, lambda: None, 3, None])
def test_a_wrong_answer_gets_a_hint_and_no_exception_and_the_lesson_goes_on(name, wrong, capsys):
    assert checks.expect(name, wrong) is checks.CHECKS[name].solution
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: not yet: ")
    assert said.endswith(f"{checks.HINTS[name]} Until then the lesson uses ours.\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name, answers in WRONG.items() for wrong in answers])
def test_what_students_write_and_is_not_right_is_refused(name, wrong, capsys):
    checks.expect(name, wrong)
    assert "not yet" in capsys.readouterr().out


def test_each_lesson_has_five_wrong_answers_and_each_check_some():
    assert WRONG.keys() == ANSWERS.keys() == checks.CHECKS.keys() == checks.HINTS.keys()
    for lesson in range(7):
        assert sum(len(answers) for name, answers in WRONG.items() if name.startswith(f"0{lesson}")) >= 5


@pytest.mark.parametrize(
    "unwritten", [..., lambda *given: ..., lambda *given: (..., ...), lambda *given: [*...], lambda *given: ... + 1]
)
def test_three_dots_are_no_mistake(unwritten, capsys):
    assert checks.expect("01.shares", unwritten) is checks.CHECKS["01.shares"].solution
    assert capsys.readouterr().out == "01.shares: yours to write. Until then the lesson uses ours.\n"


@pytest.mark.parametrize("name", checks.CHECKS)
def test_every_check_knows_its_own_dots(name, capsys):
    solution = checks.CHECKS[name].solution
    checks.expect(name, (lambda *given: ...) if callable(solution) else dict.fromkeys(solution, ...))
    assert "yours to write" in capsys.readouterr().out


def test_the_ecg_to_measure_is_the_one_that_is_drawn():
    images = Path(__file__).parents[1] / "images"
    asked = "import draw_measure; print({k: round(float(v)) for k, v in draw_measure.truth().items()})"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=images, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ast.literal_eval(told.stdout) == checks.CHECKS["00.measure"].solution


def test_a_function_that_stops_is_named(capsys):
    checks.expect("00.rate", lambda rr: 1 // 0)
    assert "it stops with ZeroDivisionError" in capsys.readouterr().out


def test_values_are_compared_with_shape_and_tolerance():
    right = checks.near(np.array([1.0, 2.0]), 0.1)
    assert right([1.05, 2])
    assert not right([1.2, 2])
    assert not right([1.0, np.nan])
    assert not right([1.0, 2.0, 3.0])
    assert not right(1.0)
    assert checks.near(True)(True)
    assert not checks.near(True)(False)


def test_an_unknown_check_suggests_the_nearest():
    with pytest.raises(InputError, match=r"no check '00\.einthofen': did you mean '00\.einthoven'"):
        checks.expect("00.einthofen", 1)
    with pytest.raises(InputError, match=r"choose 00\.rate, "):
        checks.expect("zzz", 1)


def test_a_verdict_is_one_line(capsys):
    checks.verdict("test accuracy above 90 %", np.float64(0.93) > 0.9)
    checks.verdict("test accuracy above 90 %", float("nan") > 0.9)
    assert capsys.readouterr().out == "test accuracy above 90 %: yes\ntest accuracy above 90 %: no\n"


def test_a_verdict_on_a_bare_score_is_refused():
    with pytest.raises(InputError, match=r"compare 0\.93 with a bound"):
        checks.verdict("test accuracy above 90 %", 0.93)
