"""CIFAR-10: equal data from every file format and order, errors for damaged files, and whitening."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from reproductions.lab.data import base, cifar10, registry, status, whitening
from reproductions.lab.data.cifar10 import ARCHIVE, FOLDER, NPZ, TEST, TRAINING
from reproductions.lab.errors import UsageError

REAL = os.environ.get("REPRODUCTIONS_DATA")
EACH = 40  # images per file, instead of 10,000


@pytest.fixture
def arrays(monkeypatch):
    """Random images instead of CIFAR-10's: 200 for training and 40 for testing."""
    monkeypatch.setattr(cifar10, "IMAGES", EACH)
    monkeypatch.setattr(cifar10, "VALIDATION", 20)
    sizes = {"train": len(TRAINING) * EACH, "test": EACH}
    shapes = {f"x_{split}": (count, 32, 32, 3) for split, count in sizes.items()}
    shapes |= {f"y_{split}": (count,) for split, count in sizes.items()}
    monkeypatch.setattr(cifar10, "SHAPES", shapes)
    random = np.random.default_rng(0)
    return {
        name: random.integers(0, 256 if name.startswith("x") else 10, shape, dtype=np.uint8)
        for name, shape in shapes.items()
    }


def batches(arrays) -> dict[str, bytes]:
    """Return the files of the binary version: for each image its label, all reds, all greens, all blues."""
    files = dict.fromkeys([*TRAINING, TEST], b"")
    for split, names in (("train", TRAINING), ("test", (TEST,))):
        for i, (image, label) in enumerate(zip(arrays[f"x_{split}"], arrays[f"y_{split}"])):
            planes = b"".join(image[..., colour].tobytes() for colour in range(3))
            files[names[i // EACH]] += bytes([int(label)]) + planes
    return files


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    (folder / FOLDER).mkdir(parents=True)
    for name, data in files.items():
        (folder / FOLDER / name).write_bytes(data)


def write_archive(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / ARCHIVE, "w:gz", compresslevel=1) as archive:
        for name, data in {"readme.html": b"", **files}.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def write_npz(folder: Path, arrays) -> None:
    folder.mkdir(exist_ok=True)
    np.savez(folder / NPZ, **arrays)


def shuffled(arrays):
    """Return the same data in another order."""
    random = np.random.default_rng(1)
    found = {}
    for split in ("train", "test"):
        order = random.permutation(len(arrays[f"y_{split}"]))
        found[f"x_{split}"] = arrays[f"x_{split}"][order]
        found[f"y_{split}"] = arrays[f"y_{split}"][order].astype(np.int64)
    return found


def test_every_format_and_order_gives_the_same_data(arrays, tmp_path):
    write_npz(tmp_path / "npz", arrays)
    other = shuffled(arrays)
    write_npz(tmp_path / "shuffled", {**other, "y_train": other["y_train"][:, np.newaxis]})  # as Keras has them
    write_folder(tmp_path / "folder", batches(arrays))
    write_archive(tmp_path / "archive", batches(shuffled(arrays)))
    found = [registry.load("cifar10", tmp_path / name) for name in ("npz", "shuffled", "folder", "archive")]
    assert len({data.sha256 for data in found}) == 1
    for data in found:
        assert data.name == "cifar10-altered", "only the real images are called cifar10"
        assert data.sizes() == {"train": 180, "validation": 20, "test": 40} and data.classes == 10
        for split in base.SPLITS:
            for one, other in zip(getattr(data, split), getattr(found[0], split)):
                np.testing.assert_array_equal(one, other)
    assert found[3].path == str(tmp_path / "archive" / ARCHIVE)
    assert [path.name for path in (tmp_path / "archive").iterdir()] == [ARCHIVE], "nothing is extracted"


def test_images_are_sorted_by_hash_with_their_labels(arrays, tmp_path):
    write_npz(tmp_path, arrays)
    x, y = registry.load("cifar10", tmp_path).training(("train", "validation"))
    hashes = [hashlib.sha256(bytes([label]) + image.tobytes()).hexdigest() for image, label in zip(x, y)]
    assert hashes == sorted(hashes)
    rows = {image.tobytes(): label for image, label in zip(arrays["x_train"], arrays["y_train"])}
    assert len(rows) == len(y) and all(rows[image.tobytes()] == label for image, label in zip(x, y))


def test_one_changed_pixel_or_label_changes_the_checksum(arrays, tmp_path):
    sums = set()
    for number, name in enumerate((None, "x_test", "y_train")):
        changed = {**arrays}
        if name:
            changed[name] = arrays[name].copy()
            changed[name].flat[0] = (changed[name].flat[0] + 1) % 10
        write_npz(tmp_path / str(number), changed)
        sums.add(registry.load("cifar10", tmp_path / str(number)).sha256)
    assert len(sums) == 3


@pytest.mark.skipif(not REAL or cifar10.locate(Path(REAL)) is None, reason="REPRODUCTIONS_DATA has no CIFAR-10")
def test_the_real_cifar10_is_recognized():
    """Its validation split has images of all classes."""
    data = registry.load("cifar10", Path(REAL))
    assert data.name == "cifar10"
    assert data.sizes() == {"train": 45000, "validation": 5000, "test": 10000}
    assert set(np.bincount(data.test.labels)) == {1000}
    assert np.bincount(data.validation.labels).min() > 400
    everything = data.training(("train", "validation")).images
    means = [everything[..., colour].mean() / 255 for colour in range(3)]
    np.testing.assert_allclose(means, [0.49139968, 0.48215841, 0.44653091], atol=1e-8)


# --- Damaged and missing files


def without(name):
    return lambda files: {each: data for each, data in files.items() if each != name}


def truncated(name):
    return lambda files: {**files, name: files[name][:-1]}


@pytest.mark.parametrize("write, where", [(write_folder, FOLDER), (write_archive, ARCHIVE)])
@pytest.mark.parametrize(
    "damage, message",
    [
        (without("data_batch_3.bin"), "lacks data_batch_3.bin"),
        (truncated(TEST), "test_batch.bin must contain 122920 bytes"),
        (lambda files: {**files, TEST: files[TEST] + b"x"}, "test_batch.bin must contain 122920 bytes"),
        (
            lambda files: {**files, TEST: b"\x0a" + files[TEST][1:]},
            "expected y_test of CIFAR-10 to lie in 0..9; got values from 0 to 10",
        ),
    ],
)
def test_a_damaged_binary_version_is_named(write, where, damage, message, arrays, tmp_path):
    write(tmp_path, damage(batches(arrays)))
    with pytest.raises(UsageError, match=message) as error:
        registry.load("cifar10", tmp_path)
    assert str(tmp_path / where) in str(error.value) and "\n" not in str(error.value)


# A gzip file contains its time, but tests in parallel processes must have the same names in each.
@pytest.mark.parametrize("data", [b"", b"no archive", gzip.compress(b"no tar either", mtime=0)])
def test_a_file_that_is_not_an_archive_is_named(data, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(data)
    with pytest.raises(UsageError, match=f"{ARCHIVE} cannot be read: .*; download it again"):
        registry.load("cifar10", tmp_path)


def test_a_truncated_archive_is_named(arrays, tmp_path):
    write_archive(tmp_path, batches(arrays))
    whole = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / ARCHIVE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=f"{ARCHIVE} cannot be read: .*; download it again"):
        registry.load("cifar10", tmp_path)


def test_links_in_an_archive_are_not_followed(arrays, tmp_path):
    write_archive(tmp_path, without(TEST)(batches(arrays)))
    secret = tmp_path / "secret"
    secret.write_bytes(batches(arrays)[TEST])
    with tarfile.open(tmp_path / "linked.tar.gz", "w:gz") as archive, tarfile.open(tmp_path / ARCHIVE) as before:
        for member in before:
            archive.addfile(member, before.extractfile(member))
        link = tarfile.TarInfo(f"{FOLDER}/{TEST}")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
    (tmp_path / "linked.tar.gz").replace(tmp_path / ARCHIVE)
    with pytest.raises(UsageError, match=r"lacks test_batch\.bin"):
        registry.load("cifar10", tmp_path)


def test_arrays_of_another_shape_are_named(arrays, tmp_path):
    write_npz(tmp_path, {**arrays, "x_test": arrays["x_test"].transpose(0, 3, 1, 2)})
    with pytest.raises(
        UsageError, match=r"cifar10.npz .* x_test in it .* expected integers of shape \(40, 32, 32, 3\)"
    ):
        registry.load("cifar10", tmp_path)


@pytest.mark.parametrize("name", cifar10.PICKLED)
def test_pickles_are_refused_with_advice(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=f"{name} contains Python objects .*download https://.*/{ARCHIVE}"):
        registry.load("cifar10", tmp_path)
    assert f"refused: {tmp_path / name}" in status.status(tmp_path)


def test_missing_data_are_an_error_with_instructions(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    cache = tmp_path / "keras" / "datasets"
    monkeypatch.setattr(base, "download", lambda title, name: None)
    advice = f"download https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
    with pytest.raises(UsageError, match=f"{tmp_path} does not contain CIFAR-10: {advice}"):
        registry.load("cifar10", tmp_path)
    monkeypatch.setenv("REPRODUCTIONS_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=f"CIFAR-10 was not found in {tmp_path} and {cache}: {advice}"):
        registry.load("cifar10")
    monkeypatch.delenv("REPRODUCTIONS_DATA")
    with pytest.raises(UsageError, match=f"CIFAR-10 was not found in {cache}: {advice}"):
        registry.load("cifar10")
    lines = status.status(None).splitlines()
    assert any(line.split()[0] == "cifar10" and advice in line for line in lines)


def test_keras_cache_comes_before_the_network(arrays, tmp_path, monkeypatch):
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(base, "download", lambda *args: pytest.fail("downloaded"))
    write_folder(tmp_path / "datasets", batches(arrays))
    assert registry.load("cifar10").source == "the binary version"
    assert f"found: {tmp_path / 'datasets' / FOLDER}" in status.status(None)


def test_keras_download_gives_the_same_data(arrays, tmp_path, monkeypatch):
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    other = shuffled(arrays)
    columns = {name: other[name][:, np.newaxis] for name in ("y_train", "y_test")}
    monkeypatch.setattr(base, "download", lambda title, name: {**other, **columns})
    data = registry.load("cifar10")
    write_npz(tmp_path, arrays)
    assert data.source == "Keras' download" and data.sha256 == registry.load("cifar10", tmp_path).sha256


# --- Whitened


def test_whitened_data_are_fitted_to_all_training_images(arrays, tmp_path, monkeypatch):
    """They keep the checksum of the original pixels."""
    for name in ("x_train", "x_test"):  # smaller, because the time of whitening grows with the cube of the size
        arrays[name] = arrays[name][:, :8, :8]
        monkeypatch.setitem(cifar10.SHAPES, name, arrays[name].shape)
    write_npz(tmp_path, arrays)
    plain, white = (registry.load(name, tmp_path) for name in ("cifar10", "cifar10-whitened"))
    assert white.name == "cifar10-altered-whitened", "with the real data, cifar10-whitened"
    assert (white.sha256, white.sizes(), white.classes) == (plain.sha256, plain.sizes(), plain.classes)
    assert white.statistics is None
    transform = whitening.fit(plain.training(("train", "validation")).images)
    for split in base.SPLITS:
        images, labels = getattr(white, split)
        assert images.dtype == np.float32
        np.testing.assert_array_equal(images, transform.apply(getattr(plain, split).images))
        np.testing.assert_array_equal(labels, getattr(plain, split).labels)
    assert len(white.training(("train", "validation"), 50).labels) == 50
    assert white.classes == 10
