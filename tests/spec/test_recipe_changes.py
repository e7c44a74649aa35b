"""Recipes changed by settings and by files: only what is named changes."""

import inspect
import json
from dataclasses import replace
from pathlib import Path

import pytest

import reproductions
from reports.paths import RUNS
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import (
    Choice,
    ExponentialDecay,
    IntRange,
    LogUniform,
    Network,
    PolynomialDecay,
    Recipe,
    ReduceLROnPlateau,
    keras_object,
    recipe_changes,
    recipe_files,
)

STUDIES = reproductions.studies()
NETWORKS = [network for study in STUDIES.values() for network in study.networks]
LENET5 = reproductions.find_network("lenet5").to_train()
FILE = Path("best.json")


def test_the_first_learning_rate_scales_all_others():
    steps = replace(LENET5, learning_rate=((1, 0.002), (3, 0.0008), (13, 0.00004)))
    changed = recipe_changes.with_settings(steps, {"learning_rate": 0.006})
    assert changed.learning_rate == ((1, 0.006), (3, 0.0024), (13, 0.00012))
    for schedule in ExponentialDecay(0.1, 0.5, 2), PolynomialDecay(0.1, 2), ReduceLROnPlateau(0.1, patience=3):
        changed = recipe_changes.with_settings(replace(LENET5, learning_rate=schedule), {"learning_rate": 0.3})
        assert changed.learning_rate == replace(schedule, initial_learning_rate=0.3)


def test_settings_are_recipe_fields_or_builder_options():
    changed = recipe_changes.with_settings(LENET5, {"batch_size": 64, "weight_decay": 0.1, "dropout": 0.4, "width": 8})
    assert changed == replace(LENET5, batch_size=64, weight_decay=0.1, options={"dropout": 0.4, "width": 8})


