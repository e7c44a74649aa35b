"""Trained networks as files for other programs: compared with the network first, and left in place only if right."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import networks, tested
from reproductions.lab.evaluation.tested import Tested
from reproductions.lab.files import atomic_folder, atomic_write
from reproductions.lab.weights import own, suite_file
from reproductions.lab.weights.suite_file import Contents

IMAGES, SEED = 2, 0  # random images that outputs are compared for
TOLERANCE = 1e-5  # of the largest output


@dataclass(frozen=True)
class Exported:
    """What is exported.

    Attributes:
        model: The network with its weights.
        contents: What its files say of it.
    """

    model: keras.Model
    contents: Contents


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        title: Its name in a sentence.
        ending: Ending of the file's name; empty for a folder.
        write: Function that writes the network to a path.
        outputs: Function from the path, the network and images to the outputs that the file gives.
        packages: Optional packages that it needs.
    """

    title: str
    ending: str
    write: Callable[[Exported, Path], None]
    outputs: Callable[[Path, keras.Model, np.ndarray], np.ndarray]
    packages: tuple[str, ...] = ()


# --- The formats


def write_onnx(exported: Exported, path: Path) -> None:
    """Write an ONNX file by Keras, with what it is in its metadata."""
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of tf2onnx, about its own code
        exported.model.export(str(path), format="onnx", verbose=False)
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, suite_file.metadata(exported.contents))
    onnx.save(graph, path)


def onnx_outputs(path: Path, model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the outputs of an ONNX file in onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: images})[0])


def write_saved_model(exported: Exported, path: Path) -> None:
    """Write TensorFlow's SavedModel by Keras."""
    exported.model.export(str(path), format="tf_saved_model", verbose=False)


def saved_model_outputs(path: Path, model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the outputs of a SavedModel."""
    loaded = tf.saved_model.load(str(path))  # its variables live as long as it does
    return np.asarray(loaded.serve(images))


def write_safetensors(exported: Exported, path: Path) -> None:
    """Write the weights as safetensors, with what they are in the metadata."""
    suite_file.write(path, exported.model, exported.contents)


def write_h5(exported: Exported, path: Path) -> None:
    """Write the weights as Keras does."""
    exported.model.save_weights(path)


def weights_outputs(load: Callable[[Path, keras.Model], None]) -> Callable[[Path, keras.Model, np.ndarray], np.ndarray]:
    """Return the function for the outputs of a network with the weights that `load` reads."""

    def outputs(path: Path, model: keras.Model, images: np.ndarray) -> np.ndarray:
        weights = model.get_weights()
        try:
            model.set_weights([np.zeros_like(each) for each in weights])
            load(path, model)
            return outputs_of(model, images)
        finally:
            model.set_weights(weights)

    return outputs


FORMATS = {
    "onnx": Format("ONNX", ".onnx", write_onnx, onnx_outputs, ("tf2onnx", "onnx", "onnxruntime")),
    "safetensors": Format("safetensors", ".safetensors", write_safetensors, weights_outputs(suite_file.load)),
    "h5": Format("weights of Keras", ".weights.h5", write_h5, weights_outputs(own.load)),
    "savedmodel": Format("a SavedModel", "", write_saved_model, saved_model_outputs),
}


# --- The export


def check(form: Format, path: Path) -> None:
    """Raise UsageError unless a format can be written to a path."""
    missing = [name for name in form.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{form.title} needs {', '.join(missing)}: install the extra `export`, pip install 'reproductions[export]'"
        )
    if not path.name.endswith(form.ending):
        raise UsageError(f"{path} must end with {form.ending}")
    if path.exists():
        raise UsageError(f"{path} exists already: name another one with --to")


def load(found: Tested) -> Exported:
    """Return a trained network, in float32 if it was trained in mixed precision, whose weights are float32.

    Raises:
        UsageError: If it is missing or damaged, or is not that of its record.
    """
    record, contents = found.record, found.contents
    if record and record.precision.startswith("mixed"):
        record = replace(record, execution=replace(record.execution, precision="float32"))
    if contents and contents.precision.startswith("mixed"):
        contents = replace(contents, precision="float32")
    found = replace(found, record=record, contents=contents)
    if record:
        contents = networks.contents_of(record)
    return Exported(tested.load(found), contents or Contents(found.network.name, provenance=found.provenance))


def export(exported: Exported, form: Format, path: Path) -> float:
    """Write a network, and compare the outputs for random images.

    Args:
        exported: The network.
        form: The format.
        path: File or folder, which must not exist.

    Returns:
        The largest difference of outputs, divided by the largest output.

    Raises:
        UsageError: If the network cannot be written, or the outputs are others. Nothing is left then.
    """
    generator = np.random.default_rng(SEED)
    images = generator.standard_normal((IMAGES, *exported.model.input_shape[1:])).astype(np.float32)
    expected = outputs_of(exported.model, images)  # Keras exports a network that was called
    in_one_step: Callable[[Path], AbstractContextManager[Path]] = atomic_write if form.ending else atomic_folder
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with in_one_step(path) as unfinished:
            form.write(exported, unfinished)
            found = form.outputs(unfinished, exported.model, images)
            difference = float(np.abs(found - expected).max() / np.abs(expected).max())
            if not difference <= TOLERANCE:
                raise UsageError(
                    f"{path} is not written: as {form.title}, the network gives other outputs, by {difference:.1e} of "
                    "the largest"
                )
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    except Exception as error:  # of Keras, tf2onnx or a runtime, for an operator that they do not have
        reason = str(error).strip().split("\n")[0]
        name = exported.model.name
        raise UsageError(f"{name} cannot be written as {form.title}: {reason}; choose another --format") from error
    return difference


def outputs_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the outputs of a network."""
    return np.asarray(keras.ops.convert_to_numpy(model(images, training=False)))
