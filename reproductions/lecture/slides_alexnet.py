"""The slides on AlexNet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reproductions.lab.analysis.claims import (
    Claim,
    Evidence,
    Source,
    formula,
    layer_quantity,
    measured,
    published,
    rank,
    total_quantity,
)
from reproductions.lab.analysis.published import Fact, Range
from reproductions.lecture.layer_queries import describe_layer, layers_of_type, numbered_types, weight_layers
from reproductions.lecture.measured import PATCHES_AND_REFLECTIONS


def pools_and_activations(evidence: Evidence) -> Fact:
    """Return whether AlexNet has max pooling and ReLU activations in all hidden layers."""
    model = evidence.model("alexnet")
    pools = {layer.class_name for layer in layers_of_type(evidence, "alexnet", "MAX POOL", "POOL")}
    hidden = [model.get_layer(layer.name) for layer in layers_of_type(evidence, "alexnet", "CONV", "FC")][:-1]
    activations = {layer.activation.__name__ for layer in hidden}
    holds = pools == {"MaxPooling2D"} and activations == {"relu"}
    return Fact(holds, ", ".join(sorted(pools | activations)))


def dropout_rate(network: str, rate: float) -> Source:
    """Source: whether a network has dropout layers, all with a given rate."""

    def check(evidence: Evidence) -> Fact:
        rates = [layer.rate for layer in evidence.model(network).layers if type(layer).__name__ == "Dropout"]
        return Fact(bool(rates) and set(rates) == {rate}, f"dropout {', '.join(map(str, rates))}")

    return Source(f"dropout layers of {network}", check)


def units(evidence: Evidence) -> int:
    """Return the number of outputs of all convolutions and fully connected layers of AlexNet."""
    return sum(layer.activations for layer in layers_of_type(evidence, "alexnet", "CONV", "FC"))


def days_in_weeks(evidence: Evidence) -> Range:
    """Return the published training time in weeks."""
    days = evidence.published("alexnet/days")
    if not isinstance(days, Range):
        raise TypeError(f"expected alexnet/days to be a range such as '5 to 6', got {days!r}")
    return Range(days.low / 7, days.high / 7)


def normalization_layers(evidence: Evidence) -> Fact:
    """Return whether AlexNet has normalization across feature maps and later networks do not."""
    networks = ("alexnet", "vgg-d", "all-cnn-c", "inception-v3")
    counts = {network: len(layers_of_type(evidence, network, "NORM")) for network in networks}
    alexnet = counts.pop("alexnet")
    later = sum(counts.values())
    return Fact(alexnet > 0 == later, f"{alexnet} in alexnet, {later} in {', '.join(counts)}")


def augmentation(kind: str) -> Source:
    """Source: whether a kind of augmentation is published for AlexNet."""
    key = "alexnet/augmentation"

    def check(evidence: Evidence) -> Fact:
        text = str(evidence.published(key))
        return Fact(kind in text, text)

    return Source(f"published: {key}", check)


def ten_crops_are_better(evidence: Evidence) -> Fact:
    """Compare the published errors with ten views of an image and with one."""
    ten = evidence.number("alexnet/2010 error of 10 views")
    one = evidence.number("alexnet/2010 error of the centre")
    return Fact(ten < one, f"{ten}% with ten views, {one}% with one")


def amsterdam(evidence: Evidence) -> str:
    """Return the team of the University of Amsterdam in ILSVRC-2012, or "none"."""
    return next((team for team in evidence.ranking("ilsvrc2012") if "Amsterdam" in team), "none")


def gpu_cores(evidence: Evidence) -> Fact:
    """Return whether AlexNet's GPUs have more than 1,000 cores."""
    cores = int(evidence.number("alexnet/gpus") * evidence.number("alexnet/cores"))
    return Fact(cores > 1000, f"{cores:,} cores")


PATCHES_REASON = "The runs with patches and reflections do not have a significantly lower error."


