"""Differences between recipes, in words."""

import pytest

from reproductions.lab.spec.recipe_changes import changes
from tests.helpers import records

STEPS = [[1, 0.002], [3, 0.0008], [13, 0.00004]]
RECIPE = {**records.RECIPE, "learning_rate": STEPS}
DOUBLED = [[first, 2 * rate] for first, rate in STEPS]
SGD = {"class_name": "SGD", "config": {"momentum": 0.9}}


@pytest.mark.parametrize(
    "changed, phrases",
    [
        ({}, []),
        ({"batch_size": 512, "epochs": 3}, ["batch size 512, not 32", "epochs 3, not 20"]),
        ({"weight_decay": 0.0005}, ["weight decay 0.0005, not 0.0"]),
        ({"weight_decay": {"conv1": 0.1}}, ["weight decay conv1=0.1, not 0.0"]),
        ({"optimizer": {**SGD, "config": {"momentum": 0.5}}}, ["optimizer momentum 0.5, not 0.9"]),
        ({"optimizer": {**SGD, "config": {}}}, ["optimizer momentum unset, not 0.9"]),
        ({"optimizer": {"class_name": "Adam", "config": {}}}, ["optimizer Adam, not SGD(momentum=0.9)"]),
        ({"learning_rate": DOUBLED}, ["learning rate 2 times as high"]),
        (
            {"learning_rate": {"initial_learning_rate": 0.1, "decay_rate": 0.5, "decay_epochs": 2}},
            [
                "learning rate initial_learning_rate=0.1, decay_rate=0.5, decay_epochs=2, not 0.002 from epoch 1, "
                "0.0008 from epoch 3, 4e-05 from epoch 13"
            ],
        ),
        ({"train_transforms": ["lenet_field", ["affine", {"degrees": 5}]]},
         ["train transforms lenet_field and affine(degrees=5), not lenet_field"]),
        ({"loss_weights": {"main": 1.0}}, ["loss weights main 1.0, not unset"]),
        ({"kernel_initializer": None}, ["kernel initializer none, not layers>FanInUniform(bound=2.4)"]),
    ],
)  # fmt: skip
def test_changes_of_a_recipe_are_phrases(changed, phrases):
    assert changes({**RECIPE, **changed}, RECIPE) == phrases


def test_recipes_older_than_a_setting_have_its_default():
    old = {name: value for name, value in RECIPE.items() if name not in ("weight_decay", "protocol", "loss_weights")}
    assert changes(old, RECIPE) == changes(RECIPE, old) == []


def test_a_decay_is_compared_part_by_part():
    decay = {"initial_learning_rate": 0.1, "decay_rate": 0.5, "decay_epochs": 2}
    assert changes(
        {**RECIPE, "learning_rate": {**decay, "initial_learning_rate": 0.2}}, {**RECIPE, "learning_rate": decay}
    ) == ["learning rate initial_learning_rate 0.2, not 0.1"]


def test_decays_of_two_classes_are_compared_as_wholes():
    exponential = {"initial_learning_rate": 0.1, "decay_rate": 0.5, "decay_epochs": 2}
    polynomial = {"initial_learning_rate": 0.1, "decay_epochs": 60, "end_learning_rate": 0.0, "power": 0.5}
    assert changes({**RECIPE, "learning_rate": polynomial}, {**RECIPE, "learning_rate": exponential}) == [
        "learning rate initial_learning_rate=0.1, decay_epochs=60, end_learning_rate=0.0, power=0.5, "
        "not initial_learning_rate=0.1, decay_rate=0.5, decay_epochs=2"
    ]
