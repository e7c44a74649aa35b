"""The lecture's claims that can be checked, in its order: Sarkar, CS60010 Deep Learning, Convolution, January 2018.

The lecture's text was extracted from slides: pictures are missing, and a minus or an exponent here and there, which
is no false claim. Its memory figures count numbers, not bytes.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from reproductions.lab import claims
from reproductions.lab.claims import (
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
from reproductions.lab.printed import Fact, Range

# --- What is read off a network


def word(row: Any) -> str:
    """What a layer is in the lecture's words; "" for dropout and the like."""
    kinds = {"Conv2D": "CONV", "MaxPool": "MAX POOL", "Pool": "POOL", "Subsampl": "POOL", "Dense": "FC"}
    kinds["ResponseNorm"] = "NORM"
    return next((name for part, name in kinds.items() if part in row.kind), "")


def of_kind(bench: Bench, network: str, *words: str) -> list[Any]:
    return [row for row in bench.rows(network) if word(row) in words]


def numbered(bench: Bench, network: str) -> str:
    """CONV1 MAX POOL1 ...: convolutions and fully connected layers are counted together."""
    counts = {"CONV": 0, "NORM": 0, "MAX POOL": 0}
    found = []
    for row in of_kind(bench, network, "CONV", "NORM", "MAX POOL", "FC"):
        counted = "CONV" if word(row) == "FC" else word(row)
        counts[counted] += 1
        found.append(f"{word(row)}{counts[counted]}")
    return " ".join(found)


def drawn(bench: Bench, network: str, conv: str, normalization: str = "") -> str:
    """A network as a column of boxes, input first; `conv` is how a convolution is written."""
    boxes = []
    for row in of_kind(bench, network, "CONV", "NORM", "MAX POOL", "FC"):
        maps = row.output[-1]
        box = {"MAX POOL": "Pool", "FC": f"FC {maps}", "NORM": normalization}.get(word(row))
        boxes.append(conv.format(side=row.kernel[0], maps=maps) if box is None else box)
    return "; ".join(box for box in boxes if box)


def padding(row: Any) -> int:
    return 0 if row.padding == "valid" else (row.kernel[0] - 1) // 2


def geometry(row: Any) -> str:
    """A row of the lecture's AlexNet listing, behind the colon."""
    if word(row) == "FC":
        return f"{row.output[-1]} neurons"
    side, stride = row.kernel[0], row.strides[0]
    if word(row) != "CONV":
        return f"{side}x{side} filters at stride {stride}"
    return f"{row.output[-1]} {side}x{side} filters at stride {stride}, pad {padding(row)}"


def described(bench: Bench, network: str, name: str) -> str:
    return geometry(bench.row(network, name))


def distinct(bench: Bench, networks: tuple[str, ...], kind: str, template: str) -> str:
    """The different windows of all layers of a kind."""
    rows = [row for network in networks for row in of_kind(bench, network, kind)]
    return " and ".join(
        sorted({template.format(side=row.kernel[0], stride=row.strides[0], pad=padding(row)) for row in rows})
    )


def weight_layers(*networks: str, last: bool = True) -> Source:
    """How many there are, one after the other: of each network."""

    def count(bench: Bench) -> str:
        return " - ".join(str(claims.depth(bench.model(network)) - (not last)) for network in networks)

    return Source(f"weight layers of {' and '.join(networks)}{'' if last else ', without the last'}", count)


def every(rows: list[Any], test: Callable[[Any], bool], what: str) -> Fact:
    """Whether all pass, and how many do."""
    passed = sum(map(test, rows))
    return Fact(0 < passed == len(rows), f"{passed} of {len(rows)} {what}")


def blocks(bench: Bench, network: str) -> list[Any]:
    return [each for each in bench.model(network).layers if hasattr(each, "inner")]


def share(bench: Bench, network: str, quantity: str, chosen: tuple[str, ...], among: str) -> Fact:
    """Whether the chosen layers have more than half."""
    rows = of_kind(bench, network, *among.split(", "))
    part = sum(getattr(row, quantity) for row in rows if row.name.startswith(chosen))
    percent = 100 * part / sum(getattr(row, quantity) for row in rows)
    return Fact(percent > 50, f"{percent:.1f}% of the {quantity}")


# --- Convolution and pooling

FORMULA_NETWORKS = ("lenet5-lecture", "alexnet-one-tower", "vgg-d", "convnetjs-cifar10")


def convolutions_that(test: Callable[[Any, Any], bool]) -> Callable[[Bench], Fact]:
    """All convolutions of some networks, each as a Keras layer and as a row of its anatomy."""

    def check(bench: Bench) -> Fact:
        pairs = [
            (bench.model(network).get_layer(row.name), row)
            for network in FORMULA_NETWORKS
            for row in of_kind(bench, network, "CONV")
        ]
        return every(pairs, lambda pair: test(*pair), "convolutions")

    return check


def follows(axis: int) -> Callable[[Any, Any], bool]:
    """Whether a side of the output is the formula's."""

    def test(keras_layer: Any, row: Any) -> bool:
        side, stride = row.kernel[axis - 1], row.strides[axis - 1]
        return (keras_layer.input.shape[axis] - side + 2 * padding(row)) / stride + 1 == row.output[axis - 1]

    return test


def per_filter(keras_layer: Any, row: Any) -> bool:
    return row.weights == row.kernel[0] ** 2 * keras_layer.input.shape[-1] * row.output[-1]