def alexnet_on_imagenet() -> Iterator[Claim]:
    """Yield the claims of the slides on AlexNet in ILSVRC 2012."""
    claim = partial(Claim, slide="AlexNet: ILSVRC 2012 winner", study="alexnet")
    yield claim("alexnet-winner", "ILSVRC 2012 winner", "1", rank("ilsvrc2012", "SuperVision"))
    activations = Source("pools and hidden activations of alexnet", pools_and_activations)
    yield claim("alexnet-relu", "Max pooling, ReLU nonlinearity", "ReLU", activations)
    yield claim("alexnet-hidden", "7 hidden layers", "7", weight_layers("alexnet", count_last=False))
    yield claim("alexnet-units", "650K units", "650K", published("alexnet/units"))
    counted = Source("outputs of the convolutions and fully connected layers of alexnet", units)
    reason = (
        "650K is the paper's figure. The outputs of its layers, with the published shapes, add up to 659,272, or 660K."
    )
    yield claim("alexnet-units-counted", "650K units", "650K", counted, reason=reason)
    yield claim("alexnet-params", "60M params", "60M", published("alexnet/parameters"))
    yield claim("alexnet-params-counted", "60M params", "60M", total_quantity("alexnet", "parameters"))
    speed = published("alexnet/speedup", "the same training timed on a CPU and on a GPU of 2012")
    yield claim("alexnet-50x", "GPU implementation (50x speedup over CPU)", "50", speed)
    yield claim("alexnet-two-gpus", "Trained on two GPUs for a week", "2", published("alexnet/gpus"))
    days = Source("published: alexnet/days, in weeks", days_in_weeks)
    yield claim("alexnet-week", "Trained on two GPUs for a week", "1", days)
    yield claim("alexnet-dropout-layers", "Dropout regularization", "Dropout", dropout_rate("alexnet", 0.5))
    quote = "A. Krizhevsky, I. Sutskever, and G. Hinton, NIPS 2012"
    yield claim("alexnet-venue", quote, "NIPS 2012", published("alexnet/venue"))

    claim = partial(Claim, slide="Error rates on the ILSVRC-2012 competition", study="alexnet")
    team = Source("teams in ilsvrc2012", amsterdam)
    yield claim("ilsvrc2012-amsterdam", "University of Amsterdam", "University of Amsterdam", team)

    claim = partial(Claim, slide="Tricks that significantly improve generalization", study="alexnet")
    yield claim("alexnet-crop", "Train on random 224x224 patches", "224", published("alexnet/crop"))
    yield claim("alexnet-image", "from the 256x256 images", "256", published("alexnet/image"))
    yield claim("alexnet-flip", "Also use left-right reflections of the images", "reflections", augmentation("flip"))
    needed = "three runs each of all-cnn-c-augmented and all-cnn-c, with and without them, by the paper's recipes"
    effect = measured("all_cnn", PATCHES_AND_REFLECTIONS, needed)
    quote = "(patches and reflections) significantly improve generalization"
    yield claim("alexnet-patches", quote, "improve", effect, reason=PATCHES_REASON)
    yield claim("alexnet-ten", "combine the opinions from ten different patches", "10", published("alexnet/views"))
    better = Source("published: alexnet/2010 error of 10 views, and of the centre", ten_crops_are_better)
    yield claim("alexnet-ten-better", "(ten patches) significantly improve generalization", "improve", better)

    claim = partial(Claim, slide="The hardware required for Alex's net", study="alexnet")
    yield claim("alexnet-gtx580", "two Nvidia GTX 580 Graphics Processor Units", "GTX 580", published("alexnet/gpu"))
    cores = Source("published: alexnet/gpus times alexnet/cores of each", gpu_cores)
    yield claim("alexnet-cores", "over 1000 fast little cores", "over 1000", cores)


