"""Folders of images with a list of labels."""

import numpy as np
import pytest
from PIL import Image

from reproductions.lab.data import sample
from reproductions.lab.data.imagenet import classes
from reproductions.lab.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("a.png", 10), ("b c.png", 200)):
        Image.fromarray(np.full((5, 6, 3), colour, np.uint8)).save(tmp_path / name)
    return tmp_path


def write(folder, *lines):
    (folder / "labels.txt").write_text("\n".join(lines), encoding="utf-8")
    return sample.load(folder, folder / "labels.txt")


def test_classes_are_numbers_or_wnids(folder):
    data = write(folder, "a.png, 999", "", "b c.png, n01443537")
    assert data.test.labels.tolist() == [999, 1] and data.test.filenames.tolist() == ["a.png", "b c.png"]
    assert data.test.read(1) == (folder / "b c.png").read_bytes()
    assert write(folder, "a.png 3", "b c.png 4").test.labels.tolist() == [3, 4]


def test_the_checksum_is_of_images_and_labels(folder):
    first, other = write(folder, "a.png 3"), write(folder, "a.png 4")
    assert first.sha256 != other.sha256 and write(folder, "a.png 3").sha256 == first.sha256
    (folder / "a.png").write_bytes((folder / "b c.png").read_bytes())
    assert write(folder, "a.png 3").sha256 != first.sha256


@pytest.mark.parametrize(
    "line, message",
    [
        ("a.png, 1000", "labels.txt, line 1: expected a class from 0 to 999"),
        ("a.png, -1", "got '-1'"),
        ("a.png, n00000000", "got 'n00000000'"),
        ("3", "expected FILE, CLASS; got '3'"),
        ("", "lists no images"),
        ("d.png, 3", "d.png is not a file"),
        ("a.png 3\na.png 4", "line 2: a.png is listed twice"),
    ],
)
def test_a_wrong_line_is_named(folder, line, message):
    with pytest.raises(UsageError, match=message):
        write(folder, line)


def test_damaged_images_are_named(folder):
    whole = (folder / "a.png").read_bytes()
    Image.new("RGB", (4, 4)).save(folder / "c.bmp")
    for content in (b"", b"text", whole[: len(whole) // 2], (folder / "c.bmp").read_bytes()):
        (folder / "a.png").write_bytes(content)
        with pytest.raises(UsageError, match=r"a\.png cannot be read"):
            write(folder, "a.png 3").test.read(0)


def test_a_folder_or_list_that_is_not_there_is_named(folder):
    with pytest.raises(UsageError, match="--images: nowhere is not a folder"):
        sample.load(folder.__class__("nowhere"), folder / "labels.txt")
    with pytest.raises(UsageError, match=r"--labels: .* cannot be read"):
        sample.load(folder, folder / "none.txt")


def test_the_classes_are_in_the_order_of_their_wnids():
    words = classes.words()
    assert len(words) == 1000 and list(words) == sorted(words)
    assert words["n01440764"] == "tench, Tinca tinca" and words["n15075141"].startswith("toilet tissue")