def convolution() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="Convolution")
    size = formula("output_size", 32, 5)
    maps = Source(
        "C1 of lenet5, 6 filters of 5x5 over 32x32 as on the slide", lambda b: (*b.row("lenet5", "C1").output,)
    )
    yield say("conv-28", 'get a "new image" of size 28x28x6 (of 32x32 images with 5x5 filters)', "28", size)
    yield say("conv-28x28x6", 'If we had 6 5x5 filters, ... a "new image" of size 28x28x6', "28x28x6", maps)
    say = functools.partial(Claim, slide="Summary. To summarize, the Conv Layer")
    how = f"Keras' shapes and counts in {', '.join(FORMULA_NETWORKS)}"
    for id, words, printed, test in (
        ("summary-width", "W_2 = (W_1 - F + 2P)/S + 1", "W_2", follows(2)),
        ("summary-height", "H_2 = (H_1 - F + 2P)/S + 1 (equally by symmetry)", "H_2", follows(1)),
        ("summary-depth", "D_2 = K", "D_2", lambda keras_layer, row: row.output[-1] == keras_layer.filters),
        ("summary-weights", "F * F * D_1 weights per filter, for a total of (F * F * D_1) * K", "weights", per_filter),
        ("summary-biases", "and K biases", "K", lambda _, row: row.parameters - row.weights == row.output[-1]),
    ):
        yield say(id, words, printed, Source(how, convolutions_that(test)))
    slice_by_slice = Source("a small convolution by Keras and by the sum in a loop", claims.convolution_by_the_sum)
    words = "the d-th depth slice is the result of a valid convolution of the d-th filter, offset by d-th bias"
    yield say("summary-slices", words, "d-th", slice_by_slice)


def smaller(bench: Bench) -> Fact:
    pools = [bench.model("vgg-d").get_layer(row.name) for row in of_kind(bench, "vgg-d", "MAX POOL")]
    return every(pools, lambda pool: math.prod(pool.output.shape[1:]) < math.prod(pool.input.shape[1:]), "pools")


def pooling() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="Pooling layer")
    yield say("pool-smaller", "makes the representations smaller", "smaller", Source("the pools of vgg-d", smaller))
    alone = Source("a change in one of three maps, pooled by Keras", claims.pooled_map_by_map)
    yield say("pool-maps", "operates over each activation map independently", "independently", alone)
    values = if_published("lecture/4x4 slice", "the numbers of the input: they are in the slide's picture alone")
    yield say(
        "pool-example", "max pool with 2x2 filters and stride 2: 6 8 / 3 4", "6 8 3 4", values, slide="MAX POOLING"
    )
    routed = Source("finite differences of Keras' max pool", claims.gradient_of_the_maximum)
    words = "routes the gradient to the input that had the highest value in the forward pass"
    yield say("pool-gradient", words, "the highest", routed, slide="General pooling")


# --- Getting rid of pooling


def same_as_pooling(bench: Bench) -> Fact:
    """Pool 1 of the base network and the convolution in its place: sides, receptive field and jump."""
    pool, conv = (bench.row(network, "pool1") for network in ("base-cnn-c", "all-cnn-c"))
    seen = [(row.output[:2], row.receptive_field, row.jump) for row in (pool, conv)]
    return Fact(seen[0] == seen[1], f"{conv.output[0]}x{conv.output[1]}, field {conv.receptive_field} for both")


def strided(bench: Bench) -> Fact:
    rows = of_kind(bench, "all-cnn-c", "CONV")
    twos = sum(row.strides == (2, 2) for row in rows)
    return Fact(0 < twos < len(rows) / 2, f"{twos} of {len(rows)} convolutions")


def no_pools(bench: Bench) -> Fact:
    between = [row for row in of_kind(bench, "all-cnn-c", "MAX POOL", "POOL", "FC") if "Global" not in row.kind]
    return Fact(not between, f"{len(between)} pools or fully connected layers before the average of the last maps")


def across_maps(bench: Bench) -> Fact:
    row = bench.row("all-cnn-c", "pool1")
    inputs, window = row.weights // row.output[-1], math.prod(row.kernel)
    return Fact(inputs > window, f"each output sees {inputs // window} maps")


def without_pooling() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="Getting rid of pooling", study="all_cnn")
    stands = "all-cnn-c, layer by layer"
    words = "discard the pooling layer and have an architecture that only consists of repeated CONV layers"
    yield say("all-cnn-only-conv", words, "only CONV layers", Source(stands, no_pools))
    words = "using larger stride in CONV layer once in a while"
    yield say("all-cnn-strides", words, "larger stride", Source(stands, strided))
    words = "a stride of 2 also reduces the dimensionality of the output and widens the receptive field"
    pair = Source("pool1 of base-cnn-c and the convolution in its place in all-cnn-c", same_as_pooling)
    yield say("all-cnn-field", words, "stride of 2", pair)
    effect = trained("all_cnn", "all-cnn-c minus base-cnn-c", "test errors of all-cnn-c and base-cnn-c on CIFAR-10")
    yield say("all-cnn-effect", "The same effect can be achieved by using a convolutional layer", "same", effect)
    wide = Source("weights of the convolution in place of pool1 of all-cnn-c", across_maps)
    yield say("all-cnn-across", "it allows pooling across input channels", "across", wide)

    say = functools.partial(Claim, slide="Getting rid of pooling", study="vgg")
    worse = Source(
        "published: vgg/5x5 for two 3x3, the loss with 5x5",
        lambda b: Fact(b.published("vgg/5x5 for two 3x3") > 0, f"{b.published('vgg/5x5 for two 3x3')} points worse"),
    )
    words = "kernel sizes (say, 5x5 or 7x7) can be replaced by simply stacking homogenous 3x3 layers"
    yield say("vgg-stacks", words, "replaced", worse)
    field = formula("stacked_receptive_field", (3, 3, 3))
    yield say("vgg-stack-field", "three stacked 3x3 have a 7x7 receptive field", "7", field)
    yield say(
        "vgg-81",
        "a 7x7 layer has 81% more parameters than three stacked 3x3 layers",
        "81%",
        Source(f"{ONE_7X7.how} over {THREE_3X3.how}, less 1, in percent", more),
    )

    def cifar(bench: Bench) -> Fact:
        model = bench.model("convnetjs-cifar10")
        ends = model.input_shape[1:], model.output_shape[1:]
        return Fact(ends == ((32, 32, 3), (10,)), "32x32x3 images, 10 classes")

    slide = "[ConvNetJS demo: training on CIFAR-10]"
    ends = Source("input and output of convnetjs-cifar10", cifar)
    yield Claim("convnetjs-cifar10", "training on CIFAR-10", "CIFAR-10", ends, slide, "convnetjs")


