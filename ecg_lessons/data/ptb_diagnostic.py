"""The PTB Diagnostic ECG Database: 549 recordings of 290 people, and why they came to the hospital.

Bousseljot R, Kreiseler D, Schnabel A (1995); https://doi.org/10.13026/C28C71. Fifteen leads, the twelve standard ones
and the three of Frank, at 1000 Hz. What is known of the patient stands as comments in the header.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ecg_lessons.data.recordings import Recording, read
from ecg_lessons.errors import InputError

_COMMENTS = {"reason": "Reason for admission", "localization": "Acute infarction (localization)"}


def ptb_diagnostic(folder: str | Path) -> Iterator[Recording]:
    """Read the PTB Diagnostic database (or a folder in its layout), in the order of its list.

    Parameters
    ----------
    folder : str or Path
        Holds ``RECORDS``, which names ``patient001/s0010_re`` and so on.

    Yields
    ------
    Recording
        The patient is the record's folder. ``labels["reason"]`` is the reason for admission, for example
        ``"Myocardial infarction"`` or ``"Healthy control"`` (``"n/a"`` where the hospital told nothing), and
        ``labels["localization"]`` that of an acute infarction, for example ``"infero-lateral"`` (``"no"`` without
        one): as the header spells them, and empty where it has no such line.

    Raises
    ------
    InputError
        If the list or a recording is missing or damaged.
    """
    listed = Path(folder) / "RECORDS"
    if not listed.exists():
        raise InputError(f"No list of records {listed}: run 'ecg-lessons fetch ptbdb'.")
    names = listed.read_text(encoding="utf-8", errors="replace").split()
    if not names:
        raise InputError(f"{listed} lists no records: delete it and run 'ecg-lessons fetch ptbdb' again.")
    for name in names:
        patient = PurePosixPath(name).parent.name
        if not patient:
            raise InputError(
                f"{listed} names {name!r} without a patient's folder: expected lines such as "
                "patient001/s0010_re; fetch it again."
            )
        recording = read(Path(folder) / name, patient)
        yield replace(recording, labels=_labels(Path(folder) / f"{name}.hea"))


def _labels(header: Path) -> dict[str, str]:
    """Find the comments that are wanted, ``# key: value``, in a header."""
    text = header.read_text(encoding="utf-8", errors="replace")
    pairs = (line.lstrip("# ").partition(":") for line in text.splitlines() if line.startswith("#"))
    told = {key.strip(): value.strip() for key, _, value in pairs}
    return {label: told.get(comment, "") for label, comment in _COMMENTS.items()}
