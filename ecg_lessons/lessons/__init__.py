"""One module a lesson; each ends in its declaration, ``LESSON = Lesson("name", "What one learns.", ...)``.

Lessons of your own are found too: put ``ecg_lessons/lessons/mine.py`` into a folder that is on PYTHONPATH.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ecg_lessons.errors import InputError, pick

if TYPE_CHECKING:
    from ecg_lessons.lesson import Lesson
    from ecg_lessons.study import Study

__path__ = pkgutil.extend_path(__path__, __name__)


@cache
def _declared() -> dict[str, tuple[str, str]]:
    """Read the declarations without running them, which would import TensorFlow: name -> module, title."""
    declared = {}
    for folder in __path__:
        for path in sorted(Path(folder).glob("[a-z]*.py")):
            for statement in ast.parse(path.read_text(encoding="utf-8")).body:
                match statement:
                    case ast.Assign([ast.Name("LESSON")], ast.Call(args=[ast.Constant(name), ast.Constant(title), *_])):
                        declared[name] = (f"{__name__}.{path.stem}", title)
    return dict(sorted(declared.items(), key=lambda item: item[1][1]))


def titles() -> dict[str, str]:
    """Say what each lesson is about, by name."""
    return {name: title for name, (_, title) in _declared().items()}


def _module(name: str) -> ModuleType:
    return importlib.import_module(pick("lesson", name, _declared())[0])


def get(name: str) -> Lesson:
    """Give a lesson by its name."""
    return _module(name).LESSON


def study(name: str) -> Study:
    """Give what is measured of a lesson."""
    found = getattr(_module(name), "STUDY", None)
    if found is None:
        raise InputError(f"Lesson {name} measures nothing on real recordings: take another one.")
    return found


def of(about: dict, folder: Path) -> str:
    """Name the lesson of a run.json; a run of lesson 5 tells its task."""
    for name in (about.get("task"), about.get("lesson")):
        if isinstance(name, str) and name in _declared():
            return name
    raise InputError(f"{folder} is a run of lesson {about.get('lesson')!r}, which this version does not know.")
