"""Test error, measured once, after training, on images that nothing was trained or chosen on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reproductions.lab import datasets
from reproductions.lab.datasets import Encoded, Pixels
from reproductions.lab.errors import UsageError
from reproductions.lab.images import View, compose
from reproductions.lab.pipeline import reader
from reproductions.lab.record import Record
from reproductions.lab.statistics import wilson_interval
from reproductions.lab.study import Network, Recipe

MOST_PICTURES = 250


def answers(outputs: Any, kind: str) -> Any:
    """The classes that a network answers with: of the largest logit, or of the smallest penalty."""
    return ops.argmax(outputs, axis=-1) if kind == "logits" else ops.argmin(outputs, axis=-1)


def error_metric(kind: str) -> keras.metrics.Metric:
    """The share of wrong answers, in percent, as a metric for `compile`."""

    def error(labels: Any, outputs: Any) -> Any:
        right = ops.reshape(ops.cast(labels, "int32"), (-1,))
        wrong = ops.not_equal(right, ops.cast(answers(outputs, kind), "int32"))
        return 100 * ops.cast(wrong, "float32")

    return keras.metrics.MeanMetricWrapper(error, name="error")


def one_view(recipe: Recipe, view: View, part: Pixels | Encoded) -> Callable[[Any], Any]:
    """From a stored image to the input in testing, where one view of it is enough."""
    return lambda image: compose(recipe.test_images or recipe.images, view)(image, tf.zeros(2, tf.int64))


def predicted_classes(model: keras.Model, kind: str, recipe: Recipe, view: View, part: Pixels | Encoded) -> np.ndarray:
    """The network's answer for each image of a part, (n,)."""
    stored, prepare = reader(part), one_view(recipe, view, part)
    indices = tf.data.Dataset.range(len(part.labels))
    images = indices.map(lambda i: prepare(stored(i)), num_parallel_calls=tf.data.AUTOTUNE).batch(500)
    outputs = model.predict(images.prefetch(tf.data.AUTOTUNE), verbose=0)
    return np.asarray(ops.convert_to_numpy(answers(outputs, kind)))


def figures(predictions: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What a record says of a test: errors, images, error and interval in percent, images per class."""
    errors = int((predictions != labels).sum())
    return {
        "errors": errors,
        "images": len(labels),
        "error": 100 * errors / len(labels),
        "interval": list(wilson_interval(errors, len(labels))),
        "per_class": np.bincount(labels).tolist(),
    }


def misclassified(predictions: np.ndarray, labels: np.ndarray) -> list[dict[str, int]]:
    """Index, label and prediction of every error, in the order of the test set."""
    return [
        {"index": int(i), "label": int(labels[i]), "predicted": int(predictions[i])}
        for i in np.flatnonzero(predictions != labels)
    ]


def pictures(images: np.ndarray, errors: Sequence[dict[str, int]]) -> str | None:
    """The misclassified images side by side in one PNG, as base64; None where there are none or too many."""
    if not 0 < len(errors) <= MOST_PICTURES:
        return None
    chosen = images[[error["index"] for error in errors]]
    strip = np.concatenate(list(chosen), axis=1)
    if strip.ndim == 2:
        strip = strip[..., np.newaxis]
    return base64.b64encode(tf.io.encode_png(strip, compression=9).numpy()).decode()


def evaluate_run(run_dir: Path, record: Record, network: Network, data_dir: Path | None = None) -> dict[str, Any]:
    """Tests the saved network of a finished run again, on the data its record names.

    Raises UsageError where the model is missing or damaged, or the data found are not those of the record.
    """
    path = run_dir / "model.keras"
    data = datasets.load(record.recipe["dataset"], data_dir)
    if data.sha256 != record.data["sha256"]:
        raise UsageError(f"the run was trained on {record.data['name']}, but {data.path} holds {data.name}")
    model = network.build()
    with datasets.reading(path, "train the run again"):
        model.load_weights(path)
    recipe = network.to_train()
    view = View(model.input_shape[1], data.statistics)
    return figures(predicted_classes(model, network.outputs, recipe, view, data.test), data.test.labels)
