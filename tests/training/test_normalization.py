"""Batch normalization by the fused kernel, compared with Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import layers
from reproductions.lab.spec import Network
from reproductions.lab.training import model as networks
from reproductions.lab.training.normalization import fuse_batch_normalization, fused_call, normalizations
from tests.helpers.linear import RECIPE

IMAGES = np.random.default_rng(1).normal(3, 2, (4, 6, 5, 8)).astype("float32")


def network(scale: bool, policy: str) -> keras.Model:
    images = keras.Input(IMAGES.shape[1:])
    layer = keras.layers.BatchNormalization(scale=scale, momentum=0.9, dtype=policy, name="bn")
    return keras.Model(images, layer(images))


def step(model: keras.Model) -> tuple[tf.Tensor, list[tf.Tensor]]:
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.cast(model(images, training=True), "float32")
        loss = tf.reduce_sum(tf.sin(outputs) * IMAGES)
    return outputs, tape.gradient(loss, [images, *[weight.value for weight in model.trainable_weights]])


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(("policy", "error"), [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_a_step_is_that_of_keras(scale, policy, error):
    ours, keras_own = network(scale, policy), network(scale, policy)
    for number, weight in enumerate(keras_own.get_layer("bn").trainable_weights, 1):
        weight.assign(np.linspace(0.5, number, 8))
    ours.set_weights(keras_own.get_weights())
    fuse_batch_normalization(ours)
    outputs, gradients = step(ours)
    assert all(np.array_equal(one, other) for one, other in zip(gradients, step(ours)[1])), "not repeatable"
    ours.set_weights(keras_own.get_weights())
    step(ours)
    expected, expected_gradients = step(keras_own)
    np.testing.assert_allclose(outputs, expected, atol=4 * error)
    for gradient, other in zip(gradients, expected_gradients):
        np.testing.assert_allclose(gradient, other, atol=error * np.abs(other).max())
    for weight, other in zip(ours.get_weights(), keras_own.get_weights()):
        np.testing.assert_allclose(weight, other, rtol=error)


def test_inference_and_frozen_layers_are_unchanged():
    ours, keras_own = network(True, "float32"), network(True, "float32")
    fuse_batch_normalization(ours)
    assert np.array_equal(ours(IMAGES), keras_own(IMAGES))
    ours.get_layer("bn").trainable = keras_own.get_layer("bn").trainable = False
    assert np.array_equal(ours(IMAGES, training=True), keras_own(IMAGES, training=True))


def test_layers_within_blocks_are_fused():
    images = keras.Input((8, 8, 3))
    block = layers.InceptionFigure5(8, name="block")
    model = keras.Model(images, keras.layers.BatchNormalization()(keras.layers.Flatten()(block(images))))
    found = list(normalizations(model))
    assert {layer.name for layer in found} == {layer.name for layer in block.layers if layer.name.endswith("_bn")}


def test_networks_are_built_for_training_with_it():
    made_up = Network("made-up", lambda: network(scale=True, policy="float32"))
    model = networks.build(made_up, RECIPE)
    assert model.get_layer("bn").call.func is fused_call