# --- Case studies


def stacked(bench: Bench) -> Fact:
    """The most convolutions in a row in AlexNet, and in LeNet-5."""
    runs = []
    for network in "alexnet", "lenet5":
        words = "".join("c" if word(row) == "CONV" else "-" for row in bench.rows(network))
        runs.append(max(map(len, words.split("-"))))
    return Fact(runs[0] > 1 == runs[1], f"up to {runs[0]} in a row, {runs[1]} in lenet5")


def larger(bench: Bench) -> Fact:
    sizes = [sum(row.parameters for row in bench.rows(network)) for network in ("alexnet", "lenet5")]
    return Fact(sizes[0] > sizes[1], f"{sizes[0]:,} parameters, {sizes[1]:,} in lenet5")


def trained_layers(model: Any) -> int:
    return sum(bool(each.trainable_weights) for each in model.layers)


def deeper(bench: Bench) -> Fact:
    counts = [trained_layers(bench.model(network)) for network in ("alexnet", "lenet5")]
    return Fact(counts[0] > counts[1], f"{counts[0]} layers with weights, {counts[1]} in lenet5")


def first_window(bench: Bench, network: str) -> str:
    row = bench.row(network, "conv1")
    return f"{row.kernel[0]}x{row.kernel[1]} stride {row.strides[0]}"


def first_layers(bench: Bench) -> Fact:
    ours, theirs = (bench.row(network, "conv1") for network in ("zfnet", "alexnet"))
    less = ours.kernel < theirs.kernel and ours.strides < theirs.strides
    return Fact(less, f"{first_window(bench, 'zfnet')} for {first_window(bench, 'alexnet')}")


def middle(bench: Bench, network: str) -> str:
    return ", ".join(str(bench.row(network, f"conv{number}").output[-1]) for number in (3, 4, 5))


def wider(bench: Bench) -> Fact:
    maps = [sum(bench.row(n, f"conv{i}").output[-1] for i in (3, 4, 5)) for n in ("zfnet-512", "alexnet")]
    return Fact(maps[0] > maps[1], f"{middle(bench, 'zfnet-512')} maps for {middle(bench, 'alexnet')}")


WINNER_WHY_NOT = (
    "of the figures for 2013 the lowest is Clarifai's 11.7; Zeiler and Fergus' own paper has 14.8, for six networks"
)


def lowest(table: str) -> Source:
    return Source(f"the lowest error in {table}", lambda bench: next(iter(bench.table(table))))


def case_studies() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="Case Studies", study="lenet5")
    decade = Source("published: lenet5/year", lambda bench: f"{bench.published('lenet5/year') // 10}0's")
    yield say("lenet-decade", "developed by Yann LeCun in 1990's", "1990's", decade)
    use = if_published("lenet5/use", "an account of where the networks were put to use")
    yield say("lenet-use", "was used to read zip codes, digits, etc.", "zip codes", use)

    say = functools.partial(Claim, slide="Case Studies", study="alexnet")
    words = "developed by Alex Krizhevsky, Ilya Sutskever and Geoff Hinton"
    yield say("alexnet-authors", words, "Krizhevsky, Sutskever, Hinton", published("alexnet/authors"))
    yield say("alexnet-16", "top 5 error of 16%", "16%", published("ilsvrc2012/SuperVision"))
    second = Source("the second lowest error in ilsvrc2012", lambda bench: list(bench.table("ilsvrc2012").values())[1])
    yield say("alexnet-26", "compared to runner-up with 26% error", "26%", second)
    yield say("alexnet-deeper", "but was deeper", "deeper", Source("alexnet and lenet5", deeper))
    yield say("alexnet-bigger", "bigger", "bigger", Source("alexnet and lenet5", larger))
    words = "featured Convolutional Layers stacked on top of each other"
    yield say("alexnet-stacked", words, "stacked", Source("alexnet and lenet5, layer by layer", stacked))

    say = functools.partial(Claim, slide="Case Studies", study="zfnet")
    words = "The ILSVRC 2013 winner was a Convolutional Network from Matthew Zeiler and Rob Fergus"
    yield say("zfnet-winner", words, "Zeiler and Fergus", lowest("ilsvrc2013"), why_not=WINNER_WHY_NOT)
    words = "expanding the size of the middle convolutional layers"
    yield say("zfnet-middle", words, "expanding", Source("conv3, conv4, conv5 of zfnet-512 and alexnet", wider))
    words = "making the stride and filter size on the first layer smaller"
    yield say("zfnet-first", words, "smaller", Source("conv1 of zfnet and alexnet", first_layers))


def lenet_order(bench: Bench) -> str:
    """Layers that are trained; the RBF units are not."""
    return f"[{'-'.join(word(row) for row in of_kind(bench, 'lenet5', 'CONV', 'POOL', 'FC'))}]"


def errors_with_distortions(bench: Bench) -> Range:
    """The paper gives tenths of a percent."""
    error, images = bench.published("lenet5/error with distortions"), bench.published("lenet5/test images")
    return Range(*(round((error + half) / 100 * images, 6) for half in (-0.05, 0.05)))


