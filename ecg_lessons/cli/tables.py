"""What commands print: scores with their intervals, class by class, and what was left out."""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from math import isnan
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ecg_lessons.errors import InputError, shown

#: What people call their files is printed as it is.
_Console = partial(Console, markup=False, emoji=False)
out = _Console(highlight=False, soft_wrap=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
#: What `predict` reads, beside CSV tables.
ENDINGS = (".hea", ".mat", ".edf", ".bdf", ".dcm", ".npy", ".npz")
#: What `predict` draws, and by which it knows again what it has drawn.
PICTURES, _MAKER = (".png", ".html"), "ecg-lessons predict"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="generator" content="{maker}"><title>{words}</title>
<figure><img style="max-width: 100%" alt="{words}" src="data:image/png;base64,{picture}">
<figcaption>{words} For learning and research, no medical device.</figcaption></figure></html>
"""
#: Words for entries of a result that do not say enough.
_WORDS = {"mean_f1": "mean F1 of N, A, O", "mean_f1_with_noise": "mean F1 of N, A, O, ~"}
_SYMBOLS = {
    "/": "paced", "L": "left bundle branch block", "R": "right bundle branch block", "A": "atrial premature",
    "!": "flutter wave", "E": "ventricular escape",
}  # fmt: skip
#: What is said of beats of nobody knows whom.
NAMELESS = "The files name no patients: a score on them may be of hearts that the network has met."


def as_json(found) -> None:
    """Print JSON."""
    print(json.dumps(found, indent=1, ensure_ascii=False))


def report(found, in_json: bool) -> None:
    """Print what a look at a machine has found; end with status 1 where something is to mend."""
    if in_json:
        as_json([finding._asdict() for finding in found])
    else:
        out.print(str(found))
    raise typer.Exit(0 if found.well else 1)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table that eighty columns hold, or as wide as it must be."""
    drawn = Table(*columns, title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for row in rows:
        drawn.add_row(*row)
    width = _Console(width=1000).measure(drawn).maximum
    (out if width <= out.width else _Console(width=width)).print(drawn)


def frame(title: str, found, sign: str = "") -> None:
    """Print a table of estimates; a dash for what one patient cannot tell."""
    found = found.reset_index()
    between = " to " if sign else "-"  # a hyphen would be lost among minus signs

    def cell(value) -> str:
        if isinstance(value, str | int):
            return f"{value:,}" if isinstance(value, int) else value
        low, high = getattr(value, "low", float("nan")), getattr(value, "high", float("nan"))
        value = getattr(value, "value", value)
        if value != value:
            return "-"
        return f"{value:{sign}.3f}" + ("" if isnan(low) else f" ({low:{sign}.3f}{between}{high:{sign}.3f})")

    rows = [[cell(value) for value in row] for row in found.astype(object).itertuples(index=False)]
    table(title, [str(name) for name in found.columns], rows)


def scores(title: str, result: dict) -> None:
    """Print what an evaluation gave: overall scores, then each class."""
    result = dict(result)
    by_class, left_out, met = (result.pop(name, None) for name in ("by_class", "left_out", "met_before"))
    result.pop("nameless", None)
    rows = []
    for name, value in result.items():
        for part, estimate in (value if isinstance(value, dict) else {"": value}).items():
            words = f"{_WORDS.get(name, name.replace('_', ' '))} {part}".strip()
            low, value = getattr(estimate, "low", float("nan")), getattr(estimate, "value", estimate)
            rows.append([words, f"{value:.3f}", "" if isnan(low) else f"{low:.3f}-{estimate.high:.3f}"])
    table(title, ["score", "value", "95 % interval"], rows)
    if by_class:
        _by_class(by_class)
    if left_out:
        named = ", ".join(f"{n:,} {symbol}" for symbol, n in left_out.items())
        out.print(f"Left out, since no training patient has this kind: {named}.")
    if met:
        out.print(f"Left out, since the run has learnt from them or from the same people: {met:,}.")


def _by_class(by_class: dict) -> None:
    first = next(iter(by_class.values()))
    columns = {"sensitivity": "sensitivity", "precision": "precision (PPV)", "specificity": "spec.", "f1": "F1"}
    columns = {name: words for name, words in columns.items() if name in first}
    beats = "beats" in first
    counted = "beats" if beats else "recordings"
    rows = []
    for name, row in by_class.items():
        cells = [_cell(row[score], score in ("sensitivity", "precision") or not beats) for score in columns]
        if beats:
            cells = [str(row.get("patients", "?")), *cells, f"{row['auc']:.3f}"]
        rows.append([name, f"{row[counted]:,}", *cells])
    whom = "patients" if "patients" in first else counted
    heads = ["class", counted, *["people"] * beats, *columns.values(), *["AUC"] * beats]
    table(f"By class, 95 % intervals over {whom}", heads, rows)
    if whom == "recordings":
        out.print("Intervals are over recordings: who was recorded is not published.")
    if (told := [f"{name} {_SYMBOLS[name]}" for name in by_class if name in _SYMBOLS]) and beats:
        out.print(", ".join(told) + ".")
    out.print("Majority: always naming the most frequent class.")


def _cell(score, with_interval: bool) -> str:
    """Write a score for a narrow column; a dash where the class was never named, or for an interval of one."""
    if isnan(score.value):
        return "-"
    interval = "-" if isnan(score.low) else f"{score.low:.2f}-{score.high:.2f}"
    return f"{score.value:.3f}" + (f" ({interval})" if with_interval else "")


def compared(runs: list, results: list[dict]) -> None:
    """Set networks side by side."""
    names = [n for n in ("accuracy", "balanced_accuracy", "mean_f1", "majority", "macro_f1") if n in results[0]]
    rows = []
    for run, result in zip(runs, results, strict=True):
        cells = [f"{run.model.count_params():,}", f"{run.history['seconds'].median():.0f}", str(result[names[0]])]
        rows.append([run.about["network"], *cells, *(f"{result[name].value:.3f}" for name in names[1:])])
    heads = ["network", "parameters", "s/epoch", *(name.replace("_f1", " F1").replace("_", " ") for name in names)]
    table(f"Test rows, split {runs[0].about['split']}", heads, rows)


def leak(split: str) -> None:
    """Say of a leaky split what its scores are worth."""
    from ecg_lessons.splits import is_leaky

    if is_leaky(split):
        out.print(f"Leaky: {split} tests hearts that also trained. Compare with --split by-patient.")


def how_of(values: dict) -> dict:
    """Take out of what was given how recordings are read."""
    from ecg_lessons.data.voltages import How

    return {"how": How(values.pop("rate"), values.pop("unit")), "strict": values.pop("strict")}


def refuse_target(to: Path, recordings: Path, force: bool) -> None:
    """Refuse to write verdicts where they would replace what they are made of, or a file of somebody else."""
    if to.is_dir():
        raise InputError(f"--to {to} is a folder: name a CSV file in it.")
    if (to.exists() and recordings.exists() and to.samefile(recordings)) or to.suffix.lower() in ENDINGS:
        raise InputError(f"--to {to} is, or could be, a recording: name another file, such as verdicts.csv.")
    _refuse_place(f"--to {to}", to, force, "verdicts", _is_verdicts)


def refuse_plot(to: Path, recordings: Path, force: bool) -> None:
    """Refuse to draw where no picture can be, or over a file that `predict` has not drawn."""
    if to.suffix.lower() not in PICTURES or to.is_dir():
        raise InputError(f"--plot {to} is no picture: name a file that ends in {' or '.join(PICTURES)}.")
    if recordings.is_dir():
        raise InputError(f"{recordings} is a folder, and --plot draws one recording: name one of those in it.")
    _refuse_place(f"--plot {to}", to, force, "verdict drawn by 'predict'", _is_plot)


def _refuse_place(words: str, to: Path, force: bool, kind: str, is_kind: Callable[[Path], bool]) -> None:
    from ecg_lessons.files import nearest

    if not force and any((parent / "run.json").exists() for parent in to.absolute().parents):
        raise InputError(f"{words} lies in the folder of a run: write elsewhere, or add --force.")
    if not force and to.exists() and not is_kind(to):
        raise InputError(f"{words} exists and holds no {kind}: name another file, or add --force.")
    if not os.access(place := nearest(to), os.W_OK | os.X_OK if place.is_dir() else os.W_OK):
        raise InputError(f"{words}: {place} may not be written to: name another place.")


def _is_plot(path: Path) -> bool:
    with path.open("rb") as file:
        return _MAKER.encode() in file.read(500)


def picture(lesson, run, recording: Path, start: float, tick, **options):
    """Draw the verdict on a recording, and where the network looked; gives the figure and its caption."""
    from ecg_lessons import looks
    from ecg_lessons.evaluation import verdict_plots

    looked = looks.look(lesson, run, recording, start, tick, **options)
    shown_, found = looked.recording, looked.verdicts
    start, end = looked.start, min(looked.start + looks.SHOWN, shown_.seconds)
    beats = dict(zip(found["TIME"], found["CLASS"], strict=True)) if "TIME" in found else None
    if beats is None:
        (chosen,), row = looked.chosen, found.iloc[0].astype(str)
        told = f"{found.attrs['classes'][chosen]}, probability {found.attrs['probability'][0, chosen]:.2f}"
        told += f" ({row['SWAP']})" if row.get("SWAP", "none") != "none" else ""
    else:
        here = found["CLASS"][found["TIME"].between(start, end)].value_counts()
        told = ", ".join(f"{n} {name}" for name, n in here.items()) or "no beat that can be judged"
    part = f"{start:g} to {end:.3g} s of {shown_.seconds:.4g} s"
    caption = f"{shown(shown_.name)}, {part}. Lesson {lesson.name}, network {run.about['network']}: {told}."
    stretches, change = looked.stretches, looked.change
    if looked.every_beat:
        stretches = (looked.peaks[:, None, None] + stretches).reshape(-1, 2)
        change = list(change) * len(looked.peaks)
    return verdict_plots.verdict(shown_, caption, stretches, change, start, beats, looked.every_beat), caption


def write_plot(figure, caption: str, to: Path) -> None:
    """Write a figure as PNG, or as a page that holds it, whole or not at all."""
    import base64
    import html
    import io

    from ecg_lessons import files

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150, metadata={"Software": _MAKER})
    content = drawn.getvalue()
    if to.suffix.lower() == ".html":
        words = {"words": html.escape(caption), "maker": _MAKER, "picture": base64.b64encode(content).decode()}
        content = _PAGE.format_map(words).encode()
    files.write(to, content)
    out.print(f"The picture is in {to}: {caption}")


def _is_verdicts(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.readline(200).decode("utf-8", "replace").strip().split(",")
    return head[0] == "ID" and "PROBABILITY" in head


def verdicts(found, to: Path) -> None:
    """Write verdicts as CSV and say how many there are of each kind; end with status 1 where some were left out."""
    from ecg_lessons.data.tables import write_predictions

    left_out = found.attrs.get("left_out", {})
    write_predictions(to, ids := found.pop("ID"), found)
    kind = "CLASS" if "CLASS" in found else "TARGET"
    if len(found) == 1:
        told = ", ".join(f"{name} {value}" for name, value in found.iloc[0].items() if value != "")
        out.print(f"The verdict on {shown(ids.iloc[0])} is in {to}: {told}.")
    else:
        words = {0: "not exchanged", 1: "exchanged"} if kind == "TARGET" else {}
        told = found[kind][found[kind].notna() & (found[kind] != "")]
        counts = [f"{n:,} {words.get(name, name)}" for name, n in told.value_counts().items()]
        counts += [f"{len(found) - len(told):,} left empty"] * (len(told) < len(found))
        out.print(f"{len(found)} verdicts are in {to}: {', '.join(counts)}.")
    if left_out:
        print(f"ecg-lessons: {len(left_out)} of the recordings could not be judged:", file=sys.stderr)
        for name, reason in left_out.items():
            print(f"  {shown(name)}: {shown(reason, 400)}", file=sys.stderr)
        raise SystemExit(1)
