"""Networks made fully convolutional have the logits of the original."""

import keras
import numpy as np
import pytest

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation.fully_convolutional import fully_convolutional
from tests.helpers.small import classifier, ramp


@pytest.mark.parametrize("name, size", [("vgg-a", 32), ("alexnet", 67), ("zfnet", 63)])
def test_the_papers_networks_keep_their_logits(name, size):
    model = reproductions.build(name, classes=5, input_size=size)
    random = np.random.default_rng(1)
    images = random.normal(0, 50, (2, size, size, 3)).astype("float32")
    for layer in model.layers:
        if layer.weights and layer.weights[0].ndim > 1:
            fan_in = np.prod(layer.kernel.shape[:-1])
            layer.kernel.assign(random.normal(0, (2 / fan_in) ** 0.5, layer.kernel.shape))
    wide = fully_convolutional(model)
    assert wide.input_shape == (None, None, None, 3) and wide.count_params() == model.count_params()
    expected, found = model(images).numpy(), wide(images).numpy()
    assert found.shape == (2, 1, 1, 5) and np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert wide(np.zeros((1, size + 32, size + 64, 3), "float32")).shape[1:3] != (1, 1)


def test_a_larger_image_gives_a_map_of_the_logits_of_its_crops():
    model = classifier(size=22, padding="valid")  # the paper's own padding would differ at the edges of crops
    wide, image = fully_convolutional(model), ramp(34, 42)[np.newaxis].astype("float32")
    found = wide(image).numpy()[0]
    assert found.shape == (4, 6, 12)
    for i in range(4):
        for j in range(6):
            crop = image[:, 4 * i : 4 * i + 22, 4 * j : 4 * j + 22]
            np.testing.assert_allclose(found[i, j], model(crop).numpy()[0], rtol=1e-4, atol=1e-4)


def test_a_network_without_fully_connected_layers_is_refused():
    pooled = keras.Sequential([keras.Input((28, 28, 3)), keras.layers.GlobalAveragePooling2D()])
    with pytest.raises(UsageError, match="cannot be tested densely"):
        fully_convolutional(pooled)
