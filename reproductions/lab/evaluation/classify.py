"""The answers of a trained network to images in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from reproductions.lab.data import registry, sample
from reproductions.lab.data.base import Images, InMemoryImages
from reproductions.lab.data.class_names import class_names
from reproductions.lab.data.transforms.registry import TransformContext, needs_statistics
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.evaluation.crops import Preprocessing
from reproductions.lab.evaluation.evaluate import transforms_for
from reproductions.lab.evaluation.scores import class_scores, main_output
from reproductions.lab.evaluation.tested import Trained
from reproductions.lab.spec import protocols
from reproductions.lab.spec.protocols import Protocol

# Pillow's mode, width and height of the images in memory of each data set.
STORED = {"mnist": ("L", 28, 28), "usps": ("L", 16, 16), "cifar10": ("RGB", 32, 32)}


@dataclass(frozen=True)
class Answer:
    """A class, by number and name, and its score: the probability, or the negated penalty."""

    label: int
    name: str
    score: float


def classify(
    trained: Trained, paths: Sequence[Path], protocol: Protocol | None = None, data_dir: Path | None = None
) -> list[list[Answer]]:
    """Return all classes for each image, the best first.

    Args:
        trained: The network.
        paths: JPEG or PNG files.
        protocol: Test protocol; by default that of the recipe.
        data_dir: Folder of the data, for transforms that need statistics of the training set.

    Raises:
        UsageError: If a file is missing or damaged, the network has no such input, or the data are missing.
    """
    recipe, model = trained.recipe, trained.model
    protocol = protocol or protocols.find(recipe.protocol)
    transforms = transforms_for(recipe, protocol)
    statistics = registry.load(recipe.dataset, data_dir).statistics if needs_statistics(transforms) else None
    context = TransformContext(model.input_shape[1], statistics)
    images = read_images(paths, recipe.dataset)
    scores = class_scores(model, trained.network.outputs, images, Preprocessing(protocol, transforms, context))
    names = class_names(recipe.dataset, main_output(model).shape[-1])
    return [[Answer(label, names[label], float(row[label])) for label in np.argsort(-row).tolist()] for row in scores]


def read_images(paths: Sequence[Path], dataset: str) -> Images:
    """Return images as those of a data set are stored: encoded, or of their size in memory.

    Raises:
        UsageError: If a file is missing or damaged, or the images of the data set are preprocessed all together.
    """
    if dataset.startswith("imagenet"):
        for path in paths:
            sample.read_image(path)
        return sample.image_files(paths, [0] * len(paths))
    if dataset not in STORED:
        raise UsageError(f"images cannot be brought into the form of {dataset}, which is computed from the whole set")
    images = np.stack([pixels(path, *STORED[dataset]) for path in paths])
    if dataset == "usps":  # whose files have grey values in -1..1
        images = images.astype(np.float32) / 127.5 - 1
    return InMemoryImages(images, np.zeros(len(paths), np.int64))


def pixels(path: Path, mode: str, width: int, height: int) -> np.ndarray:
    """Return an image with this mode of Pillow and this size, uint8."""
    sample.read_image(path)
    with file_errors(path), Image.open(path) as image:
        converted = image.convert(mode)
        if converted.size != (width, height):
            converted = converted.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(converted, np.uint8)
