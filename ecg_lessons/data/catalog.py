"""Every dataset of the lessons: what it is, where it lies, who may use it and how to cite it (see catalog.toml)."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

from ecg_lessons import files
from ecg_lessons.errors import InputError, pick

#: Where PhysioNet's files lie; ECG_LESSONS_MIRROR names another place with the same paths.
PHYSIONET = "https://physionet.org/files/"


@dataclass(frozen=True)
class Dataset:
    """One version of one database on PhysioNet, whose paths are ``<name>/<version>/``; catalog.toml explains them."""

    name: str
    title: str
    version: str
    licence: str
    licence_url: str
    citation: str
    size: int
    needed: tuple[str, ...]
    zip_name: str | None = None
    records: str | int = 0

    @property
    def url(self) -> str:
        """Address of the dataset's folder, ending in a slash."""
        return f"{(os.environ.get('ECG_LESSONS_MIRROR') or PHYSIONET).rstrip('/')}/{self.name}/{self.version}/"

    @property
    def zip_url(self) -> str:
        """Address of the zip of the whole project, beside PhysioNet's ``files/``."""
        return urljoin(self.url, f"../../../content/{self.name}/get-zip/{self.version}/")

    def file_url(self, path: str) -> str:
        """Address of one file."""
        return self.url + quote(path)

    def files(self, folder: Path) -> list[str]:
        """List the files the lessons need; a FileNotFoundError if the list of records is not in `folder` yet."""
        names = range(1, self.records + 1) if isinstance(self.records, int) else _listed(folder / self.records)
        plain = [path for path in self.needed if "{" not in path]
        return plain + [path.format(record=name) for name in names for path in self.needed if "{" in path]


def _listed(index: Path) -> Iterable[str]:
    # Read the names of the records from RECORDS (one a line) or from the table of PTB-XL.
    with index.open(encoding="utf-8", errors="replace", newline="") as lines:
        table = csv.DictReader(lines) if index.suffix == ".csv" else ({"filename_hr": line.strip()} for line in lines)
        names = [row.get("filename_hr") for row in table]
    if not any(names):
        raise InputError(f"{index} lists no records: delete it and fetch the dataset again.")
    return filter(None, names)


def _catalog() -> dict[str, Dataset]:
    told = files.read_toml(Path(__file__).with_suffix(".toml"))
    for entries in told["datasets"].values():
        entries["licence_url"] = told["licences"][entries["licence"]]
        entries["citation"] += f" {told['physionet']}"
    return {name: Dataset(name, **entries) for name, entries in told["datasets"].items()}


DATASETS = _catalog()


def get(name: str) -> Dataset:
    """Give the dataset called `name`."""
    return pick("dataset", name, DATASETS)


def folder(name: str) -> Path:
    """Give ``<name>/<version>`` in $ECG_LESSONS_DATA, or else in the user's cache, whether it is there or not."""
    dataset = get(name)
    root = os.environ.get("ECG_LESSONS_DATA")
    return (Path(root).expanduser() if root else files.cache() / "physionet") / dataset.name / dataset.version
