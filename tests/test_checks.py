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
    "01.arms": lambda x: np.hstack([-x[:, :1], x[:, [2, 1, 4, 3, 5]], x[:, 6:]]),
    "01.flat": lambda signal: bool(np.ptp(signal[:, 1]) < 1e-3),
    "01.ppv": lambda sensitivity, specificity, prevalence: (
        sensitivity * prevalence / (sensitivity * prevalence + (1 - specificity) * (1 - prevalence))
    ),
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
    "04.others": lambda record, who: ~np.isin(record, ["201", "202"] if who == "201" else [who]),
    "04.sides": lambda time, minutes: (time / 60 < minutes, ~(time < 600)),
    "04.frequent": lambda confusion: three_scores(confusion)[2][confusion.sum(axis=1) > 9].mean(),
    "05.cut": lambda window, peak, period: np.append(window[peak : peak + round(1.2 * period)], np.zeros(187))[:187],
    "05.scores": lambda confusion: three_scores(confusion),
    "05.by_recording": lambda probability, record: (
        pd.DataFrame(probability).groupby(record, sort=False).mean().to_numpy()
    ),
}


def random_crop(picture, top, left):
    return picture[top : top + 96, left : left + 96]


def pairs(confusion):
    classes = range(len(confusion))
    true = np.repeat(np.repeat(classes, len(confusion)), confusion.ravel())
    return true, np.repeat(np.tile(classes, len(confusion)), confusion.ravel())


def three_scores(confusion):
    return precision_recall_fscore_support(*pairs(confusion))[:3]


@pytest.mark.parametrize("name", checks.CHECKS)
def test_a_right_answer_is_accepted(name, capsys):
    checks.expect(name, ANSWERS[name])
    assert capsys.readouterr().out == f"{name}: yes\n"


@pytest.mark.parametrize("name", checks.CHECKS)
@pytest.mark.parametrize("wrong", [lambda *given: given[0], lambda *given: 7.0, lambda: None, 3, None])
def test_a_wrong_answer_gets_a_hint_and_no_exception(name, wrong, capsys):
    checks.expect(name, wrong)
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: not yet: ")
    assert said.endswith(f"{checks.HINTS[name]}\n")
    assert said.count("\n") == 1


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


def test_a_crop_that_never_moves_is_not_random(capsys):
    checks.expect("03.random_crop", lambda picture, rng: picture[16:112, 16:112])
    assert "not yet" in capsys.readouterr().out
    checks.expect("03.random_crop", lambda picture, rng: random_crop(picture, *[16 * rng.integers(0, 3)] * 2))
    assert "not yet" in capsys.readouterr().out


def test_recordings_in_the_order_of_the_alphabet_are_not_those_of_the_table(capsys):
    checks.expect("05.by_recording", lambda p, record: pd.DataFrame(p).groupby(record).mean().to_numpy())
    assert "not yet" in capsys.readouterr().out


def test_a_beat_that_is_too_long_is_refused(capsys):
    checks.expect("05.cut", lambda window, peak, period: window[peak : peak + round(1.2 * period)])
    assert "not yet" in capsys.readouterr().out


def test_record_202_goes_with_the_person_of_201(capsys):
    checks.expect("04.others", lambda record, who: record != who)
    assert "not yet" in capsys.readouterr().out


def test_a_test_part_that_begins_with_the_end_of_a_short_adaptation_is_refused(capsys):
    checks.expect("04.sides", lambda time, minutes: (time < 60 * minutes, time >= 60 * minutes))
    assert "not yet" in capsys.readouterr().out


def test_macro_f1_is_not_that_of_frequent_classes(capsys):
    checks.expect("04.frequent", lambda confusion: three_scores(confusion)[2].mean())
    assert "not yet" in capsys.readouterr().out
