"""What a network is made of, layer by layer, computed from the model itself."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

BYTES = 4  # of a float32
IN_PLACE = (keras.layers.Flatten, keras.layers.Dropout)


@dataclass(frozen=True)
class LayerAnatomy:
    """One layer.

    Attributes:
        output: its shape for one image.
        kernel, strides, padding: of a convolution or a pool; () and "" elsewhere.
        receptive_field, jump: pixels of the image (height) that a place of the output sees, and between two
            neighbouring places; the whole image from the first layer on that sees everything.
        parameters, trainable, weights: all, those that are trained, and without biases and the like.
        multiply_adds: of one image, forward: multiplications with weights, each with its addition.
            Normalization, pooling and activations count nothing.
        connections: as LeCun et al. 1998 count: inputs and biases of every unit.
        activations: numbers that leave the layer, for one image; none of flattening and dropout, which
            need no memory of their own.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    kernel: tuple[int, ...]
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
        """Memory for what leaves the layer, one float32 image."""
        return BYTES * self.activations

    @property
    def backward_bytes(self) -> int:
        """An estimate for training: what leaves the layer is kept, and its gradient beside it."""
        return 2 * self.forward_bytes


@contextlib.contextmanager
def without_weights() -> Iterator[None]:
    """Models built within have shapes and counts but no memory for their weights, where the backend can."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    with tf.Graph().as_default():
        yield


Field = tuple[int, int]


def anatomy(model: keras.Model) -> list[LayerAnatomy]:
    """Every layer of a functional model in the order of its graph, the convolutions inside blocks one by one.

    For models such as this suite's: channels last, fixed sizes, each layer used once.
    """
    side = model.inputs[0].shape[1] or 0
    return list(walk(model, {id(tensor): (1, 1) for tensor in model.inputs}, side, ""))


def walk(model: keras.Model, fields: dict[int, Field], side: int, prefix: str) -> Iterator[LayerAnatomy]:
    """Rows of a model whose inputs' receptive fields are in `fields`, which takes up those of all outputs."""
    for layer in model.layers:
        inner = getattr(layer, "inner", None)
        if inner is not None:
            inside = {id(tensor): field_of(layer, fields) for tensor in inner.inputs}
            for row in walk(inner, inside, side, f"{prefix}{layer.name}/"):
                if row.kind != "InputLayer":
                    yield row
            fields[id(layer.output)] = inside[id(inner.outputs[0])]
            continue
        if not isinstance(layer, keras.layers.InputLayer):
            fields[id(layer.output)] = grown(layer, field_of(layer, fields), side)
        yield row_of(layer, fields[id(layer.output)], prefix)


def field_of(layer: keras.layers.Layer, fields: dict[int, Field]) -> Field:
    """What the layer's input sees: the most of its branches."""
    inputs = layer.input if isinstance(layer.input, list) else [layer.input]
    return max(fields[id(tensor)] for tensor in inputs)


def grown(layer: keras.layers.Layer, field: Field, side: int) -> Field:
    """The receptive field and jump after a layer, from those before it."""
    sees, jump = field
    if isinstance(layer, keras.layers.Dense) or layer.__class__.__name__.startswith("Global"):
        return max(side, sees), max(side, jump)
    window, strides = geometry(layer)
    if not window:
        return sees, jump
    dilation = tuple(getattr(layer, "dilation_rate", ())) or (1,)
    return sees + (window[0] - 1) * dilation[0] * jump, jump * strides[0]


def geometry(layer: keras.layers.Layer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Window and strides of a convolution or a pool; empty for other layers."""
    window = tuple(getattr(layer, "kernel_size", ())) or tuple(getattr(layer, "pool_size", ()))
    own = getattr(layer, "strides", None)
    apart = window if hasattr(layer, "pool_size") else (1,) * len(window)
    return window, tuple(own) if own is not None and window else apart


def row_of(layer: keras.layers.Layer, field: Field, prefix: str) -> LayerAnatomy:
    output = tuple(layer.output.shape[1:])
    places = math.prod(size or 1 for size in output[:-1])
    kernel = getattr(layer, "kernel", None)
    weights = math.prod(kernel.shape) if kernel is not None else 0
    coefficient = getattr(layer, "coefficient", None)
    used = weights if coefficient is None else math.prod(coefficient.shape)
    used = getattr(layer, "weights_per_place", used)
    window, strides = geometry(layer)
    return LayerAnatomy(
        name=prefix + layer.name,
        kind=type(layer).__name__,
        output=output,
        kernel=window,
        strides=strides,
        padding=str(getattr(layer, "padding", "")) if window else "",
        receptive_field=field[0],
        jump=field[1],
        parameters=layer.count_params(),
        trainable=sum(math.prod(weight.shape) for weight in layer.trainable_weights),
        weights=weights,
        multiply_adds=places * used,
        connections=places * getattr(layer, "connections_per_place", layer.count_params() if kernel is not None else 0),
        activations=0 if isinstance(layer, IN_PLACE) else math.prod(size or 1 for size in output),
    )


def connections(model: keras.Model) -> dict[str, int]:
    """Connections by layer, of the layers that have any."""
    return {row.name: row.connections for row in anatomy(model) if row.connections}


def total(rows: Sequence[LayerAnatomy], quantity: str) -> Any:
    """The sum of a quantity over layers."""
    return sum(getattr(row, quantity) for row in rows)
