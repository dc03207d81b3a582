"""Commands of lesson 5: heartbeats, and infarctions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecg_lessons import machine
from ecg_lessons.cli import common
from ecg_lessons.cli.common import export_app, out, train_app
from ecg_lessons.errors import InputError

Network = Annotated[
    str | None,
    typer.Option(help="cnet, seq2seq, bilstm, bigru or ours; that of --transfer-from, or else cnet."),
]
Split = Annotated[
    str | None,
    typer.Option(
        help="by-patient, random-beats (leaky), fold-0 to fold-4, beats-fold-0 to beats-fold-9; de-chazal for "
        "MIT-BIH; files for --train-csv with --test-csv."
    ),
]
Smote = Annotated[
    bool | None, typer.Option("--smote/--no-smote", help="Short for --balance smote or --balance none.")
]
Balance = Annotated[
    str | None, typer.Option(help="none, smote, smote-tomek (the original's), weights or focal.")
]
Transfer = Annotated[
    Path | None, typer.Option(help="A run of lesson 5 whose network gets two new last layers and goes on.")
]
Frozen = Annotated[bool, typer.Option("--frozen", help="Train these two layers only.")]
Share = Annotated[float, typer.Option(help="Use the labels of this share of the patients, such as 0.01.")]
Rule = Annotated[str, typer.Option(help="R peaks: annotated, or published (the paper's rule).")]
Out = Annotated[Path | None, typer.Option("--out", help="The run folder.")]
To = Annotated[Path, typer.Option(help="A new folder for the two CSV files.")]

#: What is said of a run on beats of nobody knows whom.
_NAMELESS = "The CSV files name no patients: a score on them may be of hearts that the network has met."
#: The options that name the files of a task.
_FILES = {"heartbeat": ("--train-csv", "--test-csv"), "infarction": ("--normal-csv", "--abnormal-csv")}


@train_app.command("heartbeat")
@common.with_changes
def train_heartbeat(
    network: Network = None,
    source: Annotated[str, typer.Option(help="sample (built-in cohort) or physionet (MIT-BIH).")] = "sample",
    preset: common.Preset = "laptop",
    split: Split = None,
    rule: Rule = "annotated",
    smote: Smote = None,
    balance: Balance = None,
    transfer_from: Transfer = None,
    frozen: Frozen = False,
    share: Share = 1.0,
    train_csv: common.TrainCsv = None,
    test_csv: common.TestCsv = None,
    to: Out = None,
    plan: common.PlanFile = None,
    *,
    changes: common.Changes,
) -> None:
    """Lesson 5: learn to name heartbeats N, S, V, F and Q."""
    how = {"rule": rule, "transfer_from": transfer_from, "frozen": frozen, "share": share}
    how |= {"balance": _balance(smote, balance), "tensorboard": changes.tensorboard}
    tables = common.tables_of(train_csv=train_csv, test_csv=test_csv)
    _train("heartbeat", to, network, source, split, tables, preset, plan, changes, how)


@train_app.command("infarction")
@common.with_changes
def train_infarction(
    network: Network = None,
    source: Annotated[
        str, typer.Option(help="sample (built-in cohort), physionet (PTB-XL) or ptbdb (PTB Diagnostic).")
    ] = "sample",
    preset: common.Preset = "laptop",
    split: Split = None,
    smote: Smote = None,
    balance: Balance = None,
    transfer_from: Transfer = None,
    frozen: Frozen = False,
    share: Share = 1.0,
    normal_csv: common.NormalCsv = None,
    abnormal_csv: common.AbnormalCsv = None,
    to: Out = None,
    plan: common.PlanFile = None,
    *,
    changes: common.Changes,
) -> None:
    """Lesson 5: learn to tell myocardial infarction from normal, from scratch or from a heartbeat run."""
    how = {"transfer_from": transfer_from, "frozen": frozen, "share": share}
    how |= {"balance": _balance(smote, balance), "tensorboard": changes.tensorboard}
    tables = common.tables_of(normal_csv=normal_csv, abnormal_csv=abnormal_csv)
    _train("infarction", to, network, source, split, tables, preset, plan, changes, how)


def _balance(smote: bool | None, balance: str | None) -> str:
    """Hold the two options together."""
    if smote is None:
        return balance or "none"
    if balance not in (None, *(("smote", "smote-tomek") if smote else ("none", "weights", "focal"))):
        raise InputError(
            f"--{'' if smote else 'no-'}smote and --balance {balance} contradict: give one of them."
        )
    return balance or ("smote" if smote else "none")


def _train(
    task: str,
    to: Path | None,
    network: str | None,
    source: str,
    split: str | None,
    tables: dict[str, Path],
    preset: str,
    plan: Path | None,
    changes: common.Changes,
    how: dict,
) -> None:
    """Train after the wishes of a command."""
    machine.setup()
    from ecg_lessons.lessons import heartbeat as lesson
    from ecg_lessons.lessons import heartbeat_choices as choices
    from ecg_lessons.lessons import heartbeat_runs as runs

    if len(tables) == 1:
        raise InputError(f"{' and '.join(_FILES[task])} belong together: give both or neither.")
    start = choices.origin(how["transfer_from"], task, "csv" if tables else source, network, how["frozen"])
    network = choices.network_of(network, start)
    chosen = changes.of(lesson.plan(network, preset, task), plan)
    if how["balance"] == "smote-tomek":  # compares every beat with every other
        out.print("Looking for Tomek pairs before the first epoch: ten minutes and more on all of MIT-BIH.")
    run = runs.train(
        to or Path("runs") / f"{task}-{network}",
        task,
        network,
        source,
        split,
        chosen,
        csv=tuple(tables.values()) or None,
        progress=common.progress_of(chosen.epochs),
        **how,
    )
    common.tell_end(run, chosen, "".join(f" {option} {path}" for option, path in tables.items()))
    if tables:
        out.print(_NAMELESS)


@export_app.command("heartbeat")
def export_heartbeat(
    to: To,
    source: Annotated[str, typer.Option(help="sample or physionet.")] = "sample",
    rule: Rule = "annotated",
    seed: Annotated[int, typer.Option(min=0)] = 42,
) -> None:
    """Lesson 5: write mitbih_train.csv and mitbih_test.csv, split at random as the original did."""
    _export("heartbeat", to, source, rule, seed)


@export_app.command("infarction")
def export_infarction(
    to: To, source: Annotated[str, typer.Option(help="sample, physionet or ptbdb.")] = "sample"
) -> None:
    """Lesson 5: write ptbdb_normal.csv and ptbdb_abnormal.csv."""
    _export("infarction", to, source)


def _export(task: str, to: Path, source: str, rule: str = "annotated", seed: int = 0) -> None:
    machine.setup()
    from ecg_lessons.lessons import heartbeat as lesson
    from ecg_lessons.lessons import heartbeat_tables as files

    files.refuse_full(to)
    with out.status("Reading the beats"):
        given = lesson.load(task, source, rule)
    files.export(task, given, to, seed)
    out.print(f"{len(given)} beats are in {to}: {' and '.join(files.NAMES[task])}.")


def evaluate(
    run,
    source: str | None,
    csv: tuple[Path, Path] | None,
    pictures: Path | None,
    tables: dict[str, Path],
) -> None:
    """Score a run of lesson 5 and print it, class by class."""
    from ecg_lessons.lessons import heartbeat_runs as runs

    about = run.about
    files = _FILES[about["task"]]
    wrong = [option for option in tables if option not in files]
    wrong += ["--data-csv"] * bool(csv) + ["--pictures"] * bool(pictures)
    if source and tables:
        raise InputError(f"Judge either the recordings of --source {source} or the CSV files, not both.")
    if wrong:
        raise InputError(
            f"{run.folder} is a run of the task {about['task']} of lesson 5: leave {wrong[0]} out."
        )
    result = runs.evaluate(run, source, tuple(tables.values()) or None)
    by_class, left_out = result.pop("by_class"), result.pop("left_out")
    what = source or " and ".join(map(str, tables.values())) or "test beats"
    out.print(common.score_table(f"{run.folder}: {what}, trained on split {about['split']}", result))
    out.print(common.class_table(by_class))
    common.tell_left_out(left_out)
    common.tell_leak(about["split"])
    if tables:
        out.print(_NAMELESS)


def predict(run, recordings: Path, to: Path, threshold: float | None) -> None:
    """Name the beats of recordings by a run of lesson 5, or tell which recordings show an infarction."""
    from ecg_lessons.data.tables import write_predictions
    from ecg_lessons.lessons import heartbeat_files as files

    if threshold is not None:
        raise InputError("Lesson 5 names the likeliest class: leave --threshold out.")
    table = files.verdicts(run, recordings)
    write_predictions(to, table.pop("ID"), table)
    counts = ", ".join(f"{n:,} {name}" for name, n in table["CLASS"].value_counts().items())
    out.print(f"{len(table)} verdicts are in {to}: {counts}.", markup=False)