def lenet() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="LeNet", study="lenet5")
    several = if_published("lenet5/overlapping", "images of several characters that overlap, with their labels")
    yield say("lenet-overlap", "can cope with several characters at once even if they overlap", "several", several)
    checks = if_published("lenet5/checks", "the share of North American checks that it read")
    yield say("lenet-checks", "used for reading ~10% of the checks in North America", "10%", checks)
    say = functools.partial(Claim, slide="LeNet-5", study="lenet5")
    yield say("lenet5-year", "[LeCun et al., 1998]", "1998", published("lenet5/year"))
    template = "{side}x{side}, applied at stride {stride}"
    for id, words, printed, kind in (
        ("lenet5-filters", "Conv filters were 5x5, applied at stride 1", "5x5, applied at stride 1", "CONV"),
        ("lenet5-pools", "layers were 2x2 applied at stride 2", "2x2, applied at stride 2", "POOL"),
    ):
        seen = derived(f"{kind} layers of lenet5", distinct, networks=("lenet5",), kind=kind, template=template)
        yield say(id, words, printed, seen)
    order = Source("layers of lenet5 that are trained, in order", lenet_order)
    printed = "[CONV-POOL-CONV-POOL-CONV-FC]"
    yield say("lenet5-order", f"architecture is {printed}", printed, order)
    say = functools.partial(Claim, slide="The 82 errors made by LeNet5", study="lenet5")
    errors = Source("published: lenet5/error with distortions, of 10,000 images", errors_with_distortions)
    yield say("lenet5-82", "The 82 errors made by LeNet5", "82", errors)
    people = if_published("lenet5/people", "the errors of people on the test images, which the lecture itself guesses")
    words = "The human error rate is probably 20 to 30 errors"
    yield say("lenet5-people", words, "20 to 30", people)
    easy = if_published("lenet5/easy", "the answers of people to the misclassified digits")
    yield say("lenet5-easy", "most of the errors are cases that people find quite easy", "most", easy)


# --- ImageNet


def groups(bench: Bench) -> Fact:
    names = [next((n for n in bench.table("ilsvrc2012") if part in n), "") for part in ("OXFORD", "INRIA", "XRCE")]
    return Fact(all(names), ", ".join(filter(None, names)))


def imagenet() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="The arrival of big visual data...")
    size = if_published("imagenet/images", "the size of all ImageNet, from its own pages")
    kinds = if_published("imagenet/all classes", "the number of ImageNet's classes, from its own pages")
    training = if_published("imagenet/training images", "the number of training images, from the challenge's pages")
    labels = if_published("imagenet/labels", "how the images were found and labelled, from ImageNet's paper")
    yield say("imagenet-14m", "~14 million labeled images", "14 million", size)
    yield say("imagenet-20k", "20k classes", "20k", kinds)
    yield say("imagenet-labels", "Human labels via Amazon MTurk", "Amazon MTurk", labels)
    yield say("ilsvrc-1.2m", "ILSVRC: 1.2 million training images", "1.2 million", training)
    yield say("ilsvrc-1000", "1000 classes", "1000", published("imagenet/classes"))

    say = functools.partial(Claim, slide="The ILSVRC-2012 competition on ImageNet")
    yield say("ilsvrc2012-1.2m", "1.2 million high-resolution training images", "1.2 million", training)
    yield say("ilsvrc2012-top5", "the correct class in your top 5 bets", "5", published("imagenet/guesses"))
    yield say("ilsvrc2012-1000", "There are 1000 classes", "1000", published("imagenet/classes"))
    overlap = if_published("imagenet/overlap", "the rule of the localization task, from the challenge's pages")
    yield say("ilsvrc2012-overlap", "at least 50% overlap with the correct box", "50%", overlap)
    words = "leading computer vision groups from Oxford, INRIA, XRCE, ..."
    yield say("ilsvrc2012-groups", words, "Oxford, INRIA, XRCE", Source("teams in ilsvrc2012", groups))


# --- AlexNet


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


# --- ZFNet and VGG

CLARIFAI = (
    "11.7 is Clarifai's error in the challenge of 2013, several networks; the best that Zeiler and Fergus' own paper "
    "has is 14.8, six networks"
)


def zfnet() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="ZFNet", study="zfnet")
    for network, printed in ("alexnet", "11x11 stride 4"), ("zfnet", "7x7 stride 2"):
        conv1 = derived(f"conv1 of {network}", first_window, network=network)
        words = "CONV1: change from (11x11 stride 4) to (7x7 stride 2)"
        yield say(f"zfnet-conv1-{network}", words, printed, conv1)
    words = "CONV3,4,5: instead of 384, 384, 256 filters use 512, 1024, 512"
    for id, network, printed, why_not in (
        ("zfnet-conv345-alexnet", "alexnet", "384, 384, 256", ""),
        ("zfnet-conv345-b", "zfnet-512", "512, 1024, 512", ""),
        (
            "zfnet-conv345-figure-3",
            "zfnet",
            "512, 1024, 512",
            "the network that the paper describes, its Figure 3, keeps AlexNet's maps; 512, 1024, 512 are those of "
            "network (b) of its Table 2",
        ),
    ):
        maps = derived(f"maps of conv3, conv4, conv5 of {network}", middle, network=network)
        yield say(id, words, printed, maps, why_not=why_not)
    words = "ImageNet top 5 error: 16.4% -> 11.7%"
    yield say("zfnet-16.4", words, "16.4%", published("alexnet/5 CNNs"))
    yield say("zfnet-11.7", words, "11.7%", published("ilsvrc2013/Zeiler and Fergus"), why_not=CLARIFAI)


VGG_NETWORKS = ("vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg-d", "vgg-e")
# Table 1: the stages, input first, then the header; Table 2: millions of parameters.
VGG_TABLE = {
    "A": ("64 P 128 P 256 256 P 512 512 P 512 512 P", "11", "133"),
    "A-LRN": ("64 LRN P 128 P 256 256 P 512 512 P 512 512 P", "11", "133"),
    "B": ("64 64 P 128 128 P 256 256 P 512 512 P 512 512 P", "13", "133"),
    "C": ("64 64 P 128 128 P 256 256 1-256 P 512 512 1-512 P 512 512 1-512 P", "16", "134"),
    "D": ("64 64 P 128 128 P 256 256 256 P 512 512 512 P 512 512 512 P", "16", "138"),
    "E": ("64 64 P 128 128 P 256 256 256 256 P 512 512 512 512 P 512 512 512 512 P", "19", "144"),
}


