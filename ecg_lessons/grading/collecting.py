"""Who handed in what, and when: from a folder or a zip, as Moodle, Canvas or a lecturer's own naming leaves it."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from ecg_lessons.errors import InputError

#: Largest notebook, bytes.
BYTES = 30_000_000
_MOODLE = r"(.+?)_(\d+)_assignsubmission"
_CANVAS = r"([^_]+)_(LATE_)?(\d+)_\d+_"


class Submission(NamedTuple):
    """What one student handed in: the notebooks by name, Moodle's or Canvas's number, and the latest time of a file.

    `late` says that Canvas marked a file so.
    """

    student: str
    notebooks: dict[str, bytes]
    number: str | None = None
    time: datetime | None = None
    late: bool = False


def student_of(path: str) -> str:
    """Tell whose a file is: from Moodle's folders, Canvas's file names, a folder of one's own, or the file's name."""
    *folders, name = path.strip("/").split("/")
    for folder in folders:
        if moodle := re.match(_MOODLE, folder):
            return moodle[1]
    if canvas := re.match(_CANVAS, name):
        return canvas[1]
    return folders[0] if folders else re.sub(r"\.ipynb$", "", name, flags=re.IGNORECASE)


def _number(path: str) -> str | None:
    # Moodle's number of a participant, or Canvas's of a user.
    if moodle := re.search(rf"(?:^|/){_MOODLE}", path):
        return moodle[2]
    canvas = re.match(_CANVAS, path.split("/")[-1])
    return canvas[3] if canvas else None


def _owners(paths: Iterable[str]) -> dict[str, str]:
    # Whose each file is. A folder that holds everybody's is nobody's, if students tell themselves apart below it.
    parts = {path: path.split("/") for path in paths}
    parts = {path: words for path, words in parts.items() if not any(w.startswith((".", "__MACOSX")) for w in words)}
    while len(parts) > 1 and all(len(words) > 1 for words in parts.values()):
        if len({words[0] for words in parts.values()}) > 1 or "_assignsubmission" in next(iter(parts.values()))[0]:
            break
        parts = {path: words[1:] for path, words in parts.items()}
    owners = {path: student_of("/".join(words)).encode(errors="replace").decode() for path, words in parts.items()}
    # Two of one name are told apart by their number.
    alike = {(owner, _number(path)) for path, owner in owners.items() if _number(path)}
    twice = {owner for owner, _ in alike if sum(other == owner for other, _ in alike) > 1}
    return {path: f"{own} {_number(path)}" if own in twice and _number(path) else own for path, own in owners.items()}


def collect(submissions: Path, zone: tzinfo | None = None) -> list[Submission]:
    """Read the notebooks of each student, in the order of their names; who handed in none has an empty dict.

    A zip keeps times without a zone: they are read in `zone`, that of this machine unless said.
    """
    times: dict[str, datetime] = {}
    if zipfile.is_zipfile(submissions):
        with zipfile.ZipFile(submissions) as archive:
            members = {item.filename: item for item in archive.infolist() if not item.is_dir()}
            owners = _owners(members)
            content = {name: _some(lambda n=name: archive.open(members[n])) for name in filter(_notebook, owners)}
        for name in owners:
            try:
                local = datetime(*members[name].date_time)
            except ValueError:  # a time that no calendar has
                continue
            times[name] = local.replace(tzinfo=zone) if zone else local.astimezone()
    elif submissions.is_dir():
        paths = {p.relative_to(submissions).as_posix(): p for p in sorted(submissions.rglob("*")) if p.is_file()}
        # A link could lead to any file of the lecturer.
        owners = _owners(name for name, p in paths.items() if not p.is_symlink())
        content = {name: _some(lambda n=name: paths[n].open("rb")) for name in filter(_notebook, owners)}
        times = {name: datetime.fromtimestamp(paths[name].stat().st_mtime).astimezone(zone) for name in owners}
    else:
        raise InputError(f"{submissions} is neither a folder nor a zip: give what was handed in.")
    if not owners:
        raise InputError(f"{submissions} is empty: give what was handed in.")
    found = []
    for student in sorted(set(owners.values())):
        own = [name for name, owner in owners.items() if owner == student]
        notebooks = {name: content[name] for name in own if name in content}
        number = next(filter(None, map(_number, own)), None)
        time = max((times[name] for name in own if name in times), default=None)
        late = any((canvas := re.match(_CANVAS, name.split("/")[-1])) and canvas[2] for name in own)
        found.append(Submission(student, notebooks, number, time, bool(late)))
    return found


def _notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _some(opened: Callable) -> bytes:
    try:
        with opened() as file:
            return file.read(BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):
        return b"a damaged member of a zip, or one with a password"  # no notebook, and said so like any other
