"""Hyperparameter searches for a tiny network on made-up images."""

from pathlib import Path

import keras
import numpy as np

from reproductions.lab.data.base import Dataset, InMemoryImages
from reproductions.lab.spec import Choice, IntRange, LogUniform, Network, Recipe, Study, keras_object
from reproductions.lab.tuning import search
from reproductions.lab.tuning.plan import TuneOptions, plan_search
from reproductions.lab.tuning.tuner import create_tuner, run_search


class Untouchable:
    """A test split that must not be accessed."""

    def __getattr__(self, name):
        raise AssertionError(f"the test split was asked for its {name}")


def noisy_images(count: int, seed: int) -> InMemoryImages:
    """Images of two classes, dark and bright, with so much noise that some cannot be classified."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype("uint8")
    images = random.normal(110 + 30 * labels[:, None, None], 60, (count, 28, 28)).clip(0, 255)
    return InMemoryImages(images.astype("uint8"), labels)


def dense(width: int = 2, dropout: float = 0.0) -> keras.Model:
    """Images (batch, 32, 32, 1) to logits (batch, 2)."""
    images = keras.Input((32, 32, 1))
    x = keras.layers.Dense(width, activation="tanh")(keras.layers.Flatten()(images))
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(images, keras.layers.Dense(2)(x))


RECIPE = Recipe(
    dataset="made-up",
    train_transforms=("lenet_field",),
    optimizer=keras_object("SGD"),
    loss=keras_object("SparseCategoricalCrossentropy", from_logits=True),
    learning_rate=((1, 0.01), (2, 0.005)),
    batch_size=16,
    epochs=2,
)
SEARCH_SPACE = {
    "learning_rate": LogUniform(0.0001, 0.1),
    "batch_size": Choice((8, 16)),
    "width": IntRange(1, 4),
    "dropout": Choice((0.0, 0.5)),
}
NETWORK = Network("dense", dense, RECIPE, search_space=SEARCH_SPACE)
STUDY = Study("made-up", "A study", "Nobody", 2018, "", (NETWORK,))


def made_up_data(test: object) -> Dataset:
    """Return the made-up data with a test split."""
    return Dataset("made-up", "a test", "memory", "0" * 64, noisy_images(64, 1), noisy_images(50, 2), test)  # type: ignore[arg-type]


def searched(run_dir: Path, network: Network = NETWORK, **options: object) -> search.TrialRunner:
    """Run a whole search, and return its runner."""
    runner = search.create_runner(plan_search(STUDY, network, TuneOptions(run_dir=run_dir, **options)))
    run_dir.mkdir(exist_ok=True)
    search.start(runner)
    run_search(create_tuner(runner))
    return runner
