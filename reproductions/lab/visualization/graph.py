"""A network as a list of steps, blocks unrolled, and what each step computes for an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras

from reproductions.lab.errors import UsageError, unknown

Values = dict[int, keras.KerasTensor]


@dataclass(frozen=True)
class Step:
    """A layer and what it is connected to.

    Attributes:
        name: Name of the layer, after those of the blocks that contain it: "inception_3a/1x1", as in its profile.
        layer: The layer.
        inputs: Keys of the tensors that it takes.
        output: Key of its output.
    """

    name: str
    layer: keras.layers.Layer
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Graph:
    """The steps of a network.

    Attributes:
        name: Name of the network.
        steps: Its layers in an order in which each comes after those that it depends on.
        images: Key of the input.
        outputs: Key of the output of each layer and block, by name.
    """

    name: str
    steps: tuple[Step, ...]
    images: int
    outputs: dict[str, int]

    def key(self, layer: str) -> int:
        """Return the key of a layer's output.

        Raises:
            UsageError: If there is no such layer; it gives the nearest name.
        """
        if layer not in self.outputs:
            raise unknown(f"layer of {self.name}", layer, self.outputs, {name.lower(): name for name in self.outputs})
        return self.outputs[layer]

    def step(self, layer: str) -> Step:
        """Return the step of a layer.

        Raises:
            UsageError: If there is no such layer, or it is a block of several.
        """
        key = self.key(layer)
        found = {step.name: step for step in self.steps}
        if layer not in found:
            inside = ", ".join(step.name for step in self.steps if step.name.startswith(f"{layer}/"))
            raise UsageError(f"{layer} of {self.name} is a block: name one of its layers, {inside or key}")
        return found[layer]

    def before(self, layer: str) -> tuple[Step, ...]:
        """Return the steps that a layer's output depends on, its own included, in their order."""
        needed, found = {self.key(layer)}, []
        for step in reversed(self.steps):
            if step.output in needed:
                needed.update(step.inputs)
                found.append(step)
        return tuple(reversed(found))


def graph_of(model: keras.Model) -> Graph:
    """Return the steps of a functional model with one input, in which each layer is used once."""
    outputs: dict[str, int] = {}
    images = id(model.inputs[0])
    steps = tuple(unrolled(model, {images: images}, outputs, ""))
    return Graph(model.name, steps, images, outputs)


def unrolled(model: keras.Model, keys: dict[int, int], outputs: dict[str, int], prefix: str) -> Iterator[Step]:
    """Yield the steps of a model, and of the blocks in it.

    Args:
        model: Network, or the inner model of a block.
        keys: Key of each tensor of the model that is known so far, by its identity; steps add their outputs.
        outputs: Keys of the outputs by the layers' names, to which the steps add theirs.
        prefix: Names of the blocks that contain the model.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        inputs, name, own = tuple(keys[id(tensor)] for tensor in tensors), prefix + layer.name, id(layer.output)
        inner = getattr(layer, "inner", None)
        if inner is None:
            keys[own] = outputs[name] = own
            yield Step(name, layer, inputs, own)
            continue
        within = {id(inner.inputs[0]): inputs[0]}
        yield from unrolled(inner, within, outputs, f"{name}/")
        keys[own] = outputs[name] = within[id(inner.outputs[0])]


def forward(graph: Graph, images: keras.KerasTensor) -> Values:
    """Return what every step computes for images (batch, height, width, channels), by key; images included."""
    values = {graph.images: keras.ops.convert_to_tensor(images)}
    for step in graph.steps:
        inputs = [values[key] for key in step.inputs]
        values[step.output] = step.layer(inputs if len(inputs) > 1 else inputs[0])
    return values
