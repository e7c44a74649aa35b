"""The slides on convolution, pooling, and getting rid of pooling."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

from reproductions.lab.analysis import claims
from reproductions.lab.analysis.claims import Bench, Claim, Source, formula, if_published, trained
from reproductions.lab.analysis.published import Fact
from reproductions.lecture.layer_queries import every, of_kind, padding
from reproductions.lecture.slides_vgg import ONE_7X7, THREE_3X3, more

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
