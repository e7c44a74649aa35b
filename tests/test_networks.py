"""Every network against what its paper prints of it."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reproductions import lenet5
from reproductions.lab.anatomy import connections

NAMES = [network.name for study in reproductions.studies().values() for network in study.networks]


def test_lenet5_has_60000_trainable_parameters_layer_by_layer():
    model = reproductions.build("lenet5")
    parameters = {layer.name: sum(w.shape.num_elements() if hasattr(w.shape, "num_elements") else int(np.prod(w.shape))
                                  for w in layer.trainable_weights) for layer in model.layers}  # fmt: skip
    printed = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48120, "F6": 10164}
    assert {name: count for name, count in parameters.items() if count} == printed
    assert sum(printed.values()) == 60000


def test_lenet5_has_340908_connections_layer_by_layer():
    found = connections(reproductions.build("lenet5"))
    printed = {"C1": 122304, "S2": 5880, "C3": 151600, "S4": 2000, "C5": 48120, "F6": 10164, "RBF": 840}
    assert found == printed
    assert sum(found.values()) == 340908


def test_lenet5_has_the_paper_s_shapes():
    model = reproductions.build("lenet5")
    for name, shape in lenet5.SHAPES.items():
        assert model.get_layer(name).output.shape[1:] == shape


def test_table_1_has_60_kernels_and_each_s2_map_feeds_ten_c3_maps():
    assert sum(map(len, lenet5.TABLE_I)) == 60
    assert [sum(m in maps for maps in lenet5.TABLE_I) for m in range(6)] == [10] * 6
    assert [len(maps) for maps in lenet5.TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert len(set(lenet5.TABLE_I)) == 16


def test_the_ten_bitmaps_are_84_dots_and_all_different():
    centres = np.array(lenet5.digit_centres())
    assert centres.shape == (10, 84) and set(np.unique(centres)) == {-1, 1}
    distances = (centres[:, None] != centres[None]).sum(-1) + 84 * np.eye(10)
    assert distances.min() >= 6


def test_lenet5_starts_its_layers_of_one_shape_with_different_weights():
    first, second = reproductions.build("lenet5"), reproductions.build("lenet5")
    assert np.abs(np.asarray(first.get_layer("F6").kernel) - np.asarray(second.get_layer("F6").kernel)).max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_on_one_batch_lower_the_loss(name):
    network = reproductions.find_network(name)
    keras.utils.set_random_seed(0)
    model = network.build()
    model.compile(keras.optimizers.get(dict(network.recipe.optimizer)), keras.losses.get(dict(network.recipe.loss)))
    model.optimizer.learning_rate = network.recipe.learning_rate(1)
    x = np.random.default_rng(0).normal(size=(8, *model.input_shape[1:])).astype("float32")
    y = np.arange(8) % model.output_shape[-1]
    losses = model.fit(x, y, batch_size=8, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_network_loads_in_a_new_process(name, tmp_path):
    model = reproductions.build(name)
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", ops.convert_to_numpy(model(x)))
    code = (
        "import keras, layers, numpy as np; m = keras.models.load_model('model.keras');"
        "np.testing.assert_allclose(np.asarray(m(np.load('x.npy'))), np.load('y.npy'), rtol=1e-5, atol=1e-5)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("name", NAMES)
def test_networks_compute_in_bfloat16(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = reproductions.build(name)
        outputs = ops.convert_to_numpy(ops.cast(model(np.zeros((2, *model.input_shape[1:]), "float32")), "float32"))
    finally:
        keras.config.set_dtype_policy(policy)
    assert np.isfinite(outputs).all()


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(reproductions.UsageError, match="lenet5, lenet5-lecture"):
        reproductions.build("lenet-5")
