"""Published networks that have the name of one of this suite and are another network, by what is in their files."""

from __future__ import annotations

from dataclasses import dataclass

from reproductions.lab.errors import UsageError
from reproductions.lab.weights.tensor_file import TensorFile


@dataclass(frozen=True)
class OtherNetwork:
    """A published network that is not one of this suite.

    Attributes:
        name: What it is called.
        tensor: Name of a tensor that only its files have with this shape.
        shape: Shape of the tensor.
        reason: Why it is another network.
        nearest: The network of this suite that is nearest to it.
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    reason: str
    nearest: str


OTHERS = (
    OtherNetwork(
        "torchvision's alexnet",
        "features.0.weight",
        (64, 3, 11, 11),
        "it is the network of Krizhevsky 2014 (One weird trick), with 64, 192, 384, 256 and 256 filters, without "
        "groups and local response normalization",
        "alexnet",
    ),
    OtherNetwork(
        "torchvision's googlenet",
        "inception3a.branch1.conv.weight",
        (64, 192, 1, 1),
        "it has batch normalization, no local response normalization, and 3x3 in place of 5x5 convolutions",
        "googlenet",
    ),
    OtherNetwork(
        "ONNX's zfnet512",
        "gpu_0/fc7_w_0",
        (1024, 4096),
        "it has 512 filters in conv3 to conv5 and 1,024 units in fc7, no padding, and pools 2x2 after conv5, which "
        "leaves 6x6 positions",
        "zfnet",
    ),
)


def check(file: TensorFile) -> None:
    """Raise UsageError if a file is of a network that is known and not one of this suite."""
    for other in OTHERS:
        if other.tensor in file.tensors and file.tensors[other.tensor].shape == other.shape:
            raise UsageError(
                f"{file.path} is of {other.name}, which is not a network of this suite: {other.reason}. The nearest "
                f"one is {other.nearest}; see: reproduce weights list {other.nearest}"
            )
