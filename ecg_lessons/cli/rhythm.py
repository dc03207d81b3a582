"""Commands of lesson 2."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from ecg_lessons import machine
from ecg_lessons.cli import common
from ecg_lessons.cli.common import app, out, train_app
from ecg_lessons.errors import InputError


@train_app.command("rhythm")
@common.with_changes
def train(
    network: Annotated[
        str, typer.Option(help="compact, compact-signal, cnn or crnn (the paper's), or a model file (.toml).")
    ] = "compact",
    source: Annotated[
        str, typer.Option(help="sample (built-in cohort) or physionet (CinC 2017).")
    ] = "sample",
    fold: Annotated[int | None, typer.Option(help="Which of the five folds is tested: 0 to 4 (0).")] = None,
    split: Annotated[
        Path | None, typer.Option(help="A file of 'ecg-lessons split', instead of --fold.")
    ] = None,
    augment: Annotated[bool, typer.Option("--augment/--no-augment")] = True,
    recordings: Annotated[int, typer.Option(min=100, help="Size of the built-in cohort.")] = 600,
    to: Annotated[Path | None, typer.Option("--out", help="The run folder.")] = None,
    *,
    changes: common.Changes,
) -> None:
    """Lesson 2: learn to tell normal rhythm, atrial fibrillation, other rhythms, and noise."""
    machine.setup()
    from ecg_lessons.lessons import rhythm as lesson
    from ecg_lessons.lessons import rhythm_runs as runs

    if fold is not None and split is not None:
        raise InputError("--fold and --split exclude each other: give one of them.")
    chosen = lesson.design(network, augmented=augment, **changes.entries)
    with out.status("Reading the recordings") as status:
        given = lesson.examples(
            source, recordings, lambda done, of: status.update(f"Reading the recordings {done:,}/{of:,}")
        )
    name = Path(network).stem
    run = runs.train(
        chosen,
        to or Path("runs") / f"rhythm-{name}",
        source,
        str(split) if split else f"fold-{fold or 0}",
        name=name,
        given=given,
        tensorboard=changes.tensorboard,
        progress=common.progress_of(chosen.phases[-1].epochs if chosen.phases else chosen.training.epochs),
    )
    common.tell_end(run, run.plan)


@app.command()
def vote(
    run: Annotated[list[Path], typer.Argument(help="Run folders of lesson 2, two or more.")],
    recordings: Annotated[
        Path, typer.Option(help="A .mat of CinC 2017, a WFDB record, or a folder of either.")
    ],
    to: Annotated[Path, typer.Option(help="The CSV file to write.")],
) -> None:
    """Lesson 2: let several networks vote on the rhythm of recordings, and write the verdicts as CSV."""
    machine.setup()
    from ecg_lessons import training

    if len(run) < 2:
        raise InputError(
            "One network cannot vote: give two run folders or more, or use 'ecg-lessons predict'."
        )
    opened = [training.Run.open(one) for one in run]
    for one in opened:
        if one.about.get("lesson") != "rhythm":
            raise InputError(f"{one.folder} is a run of lesson {one.about.get('lesson')!r}: leave it out.")
    _judge(opened, recordings, to)


def evaluate(
    run,
    source: str | None,
    csv: tuple[Path, Path] | None,
    pictures: Path | None,
    tables: dict[str, Path],
) -> None:
    """Score a run of lesson 2 and print it, class by class."""
    from ecg_lessons.lessons import rhythm_runs as runs

    wrong = ["--pictures"] * bool(pictures) + ["--data-csv"] * bool(csv)
    if wrong:
        raise InputError(f"{run.folder} is a run of lesson 2, which judges recordings: leave {wrong[0]} out.")
    common.refuse_tables(run, 2, tables)
    result = runs.evaluate(run, source)
    by_class = result.pop("by_class")
    names = {"mean_f1": "mean F1 of N, A, O", "mean_f1_with_noise": "mean F1 of N, A, O, ~"}
    result = {names.get(name, name): value for name, value in result.items()}
    out.print(common.score_table(f"{run.folder}: {source or 'test recordings'}", result))
    out.print(_by_class(by_class))
    out.print("Intervals are over recordings: who was recorded is not published.")


def _by_class(by_class: dict) -> Table:
    columns = {"f1": "F1", "sensitivity": "sensitivity", "precision": "precision (PPV)"}
    table = Table("class", "recordings", *columns.values(), box=box.SIMPLE)
    for name, row in by_class.items():
        cells = ["-" if row[one].value != row[one].value else str(row[one]) for one in columns]
        table.add_row(name, f"{row['recordings']:,}", *cells)
    return table


def predict(run, recordings: Path, to: Path, threshold: float | None) -> None:
    """Name the rhythm of recordings by a run of lesson 2."""
    if threshold is not None:
        raise InputError("Lesson 2 names the likeliest class: leave --threshold out.")
    _judge([run], recordings, to)


def _judge(several: list, recordings: Path, to: Path) -> None:
    from ecg_lessons.data.tables import write_predictions
    from ecg_lessons.lessons import rhythm_files as files

    table = files.verdicts(several, recordings)
    write_predictions(to, table.pop("ID"), table)
    counts = ", ".join(f"{n:,} {name}" for name, n in table["CLASS"].value_counts().items())
    out.print(f"{len(table)} verdicts are in {to}: {counts}.", markup=False)
