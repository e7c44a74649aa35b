"""Every network of every paper: parameters, shapes, training, files, backends and precision."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions.lab.analysis.profile import without_weights
from tests.helpers.networks import (
    BUILDERS,
    BY_BUILDER,
    NAMES,
    all_layers,
    output_shapes,
    random_images,
    small_network,
    trainable_parameters,
)

CROSS_ENTROPY = {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_shapes_are_those_of_the_paper(name):
    network = reproductions.find_network(name)
    with without_weights():
        model = reproductions.build(name)
    if network.trainable_parameters is not None:
        assert trainable_parameters(model) == network.trainable_parameters
    assert output_shapes(model, network.shapes) == dict(network.shapes)


def test_studies_state_parameters_and_shapes():
    """The test above would pass without any."""
    networks = [network for study in reproductions.studies().values() for network in study.networks]
    assert sum(network.trainable_parameters is not None for network in networks) >= 68
    assert sum(bool(network.shapes) for network in networks) >= 67


@pytest.mark.parametrize("name", BY_BUILDER)
def test_a_step_lowers_the_loss_of_its_batch(name):
    network = reproductions.find_network(name)
    keras.utils.set_random_seed(0)
    model = small_network(name)
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # its noise is larger than what a step changes
    loss = keras.losses.get(dict(network.to_train().loss if network.outputs == "penalties" else CROSS_ENTROPY))
    # The papers' learning rates are for their own batches; this checks that gradients reach every layer.
    model.compile(keras.optimizers.Adam(1e-6), loss, run_eagerly=True)
    initial = [ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    # The loss that Keras reports of an epoch of one batch is that before its step.
    before, after = model.fit(random_images(model, 4) / 10, np.arange(4), epochs=2, verbose=0).history["loss"]
    changes = [np.abs(ops.convert_to_numpy(w) - start).max() for w, start in zip(model.trainable_weights, initial)]
    keras.backend.clear_session()
    assert np.isfinite(after) and after < before
    assert min(changes) > 0


# Of the Inceptions for 299 pixels, which are large, one: the others have the same layers.
SAVED = [name for name in BUILDERS if name == "inception-v4" or not name.startswith(("inception-v", "inception-r"))]
OTHER_BACKEND = {"tensorflow": "jax", "jax": "tensorflow"}[keras.backend.backend()]
CHECK = """
import sys, keras, layers, numpy as np
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    outputs = np.asarray(keras.ops.convert_to_numpy(model(np.load(f"{name}-x.npy"), training=False)))
    expected = np.load(f"{name}-y.npy")
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(), err_msg=name)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with files of networks, an input and its output."""
    folder = tmp_path_factory.mktemp("saved")
    for name in SAVED:
        model = small_network(name)
        x = random_images(model)
        model.save(folder / f"{name}.keras")
        np.save(folder / f"{name}-x.npy", x)
        np.save(folder / f"{name}-y.npy", ops.convert_to_numpy(model(x, training=False)))
        keras.backend.clear_session()
    return folder


def run_check(folder, backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", CHECK, *SAVED], cwd=folder, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_saved_networks_load_in_a_new_process(saved):
    run_check(saved, keras.backend.backend())


@pytest.mark.skipif(not importlib.util.find_spec(OTHER_BACKEND), reason=f"{OTHER_BACKEND} is not installed")
def test_the_other_backend_gives_the_same_outputs(saved):
    run_check(saved, OTHER_BACKEND)


@pytest.mark.parametrize("name", BY_BUILDER)
def test_networks_compute_in_bfloat16(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small_network(name)
        outputs = ops.convert_to_numpy(ops.cast(model(random_images(model, 1)), "float32"))
    finally:
        keras.config.set_dtype_policy(policy)
        keras.backend.clear_session()
    assert np.isfinite(outputs).all()
