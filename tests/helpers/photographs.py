"""Made-up photographs, encoded in every way that ImageNet's are, and what image steps make of them."""

import io
from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import stats

from reproductions.lab.data.transforms.registry import TransformContext, compose

MODES = ("RGB", "L", "CMYK", "PNG")


def encode(pixels: np.ndarray, mode: str = "RGB", subsampling: int = 2) -> bytes:
    """(height, width, 3) uint8 as the bytes of a JPEG (grey, RGB or CMYK), or of a PNG. Subsampling 2 is 4:2:0."""
    file = io.BytesIO()
    if mode == "PNG":
        Image.fromarray(pixels).save(file, "PNG")
    else:
        Image.fromarray(pixels).convert(mode).save(file, "JPEG", quality=95, subsampling=subsampling)
    return file.getvalue()


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Pixels without order, no two patches alike: (height, width, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def hills(height: int, width: int) -> np.ndarray:
    """A smooth picture: red rises downwards and green to the right, blue comes and goes."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([255 * y, 255 * x, 127 + 120 * np.sin(5 * x + 3 * y)], -1).astype(np.uint8)


def statistics(seed: int = 0) -> SimpleNamespace:
    """Statistics of a training set, made up, with eigenvectors at right angles to each other."""
    random = np.random.default_rng(seed)
    return SimpleNamespace(
        mean_image=random.uniform(90, 130, (256, 256, 3)).astype(np.float32),
        mean_colour=np.array([123.0, 117.0, 104.0], np.float32),
        eigenvalues=np.array([13000.0, 1100.0, 280.0], np.float32),
        eigenvectors=np.linalg.qr(random.normal(size=(3, 3)))[0].astype(np.float32),
    )


STATISTICS = statistics()


def results(steps, stored, draws, size=16, statistics=STATISTICS, parallel=2) -> np.ndarray:
    """What the steps make of one stored image under `draws` keys, in a pipeline as in training."""
    prepare, image = compose(steps, TransformContext(size, statistics)), tf.constant(stored)
    keys = tf.data.Dataset.range(draws).map(lambda number: tf.stack([tf.constant(3, tf.int64), number]))
    made = keys.map(lambda key: prepare(image, key), num_parallel_calls=parallel, deterministic=True)
    return next(iter(made.batch(draws))).numpy()


def evenly(counts) -> bool:
    """Whether counts are what equal chances might well have given."""
    return stats.chisquare(counts).pvalue > 1e-3


def uniform(values, low, high) -> bool:
    """Whether numbers are what a uniform draw might well have given."""
    return stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-3
