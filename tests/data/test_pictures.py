import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecg_lessons.data import pictures
from ecg_lessons.errors import InputError
from ecg_lessons.signals import labels

SYMBOLS = list(pictures.FOLDER_NAMES)


def beats(n: int = 16, seed: int = 0) -> tuple[np.ndarray, list[str], list[str]]:
    """One chunk: noise, for nothing else tells two pictures apart so well."""
    images = np.random.default_rng(seed).integers(0, 256, (n, 128, 128), dtype=np.uint8)
    names = pictures.picture_names([str(100 + seed)] * n, range(370, 370 + n))
    return images, names, [SYMBOLS[i % len(SYMBOLS)] for i in range(n)]


@pytest.fixture
def written(tmp_path) -> Path:
    return pictures.write_pictures(tmp_path / "png", [beats()])


def refusal(folder, *args) -> str:
    with pytest.raises(InputError) as told:
        pictures.read_pictures(folder, *args)
    assert "\n" not in str(told.value)
    assert str(told.value).count(". ") == 0
    return str(told.value)


def test_pictures_come_back_as_they_were(tmp_path):
    done = []
    chunks = (beats(seed=seed) for seed in range(3))  # a generator: never all in memory
    folder = pictures.write_pictures(tmp_path / "new" / "png", chunks, done.append)
    images, symbols, records, names = pictures.read_pictures(folder)
    assert done == [16, 32, 48]
    assert images.dtype == np.uint8
    assert images.shape == (48, 128, 128)
    expected = {}
    for seed in range(3):
        for image, name, symbol in zip(*beats(seed=seed), strict=True):
            expected[name] = (image, symbol)
    assert set(names) == set(expected)
    for image, symbol, record, name in zip(images, symbols, records, names, strict=True):
        np.testing.assert_array_equal(image, expected[name][0])
        assert symbol == expected[name][1]
        assert record == name[:3]


def test_one_folder_a_class_that_every_disk_can_hold(written):
    assert sorted(path.name for path in written.iterdir()) == sorted(pictures.FOLDER_NAMES.values())
    assert (written / "paced" / f"100_{370 + SYMBOLS.index('/'):06d}.png").exists()
    assert len({name.lower() for name in pictures.FOLDER_NAMES.values()}) == 8
    assert all(name.isalpha() for name in pictures.FOLDER_NAMES.values())
    assert set(pictures.FOLDER_NAMES) == set(labels.EIGHT)
    assert set(pictures.SYMBOLS.values()) == set(labels.EIGHT)


def test_names_hold_record_and_sample():
    assert pictures.picture_names(["100", "s-1"], [370, 1234567]) == ["100_000370", "s-1_1234567"]
    for record in ("a_b", "../a", "", "-rf"):
        with pytest.raises(InputError, match="cannot name pictures"):
            pictures.picture_names([record], [1])


@pytest.mark.parametrize(
    ("name", "record"), [("100_000370", "100"), ("100_370_left", "100"), ("17", ""), ("fig_a", ""), ("_7", "")]
)
def test_whose_beat_it_is_only_where_the_name_says_so(tmp_path, name, record):
    (tmp_path / "N").mkdir()
    cv2.imwrite(str(tmp_path / "N" / f"{name}.png"), np.eye(128, dtype=np.uint8))
    assert pictures.read_pictures(tmp_path)[2].tolist() == [record]


def test_reads_what_other_tools_wrote(tmp_path):
    """The paper's class names, colours, capital endings, another size; litter is passed over."""
    (tmp_path / "PVC").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "readme.txt").write_text("ours")
    (tmp_path / "PVC" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "PVC" / "._1.png").write_bytes(b"x")
    colour = np.zeros((96, 96, 3), np.uint8)
    colour[:48] = (0, 0, 255)  # red, in the order of OpenCV
    content = cv2.imencode(".png", colour)[1].tobytes()
    (tmp_path / "PVC" / "1.PNG").write_bytes(content)
    images, symbols, _, names = pictures.read_pictures(tmp_path, 96)
    assert (symbols.tolist(), names.tolist()) == (["V"], ["1"])
    assert abs(int(images[0, 0, 0]) - 0.299 * 255) <= 1
    assert images[0, 90, 0] == 0


