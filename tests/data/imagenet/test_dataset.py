"""Prepared ImageNet as a data set: splits, random access, and damaged or missing data."""

import hashlib
import json
import os
import threading

import numpy as np
import pytest

from reproductions.lab.data import registry, status
from reproductions.lab.data.imagenet import dataset, manifest
from reproductions.lab.errors import UsageError
from tests.helpers.imagenet_files import DEVKIT, TRAIN, VALIDATION
from tests.helpers.prepared_imagenet import prepare

# --- Splits and random access


def test_validation_split_does_not_depend_on_the_shards(ilsvrc, prepared_imagenet, tmp_path):
    """It has at least one image of each class, those with the smallest hashes."""
    data = registry.load("imagenet", prepared_imagenet)
    assert np.bincount(data.validation.labels).tolist() == [1] * 5
    for label, name in zip(data.validation.labels, data.validation.filenames):
        own = [n for n, other in zip(data.train.filenames, data.train.labels) if other == label]
        assert all(hashlib.sha256(name).digest() < hashlib.sha256(n).digest() for n in own)
    prepare(ilsvrc.folder, tmp_path, shards=1)
    one_shard = registry.load("imagenet", tmp_path)
    assert one_shard.validation.filenames.tolist() == data.validation.filenames.tolist()
    assert one_shard.train.filenames.tolist() == data.train.filenames.tolist()


def test_validation_split_has_one_image_in_a_hundred():
    """But at least one of each class, and never the only one."""
    labels = np.repeat([0, 1, 2, 3], [1, 2, 732, 1300])
    names = np.array([f"{i}.JPEG" for i in range(len(labels))], dtype="S")
    assert np.bincount(labels[dataset.is_validation(labels, names)], minlength=4).tolist() == [0, 1, 7, 13]


def test_pipelines_read_encoded_images(prepared_imagenet):
    import tensorflow as tf

    from reproductions.lab.data.pipeline import reader

    images = registry.load("imagenet", prepared_imagenet).test
    stored = tf.data.Dataset.range(len(images.labels)).map(reader(images), num_parallel_calls=4)
    assert [data.numpy() for data in stored] == [images.read(i) for i in range(len(images.labels))]


def test_threads_and_forks_read_the_same_images(prepared_imagenet):
    images = registry.load("imagenet", prepared_imagenet).train
    expected = [images.read(i) for i in range(len(images.labels))]
    images = registry.load("imagenet", prepared_imagenet).train
    found: list[list[bytes]] = []

    def read_all() -> None:
        found.append([images.read(i) for i in range(len(expected))])

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
    child = os.fork()
    if child == 0:
        os._exit(0 if [images.read(i) for i in range(len(expected))] == expected else 1)
    assert [images.read(i) for i in range(len(expected))] == expected
    assert os.waitpid(child, 0)[1] == 0


# --- Damaged and missing data


def test_verify_and_read_detect_a_damaged_shard(ilsvrc, own_imagenet):
    assert status.verify(own_imagenet.parent) == []
    train = registry.load("imagenet", own_imagenet.parent).train
    damaged = own_imagenet / train.files.names[int(train.shard[0])]
    data = bytearray(damaged.read_bytes())
    data[int(train.offset[0]) + int(train.length[0]) // 2] ^= 1
    damaged.write_bytes(data)
    problems = status.verify(own_imagenet)
    assert problems[0] == f"{damaged} is damaged: its checksum differs from the manifest" and len(problems) == 2
    images = registry.load("imagenet", own_imagenet.parent).train
    with pytest.raises(UsageError, match=rf"{damaged.name} is damaged at byte .*checksum.*reproduce data verify"):
        images.read(0)
    for i in range(1, len(images.labels)):
        images.read(i)


def test_damaged_and_other_manifests_are_refused(own_imagenet):
    """Manifests of other formats are refused with advice."""
    path = own_imagenet / manifest.NAME
    whole = json.loads(path.read_text(encoding="utf-8"))
    older = {
        **{name: value for name, value in whole.items() if name != "splits"},
        "parts": whole["splits"],
        "format": 1,
    }
    lacking = {name: value for name, value in whole.items() if name != "splits"}
    for text, message in (
        ("{", "is not a manifest"),
        (json.dumps(lacking), ".*missing required field `splits`"),
        (
            json.dumps({**whole, "format": 9}),
            "has format 9, but this version reads format 2; delete .* and prepare it again",
        ),
        (json.dumps(older), "has format 1, but this version reads format 2; delete .* and prepare it again"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=f"{manifest.NAME} {message}"):
            registry.load("imagenet", own_imagenet.parent)


def test_checksum_is_that_of_the_shards(prepared_imagenet, own_imagenet):
    first = registry.load("imagenet", prepared_imagenet).sha256
    assert registry.load("imagenet", own_imagenet.parent).sha256 == first
    whole = json.loads((own_imagenet / manifest.NAME).read_text(encoding="utf-8"))
    whole["splits"]["train"]["shards"][0]["sha256"] = "0" * 64
    (own_imagenet / manifest.NAME).write_text(json.dumps(whole), encoding="utf-8")
    assert registry.load("imagenet", own_imagenet.parent).sha256 != first


@pytest.mark.parametrize("name", ["imagenet", "imagenet-originals"])
def test_missing_data_are_an_error_with_instructions(name, tmp_path, monkeypatch):
    """It says which folder was searched, what to download and what to run."""
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    options = " --keep-originals" if name == "imagenet-originals" else ""
    with pytest.raises(UsageError) as caught:
        registry.load(name, tmp_path)
    message = str(caught.value)
    assert f"there is no {manifest.FOLDERS[name]}/ in {tmp_path}" in message
    assert all(word in message for word in ("image-net.org", TRAIN, VALIDATION, DEVKIT))
    assert message.endswith(f"`reproduce data prepare imagenet --from THAT_FOLDER --to {tmp_path}{options}`")
    with pytest.raises(UsageError, match="neither --data-dir nor REPRODUCTIONS_DATA is set"):
        registry.load(name)


def test_unfinished_data_are_reported_as_such(ilsvrc, tmp_path):
    (tmp_path / "imagenet-256").mkdir()
    with pytest.raises(UsageError, match="imagenet-256 is unfinished: run the same"):
        registry.load("imagenet", tmp_path)
    assert "unfinished" in status.status(tmp_path)
