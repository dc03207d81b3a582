"""A lesson whose measurements train nothing: each says in which process it was made, and with how many threads."""

import os
import time

import numpy as np

from ecg_lessons import study
from ecg_lessons.errors import InputError
from ecg_lessons.lesson import Lesson
from ecg_lessons.study import Arm, Study


def _measure(whole, one, base):
    (base / one.split).write_text("begun")
    for other in one.arm.options["beside"]:
        while not (base / other).exists():
            time.sleep(0.02)
    if one.split == "fold-2":
        raise InputError("the data of this fold are gone: fetch them.")
    if one.split == "fold-3":
        raise KeyError("a fault of ours")
    study.keep(whole.folder(one, base), process=os.getpid(), threads=os.environ.get("TF_NUM_INTRAOP_THREADS", ""))


def _start(one, base):
    """Make, as lesson 6 does, what others start from: never two at once."""
    base.mkdir(parents=True, exist_ok=True)
    if not (base / "start").exists():
        (base / "start").write_text(str(os.getpid()))
    return {}


def _report(whole, done, base):
    found = {one.split: study.kept(whole.folder(one, base)) for one in done}
    return {"networks": {name: {key: str(value) for key, value in one.items()} for name, one in found.items()}}


LESSON = Lesson("measured", "Lesson 9: learn to be measured.", {}, {}, *[np.nan] * 5)
_ARMS = (
    Arm("", "well", "net", ("fold-0", "fold-1"), options={"beside": ("fold-0", "fold-1")}),
    Arm("", "ill", "net", ("fold-2", "fold-3"), options={"beside": ()}, pending=True),
)
STUDY = Study(LESSON, _ARMS, _report, "networks", 1, options=_start, measure=_measure)
