"""Commands of a class: for its teacher, and for students who hand something in."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ecg_lessons.cli import tables
from ecg_lessons.cli.tables import AsJson, out
from ecg_lessons.errors import InputError

commands = typer.Typer()


@commands.command()
def grade(
    submissions: Annotated[Path, Argument(help="A folder or a zip of notebooks: Moodle's, Canvas's, or NAME.ipynb.")],
    assignment: Annotated[str, Option(help="The number of the assignment, such as 3.")],
    to: Annotated[
        Path, Option(help="The folder for marks, feedback and nbgrader's gradebook; a second call grades what changed.")
    ] = Path("build/marks"),
    deadline: Annotated[str | None, Option(help="Until when, such as '2026-11-30 23:59'.")] = None,
    late: Annotated[str | None, Option(help="What lateness costs, such as 10%/day or 2%/hour.")] = None,
    zone: Annotated[
        str | None, Option(help="The time zone, such as Europe/Vienna; this machine's unless said.")
    ] = None,
    sheet: Annotated[Path | None, Option(help="Your own CSV, from Moodle or Canvas: a filled copy is written.")] = None,
    grade_column: Annotated[str | None, Option(help="The column of that sheet which gets the points.")] = None,
    regrade: Annotated[bool, Option("--regrade", help="Run everything anew.")] = False,
    unprotected: Annotated[
        bool, Option("--unprotected", help="Without a sandbox: students' code runs as you.")
    ] = False,
) -> None:
    """Grade notebooks that students handed in, each in a sandbox; marks given by hand stay."""
    from ecg_lessons.grading import assignments, deadlines, sandbox
    from ecg_lessons.grading import grade as grading

    asked, where = assignments.called(assignment), deadlines.zone(zone)
    if late and not deadline:
        raise InputError("--late needs a deadline: add --deadline '2026-11-30 23:59'.")
    until = deadlines.Deadline.of(deadline, late, where) if deadline else None
    if not unprotected and (why := sandbox.refusal()):
        raise InputError(why)
    rules = grading.Rules(unprotected, regrade, until, where, sheet, grade_column)
    with out.status("Grading") as status:

        def progress(student: str, done: int, of: int) -> None:
            status.update(f"Grading {min(done + 1, of)}/{of}")

        found, said = grading.grade(submissions, asked, to, rules, progress)
    rows = [[*(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row)] for row in found.to_numpy()]
    many = f"{len(found)} submission{'s' * (len(found) != 1)}"
    tables.table(f"{asked.name}: {many}", list(found.columns), rows)
    for sentence in [
        *said,
        f"Marks and feedback are in {to / asked.name}.",
        f"Next: ecg-lessons mark {to} --assignment {assignment}",
    ]:
        out.print(sentence)


@commands.command()
def mark(
    marks: Annotated[Path, Argument(help="The folder that 'ecg-lessons grade' made.")],
    assignment: Annotated[str, Option(help="The number of the assignment, such as 3.")],
    port: Annotated[int, Option(help="The port on this machine; 0 takes a free one.")] = 0,
    browser: Annotated[bool, Option(help="Open the page in the browser.")] = True,
) -> None:
    """Mark plots and texts on a page of your own: one question for all students."""
    from ecg_lessons.grading import assignments, marking

    marking.serve(marks, assignments.called(assignment), port, browser, out.print)


@commands.command()
def submit_check(notebook: Annotated[Path, Argument(help="Your notebook, saved.")]) -> None:
    """Check your notebook before you hand it in: its form, and the tests that it shows you."""
    from ecg_lessons.grading import submit

    lines, well = submit.check(notebook)
    for line in lines:
        out.print(line)
    if not well:
        raise typer.Exit(1)


@commands.command()
def hand_in(notebook: Annotated[Path, Argument(help="Your notebook, saved.")]) -> None:
    """Hand your notebook in, in a terminal of your server of the class."""
    from ecg_lessons.grading import submit

    out.print(submit.hand_in(notebook))


@commands.command()
def class_check(
    folder: Annotated[Path, Option(help="The folder with .env and class.csv.")] = Path("docker/jupyterhub"),
    logins: Annotated[
        str | None, Option(help="The hub that runs, such as http://127.0.0.1:8000: log 30 people in at once.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Before a class: look at ports, disk, GPUs, images, settings and the class list of a hub."""
    from ecg_lessons import classroom

    with out.status("Looking") as status:
        if as_json:
            status.stop()
        report = classroom.check(folder, logins)
    tables.report(report, as_json)
