"""Weights with the names and layouts of torchvision and timm, against plain NumPy, and timm's own outputs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.weights import matching, presets
from reproductions.lab.weights.tensor_file import TensorFile, read

HELPER = Path(__file__).parents[1] / "helpers/timm_weights.py"
CLASSES = 10
Tensors = dict[str, np.ndarray]


def torch_shaped(values: np.ndarray) -> np.ndarray:
    """A kernel in the layout of PyTorch."""
    return values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.T


def made(network: str, preset_name: str, size: int) -> tuple[keras.Model, Tensors]:
    """A network with imported weights, and the random tensors that these come from; some gammas are negative."""
    preset = presets.find(network, preset_name)
    model = reproductions.build(network, classes=CLASSES, input_size=size)
    generator = np.random.default_rng(0)
    shapes = {variable.path: tuple(variable.shape) for variable in model.weights}
    tensors = {}
    for placement in preset.placements(model):
        shape = shapes[placement.variable]
        first, *gammas = placement.tensors
        if len(shape) == 1:
            tensors[first] = generator.uniform(0.5, 1.5, shape).astype(np.float32)
        else:
            values = generator.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape).astype(np.float32)
            tensors[first] = torch_shaped(values).copy()
        for name in gammas:
            tensors[name] = generator.uniform(-1.5, 1.5, shape[-1:]).astype(np.float32)
    matching.assign(matching.match(model, TensorFile(Path("made"), tensors), preset))
    return model, tensors


def unit(tensors: Tensors, name: str, x: np.ndarray) -> np.ndarray:
    """A convolution with stride 1 and padding, batch normalization and ReLU, as timm defines them; (c, h, w)."""
    kernel = tensors[f"{name}.conv.weight"].astype(np.float64)
    high, wide = kernel.shape[2] // 2, kernel.shape[3] // 2
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, ((0, 0), (high, high), (wide, wide))), kernel.shape[2:], (1, 2)
    )
    y = np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True)
    gamma, beta, mean, variance = (
        tensors[f"{name}.bn.{part}"].astype(np.float64)[:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return np.maximum(gamma * (y - mean) / np.sqrt(variance + 0.001) + beta, 0)


def pooled(x: np.ndarray) -> np.ndarray:
    """3x3 averages without padding, as in the release; those of torchvision's and timm's inception_v3 count zeros."""

    def sums(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, ((0, 0), (1, 1), (1, 1)))
        return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2)).sum((-1, -2))

    return sums(x) / sums(np.ones_like(x))


def chain(tensors: Tensors, block: str, x: np.ndarray, *names: str) -> np.ndarray:
    for name in names:
        x = unit(tensors, f"{block}.{name}", x)
    return x


def mixed_5c(tensors: Tensors, x: np.ndarray) -> list[np.ndarray]:
    """InceptionA of torchvision's inception.py."""
    return [
        chain(tensors, "Mixed_5c", x, "branch1x1"),
        chain(tensors, "Mixed_5c", x, "branch5x5_1", "branch5x5_2"),
        chain(tensors, "Mixed_5c", x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
        chain(tensors, "Mixed_5c", pooled(x), "branch_pool"),
    ]


def mixed_7b(tensors: Tensors, x: np.ndarray) -> list[np.ndarray]:
    """InceptionE of torchvision's inception.py."""
    single = chain(tensors, "Mixed_7b", x, "branch3x3_1")
    double = chain(tensors, "Mixed_7b", x, "branch3x3dbl_1", "branch3x3dbl_2")
    return [
        chain(tensors, "Mixed_7b", x, "branch1x1"),
        *(chain(tensors, "Mixed_7b", single, f"branch3x3_2{letter}") for letter in "ab"),
        *(chain(tensors, "Mixed_7b", double, f"branch3x3dbl_3{letter}") for letter in "ab"),
        chain(tensors, "Mixed_7b", pooled(x), "branch_pool"),
    ]


def inception_b(tensors: Tensors, x: np.ndarray) -> list[np.ndarray]:
    """InceptionB of timm's inception_v4.py."""
    return [
        chain(tensors, "features.12", x, "branch0"),
        chain(tensors, "features.12", x, *(f"branch1.{number}" for number in range(3))),
        chain(tensors, "features.12", x, *(f"branch2.{number}" for number in range(5))),
        chain(tensors, "features.12", pooled(x), "branch3.1"),
    ]


def inception_c(tensors: Tensors, x: np.ndarray) -> list[np.ndarray]:
    """InceptionC of timm's inception_v4.py."""
    single = chain(tensors, "features.20", x, "branch1_0")
    double = chain(tensors, "features.20", x, "branch2_0", "branch2_1", "branch2_2")
    return [
        chain(tensors, "features.20", x, "branch0"),
        *(chain(tensors, "features.20", single, f"branch1_1{letter}") for letter in "ab"),
        *(chain(tensors, "features.20", double, f"branch2_3{letter}") for letter in "ab"),
        chain(tensors, "features.20", pooled(x), "branch3.1"),
    ]


BLOCKS = {
    "inception-v3": {"mixed_35x35_2": mixed_5c, "mixed_8x8_1": mixed_7b},
    "inception-v4-released": {"inception_b2": inception_b, "inception_c2": inception_c},
}


@pytest.mark.parametrize("network", BLOCKS)
def test_blocks_compute_what_timm_defines(network):
    model, tensors = made(network, "timm", 139)
    for name, forward in BLOCKS[network].items():
        block = model.get_layer(name)
        x = np.random.default_rng(1).uniform(-1, 1, block.input.shape[1:]).astype(np.float32)
        expected = np.concatenate(forward(tensors, x.transpose(2, 0, 1).astype(np.float64))).transpose(1, 2, 0)
        found = keras.ops.convert_to_numpy(block(x[np.newaxis], training=False))[0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * expected.max())


@pytest.mark.parametrize("publisher", ["torchvision", "timm"])
def test_vgg_flattens_as_pytorch_does(publisher):
    model = reproductions.build("vgg-a", classes=CLASSES, input_size=64)
    generator = np.random.default_rng(0)
    file = vgg_tensors(generator, publisher)
    matching.assign(matching.match(model, TensorFile(Path("made"), file), presets.find("vgg-a", publisher)))
    features = keras.Model(model.input, model.get_layer("pool5").output)
    images = generator.uniform(-2, 2, (1, 64, 64, 3)).astype(np.float32)
    x = keras.ops.convert_to_numpy(features(images))[0].transpose(2, 0, 1).ravel()
    dense = ("pre_logits.fc1", "pre_logits.fc2", "head.fc")
    for name in ("classifier.0", "classifier.3", "classifier.6") if publisher == "torchvision" else dense:
        weights = file[f"{name}.weight"]
        x = np.maximum(x, 0) @ weights.reshape(len(weights), -1).T + file[f"{name}.bias"]
    np.testing.assert_allclose(model(images, training=False)[0], x, rtol=0, atol=1e-5 * np.abs(x).max())


def vgg_tensors(generator: np.random.Generator, publisher: str) -> Tensors:
    """The tensors of torchvision's vgg11, for images of 64 pixels."""
    shapes, channels = {}, 3
    for number, filters in {0: 64, 3: 128, 6: 256, 8: 256, 11: 512, 13: 512, 16: 512, 18: 512}.items():
        shapes[f"features.{number}"], channels = (filters, channels, 3, 3), filters
    if publisher == "torchvision":
        shapes |= {"classifier.0": (4096, 2048), "classifier.3": (4096, 4096), "classifier.6": (CLASSES, 4096)}
    else:
        shapes |= {"pre_logits.fc1": (4096, 512, 2, 2), "pre_logits.fc2": (4096, 4096, 1, 1)}
        shapes["head.fc"] = (CLASSES, 4096)
    tensors = {}
    for name, shape in shapes.items():
        scale = np.float32(np.sqrt(2 / np.prod(shape[1:])))
        tensors[f"{name}.weight"] = generator.standard_normal(shape, np.float32) * scale
        tensors[f"{name}.bias"] = generator.standard_normal(shape[0], np.float32)
    return tensors


def test_vgg_with_batch_normalization_is_refused_with_the_reason():
    names = [f"features.{number}.weight" for number in (0, 1, 4, 5)]
    file = TensorFile(Path("vgg11_bn.safetensors"), dict.fromkeys([*names, "features.1.running_mean"], np.ones(1)))
    model = reproductions.build("vgg-a", classes=CLASSES, input_size=32)
    with pytest.raises(UsageError, match="the file is of a network with batch normalization, which this network does"):
        matching.match(model, file, presets.find("vgg-a", "torchvision"))


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("timm"), reason="timm, of the extra slow, is not installed")
@pytest.mark.parametrize(
    ("network", "name", "size"),
    [
        ("inception-v3", "inception_v3", 299),
        ("inception-v4-released", "inception_v4", 299),
        ("vgg-a", "vgg11", 224),
        ("vgg-b", "vgg13", 224),
        ("vgg-d", "vgg16", 224),
        ("vgg-e", "vgg19", 224),
    ],
)
def test_the_imported_network_equals_timm_s(tmp_path, network, name, size):
    images = np.random.default_rng(0).uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    done = subprocess.run([sys.executable, HELPER, tmp_path, name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    model = reproductions.build(network)
    matching.assign(matching.match(model, read(tmp_path / "weights.safetensors"), presets.find(network, "timm")))
    expected = np.load(tmp_path / "outputs.npy")
    found = keras.ops.convert_to_numpy(model(images, training=False))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