@pytest.mark.parametrize(
    "network", [network for network in NETWORKS if network.search_space], ids=lambda each: each.name
)
def test_domains_contain_the_value_of_the_recipe(network):
    own = network.to_train()
    for name, domain in network.search_space.items():
        assert name in (
            "learning_rate",
            *recipe_changes.FIELDS,
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
    content = json.loads(json.dumps(own.as_data()))
    assert recipe_files.overridden(LENET5, content, FILE) == own
    assert recipe_changes.changed_fields(own.as_data(), own.as_data()) == {}


def test_a_network_without_a_recipe_cannot_be_trained():
    with pytest.raises(UsageError, match="mine has no recipe yet: it can be built and tabulated, not trained"):
        Network("mine", dict).to_train()


def test_a_recipe_with_every_field_survives_a_file():
    recipe = Recipe(
        dataset="x",
        train_transforms=("a", ("b", {"c": 1})),
        optimizer=keras_object("SGD"),
        loss=keras_object("L"),
        learning_rate=ReduceLROnPlateau(0.1),
        batch_size=2,
        epochs=3,
        kernel_initializer=keras_object("G"),
        splits=("train",),
        test_transforms=("d",),
        protocol="p",
        weight_decay={"conv1": 0.1},
        bias_learning_rate_multiplier=2.0,
        loss_weights={"main": 1.0},
        global_clipnorm=2.0,
        micro_batch_size=1,
        init_layers=("conv1",),
        input_size=8,
        options={"width": 4},
        training_images=7,
        curvature=5,
    )
    content = json.loads(json.dumps(recipe_changes.changed_fields(recipe.as_data(), LENET5.as_data())))
    assert set(content) == set(recipe_changes.FIELDS)
    assert recipe_files.overridden(LENET5, content, FILE) == recipe


@pytest.mark.parametrize(
    "schedule",
    [
        ((1, 0.1), (3, 0.01)),
        ExponentialDecay(0.1, 0.5, 2.0),
        PolynomialDecay(0.1, 60.0, power=0.5),
        PolynomialDecay(0.1, 60.0, end_learning_rate=0.01),
        ReduceLROnPlateau(0.1),
        ReduceLROnPlateau(0.1, max_reductions=0),
    ],
)
def test_every_schedule_survives_a_file(schedule):
    changed = replace(LENET5, learning_rate=schedule)
    assert recipe_files.overridden(LENET5, json.loads(json.dumps(changed.as_data())), FILE) == changed


def test_a_file_has_a_few_fields_or_is_a_record():
    (path,) = RUNS.glob("lenet5-lecture-seed1.json")
    lecture = reproductions.find_network("lenet5-lecture").to_train()
    assert recipe_files.overridden(LENET5, recipe_files.read(path), path) == lecture
    assert recipe_files.overridden(LENET5, {"batch_size": 64}, path) == replace(LENET5, batch_size=64)


@pytest.mark.parametrize(
    "text, message",
    [
        (
            '{"batsch": 64}',
            r"'batsch' is not a recipe field .in .*best.json.. Did you mean 'batch_size'\? Choose from: dataset",
        ),
        ('{"batch_size": "many"}', "best.json is not a recipe: expected `int`, got `str` - at `..batch_size`"),
        ('{"batch_size": 0}', "expected `int` >= 1, got 0 - at `..batch_size`"),
        ('{"epochs": true}', "expected `int`, got `bool` - at `..epochs`"),
        ('{"weight_decay": -1}', "expected `float` >= 0.0, got -1 - at `..weight_decay`"),
        ('{"weight_decay": {"conv1": "much"}}', "expected `float`, got `str` - at `..weight_decay"),
        ('{"bias_learning_rate_multiplier": true}', "got `bool` - at `..bias_learning_rate_multiplier"),
        ('{"learning_rate": [[2, 0.1]]}', r"increasing epochs from 1, got .2. - at `..learning_rate`"),
        ('{"learning_rate": [[1, 0.1], [1, 0.2]]}', "increasing epochs from 1, got .1, 1. - at"),
        ('{"learning_rate": {"initial_learning_rate": 0.1}}', "expected the fields of a schedule"),
        ('{"optimizer": "SGD"}', "expected `object`, got `str` - at `..optimizer`"),
        ('{"splits": "train"}', "expected `array`, got `str` - at `..splits`"),
        ('{"splits": ["test"]}', "invalid enum value 'test'"),
        ('{"splits": ["train", "test"]}', r"invalid enum value 'test' - at `..splits.1.`"),
        ('{"splits": []}', "expected at least one item - at `..splits`"),
        ('{"splits": ["train", "train"]}', "an item occurs twice - at `..splits`"),
        (
            '{"learning_rate": {"initial_learning_rate": "x", "decay_rate": 0.1, "decay_epochs": 1}}',
            "expected `float`, got `str` - at `..learning_rate.initial_learning_rate`",
        ),
        (
            '{"learning_rate": {"initial_learning_rate": 0.1, "decay_rate": 0.1, "decay_epochs": 0}}',
            "expected `float` >= 0.001, got 0 - at `..learning_rate.decay_epochs`",
        ),
        (
            '{"learning_rate": {"initial_learning_rate": 0.1, "decay_epochs": 60, "power": 0}}',
            "expected `float` > 0.0, got 0 - at `..learning_rate.power`",
        ),
        (
            '{"learning_rate": {"initial_learning_rate": 0.1, "decay_epochs": 60, "power": 1, "decay_rate": 0.5}}',
            "expected the fields of a schedule",
        ),
        ('{"batch_size": 1000000000000000}', "expected `int` <= 1048576, got 1000000000000000 - at `..batch_size`"),
        ('{"epochs": 1e999}', "not a JSON file"),
        (
            '{"optimizer": {"class_name": "SGD", "config": {}, "module": "os"}}',
            "unknown field - at `..optimizer.mod",
        ),
        ("[" * 10_000 + "]" * 10_000, "is nested more than 32 levels deep"),
        ('{"options": {"a": ' + "[" * 40 + "]" * 40 + "}}", "is nested more than 32 levels deep"),
        ("[1]", "must contain the fields of a recipe"),
        ("{", "is not a JSON file"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_without_a_valid_recipe_is_refused(text, message, tmp_path):
    path = tmp_path / "best.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        recipe_files.overridden(LENET5, recipe_files.read(path), path)


@pytest.mark.parametrize("name", ["global_clipnorm", "weight_decay", "bias_learning_rate_multiplier"])
def test_an_integer_stands_for_a_float(name):
    one, other = (recipe_files.overridden(LENET5, {name: value}, FILE) for value in (2, 2.0))
    assert one == other
    assert isinstance(getattr(one, name), float)


def test_a_default_that_is_written_as_an_integer_stays_a_float():
    changed = recipe_files.overridden(LENET5, {"weight_decay": 0}, FILE)
    assert json.dumps(changed.as_data()) == json.dumps(LENET5.as_data())
