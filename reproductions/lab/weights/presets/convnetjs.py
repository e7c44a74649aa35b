"""The stored network of the ConvNetJS CIFAR-10 demo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reproductions.lab.weights import layouts
from reproductions.lab.weights.preset import Placement, Preset, PublisherFigure

if TYPE_CHECKING:
    import keras

DEMO = "https://cs.stanford.edu/people/karpathy/convnetjs/demo/cifar10.html"
LAYERS = {"conv1": "1/conv", "conv2": "4/conv", "conv3": "7/conv", "fc": "10/fc"}


def placements(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable comes from."""
    for name, stored in LAYERS.items():
        yield Placement(f"{name}/kernel", (f"{stored}/filters",), layouts.unchanged)
        yield Placement(f"{name}/bias", (f"{stored}/biases",), layouts.unchanged)


PRESETS = (
    Preset(
        name="demo",
        network="convnetjs-cifar10",
        publisher="Andrej Karpathy",
        file_name="cifar10_snapshot.json",
        url=DEMO,
        placements=placements,
        transforms=("to_half_range",),
        sha256=("98c85e0203fe9c63007ac4e751b906d69642a99eff183a91b8549b2b95112bd3",),
        figures=(PublisherFigure("error", 20.0, "six random views", DEMO, images=1000),),
    ),
)
