"""Gather the pages of the site: ``python site/assemble.py build/site-source``; `make site` then calls sphinx-build."""

import base64
import json
import os
import re
import shutil
import sys
import textwrap
import tomllib
from functools import reduce
from operator import getitem
from pathlib import Path
from statistics import fmean

import nbformat
import numpy as np

CLONE = Path(__file__).parents[1]
#: Copied as they are; links between them stay as they are.
PAGES = (
    "CO*.md",
    "notebooks/*.md",
    "images/*.png",
    "docker/*.md",
    "docker/*/README.md",
    "data/README.md",
    "experiments/README.md",
    "assignments/README.md",
)

#: A word in bold type or in italics.
WORD = re.compile(r"(\*\*?)(\w[^*\n]*)\1")
#: Pages that run a lesson's network in the browser; each shows the lesson's picture where JavaScript is off.
LIVE = {
    "01": ("electrodes.html", "Exchange two electrodes"),
    "02": ("rhythm.html", "Which rhythm?"),
    "03": ("beat.html", "Draw a beat"),
}


def place(word: str) -> str:
    """Name the place of a word in the glossary, such as macro-f1."""
    return re.sub(r"\W+", "-", word.lower().replace("'s", ""))


def glossary(text: str) -> str:
    """Give each word of the glossary a place that links lead to; the word links to it, to be copied from there."""

    def marked(found: re.Match) -> str:
        words = (f'<a id="{place(word)}" href="#{place(word)}">{word}</a>' for word in found[2].split(", "))
        return found[1] + ", ".join(words) + found[1]

    return WORD.sub(marked, text)


def linked(notebook: nbformat.NotebookNode, places: set[str]) -> None:
    """Let words in bold type lead to the glossary, where a lesson explains them: once each."""
    left = set(places)

    def link(found: re.Match) -> str:
        names = {place(found[2]), place(found[2].removesuffix("s"))} & left
        left.difference_update(names)
        return f'<a href="glossary.html#{names.pop()}"><strong>{found[2]}</strong></a>' if names else found[0]

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(\*\*)(\w[\w -]+)\1", link, cell.source)


def copy(to: Path) -> None:
    """Copy pages, and notebooks with their drawings as files and the stored description of each figure."""
    for pattern in PAGES:
        for path in CLONE.glob(pattern):
            (to / path.relative_to(CLONE)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to / path.relative_to(CLONE))
    words = to / "notebooks" / "glossary.md"
    words.write_text(glossary(words.read_text(encoding="utf-8")), encoding="utf-8")
    places = set(re.findall(r'<a id="([^"]+)"', words.read_text(encoding="utf-8")))
    for path in (*CLONE.glob("notebooks/*.ipynb"), *CLONE.glob("assignments/release/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            for name, drawing in cell.pop("attachments", {}).items():
                place = to / "notebooks" / "drawings" / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(base64.b64decode(drawing["image/png"]))
                cell.source = cell.source.replace(f"attachment:{name}", f"drawings/{name}")
            alt = [out.get("metadata", {}).get("image/png", {}).get("alt") for out in cell.get("outputs", ())]
            for data in (out.get("data", {}) for out in cell.get("outputs", ())):
                if "text/html" in data:  # pandas' own style, which HTML has no place for here
                    data["text/html"] = re.sub(r"<style scoped>.*?</style>", "", data["text/html"], flags=re.DOTALL)
            if any(alt):
                cell.metadata["mystnb"] = {"image": {"alt": next(filter(None, alt))}}
        lesson, up = path.parent.name == "notebooks", "../" * (len(path.relative_to(CLONE).parts) - 1)
        links = f'<a href="{up}download/{path.name}" download>Download this notebook</a>.'
        if lesson:
            linked(notebook, places)
        if lesson and path.stem[:2] in LIVE:
            page, title = LIVE[path.stem[:2]]
            links += f' Its network runs in the browser: <a href="{up}{page}">{title}</a>.'
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(links))
        download = to / "live" / "download" / path.name
        download.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, download)
        target = to / path.relative_to(CLONE)
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
    for path in (CLONE / "site").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            target = to / path.relative_to(CLONE / "site")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for lesson in LIVE:
        shutil.copyfile(CLONE / "images" / f"lesson-{lesson}.png", to / "live" / f"lesson-{lesson}.png")


