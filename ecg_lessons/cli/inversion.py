"""Commands of lesson 1."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecg_lessons import machine
from ecg_lessons.cli import common
from ecg_lessons.cli.common import export_app, out, train_app
from ecg_lessons.errors import InputError


@train_app.command("inversion")
@common.with_changes
def train(
    network: Annotated[
        str, typer.Option(help="hypotheses, plain, or usoltsev (the original).")
    ] = "hypotheses",
    source: Annotated[str, typer.Option(help="sample (built-in cohort) or physionet (PTB-XL).")] = "sample",
    preset: common.Preset = "laptop",
    split: Annotated[str, typer.Option(help="by-patient, random, or fold-0 to fold-4.")] = "by-patient",
    task: Annotated[str, typer.Option(help="which (names the swap) or inverted (yes or no).")] = "which",
    to: Annotated[Path | None, typer.Option("--out", help="The run folder.")] = None,
    name: Annotated[
        str, typer.Option(help="Stands in for --out: the folder becomes runs/inversion-NAME.")
    ] = "",
    data_csv: common.Csv = None,
    labels_csv: common.Labels = None,
    plan: common.PlanFile = None,
    *,
    changes: common.Changes,
) -> None:
    """Lesson 1: learn to find exchanged electrodes."""
    machine.setup()
    from ecg_lessons.lessons import inversion, inversion_runs

    chosen = changes.of(inversion.plan(network, preset), plan)
    folder = to or Path("runs") / f"inversion-{name or network}"
    csv = common.csv_pair(data_csv, labels_csv)
    run = inversion_runs.train(
        folder,
        network,
        source,
        split,
        task,
        chosen,
        csv=csv,
        tensorboard=changes.tensorboard,
        progress=common.progress_of(chosen.epochs),
    )
    common.tell_end(run, chosen, f" --data-csv {data_csv} --labels-csv {labels_csv}" if csv else "")


@export_app.command("inversion")
def export(
    to: Annotated[Path, typer.Option(help="The folder for data.csv and labels.csv.")],
    source: Annotated[str, typer.Option(help="sample, physionet or ludb.")] = "sample",
    seed: Annotated[int, typer.Option(min=0)] = 42,
) -> None:
    """Lesson 1: write the original's two CSV files, half of the ECGs with exchanged electrodes."""
    machine.setup()
    from ecg_lessons.lessons import inversion, inversion_files

    out.print(
        f"data.csv and labels.csv are in {inversion_files.export(inversion.examples(source), to, seed)}."
    )


def evaluate(
    run,
    source: str | None,
    csv: tuple[Path, Path] | None,
    pictures: Path | None,
    tables: dict[str, Path],
) -> None:
    """Score a run of lesson 1 and print it."""
    from ecg_lessons.lessons import inversion_runs

    if pictures:
        raise InputError(f"{run.folder} is a run of lesson 1, which judges recordings: leave --pictures out.")
    common.refuse_tables(run, 1, tables)
    result = inversion_runs.evaluate(run, source, csv)
    by_swap = result.pop("sensitivity")
    result |= {f"sensitivity {swap}": value for swap, value in by_swap.items()}
    title = f"{run.folder}: {source or (csv and csv[0]) or 'test patients'}"
    out.print(common.score_table(title, result))


def predict(run, recordings: Path, to: Path, threshold: float | None) -> None:
    """Judge recordings by a run of lesson 1."""
    from ecg_lessons.data import tables
    from ecg_lessons.lessons import inversion_files as files

    table = files.verdicts(run, files.read_input(recordings), 0.5 if threshold is None else threshold)
    tables.write_predictions(to, table.pop("ID"), table)
    out.print(f"{len(table)} verdicts are in {to}, {int(table['TARGET'].sum())} of them 1.")
