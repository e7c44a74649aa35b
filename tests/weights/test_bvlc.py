"""BVLC's GoogLeNet, imported from Caffe's file and tested on a sample: what it classifies correctly is known."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from PIL import Image

import reproductions
from reproductions.cli.main import main
from reproductions.lab.results import weights_record
from reproductions.lab.weights import matching, presets, tensor_file
from tests.helpers.caffe_googlenet import prototxt

DATA = Path(os.environ.get("REPRODUCTIONS_DATA", "nowhere"))
FILE = DATA / "published" / "bvlc_googlenet.caffemodel"
IMAGES = DATA / "imagenet-val-sample"
OPENCV = importlib.util.find_spec("cv2")
pytestmark = [
    pytest.mark.skipif(not FILE.is_file(), reason="REPRODUCTIONS_DATA has no published/bvlc_googlenet.caffemodel"),
    pytest.mark.skipif(not IMAGES.is_dir(), reason="REPRODUCTIONS_DATA has no imagenet-val-sample"),
]


def test_googlenet_classifies_the_images_that_caffe_does(tmp_path, capsys):
    """237 and 280 of 300 are those of OpenCV's reader of Caffe's files, for the centre of each image."""
    out = tmp_path / "bvlc.keras"
    main(["weights", "import", "googlenet", str(FILE), "--to", str(out)])
    assert "the preset is listed for googlenet-quick" in capsys.readouterr().out
    sample = ["--images", str(IMAGES), "--labels", str(IMAGES / "labels.txt")]
    main(["evaluate", str(out), *sample, "--protocol", "centre patch"])
    output = capsys.readouterr().out
    assert "a sample, not an error rate" in output and "%" not in output
    assert "    correct 237 of 300\n    in the best five 280 of 300\n" in output
    [record] = weights_record.read_all(tmp_path / "weights")
    assert record.sample and (record.test.images, record.test.top1.errors, record.test.top5.errors) == (300, 63, 20)


@pytest.mark.slow
@pytest.mark.skipif(not OPENCV, reason="opencv-python-headless, of the extra slow, is not installed")
def test_probabilities_are_those_of_opencv_s_reader(tmp_path):
    import cv2

    paths = sorted(IMAGES.glob("*.JPEG"))[::10]
    images = np.stack([np.asarray(Image.open(path).convert("RGB"))[1:225, 1:225] for path in paths])
    assert images.shape == (30, 224, 224, 3)
    images = images.astype(np.float32) - np.array([123, 117, 104], np.float32)
    (tmp_path / "deploy.prototxt").write_text(prototxt(), encoding="ascii")
    network = cv2.dnn.readNetFromCaffe(str(tmp_path / "deploy.prototxt"), str(FILE))
    expected = []
    for image in images:
        network.setInput(np.ascontiguousarray(image[np.newaxis, ..., ::-1].transpose(0, 3, 1, 2)))
        expected.append(network.forward().ravel())
    preset = presets.find("googlenet-quick", "bvlc")
    ours = reproductions.build("googlenet-quick", **preset.options)
    matching.assign(matching.match(ours, tensor_file.read(FILE), preset))
    found = ops.convert_to_numpy(ops.softmax(ours(images, training=False)))
    assert np.max(expected) > 0.9
    print(f"largest difference of probabilities: {np.abs(found - expected).max():.1e}")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
