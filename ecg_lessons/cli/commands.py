"""All commands, in the order in which a newcomer meets them, and how they end."""

import sys
import warnings
from contextlib import suppress
from typing import Annotated

import typer
from typer import Option
from typer.core import TyperGroup

from ecg_lessons.cli import course, learning, measuring, rhythm, teaching
from ecg_lessons.cli.tables import out
from ecg_lessons.errors import InputError, Note, shown


class Newcomers(TyperGroup):
    """The commands in the order in which a newcomer meets them."""

    def list_commands(self, ctx) -> list[str]:
        """Name the commands."""
        first = ["course", "lessons", "lab", "reset", "check", "simulate"]
        first += ["train", "evaluate", "predict", "convert", "export", "fetch"]
        return [*first, *(name for name in super().list_commands(ctx) if name not in first)]


app = typer.Typer(
    cls=Newcomers,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="ECG Lessons: a course on deep learning with the electrocardiogram.",
)
for part in (course, learning, measuring, rhythm, teaching):
    app.add_typer(part.commands)


def _version(wanted: bool) -> None:
    from importlib.metadata import version

    if wanted:
        out.print(f"ecg-lessons {version('ecg-lessons')}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """ECG Lessons: a course on deep learning with the electrocardiogram."""


def main() -> None:
    """Run the command line; turn mistakes into one sentence and status 2, and notes into lines."""
    with suppress(AttributeError):  # nobody reads it
        sys.stdout.reconfigure(errors="backslashreplace")  # into a file on Windows goes what its code page has
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries
            warnings.simplefilter("default", Note)
            warnings.showwarning = _tell
            status = app(standalone_mode=False)
    except InputError as error:
        _fail(str(error))
    except OSError as error:  # a full disk, a file in place of a folder, a place without permission
        if error.errno is None:
            raise
        remedy = "it must be there" if isinstance(error, FileNotFoundError) else "choose another place"
        _fail(f"{error.filename or 'A file cannot be written'}: {error.strerror}; {remedy}.")
    except Exception as error:
        if not hasattr(error, "format_message"):  # Typer's own, such as an unknown option, have it
            raise
        if "NoArgs" in type(error).__name__:
            error.show()
            sys.exit(2)
        _fail(" ".join(error.format_message().split()).rstrip(".") + ": add --help to see what there is.")
    if status == 130:  # what Typer makes of Ctrl-C
        _fail("stopped; the same command goes on from here.", status)
    sys.exit(status or 0)


def _tell(message, *_) -> None:
    print(f"ecg-lessons: {shown(str(message), 1000)}", file=sys.stderr)


def _fail(sentence: str, status: int = 2) -> None:
    _tell(sentence)
    sys.exit(status)
