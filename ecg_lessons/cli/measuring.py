"""Commands of many trainings: the results of a lesson, and sweeps of a job file."""

import os
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ecg_lessons.cli import declared, tables
from ecg_lessons.cli.tables import AsJson, out
from ecg_lessons.errors import InputError

commands = typer.Typer()
SWEEPS = Path("runs/sweeps")


@commands.command()
def results(
    lesson: Annotated[str, Argument(help="A lesson, such as inversion or heartbeat.")],
    to: Annotated[Path, Option(help="Where the JSON goes.")] = Path("data/results"),
    runs: Annotated[Path, Option(help="Where the runs go; a stopped call goes on there.")] = Path("runs/results"),
    only: Annotated[str | None, Option(help="Those with this in their folder's name; numbers of others stay.")] = None,
    jobs: Annotated[int | None, Option(help="Trainings side by side; else 1 on a GPU, or one a core.", min=1)] = None,
) -> None:
    """Measure a lesson on the real databases and store the numbers as JSON."""
    from rich.progress import track

    from ecg_lessons import lessons, machine

    machine.setup()
    study, runs = lessons.study(lesson), runs.absolute()
    measurements = study.measurements(only)
    if (most := jobs or (1 if machine.has_gpu() else machine.cores())) > 1:
        _measure(lesson, measurements, study.trials(measurements, runs), most)
    for measurement in track(measurements, description="Training", console=out):
        study.run(measurement, runs)
    out.print(f"The results are in {study.write(measurements, runs, to)}.")


def _measure(lesson: str, measurements: list, left: list, most: int) -> None:
    """Make measurements side by side; leave them to the caller where there is no room for two at once."""
    from ecg_lessons import machine, trials

    if (number := machine.side_by_side(most, len(left))) == 1:
        return
    with trials.Workers(number, machine.cores() / number, lesson) as pool, out.status("Starting") as status:
        refused = pool.run(left, *_telling(status, len(measurements), left))
    for trial, reason in refused.items():
        out.print(f"{trial}: {reason}")
    if refused:
        raise InputError(f"{len(refused)} of {len(left)} trainings did not finish: mend that and measure again.")


@commands.command()
def summarize(
    folder: Annotated[Path, Argument(help="A folder with many trainings, or a model of a sweep, such as crnn.")],
    as_json: AsJson = False,
) -> None:
    """Sum up many trainings in one folder: scores with intervals, and differences."""
    from ecg_lessons import sweeps

    place = folder if folder.exists() else SWEEPS / folder
    if sweeps.folders(place) or (folder == SWEEPS and not folder.exists()):
        return _summarize_sweep(place, as_json)
    if not (folder / "run.json").is_file():
        raise InputError(f"{folder} is no run: give a folder that 'ecg-lessons train ... --out' or 'sweep' made.")
    report = declared.lesson_of(folder).summarize(folder)
    if as_json:
        return print((folder / "summary.json").read_text(encoding="utf-8"), end="")
    for title, frame in report.tables.items():
        tables.frame(title, frame, "+" if title.startswith("Difference") else "")
    for line in report.lines:
        out.print(line)


def _summarize_sweep(place: Path, as_json: bool) -> None:
    """Print the table of a sweep: mean and deviation over folds (n - 1 in the denominator), in percent."""
    from ecg_lessons import sweeps

    found = sweeps.summarise(place)
    if as_json:
        return tables.as_json([vars(row) | {"scores": row.scores.to_dict("index")} for row in found])
    columns = list(dict.fromkeys(name for row in found for name in row.scores))

    def mean(scores, name: str) -> str:
        if name not in scores:
            return "-"
        mean, deviation = 100 * scores[name].mean(), 100 * scores[name].std(ddof=1)
        return f"{mean:.1f}" + ("" if deviation != deviation else f"±{deviation:.1f}")  # of one fold there is none

    cells = [[row.model, row.job, str(len(row.scores)), *(mean(row.scores, name) for name in columns)] for row in found]
    tables.table(f"{place}: mean ± deviation over folds, %", ["model", "job", "folds", *columns], cells)
    for row in found:
        if row.missing:
            out.print(f"{row.model} {row.job}: missing {', '.join(row.missing)}.")


