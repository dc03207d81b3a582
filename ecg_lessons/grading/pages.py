"""What people see of a submission: a page of feedback, and the notebook for the marker. Nothing of a student's runs."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ecg_lessons.grading.assignments import Assignment
from ecg_lessons.grading.gradebook import Mark

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em;color-scheme:light dark}"
    "td,th{padding:.3em 1em .3em 0;text-align:left;vertical-align:top}td.n{text-align:right}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid #888;padding-left:1em}img{max-width:100%}"
)


def pictures(cell: Mapping) -> list[str]:
    """List the figures of a cell that are PNG in base64, and nothing else."""
    found = cell.get("figures") or []
    return [png for png in found if isinstance(png, str) and re.fullmatch(r"[A-Za-z0-9+/]+=*", png)]


def feedback(student: str, assignment: Assignment, told: Mapping, marks: Mapping[str, Mark]) -> str:
    """Write the page for a student: points, reasons, comments, and what the cells printed and drew; all is escaped."""
    say = lambda text: html.escape(str(text))  # noqa: E731
    rows = ""
    for question in told["questions"]:
        mark = marks.get(question["id"], Mark(None, "", True))
        by_hand = question["why"] == "marked by hand"
        earned = mark.points if by_hand and not mark.waits else None if by_hand else question["points"]
        why = "not marked yet" if earned is None else "marked by hand" if by_hand else question["why"]
        if not by_hand and mark.points is not None and mark.points != question["points"]:
            earned, why = mark.points, "changed by hand"
        rows += f"<tr><td>{say(question['id'])}<td class=n>{'' if earned is None else f'{earned:g}'}"
        rows += f"<td class=n>{question['of']:g}<td>{'<br>'.join(map(say, [why, *mark.comment.splitlines()]))}"
    said = [told["reason"], *told["notes"], *told["faults"], told.get("lateness")]
    remarks = "".join(f"<li>{say(text)}" for text in said if text)
    outputs = "".join(f"<pre>{say(cell['text'])}</pre>" for cell in told["cells"] if cell.get("text"))
    drawn = [png for cell in told["cells"] for png in pictures(cell)]
    outputs += "".join(f'<img alt="figure {n + 1}" src="data:image/png;base64,{p}">' for n, p in enumerate(drawn))
    waits = "" if told["final"] else " so far: a person has not marked everything yet"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{say(assignment.name)}: {say(student)}</title>'
        f"<style>{_STYLE}</style><h1>{say(assignment.name)}</h1>"
        f"<p>{say(student)}: <strong>{told['total']:g} points</strong>{waits}.</p>"
        f"<table><tr><th>question<th>points<th>of<th>why{rows}</table>"
        + (f"<ul>{remarks}</ul>" if remarks else "")
        + (f"<h2>What your notebook printed and drew</h2>{outputs}" if outputs else "")
        + "</html>\n"
    )


def notebook(cells: Sequence[Mapping], assignment: Assignment, told: Mapping) -> Any:
    """Make the notebook that the formgrader shows: the release, a student's cells in it, and harmless outputs.

    `cells` are those of `grade.repaired`. Text cannot hold HTML, since the formgrader would run it with the rights of
    the marker.
    """
    import nbformat

    said = {cell["cell"]: cell for cell in told["cells"]}
    after: dict[str | None, list] = {None: []}
    answers, known, place, number = {}, None, None, 0
    released = assignment.release()
    names = {cell.id for cell in released.cells if "nbgrader" in cell.metadata}
    given = {cell.source for cell in released.cells}
    for cell in cells:
        outputs = []
        if cell["runs"]:
            outputs, number = _outputs(said.get(number, {})), number + 1
        if cell["id"] in names:
            known = cell["id"]
            answers[known] = (cell["source"], outputs)
        elif cell["source"] not in given or outputs:
            place = after.setdefault(known, [])
            place.append((cell["type"], cell["source"], outputs))
    made = nbformat.v4.new_notebook(metadata=released.metadata)
    made.cells = [_cell(*extra) for extra in after.pop(None)]
    for cell in released.cells:
        if cell.id in answers and not cell.metadata["nbgrader"]["locked"]:
            fresh = _cell(cell.cell_type, *answers[cell.id])
            fresh.id, fresh.metadata = cell.id, cell.metadata
            cell = fresh
        made.cells += [cell, *(_cell(*extra) for extra in after.get(cell.id, ()))]
    return made


def _harmless(text: str) -> str:
    # Text stays Markdown with mathematics, but without elements, links, pictures and commands of MathJax that make
    # such: nbgrader 0.9.6 shows Markdown unfiltered (templates/formgrade/index.html.j2, lines 108 and 118), so that
    # `[x](javascript:...)` is a link. A code cell is shown as text in any case.
    text = re.sub(r"\](?=[(\[:])", "] ", text.replace("<", "&lt;"))
    return re.sub(r"\\(?=href|url|require|class|cssId|style|html|data|unicode|bbox)", r"\\ ", text)


def _cell(kind: str, source: str, outputs: list) -> Any:
    import nbformat

    if kind == "code":
        return nbformat.v4.new_code_cell(source, outputs=outputs)
    return nbformat.v4.new_markdown_cell(_harmless(source))


def _outputs(cell: Mapping) -> list:
    from nbformat.v4 import new_output

    text = "\n".join(filter(None, [cell.get("text"), cell.get("error")]))
    outputs = [new_output("stream", name="stdout", text=re.sub(r"\x1b\[[0-9;]*m", "", text))] if text else []
    return outputs + [new_output("display_data", data={"image/png": png}) for png in pictures(cell)]
