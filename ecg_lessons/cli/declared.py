"""Commands made from the declarations of the lessons: `train`, `export`, and options of `evaluate` and `predict`."""

import inspect
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from ecg_lessons import lessons
from ecg_lessons.cli import tables
from ecg_lessons.cli.tables import out
from ecg_lessons.errors import InputError, choice


def parameter(name: str, kind: Any, default: Any, **option: Any) -> inspect.Parameter:
    """Make an option of a command."""
    words = name.replace("_", "-")
    spelled = option.pop("spelled", None) or (f"--{words}/--no-{words}" if kind is bool and default else f"--{words}")
    names = () if kind == bool | None else (spelled,)
    annotation = Annotated[kind, typer.Option(*names, **option)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def command(function: Callable, parameters: list[inspect.Parameter], words: str | None = None) -> TyperCommand:
    """Make a command of a function that takes the values of all parameters by name; `words` are its help."""

    def called(**values: Any) -> None:
        function(**values)

    called.__doc__ = words or function.__doc__
    called.__signature__ = inspect.Signature(parameters)
    called.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(called)
    return typer.main.get_command(app)


def options_of(lesson) -> list[inspect.Parameter]:
    """Give the options that are the fields of a lesson's options."""
    kinds, found = get_type_hints(lesson.options), []
    for entry in fields(lesson.options):
        told = entry.metadata
        kind, default = (str, "") if "values" in told else (kinds[entry.name], entry.default)
        more = {"min": told["least"]} if "least" in told else {}
        found.append(parameter(entry.name, kind, default, help=told["help"], spelled=told.get("spelled"), **more))
    return found


def chosen_of(lesson, values: dict) -> dict:
    """Take the options of a lesson out of what was given, with what words stand for."""
    chosen = {entry.name: values.pop(entry.name) for entry in fields(lesson.options)}
    for entry in fields(lesson.options):
        value, words = chosen[entry.name], entry.metadata.get("values")
        if words is not None:
            if value and value not in words:
                raise choice(entry.metadata["spelled"].strip("-"), value, words)
            chosen[entry.name] = words.get(value, entry.default)
    return chosen


def keywords_of(function: Callable) -> list[inspect.Parameter]:
    """Give the options that are the keywords of a lesson's function, annotated with what to say of them."""
    keywords, hints = inspect.getfullargspec(function), get_type_hints(function, include_extras=True)
    told = {name: get_args(hints[name]) for name in keywords.kwonlyargs if get_origin(hints[name]) is Annotated}
    return [parameter(name, kind, keywords.kwonlydefaults[name], **more) for name, (kind, more) in told.items()]


def files_of(lesson) -> list[inspect.Parameter]:
    """Give the options that name the files of the original project."""
    named = lesson.files.options if lesson.files else {}
    return [parameter(name, Path | None, None, help=words) for name, words in named.items()]


def paths_of(lesson, values: dict, least: int | None = None) -> tuple[Path, ...]:
    """Take the files out of what was given; all, or `least` of them."""
    named = list(lesson.files.options) if lesson.files else []
    given = tuple(path for name in named if (path := values.pop(name)) is not None)
    if given and len(given) < (len(named) if least is None else least):
        from ecg_lessons.lesson import flag

        raise InputError(f"{' and '.join(map(flag, named))} belong together: give both or neither.")
    return given


def of_lessons(make: Callable[[str], TyperCommand]) -> type[TyperGroup]:
    """Give a group with a command for every lesson, which is imported only when its command is called."""

    class Lessons(TyperGroup):
        def list_commands(self, ctx) -> list[str]:
            return list(lessons.titles())

        def get_command(self, ctx, name: str):
            return make(name) if name in lessons.titles() else None

        def format_commands(self, ctx, formatter) -> None:
            with formatter.section("Commands"):
                formatter.write_dl(list(lessons.titles().items()))

    return Lessons


def _source_of(lesson) -> inspect.Parameter:
    known = ", ".join(f"{source} ({entry.what})" for source, entry in lesson.sources.items())
    return parameter("source", str, next(iter(lesson.sources)), help=f"{known}.")


def train_command(name: str) -> TyperCommand:
    """Make `train NAME`."""
    lesson = lesson_called(name)
    usual, left_out = next(iter(lesson.networks)), {"network", "split", "compare"} - set(lesson.usual_options)
    presets = list(dict.fromkeys(preset for network in lesson.networks.values() for preset in network.plans))
    own = [
        parameter("network", str | None, None, help=f"{', '.join(lesson.networks)}; {usual} unless said."),
        _source_of(lesson),
        parameter("preset", str, presets[0], help=f"{' or '.join(presets)}."),
        parameter("split", str | None, None, help=lesson.options.splits),
        *options_of(lesson),
        *files_of(lesson),
        parameter("compare", str, "", help="More networks, such as a,b: each into a folder beside --out."),
        parameter("out", Path | None, None, help="The run folder."),
        parameter("name", str, "", help=f"Stands in for --out: the folder becomes runs/{name}-NAME."),
        parameter("plan", Path | None, None, help="A TOML file with entries of the plan to change."),
        parameter("epochs", int | None, None, min=1, help="The plan's unless said."),
        parameter("batch_size", int | None, None, min=1, help="The plan's unless said."),
        parameter("learning_rate", float | None, None, help="The plan's unless said."),
        parameter("seed", int | None, None, min=0, max=2**32 - 1, help="The plan's unless said."),
        parameter("tensorboard", bool, False, help="Write logs for TensorBoard."),
    ]

    own = [entry for entry in own if entry.name not in left_out]
    return command(lambda **values: _train(lesson, dict.fromkeys(left_out) | values), own, lesson.title)


def _train(lesson, values: dict) -> None:
    options, paths = chosen_of(lesson, values), paths_of(lesson, values)
    names = ("epochs", "batch_size", "learning_rate", "seed")
    changes = {name: values[name] for name in names if values[name] is not None}
    for entry in fields(lesson.options):
        if note := entry.metadata.get("notes", {}).get(options[entry.name]):
            out.print(note)
    source = lesson.files.kind if paths else values["source"]
    network = lesson.options(**options).settle(values["network"], source) or next(iter(lesson.networks))
    networks = list(dict.fromkeys([network, *filter(None, (values["compare"] or "").replace(" ", "").split(","))]))
    for name in networks:
        lesson.plan(name, values["preset"])
    base = values["out"] or Path("runs") / f"{lesson.name}-{values['name'] or Path(network).stem}"
    with out.status("Reading"):
        examples = lesson.read(paths) if paths else lesson.load(values["source"], **options)
    how = {name: values[name] for name in ("source", "split", "plan", "preset", "tensorboard")}
    how |= {"changes": changes, "paths": paths, "examples": examples, "progress": _line}
    runs = []
    for name in networks:
        if len(networks) > 1:
            out.print(f"{name}:")
        place = base if name == network else base.with_name(f"{base.name}-{Path(name).stem}")
        chosen = options if name == network else vars(lesson.options(**options).beside(name))
        with out.status("Training") as status:
            runs.append(lesson.train(place, name, tick=ticking(status, "Training"), **how, **chosen))
        out.print(lesson.ending(runs[-1], paths))
    if len(runs) > 1:
        tables.compared(runs, [lesson.evaluate(run, examples=examples) for run in runs])
        tables.leak(runs[0].about["split"])
    if paths and lesson.files.kind == "csv":
        out.print(tables.NAMELESS)


def _line(epoch: int, row: dict) -> None:
    if "line" in row:
        return out.print(row["line"])
    out.print(f"epoch {epoch}/{row['of']}  loss {row['loss']:.4f}  validation loss {row['val_loss']:.4f}")


def ticking(status, words: str) -> Callable[[int, int], None]:
    """Show how many batches are done, and about how long the others take."""
    begun, last = time.monotonic(), 0

    def tick(done: int, of: int) -> None:
        nonlocal begun, last
        if done <= last:  # the next epoch
            begun = time.monotonic()
        last = done
        left = (time.monotonic() - begun) / done * (of - done)
        status.update(f"{words}: {done / of:.0%}, about {left:.0f} s left of this pass")

    return tick


def export_command(name: str) -> TyperCommand:
    """Make `export NAME`."""
    lesson = lesson_called(name)
    if lesson.files is None or lesson.files.write is None:
        raise InputError(f"Lesson {name} has no files of an original project to write.")
    write, known = lesson.files.write, {entry.name for entry in fields(lesson.options)}
    asked = set(inspect.signature(write).parameters)

    def export(to: Path, source: str, **values: Any) -> None:
        from ecg_lessons.files import refuse_full

        refuse_full(to, "the files")
        with out.status("Reading"):
            examples = lesson.load(source, **{name: value for name, value in values.items() if name in known})
        with out.status("Writing") as status:
            more = {"source": source, "tick": ticking(status, "Writing")}
            said = write(examples, to, **values, **{key: more[key] for key in more if key in asked})
        out.print(said)

    to = parameter("to", Path, inspect.Parameter.empty, help="A new folder.")
    return command(export, [to, _source_of(lesson), *keywords_of(write)], inspect.getdoc(write))


def of_run(make: Callable[[Any], TyperCommand]) -> type[TyperCommand]:
    """Give a command on a run folder, whose further options are those of the run's lesson."""

    class OfRun(TyperCommand):
        def parse_args(self, ctx, args: list[str]):
            lesson = next((lesson_of(Path(word)) for word in args if (Path(word) / "run.json").is_file()), None)
            made = make(lesson)
            # Of a folder that is no run, that is told, not that an option is unknown.
            ctx.ignore_unknown_options = ctx.allow_extra_args = lesson is None
            self.params, self.callback, self.help = made.params, made.callback, made.help
            return super().parse_args(ctx, args)

    return OfRun


def lesson_of(folder: Path):
    """Give the lesson of a run folder."""
    from ecg_lessons.files import read_json

    return lesson_called(lessons.of(read_json(folder / "run.json", "train into another folder"), folder))


def evaluate_command(lesson) -> TyperCommand:
    """Make `evaluate`, with the options for files that the run's lesson has."""

    def evaluate(run: Path, source: str | None, as_json: bool, **values: Any) -> None:
        """Score a run on its test rows, with 95 % intervals over patients. More options: evaluate RUN --help."""
        opened = _opened(lesson, run)
        paths = paths_of(lesson, values, lesson.files.least if lesson.files else 0)
        with out.status("Judging") as status:
            result = lesson.evaluate(opened, source, paths, tick=ticking(status, "Judging"))
        if as_json:
            from ecg_lessons.evaluation.scores import plain

            return tables.as_json(plain(result))
        other = source or " and ".join(map(str, paths))
        what = "its own test rows" if lesson.is_own(opened, source, paths) else other
        tables.scores(f"{run}: {what}, trained on split {opened.about['split']}", result)
        tables.leak(opened.about["split"])
        if result.get("nameless") or (paths and lesson.files.kind == "csv"):
            out.print(tables.NAMELESS)

    source = parameter("source", str | None, None, help="Other recordings than the run's own test rows.")
    as_json = parameter("as_json", bool, False, spelled="--json", help="Print the scores as JSON.")
    more = files_of(lesson) if lesson else []
    return command(evaluate, [_argument("run", "A run folder."), source, *more, as_json])


def predict_command(lesson) -> TyperCommand:
    """Make `predict`, with the options that the run's lesson has."""

    def predict(
        run: Path, recordings: Path, to: Path | None, plot: Path | None, start: float, force: bool, **values: Any
    ) -> None:
        """Let a run judge recordings and write the verdicts as CSV; of a folder it leaves out what cannot be judged.

        Columns: ID, the record (and sample of a beat); TARGET 1 for exchanged electrodes, or CLASS; PROBABILITY of that
        verdict (with TARGET, of "exchanged"); SWAP, the likeliest exchange; TIME of a beat in s. With --plot, one
        recording is drawn, shaded where the network looked.
        """
        opened = _opened(lesson, run)
        if to is None and plot is None:
            raise InputError("Where do the verdicts go? Add --to verdicts.csv, or --plot verdict.png.")
        if to:
            tables.refuse_target(to, recordings, force)
        if plot:
            tables.refuse_plot(plot, recordings, force)
        how = tables.how_of(values)
        if "how" not in inspect.signature(lesson.judge).parameters:
            how = {}
        with out.status("Judging") as status:
            asked = (lesson, opened, recordings, start, ticking(status, "Looking"))
            drawn = tables.picture(*asked, **values, **how) if plot else None
            table = lesson.judge(opened, recordings, ticking(status, "Judging"), **values, **how) if to else None
        if drawn:
            tables.write_plot(*drawn, plot)
        if to:
            tables.verdicts(table, to)

    what = f"A recording ({', '.join(tables.ENDINGS)}), a folder of them, or lesson 1's CSV."
    to = parameter("to", Path | None, None, help="The CSV file to write.")
    plot = parameter("plot", Path | None, None, help="A picture of the verdict to write: .png, or a page, .html.")
    start = parameter("start", float, 0.0, min=0, help="Where the ten seconds begin that --plot draws (s).")
    more = keywords_of(lesson.judge) if lesson else []
    named = [_argument("run", "A run folder."), _argument("recordings", what), to, plot, start]
    return command(predict, [*named, *more, *READING])


def convert_command(lesson) -> TyperCommand:
    """Make `convert`."""

    def convert(run: Path, to: Path, force: bool) -> None:
        """Write the network of a run for programs without Keras: ONNX, TFLite, or a folder with a SavedModel.

        The ending of --to chooses. What is written must agree with Keras, or nothing is.
        """
        opened = _opened(lesson, run)
        from ecg_lessons import convert as converting

        with out.status("Converting"):
            apart = converting.convert(lesson, opened, to, force)
        of = f"{converting.EXAMPLES} examples of the {next(iter(lesson.sources.values())).what}"
        out.print(f"The network is in {to}. On {of} it differs from Keras by {apart:.1g} at most.")

    to = parameter("to", Path, inspect.Parameter.empty, help="model.onnx, model.tflite, or a new folder (SavedModel).")
    force = parameter("force", bool, False, help="Replace a file.")
    return command(convert, [_argument("run", "A run folder."), to, force])


READING = (
    parameter("strict", bool, False, help="Judge nothing where a recording of a folder cannot be judged."),
    parameter("rate", float | None, None, help="Samples per second, of a file that does not tell: CSV, .npy, .npz."),
    parameter("unit", str | None, None, help="Its unit: mV unless said, V, uV or nV."),
    parameter("force", bool, False, help="Replace a file that is no earlier verdict."),
)


def _argument(name: str, words: str) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, annotation=Annotated[Path, typer.Argument(help=words)])


def _opened(lesson, folder: Path):
    if lesson is None:
        raise InputError(f"{folder} is no run: give a folder that 'ecg-lessons train ... --out' made.")
    return lesson.open(folder)


def lesson_called(name: str):
    """Import a lesson, with Keras as the course wants it."""
    from ecg_lessons import machine

    machine.setup()
    return lessons.get(name)
