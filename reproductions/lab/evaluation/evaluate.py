"""Testing as the papers did, on images that nothing was trained or chosen on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reproductions.lab.data import registry
from reproductions.lab.data.base import Dataset, Encoded, Pixels
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.evaluation import crops
from reproductions.lab.evaluation.partial_scores import Partial
from reproductions.lab.evaluation.scores import class_scores, images_of
from reproductions.lab.results import predictions
from reproductions.lab.results.predictions import Predictions, figures, predicted_classes
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec import protocols
from reproductions.lab.spec.protocols import Protocol
from reproductions.lab.spec.recipe import Recipe, Transform
from reproductions.lab.spec.study import Network

__all__ = ["class_scores", "figures", "predicted_classes"]

MOST_PICTURES = 250


def answers(outputs: Any, kind: str) -> Any:
    """The classes that a network answers with: of the largest logit, or of the smallest penalty."""
    return ops.argmax(outputs, axis=-1) if kind == "logits" else ops.argmin(outputs, axis=-1)


def steps_for(recipe: Recipe, protocol: Protocol) -> Sequence[Transform]:
    """The image steps of a test: of stored images those of training, where the recipe names none for testing."""
    if protocol.crops == ("random",):
        return recipe.train_transforms
    return recipe.test_transforms or (recipe.train_transforms if protocol.canvas == "stored" else ())


def one_view(recipe: Recipe, view: TransformContext, part: Pixels | Encoded) -> Callable[[Any], Any]:
    """From a stored image to the input, where one view is enough: the whole image, or the centre of a photograph.

    For validation while a network is trained; recipes that are tested by TF-slim's central part are validated on it,
    and those that are tested by random views without chance.
    """
    protocol = protocols.find(recipe.protocol)
    if protocol.crops == ("random",):
        protocol = protocols.find("whole image")
    if protocol.canvas not in ("stored", "central part"):
        protocol = protocols.find("centre crop")
    views = crops.stacked(replace(protocol, crops=protocol.crops[:1]), steps_for(recipe, protocol), view)
    return lambda image: views(image, tf.zeros((), tf.int64))[0]


def test(
    model: keras.Model,
    network: Network,
    recipe: Recipe,
    data: Dataset,
    protocol: Protocol | None = None,
    tested: Path | None = None,
    seconds: float = 60,
) -> tuple[dict[str, Any], np.ndarray]:
    """Tests a network by a protocol, its recipe's where none is given: figures with "protocol", and scores.

    `tested` is the run's folder, or the file of weights: the predictions are saved for it, and what is done is kept
    every so many seconds until then, so that the same call goes on after an interruption. Scores are
    (images, classes) float32, the largest wins. Raises UsageError where data, network and protocol do not fit.
    """
    protocol = protocol or protocols.find(recipe.protocol)
    size = model.input_shape[1]
    if size is None:
        raise UsageError(f"{model.name} takes images of any size: build it with an input_size, to be tested")
    told = {"network": network.name, "protocol": protocol.name, "dataset": data.name, "sha256": data.sha256}
    partial, view = Partial(), TransformContext(size, data.statistics)
    if tested:
        told["weights"] = digest(model)
        path = predictions.path_of(tested, protocol)
        partial = Partial(path, told, seconds)
    kept = images_of(data.test, protocol)
    labels = np.asarray(data.test.labels)[kept].astype(np.int64)
    check_classes(model, labels)
    scores = class_scores(model, network.outputs, data.test, protocol, steps_for(recipe, protocol), view, partial)
    if tested:
        names = np.asarray(getattr(data.test, "filenames", np.arange(len(data.test.labels))))[kept]
        Predictions(scores, labels, names, told).write(path)
        partial.remove()
    return {**figures(scores, labels), "protocol": protocol.name}, scores


def check_classes(model: keras.Model, labels: np.ndarray) -> None:
    outputs = keras.tree.flatten(model.output)[0].shape[-1]
    if labels.max(initial=0) >= outputs:
        raise UsageError(f"{model.name} has {outputs} classes, but the data have one numbered {labels.max()}")


def digest(model: keras.Model) -> str:
    """SHA-256 of a network's weights, in their order."""
    made = hashlib.sha256()
    for weight in model.get_weights():
        made.update(np.ascontiguousarray(weight).tobytes())
    return made.hexdigest()


