"""The recordings of CinC 2017, on files in its layout."""

import collections
import shutil
import zipfile

import numpy as np
import pytest
import scipy.io

from ecg_lessons.data import recordings
from ecg_lessons.data.recordings import RHYTHMS, challenge_2017, rhythm_labels
from ecg_lessons.errors import InputError

LABELS = {"A00001": "N", "A00002": "A", "A00003": "O", "A00004": "~"}


def step(number):
    """The signal of a recording in steps of 0.001 mV."""
    return np.arange(number, 3000 + 300 * number, dtype=np.int16)


def write_labels(folder, labels, name="REFERENCE-v3.csv"):
    (folder / name).write_text("".join(f"{record},{label}\n" for record, label in labels.items()))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four recordings in the folder training2017, and an empty cache."""
    monkeypatch.setenv("ECG_LESSONS_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "challenge" / "training2017"
    place.mkdir(parents=True)
    for number, name in enumerate(LABELS, start=1):
        scipy.io.savemat(place / f"{name}.mat", {"val": step(number)[None]}, format="4")
    write_labels(place.parent, LABELS)
    return place.parent


@pytest.fixture
def zipped(folder):
    """The same recordings, in training2017.zip."""
    pack(folder)
    return folder


def pack(folder):
    with zipfile.ZipFile(folder / "training2017.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "training2017").iterdir()):
            archive.write(path, f"training2017/{path.name}")
    shutil.rmtree(folder / "training2017")


def refused(folder, **options):
    with pytest.raises(InputError) as error:
        list(challenge_2017(folder, **options))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_rhythm_recordings_come_with_their_labels(folder):
    calls = []
    found = list(challenge_2017(folder, progress=lambda *call: calls.append(call)))
    assert {one.name: one.labels["rhythm"] for one in found} == LABELS
    assert [one.patient for one in found] == list(LABELS)
    assert (found[1].rate, found[1].leads, found[1].signal.dtype) == (300.0, ("ECG",), np.float32)
    np.testing.assert_allclose(found[1].signal[:, 0], step(2) / 1000, rtol=1e-6)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    np.testing.assert_array_equal(recordings.read(folder / "training2017" / "A00002.mat").signal, found[1].signal)


def test_some_records_in_the_order_asked_for(folder):
    assert [one.name for one in challenge_2017(folder, ["A00003", "A00001"])] == ["A00003", "A00001"]
    assert "no recording 'A9'; it has A00001 to A00004" in refused(folder, records=["A9"])


def test_labels_of_an_older_version_serve_where_there_are_no_others(folder):
    (folder / "REFERENCE-v3.csv").rename(folder / "training2017" / "REFERENCE.csv")
    assert rhythm_labels(folder) == LABELS
    write_labels(folder, dict.fromkeys(LABELS, "O"))
    assert set(rhythm_labels(folder).values()) == {"O"}


def test_the_zip_is_unpacked_once(zipped, tmp_path, monkeypatch):
    first = [one.signal for one in challenge_2017(zipped)]
    (place,) = (tmp_path / "cache" / "challenge-2017").iterdir()
    assert sorted(path.stem for path in place.iterdir()) == list(LABELS)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)  # nothing is unpacked any more
    again = [one.signal for one in challenge_2017(zipped)]
    assert len(first) == 4
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_what_macos_adds_to_a_zip_and_to_a_folder_is_passed_over(folder, tmp_path):
    (folder / "training2017" / "._A00001.mat").write_bytes(b"\0\5\x16\7")
    assert len(list(challenge_2017(folder))) == 4
    (folder / "training2017" / "._A00001.mat").unlink()
    pack(folder)
    with zipfile.ZipFile(folder / "training2017.zip", "a") as archive:
        archive.writestr("__MACOSX/training2017/._A00001.mat", b"\0\5\x16\7")
    assert len(list(challenge_2017(folder))) == 4


def test_an_unpacked_folder_stands_in_for_its_zip(folder, tmp_path, monkeypatch):
    from ecg_lessons.data import fetch

    monkeypatch.setenv("ECG_LESSONS_DATA", str(tmp_path / "data"))
    place = tmp_path / "data" / "challenge-2017" / "1.0.0"
    shutil.copytree(folder, place)
    assert len(list(challenge_2017(fetch.locate("challenge-2017")))) == 4
    shutil.rmtree(place / "training2017")
    with pytest.raises(InputError, match="lacks 1 of 2 files"):
        fetch.locate("challenge-2017")


def test_a_zip_that_inflates_to_gigabytes_is_not_unpacked(zipped, monkeypatch):
    from ecg_lessons.data import voltages

    monkeypatch.setattr(voltages, "_MOST", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    assert "cut it into pieces" in refused(zipped)


def test_a_zip_that_changed_is_unpacked_anew(folder):
    place = folder / "training2017"
    copy = shutil.copytree(place, folder / "copy")
    pack(folder)
    next(challenge_2017(folder))
    shutil.copytree(copy, place)
    scipy.io.savemat(place / "A00001.mat", {"val": 2 * step(1)[None]}, format="4")
    pack(folder)
    assert next(challenge_2017(folder)).signal[-1, 0] == pytest.approx(2 * step(1)[-1] / 1000)


def test_of_a_damaged_zip_nothing_is_left(zipped, tmp_path):
    path = zipped / "training2017.zip"
    whole = path.read_bytes()
    third = whole.index(b"training2017/A00003.mat")
    path.write_bytes(whole[: third + 500] + b"damaged" + whole[third + 507 :])
    assert "training2017.zip is damaged: delete it and run 'ecg-lessons fetch" in refused(zipped)
    path.write_bytes(whole[:-100])
    assert "training2017.zip is damaged" in refused(zipped)
    assert not list((tmp_path / "cache").rglob("*.mat"))
    path.write_bytes(whole)
    assert len(list(challenge_2017(zipped))) == 4


def test_an_interrupted_unpacking_leaves_nothing_and_can_be_repeated(zipped, tmp_path):
    def interrupt(done, _):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(challenge_2017(zipped, progress=interrupt))
    assert not list((tmp_path / "cache").rglob("*.mat"))
    assert len(list(challenge_2017(zipped))) == 4


def test_what_is_missing_is_told_in_one_sentence(folder, tmp_path):
    assert "run 'ecg-lessons fetch challenge-2017'" in refused(tmp_path)
    write_labels(tmp_path, LABELS)
    assert "No recordings" in refused(tmp_path)
    write_labels(folder, {name: label for name, label in LABELS.items() if name != "A00003"})
    assert "lack 1 of 4 recordings of training2017 (first: A00003): add a row" in refused(folder)
    write_labels(folder, LABELS | {"A00005": "N"})
    assert "name 1 of 5 recordings that training2017 lacks (first: A00005.mat)" in refused(folder)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("A00005,Q", "row 5: unknown label 'Q' of A00005; the labels are N A O ~"),
        ("A00002,N", "row 5: A00002 has a label already"),
        ("A00005", "row 5: expected name,label"),
        ("A00005,N,N", "row 5: expected name,label"),
    ],
)
def test_a_bad_row_of_the_labels_is_named(folder, row, words):
    write_labels(folder, LABELS)
    with (folder / "REFERENCE-v3.csv").open("a") as file:
        file.write(row + "\n")
    assert words in refused(folder)


def test_labels_without_rows_are_refused(folder):
    write_labels(folder, {})
    assert "holds no labels" in refused(folder)


def test_a_recording_without_val_is_named(folder):
    scipy.io.savemat(folder / "training2017" / "A00002.mat", {"other": np.zeros((1, 9))}, format="4")
    assert "A00002.mat has no variable 'val'" in refused(folder)


@pytest.mark.real
def test_the_real_rhythm_recordings(real):
    found = list(challenge_2017(real / "challenge-2017" / "1.0.0"))
    counts = collections.Counter(one.labels["rhythm"] for one in found)
    assert [counts[name] for name in RHYTHMS] == [5076, 758, 2415, 279]
    seconds = np.array([one.seconds for one in found])
    assert (seconds.min() >= 9, seconds.max() <= 61.1, np.median(seconds)) == (True, True, 30)
