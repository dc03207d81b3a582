"""The one exception for mistakes that a user can mend, and the hint at what was meant."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class InputError(ValueError):
    """Bad input, told in one sentence that names the file, row or record and the remedy; no stack trace is shown."""


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
