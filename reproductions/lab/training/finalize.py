"""The end of a run: the saved model, its test, and the record."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from datetime import datetime, timezone

import keras
import numpy as np
import tensorflow as tf

from reproductions.lab import environment
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate
from reproductions.lab.evaluation.contact_sheet import write_sheet
from reproductions.lab.evaluation.networks import parameters
from reproductions.lab.files import atomic_write
from reproductions.lab.results import predictions
from reproductions.lab.results.entries import EpochResult, Misclassified
from reproductions.lab.results.run_record import Record
from reproductions.lab.training import model as networks
from reproductions.lab.training.checkpoint import Checkpoint
from reproductions.lab.training.config import RunConfig
from reproductions.lab.training.run_identity import summarize


def device_name(replicas: int) -> str:
    """Return a description of the devices that a run uses on this machine."""
    gpus = tf.config.list_physical_devices("GPU")[:replicas]
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or environment.processors()


def versions() -> dict[str, str]:
    """Return the versions of Python and the libraries on which results depend."""
    libraries = {library.__name__: library.__version__ for library in (keras, tf, np)}
    return {"python": platform.python_version(), **libraries}


def throughput(config: RunConfig, history: Sequence[EpochResult]) -> float:
    """Return the images per second of training: the median over all epochs but the first, which includes tracing."""
    images = config.recipe.training_images or summarize(config.data).images(config.recipe.splits)
    images_per_epoch = images // config.recipe.batch_size * config.recipe.batch_size
    return images_per_epoch / statistics.median(result.seconds for result in history[1:] or history)


def finalize(config: RunConfig, model: keras.Model, checkpoint: Checkpoint) -> None:
    """Save the model, test it, and write the record of the run.

    Raises:
        UsageError: If the folder of the run cannot be written to.
    """
    try:
        with atomic_write(config.run_dir / "model.keras") as unfinished:
            networks.inference_model(model, config.recipe).save(unfinished)
        make_record(config, model, checkpoint).write(config.run_dir / "record.json")
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{config.run_dir} cannot be written to: {reason}; {checkpoint.description}") from None


def make_record(config: RunConfig, model: keras.Model, checkpoint: Checkpoint) -> Record:
    """Test the model, and return the record of the run. The misclassified images are written into its folder."""
    recipe, data, history = config.recipe, config.data, checkpoint.state.history
    tested = networks.inference_model(model, recipe)
    test, scores = evaluate.test(evaluate.EvaluationTask(tested, config.network, recipe, data), config.run_dir)
    misclassified = Misclassified([], [], [])
    if isinstance(data.test, InMemoryImages):
        misclassified = predictions.misclassified(predictions.predicted_classes(scores), data.test.labels)
        write_sheet(data.test.images, misclassified, config.run_dir / "misclassified.png")
    return Record(
        study=config.study.name,
        network=config.network.name,
        seed=config.options.seed,
        recipe=recipe.as_data(),
        data=summarize(data),
        commit=checkpoint.code.commit,
        dirty=checkpoint.code.dirty,
        versions=versions(),
        device=device_name(config.replicas),
        strategy=type(config.strategy).__name__ if config.replicas > 1 else "one device",
        parameters=parameters(model),
        history=history,
        test=test,
        misclassified=misclassified,
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        wall_seconds=checkpoint.wall_seconds,
        images_per_second=throughput(config, history),
        execution=config.execution,
    )
