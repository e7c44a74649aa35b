"""Recipes changed by settings and by files: what is named is taken, and nothing else."""

import inspect
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import (
    Choice,
    ExponentialDecay,
    IntRange,
    LogUniform,
    Network,
    Recipe,
    ReduceLROnPlateau,
    keras_object,
    recipe_changes,
)
from reproductions.lab.training.config import Options, resolve

STUDIES = reproductions.studies()
NETWORKS = [network for study in STUDIES.values() for network in study.networks]
LENET5 = reproductions.find_network("lenet5").to_train()
FILE = Path("best.json")


def test_the_first_rate_takes_all_others_with_it():
    assert recipe_changes.with_settings(LENET5, {"learning_rate": 0.006}).learning_rate == (
        (1, 0.006), (3, 0.0024), (6, 0.0012), (9, 0.0006), (13, 0.00012),
    )  # fmt: skip
    for rates in ExponentialDecay(0.1, 0.5, 2), ReduceLROnPlateau(0.1, patience=3):
        assert recipe_changes.with_settings(
            replace(LENET5, learning_rate=rates), {"learning_rate": 0.3}
        ).learning_rate == replace(rates, first=0.3)


def test_settings_are_fields_of_the_recipe_or_else_options_of_the_builder():
    changed = recipe_changes.with_settings(LENET5, {"batch_size": 64, "weight_decay": 0.1, "dropout": 0.4, "width": 8})
    assert changed == replace(LENET5, batch_size=64, weight_decay=0.1, options={"dropout": 0.4, "width": 8})


@pytest.mark.parametrize(
    "network", [network for network in NETWORKS if network.search_space], ids=lambda each: each.name
)
def test_domains_are_of_settings_that_there_are_and_hold_the_recipe_s_own(network):
    own = network.to_train()
    for name, domain in network.search_space.items():
        assert name in (
            "learning_rate",
            *recipe_changes.NUMBERS,
            *recipe_changes.WHOLE_NUMBERS,
            *inspect.signature(network.build).parameters,
        )
        value = own.learning_rate_at(1) if name == "learning_rate" else getattr(own, name, None)
        if isinstance(domain, Choice):
            assert value is None or value in domain.values
        elif isinstance(domain, (LogUniform, IntRange)):
            assert 0 < domain.low < domain.high
            assert not value or domain.low <= value <= domain.high


@pytest.mark.parametrize("network", [network for network in NETWORKS if network.recipe], ids=lambda each: each.name)
def test_every_recipe_survives_a_file(network):
    own = network.to_train()
    told = json.loads(json.dumps(own.as_data()))
    assert recipe_changes.overridden(LENET5, told, FILE) == own
    assert recipe_changes.changed_fields(own.as_data(), own.as_data()) == {}


def test_a_network_without_a_recipe_cannot_be_trained():
    with pytest.raises(UsageError, match="mine has no recipe yet: it can be built and tabulated, not trained"):
        Network("mine", dict).to_train()


def test_a_recipe_with_everything_in_it_survives_a_file():
    recipe = Recipe(
        dataset="x", train_transforms=("a", ("b", {"c": 1})), optimizer=keras_object("SGD"), loss=keras_object("L"),
        learning_rate=ReduceLROnPlateau(0.1), batch_size=2, epochs=3, kernel_initializer=keras_object("G"), splits=("train",), test_transforms=("d",),
        protocol="p", weight_decay={"conv1": 0.1}, bias_learning_rate_multiplier=2.0, loss_weights={"main": 1.0}, global_clipnorm=2.0, micro_batch_size=1,
        init_layers=("conv1",), input_size=8, training_images=7, curvature=5, options={"width": 4},
    )  # fmt: skip
    told = json.loads(json.dumps(recipe_changes.changed_fields(recipe.as_data(), LENET5.as_data())))
    assert set(told) == set(recipe_changes.FIELDS)
    assert recipe_changes.overridden(LENET5, told, FILE) == recipe
    decays = replace(recipe, learning_rate=ExponentialDecay(0.1, 0.5, 2.0))
    assert recipe_changes.overridden(recipe, json.loads(json.dumps(decays.as_data())), FILE) == decays