def misclassified(predictions: np.ndarray, labels: np.ndarray) -> list[dict[str, int]]:
    """Index, label and prediction of every error, in the order of the test set."""
    return [
        {"index": int(i), "label": int(labels[i]), "predicted": int(predictions[i])}
        for i in np.flatnonzero(predictions != labels)
    ]


def pictures(images: np.ndarray, errors: Sequence[dict[str, int]]) -> str | None:
    """The misclassified images side by side in one PNG, as base64; None where there are none or too many.

    Of whitened ones, each from its smallest value, black, to its largest.
    """
    if not 0 < len(errors) <= MOST_PICTURES:
        return None
    chosen = images[[error["index"] for error in errors]]
    if chosen.dtype != np.uint8:
        each = tuple(range(1, chosen.ndim))
        low, high = chosen.min(each, keepdims=True), chosen.max(each, keepdims=True)
        chosen = np.rint(255 * (chosen - low) / np.maximum(high - low, 1e-8)).astype(np.uint8)
    strip = np.concatenate(list(chosen), axis=1)
    if strip.ndim == 2:
        strip = strip[..., np.newaxis]
    return base64.b64encode(tf.io.encode_png(strip, compression=9).numpy()).decode()


# --- Finished runs, and files of weights


def load(path: Path, network: Network) -> keras.Model:
    """The network in a .keras file, or the weights of a .weights.h5 file in the network; UsageError if damaged."""
    with file_errors(path, "make it again"):
        if not path.is_file():
            raise UsageError(f"{path} does not exist")
        if path.suffix == ".keras":
            return keras.models.load_model(path, compile=False)
        model = network.build()
        model.load_weights(path)
        return model


def recipe_of(record: Record) -> Recipe:
    """The recipe that a record holds; fields that are younger than the record have their default."""
    try:
        return Recipe(**record.recipe)
    except TypeError as error:
        raise UsageError(f"the record's recipe is not one of this version: {error}") from None


Found = tuple[dict[str, Any], np.ndarray, np.ndarray]


def evaluate_run(
    run_dir: Path, record: Record, network: Network, data_dir: Path | None = None, protocol: Protocol | None = None
) -> Found:
    """Tests the saved network of a finished run on the data its record names: figures, scores and labels.

    By the protocol of its recipe where none is named. The predictions are saved in the run's folder.
    Raises UsageError where the model is missing or damaged, or the data found are not those of the record.
    """
    recipe = recipe_of(record)
    data = registry.load(recipe.dataset, data_dir)
    if data.sha256 != record.data["sha256"]:
        raise UsageError(f"the run was trained on {record.data['name']}, but {data.path} holds {data.name}")
    return found(load(run_dir / "model.keras", network), network, recipe, data, protocol, run_dir)


def evaluate_weights(
    path: Path, network: Network, data_dir: Path | None = None, protocol: Protocol | None = None
) -> Found:
    """The same for the network in a file; UsageError where it has no recipe, or the file is damaged."""
    recipe = network.to_train()
    data = registry.load(recipe.dataset, data_dir)
    return found(load(path, network), network, recipe, data, protocol, path)


def found(
    model: keras.Model, network: Network, recipe: Recipe, data: Dataset, protocol: Protocol | None, tested: Path
) -> Found:
    protocol = protocol or protocols.find(recipe.protocol)
    figures, scores = test(model, network, recipe, data, protocol, tested)
    return figures, scores, np.asarray(data.test.labels)[images_of(data.test, protocol)].astype(np.int64)
