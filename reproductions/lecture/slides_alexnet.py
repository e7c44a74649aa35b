"""The slides on AlexNet."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from reproductions.lab.analysis.claims import (
    Bench,
    Claim,
    Source,
    derived,
    formula,
    if_published,
    layer,
    published,
    rank,
    total,
    trained,
)
from reproductions.lab.analysis.published import Fact, Range
from reproductions.lecture.layer_queries import described, numbered, of_kind, weight_layers


def hidden_units_are(bench: Bench) -> Fact:
    model = bench.model("alexnet")
    pools = {row.kind for row in of_kind(bench, "alexnet", "MAX POOL", "POOL")}
    hidden = [model.get_layer(row.name) for row in of_kind(bench, "alexnet", "CONV", "FC")][:-1]
    names = {each.activation.__name__ for each in hidden}
    return Fact(pools == {"MaxPooling2D"} and names == {"relu"}, ", ".join(sorted(pools | names)))


def dropouts(network: str, rate: float) -> Source:
    def check(bench: Bench) -> Fact:
        rates = [each.rate for each in bench.model(network).layers if type(each).__name__ == "Dropout"]
        return Fact(bool(rates) and set(rates) == {rate}, f"dropout {', '.join(map(str, rates))}")

    return Source(f"dropout layers of {network}", check)


def units(bench: Bench) -> int:
    return sum(row.activations for row in of_kind(bench, "alexnet", "CONV", "FC"))


def normalized(bench: Bench) -> Fact:
    counts = {n: len(of_kind(bench, n, "NORM")) for n in ("alexnet", "vgg-d", "all-cnn-c", "inception-v3")}
    now = counts.pop("alexnet")
    return Fact(now > 0 == sum(counts.values()), f"{now} in alexnet, {sum(counts.values())} in {', '.join(counts)}")


def augmented(part: str) -> Source:
    key = "alexnet/augmentation"
    return Source(f"published: {key}", lambda bench: Fact(part in bench.published(key), bench.published(key)))


def ten_views(bench: Bench) -> Fact:
    ten, one = bench.published("alexnet/2010 error of 10 views"), bench.published("alexnet/2010 error of the centre")
    return Fact(ten < one, f"{ten}% with ten views, {one}% with one")


def alexnet_on_imagenet() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="AlexNet: ILSVRC 2012 winner", study="alexnet")
    yield say("alexnet-winner", "ILSVRC 2012 winner", "1", rank("ilsvrc2012", "SuperVision"))
    activations = Source("pools and hidden activations of alexnet", hidden_units_are)
    yield say("alexnet-relu", "Max pooling, ReLU nonlinearity", "ReLU", activations)
    yield say("alexnet-hidden", "7 hidden layers", "7", weight_layers("alexnet", last=False))
    yield say("alexnet-units", "650K units", "650K", published("alexnet/units"))
    counted = Source("outputs of the convolutions and fully connected layers of alexnet", units)
    why_not = "650K is the paper's own figure; the outputs of the layers as printed add up to 659,272, or 660K"
    yield say("alexnet-units-counted", "650K units", "650K", counted, why_not=why_not)
    yield say("alexnet-params", "60M params", "60M", published("alexnet/parameters"))
    yield say("alexnet-params-counted", "60M params", "60M", total("alexnet", "parameters"))
    speed = if_published("alexnet/speedup", "the same training timed on a CPU and a GPU of 2012")
    yield say("alexnet-50x", "GPU implementation (50x speedup over CPU)", "50", speed)
    yield say("alexnet-two-gpus", "Trained on two GPUs for a week", "2", published("alexnet/gpus"))
    days = Source(
        "published: alexnet/days, in weeks",
        lambda b: Range(*(d / 7 for d in vars(b.published("alexnet/days")).values())),
    )
    yield say("alexnet-week", "Trained on two GPUs for a week", "1", days)
    yield say("alexnet-dropout-layers", "Dropout regularization", "Dropout", dropouts("alexnet", 0.5))
    yield say(
        "alexnet-venue",
        "A. Krizhevsky, I. Sutskever, and G. Hinton, NIPS 2012",
        "NIPS 2012",
        published("alexnet/venue"),
    )

    say = functools.partial(Claim, slide="Error rates on the ILSVRC-2012 competition", study="alexnet")
    there = Source(
        "teams in ilsvrc2012", lambda b: next((n for n in b.table("ilsvrc2012") if "Amsterdam" in n), "none")
    )
    yield say("ilsvrc2012-amsterdam", "University of Amsterdam", "University of Amsterdam", there)

    say = functools.partial(Claim, slide="Tricks that significantly improve generalization", study="alexnet")
    yield say("alexnet-crop", "Train on random 224x224 patches", "224", published("alexnet/crop"))
    yield say("alexnet-image", "from the 256x256 images", "256", published("alexnet/image"))
    yield say("alexnet-flip", "Also use left-right reflections of the images", "reflections", augmented("flip"))
    effect = trained("alexnet", "alexnet without augmentation", "test errors with and without patches and reflections")
    yield say("alexnet-patches", "(patches and reflections) significantly improve generalization", "improve", effect)
    yield say("alexnet-ten", "combine the opinions from ten different patches", "10", published("alexnet/views"))
    better = Source("published: alexnet/2010 error of 10 views, and of the centre", ten_views)
    yield say("alexnet-ten-better", "(ten patches) significantly improve generalization", "improve", better)

    say = functools.partial(Claim, slide="The hardware required for Alex's net", study="alexnet")
    yield say("alexnet-gtx580", "two Nvidia GTX 580 Graphics Processor Units", "GTX 580", published("alexnet/gpu"))
    cores = if_published("alexnet/cores", "the cores of a GTX 580, from its maker")
    yield say("alexnet-cores", "over 1000 fast little cores", "1000", cores)


ALEXNET_ORDER = (
    "CONV1 MAX POOL1 NORM1 CONV2 MAX POOL2 NORM2 CONV3 CONV4 CONV5 Max POOL3 FC6 FC7 FC8",
    "in the paper normalization comes before pooling; the lecture's order is that of Caffe's CaffeNet",
)
# Layer of the network, its name on the slide, shape and description.
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
    say = functools.partial(Claim, slide="Alexnet", study="alexnet")
    order, why_not = ALEXNET_ORDER
    seen = Source("alexnet, layer by layer", lambda bench: numbered(bench, "alexnet"))
    yield say("alexnet-order", f"Architecture: {order}", order, seen, why_not=why_not)
    why_not = (
        "the paper, and the slide on tricks, say 224: with no padding that gives no whole number of places, so the "
        "authors' code lets windows run over the edge, while Caffe takes 227"
    )
    yield say("alexnet-227", "Input: 227x227x3 images", "227", published("alexnet/crop"), why_not=why_not)
    yield say("alexnet-55", "(227-11)/4+1 = 55", "55", formula("output_size", 227, 11, 4))
    yield say("alexnet-35k", "Parameters: (11*11*3)*96 = 35K", "35K", layer("alexnet", "conv1", "weights"))
    yield say("alexnet-27", "(55-3)/2+1 = 27", "27", formula("output_size", 55, 3, 2))
    yield say("alexnet-pool1-params", "POOL1 ... Parameters: 0!", "0", layer("alexnet", "pool1", "parameters"))
    for name, printed, shape, text in ALEXNET_LISTING:
        words = f"[{shape}] {printed}" + (f": {text}" if text else "")
        yield say(f"alexnet-{name}-shape", words, f"[{shape}]", layer("alexnet-caffe", name, "output"))
        if text:
            row = derived(f"{name} of alexnet-caffe", described, network="alexnet-caffe", name=name)
            yield say(f"alexnet-{name}-window", words, text, row)


def alexnet_details() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="Alexnet, Details/Retrospectives", study="alexnet")
    relu = if_published("relu/first use", "who used rectified units first: the papers before 2012 that AlexNet's cites")
    yield say("alexnet-first-relu", "first use of ReLU", "AlexNet", relu)
    norms = Source("normalization across maps in alexnet and in later networks", normalized)
    yield say("alexnet-augmentation", "heavy data augmentation", "augmentation", augmented("crop"))
    yield say("alexnet-norm", "used Norm layers (not common anymore)", "Norm layers", norms)
    for key, words, printed in (
        ("dropout", "dropout 0.5", "0.5"),
        ("batch", "batch size 128", "128"),
        ("momentum", "SGD Momentum 0.9", "0.9"),
        ("learning rate", "Learning rate 1e-2", "1e-2"),
        ("learning rate divided by", "reduced by 10 manually when val accuracy plateaus", "10"),
        ("weight decay", "L2 weight decay 5e-4", "5e-4"),
        ("1 CNN", "7 CNN ensemble: 18.2% -> 15.4%", "18.2%"),
        ("7 CNNs", "7 CNN ensemble: 18.2% -> 15.4%", "15.4%"),
    ):
        yield say(f"alexnet-{key.replace(' ', '-').lower()}", words, printed, published(f"alexnet/{key}"))
