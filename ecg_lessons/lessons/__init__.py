"""One module a lesson; each ends in its declaration, ``LESSON = Lesson("name", "What one learns.", ...)``.

Lessons of your own are found too: put ``ecg_lessons/lessons/mine.py`` into a folder that is on PYTHONPATH.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ecg_lessons.errors import InputError, pick

if TYPE_CHECKING:
    from ecg_lessons.lesson import Lesson
    from ecg_lessons.study import Study

__path__ = pkgutil.extend_path(__path__, __name__)


@cache
def _declared() -> dict[str, tuple[str, str, str]]:
    """Read the declarations without running them, which would import TensorFlow: name -> module, variable, title."""
    declared = {}
    for folder in __path__:
        for path in sorted(Path(folder).glob("[a-z]*.py")):
            for statement in ast.parse(path.read_text(encoding="utf-8")).body:
                words = _declaration(statement)
                if words:
                    variable, name, title = words
                    declared[name] = (f"{__name__}.{path.stem}", variable, title)
    return dict(sorted(declared.items(), key=lambda item: item[1][2]))


def _declaration(statement: ast.stmt) -> tuple[str, str, str] | None:
    """Give variable, name and title of ``LESSON = Lesson("name", "title", ...)`` or ``OTHER = LESSON.but(...)``."""
    call = getattr(statement, "value", None)
    if not isinstance(statement, ast.Assign) or not isinstance(call, ast.Call):
        return None
    variable = getattr(statement.targets[0], "id", "")
    if variable != "LESSON" and getattr(getattr(call.func, "value", None), "id", "") != "LESSON":
        return None
    texts = [word.value for word in call.args[:2] if isinstance(word, ast.Constant)]
    return (variable, *texts) if len(texts) == 2 else None


def titles() -> dict[str, str]:
    """Say what each lesson is about, by name."""
    return {name: title for name, (_, _, title) in _declared().items()}


def get(name: str) -> Lesson:
    """Give a lesson by its name."""
    module, variable, _ = pick("lesson", name, _declared())
    return getattr(importlib.import_module(module), variable)


def study(name: str) -> Study:
    """Give what is measured of a lesson."""
    get(name)  # or say which lessons there are
    from ecg_lessons.study import Study

    found = vars(importlib.import_module(_declared()[name][0])).values()
    studies = [value for value in found if isinstance(value, Study) and value.lesson.name == name]
    if not studies:
        raise InputError(f"Lesson {name} measures nothing on real recordings: take another one.")
    return studies[0]


def of(about: dict, folder: Path) -> str:
    """Name the lesson of a run.json; a run of lesson 5 tells its task."""
    for name in (about.get("task"), about.get("lesson")):
        if isinstance(name, str) and name in _declared():
            return name
    raise InputError(f"{folder} is a run of lesson {about.get('lesson')!r}, which this version does not know.")
