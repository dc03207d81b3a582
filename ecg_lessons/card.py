"""The card of a trained network: what it is for, whom it has met, what it is worth, and where that ends."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ecg_lessons import files
from ecg_lessons.splits import is_leaky
from ecg_lessons.training import Run

NAME = "card.md"
_TOP = """# The network {network}

{title} A network of the course ECG Lessons: for learning and research, no medical device, no verdict on a patient.

| | |
|---|---|
| **Data** | {data} |
| **Split** | {split} |
| **Train** | {train} |
| **Validate** | {validation} |
| **Test** | {test} |
| **Training** | {epochs} of {most} epochs, seed {seed} (`plan.toml`, `history.csv`) |

## Scores

{scores}
## Limits

{limits}
"""


def write(run: Run, title: str, data: str, counts: Mapping[str, str], classes: tuple[str, ...]) -> Path:
    """Write ``card.md`` into a run folder, from what lies there; `counts` says how many of whom stand on each side."""
    about, plan = run.about, run.plan
    told = {"network": about["network"], "title": title, "data": data, "split": about["split"], **counts}
    told |= {"epochs": len(run.history), "most": plan.epochs, "seed": plan.seed}
    told["scores"] = _scores(run.folder) or f"None yet: `ecg-lessons evaluate {run.folder.name}` adds them.\n"
    told["limits"] = "\n".join(f"- {one}" for one in _limits(about, classes))
    return run.write(NAME, _TOP.format_map(told))


def count(what: str, patients: int | None) -> str:
    """Say how many rows there are and of how many patients, as far as the data name them."""
    if patients is None:
        return f"{what}; the data name no patients"
    return f"{what} of {patients:,} patient{'s' if patients != 1 else ''}"


def rescore(run: Run) -> None:
    """Set the scores in the card of a run anew, after `evaluate`; older runs have none."""
    path = run.folder / NAME
    if path.exists():
        before, after = path.read_text(encoding="utf-8").split("\n## Scores\n", 1)
        limits = after[after.index("\n## Limits\n") :]
        run.write(NAME, f"{before}\n## Scores\n\n{_scores(run.folder)}{limits}")


def _scores(folder: Path) -> str:
    parts = []
    for path in sorted(folder.glob("metrics*.json")):
        found = files.read_json(path, "evaluate the run again")
        where = path.stem.removeprefix("metrics").lstrip("-")
        tested = f"{found['examples']:,}"
        if "patients" in found:  # older runs counted rows only
            tested = count(tested, found["patients"])
        rows = [f"On {where or 'its own test rows'} ({tested}), with 95 % intervals:\n"]
        rows += ["| score | value |", "|---|---|"]
        rows += [f"| {name} | {value} |" for name, value in _flat(found)]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _flat(found: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Give the name and the words of every score; counts are none."""
    if isinstance(found, float):
        yield name, f"{found:.3f}"
    elif isinstance(found, Mapping) and set(found) == {"value", "low", "high"}:
        value, low, high = (found[key] for key in ("value", "low", "high"))
        between = "no interval" if low is None else f"{low:.3f} to {high:.3f}"
        yield name, "-" if value is None else f"{value:.3f} ({between})"
    elif isinstance(found, Mapping):
        for key, entry in found.items():
            yield from _flat(entry, f"{name} {key.replace('_', ' ')}".strip())


def _limits(about: Mapping[str, Any], classes: tuple[str, ...]) -> Iterator[str]:
    """Give what a reader must know before using the network."""
    if about["source"] == "sample":
        yield "It has met simulated people only. Nothing measured on them says anything about a clinic."
    if is_leaky(about["split"]):
        yield f"The split {about['split']} tests hearts that also trained: its scores are too good for new people."
    if unknown := [name for k, name in enumerate(classes) if k not in about.get("learnt", range(len(classes)))]:
        yield f"It has never met: {', '.join(unknown)}."
    if begun := about.get("transfer_from"):
        yield f"It began as {begun}, and has met whom that has met too."
    yield "Whom it has met stands in `split.json`: test it on nobody of those."
    yield "It was tried on no recordings but those named here."
