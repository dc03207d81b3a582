"""Commands of lesson 4, and `summarize` for any lesson that keeps many trainings in one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from ecg_lessons import machine
from ecg_lessons.cli import common, experiments
from ecg_lessons.cli.common import app, out, train_app
from ecg_lessons.errors import InputError

_LEGEND = (
    "Means over patients, 95 % intervals by bootstrap over them. 'F1 frequent': mean F1 of the classes with 10 test "
    "beats or more of a patient, the score to compare by; 'macro F1' counts the others too."
)


@train_app.command("patients")
@common.with_changes
def train(
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Test each patient on a network trained on the others.")
    ] = False,
    source: Annotated[str, typer.Option(help="sample (built-in cohort) or physionet (MIT-BIH).")] = "sample",
    patients: Annotated[
        str | None, typer.Option(help="Whom to leave out, such as 100,106; everybody, in turn, unless said.")
    ] = None,
    adapt_minutes: Annotated[
        float, typer.Option(help="The first minutes adapt the network; what follows is tested.")
    ] = 10,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Pre-train from scratch for each patient: slow, nothing approximate."),
    ] = False,
    preset: Annotated[str, typer.Option(help="laptop, quick (for the built-in cohort) or paper.")] = "laptop",
    to: Annotated[Path, typer.Option("--out", help="The folder for all patients.")] = Path("runs/loo"),
    plan: common.PlanFile = None,
    *,
    changes: common.Changes,
) -> None:
    """Lesson 4: leave each patient out once; adapt a network to the patient's first minutes."""
    machine.setup()
    from ecg_lessons.lessons import patient_runs as runs
    from ecg_lessons.lessons import patients as lesson

    if not leave_one_out:
        raise InputError("Lesson 4 knows one protocol, so far: add --leave-one-out.")
    chosen = changes.of(lesson.plan(preset), plan)
    with out.status("Reading the beats"):
        given = lesson.examples(source)
    cohort = runs.train(
        to,
        source,
        None if patients is None else [name for name in patients.split(",") if name.strip()],
        adapt_minutes,
        chosen,
        lesson.SETTINGS[preset],
        plain=plain,
        given=given,
        tensorboard=changes.tensorboard,
        say=lambda line: out.print(line, markup=False),
    )
    out.print(f"{len(cohort.finished())} patients are in {to}. Next: ecg-lessons summarize {to}")


@app.command()
def summarize(
    folder: Annotated[
        Path, typer.Argument(help="A folder with many trainings, or a model of a sweep, such as crnn.")
    ],
) -> None:
    """Sum up many trainings in one folder: scores with intervals, and differences."""
    if experiments.is_sweep(folder):
        experiments.summarize(folder)
        return
    path = folder / "run.json"
    try:
        lesson = json.loads(path.read_text(encoding="utf-8")).get("lesson")
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder} is no run: give a folder that 'ecg-lessons train ... --out' or 'ecg-lessons sweep' made."
        ) from None
    except json.JSONDecodeError:
        raise InputError(f"{path} is damaged: train into another folder.") from None
    if lesson not in SUMMARIES:
        raise InputError(
            f"{folder} is a run of lesson {lesson!r}, of which there is nothing to sum up: choose a folder of "
            f"{' or '.join(SUMMARIES)}."
        )
    SUMMARIES[lesson](folder)


def _summarize(folder: Path) -> None:
    """Print the tables of lesson 4."""
    machine.setup()
    from ecg_lessons import training
    from ecg_lessons.lessons import patient_files as files
    from ecg_lessons.lessons import patient_results as results

    cohort = files.Cohort.open(folder)
    summary = results.summarise(cohort)
    out.print(
        _arms(f"{folder}: {len(summary.beats)} patients, tested after minute {summary.minutes:g}", summary)
    )
    out.print(_gains(summary))
    out.print(_LEGEND, markup=False)
    out.print(_patients(summary))
    for arm in ("head", "whole"):
        hurt = ", ".join(f"{name} ({change:+.3f})" for name, change in summary.hurt(arm).items())
        out.print(f"Adaptation ({arm}) hurts: {hurt or 'nobody'}.", markup=False)
    for name, note in summary.notes.items():
        out.print(f"{name}: {note}", markup=False)
    for name, reason in summary.refused.items():
        out.print(f"{name} left out: {reason}", markup=False)
    training.Run(folder).write("summary.json", summary.as_dict())


#: How each lesson sums its folders up.
SUMMARIES = {"patients": _summarize}


def _arms(title: str, summary) -> Table:
    table = _new(title, "arm", "min", "F1 frequent", "macro F1", "accuracy")
    for (arm, minutes), row in summary.table.iterrows():
        cells = [_cell(row[name], "") for name in ("F1 frequent", "macro F1", "accuracy")]
        table.add_row(arm, f"{minutes:g}", *cells)
    return table


def _gains(summary) -> Table:
    names = ("F1 frequent", "macro F1")
    table = _new("Difference to generic, patient by patient", "arm", "min", *names)
    for (arm, minutes), row in summary.table.iterrows():
        if arm != "generic":
            table.add_row(arm, f"{minutes:g}", *(_cell(row[f"gain {name}"], "+") for name in names))
    return table


def _patients(summary) -> Table:
    scores = summary.by_patient()
    table = _new(f"F1 frequent by patient, {summary.minutes:g} minutes", "patient", "beats", *scores.columns)
    for name, row in scores.iterrows():
        cells = ["-" if value != value else f"{value:.3f}" for value in row]
        table.add_row(name, f"{summary.beats[name]:,}", *cells)
    return table


def _new(title: str, *columns: str) -> Table:
    """Begin a table that 80 columns hold."""
    return Table(*columns, title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))


def _cell(score, sign: str) -> str:
    """Write an estimate for a narrow column; a dash for what one patient cannot tell."""
    if score.value != score.value:
        return "-"
    if score.low != score.low:
        return f"{score.value:{sign}.3f}"
    between = " to " if sign else "-"  # a hyphen would be lost among minus signs
    return f"{score.value:{sign}.3f} ({score.low:{sign}.3f}{between}{score.high:{sign}.3f})"
