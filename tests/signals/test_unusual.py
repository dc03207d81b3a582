"""How unusual a beat is for its heart."""

import numpy as np
import pandas as pd
import pytest

from ecg_lessons.data.recordings import Beats, Recording
from ecg_lessons.errors import InputError
from ecg_lessons.signals import beats, unusual
from ecg_lessons.signals.beat_sets import table

RATE = 360


def heart(name="a", intervals=(0.8,) * 60, wide=(), gain=1.0):
    """A recording of spikes with P and T; those of `wide` are broad, upside down, and lack P."""
    at = np.cumsum(np.concatenate([[1.0], intervals]))
    time = np.arange(round((at[-1] + 1) * RATE)) / RATE
    signal = np.zeros(len(time))
    for number, beat in enumerate(at):
        width, size = (0.045, -1.2) if number in wide else (0.015, 1.0)
        signal += size * np.exp(-(((time - beat) / width) ** 2) / 2)
        signal += (number not in wide) * 0.15 * np.exp(-(((time - beat + 0.16) / 0.025) ** 2) / 2)
        signal += 0.3 * np.exp(-(((time - beat - 0.26) / 0.05) ** 2) / 2)
    marks = Beats(np.round(at * RATE).astype(int), np.array(["N"] * len(at)))
    return Recording(name, name, gain * signal[:, None].astype(np.float32), RATE, ("MLII",), marks, {})


def compared(*hearts):
    info = pd.concat([table(one) for one in hearts], ignore_index=True)
    made = unusual.comparisons(hearts, info, ("MLII",))
    return pd.DataFrame(made, columns=unusual.NAMES), info


def test_a_regular_heart_has_nothing_unusual():
    made, info = compared(heart())
    assert made.shape == (len(info), len(unusual.RHYTHM) + len(unusual.SHAPE))
    inner = made.iloc[2:-2]
    assert np.abs(inner[[f"RR {k:+d}" for k in unusual.SEEN] + ["next by usual"]]).max(axis=None) < 0.01
    assert (inner[[f"{wave} likeness" for wave in unusual.WAVES]] > 0.95).all(axis=None)
    np.testing.assert_allclose(inner["early beats"], np.log(0.02), atol=1e-5)


def test_an_early_beat_is_early_and_its_pause_long():
    intervals = np.full(60, 0.8)
    intervals[30:32] = 0.5, 1.1
    made, _ = compared(heart(intervals=intervals))
    beat = made.iloc[31]
    for name in ("RR +0", "RR by usual", "RR by median around", "RR by long around"):
        assert beat[name] == pytest.approx(np.log(0.5 / 0.8), abs=0.01)
    assert beat["next by usual"] == pytest.approx(np.log(1.1 / 0.8), abs=0.01)
    assert made.iloc[30]["RR +1"] == pytest.approx(beat["RR +0"], abs=1e-6)
    assert made.iloc[33]["RR -2"] == pytest.approx(beat["RR +0"], abs=1e-6)
    assert beat["QRS likeness"] > 0.95


def test_a_wide_beat_is_unlike_the_usual_one():
    made, _ = compared(heart(wide=(20, 40)))
    wide, others = made.iloc[[20, 40]], made.drop(index=[20, 40])
    assert (wide["QRS likeness"] < 0).all()
    assert wide["QRS width over usual"].min() > others["QRS width over usual"].iloc[2:-2].max() + 1
    assert wide["QRS difference"].min() > 3 * others["QRS difference"].iloc[2:-2].max()


def test_the_usual_beat_is_one_that_did_not_come_early():
    """More than half of the beats are premature, and look otherwise."""
    intervals = np.tile([0.9, 0.5, 0.5], 25)
    early = tuple(k + 1 for k, interval in enumerate(intervals) if interval < 0.6)
    made, _ = compared(heart(intervals=intervals, wide=early))
    late = np.setdiff1d(np.arange(3, 70), early)
    assert (made["QRS likeness"].iloc[late] > 0.9).all()
    assert (made["QRS likeness"].iloc[list(early)] < 0).all()


def test_thinned_hearts_keep_premature_beats_and_pauses():
    intervals = np.full(400, 0.8)
    intervals[5:395:6], intervals[6:396:6] = 0.5, 1.1  # 65 premature beats, each with its pause
    few = heart("b", intervals[:200])
    info = pd.concat([table(one) for one in (heart("a", intervals), few)], ignore_index=True)
    info["label"] = np.where(info["previous"] < 0.6, "S", "N")
    hearts = [heart("a", intervals), few]
    made = unusual.thinned(hearts, info, ("MLII",))
    kept = made.any(axis=2)
    assert not kept[info["record"] == "b"].any()
    premature = ((info["label"] == "S") & (info["record"] == "a")).to_numpy()
    assert kept[premature].all()
    assert [int(kept[~premature, k].sum()) for k in range(4)] == [65, 33, 22, 13]
    assert (info["previous"][kept.any(axis=1) & ~premature] > 1).all()
    beat = pd.DataFrame(made[premature, 3], columns=unusual.NAMES)
    np.testing.assert_allclose(beat["RR by usual"], 0, atol=0.02)  # what is usual there is premature
    np.testing.assert_allclose(beat["RR +0"], np.log(0.5 / 1.1), atol=0.02)  # long intervals tell


def test_restless_rhythms_say_so():
    rng = np.random.default_rng(0)
    calm, _ = compared(heart(intervals=rng.normal(0.8, 0.01, 80)))
    wild, _ = compared(heart(intervals=rng.uniform(0.5, 1.1, 80)))
    for name in ("changes", "large changes", "early beats", "spread"):
        assert wild[name].median() > calm[name].median() + 0.5


def test_hearts_are_compared_with_themselves_only():
    one, other = heart("a", wide=(10,)), heart("b", np.full(50, 1.1), wide=(30,), gain=3.0)
    together, _ = compared(one, other)
    alone = [compared(each)[0] for each in (one, other)]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))
    louder, _ = compared(heart("a", wide=(10,), gain=2.0))
    np.testing.assert_allclose(louder, alone[0], atol=0.02)


def test_one_beat_or_a_flat_line_is_finite():
    single = heart(intervals=())
    flat = heart(gain=0.0)
    for one in (single, flat):
        assert np.isfinite(compared(one)[0].to_numpy()).all()


def test_a_missing_lead_is_named():
    one = heart("a")
    with pytest.raises(InputError, match="Record a has no lead V5"):
        unusual.comparisons([one], table(one), ("V5",))


def test_the_window_holds_the_waves():
    assert all(0 <= first < last <= unusual.BEFORE + unusual.AFTER for first, last in unusual.WAVES.values())
    assert beats.RR == ("previous", "next", "local")


def test_at_the_bedside_what_comes_later_changes_nothing():
    """The end of a recording is another heart: slow, and every beat wide. Only four beats of delay look ahead."""
    calm, storm = (0.8,) * 60, (1.4,) * 60
    changed, same = (heart(intervals=calm + end, wide=wide) for end, wide in ((storm, range(66, 121)), (calm, ())))

    def first_beats(learn):
        return [unusual.comparisons([one], table(one), ("MLII",), learn)[:50] for one in (changed, same)]

    bedside, whole = first_beats(30), first_beats(None)
    np.testing.assert_allclose(*bedside, atol=1e-3)
    assert np.abs(whole[0] - whole[1]).max() > 0.1
