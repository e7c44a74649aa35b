"""Weights of keras.applications: the files that it downloads, and those that Keras 3 saves of its networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from reproductions.lab.weights import layouts
from reproductions.lab.weights.branches import INCEPTION_V3
from reproductions.lab.weights.preset import Placement, Preset, figures_of

if TYPE_CHECKING:
    import keras

APPLICATIONS = "https://keras.io/api/applications/"
DOWNLOADS = "https://storage.googleapis.com/tensorflow/keras-applications"
COLOUR = (123.68, 116.779, 103.939)  # preprocess_input subtracts it, from BGR

VGG_DENSE = {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}
NORMALIZATION = ("beta", "moving_mean", "moving_variance")


def numbered(kind: str, number: int) -> str:
    """Return the automatic name of a layer of a class: "conv2d", "conv2d_1"..."""
    return f"{kind}_{number}" if number else kind


def vgg_placement(path: str, tensor: str) -> Placement:
    """Return where a variable of VGG comes from: the images of Keras' network have the colours in the order BGR."""
    convert = layouts.reversed_colours if path == "conv1-1/kernel" else layouts.unchanged
    return Placement(path, (tensor,), convert)


def vgg(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable comes from, by Keras' names of the layers: "conv1-2/bias" from "block1_conv2/bias"."""
    for variable in model.weights:
        layer, _, weight = variable.path.partition("/")
        name = VGG_DENSE.get(layer) or layer.replace("conv", "block").replace("-", "_conv")
        yield vgg_placement(variable.path, f"{name}/{weight}")


def vgg_keras_3(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable comes from, by their order: the second convolution is "layers/conv2d_1/vars"."""
    kernels = [variable for variable in model.weights if variable.path.endswith("kernel")]
    ranks = {4: [each.path for each in kernels if each.ndim == 4], 2: [each.path for each in kernels if each.ndim == 2]}
    for kind, paths in (("conv2d", ranks[4]), ("dense", ranks[2])):
        for number, path in enumerate(paths):
            layer = f"layers/{numbered(kind, number)}/vars"
            yield vgg_placement(path, f"{layer}/0")
            yield vgg_placement(path.replace("kernel", "bias"), f"{layer}/1")


def inception_v3(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable comes from: Keras numbers the convolutions in the order in which it creates them."""
    for number, name in enumerate(INCEPTION_V3):
        yield Placement(f"{name}/kernel", (f"{numbered('conv2d', number)}/kernel",), layouts.unchanged)
        for weight in NORMALIZATION:
            normalization = numbered("batch_normalization", number)
            yield Placement(f"{name}_bn/{weight}", (f"{normalization}/{weight}",), layouts.unchanged)
    for weight in ("kernel", "bias"):
        yield Placement(f"logits/{weight}", (f"predictions/{weight}",), layouts.unchanged)


def inception_v3_keras_3(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable comes from: Keras 3 numbers the layers of a class in the order of `model.layers`.

    That is the order of the variables of our network, whose graph is the same.
    """
    paths = [variable.path for variable in model.weights]
    kernels = [path for path in paths if path.endswith("kernel") and path != "logits/kernel"]
    betas = [path for path in paths if path.endswith("beta")]
    for number, (kernel, beta) in enumerate(zip(kernels, betas)):
        yield Placement(kernel, (f"layers/{numbered('conv2d', number)}/vars/0",), layouts.unchanged)
        for place, weight in enumerate(NORMALIZATION):
            tensor = f"layers/{numbered('batch_normalization', number)}/vars/{place}"
            yield Placement(beta.replace("beta", weight), (tensor,), layouts.unchanged)
    for place, weight in enumerate(("kernel", "bias")):
        yield Placement(f"logits/{weight}", (f"layers/dense/vars/{place}",), layouts.unchanged)


def downloaded(network: str, application: str, accuracies: tuple[float, float]) -> Preset:
    """Return the preset for the file that keras.applications downloads.

    Args:
        network: Name of our network.
        application: Keras' name of the network in its files: "vgg16".
        accuracies: Top-1 and top-5 accuracy that Keras gives, in percent.
    """
    is_vgg = application.startswith("vgg")
    file_name = f"{application}_weights_tf_dim_ordering_tf_kernels.h5"
    source = "the weights that the paper's authors published for Caffe" if is_vgg else "weights of Google's release"
    return Preset(
        name="keras",
        network=network,
        publisher="Keras",
        file_name=file_name,
        url=f"{DOWNLOADS}/{application}/{file_name}",
        placements=vgg if is_vgg else inception_v3,
        transforms=(("subtract_colour", {"colour": COLOUR}),) if is_vgg else ("to_unit_range",),
        figures=figures_of(*accuracies, "not given", APPLICATIONS),
        deviations=(f"Converted from {source}.",),
    )


DOWNLOADED = (
    downloaded("vgg-d", "vgg16", (71.3, 90.1)),
    downloaded("vgg-e", "vgg19", (71.3, 90.0)),
    downloaded("inception-v3", "inception_v3", (77.9, 93.7)),
)

BY_ORDER: dict[Callable[[keras.Model], Iterator[Placement]], Callable[[keras.Model], Iterator[Placement]]] = {
    vgg: vgg_keras_3,
    inception_v3: inception_v3_keras_3,
}


def saved_by_keras_3(preset: Preset) -> Preset:
    """Return the preset for the same network in a .keras or .weights.h5 file of Keras 3."""
    return replace(
        preset,
        name="keras-3",
        file_name=f"{preset.file_name.partition('_weights')[0]}.weights.h5",
        url=APPLICATIONS,
        placements=BY_ORDER[preset.placements],
        # The optimizer, if the network was trained further.
        unused=("optimizer/",),
    )


PRESETS = (*DOWNLOADED, *map(saved_by_keras_3, DOWNLOADED))
