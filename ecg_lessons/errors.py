"""The one exception for mistakes that a user can mend, and the hint at what was meant."""

import difflib
import warnings
from collections.abc import Iterable, Mapping
from typing import Any


class InputError(ValueError):
    """Bad input, told in one sentence that names the file, row or record and the remedy; no stack trace is shown."""


class WrongChecksum(InputError):
    """A file came twice with other bytes than the list of checksums tells."""


def choice(what: str, name: object, known: Iterable[str]) -> InputError:
    """Refuse an unknown name: "There is no <what> '<name>': did you mean 'x'? Choose x, y or z."."""
    known = [str(one) for one in known]
    near = difflib.get_close_matches(str(name).lower(), known, 1)
    hint = f"did you mean {near[0]!r}? Choose " if near else "choose "
    listed = " or ".join(filter(None, [", ".join(known[:-1]), *known[-1:]])) or "nothing: none is there"
    return InputError(f"There is no {what} {name!r}: {hint}{listed}.")


def pick(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """Give what has a name, or refuse the name."""
    if name not in known:
        raise choice(what, name, known)
    return known[name]


class Note(UserWarning):
    """Something that a user should know of a result that is given all the same."""


def note(sentence: str) -> None:
    """Tell a user something, once; the command line prints it as a line."""
    warnings.warn(sentence, Note, stacklevel=2)


def shown(text: str, most: int = 80) -> str:
    """Show what stands in a file: control characters as Python writes them, and not more than so many."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text)[: most + 1])
    return text if len(text) <= most else f"{text[: most - 3]}..."
