"""Batch normalization of training steps by TensorFlow's fused kernel."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import keras
import tensorflow as tf

IMAGES = 4  # dimensions of what the kernel takes


def fuse_batch_normalization(model: keras.Model) -> None:
    """Let the batch normalization of feature maps use TensorFlow's fused kernel in training.

    Keras' formula, forward and backward, takes a third of it (`benchmarks/steps.py`). Inference, and what is saved of
    the model, are unchanged.

    Args:
        model: Network, whose layers of batch normalization are changed, those in blocks too.
    """
    for layer in normalizations(model):
        layer.call = functools.partial(fused_call, layer)


def normalizations(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """Yield the layers of a model, and of the blocks in it, that the kernel can compute."""
    for layer in model.layers:
        inner = getattr(layer, "inner", None)
        if inner is not None:
            yield from normalizations(inner)
        elif isinstance(layer, keras.layers.BatchNormalization) and layer.input_spec.ndim == IMAGES:
            special = layer.synchronized or getattr(layer, "renorm", False) or not layer.center
            if not special and layer.axis in (-1, IMAGES - 1):
                yield layer


def fused_call(
    layer: keras.layers.BatchNormalization,
    inputs: tf.Tensor,
    training: bool | None = None,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Return what `keras.layers.BatchNormalization.call` returns."""
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
