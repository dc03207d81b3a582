"""Commands of lesson 2 alone."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ecg_lessons.cli import declared, tables
from ecg_lessons.cli.tables import out
from ecg_lessons.errors import InputError

commands = typer.Typer()


@commands.command()
def split(
    to: Annotated[Path, Option(help="The JSON file; with --folds, the folder of one file a fold.")],
    train: Annotated[float, Option(help="Share, or number of recordings.")] = 0.6,
    validation: Annotated[float, Option(help="Share, or number of recordings.")] = 0.2,
    test: Annotated[float, Option(help="Share, or number of recordings.")] = 0.2,
    seed: Annotated[int, Option(min=0, help="14 is the paper's.")] = 14,
    folds: Annotated[int | None, Option(help="All of so many stratified folds, instead of sizes.")] = None,
    source: Annotated[str, Option(help="sample (built-in cohort) or physionet (CinC 2017).")] = "sample",
    recordings: Annotated[int | None, Option(min=1, help="Size of the built-in cohort.")] = None,
) -> None:
    """Lesson 2: divide the recordings, with classes spread evenly, and keep who stands where as JSON."""
    from ecg_lessons import splits

    with out.status("Reading the recordings"):
        options = {"recordings": recordings} if recordings else {}
        examples = declared.lesson_called("rhythm").load(source, **options)
    if folds is None:
        sizes = {"train": train, "validation": validation, "test": test}
        made = [(to, splits.sized(examples, **sizes, seed=seed), sizes)]
    else:
        every = [splits.recording_fold(examples, k, folds, seed=seed) for k in range(folds)]
        made = [(to / f"fold-{k}.json", fold, {"folds": folds, "fold": k}) for k, fold in enumerate(every)]
    for path, part, about in made:
        splits.write(part, examples, path, {"source": source, "seed": seed} | about)
        told = ", ".join(f"{side} {len(rows):,}" for side, rows in part.sides.items())
        out.print(f"{path}: {told}")


@commands.command()
def vote(
    run: Annotated[list[Path], Argument(help="Run folders of lesson 2, two or more.")],
    recordings: Annotated[Path, Option(help="A recording such as a .mat of CinC 2017, or a folder of them.")],
    to: Annotated[Path, Option(help="The CSV file to write.")],
    lead: Annotated[str | None, Option(help="The lead that is judged, by its name.")] = None,
    rate: Annotated[float | None, Option(help="Samples per second, of a file that does not tell.")] = None,
    unit: Annotated[str | None, Option(help="Its unit: mV unless said, V, uV or nV.")] = None,
    strict: Annotated[bool, Option("--strict", help="Judge nothing where a recording cannot be judged.")] = False,
    force: Annotated[bool, Option("--force", help="Replace a file that is no earlier verdict.")] = False,
) -> None:
    """Lesson 2: let several networks vote on the rhythm of recordings, and write the verdicts as CSV."""
    if len(run) < 2:
        raise InputError("One network cannot vote: give two run folders or more, or use 'ecg-lessons predict'.")
    from ecg_lessons import machine

    machine.setup()
    from ecg_lessons.lessons import rhythm
    from ecg_lessons.training import Run

    opened = [Run.open(folder) for folder in run]
    for voter in opened:
        if voter.about.get("lesson") != "rhythm":
            raise InputError(f"{voter.folder} is a run of lesson {voter.about.get('lesson')!r}: leave it out.")
    tables.refuse_target(to, recordings, force)
    how = tables.how_of({"rate": rate, "unit": unit, "strict": strict})
    tables.verdicts(rhythm.verdicts(opened, recordings, lead=lead, **how), to)
