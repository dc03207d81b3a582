"""Commands of lesson 3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.progress import Progress
from rich.table import Table

from ecg_lessons import machine
from ecg_lessons.cli import common
from ecg_lessons.cli.common import export_app, out, train_app
from ecg_lessons.errors import InputError

_LEGEND = (
    "N normal, / paced, L and R bundle branch block, V ventricular and A atrial premature, ! flutter, E escape. "
    "Majority: always naming the most frequent class. Arrhythmia: any class but N."
)


@train_app.command("beat-images")
@common.with_changes
def train(
    network: Annotated[
        str, typer.Option(help="light, signal, jun (the paper's), alexnet, vgg16, resnet50 or inceptionv3.")
    ] = "light",
    source: Annotated[str, typer.Option(help="sample (built-in cohort) or physionet (MIT-BIH).")] = "sample",
    preset: common.Preset = "laptop",
    split: Annotated[
        str,
        typer.Option(
            help="by-patient, random-beats (leaky), de-chazal, fold-0 to fold-4, or beats-fold-0 to beats-fold-9."
        ),
    ] = "by-patient",
    augment: Annotated[str, typer.Option(help="nine-crops, or nothing.")] = "",
    rr: Annotated[bool, typer.Option("--rr", help="Give the RR intervals beside the picture.")] = False,
    most: Annotated[
        int | None, typer.Option(min=1, help="Train on at most so many beats of each class of each patient.")
    ] = None,
    compare: Annotated[
        str, typer.Option(help="More networks, such as alexnet,vgg16: each into a folder beside --out.")
    ] = "",
    pictures: common.Pictures = None,
    to: Annotated[Path | None, typer.Option("--out", help="The run folder.")] = None,
    plan: common.PlanFile = None,
    *,
    changes: common.Changes,
) -> None:
    """Lesson 3: learn to tell eight kinds of heartbeat from their pictures."""
    machine.setup()
    from ecg_lessons.lessons import beat_image_runs as runs
    from ecg_lessons.lessons import beat_images as lesson

    if augment not in {"", "nine-crops"}:
        raise InputError(f"There is no augmentation {augment!r}: choose nine-crops, or leave --augment out.")
    names = list(dict.fromkeys([network, *filter(None, compare.replace(" ", "").split(","))]))
    plans = [changes.of(lesson.plan(name, preset), plan) for name in names]
    base = to or Path("runs") / f"beat-images-{network}"
    folders = [base, *(base.with_name(f"{base.name}-{name}") for name in names[1:])]
    with out.status("Reading the beats"):
        given = lesson.from_pictures(pictures) if pictures else lesson.examples(source)
    sight = lesson.Sight(augment == "nine-crops", rr)
    trained = []
    for name, chosen, folder in zip(names, plans, folders, strict=True):
        if len(names) > 1:
            out.print(f"{name}:")
        run = runs.train(
            folder,
            name,
            "pictures" if pictures else source,
            split,
            sight if name == network else sight.but_for(name),
            chosen,
            most=most,
            given=given,
            tensorboard=changes.tensorboard,
            progress=common.progress_of(chosen.epochs),
        )
        common.tell_end(run, chosen, f" --pictures {pictures}" if pictures else "")
        trained.append(run)
    if len(trained) > 1:
        out.print(_compared(trained, [runs.evaluate(run, given=given) for run in trained]))
        common.tell_leak(split)


def _compared(trained: list, found: list[dict]) -> Table:
    """Set networks side by side."""
    table = Table(
        *("network", "parameters", "s/epoch", "accuracy", "majority", "macro F1"),
        title=f"Test beats, split {trained[0].about['split']}",
        title_justify="left",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for run, result in zip(trained, found, strict=True):
        seconds = run.history["seconds"].median()
        row = (
            f"{run.model.count_params():,}",
            f"{seconds:.0f}",
            str(result["accuracy"]),
            f"{result['majority'].value:.3f}",
            f"{result['macro_f1'].value:.3f}",
        )
        table.add_row(run.about["network"], *row)
    return table


@export_app.command("beat-images")
def export(
    to: Annotated[Path, typer.Option(help="A new folder, one folder a class inside.")],
    source: Annotated[str, typer.Option(help="sample or physionet.")] = "sample",
    most: Annotated[
        int | None, typer.Option(min=1, help="At most so many beats of each class of each patient.")
    ] = None,
) -> None:
    """Lesson 3: write every beat as a PNG file, the format that the original tutorial starts from."""
    machine.setup()
    from ecg_lessons.lessons import beat_image_files as files
    from ecg_lessons.lessons import beat_images as lesson

    given = lesson.examples(source)
    given = given if most is None else lesson.thin(given, most)
    with Progress(console=out, transient=True) as bar:
        task = bar.add_task("Drawing", total=len(given))
        files.export(given, to, lambda done, _: bar.update(task, completed=done))
    out.print(f"{len(given)} pictures are in {to}.")


def evaluate(
    run,
    source: str | None,
    csv: tuple[Path, Path] | None,
    pictures: Path | None,
    tables: dict[str, Path],
) -> None:
    """Score a run of lesson 3 and print it, class by class."""
    from ecg_lessons.lessons import beat_image_runs as runs

    if csv:
        raise InputError(f"{run.folder} is a run of lesson 3, which judges beats: leave --data-csv out.")
    common.refuse_tables(run, 3, tables)
    own = pictures is not None and run.about["source"] == "pictures" and source is None
    result = runs.evaluate(
        run, source, None if own else pictures, runs.lesson.from_pictures(pictures) if own else None
    )
    by_class, left_out = result.pop("by_class"), result.pop("left_out")
    split = run.about["split"]
    what = (
        f"{source or pictures}, without recordings it was trained on"
        if source or (pictures and not own)
        else ""
    )
    out.print(common.score_table(f"{run.folder} ({split}): {what or 'test beats'}", result))
    out.print(common.class_table(by_class))
    out.print(_LEGEND, markup=False)
    absent = [name for name in runs.lesson.CLASSES if name not in {*by_class, *left_out}]
    if absent:
        out.print(f"Not among these beats: {' '.join(absent)}.", markup=False)
    common.tell_left_out(left_out)
    common.tell_leak(split)


def predict(run, recordings: Path, to: Path, threshold: float | None) -> None:
    """Name the beats of recordings by a run of lesson 3."""
    from ecg_lessons.data import tables
    from ecg_lessons.lessons import beat_image_files as files

    if threshold is not None:
        raise InputError("Lesson 3 names the likeliest class: leave --threshold out.")
    table = files.verdicts(run, *files.read_input(recordings))
    tables.write_predictions(to, table.pop("ID"), table)
    counts = ", ".join(f"{n:,} {symbol}" for symbol, n in table["CLASS"].value_counts().items())
    out.print(f"{len(table)} verdicts are in {to}: {counts}.", markup=False)
