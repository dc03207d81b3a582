"""Gather the pages of the site: ``python site/assemble.py build/site-source``, then sphinx-build; `make site` does both."""

import base64
import json
import re
import shutil
import sys
from pathlib import Path

import nbformat


CLONE = Path(__file__).parents[1]
#: Copied as they are; links between them stay as they are.
PAGES = ("notebooks/*.md", "images/*.png", "docker/*.md", "docker/*/README.md", "data/README.md", "experiments/README.md", "assignments/README.md")


def copy(to: Path) -> None:
    """Copy pages, and notebooks with their drawings as files and the stored description of each figure."""
    for pattern in PAGES:
        for path in CLONE.glob(pattern):
            (to / path.relative_to(CLONE)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to / path.relative_to(CLONE))
    for path in (*CLONE.glob("notebooks/*.ipynb"), *CLONE.glob("assignments/release/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            for name, drawing in cell.pop("attachments", {}).items():
                place = to / "notebooks" / "drawings" / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(base64.b64decode(drawing["image/png"]))
                cell.source = cell.source.replace(f"attachment:{name}", f"drawings/{name}")
            alt = [out.get("metadata", {}).get("image/png", {}).get("alt") for out in cell.get("outputs", ())]
            if any(alt):
                cell.metadata["mystnb"] = {"image": {"alt": next(filter(None, alt))}}
        target = to / path.relative_to(CLONE)
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
    for path in (CLONE / "site").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            target = to / path.relative_to(CLONE / "site")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def syllabus() -> str:
    """Write the table of lessons from the head of each notebook."""
    rows = ["| lesson | questions | you will be able to | minutes |", "|---|---|---|---|"]
    for path in sorted(CLONE.glob("notebooks/*.ipynb")):
        text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells[:2])
        title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
        told = [re.search(rf"\*\*{name}\*\* \| (.*) \|", text)[1] for name in ("Questions", "You will be able to", "Minutes")]
        rows.append(f"| [{title}](notebooks/{path.stem}) | " + " | ".join(told) + " |")
    return "\n".join(rows)


def results() -> str:
    """Write the three numbers of every lesson from data/results."""
    stored = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in CLONE.glob("data/results/*.json")}

    def show(one: dict | None) -> str:
        if one is None:
            return "–"
        return f"{100 * one['value']:.1f} ({100 * one['low']:.1f} to {100 * one['high']:.1f})"

    inversion, rhythm, beats = stored["inversion"], stored["rhythm"], stored["beat_images"]["protocols"]
    patients, heart, mi = stored["patients"], stored["heartbeat"], stored["infarction"]
    own = inversion["original, its own protocol"]["balanced_accuracy"]
    hearts, infarctions = heart["protocols"], mi["protocols"]
    rows = [
        ("1", "the original", "balanced accuracy", "–", f"{100 * sum(own) / 3:.1f}", show(inversion["networks"]["original"]["ptb-xl"]["balanced_accuracy"])),
        ("1", "ours (hypotheses)", "balanced accuracy", "–", "–", show(inversion["networks"]["hypotheses"]["ptb-xl"]["balanced_accuracy"])),
        ("1", "ours, strangers (LUDB)", "balanced accuracy", "–", "–", show(inversion["networks"]["hypotheses"]["ludb"]["balanced_accuracy"])),
        ("2", "CRNN (claimed), compact-signal (ours)", "mean F1 of N, A, O", f"{100 * rhythm['claimed']['five folds']['crnn']['mean_f1']:.1f}", show(rhythm["networks"]["compact-signal"]["augmented"]["mean_f1"]), "nobody can know: who was recorded is not published"),
        ("3", "the paper's (claimed), light (ours)", "accuracy", f"{100 * stored['beat_images']['claimed']['accuracy']:.1f}", show(beats["random beats"]["networks"]["light"]["accuracy"]), show(beats["by patient, all beats"]["networks"]["light"]["accuracy"])),
        ("4", "the original", "F1 frequent", "–", show(patients["original"]["whole records"]["F1 frequent"]), show(patients["original"]["people after minute 10"]["F1 frequent"])),
        ("4", "ours, adapted to ten minutes", "F1 frequent", "–", "–", show(patients["summary"]["arms"]["whole 10"]["F1 frequent"])),
        ("5", "CNet", "macro F1", f"{100 * heart['claimed']['macro F1']['none']['cnet']:.1f}", show(hearts["random beats, published plan"]["cnet"]["none"]["macro_f1"]), show(hearts["DS1 to DS2, published plan"]["cnet"]["none"]["macro_f1"])),
        ("6", "CNet from scratch (claimed on PTB Diagnostic)", "macro F1, by beat", f"{100 * mi['claimed']['macro F1']['scratch']['cnet']:.1f}", show(infarctions["random beats"]["cnet, scratch, 100%"]["macro_f1"]), show(infarctions["by patient"]["cnet, scratch, 100%"]["macro_f1"])),
        ("6", "CNet, full transfer", "macro F1, by beat", "–", show(infarctions["random beats"]["cnet, full, 100%"]["macro_f1"]), show(infarctions["by patient"]["cnet, full, 100%"]["macro_f1"])),
    ]  # fmt: skip
    head = ["| lesson | network | score, % | claimed | same protocol | honest: patient split |", "|---|---|---|---|---|---|"]
    return "\n".join(head + ["| " + " | ".join(row) + " |" for row in rows])


def reference(to: Path) -> None:
    """Write a page for each part of the package."""
    package = CLONE / "ecg_lessons"
    parts = {path.stem: [path] for path in sorted(package.glob("*.py")) if not path.stem.startswith("_")}
    parts |= {path.name: sorted(path.glob("*.py")) for path in sorted(package.iterdir()) if (path / "__init__.py").exists() and path.name != "cli"}
    (to / "api").mkdir(parents=True, exist_ok=True)
    names = []
    for name, paths in sorted(parts.items()):
        modules = []
        for path in paths:
            module = ".".join(path.relative_to(CLONE).with_suffix("").parts).removesuffix(".__init__")
            if path.stem == "__init__" and path.read_text(encoding="utf-8").count("\n") < 8:
                continue
            modules += [f"{module}\n{'-' * len(module)}\n", f".. automodule:: {module}\n   :members:\n"]
        if modules:
            names.append(name)
            (to / "api" / f"{name}.rst").write_text(f"{name}\n{'=' * len(name)}\n\n" + "\n".join(modules), encoding="utf-8")
    listing = "\n".join(["# Reference of the package", "", "```{toctree}", ":maxdepth: 1", "", *names, "```", ""])
    (to / "api" / "index.md").write_text(listing, encoding="utf-8")


def main() -> None:
    """Gather everything anew."""
    to = Path(sys.argv[1])
    shutil.rmtree(to, ignore_errors=True)
    copy(to)
    reference(to)
    for name, table in {"syllabus": syllabus(), "results": results()}.items():
        page = to / f"{name}.md"
        page.write_text(page.read_text(encoding="utf-8").replace("%TABLE%", table), encoding="utf-8")


if __name__ == "__main__":
    main()