def test_a_file_may_name_a_few_fields_or_be_a_record():
    (path,) = reproductions.RUNS.glob("lenet5-lecture-seed1.json")
    lecture = reproductions.find_network("lenet5-lecture").to_train()
    assert recipe_changes.overridden(LENET5, recipe_changes.read(path), path) == lecture
    assert recipe_changes.overridden(LENET5, {"batch_size": 64}, path) == replace(LENET5, batch=64)


@pytest.mark.parametrize(
    "text, says",
    [
        (
            '{"batsch": 64}',
            r"'batsch' is not a recipe field .in .*best.json.. Did you mean 'batch_size'\? Choose from: dataset",
        ),
        ('{"batch_size": "many"}', 'best.json: batch cannot be "many"'),
        ('{"batch_size": 0}', "batch cannot be 0"),
        ('{"epochs": true}', "epochs cannot be true"),
        ('{"weight_decay": -1}', "weight_decay cannot be -1"),
        ('{"weight_decay": {"conv1": "much"}}', 'weight_decay cannot be {"conv1": "much"}'),
        ('{"bias_learning_rate_multiplier": true}', "bias_learning_rate_multiplier cannot be true"),
        ('{"learning_rate": [[2, 0.1]]}', "rates cannot be"),
        ('{"learning_rate": [[1, 0.1], [1, 0.2]]}', "rates cannot be"),
        ('{"learning_rate": {"first": 0.1}}', "rates cannot be"),
        ('{"optimizer": "SGD"}', 'optimizer cannot be "SGD"'),
        ('{"splits": "train"}', 'parts cannot be "train"'),
        ('{"splits": ["test"]}', r'parts cannot be \["test"\]'),
        ('{"splits": ["train", "test"]}', "parts cannot be"),
        ('{"splits": []}', "parts cannot be"),
        ('{"splits": ["train", "train"]}', "parts cannot be"),
        ('{"learning_rate": {"first": "x", "factor": 0.1, "every": 1}}', "rates cannot be"),
        ('{"learning_rate": {"first": 0.1, "factor": 0.1, "every": 0}}', "rates cannot be"),
        ("[1]", "must hold fields of a recipe"),
        ("{", "is no JSON"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(text, says, tmp_path):
    path = tmp_path / "best.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=says):
        recipe_changes.overridden(LENET5, recipe_changes.read(path), path)


@pytest.mark.parametrize(
    "told, says",
    [
        ({"optimizer": {"class_name": "Foo", "config": {}}}, "optimizer cannot be made"),
        ({"optimizer": {"class_name": "SGD", "config": {"momentom": 0.9}}}, "optimizer cannot be made"),
        ({"loss": {"class_name": "Foo", "config": {}}}, "loss cannot be made"),
        ({"protocol": "nope"}, "'nope' is not a protocol"),
        (
            {"bias_learning_rate_multiplier": 2, "optimizer": {"class_name": "Adam", "config": {}}},
            "a bias_learning_rate_multiplier is for SGD",
        ),
    ],
)
def test_what_cannot_be_made_or_tested_is_refused_before_training(told, says, tmp_path):
    path = tmp_path / "told.json"
    path.write_text(json.dumps(told))
    with pytest.raises(UsageError, match=says):
        resolve(reproductions.find_network("lenet5-lecture"), Options(recipe=path))


def test_a_recipe_from_a_file_is_what_the_file_says(tmp_path):
    network = reproductions.find_network("lenet5-lecture")
    path, own = tmp_path / "told.json", json.dumps(network.to_train().as_data())
    path.write_text(own)
    assert json.dumps(resolve(network, Options(recipe=path)).as_data()) == own
    path.write_text("{}")
    assert json.dumps(resolve(network, Options(recipe=path)).as_data()) == own
    assert json.loads(own)["optimizer"]["class_name"] == "SGD"


def test_a_number_that_is_the_default_is_the_default():
    path = Path("told.json")
    assert json.dumps(recipe_changes.overridden(LENET5, {"weight_decay": 0}, path).as_data()) == json.dumps(
        LENET5.as_data()
    )


def test_a_batch_is_not_scaled_where_there_is_no_rate_to_scale():
    with pytest.raises(UsageError, match="Adadelta has none: use --recipe"):
        resolve(reproductions.find_network("convnetjs-cifar10"), Options(scale_batch=Fraction(2)))
