"""The commands, in the order in which a newcomer meets them, and how they end."""

import os
import sys
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option
from typer.core import TyperGroup

from ecg_lessons.cli import declared, tables
from ecg_lessons.cli.tables import out
from ecg_lessons.data import catalog
from ecg_lessons.errors import InputError, Note, shown


class Newcomers(TyperGroup):
    """The commands in the order in which a newcomer meets them."""

    def list_commands(self, ctx) -> list[str]:
        """Name the commands."""
        first = ["course", "lessons", "lab", "reset", "check", "simulate"]
        first += ["train", "evaluate", "predict", "convert", "export", "fetch"]
        return [*first, *(name for name in super().list_commands(ctx) if name not in first)]


app = typer.Typer(
    cls=Newcomers,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="ECG Lessons: a course on deep learning with the electrocardiogram.",
)
SWEEPS = Path("runs/sweeps")
AsJson = Annotated[bool, Option("--json", help="Print it as JSON.")]


def _version(wanted: bool) -> None:
    from importlib.metadata import version

    if wanted:
        out.print(f"ecg-lessons {version('ecg-lessons')}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """ECG Lessons: a course on deep learning with the electrocardiogram."""


@app.command()
def course(
    lesson: Annotated[str | None, Argument(help="Run one lesson only, such as 1.")] = None,
    to: Annotated[Path, Option(help="The folder for notebooks and pages.")] = Path("build/course"),
    jobs: Annotated[int, Option(help="Lessons side by side at most; each takes up to 4 GB of memory.", min=1)] = 2,
) -> None:
    """Run the lessons on the built-in cohort and show them on one page, index.html."""
    from ecg_lessons.course import course as whole

    lessons = whole.build(to, lesson, out, jobs)
    out.print(f"Open {to / 'index.html'} in a browser.", markup=False)
    raise typer.Exit(1 if any(one.failure for one in lessons) else 0)


OwnCopy = Annotated[Path, Option(help="The folder of your own copy.")]


@app.command()
def lessons(to: OwnCopy = Path("work")) -> None:
    """Copy the lessons out, to write in; what is there already is left alone."""
    from ecg_lessons.course import copies

    new = copies.copy(to)
    out.print(f"{len(new)} files are new in {to}. Open them: ecg-lessons lab --to {to}", markup=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context, to: OwnCopy = Path("work")) -> None:
    """Open your own copy of the lessons in JupyterLab, at lesson 0; options of JupyterLab are handed on."""
    from ecg_lessons.course import copies

    copies.copy(to)
    copies.open_lab(to, context.args)


@app.command()
def reset(lesson: Annotated[str, Argument(help="Such as 01.")], to: OwnCopy = Path("work")) -> None:
    """Bring the original of a lesson back into your copy; yours stays beside it."""
    from ecg_lessons.course import copies

    out.print(f"{copies.reset(lesson, to)} is the original again.", markup=False)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Look at this machine: Python, packages, device, memory, disk, data."""
    from ecg_lessons import machine

    _print_report(machine.check(), as_json)


@app.command()
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


@app.command(cls=declared.of_run(declared.evaluate_command))
def evaluate() -> None:
    """Score a run on its test rows, with 95 % intervals over patients."""


@app.command(cls=declared.of_run(declared.predict_command))
def predict() -> None:
    """Let a run judge recordings and write the verdicts as CSV."""


@app.command(cls=declared.of_run(declared.convert_command))
def convert() -> None:
    """Write the network of a run as ONNX, TFLite or SavedModel."""


for name, make, words in (
    ("train", declared.train_command, "Train a network of a lesson into a run folder."),
    ("export", declared.export_command, "Write examples in the format of the original project."),
):
    app.add_typer(typer.Typer(cls=declared.of_lessons(make), no_args_is_help=True, help=words), name=name)


@app.command()
def fetch(
    dataset: Annotated[str, Argument(help=f"One of {', '.join(catalog.DATASETS)}.")],
    whole_zip: Annotated[bool, Option("--zip", help="Get the whole project as one zip.")] = False,
    verify: Annotated[bool, Option("--verify", help="Compare every file with PhysioNet's checksums anew.")] = False,
) -> None:
    """Download a dataset from PhysioNet. An interrupted download goes on where it stopped."""
    from ecg_lessons.data import fetch as downloads

    out.print(f"{dataset} is in {downloads.fetch(dataset, whole_zip=whole_zip, verify=verify)}")


@app.command()
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
        out.print(f"{trial}: {reason}", markup=False)
    if refused:
        raise InputError(f"{len(refused)} of {len(left)} trainings did not finish: mend that and measure again.")


@app.command()
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
        out.print(line, markup=False)


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
            out.print(f"{row.model} {row.job}: missing {', '.join(row.missing)}.", markup=False)


@app.command()
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
        out.print(f"{trial}: {reason}", markup=False)
    if refused:
        raise InputError(f"{len(refused)} of {len(planned)} trials did not finish: mend that and sweep again.")
    if one is None:
        out.print(f"All trials are in {to} ({len(planned)}). Next: ecg-lessons summarize {to}", markup=False)


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
        out.print(f"{trial} {event}{more}", markup=False)
        tick()

    return tell, tick


def _aloud(trial) -> None:
    out.print(f"{trial}, in {trial.folder}", markup=False)

    def progress(epoch: int, row: dict) -> None:
        out.print(f"epoch {epoch}  " + "  ".join(f"{name} {row[name]:.4g}" for name in row if name != "epoch"))

    scores = trial.run(progress)["scores"]
    out.print("  ".join(f"{name} {value:.3f}" for name, value in scores.items()), markup=False)


@app.command()
def split(
    to: Annotated[Path, Option(help="The JSON file; with --folds, the folder of one file a fold.")],
    train: Annotated[float, Option(help="Share, or number of recordings.")] = 0.6,
    validation: Annotated[float, Option(help="Share, or number of recordings.")] = 0.2,
    test: Annotated[float, Option(help="Share, or number of recordings.")] = 0.2,
    seed: Annotated[int, Option(min=0, help="14 is the paper's.")] = 14,
    folds: Annotated[int | None, Option(help="All of so many stratified folds, instead of sizes.")] = None,
    source: Annotated[str, Option(help="sample (built-in cohort) or physionet (CinC 2017).")] = "sample",
    recordings: Annotated[int | None, Option(min=1, help="Size of the built-in cohort.")] = None,
) -> None:
    """Lesson 2: divide the recordings, with classes spread evenly, and keep who stands where as JSON."""
    from ecg_lessons import splits

    with out.status("Reading the recordings"):
        options = {"recordings": recordings} if recordings else {}
        examples = declared.lesson_called("rhythm").load(source, **options)
    if folds is None:
        sizes = {"train": train, "validation": validation, "test": test}
        made = [(to, splits.sized(examples, **sizes, seed=seed), sizes)]
    else:
        every = [splits.recording_fold(examples, k, folds, seed=seed) for k in range(folds)]
        made = [(to / f"fold-{k}.json", fold, {"folds": folds, "fold": k}) for k, fold in enumerate(every)]
    for path, part, about in made:
        splits.write(part, examples, path, {"source": source, "seed": seed} | about)
        told = ", ".join(f"{side} {len(rows):,}" for side, rows in part.sides.items())
        out.print(f"{path}: {told}", markup=False)


@app.command()
def vote(
    run: Annotated[list[Path], Argument(help="Run folders of lesson 2, two or more.")],
    recordings: Annotated[Path, Option(help="A recording such as a .mat of CinC 2017, or a folder of them.")],
    to: Annotated[Path, Option(help="The CSV file to write.")],
    lead: Annotated[str | None, Option(help="The lead that is judged, by its name.")] = None,
    rate: Annotated[float | None, Option(help="Samples per second, of a file that does not tell.")] = None,
    unit: Annotated[str | None, Option(help="Its unit: mV unless said, V, uV or nV.")] = None,
    strict: Annotated[bool, Option("--strict", help="Judge nothing where a recording cannot be judged.")] = False,
    force: Annotated[bool, Option("--force", help="Replace a file that is no earlier verdict.")] = False,
) -> None:
    """Lesson 2: let several networks vote on the rhythm of recordings, and write the verdicts as CSV."""
    if len(run) < 2:
        raise InputError("One network cannot vote: give two run folders or more, or use 'ecg-lessons predict'.")
    from ecg_lessons import machine

    machine.setup()
    from ecg_lessons.lessons import rhythm
    from ecg_lessons.training import Run

    opened = [Run.open(folder) for folder in run]
    for voter in opened:
        if voter.about.get("lesson") != "rhythm":
            raise InputError(f"{voter.folder} is a run of lesson {voter.about.get('lesson')!r}: leave it out.")
    tables.refuse_target(to, recordings, force)
    how = tables.how_of({"rate": rate, "unit": unit, "strict": strict})
    tables.verdicts(rhythm.verdicts(opened, recordings, lead=lead, **how), to)


@app.command()
def grade(
    submissions: Annotated[Path, Argument(help="A folder or a zip of notebooks: Moodle's, Canvas's, or NAME.ipynb.")],
    assignment: Annotated[str, Option(help="The number of the assignment, such as 3.")],
    to: Annotated[
        Path, Option(help="The folder for marks, feedback and nbgrader's gradebook; a second call grades what changed.")
    ] = Path("build/marks"),
    deadline: Annotated[str | None, Option(help="Until when, such as '2026-11-30 23:59'.")] = None,
    late: Annotated[str | None, Option(help="What lateness costs, such as 10%/day or 2%/hour.")] = None,
    zone: Annotated[
        str | None, Option(help="The time zone, such as Europe/Vienna; this machine's unless said.")
    ] = None,
    sheet: Annotated[Path | None, Option(help="Your own CSV, from Moodle or Canvas: a filled copy is written.")] = None,
    grade_column: Annotated[str | None, Option(help="The column of that sheet which gets the points.")] = None,
    regrade: Annotated[bool, Option("--regrade", help="Run everything anew.")] = False,
    unprotected: Annotated[
        bool, Option("--unprotected", help="Without a sandbox: students' code runs as you.")
    ] = False,
) -> None:
    """Grade notebooks that students handed in, each in a sandbox; marks given by hand stay."""
    from ecg_lessons.grading import assignments, deadlines, sandbox
    from ecg_lessons.grading import grade as grading

    asked, where = assignments.called(assignment), deadlines.zone(zone)
    if late and not deadline:
        raise InputError("--late needs a deadline: add --deadline '2026-11-30 23:59'.")
    until = deadlines.Deadline.of(deadline, late, where) if deadline else None
    if not unprotected and (why := sandbox.refusal()):
        raise InputError(why)
    rules = grading.Rules(unprotected, regrade, until, where, sheet, grade_column)
    with out.status("Grading") as status:

        def progress(student: str, done: int, of: int) -> None:
            status.update(f"Grading {min(done + 1, of)}/{of}")

        found, said = grading.grade(submissions, asked, to, rules, progress)
    rows = [[*(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row)] for row in found.to_numpy()]
    many = f"{len(found)} submission{'s' * (len(found) != 1)}"
    tables.table(f"{asked.name}: {many}", list(found.columns), rows)
    for sentence in [
        *said,
        f"Marks and feedback are in {to / asked.name}.",
        f"Next: ecg-lessons mark {to} --assignment {assignment}",
    ]:
        out.print(sentence, markup=False)


@app.command()
def mark(
    marks: Annotated[Path, Argument(help="The folder that 'ecg-lessons grade' made.")],
    assignment: Annotated[str, Option(help="The number of the assignment, such as 3.")],
    port: Annotated[int, Option(help="The port on this machine; 0 takes a free one.")] = 0,
    browser: Annotated[bool, Option(help="Open the page in the browser.")] = True,
) -> None:
    """Mark plots and texts on a page of your own: one question for all students."""
    from ecg_lessons.grading import assignments, marking

    marking.serve(marks, assignments.called(assignment), port, browser, lambda line: out.print(line, markup=False))


@app.command()
def submit_check(notebook: Annotated[Path, Argument(help="Your notebook, saved.")]) -> None:
    """Check your notebook before you hand it in: its form, and the tests that it shows you."""
    from ecg_lessons.grading import submit

    lines, well = submit.check(notebook)
    for line in lines:
        out.print(line, markup=False)
    if not well:
        raise typer.Exit(1)


@app.command()
def hand_in(notebook: Annotated[Path, Argument(help="Your notebook, saved.")]) -> None:
    """Hand your notebook in, in a terminal of your server of the class."""
    from ecg_lessons.grading import submit

    out.print(submit.hand_in(notebook), markup=False)


@app.command()
def class_check(
    folder: Annotated[Path, Option(help="The folder with .env and class.csv.")] = Path("docker/jupyterhub"),
    logins: Annotated[
        str | None, Option(help="The hub that runs, such as http://127.0.0.1:8000: log 30 people in at once.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Before a class: look at ports, disk, GPUs, images, settings and the class list of a hub."""
    from ecg_lessons import classroom

    with out.status("Looking") as status:
        if as_json:
            status.stop()
        report = classroom.check(folder, logins)
    _print_report(report, as_json)


def _print_report(report, as_json: bool) -> None:
    if as_json:
        tables.as_json([finding._asdict() for finding in report])
    else:
        out.print(str(report), markup=False)
    raise typer.Exit(0 if report.well else 1)


def main() -> None:
    """Run the command line; turn mistakes into one sentence and status 2, and notes into lines."""
    with suppress(AttributeError):  # nobody reads it
        sys.stdout.reconfigure(errors="backslashreplace")  # into a file on Windows goes what its code page has
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries
            warnings.simplefilter("default", Note)
            warnings.showwarning = _tell
            status = app(standalone_mode=False)
    except InputError as error:
        _fail(str(error))
    except OSError as error:  # a full disk, a file in place of a folder, a place without permission
        if error.errno is None:
            raise
        remedy = "it must be there" if isinstance(error, FileNotFoundError) else "choose another place"
        _fail(f"{error.filename or 'A file cannot be written'}: {error.strerror}; {remedy}.")
    except Exception as error:
        if not hasattr(error, "format_message"):  # Typer's own, such as an unknown option, have it
            raise
        if "NoArgs" in type(error).__name__:
            error.show()
            sys.exit(2)
        _fail(" ".join(error.format_message().split()).rstrip(".") + ": add --help to see what there is.")
    if status == 130:  # what Typer makes of Ctrl-C
        _fail("stopped; the same command goes on from here.", status)
    sys.exit(status or 0)


def _tell(message, *_) -> None:
    print(f"ecg-lessons: {shown(str(message), 1000)}", file=sys.stderr)


def _fail(sentence: str, status: int = 2) -> None:
    print(f"ecg-lessons: {shown(sentence, 1000)}", file=sys.stderr)
    sys.exit(status)
