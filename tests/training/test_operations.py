"""Faster operations of layers in training, compared with Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import layers
from reproductions.lab.training.operations import (
    can_be_fused,
    flat_layers,
    is_product,
    product,
    use_fast_operations,
    use_own_operations,
)

IMAGES = np.random.default_rng(1).normal(3, 2, (4, 6, 5, 8)).astype("float32")


def network(layer: keras.layers.Layer) -> keras.Model:
    images = keras.Input(IMAGES.shape[1:])
    return keras.Model(images, layer(images))


def normalization(scale: bool = True, policy: str = "float32") -> keras.Model:
    return network(keras.layers.BatchNormalization(scale=scale, momentum=0.9, dtype=policy, name="bn"))


def step(model: keras.Model) -> tuple[tf.Tensor, list[tf.Tensor]]:
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.cast(model(images, training=True), "float32")
        loss = tf.reduce_sum(tf.sin(outputs) * IMAGES[..., : outputs.shape[-1]])
    return outputs, tape.gradient(loss, [images, *[weight.value for weight in model.trainable_weights]])


def check_same_step(ours: keras.Model, keras_own: keras.Model, error: float = 1e-5) -> None:
    before = keras_own.get_weights()
    ours.set_weights(before)
    use_fast_operations(ours)
    outputs, gradients = step(ours)
    expected, expected_gradients = step(keras_own)
    np.testing.assert_allclose(outputs, expected, atol=4 * error)
    for gradient, other in zip(gradients, expected_gradients):
        np.testing.assert_allclose(gradient, other, atol=error * np.abs(other).max())
    for weight, other in zip(ours.get_weights(), keras_own.get_weights()):
        np.testing.assert_allclose(weight, other, rtol=error)
    assert all(np.array_equal(one, other) for one, other in zip(gradients, step(ours)[1])), "not repeatable"


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(("policy", "error"), [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_fused_normalization_is_that_of_keras(scale, policy, error):
    ours, keras_own = normalization(scale, policy), normalization(scale, policy)
    for number, weight in enumerate(keras_own.get_layer("bn").trainable_weights, 1):
        weight.assign(np.linspace(0.5, number, 8))
    check_same_step(ours, keras_own, error)


def test_frozen_layers_are_unchanged():
    ours, keras_own = normalization(), normalization()
    use_fast_operations(ours)
    ours.get_layer("bn").trainable = keras_own.get_layer("bn").trainable = False
    assert np.array_equal(ours(IMAGES, training=True), keras_own(IMAGES, training=True))


def test_layers_get_their_own_operations_back():
    images = keras.Input(IMAGES.shape[1:])
    block = layers.InceptionFigure5(8, name="block")
    model = keras.Model(images, block(images))
    before = [{*vars(layer)} for layer in block.layers]
    use_fast_operations(model)
    changed = [name for layer, names in zip(block.layers, before) for name in {*vars(layer)} - names]
    assert {*changed} == {"call", "convolution_op"}
    use_own_operations(model)
    assert [{*vars(layer)} for layer in block.layers] == before


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_1x1_convolution_as_a_product_is_that_of_keras(padding):
    ours, keras_own = (network(keras.layers.Conv2D(3, 1, padding=padding, activation="relu")) for _ in range(2))
    check_same_step(ours, keras_own)
    assert ours.layers[-1].convolution_op is product


@pytest.mark.parametrize(
    "options",
    [{"kernel_size": 3}, {"strides": 2}, {"groups": 2}, {"dtype": "mixed_bfloat16"}],
    ids=lambda each: [*each],
)
def test_other_convolutions_are_unchanged(options):
    model = network(keras.layers.Conv2D(**{"filters": 4, "kernel_size": 1, **options}))
    assert not any(map(is_product, model.layers))


def test_layers_within_blocks_are_found():
    images = keras.Input((8, 8, 3))
    block = layers.InceptionFigure5(8, name="block")
    model = keras.Model(images, keras.layers.BatchNormalization()(keras.layers.Flatten()(block(images))))
    found = [layer.name for layer in flat_layers(model) if can_be_fused(layer)]
    assert found == [layer.name for layer in block.layers if layer.name.endswith("_bn")]