def test_reading_refuses_with_one_sentence(written, tmp_path):
    assert "no folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "empty" / "N").mkdir(parents=True)
    assert "no PNG pictures" in refusal(tmp_path / "empty")
    (written / "Q").mkdir()
    message = refusal(written)
    assert str(written / "Q") in message
    assert "paced" in message


def test_reading_names_the_picture_of_another_size(written):
    odd = written / "L" / "100_999999.png"
    cv2.imwrite(str(odd), np.zeros((64, 200), np.uint8))
    message = refusal(written)
    assert f"{odd} has 200x64 pixels, not 128x128" in message
    assert "resize" in message


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_reading_names_the_damaged_picture(written, share):
    victim = next((written / "V").glob("*.png"))
    content = victim.read_bytes()
    victim.write_bytes(content[: int(share * len(content))])
    assert f"{victim} is no PNG picture, or is damaged" in refusal(written)


def test_a_part_that_promises_more_than_the_file_holds_never_reaches_opencv(written, monkeypatch):
    victim = next((written / "V").glob("*.png"))
    raw = bytearray(victim.read_bytes())
    raw[33:37] = (2_000_000_000).to_bytes(4, "big")  # the length of the second part
    victim.write_bytes(raw)
    monkeypatch.setattr(cv2, "imdecode", lambda content, flags: np.arange(128 * 128, dtype="u1").reshape(128, 128))
    assert f"{victim} is no PNG picture, or is damaged" in refusal(written)


def test_reading_names_what_cannot_be_opened(written):
    (written / "V" / "folder.png").mkdir()
    assert f"Cannot read {written / 'V' / 'folder.png'}" in refusal(written)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError, InputError])
def test_interruption_leaves_nothing(tmp_path, stop):
    def chunks():
        yield beats()
        raise stop

    with pytest.raises(stop):
        pictures.write_pictures(tmp_path / "png", chunks())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"Cannot write .*png \(No space left on device\)"):
        pictures.write_pictures(tmp_path / "png", [beats()])
    assert list(tmp_path.iterdir()) == []


def test_writing_refuses_a_folder_in_use(written):
    before = sorted(written.rglob("*"))
    with pytest.raises(InputError, match="exists and is not empty"):
        pictures.write_pictures(written, [beats(seed=1)])
    assert sorted(written.rglob("*")) == before


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "png").mkdir()
    assert len(pictures.read_pictures(pictures.write_pictures(tmp_path / "png", [beats()]))[0]) == 16


def test_writing_refuses_what_would_be_lost(tmp_path):
    images, names, symbols = beats(2)
    for chunk, words in (
        ((images, names, ["N", "Q"]), "no folder for symbol 'Q'"),
        ((images, ["a_1", "A_1"], symbols), "Two pictures have the name 'A_1'"),
        ((images / 255, names, symbols), "float64"),
        ((images[:0], [], []), "no beats"),
    ):
        with pytest.raises(InputError, match=words):
            pictures.write_pictures(tmp_path / "png", [chunk])
        assert list(tmp_path.iterdir()) == []


def test_a_transparent_ground_is_laid_on_white(tmp_path):
    ink = np.zeros((128, 128), np.uint8)
    cv2.line(ink, (3, 100), (120, 7), 255, 2)
    drawn = {
        "alpha": np.dstack([np.zeros((128, 128, 3), np.uint8), ink]),
        "deep": np.dstack([np.zeros((128, 128, 3), np.uint16), ink.astype(np.uint16) * 257]),
        "opaque": 255 - ink,
    }
    found = {}
    for name, image in drawn.items():
        (tmp_path / name / "N").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / name / "N" / "100_000300.png"), image)
        found[name] = pictures.read_pictures(tmp_path / name)[0]
    np.testing.assert_array_equal(found["alpha"], found["opaque"])
    np.testing.assert_array_equal(found["deep"], found["opaque"])


def test_a_constant_picture_and_a_huge_one_are_refused(tmp_path):
    (tmp_path / "N").mkdir()
    path = tmp_path / "N" / "100_000300.png"
    for shade in (0, 255):
        cv2.imwrite(str(path), np.full((128, 128), shade, np.uint8))
        with pytest.raises(InputError, match=r"100_000300.png is all of one grey"):
            pictures.read_pictures(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[16:24] = (40_000).to_bytes(4, "big") * 2
    path.write_bytes(raw)
    with pytest.raises(InputError, match="has 40000x40000 pixels, not 128x128"):
        pictures.read_pictures(tmp_path)
