"""ZFNet: its replication of AlexNet, and the changes to both networks in Table 3."""

import numpy as np
import pytest

import reproductions
from reproductions.lab.analysis.profile import without_weights

# Filters and units of layers 3 to 7 in Table 3; 0 for a layer that is removed.
TABLE_3 = {
    "zfnet": (384, 384, 256, 4096, 4096),
    "zfnet-512": (512, 1024, 512, 4096, 4096),
    "zfnet-2048": (384, 384, 256, 2048, 2048),
    "zfnet-8192": (384, 384, 256, 8192, 8192),
    "zfnet-512-8192": (512, 1024, 512, 8192, 8192),
    "zfnet-alexnet": (384, 384, 256, 4096, 4096),
    "zfnet-alexnet-no-3-4": (0, 0, 256, 4096, 4096),
    "zfnet-alexnet-no-7": (384, 384, 256, 4096, 0),
    "zfnet-alexnet-no-6-7": (384, 384, 256, 0, 0),
    "zfnet-alexnet-no-3-4-6-7": (0, 0, 256, 0, 0),
    "zfnet-alexnet-2048": (384, 384, 256, 2048, 2048),
    "zfnet-alexnet-8192": (384, 384, 256, 8192, 8192),
}


def model(name, **options):
    with without_weights():
        return reproductions.build(name, **options)


def test_every_network_is_one_of_table_3():
    assert set(TABLE_3) == {network.name for network in reproductions.find_study("zfnet").networks}


@pytest.mark.parametrize("name", TABLE_3)
def test_layers_3_to_7_are_those_of_table_3(name):
    found = {layer.name: layer for layer in model(name).layers}
    names = ("conv3", "conv4", "conv5", "fc6", "fc7")
    assert tuple(found[each].output.shape[-1] if each in found else 0 for each in names) == TABLE_3[name]
    assert {each for each in found if each.startswith("drop")} == {
        f"drop{number}" for number in (6, 7) if f"fc{number}" in found
    }


def test_the_replication_has_the_layers_of_alexnet():
    """At 224 pixels, of the same kind, size, order and connection."""
    one, other = model("zfnet-alexnet"), model("alexnet", input_size=224)
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
    for layer, reference in zip(one.layers, other.layers):
        assert type(layer) is type(reference) and layer.output.shape == reference.output.shape
        assert [w.shape for w in layer.weights] == [w.shape for w in reference.weights]
        for setting in "groups", "strides", "padding", "pool_size", "rate", "activation":
            assert getattr(layer, setting, None) == getattr(reference, setting, None)


@pytest.mark.parametrize("name", ["zfnet", "zfnet-alexnet"])
def test_filters_are_rescaled_to_an_rms_of_a_tenth(name):
    """Those whose root mean square exceeds it, in grouped layers too."""
    for number in range(1, 6):
        layer = model(name).get_layer(f"conv{number}")
        shape = tuple(layer.kernel.shape)
        kernel = np.random.default_rng(0).normal(size=shape).astype("float32")
        kernel[..., 0] *= 0.01
        rescaled = np.asarray(layer.kernel_constraint(kernel))
        rms = np.sqrt(np.mean(np.square(rescaled), axis=(0, 1, 2)))
        np.testing.assert_allclose(rms[1:], 0.1, rtol=1e-4)
        np.testing.assert_allclose(rescaled[..., 0], kernel[..., 0], rtol=1e-4)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"base": "alexnet"}, "base must be one of figure 3, replication; got 'alexnet'"),
        ({"widths": {"conv5": 256, "conv9": 1}}, "widths may be of conv3, conv4, .*; got conv5, conv9"),
    ],
)
def test_other_networks_are_refused(options, message):
    with pytest.raises(reproductions.UsageError, match=message):
        reproductions.build("zfnet", **options)