def spelt_out(stages: str, conv: str, heads: str = "FC 4096; FC 4096; FC 1000") -> str:
    """The boxes that `drawn` gives, from the shorthand of the tables here: P a pool, 1-256 a 1x1 convolution."""
    boxes = []
    for box in stages.split():
        side, _, maps = box.rpartition("-")
        boxes.append({"P": "Pool", "LRN": "LRN"}.get(box) or conv.format(side=side or 3, maps=maps))
    return "; ".join([*boxes, heads])


def ever_deeper(bench: Bench) -> Fact:
    depths = [claims.depth(bench.model(network)) for network in VGG_NETWORKS]
    return Fact(depths == sorted(depths) and depths[0] < depths[-1], ", ".join(map(str, depths)))


def ones(bench: Bench) -> Fact:
    rows = [row for network in VGG_NETWORKS for row in of_kind(bench, network, "CONV")]
    found = sorted({row.name for row in rows if row.kernel == (1, 1)})
    return Fact(bool(found), ", ".join(found))


# Of convolutions from one map to one: times C * C, of those from C maps to C.
ONE_7X7 = formula("convolution_parameters", 7, 1, 1, False)
ONE_3X3 = formula("convolution_parameters", 3, 1, 1, False)
THREE_3X3 = Source(f"3 * {ONE_3X3.how}", lambda bench: 3 * ONE_3X3.compute(bench))


def more(bench: Bench) -> float:
    return 100 * (ONE_7X7.compute(bench) / THREE_3X3.compute(bench) - 1)


def fewer(bench: Bench) -> Fact:
    three, one = THREE_3X3.compute(bench), ONE_7X7.compute(bench)
    return Fact(three < one, f"{three} C^2 and {one} C^2")


def vgg_tables() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="VGGNet: ILSVRC 2014 2nd place", study="vgg")
    yield say("vgg-2nd", "ILSVRC 2014 2nd place", "2", rank("ilsvrc2014", "VGG"))
    image = Source("input of vgg-a to vgg-e", lambda b: f"{b.row('vgg-a', 'images').output[0]} x 224 RGB image")
    yield say("vgg-input", "input (224 x 224 RGB image)", "224 x 224 RGB image", image)
    for name, (stages, layers, _) in VGG_TABLE.items():
        network = f"vgg-{name.lower()}"
        yield say(f"{network}-depth", f"{name}: {layers} weight layers", layers, weight_layers(network))
        conv = "conv{side}-{maps}"
        column = derived(f"{network}, layer by layer", drawn, network=network, conv=conv, normalization="LRN")
        yield say(f"{network}-column", f"ConvNet Configuration, column {name}", spelt_out(stages, conv), column)
    for name, (_, _, millions) in VGG_TABLE.items():
        network = f"vgg-{name.lower()}"
        words = f"Table 2: Number of parameters (in millions). {name}: {millions}"
        yield say(f"{network}-params", words, f"{millions}M", total(network, "parameters"))
    words = "Sequence of deeper networks trained progressively"
    yield say("vgg-sequence", words, "deeper", Source("weight layers of vgg-a to vgg-e", ever_deeper))
    words = "One 7x7 conv layer with C feature maps needs 49C^2 weights, three 3x3 conv layers need only 27C^2 weights"
    yield say("vgg-49", words, "49", ONE_7X7)
    yield say("vgg-27", words, "27", THREE_3X3)
    yield say("vgg-1x1", "Experimented with 1x1 convolutions", "1x1", Source("convolutions of vgg-a to vgg-e", ones))
    yield say("vgg-venue", "K. Simonyan and A. Zisserman, ICLR 2015", "ICLR 2015", published("vgg/venue"))


POOLS_WHY_NOT = (
    "AlexNet pools after its first, second and fifth convolution, as the lecture's own listing has it; the drawing "
    "leaves out the pool after the first and pools after the third"
)
DRAWINGS = (
    ("alexnet", "AlexNet", "11-96 5-256 P 384 P 384 256 P", POOLS_WHY_NOT),
    (
        "vgg-d",
        "VGG16",
        "64 64 P 128 128 P 256 256 P 512 512 512 P 512 512 512 P",
        "the drawing has two convolutions with 256 maps, the network, and the lecture's own table and listing, three",
    ),
    (
        "vgg-e",
        "VGG19",
        "64 64 P 128 128 P 256 256 P 512 512 512 512 P 512 512 512 512 P",
        "the drawing has two convolutions with 256 maps, the network, and the lecture's own table, four",
    ),
)


def vgg_small_filters() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="VGGNet [Simonyan and Zisserman, 2014]", study="vgg")
    yield say("vgg-year", "[Simonyan and Zisserman, 2014]", "2014", published("vgg/year"))
    words = "8 layers (AlexNet) -> 16 - 19 layers (VGG16Net)"
    yield say("vgg-8-layers", words, "8", weight_layers("alexnet"))
    yield say("vgg-16-19-layers", words, "16 - 19", weight_layers("vgg-d", "vgg-e"))
    for id, kind, printed, template in (
        ("vgg-only-3x3", "CONV", "3x3 stride 1, pad 1", "{side}x{side} stride {stride}, pad {pad}"),
        ("vgg-only-2x2", "MAX POOL", "2x2 stride 2", "{side}x{side} stride {stride}"),
    ):
        how = f"{kind} layers of vgg-d and vgg-e"
        seen = derived(how, distinct, networks=("vgg-d", "vgg-e"), kind=kind, template=template)
        words = "Only 3x3 CONV stride 1, pad 1 and 2x2 MAX POOL stride 2"
        yield say(id, words, printed, seen)
    words = "11.7% top 5 error in ILSVRC'13 (ZFNet) -> 7.3% top 5 error in ILSVRC'14"
    yield say("vgg-11.7", words, "11.7%", published("ilsvrc2013/Zeiler and Fergus"), why_not=CLARIFAI)
    yield say("vgg-7.3", words, "7.3%", published("vgg/submission"))
    conv = "{side}x{side} conv, {maps}"
    for network, name, boxes, why_not in DRAWINGS:
        column = derived(f"{network}, layer by layer", drawn, network=network, conv=conv)
        printed = spelt_out(boxes, conv)
        yield say(f"vgg-drawing-{name.lower()}", f"the drawing of {name}", printed, column, why_not=why_not)
    same = formula("stacked_receptive_field", (3, 3, 3))
    words = "Stack of three 3x3 conv (stride 1) layers has same effective receptive field as one 7x7 conv layer"
    yield say("vgg-same-field", words, "7", same)
    both = Source(f"{THREE_3X3.how}, {ONE_7X7.how}", fewer)
    yield say("vgg-fewer", "And fewer parameters: 3 * (3^2 C^2) vs. 7^2 C^2", "fewer", both)


