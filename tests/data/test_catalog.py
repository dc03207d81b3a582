from pathlib import Path

import pytest

from ecg_lessons.data import catalog
from ecg_lessons.errors import InputError


def test_every_dataset_says_what_a_user_must_know():
    for name, dataset in catalog.DATASETS.items():
        assert dataset.name == name
        assert dataset.url == f"https://physionet.org/files/{dataset.name}/{dataset.version}/"
        assert dataset.zip_url == f"https://physionet.org/content/{dataset.name}/get-zip/{dataset.version}/"
        assert "https://doi.org/10." in dataset.citation
        assert dataset.licence_url.startswith("https://")
        assert 1e7 < dataset.size < 1e10


def test_versions_are_pinned():
    versions = {name: dataset.version for name, dataset in catalog.DATASETS.items()}
    assert versions == {
        "mitdb": "1.0.0",
        "challenge-2017": "1.0.0",
        "ptb-xl": "1.0.3",
        "ptbdb": "1.0.0",
        "ludb": "1.0.1",
    }


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    monkeypatch.delenv("ECG_LESSONS_MIRROR", raising=False)
    monkeypatch.delenv("ECG_LESSONS_DATA", raising=False)


def test_a_mirror_takes_the_place_of_physionet(monkeypatch):
    for address in ("http://ecg.example/files", "http://ecg.example/files/"):
        monkeypatch.setenv("ECG_LESSONS_MIRROR", address)
        assert catalog.get("mitdb").file_url("100 a.dat") == "http://ecg.example/files/mitdb/1.0.0/100%20a.dat"


def test_an_unknown_name_is_told_the_nearest_one():
    with pytest.raises(InputError, match="did you mean 'ptb-xl'"):
        catalog.get("PTBXL")
    with pytest.raises(InputError, match="There is no dataset 'zzzz'") as told:
        catalog.get("zzzz")
    assert "did you mean" not in str(told.value)
    assert "mitdb, challenge-2017, ptb-xl, ptbdb or ludb" in str(told.value)


def test_the_folder_is_the_users_choice_or_a_cache(monkeypatch, tmp_path):
    assert catalog.folder("ptb-xl").parts[-3:] == ("physionet", "ptb-xl", "1.0.3")
    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path))
    assert catalog.folder("ptb-xl") == tmp_path / "ptb-xl" / "1.0.3"
    monkeypatch.setenv("ECG_LESSONS_DATA", "~/ecgs")
    assert catalog.folder("ludb") == Path.home() / "ecgs" / "ludb" / "1.0.1"


def test_files_follow_the_list_of_records(tmp_path):
    (tmp_path / "RECORDS").write_text("100\n101\n\n")
    assert catalog.get("mitdb").files(tmp_path) == [
        "RECORDS", "100.hea", "100.dat", "100.atr", "101.hea", "101.dat", "101.atr"
    ]  # fmt: skip
    (tmp_path / "ptbxl_database.csv").write_text('ecg_id,report,filename_hr\n1,"a,\nb",records500/00000/00001_hr\n')
    assert catalog.get("ptb-xl").files(tmp_path)[2:] == [
        "records500/00000/00001_hr.hea", "records500/00000/00001_hr.dat"
    ]  # fmt: skip
    assert catalog.get("challenge-2017").files(tmp_path) == ["training2017.zip", "REFERENCE-v3.csv"]
    assert len(catalog.get("ludb").files(tmp_path)) == 400


def test_a_list_without_records_is_refused(tmp_path):
    (tmp_path / "RECORDS").write_text("\n")
    with pytest.raises(InputError, match=r"RECORDS lists no records"):
        catalog.get("ptbdb").files(tmp_path)
