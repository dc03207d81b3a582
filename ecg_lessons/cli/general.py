"""Commands for all lessons: check, fetch, simulate, evaluate, predict, results, course."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ecg_lessons import machine
from ecg_lessons.cli import beat_images, common, heartbeat, inversion, rhythm
from ecg_lessons.cli.common import app, out
from ecg_lessons.data import catalog
from ecg_lessons.data import fetch as downloads
from ecg_lessons.errors import InputError


@app.command()
def check() -> None:
    """Look at this machine: Python, packages, device, memory, disk, data."""
    report = machine.check()
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
    patients: Annotated[
        int | None,
        typer.Option(min=1, help="120; 40 with arrhythmias, 400 with infarctions, 600 with rhythms."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    arrhythmias: Annotated[
        bool,
        typer.Option(
            "--arrhythmias", help="Long two-lead records with annotated beats, in the layout of MIT-BIH."
        ),
    ] = False,
    infarctions: Annotated[
        bool,
        typer.Option("--infarctions", help="Normal hearts and infarctions, half and half, by territory."),
    ] = False,
    rhythms: Annotated[
        bool,
        typer.Option(
            "--rhythms", help="One lead for half a minute: N, A, O and ~, in the layout of CinC 2017."
        ),
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(help="Length of each record, with --arrhythmias (3).")
    ] = None,
) -> None:
    """Simulate a cohort of patients and write it as WFDB: 12-lead ECGs in the layout of PTB-XL, or another."""
    from ecg_lessons import simulator

    asked = {"--arrhythmias": arrhythmias, "--infarctions": infarctions, "--rhythms": rhythms}
    chosen = [option for option, wanted in asked.items() if wanted] or [""]
    if len(chosen) > 1:
        number = {2: "two", 3: "three"}[len(chosen)]
        raise InputError(f"{' and '.join(chosen)} are {number} cohorts: choose one of them.")
    if minutes is not None and not arrhythmias:
        raise InputError(
            "--minutes belongs to --arrhythmias: 12-lead recordings last ten seconds, those of one lead half a minute."
        )
    make, usual = {
        "": (simulator.simulate_cohort, 120),
        "--arrhythmias": (
            partial(simulator.simulate_arrhythmias, minutes=3.0 if minutes is None else minutes),
            40,
        ),
        "--infarctions": (simulator.simulate_infarctions, 400),
        "--rhythms": (simulator.simulate_rhythms, 600),
    }[chosen[0]]
    patients = patients or usual
    with out.status("Simulating") as status:

        def progress(done: int, all_: int) -> None:
            status.update(f"Simulating {done}/{all_}")

        make(to, patients, seed=seed, progress=progress)
    out.print(f"{patients} simulated patients are in {to}.")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    source: Annotated[
        str | None, typer.Option(help="Other recordings than the run's own test patients.")
    ] = None,
    data_csv: common.Csv = None,
    labels_csv: common.Labels = None,
    pictures: common.Pictures = None,
    train_csv: common.TrainCsv = None,
    test_csv: common.TestCsv = None,
    normal_csv: common.NormalCsv = None,
    abnormal_csv: common.AbnormalCsv = None,
) -> None:
    """Score a run on its test patients, with 95 % intervals over patients."""
    opened, lesson = _open(run)
    tables = common.tables_of(
        train_csv=train_csv, test_csv=test_csv, normal_csv=normal_csv, abnormal_csv=abnormal_csv
    )
    lesson.evaluate(opened, source, common.csv_pair(data_csv, labels_csv), pictures, tables)


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    recordings: Annotated[
        Path, typer.Argument(help="A WFDB record, a folder of records, lesson 1's CSV, or lesson 2's .mat.")
    ],
    to: Annotated[Path, typer.Option(help="The CSV file to write.")],
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Lesson 1: call it inverted above this (0.5).")
    ] = None,
) -> None:
    """Let a run judge recordings and write the verdicts as CSV."""
    opened, lesson = _open(run)
    lesson.predict(opened, recordings, to, threshold)


@app.command()
def results(
    lesson: Annotated[
        str, typer.Argument(help="inversion, rhythm, beat-images, patients, heartbeat or infarction")
    ],
    to: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("data/results"),
    runs: Annotated[Path, typer.Option(help="Where the runs go; an interrupted call goes on there.")] = Path(
        "runs/results"
    ),
    only: Annotated[
        str | None,
        typer.Option(
            help="With rhythm and heartbeat: the trainings with this in their folder's name, such as bigru-smote; "
            "stored numbers of others stay."
        ),
    ] = None,
) -> None:
    """Measure a lesson on the real databases and store the numbers as JSON."""
    machine.setup()
    from ecg_lessons.lessons import (
        beat_image_results,
        heartbeat_results,
        infarction_results,
        inversion_results,
        patient_measured,
        rhythm_results,
    )

    known = {"inversion": inversion_results, "beat-images": beat_image_results, "patients": patient_measured}
    known |= {"heartbeat": heartbeat_results, "infarction": infarction_results, "rhythm": rhythm_results}
    if lesson not in known:
        raise InputError(f"There is no lesson {lesson!r} with results: choose {' or '.join(known)}.")
    measured = known[lesson]
    jobs = measured.jobs()
    if only is not None:
        if lesson not in ("rhythm", "heartbeat"):
            raise InputError(f"--only goes with rhythm and heartbeat; {lesson} is measured as a whole.")
        jobs = [job for job in jobs if only in job.folder(runs).name]
        if not jobs:
            one = measured.jobs()[0].folder(runs).name
            raise InputError(f"No training of {lesson} has {only!r} in its name; one is called {one}.")
    for job in track(jobs, description="Training", console=out):
        measured.run(job, runs)
    out.print(f"The results are in {measured.write(jobs, runs, to)}.")


@app.command()
def course(
    to: Annotated[Path, typer.Option(help="The folder for notebooks and pages.")] = Path("build/course"),
    lesson: Annotated[str | None, typer.Option(help="Run one lesson only, such as 01.")] = None,
) -> None:
    """Run the lessons on the built-in cohort and show them on one page, index.html."""
    from ecg_lessons.course import course as whole

    lessons = whole.build(to, lesson, out)
    out.print(f"Open {to / 'index.html'} in a browser.", markup=False)
    raise typer.Exit(1 if any(one.failure for one in lessons) else 0)


def _open(folder: Path):
    """Open a run; give it with the commands of its lesson."""
    machine.setup()
    from ecg_lessons import training

    if (folder / "run.json").exists() and training.Run(folder).about.get("protocol") == "leave-one-out":
        raise InputError(
            f"{folder} holds a training for each patient: give 'ecg-lessons summarize {folder}'."
        )
    opened = training.Run.open(folder)
    known = {"inversion": inversion, "rhythm": rhythm, "beat-images": beat_images, "heartbeat": heartbeat}
    lesson = opened.about.get("lesson")
    if lesson not in known:
        raise InputError(f"{folder} is a run of lesson {lesson!r}, which this version does not know.")
    return opened, known[lesson]
