"""Commands of one training: from recordings, simulated or fetched, to verdicts."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ecg_lessons.cli import declared
from ecg_lessons.cli.tables import out
from ecg_lessons.data import catalog
from ecg_lessons.errors import InputError

commands = typer.Typer()


@commands.command()
def simulate(
    to: Annotated[Path, Option(help="A new folder.")],
    patients: Annotated[int | None, Option(min=1, help="120; arrhythmias 40, infarctions 400, rhythms 600.")] = None,
    seed: Annotated[int, Option(min=0)] = 0,
    arrhythmias: Annotated[bool, Option("--arrhythmias", help="Long two-lead records, laid out as MIT-BIH.")] = False,
    infarctions: Annotated[bool, Option("--infarctions", help="Normal hearts and infarctions, half and half.")] = False,
    rhythms: Annotated[bool, Option("--rhythms", help="One lead for half a minute, laid out as CinC 2017.")] = False,
    minutes: Annotated[float | None, Option(help="Length of each record, with --arrhythmias (3).")] = None,
) -> None:
    """Simulate a cohort of patients and write it as WFDB: 12-lead ECGs in the layout of PTB-XL, or another."""
    from ecg_lessons import simulator

    asked = {
        "--arrhythmias": (arrhythmias, partial(simulator.simulate_arrhythmias, minutes=minutes or 3.0), 40),
        "--infarctions": (infarctions, simulator.simulate_infarctions, 400),
        "--rhythms": (rhythms, simulator.simulate_rhythms, 600),
    }
    chosen = [option for option, (wanted, *_) in asked.items() if wanted]
    if len(chosen) > 1:
        number = {2: "two", 3: "three"}[len(chosen)]
        raise InputError(f"{' and '.join(chosen)} are {number} cohorts: choose one of them.")
    if minutes is not None and not arrhythmias:
        others = "12-lead recordings last ten seconds, those of one lead half a minute"
        raise InputError(f"--minutes belongs to --arrhythmias: {others}.")
    _, make, usual = asked[chosen[0]] if chosen else (True, simulator.simulate_cohort, 120)
    patients = patients or usual
    with out.status("Simulating") as status:
        make(to, patients, seed=seed, progress=lambda done, of: status.update(f"Simulating {done}/{of}"))
    out.print(f"{patients} simulated patients are in {to}.")


@commands.command(cls=declared.of_run(declared.evaluate_command))
def evaluate() -> None:
    """Score a run on its test rows, with 95 % intervals over patients."""


@commands.command(cls=declared.of_run(declared.predict_command))
def predict() -> None:
    """Let a run judge recordings and write the verdicts as CSV."""


@commands.command(cls=declared.of_run(declared.convert_command))
def convert() -> None:
    """Write the network of a run as ONNX, TFLite or SavedModel."""


for name, make, words in (
    ("train", declared.train_command, "Train a network of a lesson into a run folder."),
    ("export", declared.export_command, "Write examples in the format of the original project."),
):
    commands.add_typer(typer.Typer(cls=declared.of_lessons(make), no_args_is_help=True, help=words), name=name)


@commands.command()
def fetch(
    dataset: Annotated[str, Argument(help=f"One of {', '.join(catalog.DATASETS)}.")],
    whole_zip: Annotated[bool, Option("--zip", help="Get the whole project as one zip.")] = False,
    verify: Annotated[bool, Option("--verify", help="Compare every file with PhysioNet's checksums anew.")] = False,
) -> None:
    """Download a dataset from PhysioNet. An interrupted download goes on where it stopped."""
    from ecg_lessons.data import fetch as downloads

    out.print(f"{dataset} is in {downloads.fetch(dataset, whole_zip=whole_zip, verify=verify)}")
