"""USPS ZIP code digits: files and folders, grey values, the split, and errors for damaged files."""

import gzip
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.data import registry, usps
from reproductions.lab.data.status import usps_status
from reproductions.lab.errors import UsageError

REAL = Path(os.environ.get("REPRODUCTIONS_DATA", ""))


def thousandths(split):
    """Random images of a split as integers, a row each, label first."""
    random = np.random.default_rng(len(split))
    labels = random.integers(0, 10, usps.COUNTS[split])
    return np.column_stack([labels, random.integers(-1000, 1001, (usps.COUNTS[split], 256))])


ROWS = {split: thousandths(split) for split in usps.NAMES}


def text(rows, style="%.3f"):
    """The rows as the training file (`%.4f`) or the test file is written."""
    words = {value: style % (value / 1000) for value in range(-1000, 1001)}
    return "".join(f"{label} {' '.join(words[value] for value in values)} \n" for label, *values in rows.tolist())


TEXTS = {split: text(rows).encode() for split, rows in ROWS.items()}


def write(folder, end="", **texts):
    """Write both files; `texts` replace their content, None leaves one out."""
    folder.mkdir(exist_ok=True)
    for split, content in {**TEXTS, **texts}.items():
        if content is not None:
            packed = gzip.compress(content, 1) if end else content
            (folder / f"{usps.NAMES[split]}{end}").write_bytes(packed)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A folder with both files. Not to be written to."""
    return write(tmp_path_factory.mktemp("plain"))


def test_plain_and_gzipped_files_are_found_in_both_folders(plain, tmp_path):
    folders = [plain, write(tmp_path / "gz", ".gz"), tmp_path]
    write(tmp_path / "usps", ".gz", train=text(ROWS["train"], "%.4f").encode())
    found = [registry.load("usps", folder) for folder in folders]
    assert len({data.sha256 for data in found}) == 1
    assert {data.name for data in found} == {"usps-altered"}, "only the real images are called usps"
    assert [data.path for data in found] == [str(folder) for folder in (*folders[:2], tmp_path / "usps")]


def test_plain_files_come_before_gzipped_ones(tmp_path):
    write(tmp_path, ".gz", train=b"", test=b"")
    assert registry.load("usps", write(tmp_path)).sizes()["test"] == 2007


def test_grey_values_are_kept_to_the_last_digit(plain):
    data = registry.load("usps", plain)
    images = np.concatenate([data.train.images, data.validation.images])
    assert images.dtype == np.float32 and images.shape == (7291, 16, 16)
    np.testing.assert_array_equal(np.rint(images.astype(float) * 1000).reshape(-1, 256), ROWS["train"][:, 1:])
    np.testing.assert_array_equal(data.test.images, (ROWS["test"][:, 1:] / 1000).astype(np.float32).reshape(-1, 16, 16))
    np.testing.assert_array_equal(data.test.labels, ROWS["test"][:, 0])


def test_the_last_1000_training_images_are_for_validation(plain):
    data = registry.load("usps", plain)
    assert data.sizes() == {"train": 6291, "validation": 1000, "test": 2007} and data.classes == 10
    np.testing.assert_array_equal(data.validation.labels, ROWS["train"][6291:, 0])
    np.testing.assert_array_equal(data.training(("train", "validation")).labels, ROWS["train"][:, 0])


def test_one_changed_value_changes_the_checksum(plain, tmp_path):
    rows = ROWS["test"].copy()
    rows[7, 9] += 1 if rows[7, 9] < 1000 else -1
    assert (
        registry.load("usps", write(tmp_path, test=text(rows).encode())).sha256 != registry.load("usps", plain).sha256
    )


@pytest.mark.skipif(not usps.locate(REAL), reason="REPRODUCTIONS_DATA has no zip.train")
def test_the_real_digits_are_recognized():
    data = registry.load("usps", REAL)
    assert data.name == "usps"
    labels = data.training(("train", "validation")).labels
    assert np.bincount(labels).tolist() == [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
    assert np.bincount(data.test.labels).tolist() == [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]
    images = data.train.images
    assert images.min() == -1 and images.max() == 1 and not np.signbit(images[images == 0]).any()


ADVICE = "download zip.train.gz and zip.test.gz .* from https://hastie.su.domains/ElemStatLearn/data.html"


def test_without_files_the_error_says_where_to_get_them(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=f"{tmp_path} does not contain the USPS .*: {ADVICE}, and put them there"):
        registry.load("usps", tmp_path)
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    with pytest.raises(UsageError, match=f"{ADVICE}, and give their folder by --data-dir or REPRODUCTIONS_DATA"):
        registry.load("usps")
    assert usps_status(None).startswith("missing: download zip.train.gz")
    assert usps_status(tmp_path) == usps_status(None)


def test_one_file_alone_is_not_enough(tmp_path):
    write(tmp_path / "usps", ".gz", test=None)
    with pytest.raises(UsageError, match=r"usps has one file of .* but lacks zip\.test \(plain or \.gz\)"):
        registry.load("usps", tmp_path)
    assert usps_status(tmp_path) == f"incomplete: {tmp_path / 'usps'} lacks zip.test"
    write(tmp_path / "usps", ".gz")
    assert usps_status(tmp_path) == f"found: two files in {tmp_path / 'usps'}"


LINES = TEXTS["test"].splitlines(keepends=True)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"".join(LINES[:-1]), "expected 2,007 lines of 257 numbers, got 2,006 of 257"),
        (b"".join(LINES) + LINES[0], "got 2,008 of 257"),
        (b"1 2 3\n" * 2007, "got 2,007 of 3"),
        (b"".join([*LINES[:-1], LINES[-1][:-9]]), "columns"),
        (b"".join([b"one" + LINES[0][1:], *LINES[1:]]), "could not convert string"),
        (b"".join([b"10" + LINES[0][1:], *LINES[1:]]), r"label in 0\.\.9"),
        (b"".join([b"0.5" + LINES[0][1:], *LINES[1:]]), r"label in 0\.\.9"),
        (b"".join([b"nan" + LINES[0][1:], *LINES[1:]]), r"label in 0\.\.9"),
        (b"".join([*LINES[:-1], b"3" + b" nan" * 256]), r"grey values in -1\.\.1"),
        (b"".join([*LINES[:-1], b"3" + b" 1.001" * 256]), r"grey values in -1\.\.1"),
        (b"\xff\xfe\x00" * 1000, "cannot be read"),
    ],
)
def test_damaged_files_are_named(content, message, tmp_path):
    write(tmp_path, test=content)
    with pytest.raises(UsageError, match=message) as error:
        registry.load("usps", tmp_path)
    assert f"{tmp_path / 'zip.test'} cannot be read" in str(error.value) and "download it again" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"no" + data, lambda data: b""])
def test_damaged_gzip_files_are_named(damage, tmp_path):
    file = write(tmp_path, ".gz") / "zip.train.gz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(UsageError, match=r"zip\.train\.gz cannot be read"):
        registry.load("usps", tmp_path)


def test_a_file_that_expands_hugely_is_refused(tmp_path):
    """Before it is expanded: half a gigabyte of zeros in half a megabyte."""
    write(tmp_path, ".gz")
    with gzip.open(tmp_path / "zip.train.gz", "wb", 1) as file:
        for _ in range(512):
            file.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(UsageError, match="more than 16,777,216 bytes, decompressed"):
        registry.load("usps", tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * usps.BYTES
