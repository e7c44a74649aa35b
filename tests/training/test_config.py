"""Resolved recipes: the network's own, with the changes of a file and of options."""

import json
from fractions import Fraction

import numpy as np
import pytest

import reproductions
from reproductions.lab import environment
from reproductions.lab.data.base import InMemoryImages
from reproductions.lab.errors import UsageError
from reproductions.lab.training import model
from reproductions.lab.training.config import check_keras_objects
from reproductions.lab.training.options import TrainOptions
from reproductions.lab.training.plan import resolve
from tests.helpers import small


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"optimizer": {"class_name": "Foo", "config": {}}}, "'Foo' is not an optimizer"),
        ({"optimizer": {"class_name": "SGD", "config": {"momentom": 0.9}}}, "optimizer cannot be created"),
        ({"loss": {"class_name": "Foo", "config": {}}}, "'Foo' is not a loss"),
        ({"protocol": "nope"}, "'nope' is not a protocol"),
        (
            {"bias_learning_rate_multiplier": 2, "optimizer": {"class_name": "Adam", "config": {}}},
            "bias_learning_rate_multiplier is only for SGD",
        ),
    ],
)
def test_an_invalid_recipe_is_refused_before_training(changes, message, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(changes), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        check_keras_objects(resolve(reproductions.find_network("lenet5-lecture"), TrainOptions(recipe=path)), path)


def test_a_recipe_is_that_of_its_file(tmp_path):
    network = reproductions.find_network("lenet5-lecture")
    path, own = tmp_path / "recipe.json", json.dumps(network.to_train().as_data())
    path.write_text(own, encoding="utf-8")
    assert json.dumps(resolve(network, TrainOptions(recipe=path)).as_data()) == own
    path.write_text("{}", encoding="utf-8")
    assert json.dumps(resolve(network, TrainOptions(recipe=path)).as_data()) == own
    assert json.loads(own)["optimizer"]["class_name"] == "SGD"


@pytest.mark.parametrize("name, threads", [("lenet5", 1), ("convnetjs-cifar10", 1), ("alexnet-cifar10", 7)])
def test_small_networks_are_trained_by_one_thread(name, threads, monkeypatch):
    monkeypatch.setattr(environment, "cores", lambda: 7)
    network, images = reproductions.find_network(name), InMemoryImages(np.zeros((10, 28, 28)), np.arange(10))
    assert model.threads(network, network.to_train(), small.dataset(images)) == threads


def test_adadelta_has_no_learning_rate_to_scale():
    with pytest.raises(UsageError, match="which Adadelta does not have: use --recipe"):
        resolve(reproductions.find_network("convnetjs-cifar10"), TrainOptions(scale_batch=Fraction(2)))