@commands.command()
def sweep(
    job: Annotated[Path, Argument(help="A job file, such as experiments/jobs/smoke.toml.")],
    to: Annotated[Path, Option("--out", help="The folder of all sweeps.")] = SWEEPS,
    one: Annotated[str | None, Option(help="Only this model, on the first fold, aloud: to find faults.")] = None,
    serial: Annotated[bool, Option("--serial", help="One trial after the other, in this process.")] = False,
    cluster: Annotated[bool, Option("--cluster", help="By Ray, also where RAY_ADDRESS names no cluster.")] = False,
) -> None:
    """Train models on folds, as a job file says; what was interrupted goes on where it was."""
    from ecg_lessons import files, lessons, ray_runner, sweeps

    asked = sweeps.JobFile.read(job)
    if asked.job.lesson not in lessons.titles():
        raise InputError(f"{job}: there is no lesson {asked.job.lesson!r}; choose {', '.join(lessons.titles())}.")
    if one is not None and one not in asked.job.models:
        raise InputError(f"{job} has no model {one!r}: choose {', '.join(asked.job.models)}.")
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ and not to.is_absolute():
        raise InputError(f"--out {to} would be lost with the uploaded code: give a whole path that all machines share.")
    by_ray = not serial and one is None and (cluster or "RAY_ADDRESS" in os.environ)
    if by_ray and not ray_runner.is_there():
        raise InputError("Ray is not installed: pip install 'ecg-lessons[cluster]', or add --serial.")
    planned = asked.trials(to)
    if one is not None:
        planned = [entry for entry in planned if entry[0] == one][:1]
    way = "cluster" if by_ray else "serial" if serial or one else "side by side"
    with files.alone(to / f".{asked.name}.lock", f"Another sweep of {asked.name} is at work in {to}: wait for it."):
        refused = _sweep(asked, planned, way, aloud=one is not None)
    for trial, reason in refused.items():
        out.print(f"{trial}: {reason}")
    if refused:
        raise InputError(f"{len(refused)} of {len(planned)} trials did not finish: mend that and sweep again.")
    if one is None:
        out.print(f"All trials are in {to} ({len(planned)}). Next: ecg-lessons summarize {to}")


def _sweep(asked, planned: list, way: str, aloud: bool) -> dict:
    from ecg_lessons import machine, ray_runner, trials

    left = [trial for _, trial in planned if not trial.finished]
    if left and len(left) < len(planned):
        out.print(f"{len(planned) - len(left)} of {len(planned)} trials are finished already.")
    workers = max(1, min(len(left), int(machine.cores() / asked.job.cpus)))
    with trials.Workers(workers, asked.job.cpus, asked.job.lesson, way == "side by side" and bool(left)) as pool:
        if left or aloud:
            _check(asked)
        for model, trial in planned:
            asked.prepare(model, trial.folder)
        if aloud:
            _aloud(planned[0][1])
        if aloud or not left:
            return {}
        with out.status("Starting") as status:
            tell, tick = _telling(status, len(planned), left)
            if way == "cluster":
                return ray_runner.by_ray(left, (asked.job.cpus, asked.job.gpus), tell, tick)
            return trials.serial(left, tell, tick) if way == "serial" else pool.run(left, tell, tick)


def _check(asked) -> None:
    lesson = declared.lesson_called(asked.job.lesson)
    if "split" not in lesson.usual_options:
        raise InputError(f"{asked.path}: lesson {lesson.name!r} takes no part in sweeps, since it has no splits.")
    try:
        lesson.options(**asked.job.options)
        if asked.job.source not in lesson.sources:
            raise InputError(f"there is no source {asked.job.source!r}; choose {', '.join(lesson.sources)}.")
        for model in asked.job.models:
            lesson.plan(str(asked.model_file(model) or model)).but(**asked.job.plan)
    except TypeError as error:  # an option that the lesson has not
        raise InputError(f"{asked.path}: options: {str(error).partition(') ')[2]}: see 'train --help'.") from None
    except InputError as error:
        raise InputError(f"{asked.path}: {error}") from None


def _telling(status, planned: int, left: list):
    begun = {trial: trial.epochs for trial in left}

    def tick() -> None:
        open_ = [trial for trial in left if not trial.finished]
        now = [f"{trial} epoch {trial.epochs}" for trial in open_ if trial.epochs > 0]
        status.update(f"{planned - len(open_)} of {planned} done   " + "   ".join(now[:4]))

    def tell(trial, event: str) -> None:
        more = f" after epoch {trial.epochs}" if event == "starts" and trial.epochs else ""
        if event == "finished":
            told = trial.result()
            last = "  ".join(f"{name} {value:.3f}" for name, value in list(told.get("scores", {}).items())[-2:])
            earlier = f", {told['epochs'] - begun[trial]} of them now" if begun[trial] else ""
            more = f"  {last}  ({told['epochs']} epochs{earlier}, {told['seconds']:.0f} s)"
        out.print(f"{trial} {event}{more}")
        tick()

    return tell, tick


def _aloud(trial) -> None:
    out.print(f"{trial}, in {trial.folder}")

    def progress(epoch: int, row: dict) -> None:
        out.print(f"epoch {epoch}  " + "  ".join(f"{name} {row[name]:.4g}" for name in row if name != "epoch"))

    scores = trial.run(progress)["scores"]
    out.print("  ".join(f"{name} {value:.3f}" for name, value in scores.items()))
