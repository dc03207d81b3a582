"""The command line: ``ecg-lessons``. A user's mistake ends with one sentence and status 2."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ecg_lessons import environment
from ecg_lessons.data import catalog
from ecg_lessons.data import fetch as downloads
from ecg_lessons.errors import InputError

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

Csv = Annotated[Path | None, typer.Option(help="The original's CSV: ID and 9,000 values a row.")]
Labels = Annotated[Path | None, typer.Option(help="The labels of --data-csv: ID and TARGET.")]


@app.command()
def check() -> None:
    """Look at this machine: Python, packages, device, memory, disk, data."""
    report = environment.check()
    out.print(str(report), markup=False)
    raise typer.Exit(0 if report.well else 1)


@app.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help=f"One of {', '.join(catalog.DATASETS)}.")],
    whole_zip: Annotated[bool, typer.Option("--zip", help="Get the whole project as one zip.")] = False,
) -> None:
    """Download a dataset from PhysioNet. An interrupted download goes on where it stopped."""
    out.print(f"{dataset} is in {downloads.fetch(dataset, whole_zip=whole_zip)}")


@app.command()
def simulate(
    to: Annotated[Path, typer.Option(help="A new folder.")],
    patients: Annotated[int, typer.Option(min=1)] = 120,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Simulate a cohort of patients and write it as WFDB, in the layout of PTB-XL."""
    from ecg_lessons.data import simulator

    with out.status("Simulating") as status:
        simulator.simulate_cohort(
            to, patients, seed, lambda done, all_: status.update(f"Simulating {done}/{all_}")
        )
    out.print(f"{patients} simulated patients are in {to}.")


@train_app.command("inversion")
def train_inversion(
    network: Annotated[
        str, typer.Option(help="hypotheses, plain, or usoltsev (the original).")
    ] = "hypotheses",
    source: Annotated[str, typer.Option(help="sample (built-in cohort) or physionet (PTB-XL).")] = "sample",
    preset: Annotated[str, typer.Option(help="laptop or paper.")] = "laptop",
    split: Annotated[str, typer.Option(help="by-patient, random, or fold-0 to fold-4.")] = "by-patient",
    task: Annotated[str, typer.Option(help="which (names the swap) or inverted (yes or no).")] = "which",
    to: Annotated[Path | None, typer.Option("--out", help="The run folder.")] = None,
    name: Annotated[
        str, typer.Option(help="Stands in for --out: the folder becomes runs/inversion-NAME.")
    ] = "",
    data_csv: Csv = None,
    labels_csv: Labels = None,
    plan: Annotated[Path | None, typer.Option(help="A TOML file with entries of the plan to change.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: float | None = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    tensorboard: bool = False,
) -> None:
    """Lesson 1: learn to find exchanged electrodes."""
    environment.setup()
    from ecg_lessons.lessons import inversion, inversion_runs
    from ecg_lessons.plans import Plan

    chosen = inversion.plan(network, preset)
    chosen = (Plan.read(plan, chosen) if plan else chosen).but(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed
    )
    folder = to or Path("runs") / f"inversion-{name or network}"

    def progress(epoch: int, row: dict) -> None:
        out.print(
            f"epoch {epoch}/{chosen.epochs}  loss {row['loss']:.4f}  validation loss {row['val_loss']:.4f}"
        )

    csv = _csv(data_csv, labels_csv)
    run = inversion_runs.train(
        folder, network, source, split, task, chosen, csv=csv, tensorboard=tensorboard, progress=progress
    )
    epochs = len(run.history)
    if epochs < chosen.epochs:
        out.print(
            f"Stopped after {epochs} epochs: the last {chosen.patience} brought no lower validation loss."
        )
    files = f" --data-csv {data_csv} --labels-csv {labels_csv}" if csv else ""
    out.print(f"The run is in {run.folder} ({epochs} epochs). Next: ecg-lessons evaluate {run.folder}{files}")


@export_app.command("inversion")
def export_inversion(
    to: Annotated[Path, typer.Option(help="The folder for data.csv and labels.csv.")],
    source: Annotated[str, typer.Option(help="sample, physionet or ludb.")] = "sample",
    seed: Annotated[int, typer.Option(min=0)] = 42,
) -> None:
    """Lesson 1: write the original's two CSV files, half of the ECGs with exchanged electrodes."""
    environment.setup()
    from ecg_lessons.lessons import inversion, inversion_files

    out.print(
        f"data.csv and labels.csv are in {inversion_files.export(inversion.examples(source), to, seed)}."
    )


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    source: Annotated[
        str | None, typer.Option(help="Other recordings than the run's own test patients.")
    ] = None,
    data_csv: Csv = None,
    labels_csv: Labels = None,
) -> None:
    """Score a run on its test patients, with 95 % intervals over patients."""
    opened, runs, _ = _open(run)
    result = runs.evaluate(opened, source, _csv(data_csv, labels_csv))
    out.print(_score_table(f"{run}: {source or data_csv or 'test patients'}", result))


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    recordings: Annotated[Path, typer.Argument(help="A WFDB record, a folder of records, or a CSV file.")],
    to: Annotated[Path, typer.Option(help="The CSV file to write.")],
    threshold: Annotated[float, typer.Option(min=0, max=1)] = 0.5,
) -> None:
    """Let a run judge recordings and write the verdicts as CSV."""
    from ecg_lessons.data import tables

    opened, _, files = _open(run)
    table = files.verdicts(opened, files.read_input(recordings), threshold)
    tables.write_predictions(to, table.pop("ID"), table)
    out.print(f"{len(table)} verdicts are in {to}, {int(table['TARGET'].sum())} of them 1.")


