"""Weights that the Berkeley Vision and Learning Center published with Caffe."""

from __future__ import annotations

import functools

from reproductions.lab.weights import caffe_layers
from reproductions.lab.weights.preset import Preset, PublisherFigure, figures_of

MODELS = "https://github.com/BVLC/caffe/tree/master/models"
COLOUR = (123.0, 117.0, 104.0)  # Caffe subtracts it, from images in BGR

NORMALIZATION_DEVIATION = "Local response normalization has k = 1 and alpha divided by the size of the window."
ALEXNET_DEVIATIONS = (
    "BVLC subtracts the mean image. Here it is the mean colour.",
    "Trained without changes of colour, with biases of 0.1 in place of 1.",
)

PRESETS = (
    Preset(
        name="bvlc",
        network="alexnet",
        publisher="BVLC (Evan Shelhamer)",
        file_name="bvlc_alexnet.caffemodel",
        url=f"{MODELS}/bvlc_alexnet",
        placements=functools.partial(caffe_layers.flattened, naming=caffe_layers.BLOBS),
        options={"caffe": True},
        transforms=(("subtract_colour", {"colour": COLOUR}),),
        sha1="9116a64c0fbe4459d18f4bb6b56d647b63920377",
        figures=figures_of(57.1, 80.2, "centre crop", f"{MODELS}/bvlc_alexnet/readme.md"),
        deviations=(NORMALIZATION_DEVIATION, *ALEXNET_DEVIATIONS),
    ),
    Preset(
        name="bvlc",
        network="googlenet-quick",
        publisher="BVLC (Sergio Guadarrama)",
        file_name="bvlc_googlenet.caffemodel",
        url=f"{MODELS}/bvlc_googlenet",
        placements=functools.partial(caffe_layers.inception, naming=caffe_layers.BLOBS),
        options={"caffe": True},
        transforms=(("subtract_colour", {"colour": COLOUR}),),
        unused=("loss1/", "loss2/"),
        sha1="405fc5acd08a3bb12de8ee5e23a96bec22f08204",
        figures=(
            PublisherFigure("top-1", 31.3, "centre crop", f"{MODELS}/bvlc_googlenet/readme.md"),
            PublisherFigure("top-5", 11.1, "centre crop", f"{MODELS}/bvlc_googlenet/readme.md"),
        ),
        deviations=(
            NORMALIZATION_DEVIATION,
            "The first convolution is padded by 3 pixels on every side.",
            "Trained without the paper's crops of varying area and aspect.",
        ),
    ),
)
