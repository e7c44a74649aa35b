"""Weights that the Berkeley Vision and Learning Center published with Caffe."""

from __future__ import annotations

import functools

from reproductions.lab.weights import caffe_layers
from reproductions.lab.weights.preset import Preset, PublisherFigure

MODELS = "https://github.com/BVLC/caffe/tree/master/models"
COLOUR = (123.0, 117.0, 104.0)  # Caffe subtracts it, from images in BGR

PRESETS = (
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
            "Local response normalization has k = 1 and alpha divided by the size of the window.",
            "The first convolution is padded by 3 pixels on every side.",
            "Trained without the paper's crops of varying area and aspect.",
        ),
    ),
)