@app.command()
def results(
    lesson: Annotated[str, typer.Argument(help="inversion")],
    to: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("data/results"),
    runs: Annotated[Path, typer.Option(help="Where the runs go; an interrupted call goes on there.")] = Path(
        "runs/results"
    ),
) -> None:
    """Measure a lesson on the real databases and store the numbers as JSON."""
    environment.setup()
    if lesson != "inversion":
        raise InputError(f"There is no lesson {lesson!r} with results: choose inversion.")
    from ecg_lessons.lessons import inversion_results

    jobs = inversion_results.jobs()
    for job in track(jobs, description="Training", console=out):
        inversion_results.run(job, runs)
    out.print(f"The results are in {inversion_results.write(jobs, runs, to)}.")


@app.command()
def course(
    to: Annotated[Path, typer.Option(help="The folder for notebooks and pages.")] = Path("build/course"),
    lesson: Annotated[str | None, typer.Option(help="Run one lesson only, such as 01.")] = None,
) -> None:
    """Run the lessons on the built-in cohort and show them on one page, index.html."""
    from ecg_lessons import course as whole

    lessons = whole.build(to, lesson, out)
    out.print(f"Open {to / 'index.html'} in a browser.", markup=False)
    raise typer.Exit(1 if any(one.failure for one in lessons) else 0)


def _csv(data: Path | None, labels: Path | None) -> tuple[Path, Path] | None:
    if (data is None) != (labels is None):
        raise InputError("--data-csv and --labels-csv belong together: give both or neither.")
    return (data, labels) if data else None


def _open(folder: Path):
    """Open a run; give it with the two modules of its lesson, for runs and for files."""
    environment.setup()
    from ecg_lessons import training
    from ecg_lessons.lessons import inversion_files, inversion_runs

    opened = training.Run.open(folder)
    known = {"inversion": (inversion_runs, inversion_files)}
    lesson = opened.about.get("lesson")
    if lesson not in known:
        raise InputError(f"{folder} is a run of lesson {lesson!r}, which this version does not know.")
    return opened, *known[lesson]


def _score_table(title: str, result: dict) -> Table:
    table = Table("score", "value", "95 % interval", title=title, title_justify="left")
    entries = {name: value for name, value in result.items() if name != "sensitivity"}
    entries |= {f"sensitivity {swap}": value for swap, value in result["sensitivity"].items()}
    for name, value in entries.items():
        interval = f"{value.low:.3f}-{value.high:.3f}" if hasattr(value, "low") else ""
        table.add_row(name.replace("_", " "), f"{getattr(value, 'value', value):.3f}", interval)
    return table


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
