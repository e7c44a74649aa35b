"""Operations that compute layers of Keras faster in training: the same formulas, other last bits.

What is saved of a network does not depend on them. `benchmarks/steps.py` says what they save.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import keras
import tensorflow as tf
from keras import ops

IMAGES = 4  # dimensions of a batch of feature maps


def use_fast_operations(model: keras.Model) -> None:
    """Let layers of a network, those in blocks too, be computed by faster operations, until `use_own_operations`."""
    for layer in flat_layers(model):
        if can_be_fused(layer):
            layer.call = functools.partial(fused_call, layer)
        elif is_product(layer):
            layer.convolution_op = product


def use_own_operations(model: keras.Model) -> None:
    """Let layers be computed by their own operations, as in tests of networks that were not trained in this process."""
    for layer in flat_layers(model):
        for name in {"call", "convolution_op"} & vars(layer).keys():
            delattr(layer, name)


def flat_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers of a model, with those of a block in its place."""
    for layer in model.layers:
        inner = getattr(layer, "inner", None)
        if inner is None:
            yield layer
        else:
            yield from flat_layers(inner)


def can_be_fused(layer: keras.layers.Layer) -> bool:
    """Return whether a layer is a batch normalization that TensorFlow's fused kernel can compute."""
    if not isinstance(layer, keras.layers.BatchNormalization) or layer.input_spec.ndim != IMAGES:
        return False
    special = layer.synchronized or getattr(layer, "renorm", False) or not layer.center
    return layer.axis in (-1, IMAGES - 1) and not special


def fused_call(
    layer: keras.layers.BatchNormalization,
    inputs: tf.Tensor,
    training: bool | None = None,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Return what `keras.layers.BatchNormalization.call` returns, with a third of its passes over the inputs."""
    if not training or not layer.trainable or mask is not None:
        return keras.layers.BatchNormalization.call(layer, inputs, training=training, mask=mask)
    beta = tf.convert_to_tensor(layer.beta)
    gamma = tf.convert_to_tensor(layer.gamma) if layer.scale else tf.ones_like(beta)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs, scale=gamma, offset=beta, mean=[], variance=[], epsilon=layer.epsilon, is_training=True
    )
    # The kernel divides the variance of the moving average by one less than the number of positions, Keras does not.
    count = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
    variance = variance * ((count - 1) / count)
    for moving, moment in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(moving * layer.momentum + moment * (1 - layer.momentum))
    return outputs


def is_product(layer: keras.layers.Layer) -> bool:
    """Return whether a layer is a 1x1 convolution that is faster as a matrix product, as it is in float32."""
    return (
        type(layer) is keras.layers.Conv2D
        and (layer.kernel_size, layer.strides, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.data_format == "channels_last"
        and layer.compute_dtype == "float32"
    )


def product(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Return a 1x1 convolution; the gradient of its kernel takes half the time."""
    return ops.matmul(inputs, ops.squeeze(kernel, (0, 1)))
