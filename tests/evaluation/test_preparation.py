"""The preprocessing of trained networks as a function of images."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import reproductions
from reproductions.lab.data import registry
from reproductions.lab.errors import UsageError
from reproductions.lab.weights import suite_file
from reproductions.lab.weights.suite_file import Contents
from tests.helpers.trained_runs import write_run

PHOTOGRAPHS = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)


def test_random_views_are_left_out():
    given = reproductions.preprocessing("convnetjs-cifar10")(PHOTOGRAPHS)
    np.testing.assert_allclose(given, PHOTOGRAPHS / 255 - 0.5, atol=1e-6)


def test_a_run_has_the_preprocessing_of_its_recipe(tmp_path):
    write_run(tmp_path / "run", "lenet5")
    given = reproductions.preprocessing(tmp_path / "run")(np.full((2, 28, 28), 255, np.uint8))
    assert given.shape == (2, 32, 32, 1) and given.dtype == tf.float32
    assert np.allclose(given[:, 2:-2, 2:-2], 1.175) and np.allclose(given[:, :2], -0.1)


def test_statistics_are_those_of_the_training_set(tmp_path, monkeypatch):
    path, network = tmp_path / "a.safetensors", "alexnet-cifar10-relu"
    suite_file.write(path, reproductions.build(network), Contents(network))
    mean = np.full((32, 32, 3), 100, np.float32)
    data = SimpleNamespace(statistics=SimpleNamespace(mean_image=mean))
    monkeypatch.setitem(registry.LOADERS, "cifar10", lambda folder: data)
    given = reproductions.preprocessing(path)(PHOTOGRAPHS)
    np.testing.assert_allclose(given, PHOTOGRAPHS - mean, atol=1e-4)


def test_without_a_trained_network_there_is_no_preprocessing():
    with pytest.raises(UsageError, match=r"missing/record\.json does not exist"):
        reproductions.preprocessing("missing")
