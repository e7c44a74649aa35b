"""Weights of torchvision and of timm, as safetensors; torchvision's own files are pickles, and must be converted."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from reproductions.lab.weights import layouts
from reproductions.lab.weights.branches import INCEPTION_V3, INCEPTION_V4
from reproductions.lab.weights.preset import Placement, Preset, figures_of

if TYPE_CHECKING:
    import keras

TORCHVISION = "https://docs.pytorch.org/vision/stable/models.html"
TIMM = "https://github.com/huggingface/pytorch-image-models/blob/main/results/results-imagenet.csv"
CENTRE_CROP = "centre crop"
COLOURS = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}

VGG_DENSE = {"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6"}
VGG_DENSE_TIMM = {"fc6": "pre_logits.fc1", "fc7": "pre_logits.fc2", "fc8": "head.fc"}
VGG_DENSE_TIMM_KERNELS = {
    "fc6": layouts.dense_of_convolution,
    "fc7": layouts.dense_of_convolution,
    "fc8": layouts.dense,
}


def vgg_convolutions(model: keras.Model) -> dict[str, str]:
    """Return the names of VGG's convolutions, "features.2" by "conv1-2": each ReLU and pooling takes a number."""
    names, number = {}, 0
    for layer in model.layers:
        if layer.name.startswith("conv"):
            names[layer.name] = f"features.{number}"
        number += {"conv": 2, "pool": 1}.get(layer.name[:4], 0)
    return names


def vgg(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable of VGG comes from in torchvision."""
    height, width = model.get_layer("pool5").output.shape[1:3]
    kernels = {"fc6": layouts.dense_after_flatten(height, width), "fc7": layouts.dense, "fc8": layouts.dense}
    return vgg_placements(model, VGG_DENSE, kernels)


def vgg_timm(model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable of VGG comes from in timm, where fully connected layers are convolutions."""
    return vgg_placements(model, VGG_DENSE_TIMM, VGG_DENSE_TIMM_KERNELS)


def vgg_placements(
    model: keras.Model, dense: Mapping[str, str], kernels: Mapping[str, layouts.Convert]
) -> Iterator[Placement]:
    """Yield where each variable of VGG comes from, by names and layouts of the fully connected layers."""
    names = {**vgg_convolutions(model), **dense}
    for layer, name in names.items():
        yield Placement(f"{layer}/kernel", (f"{name}.weight",), kernels.get(layer, layouts.convolution))
        yield Placement(f"{layer}/bias", (f"{name}.bias",), layouts.unchanged)


def inception(convolutions: Mapping[str, str], logits: str, model: keras.Model) -> Iterator[Placement]:
    """Yield where each variable of an Inception network comes from; the gamma, which ours lacks, goes to the kernel.

    Both have the same epsilon in batch normalization, 0.001.
    """
    for layer, name in convolutions.items():
        gamma = f"{name}.bn.weight"
        yield Placement(f"{layer}/kernel", (f"{name}.conv.weight", gamma), layouts.scaled_convolution)
        yield Placement(f"{layer}_bn/moving_mean", (f"{name}.bn.running_mean", gamma), layouts.scaled)
        yield Placement(f"{layer}_bn/moving_variance", (f"{name}.bn.running_var",), layouts.unchanged)
        yield Placement(f"{layer}_bn/beta", (f"{name}.bn.bias",), layouts.unchanged)
    yield Placement("logits/kernel", (f"{logits}.weight",), layouts.dense)
    yield Placement("logits/bias", (f"{logits}.bias",), layouts.unchanged)


def counts(convolutions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of PyTorch's counts of batches, which only training needs."""
    return tuple(f"{name}.bn.num_batches_tracked" for name in convolutions.values())


# Configuration, and top-1 and top-5 accuracy of torchvision and, of the same weights, timm.
VGGS = {
    11: ("vgg-a", (69.020, 88.628), (69.05, 88.63)),
    13: ("vgg-b", (69.928, 89.246), (69.95, 89.26)),
    16: ("vgg-d", (71.592, 90.382), (71.59, 90.40)),
    19: ("vgg-e", (72.376, 90.876), (72.40, 90.88)),
}
VGG_DEVIATIONS = (
    "Trained by torchvision's recipe, not by the paper's.",
    "The input is divided by the standard deviation of each colour.",
)
CONVERTED = ("Converted from weights of Google's release.",)
PADDING = (
    *CONVERTED,
    "The publisher's average poolings count the zeros around the feature maps, which those of the release, and of this "
    "network, do not. The publisher's errors are of its own network.",
)


def vgg_preset(depth: int, timm: bool) -> Preset:
    """Return the preset for the VGG network of a depth."""
    network, torchvision_accuracy, timm_accuracy = VGGS[depth]
    return Preset(
        name="timm" if timm else "torchvision",
        network=network,
        publisher="torchvision, as stored by timm" if timm else "torchvision",
        file_name=f"vgg{depth}.tv_in1k.safetensors" if timm else f"vgg{depth}.safetensors",
        url=f"https://huggingface.co/timm/vgg{depth}.tv_in1k" if timm else TORCHVISION,
        placements=vgg_timm if timm else vgg,
        transforms=(("standardize", COLOURS),),
        figures=(
            figures_of(*timm_accuracy, CENTRE_CROP, TIMM)
            if timm
            else figures_of(*torchvision_accuracy, CENTRE_CROP, TORCHVISION)
        ),
        deviations=VGG_DEVIATIONS,
    )


def inception_v3_preset(timm: bool, accuracies: tuple[float, float]) -> Preset:
    """Return the preset for Inception-v3, whose files have the same names of tensors."""
    return Preset(
        name="timm" if timm else "torchvision",
        network="inception-v3",
        publisher="timm" if timm else "torchvision",
        file_name="inception_v3.tf_in1k.safetensors" if timm else "inception_v3.safetensors",
        url="https://huggingface.co/timm/inception_v3.tf_in1k" if timm else TORCHVISION,
        placements=functools.partial(inception, INCEPTION_V3, "fc"),
        transforms=("to_unit_range",),
        unused=("AuxLogits.", *counts(INCEPTION_V3)),
        figures=figures_of(*accuracies, CENTRE_CROP, TIMM if timm else TORCHVISION),
        deviations=PADDING,
    )


PRESETS = (
    *(vgg_preset(depth, timm) for timm in (False, True) for depth in VGGS),
    inception_v3_preset(timm=False, accuracies=(77.294, 93.450)),
    inception_v3_preset(timm=True, accuracies=(77.866, 93.644)),
    Preset(
        name="timm",
        network="inception-v4-released",
        publisher="timm",
        file_name="inception_v4.tf_in1k.safetensors",
        url="https://huggingface.co/timm/inception_v4.tf_in1k",
        placements=functools.partial(inception, INCEPTION_V4, "last_linear"),
        transforms=("to_unit_range",),
        unused=counts(INCEPTION_V4),
        figures=figures_of(80.144, 94.982, CENTRE_CROP, TIMM),
        deviations=CONVERTED,
    ),
)