ALEXNET_ORDER = "CONV1 MAX POOL1 NORM1 CONV2 MAX POOL2 NORM2 CONV3 CONV4 CONV5 Max POOL3 FC6 FC7 FC8"
ORDER_REASON = "In the paper normalization comes before pooling. The lecture's order is that of Caffe's CaffeNet."
INPUT_REASON = (
    "The paper, and the slide on tricks, say 224. Without padding this does not give a whole number of positions: the "
    "windows of the authors' code extend over the edge, and Caffe takes 227."
)
RELU_REASON = "The paper takes the units and their name from Nair and Hinton 2010."
# Layer of the network, its name on the slide, its shape, and its description.
ALEXNET_LISTING = (
    ("images", "INPUT", "227x227x3", ""),
    ("conv1", "CONV1", "55x55x96", "96 11x11 filters at stride 4, pad 0"),
    ("pool1", "MAX POOL1", "27x27x96", "3x3 filters at stride 2"),
    ("norm1", "NORM1", "27x27x96", ""),
    ("conv2", "CONV2", "27x27x256", "256 5x5 filters at stride 1, pad 2"),
    ("pool2", "MAX POOL2", "13x13x256", "3x3 filters at stride 2"),
    ("norm2", "NORM2", "13x13x256", ""),
    ("conv3", "CONV3", "13x13x384", "384 3x3 filters at stride 1, pad 1"),
    ("conv4", "CONV4", "13x13x384", "384 3x3 filters at stride 1, pad 1"),
    ("conv5", "CONV5", "13x13x256", "256 3x3 filters at stride 1, pad 1"),
    ("pool5", "MAX POOL3", "6x6x256", "3x3 filters at stride 2"),
    ("fc6", "FC6", "4096", "4096 neurons"),
    ("fc7", "FC7", "4096", "4096 neurons"),
    ("fc8", "FC8", "1000", "1000 neurons"),
)


def alexnet_listing() -> Iterator[Claim]:
    """Yield the claims of the slide that lists AlexNet's layers."""
    claim = partial(Claim, slide="Alexnet", study="alexnet")
    order = Source("alexnet, layer by layer", partial(numbered_types, network="alexnet"))
    yield claim("alexnet-order", f"Architecture: {ALEXNET_ORDER}", ALEXNET_ORDER, order, reason=ORDER_REASON)
    yield claim("alexnet-227", "Input: 227x227x3 images", "227", published("alexnet/crop"), reason=INPUT_REASON)
    yield claim("alexnet-55", "(227-11)/4+1 = 55", "55", formula("output_size", 227, 11, 4))
    yield claim("alexnet-35k", "Parameters: (11*11*3)*96 = 35K", "35K", layer_quantity("alexnet", "conv1", "weights"))
    yield claim("alexnet-27", "(55-3)/2+1 = 27", "27", formula("output_size", 55, 3, 2))
    none = layer_quantity("alexnet", "pool1", "parameters")
    yield claim("alexnet-pool1-params", "POOL1 ... Parameters: 0!", "0", none)
    for name, label, shape, text in ALEXNET_LISTING:
        quote = f"[{shape}] {label}" + (f": {text}" if text else "")
        yield claim(f"alexnet-{name}-shape", quote, f"[{shape}]", layer_quantity("alexnet-caffe", name, "output_shape"))
        if text:
            window = Source(f"{name} of alexnet-caffe", partial(describe_layer, network="alexnet-caffe", name=name))
            yield claim(f"alexnet-{name}-window", quote, text, window)


def alexnet_details() -> Iterator[Claim]:
    """Yield the claims of the slide with AlexNet's details."""
    claim = partial(Claim, slide="Alexnet, Details/Retrospectives", study="alexnet")
    relu = published("relu/earlier use")
    yield claim("alexnet-first-relu", "first use of ReLU", "AlexNet", relu, reason=RELU_REASON)
    norms = Source("normalization across feature maps in alexnet and in later networks", normalization_layers)
    yield claim("alexnet-augmentation", "heavy data augmentation", "augmentation", augmentation("crop"))
    yield claim("alexnet-norm", "used Norm layers (not common anymore)", "Norm layers", norms)
    for key, quote, value in (
        ("dropout", "dropout 0.5", "0.5"),
        ("batch", "batch size 128", "128"),
        ("momentum", "SGD Momentum 0.9", "0.9"),
        ("learning rate", "Learning rate 1e-2", "1e-2"),
        ("learning rate divided by", "reduced by 10 manually when val accuracy plateaus", "10"),
        ("weight decay", "L2 weight decay 5e-4", "5e-4"),
        ("1 CNN", "7 CNN ensemble: 18.2% -> 15.4%", "18.2%"),
        ("7 CNNs", "7 CNN ensemble: 18.2% -> 15.4%", "15.4%"),
    ):
        yield claim(f"alexnet-{key.replace(' ', '-').lower()}", quote, value, published(f"alexnet/{key}"))
