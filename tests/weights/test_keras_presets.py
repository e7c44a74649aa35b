"""Networks of keras.applications, saved and imported: ours give the same outputs for the same images."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import reproductions
from reproductions.lab.data.transforms.registry import TransformContext, compose
from reproductions.lab.errors import UsageError
from reproductions.lab.weights import matching, presets, tensor_file

APPLICATIONS = {
    "vgg-d": (keras.applications.VGG16, keras.applications.vgg16),
    "vgg-e": (keras.applications.VGG19, keras.applications.vgg19),
    "inception-v3": (keras.applications.InceptionV3, keras.applications.inception_v3),
}


def application(network: str, **options: object) -> keras.Model:
    """Keras' own network with random weights, those of batch normalization included, to logits."""
    model = APPLICATIONS[network][0](weights=None, classifier_activation=None, **options)
    generator = np.random.default_rng(0)
    for variable in model.weights:
        if not variable.path.endswith("kernel"):
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    return model


def saved(model: keras.Model, path: Path) -> Path:
    model.save_weights(path) if path.name.endswith(".weights.h5") else model.save(path)
    return path


def check_outputs(model: keras.Model, path: Path, network: str, preset_name: str) -> None:
    """Import the file and compare what the networks return for an image in RGB, 0..255."""
    preset = presets.find(network, preset_name)
    size, classes = model.input_shape[1], model.output_shape[1]
    ours = reproductions.build(network, classes=classes, input_size=size, **preset.options)
    matching.assign(matching.match(ours, tensor_file.read(path), preset))
    image = np.random.default_rng(1).integers(0, 256, (size, size, 3)).astype(np.float32)
    transform = compose(preset.transforms, TransformContext(size))
    found = ours(transform(image, tf.zeros(2, tf.int64))[np.newaxis], training=False)
    expected = model(APPLICATIONS[network][1].preprocess_input(image[np.newaxis].copy()), training=False)
    scale = np.abs(expected).max()
    assert np.std(expected) > 1e-3 * scale
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize(
    ("network", "size", "ending"),
    [
        ("vgg-d", 32, ".h5"),
        ("vgg-d", 32, ".weights.h5"),
        ("vgg-e", 32, ".keras"),
        ("inception-v3", 75, ".h5"),
        ("inception-v3", 75, ".weights.h5"),
    ],
)
def test_the_imported_network_equals_keras_own(tmp_path, network, size, ending):
    model = application(network, classes=10, input_shape=(size, size, 3))
    path = saved(model, tmp_path / f"net{ending}")
    check_outputs(model, path, network, "keras" if ending == ".h5" else "keras-3")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".h5"])
@pytest.mark.parametrize("network", APPLICATIONS)
def test_networks_of_full_size_equal_keras_own(tmp_path, network, ending):
    model = application(network)
    check_outputs(model, saved(model, tmp_path / f"net{ending}"), network, "keras" if ending == ".h5" else "keras-3")


def test_the_preset_of_another_version_of_keras_does_not_fit(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    path = saved(model, tmp_path / "net.weights.h5")
    ours = reproductions.build("vgg-d", classes=2, input_size=32)
    with pytest.raises(UsageError, match=r"lacks block1_conv1/bias.*has no place for layers/dense/vars/0"):
        matching.match(ours, tensor_file.read(path), presets.find("vgg-d", "keras"))
