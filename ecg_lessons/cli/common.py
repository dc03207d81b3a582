"""What all commands share: the program, its options, and how it ends."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from math import isnan
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ecg_lessons.errors import InputError
from ecg_lessons.splits import is_leaky

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="ECG Lessons.",
)
train_app = typer.Typer(no_args_is_help=True, help="Train a network of a lesson into a run folder.")
app.add_typer(train_app, name="train")
export_app = typer.Typer(
    no_args_is_help=True, help="Write the examples of a lesson in the original project's format."
)
app.add_typer(export_app, name="export")
out = Console(highlight=False, soft_wrap=True)

Csv = Annotated[Path | None, typer.Option(help="Lesson 1: the original's CSV, ID and 9,000 values a row.")]
Labels = Annotated[Path | None, typer.Option(help="Lesson 1: the labels of --data-csv, ID and TARGET.")]
Pictures = Annotated[
    Path | None,
    typer.Option(help="Lesson 3: class folders of PNG files, as 'export beat-images' writes them."),
]
TrainCsv = Annotated[
    Path | None,
    typer.Option(help="Lesson 5: the original's mitbih_train.csv, 187 values and the class a row."),
]
TestCsv = Annotated[Path | None, typer.Option(help="Lesson 5: its mitbih_test.csv.")]
NormalCsv = Annotated[Path | None, typer.Option(help="Lesson 5: its ptbdb_normal.csv.")]
AbnormalCsv = Annotated[Path | None, typer.Option(help="Lesson 5: its ptbdb_abnormal.csv.")]
Preset = Annotated[str, typer.Option(help="laptop or paper.")]
PlanFile = Annotated[Path | None, typer.Option(help="A TOML file with entries of the plan to change.")]


@dataclass(frozen=True)
class Changes:
    """The options that every training has: entries of its plan to change, and logs."""

    epochs: Annotated[int | None, typer.Option(min=1)] = None
    batch_size: Annotated[int | None, typer.Option(min=1)] = None
    learning_rate: float | None = None
    seed: Annotated[int | None, typer.Option(min=0)] = None
    tensorboard: bool = False

    @property
    def entries(self) -> dict:
        """Give the entries of the plan, None where nothing is asked."""
        entries = asdict(self)
        del entries["tensorboard"]
        return entries

    def of(self, base, file: Path | None = None):
        """Give a plan with what a file and the options change."""
        from ecg_lessons.plans import Plan  # imports Keras

        return (Plan.read(file, base) if file else base).but(**self.entries)


def with_changes(command: Callable) -> Callable:
    """Add the options of `Changes` to a command, which gets them as one argument, ``changes``."""
    added = inspect.signature(Changes, eval_str=True).parameters

    @wraps(command)
    def wrapped(**given):
        changes = Changes(**{name: given.pop(name) for name in added})
        return command(**given, changes=changes)

    own = inspect.signature(command, eval_str=True).parameters.values()
    options = [*(one for one in own if one.name != "changes"), *added.values()]
    del wrapped.__wrapped__  # Typer shall read the options below
    wrapped.__signature__ = inspect.Signature([one.replace(kind=one.KEYWORD_ONLY) for one in options])
    wrapped.__annotations__ = {one.name: one.annotation for one in options}
    return wrapped


def csv_pair(data: Path | None, labels: Path | None) -> tuple[Path, Path] | None:
    """Hold the two files of lesson 1 together."""
    if (data is None) != (labels is None):
        raise InputError("--data-csv and --labels-csv belong together: give both or neither.")
    return (data, labels) if data else None


def tables_of(**paths: Path | None) -> dict[str, Path]:
    """Gather the files of lesson 5 that were given, by their option."""
    return {f"--{name.replace('_', '-')}": path for name, path in paths.items() if path}


def refuse_tables(run, lesson: int, tables: dict[str, Path]) -> None:
    """Refuse the files of lesson 5 for a run of another lesson."""
    if tables:
        raise InputError(f"{run.folder} is a run of lesson {lesson}: leave {next(iter(tables))} out.")


def progress_of(epochs: int) -> Callable[[int, dict], None]:
    """Print a line an epoch."""

    def progress(epoch: int, row: dict) -> None:
        out.print(f"epoch {epoch}/{epochs}  loss {row['loss']:.4f}  validation loss {row['val_loss']:.4f}")

    return progress


def tell_end(run, plan, files: str = "") -> None:
    """Say how a training ended and what comes next."""
    epochs = len(run.history)
    if epochs < plan.epochs:
        out.print(
            f"Stopped after {epochs} epochs: the last {plan.patience} brought no better validation "
            f"{plan.best_by.replace('_', ' ')}."
        )
    count = f"{epochs} epoch{'s' * (epochs != 1)}"
    out.print(f"The run is in {run.folder} ({count}). Next: ecg-lessons evaluate {run.folder}{files}")


def score_table(title: str, result: dict) -> Table:
    """Set out scores, one a row, with their intervals."""
    table = Table("score", "value", "95 % interval", title=title, title_justify="left")
    for name, value in result.items():
        interval = f"{value.low:.3f}-{value.high:.3f}" if hasattr(value, "low") else ""
        table.add_row(name.replace("_", " "), f"{getattr(value, 'value', value):.3f}", interval)
    return table


def class_table(by_class: dict) -> Table:
    """Set out the scores of each class, one a row."""
    columns = {
        "sensitivity": "sensitivity",
        "precision": "precision (PPV)",
        "specificity": "spec.",
        "f1": "F1",
    }
    whom = "patients" if all("patients" in row for row in by_class.values()) else "beats"
    table = Table(
        *("class", "beats", "people", *columns.values(), "AUC"),
        title=f"By class, 95 % intervals over {whom}",
        title_justify="left",
        box=box.SIMPLE,
        padding=0,  # so that 80 columns hold a line
    )
    for name, row in by_class.items():
        cells = [_cell(row[score], score in ("sensitivity", "precision")) for score in columns]
        people = str(row.get("patients", "?"))
        table.add_row(name, f"{row['beats']:,}", people, *cells, f"{row['auc']:.3f}")
    return table


def _cell(score, with_interval: bool) -> str:
    """Write a score for a narrow column; a dash where the class was never named, or for an interval of one."""
    if isnan(score.value):
        return "-"
    interval = "-" if isnan(score.low) else f"{score.low:.2f}-{score.high:.2f}"
    return f"{score.value:.3f}" + (f" ({interval})" if with_interval else "")


def tell_leak(split: str) -> None:
    """Say of a leaky split what its scores are worth."""
    if is_leaky(split):
        out.print(f"Leaky: {split} tests hearts that also trained. Compare with --split by-patient.")


def tell_left_out(left_out: dict[str, int]) -> None:
    """Name the beats that were not scored."""
    if left_out:
        named = ", ".join(f"{n:,} {symbol}" for symbol, n in left_out.items())
        out.print(f"Left out, since no training patient has this kind of beat: {named}.", markup=False)


def main() -> None:
    """Run the command line; turn mistakes into one sentence and status 2."""
    try:
        status = app(standalone_mode=False)
    except InputError as error:
        _fail(str(error))
    except OSError as error:  # a full disk, a file in place of a folder, a place without permission
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}; choose another place.")
    except Exception as error:
        message = getattr(error, "format_message", None)  # Typer's own, such as an unknown option
        if message is None:
            raise
        if "NoArgs" in type(error).__name__:
            error.show()
            sys.exit(2)
        _fail(" ".join(message().split()).rstrip(".") + ": add --help to see what there is.")
    if status == 130:  # what Typer makes of Ctrl-C
        _fail("stopped; the same command goes on from here.", status)
    sys.exit(status or 0)


def _fail(sentence: str, status: int = 2) -> None:
    print(f"ecg-lessons: {sentence}", file=sys.stderr)
    sys.exit(status)
