"""Photographs for the benchmarks of input pipelines: scikit-learn's two, in the sizes and the quality of ImageNet's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_images

from reproductions.lab.data.base import Dataset
from reproductions.lab.data.imagenet import dataset
from reproductions.lab.data.imagenet.layout import PrepareOptions
from reproductions.lab.data.imagenet.prepare import prepare

COUNT, SHARDS, QUALITY = 96, 2, 97  # files of 100 KB, as ImageNet's are on average
SOURCE = "source"
WNIDS = ("n01440764", "n01443537")
SIZES = ((500, 375), (500, 333), (375, 500), (400, 300), (500, 500))  # (width, height); the first is the commonest


def write_originals(folder: Path, count: int = COUNT) -> None:
    """Write random windows of the photographs as JPEGs, in folders as ImageNet's training files."""
    photographs, random = load_sample_images().images, np.random.default_rng(1)
    for number in range(count):
        size = SIZES[random.integers(len(SIZES))]
        whole = Image.fromarray(photographs[number % len(photographs)])
        scale = random.uniform(0.6, 1.0)
        corner = [random.uniform(0, (1 - scale) * side) for side in whole.size]
        box = (*corner, *(start + scale * side for start, side in zip(corner, whole.size)))
        path = folder / "train" / WNIDS[number % 2] / f"{WNIDS[number % 2]}_{number}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.resize(size, box=box).save(path, quality=QUALITY)


def prepared(folder: Path, name: str) -> Dataset:
    """Return the photographs as `reproduce data prepare` prepares them, after writing them to a folder.

    Args:
        folder: Existing folder.
        name: "imagenet" at a short side of 256, or "imagenet-originals".
    """
    if not (folder / SOURCE).exists():
        write_originals(folder / SOURCE)
    prepare_originals(folder, name)
    return dataset.load(name, folder)


def prepare_originals(folder: Path, name: str) -> None:
    """Prepare the photographs that `write_originals` wrote to `folder / SOURCE`; see `prepared`."""
    originals = name == "imagenet-originals"
    prepare(PrepareOptions(folder / SOURCE, folder, originals, shards=SHARDS, train_only=True, subset=True))


def encoded(records: Path) -> tf.data.Dataset:
    """Return the encoded images of a folder of shards as plain tf.data reads them."""
    features = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}
    files = tf.data.TFRecordDataset(sorted(map(str, records.glob("*.tfrecord")))).shuffle(64)
    return files.map(lambda record: tf.io.parse_single_example(record, features)["image/encoded"])
