"""Weights that the Berkeley Vision and Learning Center published with Caffe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reproductions.lab.weights import layouts
from reproductions.lab.weights.preset import Placement, Preset, PublisherFigure

if TYPE_CHECKING:
    import keras

MODELS = "https://github.com/BVLC/caffe/tree/master/models"


def googlenet_layer(path: str) -> str:
    """Return Caffe's name of the layer of a variable: "inception_3a/pool_proj/kernel" to "inception_3a/pool_proj"."""
    layer = path.rpartition("/")[0]
    return {"conv1": "conv1/7x7_s2", "linear": "loss3/classifier"}.get(layer, layer.replace("conv2_", "conv2/"))


def googlenet_placements(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable of GoogLeNet comes from."""
    for variable in model.weights:
        path = variable.path
        layer = googlenet_layer(path)
        if path.endswith("/bias"):
            yield Placement(path, (f"{layer}/1",), layouts.bias)
        elif path.endswith("/kernel"):
            kernels = {"conv1/kernel": layouts.bgr_convolution, "linear/kernel": layouts.dense}
            yield Placement(path, (f"{layer}/0",), kernels.get(path, layouts.convolution))


PRESETS = (
    Preset(
        name="bvlc",
        network="googlenet-quick",
        publisher="BVLC (Sergio Guadarrama)",
        file_name="bvlc_googlenet.caffemodel",
        url=f"{MODELS}/bvlc_googlenet",
        placements=googlenet_placements,
        options={"caffe": True},
        transforms=(("subtract_colour", {"colour": (123.0, 117.0, 104.0)}),),
        unused=("loss1/", "loss2/"),
        sha1="405fc5acd08a3bb12de8ee5e23a96bec22f08204",
        figures=(
            PublisherFigure("top-1", 31.3, "centre crop", f"{MODELS}/bvlc_googlenet/readme.md"),
            PublisherFigure("top-5", 11.1, "centre crop", f"{MODELS}/bvlc_googlenet/readme.md"),
        ),
        deviations=(
            "Local response normalization has k = 1 and alpha divided by the size of the window.",
            "The first convolution is padded by 3 pixels on every side.",
            "Trained without the paper's crops of varying area and aspect.",
        ),
    ),
)
