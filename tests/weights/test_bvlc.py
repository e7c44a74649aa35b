"""BVLC's GoogLeNet, imported from Caffe's file and tested on a sample: what it classifies correctly is known."""

import os
from pathlib import Path

import pytest

from reproductions.cli.main import main
from reproductions.lab.results import weights_record

DATA = Path(os.environ.get("REPRODUCTIONS_DATA", "nowhere"))
FILE = DATA / "published" / "bvlc_googlenet.caffemodel"
IMAGES = DATA / "imagenet-val-sample"


@pytest.mark.skipif(not FILE.is_file(), reason="REPRODUCTIONS_DATA has no published/bvlc_googlenet.caffemodel")
@pytest.mark.skipif(not IMAGES.is_dir(), reason="REPRODUCTIONS_DATA has no imagenet-val-sample")
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
