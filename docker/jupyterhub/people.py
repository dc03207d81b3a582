"""Who may come in: the class list, and nobody else. The hub of one machine and that of a cluster read this."""

import csv
import dbm
import secrets
from pathlib import Path
from typing import ClassVar

from firstuseauthenticator import FirstUseAuthenticator


def read(path: Path) -> dict[str, dict[str, str]]:
    """Read the class list: name, role and code, by name."""
    if not Path(path).is_file():
        raise SystemExit(f"There is no class list {path}: write one as class.example.csv shows.")
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        people = {row["name"].strip().lower(): row for row in csv.DictReader(file) if row["name"].strip()}
    if weak := [name for name, row in people.items() if not (row["code"] or "").strip()]:
        raise SystemExit(
            f"class.csv gives no code to {', '.join(weak)}: anybody could be first to log in by that name."
        )
    return people


def lecturers(people: dict[str, dict[str, str]]) -> set[str]:
    """Name those who teach."""
    return {name for name, row in people.items() if row["role"].strip() == "lecturer"}


class ByCode(FirstUseAuthenticator):
    """The first login takes the code of the class list, which becomes the password until it is changed."""

    people: ClassVar[dict[str, dict[str, str]]] = {}

    async def authenticate(self, handler, data):
        name = self.normalize_username(data["username"])
        if name not in self.people:
            return None
        code = self.people[name]["code"].strip()
        if not self._known(name) and not secrets.compare_digest(code.encode(), data["password"].encode()):
            return None
        given = super().authenticate(handler, data)
        return await given if hasattr(given, "__await__") else given

    def _known(self, name: str) -> bool:
        with dbm.open(self.dbm_path, "c", 0o600) as db:
            return name.encode() in db