# Layer of vgg-d, its name on the slide, shape, memory, parameters as a product, and as a number.
VGG16_LISTING = (
    ("images", "INPUT", "224x224x3", "150K", "", "0"),
    ("conv1-1", "CONV3-64", "224x224x64", "3.2M", "(3*3*3)*64 = ", "1,728"),
    ("conv1-2", "CONV3-64", "224x224x64", "3.2M", "(3*3*64)*64 = ", "36,864"),
    ("pool1", "POOL2", "112x112x64", "800K", "", "0"),
    ("conv2-1", "CONV3-128", "112x112x128", "1.6M", "(3*3*64)*128 = ", "73,728"),
    ("conv2-2", "CONV3-128", "112x112x128", "1.6M", "(3*3*128)*128 = ", "147,456"),
    ("pool2", "POOL2", "56x56x128", "400K", "", "0"),
    ("conv3-1", "CONV3-256", "56x56x256", "800K", "(3*3*128)*256 = ", "294,912"),
    ("conv3-2", "CONV3-256", "56x56x256", "800K", "(3*3*256)*256 = ", "589,824"),
    ("conv3-3", "CONV3-256", "56x56x256", "800K", "(3*3*256)*256 = ", "589,824"),
    ("pool3", "POOL2", "28x28x256", "200K", "", "0"),
    ("conv4-1", "CONV3-512", "28x28x512", "400K", "(3*3*256)*512 = ", "1,179,648"),
    ("conv4-2", "CONV3-512", "28x28x512", "400K", "(3*3*512)*512 = ", "2,359,296"),
    ("conv4-3", "CONV3-512", "28x28x512", "400K", "(3*3*512)*512 = ", "2,359,296"),
    ("pool4", "POOL2", "14x14x512", "100K", "", "0"),
    ("conv5-1", "CONV3-512", "14x14x512", "100K", "(3*3*512)*512 = ", "2,359,296"),
    ("conv5-2", "CONV3-512", "14x14x512", "100K", "(3*3*512)*512 = ", "2,359,296"),
    ("conv5-3", "CONV3-512", "14x14x512", "100K", "(3*3*512)*512 = ", "2,359,296"),
    ("pool5", "POOL2", "7x7x512", "25K", "", "0"),
    ("fc6", "FC", "1x1x4096", "4096", "7*7*512*4096 = ", "102,760,448"),
    ("fc7", "FC", "1x1x4096", "4096", "4096*4096 = ", "16,777,216"),
    ("fc8", "FC", "1x1x1000", "1000", "4096*1000 = ", "4,096,000"),
)
NAMES = "conv1-1 conv1-2 conv2-1 conv2-2 conv3-1 conv3-2 conv4-1 conv4-2 conv4-3 conv5-1 conv5-2 conv5-3 fc6 fc7 fc8"


def in_all_rows(quantity: str, times: int = 1) -> Source:
    """The sum over the rows of the listing."""
    how = f"{quantity} of vgg-d, added up over the rows of the listing" + (f", times {times}" if times > 1 else "")
    return Source(how, lambda b: times * sum(getattr(b.row("vgg-d", name), quantity) for name, *_ in VGG16_LISTING))


def vgg_listing() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="VGGNet [Simonyan and Zisserman, 2014], VGG16", study="vgg")
    for name, label, shape, memory, product, params in VGG16_LISTING:
        yield say(f"vgg16-{name}-shape", f"{label}: [{shape}]", f"[{shape}]", layer("vgg-d", name, "output"))
        words = f"{label}: [{shape}] memory: {memory}"
        yield say(f"vgg16-{name}-memory", words, memory, layer("vgg-d", name, "activations"))
        words = f"{label}: [{shape}] params: {product}{params}"
        yield say(f"vgg16-{name}-params", words, params, layer("vgg-d", name, "weights"))
    words = "TOTAL memory: 24M * 4 bytes ~= 96MB / image (only forward! ~*2 for bwd)"
    why_not = "the memory column of the listing itself adds up to 15.2M numbers, the input included"
    yield say("vgg16-24m", words, "24M", in_all_rows("activations"), why_not=why_not)
    yield say("vgg16-24m-bytes", words, "96M", Source("24M * 4", lambda _: 24 * 10**6 * 4))
    why_not = "it rests on the total of 24M; the listing's 15.2M numbers of 4 bytes are 61 MB"
    yield say("vgg16-96mb", words, "96MB", in_all_rows("activations", 4), why_not=why_not)
    twice = trained("vgg", "vgg-d memory, training over forward", "the memory of a training step and of a forward pass")
    yield say("vgg16-backward", words, "2", twice)
    yield say("vgg16-138m", "TOTAL params: 138M parameters", "138M", total("vgg-d", "parameters"))
    early = derived(
        "conv1-1 to conv2-2 of vgg-d, of all outputs", share,
        network="vgg-d", quantity="activations", chosen=("conv1", "conv2"), among="CONV, MAX POOL, FC",
    )  # fmt: skip
    late = derived(
        "fc6, fc7, fc8 of vgg-d, of all weights", share,
        network="vgg-d", quantity="weights", chosen=("fc",), among="CONV, FC",
    )  # fmt: skip
    yield say("vgg16-early", "Most memory is in early CONV", "early CONV", early)
    yield say("vgg16-late", "Most params are in late FC", "late FC", late)
    names = Source("names of vgg-d", lambda b: " ".join(row.name for row in of_kind(b, "vgg-d", "CONV", "FC")))
    why_not = "conv3-3 is left out: the network has three convolutions with 256 maps"
    yield say("vgg16-names", "Common names", NAMES, names, why_not=why_not)


