"""Synthetic photographs in all encodings that occur in ImageNet, and the results of transforms on them."""

import io
from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import stats

from reproductions.lab.data.transforms.registry import TransformContext, compose

MODES = ("RGB", "L", "CMYK", "PNG")


def encode(pixels: np.ndarray, mode: str = "RGB", subsampling: int = 2) -> bytes:
    """Encode (height, width, 3) uint8 as a JPEG (grey, RGB or CMYK) or PNG. Subsampling 2 is 4:2:0."""
    file = io.BytesIO()
    if mode == "PNG":
        Image.fromarray(pixels).save(file, "PNG")
    else:
        Image.fromarray(pixels).convert(mode).save(file, "JPEG", quality=95, subsampling=subsampling)
    return file.getvalue()


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return random pixels, (height, width, 3) uint8, in which no two patches are equal."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def hills(height: int, width: int) -> np.ndarray:
    """Return a smooth image: red increases downwards and green to the right, blue is a wave."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([255 * y, 255 * x, 127 + 120 * np.sin(5 * x + 3 * y)], -1).astype(np.uint8)


def statistics(seed: int = 0) -> SimpleNamespace:
    """Return synthetic statistics of a training set, with orthogonal eigenvectors."""
    random = np.random.default_rng(seed)
    return SimpleNamespace(
        mean_image=random.uniform(90, 130, (256, 256, 3)).astype(np.float32),
        mean_colour=np.array([123.0, 117.0, 104.0], np.float32),
        eigenvalues=np.array([13000.0, 1100.0, 280.0], np.float32),
        eigenvectors=np.linalg.qr(random.normal(size=(3, 3)))[0].astype(np.float32),
    )


STATISTICS = statistics()


def results(transforms, stored, draws, size=16, statistics=STATISTICS, parallel=2) -> np.ndarray:
    """Return the results of transforms of one stored image under `draws` keys, in a pipeline as in training."""
    prepare, image = compose(transforms, TransformContext(size, statistics)), tf.constant(stored)
    keys = tf.data.Dataset.range(draws).map(lambda number: tf.stack([tf.constant(3, tf.int64), number]))
    images = keys.map(lambda key: prepare(image, key), num_parallel_calls=parallel, deterministic=True)
    return next(iter(images.batch(draws))).numpy()


def evenly(counts) -> bool:
    """Return whether counts are compatible with equal probabilities."""
    return stats.chisquare(counts).pvalue > 1e-3


def uniform(values, low, high) -> bool:
    """Return whether numbers are compatible with a uniform distribution."""
    return stats.ks_1samp(values, stats.uniform(low, high - low).cdf).pvalue > 1e-3
