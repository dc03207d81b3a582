"""Every dataset of the lessons: what it is, where it lies, who may use it and how to cite it."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

from ecg_lessons import files
from ecg_lessons.errors import InputError, choice

#: Where PhysioNet's files lie; ECG_LESSONS_MIRROR names another place with the same paths.
PHYSIONET = "https://physionet.org/files/"

_ODC_BY = ("Open Data Commons Attribution License v1.0", "https://opendatacommons.org/licenses/by/1-0/")
_CC_BY = ("Creative Commons Attribution 4.0 International", "https://creativecommons.org/licenses/by/4.0/")
_GOLDBERGER = (
    "Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 2000; 101(23): e215-e220. "
    "https://doi.org/10.1161/01.CIR.101.23.e215"
)


@dataclass(frozen=True)
class Dataset:
    """One version of one database on PhysioNet, whose paths are ``<project>/<version>/``."""

    name: str
    title: str
    project: str
    version: str
    licence: str
    licence_url: str
    citation: str
    #: Approximate download in bytes.
    size: int
    #: Name of the zip of the whole project, where fetching it saves time.
    zip_name: str | None
    #: Files the lessons need; ``{record}`` stands for every record.
    needed: tuple[str, ...]
    #: Paths of the records, without ending, or the file of the dataset that lists them.
    records: str | tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Address of the dataset's folder, ending in a slash."""
        base = os.environ.get("ECG_LESSONS_MIRROR") or PHYSIONET
        return f"{base.rstrip('/')}/{self.project}/{self.version}/"

    @property
    def zip_url(self) -> str:
        """Address of the zip of the whole project, beside PhysioNet's ``files/``."""
        return urljoin(self.url, f"../../../content/{self.project}/get-zip/{self.version}/")

    def file_url(self, path: str) -> str:
        """Address of one file."""
        return self.url + quote(path)

    def files(self, folder: Path) -> list[str]:
        """List the files the lessons need; a FileNotFoundError if the list of records is not in `folder` yet."""
        names = self.records if isinstance(self.records, tuple) else _listed(folder / self.records)
        plain = [path for path in self.needed if "{" not in path]
        endings = [path.removeprefix("{record}") for path in self.needed if "{" in path]
        return plain + [name + ending for name in names for ending in endings]


def _listed(index: Path) -> list[str]:
    # Read the names of the records from RECORDS (one a line) or from the table of PTB-XL.
    with index.open(encoding="utf-8", errors="replace", newline="") as lines:
        if index.suffix == ".csv":
            names = [row.get("filename_hr") or "" for row in csv.DictReader(lines)]
        else:
            names = [line.strip() for line in lines]
    names = [name for name in names if name]
    if not names:
        raise InputError(f"{index} lists no records: delete it and fetch the dataset again.")
    return names


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "mitdb",
            "MIT-BIH Arrhythmia Database",
            "mitdb",
            "1.0.0",
            *_ODC_BY,
            "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng Med Biol 2001; "
            "20(3): 45-50. https://doi.org/10.1109/51.932724. "
            f"Data: https://doi.org/10.13026/C2F305. {_GOLDBERGER}",
            94_000_000,
            "mit-bih-arrhythmia-database-1.0.0.zip",
            ("RECORDS", "{record}.hea", "{record}.dat", "{record}.atr"),
            "RECORDS",
        ),
        Dataset(
            "challenge-2017",
            "AF Classification from a Short Single Lead ECG Recording: the PhysioNet/CinC Challenge 2017",
            "challenge-2017",
            "1.0.0",
            *_ODC_BY,
            "Clifford GD et al. AF classification from a short single lead ECG recording: the "
            "PhysioNet/Computing in Cardiology Challenge 2017. "
            f"https://doi.org/10.22489/CinC.2017.065-469. {_GOLDBERGER}",
            99_000_000,
            None,  # the training set is a zip already
            ("training2017.zip", "REFERENCE-v3.csv"),
        ),
        Dataset(
            "ptb-xl",
            "PTB-XL, a large publicly available electrocardiography dataset",
            "ptb-xl",
            "1.0.3",
            *_CC_BY,
            "Wagner P et al. PTB-XL, a large publicly available electrocardiography dataset. Scientific Data "
            "2020; 7: 154. https://doi.org/10.1038/s41597-020-0495-6. "
            f"Data: https://doi.org/10.13026/kfzx-aw45. {_GOLDBERGER}",
            2_600_000_000,
            "ptb-xl-a-large-publicly-available-electrocardiography-dataset-1.0.3.zip",
            ("ptbxl_database.csv", "scp_statements.csv", "{record}.hea", "{record}.dat"),
            "ptbxl_database.csv",
        ),
        Dataset(
            "ptbdb",
            "PTB Diagnostic ECG Database",
            "ptbdb",
            "1.0.0",
            *_ODC_BY,
            "Bousseljot R, Kreiseler D, Schnabel A. Nutzung der EKG-Signaldatenbank CARDIODAT der PTB über "
            "das Internet. Biomedizinische Technik 1995; 40 (Ergänzungsband 1): 317. "
            f"Data: https://doi.org/10.13026/C28C71. {_GOLDBERGER}",
            1_700_000_000,
            "ptb-diagnostic-ecg-database-1.0.0.zip",
            ("RECORDS", "{record}.hea", "{record}.dat", "{record}.xyz"),  # .xyz: the three Frank leads
            "RECORDS",
        ),
        Dataset(
            "ludb",
            "Lobachevsky University Electrocardiography Database",
            "ludb",
            "1.0.1",
            *_ODC_BY,
            "Kalyakulina AI et al. LUDB: a new open-access validation tool for electrocardiogram delineation "
            "algorithms. IEEE Access 2020. https://doi.org/10.1109/ACCESS.2020.3029211. "
            f"Data: https://doi.org/10.13026/eegm-h675. {_GOLDBERGER}",
            24_000_000,
            "lobachevsky-university-electrocardiography-database-1.0.1.zip",
            ("{record}.hea", "{record}.dat"),
            tuple(f"data/{number}" for number in range(1, 201)),
        ),
    )
}


def get(name: str) -> Dataset:
    """Give the dataset called `name`."""
    if name not in DATASETS:
        raise choice("dataset", name, DATASETS)
    return DATASETS[name]


def folder(name: str) -> Path:
    """Give ``<project>/<version>`` in $ECG_LESSONS_DATA, or else in the user's cache, whether it is there or not."""
    dataset = get(name)
    root = os.environ.get("ECG_LESSONS_DATA")
    base = Path(root).expanduser() if root else files.cache() / "physionet"
    return base / dataset.project / dataset.version
