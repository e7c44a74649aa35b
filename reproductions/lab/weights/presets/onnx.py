"""Weights in ONNX's model zoo that were trained by Caffe and converted through Caffe2."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reproductions.lab.weights import caffe_layers, layouts
from reproductions.lab.weights.preset import Placement, Preset, PublisherFigure, figures_of
from reproductions.lab.weights.presets import bvlc
from reproductions.lab.weights.presets import keras as keras_presets

if TYPE_CHECKING:
    import keras

ZOO = "https://github.com/onnx/models/tree/main/validated/vision/classification"
CAFFE2 = caffe_layers.Naming("_w_0", "_b_0")
CAFFE_EPSILON = 0.00001


def normalized(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable of BN-Inception comes from.

    Caffe's normalization has no scale and shift of its own; a second layer scales and shifts. The file has both.
    """
    yield from caffe_layers.inception(model, CAFFE2)
    for variable in model.weights:
        layer, _, weight = variable.path.rpartition("/")
        if layer.endswith("_bn"):
            name = caffe_layers.inception_layer(layer.removesuffix("_bn"))
            yield normalization(variable.path, weight, f"{name}/bn")


def normalization(path: str, weight: str, name: str) -> Placement:
    """Return where a weight of a batch normalization comes from."""
    scale, shift = f"{name}/sc_w_0", f"{name}/sc_b_0"
    match weight:
        case "gamma":
            return Placement(path, (f"{name}_scale_0", scale), layouts.product)
        case "beta":
            return Placement(path, (f"{name}_bias_0", scale, shift), layouts.scaled_and_shifted)
        case "moving_mean":
            return Placement(path, (f"{name}_mean_0",), layouts.unchanged)
        case _:
            return Placement(path, (f"{name}_var_0",), layouts.variance(CAFFE_EPSILON))


flattened = functools.partial(caffe_layers.flattened, naming=CAFFE2)

PRESETS = (
    Preset(
        name="onnx",
        network="alexnet",
        publisher="BVLC (Evan Shelhamer), converted by ONNX's model zoo",
        file_name="bvlcalexnet-12.onnx",
        url=f"{ZOO}/alexnet",
        placements=flattened,
        options={"caffe": True},
        transforms=(("subtract_colour", {"colour": bvlc.COLOUR}),),
        figures=figures_of(57.1, 80.2, "centre crop", f"{ZOO}/alexnet"),
        deviations=(
            bvlc.NORMALIZATION_DEVIATION,
            "The file's graph takes 224 pixels and rounds its first poolings down, with which the zoo gives 54.8% and "
            "78.23%. Here it takes 227, as BVLC's network does.",
            *bvlc.ALEXNET_DEVIATIONS,
        ),
    ),
    Preset(
        name="onnx",
        network="googlenet-quick",
        publisher="BVLC (Sergio Guadarrama), converted by ONNX's model zoo",
        file_name="inception-v1-12.onnx",
        url=f"{ZOO}/inception_and_googlenet/inception_v1",
        placements=functools.partial(caffe_layers.inception, naming=CAFFE2),
        options={"caffe": True, "pool_padding": "valid"},
        transforms=(("subtract_colour", {"colour": bvlc.COLOUR}),),
        figures=(
            PublisherFigure("top-1", 32.77, "not given", f"{ZOO}/inception_and_googlenet/inception_v1"),
        ),
        deviations=(
            bvlc.NORMALIZATION_DEVIATION,
            "The first convolution is padded by 3 pixels on every side.",
            "The weights are BVLC's. The file rounds its poolings down, to feature maps of 55, 27, 13 and 6 pixels, "
            "where BVLC's network has 56, 28, 14 and 7.",
        ),
    ),
    Preset(
        name="onnx",
        network="bn-inception",
        publisher="ONNX's model zoo, from Caffe2",
        file_name="inception-v2-9.onnx",
        url=f"{ZOO}/inception_and_googlenet/inception_v2",
        placements=normalized,
        options={"caffe": True},
        transforms=(("subtract_colour", {"colour": bvlc.COLOUR}),),
        deviations=(
            "The publisher gives neither preprocessing nor error. Here the images are those of BVLC's networks.",
            "Convolutions with stride 2 are padded alike on every side.",
            "Batch normalization has an epsilon of 0.00001; here the moving variances make up for it.",
        ),
    ),
    Preset(
        name="onnx",
        network="vgg-e",
        publisher="Simonyan and Zisserman, converted by ONNX's model zoo",
        file_name="vgg19-caffe2-9.onnx",
        url=f"{ZOO}/vgg",
        placements=flattened,
        transforms=(("subtract_colour", {"colour": keras_presets.COLOUR}),),
        deviations=("The zoo's figures for VGG-19 are of other files, which were trained by MXNet.",),
    ),
)  # fmt: skip
