"""Commands for many trainings: `sweep`, `split`, and the table that `summarize` prints of a sweep."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ecg_lessons import machine
from ecg_lessons.cli.common import app, out
from ecg_lessons.errors import InputError
from ecg_lessons.experiments import jobs, runners, summary, trials

SWEEPS = Path("runs/sweeps")


def rhythm_model(path: Path, changes: dict) -> None:
    """Check a model file of lesson 2, with the changes of a job."""
    machine.setup()
    from ecg_lessons.lessons import rhythm

    rhythm.design(path, **changes)


def rhythm_trial(
    *,
    model_file: Path,
    network: str,
    split: str,
    folder: Path,
    source: str,
    recordings: int,
    changes: dict,
    tensorboard: bool,
    progress: trials.Progress | None,
) -> dict:
    """Train and score a network of lesson 2: F1 by class, their mean without noise, accuracy."""
    machine.setup()
    import keras

    from ecg_lessons.lessons import rhythm, rhythm_runs

    keras.utils.clear_session()  # a worker may have trained another network before
    given = rhythm.examples(source, **({"recordings": recordings} if recordings else {}))
    run = rhythm_runs.train(
        rhythm.design(model_file, **changes),
        folder,
        source,
        split,
        name=network,
        given=given,
        tensorboard=tensorboard,
        progress=progress,
    )
    result = rhythm_runs.evaluate(run, given=given)
    by_class = {f"F1 {name}": row["f1"].value for name, row in result["by_class"].items()}
    return by_class | {"mean(N,A,O)": result["mean_f1"].value, "accuracy": result["accuracy"].value}


@dataclass(frozen=True)
class Wiring:
    """How a lesson takes part in sweeps: a check of its model files, its trial function, and what that imports."""

    check: Callable[[Path, dict], None]
    train: str
    imports: str = ""


LESSONS = {
    "rhythm": Wiring(
        rhythm_model, "ecg_lessons.cli.experiments:rhythm_trial", "ecg_lessons.lessons.rhythm_runs"
    )
}


@app.command()
def sweep(
    job: Annotated[Path, typer.Argument(help="A job file, such as experiments/jobs/smoke.toml.")],
    to: Annotated[Path, typer.Option("--out", help="The folder of all sweeps.")] = SWEEPS,
    one: Annotated[
        str | None,
        typer.Option(help="Train only this model, on the first fold, here and aloud: to find faults."),
    ] = None,
    serial: Annotated[bool, typer.Option("--serial", help="One trial after the other, without Ray.")] = False,
) -> None:
    """Train models on folds, as a job file says; what was interrupted goes on where it was."""
    asked = jobs.read(job)
    if asked.lesson not in LESSONS:
        raise InputError(
            f"{job}: lesson {asked.lesson!r} takes no part in sweeps; choose {', '.join(LESSONS)}."
        )
    if one is not None and one not in asked.models:
        raise InputError(f"{job} has no model {one!r}: choose {', '.join(asked.models)}.")
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ and not to.is_absolute():
        raise InputError(
            f"--out {to} would be lost with the uploaded code: give a whole path that all machines share."
        )
    wiring = LESSONS[asked.lesson]
    for model in asked.models:
        wiring.check(asked.model_file(model), asked.plan)
    planned = trials.of(asked, to)
    if one is not None:
        planned = [trial for trial in planned if trial.model == one][:1]
    with trials.alone(to, asked.name):
        for trial in planned:
            trial.prepare()
        left = [trial for trial in planned if not trial.finished]
        if one is not None:
            _aloud(planned[0], wiring.train)
            return
        refused = _run(planned, left, wiring, serial) if left else {}
    for trial, reason in refused.items():
        out.print(f"{trial}: {reason}", markup=False)
    if refused:
        raise InputError(
            f"{len(refused)} of {len(planned)} trials did not finish: mend that and sweep again."
        )
    out.print(f"All trials are in {to} ({len(planned)}). Next: ecg-lessons summarize {to}", markup=False)


def _run(planned: list, left: list, wiring: Wiring, serial: bool) -> dict:
    """Run what is left, with one line that tells how far all came."""
    by_ray = not serial and runners.ray_is_there()
    begun = {trial: trial.epochs for trial in left}
    if len(left) < len(planned):
        out.print(f"{len(planned) - len(left)} of {len(planned)} trials are finished already.")
    if not by_ray and not serial:
        out.print(
            "Ray is not installed, so one trial after the other: pip install 'ecg-lessons[cluster]'.",
            markup=False,
        )
    with out.status("Starting Ray" if by_ray else "Starting") as status:

        def tick() -> None:
            done = sum(trial.finished for trial in planned)
            now = [f"{one} epoch {one.epochs}" for one in left if not one.finished and one.epochs > 0]
            status.update(f"{done} of {len(planned)} done   " + "   ".join(now[:4]))

        def tell(trial: trials.Trial, event: str) -> None:
            more = ""
            if event == "starts" and trial.epochs:
                more = f" after epoch {trial.epochs}"
            if event == "finished":
                told = trial.result()
                last = list(told["scores"].items())[-2:]
                more = "  " + "  ".join(f"{name} {value:.3f}" for name, value in last)
                now = told["epochs"] - begun[trial]
                earlier = "" if now == told["epochs"] else f", {now} of them now"
                more += f"  ({told['epochs']} epochs{earlier}, {told['seconds']:.0f} s)"
            out.print(f"{trial} {event}{more}", markup=False)
            tick()

        if by_ray:
            return runners.by_ray(left, wiring.train, tell, tick, imports=wiring.imports)
        return runners.serial(left, wiring.train, tell, tick)


def _aloud(trial: trials.Trial, train: str) -> None:
    """Run one trial in this process, a line an epoch, faults shown whole."""
    out.print(f"{trial}, in {trial.folder}", markup=False)

    def progress(epoch: int, row: dict) -> None:
        out.print(
            f"epoch {epoch}  " + "  ".join(f"{name} {row[name]:.4g}" for name in row if name != "epoch")
        )

    scores = trial.result()["scores"] if trial.finished else trial.run(train, progress)
    out.print("  ".join(f"{name} {value:.3f}" for name, value in scores.items()), markup=False)


@app.command()
def split(
    to: Annotated[Path, typer.Option(help="The JSON file; with --folds, the folder of one file a fold.")],
    train: Annotated[float, typer.Option(help="Share, or number of recordings.")] = 0.6,
    validation: Annotated[float, typer.Option(help="Share, or number of recordings.")] = 0.2,
    test: Annotated[float, typer.Option(help="Share, or number of recordings.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="14 is the paper's.")] = 14,
    folds: Annotated[
        int | None, typer.Option(help="All of so many stratified folds, instead of sizes.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="sample (built-in cohort) or physionet (CinC 2017).")
    ] = "sample",
    recordings: Annotated[int | None, typer.Option(min=1, help="Size of the built-in cohort.")] = None,
) -> None:
    """Lesson 2: divide the recordings, with classes spread evenly, and keep who stands where as JSON."""
    machine.setup()
    from ecg_lessons import splits
    from ecg_lessons.lessons import rhythm

    with out.status("Reading the recordings"):
        given = rhythm.examples(source, **({"recordings": recordings} if recordings else {}))
    about = {"source": source, "seed": seed}
    if folds is None:
        made = splits.sized(given, train, validation, test, seed)
        about |= {"train": train, "validation": validation, "test": test}
        made = {splits.write(made, given, to, about): made}
    else:
        parts = [splits.recording_fold(given, number, folds, seed=seed) for number in range(folds)]
        about |= {"folds": folds}
        made = {
            splits.write(part, given, to / f"fold-{number}.json", about | {"fold": number}): part
            for number, part in enumerate(parts)
        }
    for path, part in made.items():
        sizes = ", ".join(f"{side} {len(rows):,}" for side, rows in part.sides.items())
        out.print(f"{path}: {sizes}", markup=False)


def is_sweep(folder: Path) -> bool:
    """Tell whether a path holds trials, or names a model that a sweep would train into the usual place."""
    return bool(summary.folders(_place(folder))) or (folder == SWEEPS and not folder.exists())


def _place(folder: Path) -> Path:
    return folder if folder.exists() else SWEEPS / folder


def summarize(folder: Path) -> None:
    """Print the table of a sweep, F1 and accuracy in percent; `folder` may be the name of a model."""
    place = _place(folder)
    found = summary.summarise(place)
    columns = list(dict.fromkeys(name for row in found for name in row.scores))
    table = Table(
        *("model", "job", "folds", *columns),
        title=f"{place}: mean ± deviation over folds, %",
        title_justify="left",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for row in found:
        cells = [_cell(row, name) for name in columns]
        table.add_row(row.model, row.job, str(len(row.scores)), *cells)
    Console(width=max(out.width, 100)).print(table)  # eighty columns would cut numbers off
    for row in found:
        if row.missing:
            out.print(f"{row.model} {row.job}: missing {', '.join(row.missing)}.", markup=False)


def _cell(row: summary.Summary, name: str) -> str:
    """Write mean and deviation; of one fold there is no deviation."""
    if name not in row.scores:
        return "-"
    mean, deviation = 100 * row.mean[name], 100 * row.deviation[name]
    return f"{mean:.1f}" + ("" if deviation != deviation else f"±{deviation:.1f}")
