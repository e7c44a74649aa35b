"""Weights that ConvNetJS saved: files made up and damaged, and the stored network of the demo."""

import copy
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest

import reproductions
from reports.paths import WEIGHTS
from reproductions.lab import files
from reproductions.lab.data import registry
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import evaluate, networks
from reproductions.lab.evaluation.evaluate import EvaluationTask
from reproductions.lab.results import weights_record
from reproductions.lab.results.weights_record import WeightsRecord
from reproductions.lab.spec import protocols
from reproductions.lab.weights import tensor_file

DATA = Path(os.environ.get("REPRODUCTIONS_DATA", "nowhere"))
SNAPSHOT = DATA / "published" / "convnetjs_cifar10_snapshot.json"


def volume(height: int, width: int, depth: int, start: float) -> dict:
    values = {str(i): start + i / 10 for i in range(height * width * depth)}
    return {"sx": width, "sy": height, "depth": depth, "w": values}


def net() -> dict:
    """A convolution of 2 filters of 2x3 on 2 channels, and 3 units on 4 inputs."""
    convolution = {"layer_type": "conv", "filters": [volume(2, 3, 2, 0.0), volume(2, 3, 2, 5.0)]}
    dense = {"layer_type": "fc", "filters": [volume(1, 1, 4, float(i)) for i in range(3)]}
    return {
        "layers": [
            {"layer_type": "input"},
            {**convolution, "biases": volume(1, 1, 2, 7.0)},
            {"layer_type": "relu"},
            {**dense, "biases": volume(1, 1, 3, 8.0)},
        ]
    }


def written(folder: Path, content: object) -> Path:
    path = folder / "net.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_each_weight_has_its_place(tmp_path):
    tensors = tensor_file.read(written(tmp_path, net())).tensors
    assert list(tensors) == ["1/conv/filters", "1/conv/biases", "3/fc/filters", "3/fc/biases"]
    kernel, bias, matrix, matrix_bias = tensors.values()
    assert kernel.shape == (2, 3, 2, 2) and matrix.shape == (4, 3) and kernel.dtype == np.float32
    filters = net()["layers"][1]["filters"]
    for y, x, channel, number in np.ndindex(kernel.shape):
        index = (3 * y + x) * 2 + channel  # Vol.get of convnet_vol.js
        assert kernel[y, x, channel, number] == np.float32(filters[number]["w"][str(index)])
    np.testing.assert_allclose(matrix[:, 2], [2.0, 2.1, 2.2, 2.3])
    np.testing.assert_allclose(bias, [7.0, 7.1])
    np.testing.assert_allclose(matrix_bias, [8.0, 8.1, 8.2])


def damaged() -> dict[str, object]:
    huge, missing, infinite, text = (copy.deepcopy(net()) for _ in range(4))
    huge["layers"][1]["filters"][0]["sx"] = 10**12
    del missing["layers"][1]["filters"][0]["w"]["3"]
    infinite["layers"][1]["biases"]["w"]["0"] = float("inf")
    text["layers"][3]["filters"][0]["w"]["0"] = "one"
    return {"huge": huge, "missing": missing, "infinite": infinite, "text": text, "list": [1], "layers": {"layers": 3}}


REASONS = {
    "huge": r"expected `int` <= 2147483647, got 1000000000000 - at `\$.layers\[1\].filters\[0\].sx`",
    "missing": r"has 11 values",
    "infinite": r"is not a ConvNetJS network: JSON is malformed",
    "text": r"expected `float`, got `str` - at `\$.layers\[3\].filters\[0\].w\[...\]`",
    "list": r"expected `object`, got `array`",
    "layers": r"expected `array`, got `int` - at `\$.layers`",
}


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_file_is_named(tmp_path, kind):
    path = written(tmp_path, damaged()[kind])
    with pytest.raises(UsageError, match=rf"net\.json .*{REASONS[kind]}"):
        tensor_file.read(path)


def test_weights_of_another_network_do_not_fit(tmp_path):
    path = written(tmp_path, net())
    with pytest.raises(UsageError, match=r"net\.json does not fit convnetjs-cifar10 .* the file lacks"):
        networks.from_file(path, reproductions.find_network("convnetjs-cifar10"))


@pytest.mark.skipif(
    not SNAPSHOT.is_file(), reason="REPRODUCTIONS_DATA has no published/convnetjs_cifar10_snapshot.json"
)
@pytest.mark.skipif(not (DATA / "cifar10.npz").is_file(), reason="REPRODUCTIONS_DATA has no cifar10.npz")
@pytest.mark.parametrize("protocol", ["whole image", "six random views"])
def test_the_stored_network_has_the_recorded_error(protocol):
    [recorded] = [each for each in weights_record.read_all(WEIGHTS) if recorded_of(each, protocol)]
    network = reproductions.find_network("convnetjs-cifar10")
    model = networks.from_file(SNAPSHOT, network)
    assert isinstance(model, keras.Model)
    task = EvaluationTask(model, network, network.to_train(), registry.load("cifar10"), protocols.find(protocol))
    assert evaluate.test(task)[0] == recorded.test


def recorded_of(record: WeightsRecord, protocol: str) -> bool:
    """Whether a record is of the stored network by a protocol."""
    return record.weights.sha256 == files.sha256(SNAPSHOT) and record.test.protocol == protocol
