"""The names of Keras' classes that are known without importing Keras."""

import keras
import pytest

import layers
import reproductions
from reproductions.lab.spec import keras_names


@pytest.mark.parametrize("module", keras_names.MODULES.values())
def test_the_names_are_those_of_keras_and_of_our_layers(module):
    known, published = keras_names.names(module), getattr(keras, module)
    base = {"optimizers": "Optimizer", "losses": "Loss", "initializers": "Initializer"}[module]
    classes = {name.lower() for name, value in vars(published).items() if isinstance(value, type)}
    assert classes <= set(known) and base in known.values()
    own = {f"layers>{name}" for name, value in vars(layers).items() if isinstance(value, type)}
    assert own and own <= set(known.values())


def test_the_recipes_of_all_papers_name_classes_that_exist(tmp_path):
    for network in reproductions.networks().values():
        if network.recipe:
            keras_names.check(network.recipe, tmp_path)


def test_names_are_not_checked_where_keras_has_no_such_modules(tmp_path):
    assert list(keras_names.public_classes(tmp_path / "optimizers" / "__init__.py")) == []
