"""Settings that people write in TOML: checked once, with one wording for every mistake."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ecg_lessons import files
from ecg_lessons.errors import InputError, shown

#: A share of a whole.
Share = Annotated[float, Field(ge=0, lt=1)]
#: A list, as TOML has it, kept as a tuple.
AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)

_KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in brackets",
    "model_type": "a table",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "string_too_short": "a name",
}
_BOUNDS = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "a list of at least {min_length:g}",
}


class Settings(BaseModel):
    """A table of choices. An unknown entry, a wrong kind or a value out of range is an InputError."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )

    def __init__(self, **entries: Any) -> None:
        try:
            super().__init__(**entries)
        except ValidationError as error:
            mistake = InputError(f"{type(self).__name__}: {_sentence(type(self), error)}")
            mistake.origin = type(self), error  # for a table around this one, which tells the whole place
            raise mistake from None

    @classmethod
    def of(cls, table: Mapping, path: str | Path) -> Self:
        """Make settings of the table that a file holds; a mistake names the file."""
        try:
            return cls(**table)
        except InputError as error:
            raise InputError(f"{path}: {str(error).removeprefix(f'{cls.__name__}: ')}") from None

    @classmethod
    def read(cls, path: str | Path, base: Self | None = None) -> Self:
        """Read settings from TOML; what the file leaves out comes from `base`."""
        return cls.of((dict(base) if base else {}) | files.read_toml(path), path)

    def but(self, **changes: object) -> Self:
        """Give the same with some entries changed; entries that are None stay as they are."""
        return type(self)(**dict(self) | {name: value for name, value in changes.items() if value is not None})

    def table(self) -> dict:
        """Give the table that makes the same settings, as TOML and JSON have it."""
        return self.model_dump(mode="json")

    def toml(self) -> str:
        """Write the table as TOML."""
        import tomli_w

        return tomli_w.dumps(self.table())


def _sentence(cls: type[BaseModel], error: ValidationError, where: str = "") -> str:
    """Say the first mistake in one sentence; `where` are the tables around this one."""
    first = error.errors(include_url=False)[0]
    place, value, kind = first["loc"], shown(repr(first.get("input"))), first["type"]
    name = shown(".".join([*filter(None, [where]), *map(str, place)]))
    if kind == "extra_forbidden":
        known = list(_at(cls, place[:-1]).model_fields)
        near = difflib.get_close_matches(str(place[-1]), known, 1)
        meant = near and f"{name.removesuffix(str(place[-1]))}{near[0]}"
        hint = f"did you mean {meant!r}?" if near else f"it knows {', '.join(known)}."
        return f"there is no entry {name!r}; {hint}"
    if kind == "missing":
        such = (_at(cls, place[:-1]).model_fields[place[-1]].examples or [f"{name} = ..."])[0]
        return f"it names no {name}: add a line such as {such}."
    if kind == "value_error":
        inner = first["ctx"]["error"]
        if hasattr(inner, "origin"):
            return _sentence(*inner.origin, name)
        return f"{name}: {inner}" if name else str(inner)
    if kind == "literal_error":
        return f"{name} = {value}: choose {first['ctx']['expected']}."
    if kind in _BOUNDS:
        return f"{name} = {value}; it must be {_BOUNDS[kind].format(**first['ctx'])}."
    return f"{name} = {value} is not {_KINDS.get(kind, 'of the kind that is needed')}."


def _at(cls: type[BaseModel], place: tuple) -> type[BaseModel]:
    for step in place:
        if isinstance(step, str):
            kind = cls.model_fields[step].annotation
            inner = [part for part in (kind, *getattr(kind, "__args__", ())) if isinstance(part, type)]
            cls = next(part for part in inner if issubclass(part, BaseModel))
    return cls
