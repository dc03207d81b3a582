"""Job files: which models are trained on which folds, from what data, and with how much of the machine."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

from ecg_lessons.errors import InputError

#: Folds are numbered from 0; the paper's five.
FOLDS = 5


@dataclass(frozen=True)
class Job:
    """What a job file asks for.

    Attributes
    ----------
    lesson : str
    models : tuple of str
        Names of model files in the folder ``models`` beside the folder of the job file.
    folds : tuple of int
        From 0 to 4; or else `split`.
    split : str
        A JSON file of ``ecg-lessons split``; its path counts from the job file.
    source : {"sample", "physionet"}
    recordings : int
        Size of the built-in cohort; 0 for the lesson's own choice.
    tensorboard : bool
        Write TensorBoard logs.
    cpus, gpus : float
        What one trial takes. Parts of a GPU share it.
    plan : dict
        Entries of every model's plan to change, such as epochs.
    path : Path
        The job file; its name, less the ending, is the job's.
    """

    models: tuple[str, ...]
    lesson: str
    folds: tuple[int, ...] = ()
    split: str = ""
    source: str = "sample"
    recordings: int = 0
    tensorboard: bool = False
    cpus: float = 1
    gpus: float = 0
    plan: dict = field(default_factory=dict)
    path: Path = Path("job.toml")

    @property
    def name(self) -> str:
        """What the job is called."""
        return self.path.stem

    @property
    def choices(self) -> dict:
        """What a trial's result depends on: the rest of the job may change while its trials stay good."""
        names = ("lesson", "source", "recordings", "plan")
        return {name: getattr(self, name) for name in names}

    def model_file(self, model: str) -> Path:
        """Find a model file."""
        folder = self.path.resolve().parent.parent / "models"
        known = sorted(path.stem for path in folder.glob("*.toml"))
        if model not in known:
            there = f"choose {', '.join(known)}" if known else f"put {model}.toml into {folder}"
            raise InputError(f"{self.path}: there is no model {model!r}; {there}.")
        return folder / f"{model}.toml"

    def split_file(self) -> Path:
        """Find the file of the split."""
        return self.path.parent / self.split


def table(path: Path) -> dict:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): give the path of a TOML file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML ({error}): mend that line.") from None


def read(path: str | Path) -> Job:
    """Read and check a job file.

    Raises
    ------
    InputError
        For an unknown entry (with the nearest known one), a value of the wrong kind or out of range, an unknown model.
    """
    path = Path(path)
    job = of(table(path), path)
    for model in job.models:
        job.model_file(model)
    if job.split and not job.split_file().is_file():
        raise InputError(f"{path}: there is no split {job.split_file()}; make one with 'ecg-lessons split'.")
    return job


def of(entries: dict, path: Path) -> Job:
    """Make a job of the table in a job file."""
    known = {entry.name: entry for entry in fields(Job) if entry.name != "path"}
    for name, value in entries.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(known)}."
            raise InputError(f"{path}: there is no entry {name!r}; {hint}")
        _check_kind(path, name, known[name].type, value)
    for name, entry in known.items():
        if entry.default is MISSING and entry.default_factory is MISSING and not entries.get(name):
            raise InputError(f"{path} names no {name}: add a line such as {_SUCH_AS[name]}.")
    lists = {name: tuple(dict.fromkeys(entries[name])) for name in ("models", "folds") if name in entries}
    job = Job(**(entries | lists), path=path)
    _check_range(job)
    return job


_SUCH_AS = {"models": 'models = ["compact"]', "lesson": 'lesson = "rhythm"'}
_KINDS = {
    "str": ("text in quotes", lambda value: isinstance(value, str)),
    "int": ("a whole number", lambda value: type(value) is int),
    "float": ("a number", lambda value: type(value) in (int, float)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "dict": ("a table, as under [plan]", lambda value: isinstance(value, dict)),
    "tuple[str, ...]": ("a list of names", lambda value: _all(str, value)),
    "tuple[int, ...]": ("a list of whole numbers", lambda value: _all(int, value)),
}


def _all(kind: type, value: object) -> bool:
    return isinstance(value, list) and all(type(one) is kind for one in value)


def _check_kind(path: Path, name: str, kind: str, value: object) -> None:
    what, fits = _KINDS[kind]
    if not fits(value):
        raise InputError(f"{path}: {name} = {value!r} is not {what}.")


def _check_range(job: Job) -> None:
    path = job.path
    for number in job.folds:
        if not 0 <= number < FOLDS:
            raise InputError(f"{path}: there is no fold {number}; choose from 0 to {FOLDS - 1}.")
    if bool(job.folds) == bool(job.split):
        raise InputError(f"{path}: give either folds, such as [0, 1, 2, 3, 4], or the file of a split.")
    if job.source not in ("sample", "physionet"):
        raise InputError(f"{path}: there is no source {job.source!r}; choose sample or physionet.")
    for name, least in (("recordings", 0), ("gpus", 0), ("cpus", 0.1)):
        if not getattr(job, name) >= least:
            raise InputError(f"{path}: {name} = {getattr(job, name)}; it must be at least {least}.")
