"""One layer backwards: of a convolution its transposed filters, of max pooling its switches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import keras

from reproductions.lab.visualization.graph import Step

LayerFunction = Callable[[list[keras.KerasTensor]], keras.KerasTensor]


def activation_of(layer: keras.layers.Layer) -> str:
    """Return the name of a layer's activation; "linear" if it has none."""
    if isinstance(layer, keras.layers.ReLU):
        plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
        return "relu" if plain else "another ReLU"
    activation = getattr(layer, "activation", None)
    return "linear" if activation is None else getattr(activation, "__name__", type(activation).__name__)


@contextmanager
def without_activation(layer: keras.layers.Layer) -> Iterator[None]:
    """Let a layer have no activation within the block."""
    before = getattr(layer, "activation", None)
    if before is None:
        yield
        return
    layer.activation = keras.activations.linear
    try:
        yield
    finally:
        layer.activation = before


def transposed(step: Step, inputs: Sequence[keras.KerasTensor], signal: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Take a signal back through a layer, its activation left out.

    A layer is linear but for its activation, or, like max pooling and local response normalization, it is replaced by
    its derivative at these inputs. For max pooling this is ZFNet's unpooling through switches.

    Args:
        step: The layer.
        inputs: What it saw.
        signal: Tensor with the shape of its output.

    Returns:
        A tensor with the shape of each input: the transposed derivative times the signal.
    """
    if isinstance(step.layer, keras.layers.ReLU):
        return [signal]
    with without_activation(step.layer):
        return vector_jacobian_product(lambda xs: step.layer(xs if len(xs) > 1 else xs[0]), list(inputs), signal)


def vector_jacobian_product(
    function: LayerFunction, inputs: list[keras.KerasTensor], signal: keras.KerasTensor
) -> list[keras.KerasTensor]:
    """Return the transposed derivative of a function of several tensors times a signal, by Keras' backend."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        inputs = [tf.identity(each) for each in inputs]  # one tensor may be given twice
        with tf.GradientTape(watch_accessed_variables=False) as tape:  # no gradients of filters
            tape.watch(inputs)
            outputs = function(inputs)
        found = tape.gradient(outputs, inputs, output_gradients=signal, unconnected_gradients="zero")
        return list(found)
    if backend == "jax":
        import jax

        return list(jax.vjp(function, inputs)[1](signal)[0])
    import torch

    inputs = [each.detach().requires_grad_() for each in inputs]
    return list(torch.autograd.grad(function(inputs), inputs, signal))