# --- GoogLeNet

SEPARABLE = (
    "a 7x7 convolution from 3 maps to 64 has 9,408 weights and 118M multiply-adds; 2.7K and 34M are those of a "
    "separable one with depth multiplier 8: 7*7*3*8 + 3*8*64 = 2,712"
)
AGREE = "the row's params and ops agree with each other (times the places of the map) but not with its filters"
DIFFER = "the row's filters, and its ops column too, give more; biases or K = 1,000 mend nothing"
ONE_LESS = "the row's filters give exactly 438K, or 449K where K = 1,000; biases only add to it"
# Type, layers, patch size/stride, output size, depth, filters, params, ops, why params or ops do not hold.
GOOGLENET_TABLE = (
    ("convolution", "conv1", "7x7/2", "112x112x64", "1", "", "2.7K", "34M", SEPARABLE),
    ("max pool", "pool1", "3x3/2", "56x56x64", "0", "", "", "", ""),
    ("convolution", "conv2_3x3", "3x3/1", "56x56x192", "2", "64 192", "112K", "360M", ""),
    ("max pool", "pool2", "3x3/2", "28x28x192", "0", "", "", "", ""),
    ("inception (3a)", "inception_3a/", "", "28x28x256", "2", "64 96 128 16 32 32", "159K", "128M", ""),
    ("inception (3b)", "inception_3b/", "", "28x28x480", "2", "128 128 192 32 96 64", "380K", "304M", ""),
    ("max pool", "pool3", "3x3/2", "14x14x480", "0", "", "", "", ""),
    ("inception (4a)", "inception_4a/", "", "14x14x512", "2", "192 96 208 16 48 64", "364K", "73M", AGREE),
    ("inception (4b)", "inception_4b/", "", "14x14x512", "2", "160 112 224 24 64 64", "437K", "88M", ONE_LESS),
    ("inception (4c)", "inception_4c/", "", "14x14x512", "2", "128 128 256 24 64 64", "463K", "100M", DIFFER),
    ("inception (4d)", "inception_4d/", "", "14x14x528", "2", "112 144 288 32 64 64", "580K", "119M", DIFFER),
    ("inception (4e)", "inception_4e/", "", "14x14x832", "2", "256 160 320 32 128 128", "840K", "170M", DIFFER),
    ("max pool", "pool4", "3x3/2", "7x7x832", "0", "", "", "", ""),
    ("inception (5a)", "inception_5a/", "", "7x7x832", "2", "256 160 320 32 128 128", "1072K", "54M", AGREE),
    ("inception (5b)", "inception_5b/", "", "7x7x1024", "2", "384 192 384 48 128 128", "1388K", "71M", DIFFER),
    ("avg pool", "pool5", "7x7/1", "1x1x1024", "0", "", "", "", ""),
    ("dropout (40%)", "drop", "", "1x1x1024", "0", "", "", "", ""),
    ("linear", "linear", "", "1x1x1000", "1", "", "1000K", "1M", ""),
    ("softmax", "", "", "1x1x1000", "0", "", "", "", ""),
)
COLUMNS = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")


def last(bench: Bench, layers: str) -> Any:
    """The row whose output is that of a row of Table 1; softmax keeps the shape of the logits."""
    return bench.rows("googlenet", layers)[-1]


def output_of(bench: Bench, layers: str) -> tuple[int, ...]:
    return last(bench, layers).output


def patch(bench: Bench, layers: str) -> str:
    """Window and stride; an average over whole maps is one of their size."""
    row = last(bench, layers)
    side = row.kernel[0] if row.kernel else bench.model("googlenet").get_layer(layers).input.shape[1]
    return f"{side}x{side}/{row.strides[0] if row.strides else 1}"


def row_depth(bench: Bench, layers: str) -> int:
    if layers.endswith("/"):
        return claims.depth(bench.model("googlenet").get_layer(layers.rstrip("/")).inner)
    return sum(row.weights > 0 for row in bench.rows("googlenet", layers)) if layers else 0


def filters(bench: Bench, layers: str) -> str:
    """The columns from #1x1 to pool proj that the row has."""
    maps = {row.name: str(row.output[-1]) for row in bench.rows("googlenet", layers) if row.weights}
    return (
        " ".join(maps[f"{layers}{column}"] for column in COLUMNS) if layers.endswith("/") else " ".join(maps.values())
    )


def googlenet_table() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="GoogLeNet: An alternative view", study="googlenet")
    for kind, layers, window, shape, depth, columns, params, ops, why_not in GOOGLENET_TABLE:
        name = (layers or "softmax").removeprefix("inception_").rstrip("/")
        of = f"{layers.rstrip('/') or 'the logits'} of googlenet"
        if window:
            source = derived(f"window of {of}", patch, layers=layers)
            yield say(f"googlenet-{name}-patch", f"{kind}: {window}", window, source)
        source = derived(f"shape of {of}", output_of, layers=layers)
        yield say(f"googlenet-{name}-shape", f"{kind}: output size {shape}", shape, source)
        source = derived(f"weight layers, one after the other, in {of}", row_depth, layers=layers)
        yield say(f"googlenet-{name}-depth", f"{kind}: depth {depth}", depth, source)
        if columns:
            source = derived(f"maps of {of}", filters, layers=layers)
            yield say(f"googlenet-{name}-filters", f"{kind}: {columns}", columns, source)
        if params:
            note = "; K = 1,024, with which 112K and 1000K are exact"
            source = total("googlenet", "weights", layers, note)
            yield say(
                f"googlenet-{name}-params", f"{kind}: params {params}", params, source, why_not=why_not, kilo=1024
            )
            source = total("googlenet", "multiply_adds", layers)
            yield say(f"googlenet-{name}-ops", f"{kind}: ops {ops}", ops, source, why_not=why_not)
    yield say("googlenet-dropout-printed", "dropout (40%)", "0.4", published("googlenet/dropout"))
    yield say("googlenet-dropout", "dropout (40%)", "40%", dropouts("googlenet", 0.4))