def syllabus() -> str:
    """Write the table of lessons from the head of each notebook."""
    rows = [":::{container} cards", "| lesson | minutes | questions | you will be able to |", "|---|---|---|---|"]
    for path in sorted(CLONE.glob("notebooks/*.ipynb")):
        text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells[:2])
        title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
        told = [
            re.search(rf"\*\*{name}\*\* \| (.*) \|", text)[1]
            for name in ("Minutes", "Questions", "You will be able to")
        ]
        rows.append(f"| [{title}](notebooks/{path.stem}) | " + " | ".join(told) + " |")
    return "\n".join([*rows, ":::"])


def results() -> str:
    """Write the three numbers of every lesson, as results.toml names them, from data/results."""
    stored = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in CLONE.glob("data/results/*.json")}

    def show(row: dict, name: str) -> str:
        if name not in row:
            return "–"
        one = reduce(getitem, row[name].split(" / "), stored)
        if isinstance(one, dict):
            return f"{100 * one['value']:.1f} ({100 * one['low']:.1f} to {100 * one['high']:.1f})"
        return f"{100 * fmean(one if isinstance(one, list) else [one]):.1f}"

    def always(row: dict) -> str:
        """Give the score of always the most frequent class, from its share; a balanced accuracy has none of its own."""
        if isinstance(row["always"], int):
            return f"{row['always']:.1f}"
        share = reduce(getitem, row["always"].split(" / "), stored)["value"]
        return f"{100 * (2 * share / (1 + share) / row['classes'] if 'classes' in row else share):.1f}"

    pages = {path.stem[:2]: f"notebooks/{path.stem}" for path in CLONE.glob("notebooks/*.ipynb")}
    rows = [
        "| lesson | honest: patient split | same protocol | claimed | always the same | score, % | network | data |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in tomllib.loads((CLONE / "site" / "results.toml").read_text(encoding="utf-8"))["row"]:
        numbers = [*(show(row, name) for name in ("honest", "same", "claimed")), always(row)]
        number = str(row["lesson"])
        lesson = f"[{number}]({pages[number.zfill(2)]})"
        rows.append("| " + " | ".join([lesson, *numbers, row["score"], row["network"], row["data"]]) + " |")
    return "\n".join(rows)


def limits(to: Path) -> str:
    """Write the table of `make limits`, and draw its roofs."""
    from matplotlib.figure import Figure

    stored = json.loads((CLONE / "data" / "results" / "limits.json").read_text(encoding="utf-8"))
    threads = max(stored["peaks"], key=int)
    peaks, axes = stored["peaks"][threads], Figure(figsize=(8, 4.5), layout="constrained").add_subplot()
    intensity = np.geomspace(1, 1000)
    for precision, line in {"float32": "-", "bfloat16": "--"}.items():
        roof = np.minimum(peaks[f"convolution, {precision}"], peaks["memory, GB/s"] * intensity)
        axes.loglog(intensity, roof, line, color="0.4", label=f"{precision}: memory, then convolutions")
    head = ("lesson", "network", "arithmetic, MFLOP", "ms an example: float32", "bfloat16", "convolutions")
    head += ("of the peak", "in products", "between steps")
    rows = [head, ["---"] * len(head)]
    for lesson, networks in stored["networks"].items():
        for name, one in networks.items():
            whole, *others = (entry for precision, entry in one.items() if precision != "epoch")
            times = [entry["training, ms"] for entry in (whole, *others)]
            between = f"{max(0, 1 - times[0] / one['epoch']['epoch, ms']):.0%}" if "epoch" in one else "–"
            share = whole["training, GFLOP/s"] / peaks["convolution, float32"]
            cells = [f"{whole['judging, MFLOP']:,.1f}", *(f"{ms:.3g}" for ms in times)]
            cells += [f"{share:.0%}", f"{whole['of it in products']:.0%}", between]
            rows.append([lesson, name, *cells])
            place = whole["judging, MFLOP"] / whole["judging, MB"], whole["training, GFLOP/s"]
            axes.plot(*place, "o", color="tab:blue")
            axes.annotate(name, place, (4, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel="operations for each byte", ylabel="GFLOP/s")
    axes.legend(loc="lower right")
    axes.figure.savefig(to / "limits.png", dpi=120)
    measured = stored["measured"]
    told = f"Measured on {measured['date']}: {stored['machine']}, Keras {measured['keras']}. On {threads} threads"
    reached = ", ".join(f"{name} {value:,.0f}{'' if 'GB' in name else ' GFLOP/s'}" for name, value in peaks.items())
    return f"{told}: {reached}.\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def waits() -> str:
    """Write what a student waits for: every lesson, and its long cells."""
    stored = json.loads((CLONE / "data" / "results" / "waits.json").read_text(encoding="utf-8"))
    rows = ["| lesson | whole, s | section | the cell begins with | s |", "|---|---|---|---|---|"]
    for number, lesson in stored["lessons"].items():
        page = next(path.stem for path in CLONE.glob(f"notebooks/{number}_*.ipynb"))
        whole = [f"[{number}](notebooks/{page})", f"{lesson['seconds']:.0f}"]
        for cell in lesson["cells"]:
            begins = textwrap.shorten(cell["begins"], 40, placeholder=" …").replace(
                "|", "\\|"
            )  # else a cell of the table would end there
            rows.append(f"| {' | '.join([*whole, cell['section'], f'`{begins}`', format(cell['seconds'], '.0f')])} |")
            whole = ["", ""]
        if whole[0]:  # no long cell
            rows.append(f"| {' | '.join([*whole, '–', '–', '–'])} |")
    measured = stored["measured"]
    return f"Measured on {measured['date']}: {stored['machine']}, Keras {measured['keras']}.\n\n" + "\n".join(rows)


def reference(to: Path) -> None:
    """Write a page for each part of the package."""
    package = CLONE / "ecg_lessons"
    parts = {path.stem: [path] for path in package.glob("[a-z]*.py")}
    parts |= {path.parent.name: sorted(path.parent.glob("*.py")) for path in package.glob("*/__init__.py")}
    names = []
    for name, paths in sorted(parts.items()):
        title = f"Package: {name}"
        text = f"{title}\n{'=' * len(title)}\n\n"
        for path in paths:
            module = ".".join(path.relative_to(CLONE).with_suffix("").parts).removesuffix(".__init__")
            text += f"{module}\n{'-' * len(module)}\n\n.. automodule:: {module}\n   :members:\n\n"
        names.append(name)
        (to / "api").mkdir(parents=True, exist_ok=True)
        (to / "api" / f"{name}.rst").write_text(text, encoding="utf-8")
    listing = "\n".join(["# Reference of the package", "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""])
    (to / "api" / "index.md").write_text(listing, encoding="utf-8")


def main() -> None:
    """Gather everything anew."""
    to = Path(sys.argv[1])
    shutil.rmtree(to, ignore_errors=True)
    copy(to)
    reference(to)
    source = os.environ.get("SOURCE", "")
    where = f"It lies at <{source}>." if source else "Whoever showed you this site knows where it lies."
    for (name, mark), text in {
        ("get_the_course", "HERE"): where,
        ("syllabus", "HERE"): syllabus(),
        ("results", "HERE"): results(),
        ("limits", "HERE"): limits(to),
        ("limits", "WAITS"): waits(),
    }.items():
        page = to / f"{name}.md"
        page.write_text(page.read_text(encoding="utf-8").replace(f"%{mark}%", text), encoding="utf-8")


if __name__ == "__main__":
    main()
