"""BVLC's GoogLeNet, read from Caffe's file: the images that it classifies correctly are known."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import reproductions
from reproductions.lab.weights import matching, presets, tensor_file

DATA = Path(os.environ.get("REPRODUCTIONS_DATA", "nowhere"))
FILE = DATA / "published" / "bvlc_googlenet.caffemodel"
IMAGES = DATA / "imagenet-val-sample"


@pytest.mark.skipif(not FILE.is_file(), reason="REPRODUCTIONS_DATA has no published/bvlc_googlenet.caffemodel")
@pytest.mark.skipif(not IMAGES.is_dir(), reason="REPRODUCTIONS_DATA has no imagenet-val-sample")
def test_googlenet_classifies_the_images_that_caffe_does():
    """237 and 280 of 300 are those of OpenCV's reader of Caffe's files."""
    preset = presets.find("googlenet-quick", "bvlc")
    model = reproductions.build(preset.network, **preset.options)
    matching.assign(matching.match(model, tensor_file.read(FILE), preset))
    lines = [line.split(",") for line in (IMAGES / "labels.txt").read_text(encoding="utf-8").splitlines()]
    labels = np.array([int(label) for _, label in lines])
    centres = np.stack([np.asarray(Image.open(IMAGES / name).convert("RGB"))[1:225, 1:225] for name, _ in lines])
    colour = preset.transforms[0][1]["colour"]
    logits = model.predict(centres.astype("float32") - np.float32(colour), batch_size=50, verbose=0)
    best = np.argsort(-logits, axis=1)[:, :5]
    assert (best[:, 0] == labels).sum() == 237
    assert (best == labels[:, None]).any(axis=1).sum() == 280
