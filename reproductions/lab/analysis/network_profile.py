"""What is drawn and tabulated of a network: its blocks, and its totals. As data, without Keras."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """One block of a network: a layer, or a block such as Inception's with all that it contains.

    Normalization and activation layers that follow a layer are part of its block.

    Attributes:
        name: Name of the layer or block.
        kind: "convolution", "pooling", "normalization", "dense" or "block".
        output_shape: Output shape without the batch.
        kernel_size: Window of a convolution or pool; () for others.
        strides: Strides of a convolution or pool; () for others.
        receptive_field: Height in pixels of the image region that an output position depends on.
        parameters: Trainable parameters.
        multiply_adds: Multiplications by weights for one image, each with its addition.
        activations: Elements of all outputs within the block.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    receptive_field: int
    parameters: int
    multiply_adds: int
    activations: int


@dataclass(frozen=True)
class NetworkProfile:
    """Shapes, parameters and arithmetic of a network, for one image.

    Attributes:
        network: Name of the network.
        input_shape: Shape of an image: height, width, channels.
        parameters: Trainable parameters.
        multiply_adds: Multiplications by weights, each with its addition.
        blocks: Its blocks from input to output.
    """

    network: str
    input_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    blocks: list[Block]
