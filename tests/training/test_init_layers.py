"""Layers that start from a finished run: read by name, as arrays."""

from dataclasses import replace

import numpy as np
import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.training.model import initialize_layers
from tests.helpers.records import made_up
from tests.helpers.small import classifier, recipe


@pytest.fixture
def run(tmp_path):
    """A folder of a run of the small network, with eleven classes."""
    classifier(classes=11, seed=2).save(tmp_path / "model.keras")
    replace(made_up(95), network="small").write(tmp_path / "record.json")
    return tmp_path


def test_only_the_named_layers_change(run):
    model = classifier(classes=12)
    initialize_layers(model, recipe(init_layers=("conv1", "fc6")), run)
    trained, before = classifier(classes=11, seed=2), classifier(classes=12)
    for name, source in (("conv1", trained), ("conv2", before), ("fc6", trained), ("fc7", before)):
        for own, other in zip(model.get_layer(name).get_weights(), source.get_layer(name).get_weights()):
            np.testing.assert_array_equal(own, other, name)


@pytest.mark.parametrize("name, found", [("fc7", r"\[\(10, 11\), \(11,\)\]")])
def test_a_layer_that_does_not_fit_is_named(name, found, run):
    with pytest.raises(UsageError, match=rf"is a run of small, whose {name} \({found}\) does not fit"):
        initialize_layers(classifier(classes=12), recipe(init_layers=(name,)), run)
