"""Shapes, receptive fields, parameters and arithmetic of every layer, computed from a model."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras

FLOAT32_BYTES = 4
WITHOUT_MEMORY = (keras.layers.Flatten, keras.layers.Dropout)


@dataclass(frozen=True)
class LayerProfile:
    """Profile of one layer, for one image.

    Attributes:
        name: Name of the layer, after those of the blocks that contain it: "inception_3a/1x1".
        class_name: Name of its class.
        output_shape: Output shape without the batch.
        kernel_size: Window of a convolution or pool; () for other layers.
        strides: Strides of a convolution or pool; () for other layers.
        padding: Padding of a convolution or pool; "" for other layers.
        receptive_field: Height in pixels of the image region that an output position depends on. From the first layer
            that depends on the whole image on, it is the height of the image.
        jump: Distance in image pixels between neighbouring output positions.
        parameters: All parameters.
        trainable: Trainable parameters.
        weights: Elements of the kernel: parameters without biases and the like.
        multiply_adds: Multiplications by weights in a forward pass, each with its addition. Normalization, pooling and
            activations count as 0.
        connections: Inputs and biases of all units, as LeCun et al. 1998 count them.
        activations: Elements of the output; 0 for flattening and dropout, which need no memory of their own.
    """

    name: str
    class_name: str
    output_shape: tuple[int, ...]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    receptive_field: int
    jump: int
    parameters: int
    trainable: int
    weights: int
    multiply_adds: int
    connections: int
    activations: int

    @property
    def forward_bytes(self) -> int:
        """Memory for the output in float32."""
        return FLOAT32_BYTES * self.activations

    @property
    def backward_bytes(self) -> int:
        """Estimate of the memory in training: the output in float32 and its gradient."""
        return 2 * self.forward_bytes


@contextlib.contextmanager
def without_weights() -> Iterator[None]:
    """Context in which models are built with shapes and counts but no memory for weights.

    This needs the TensorFlow backend. With others, models are built as usual.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    with tf.Graph().as_default():
        yield


def profile_model(model: keras.Model) -> list[LayerProfile]:
    """Return the profile of every layer of a functional model, in the order of its graph.

    Blocks are replaced by the layers they contain.

    Args:
        model: Model with channels last and a fixed input size, in which each layer is used once.
    """
    height = model.inputs[0].shape[1] or 0
    return list(_profiles(model, {id(tensor): ReceptiveField(1, 1) for tensor in model.inputs}, height, ""))


def connections(model: keras.Model) -> dict[str, int]:
    """Return the number of connections by layer, for the layers that have any."""
    return {layer.name: layer.connections for layer in profile_model(model) if layer.connections}


def total(layers: Sequence[LayerProfile], quantity: str) -> int:
    """Return the sum of a quantity, such as "parameters", over layers."""
    return sum(getattr(layer, quantity) for layer in layers)


def depth(model: keras.Model) -> int:
    """Return the number of convolutions and fully connected layers on the longest path from input to output."""
    depths = {id(tensor): 0 for tensor in model.inputs}
    for layer in model.layers:
        if id(layer.output) in depths:
            continue
        inner = getattr(layer, "inner", None)
        own = depth(inner) if inner is not None else int(getattr(layer, "kernel", None) is not None)
        depths[id(layer.output)] = max(depths[id(tensor)] for tensor in _inputs(layer)) + own
    return max(depths.values())


class ReceptiveField(NamedTuple):
    """Receptive field of a tensor and distance between neighbouring positions, both in image pixels."""

    size: int
    jump: int


def _profiles(
    model: keras.Model, fields: dict[int, ReceptiveField], height: int, prefix: str
) -> Iterator[LayerProfile]:
    """Yield the profiles of a model's layers and add the receptive fields of their outputs to `fields`."""
    for layer in model.layers:
        inner = getattr(layer, "inner", None)
        if inner is not None:
            inner_fields = {id(tensor): _input_field(layer, fields) for tensor in inner.inputs}
            for profile in _profiles(inner, inner_fields, height, f"{prefix}{layer.name}/"):
                if profile.class_name != "InputLayer":
                    yield profile
            fields[id(layer.output)] = inner_fields[id(inner.outputs[0])]
            continue
        if not isinstance(layer, keras.layers.InputLayer):
            fields[id(layer.output)] = _output_field(layer, _input_field(layer, fields), height)
        yield _profile(layer, fields[id(layer.output)], prefix)


def _inputs(layer: keras.layers.Layer) -> list[keras.KerasTensor]:
    """Return the inputs of a layer."""
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _input_field(layer: keras.layers.Layer, fields: dict[int, ReceptiveField]) -> ReceptiveField:
    """Return the largest receptive field among a layer's inputs."""
    return max(fields[id(tensor)] for tensor in _inputs(layer))


def _output_field(layer: keras.layers.Layer, field: ReceptiveField, height: int) -> ReceptiveField:
    """Return the receptive field of a layer's output, given that of its input."""
    if isinstance(layer, keras.layers.Dense) or layer.__class__.__name__.startswith("Global"):
        return ReceptiveField(max(height, field.size), max(height, field.jump))
    kernel_size, strides = _window(layer)
    if not kernel_size:
        return field
    dilation = tuple(getattr(layer, "dilation_rate", ())) or (1,)
    return ReceptiveField(field.size + (kernel_size[0] - 1) * dilation[0] * field.jump, field.jump * strides[0])


def _window(layer: keras.layers.Layer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the window and the strides of a convolution or pool; () and () for other layers."""
    window = tuple(getattr(layer, "kernel_size", ())) or tuple(getattr(layer, "pool_size", ()))
    strides = getattr(layer, "strides", None)
    default = window if hasattr(layer, "pool_size") else (1,) * len(window)
    return window, tuple(strides) if strides is not None and window else default


def _profile(layer: keras.layers.Layer, field: ReceptiveField, prefix: str) -> LayerProfile:
    """Return the profile of one layer with a given receptive field."""
    output_shape = tuple(layer.output.shape[1:])
    positions = math.prod(size or 1 for size in output_shape[:-1])
    kernel = getattr(layer, "kernel", None)
    weights = math.prod(kernel.shape) if kernel is not None else 0
    coefficient = getattr(layer, "coefficient", None)
    used = weights if coefficient is None else math.prod(coefficient.shape)
    used = getattr(layer, "weights_per_position", used)
    connected = getattr(layer, "connections_per_position", layer.count_params() if kernel is not None else 0)
    kernel_size, strides = _window(layer)
    return LayerProfile(
        name=prefix + layer.name,
        class_name=type(layer).__name__,
        output_shape=output_shape,
        kernel_size=kernel_size,
        strides=strides,
        padding=str(getattr(layer, "padding", "")) if kernel_size else "",
        receptive_field=field.size,
        jump=field.jump,
        parameters=layer.count_params(),
        trainable=sum(math.prod(weight.shape) for weight in layer.trainable_weights),
        weights=weights,
        multiply_adds=positions * used,
        connections=positions * connected,
        activations=0 if isinstance(layer, WITHOUT_MEMORY) else math.prod(size or 1 for size in output_shape),
    )
