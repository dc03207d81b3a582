"""Commands of the course: its pages, your own copy of the lessons, and what this machine can do."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ecg_lessons.cli import tables
from ecg_lessons.cli.tables import AsJson, out

commands = typer.Typer()
OwnCopy = Annotated[Path, Option(help="The folder of your own copy.")]


@commands.command()
def course(
    lesson: Annotated[str | None, Argument(help="Run one lesson only, such as 1.")] = None,
    to: Annotated[Path, Option(help="The folder for notebooks and pages.")] = Path("build/course"),
    jobs: Annotated[int, Option(help="Lessons side by side at most; each takes up to 4 GB of memory.", min=1)] = 2,
) -> None:
    """Run the lessons on the built-in cohort and show them on one page, index.html."""
    from ecg_lessons.course import course as whole

    lessons = whole.build(to, lesson, out, jobs)
    out.print(f"Open {to / 'index.html'} in a browser.")
    raise typer.Exit(1 if any(one.failure for one in lessons) else 0)


@commands.command()
def lessons(to: OwnCopy = Path("work")) -> None:
    """Copy the lessons out, to write in; what is there already is left alone."""
    from ecg_lessons.course import copies

    new = copies.copy(to)
    out.print(f"{len(new)} files are new in {to}. Open them: ecg-lessons lab --to {to}")


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context, to: OwnCopy = Path("work")) -> None:
    """Open your own copy of the lessons in JupyterLab, at lesson 0; options of JupyterLab are handed on."""
    from ecg_lessons.course import copies

    copies.copy(to)
    copies.open_lab(to, context.args)


@commands.command()
def reset(lesson: Annotated[str, Argument(help="Such as 01.")], to: OwnCopy = Path("work")) -> None:
    """Bring the original of a lesson back into your copy; yours stays beside it."""
    from ecg_lessons.course import copies

    out.print(f"{copies.reset(lesson, to)} is the original again.")


@commands.command()
def check(as_json: AsJson = False) -> None:
    """Look at this machine: Python, packages, device, memory, disk, data."""
    from ecg_lessons import machine

    tables.report(machine.check(), as_json)