def averages(bench: Bench) -> Fact:
    hidden = of_kind(bench, "googlenet", "FC")[:-1]
    top = [row.kind for row in bench.rows("googlenet") if row.kind not in ("Dropout", "Dense")][-1]
    found = f"{top}, and {len(hidden)} fully connected layers before the classifier"
    return Fact("Average" in top and not hidden, found)


def paths(bench: Bench) -> Fact:
    rows = [bench.row("googlenet", f"inception_3a/{name}") for name in ("1x1", "3x3", "5x5", "pool")]
    fields = [row.receptive_field for row in rows]
    found = f"fields of {', '.join(map(str, fields))} pixels, {', '.join(sorted({row.kind for row in rows}))}"
    return Fact(len(set(fields)) > 1 and len({row.kind for row in rows}) > 1, found)


def reduced(bench: Bench) -> Fact:
    """A 1x1 convolution has weights for each pair of an input map and an output map."""
    rows = [row for row in bench.rows("googlenet", "inception") if row.name.endswith("_reduce")]
    return every(
        rows, lambda row: row.kernel == (1, 1) and row.output[-1] < row.weights // row.output[-1], "reductions"
    )


def googlenet() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="GoogLeNet: ILSVRC 2014 winner", study="googlenet")
    yield say("googlenet-winner", "ILSVRC 2014 winner", "1", rank("ilsvrc2014", "GoogLeNet"))
    words = "dramatically reduced the number of parameters in the network (4M, compared to AlexNet with 60M)"
    why_not = (
        "7.0M with biases and without the heads that only training has; the params column of the lecture's own table "
        "adds up to 6.8M"
    )
    yield say("googlenet-4m", words, "4M", total("googlenet", "parameters"), why_not=why_not)
    yield say("googlenet-60m", words, "60M", total("alexnet", "parameters"))
    words = "Uses Average Pooling instead of Fully Connected layers at the top of the ConvNet"
    yield say("googlenet-average", words, "Average Pooling", Source("googlenet, from the top", averages))
    latest = Source("the latest in inception years", lambda bench: list(bench.table("inception years"))[-1])
    words = "Several followup versions to the GoogLeNet, most recently Inception-v4"
    yield say("googlenet-latest", words, "Inception-v4", latest)
    words = "Parallel paths with different receptive field sizes and operations"
    yield say("googlenet-paths", words, "different", Source("the paths of inception_3a of googlenet", paths))
    sparse = trained("googlenet", "sparse patterns", "the correlations between the feature maps of a trained network")
    yield say("googlenet-sparse", "meant to capture sparse patterns of correlations", "sparse", sparse)
    words = "Use 1x1 convolutions for dimensionality reduction before expensive convolutions"
    yield say("googlenet-1x1", words, "1x1", Source("the reduce columns of googlenet's blocks", reduced))


# --- Inception v2, v3


def normalized_head(bench: Bench) -> Fact:
    names = [each.name for each in bench.model("inception-v3", auxiliary=True).layers]
    found = [name for name in names if name.startswith("auxiliary") and name.endswith("_bn")]
    inner = [row for row in bench.rows("inception-v3") if row.kind == "BatchNormalization"]
    return Fact(bool(inner and found), f"{len(inner)} in the network, {len(found)} in the auxiliary head")


def variants(bench: Bench) -> Fact:
    before, after = ({type(each).__name__ for each in blocks(bench, n)} for n in ("googlenet", "inception-v3"))
    return Fact(len(after) > len(before), f"{len(after)} kinds for {len(before)}")


def factorized(bench: Bench) -> Fact:
    before, after = (
        sum(len(set(row.kernel)) > 1 for row in of_kind(bench, network, "CONV"))
        for network in ("googlenet", "inception-v3")
    )
    return Fact(after > before, f"{after} convolutions of 1xn or nx1, {before} in googlenet")


def more_maps(bench: Bench) -> Fact:
    """Where a block has smaller maps than the one before it, it has more of them."""
    shapes = [each.output.shape[1:] for each in blocks(bench, "inception-v3")]
    steps = [(a, b) for a, b in itertools.pairwise(shapes) if b[0] < a[0]]
    return every(steps, lambda step: step[1][-1] > step[0][-1], "steps to smaller maps have more of them")


def inception() -> Iterator[Claim]:
    say = functools.partial(Claim, slide="Inception v2, v3", study="inception_v3")
    words = "Regularize training with batch normalization, reducing importance of auxiliary classifiers"
    yield say("inception-bn", words, "batch normalization", Source("inception-v3, layer by layer", normalized_head))
    heads = trained("inception_v3", "inception-v3 without its head", "test errors with and without the auxiliary head")
    yield say("inception-heads", words, "reducing importance", heads)
    words = "More variants of inception modules with aggressive factorization of filters"
    yield say("inception-variants", words, "More variants", Source("blocks of inception-v3 and googlenet", variants))
    kernels = Source("kernels of inception-v3 and googlenet", factorized)
    yield say("inception-factorized", words, "factorization", kernels)
    words = "Increase the number of feature maps while decreasing spatial resolution (pooling)"
    yield say("inception-maps", words, "Increase", Source("outputs of the blocks of inception-v3", more_maps))
    venue = if_published("inception_v3/venue", "where it was published after the preprint of 2015")
    yield say("inception-venue", "C. Szegedy et al., CVPR 2016", "CVPR 2016", venue)


PARTS = (
    convolution, pooling, without_pooling, case_studies, lenet, imagenet, alexnet_on_imagenet, alexnet_listing,
    alexnet_details, zfnet, vgg_tables, vgg_small_filters, vgg_listing, googlenet, googlenet_table, inception,
)  # fmt: skip
CLAIMS: tuple[Claim, ...] = tuple(claim for part in PARTS for claim in part())
