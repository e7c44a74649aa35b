"""The slides on convolution, pooling, and getting rid of pooling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from reproductions.lab.analysis.claims import Claim, Evidence, Source, formula, measured, published
from reproductions.lab.analysis.published import Fact
from reproductions.lecture import numerical_checks
from reproductions.lecture.layer_queries import all_pass, layers_of_type, padding
from reproductions.lecture.measured import REPLACED_POOLS
from reproductions.lecture.slides_vgg import ONE_7X7, THREE_3X3, extra_parameters

if TYPE_CHECKING:
    import keras

    from reproductions.lab.analysis.profile import LayerProfile

    Test = Callable[[keras.layers.Layer, LayerProfile], bool]

FORMULA_NETWORKS = ("lenet5-lecture", "alexnet-ungrouped", "vgg-d", "convnetjs-cifar10")


def all_convolutions(test: Test) -> Callable[[Evidence], Fact]:
    """Return a function that tests all convolutions of some networks.

    Args:
        test: Function of a convolution, as a Keras layer, and its profile.
    """

    def check(evidence: Evidence) -> Fact:
        pairs = [
            (evidence.model(network).get_layer(layer.name), layer)
            for network in FORMULA_NETWORKS
            for layer in layers_of_type(evidence, network, "CONV")
        ]
        return all_pass(pairs, lambda pair: test(*pair), "convolutions")

    return check


def follows_formula(axis: int) -> Test:
    """Return a test of whether the output size along an axis is (W - F + 2P) / S + 1."""

    def test(keras_layer: keras.layers.Layer, layer: LayerProfile) -> bool:
        size, stride = layer.kernel_size[axis - 1], layer.strides[axis - 1]
        positions = (keras_layer.input.shape[axis] - size + 2 * padding(layer)) / stride + 1
        return positions == layer.output_shape[axis - 1]

    return test


def has_weights_per_filter(keras_layer: keras.layers.Layer, layer: LayerProfile) -> bool:
    """Return whether each filter has F * F * D_1 weights."""
    return layer.weights == layer.kernel_size[0] ** 2 * keras_layer.input.shape[-1] * layer.output_shape[-1]


def has_bias_per_filter(keras_layer: keras.layers.Layer, layer: LayerProfile) -> bool:
    """Return whether each filter has one bias."""
    return layer.parameters - layer.weights == layer.output_shape[-1]


def has_map_per_filter(keras_layer: keras.layers.Layer, layer: LayerProfile) -> bool:
    """Return whether each filter has one feature map."""
    return layer.output_shape[-1] == keras_layer.filters


def convolution() -> Iterator[Claim]:
    """Yield the claims of the slides on convolution."""
    claim = partial(Claim, slide="Convolution")
    size = formula("output_size", 32, 5)
    maps = Source(
        "C1 of lenet5, 6 filters of 5x5 over 32x32 as on the slide",
        lambda evidence: evidence.layer("lenet5", "C1").output_shape,
    )
    yield claim("conv-28", 'get a "new image" of size 28x28x6 (of 32x32 images with 5x5 filters)', "28", size)
    yield claim("conv-28x28x6", 'If we had 6 5x5 filters, ... a "new image" of size 28x28x6', "28x28x6", maps)
    claim = partial(Claim, slide="Summary. To summarize, the Conv Layer")
    description = f"Keras' shapes and counts in {', '.join(FORMULA_NETWORKS)}"
    for id, quote, value, test in (
        ("summary-width", "W_2 = (W_1 - F + 2P)/S + 1", "W_2", follows_formula(2)),
        ("summary-height", "H_2 = (H_1 - F + 2P)/S + 1 (equally by symmetry)", "H_2", follows_formula(1)),
        ("summary-depth", "D_2 = K", "D_2", has_map_per_filter),
        (
            "summary-weights",
            "F * F * D_1 weights per filter, for a total of (F * F * D_1) * K",
            "weights",
            has_weights_per_filter,
        ),
        ("summary-biases", "and K biases", "K", has_bias_per_filter),
    ):
        yield claim(id, quote, value, Source(description, all_convolutions(test)))
    slices = Source("a small convolution by Keras and by the sum in a loop", numerical_checks.convolution_equals_sum)
    quote = "the d-th depth slice is the result of a valid convolution of the d-th filter, offset by d-th bias"
    yield claim("summary-slices", quote, "d-th", slices)


def pools_shrink(evidence: Evidence) -> Fact:
    """Return whether the output of every pool of VGG-D is smaller than its input."""
    pools = [evidence.model("vgg-d").get_layer(row.name) for row in layers_of_type(evidence, "vgg-d", "MAX POOL")]
    return all_pass(pools, lambda pool: math.prod(pool.output.shape[1:]) < math.prod(pool.input.shape[1:]), "pools")


def pooling() -> Iterator[Claim]:
    """Yield the claims of the slides on pooling."""
    claim = partial(Claim, slide="Pooling layer")
    shrink = Source("the pools of vgg-d", pools_shrink)
    yield claim("pool-smaller", "makes the representations smaller", "smaller", shrink)
    per_map = Source("a change in one of three feature maps, pooled by Keras", numerical_checks.pooling_is_per_map)
    yield claim("pool-maps", "operates over each activation map independently", "independently", per_map)
    values = published("lecture/4x4 slice", "the numbers of the input, which are only in the image on the slide")
    quote = "max pool with 2x2 filters and stride 2: 6 8 / 3 4"
    yield claim("pool-example", quote, "6 8 3 4", values, slide="MAX POOLING")
    gradient = Source("finite differences of Keras' max pool", numerical_checks.max_pool_gradient)
    claim = partial(claim, slide="General pooling")
    for id, quote, check in (
        ("pool-average", "Other pooling functions: Average pooling", numerical_checks.average_pooling),
        ("pool-l2", "Other pooling functions: ... L2-norm pooling", numerical_checks.l2_norm_pooling),
    ):
        windows = Source("Keras' average pool, of the input or of its squares, and a loop over windows", check)
        yield claim(id, quote, quote.split(": ")[1].removeprefix("... "), windows)
    quote = "routes the gradient to the input that had the highest value in the forward pass"
    yield claim("pool-gradient", quote, "the highest", gradient)
    quote = "keep track of the index of the max activation (... the switches) so that gradient routing is efficient"
    routed = Source("gradient routed by switches, and finite differences of Keras' max pool", numerical_checks.switches)
    yield claim("pool-switches", quote, "switches", routed)


# --- Getting rid of pooling


def same_geometry(evidence: Evidence) -> Fact:
    """Compare the first pool of the base network with the convolution that replaces it.

    Output sizes, receptive fields and jumps are compared.
    """
    pool, conv = (evidence.layer(network, "pool1") for network in ("base-cnn-c", "all-cnn-c"))
    found = [(layer.output_shape[:2], layer.receptive_field, layer.jump) for layer in (pool, conv)]
    height, width = conv.output_shape[:2]
    return Fact(found[0] == found[1], f"{height}x{width}, field {conv.receptive_field} for both")


def strided_convolutions(evidence: Evidence) -> Fact:
    """Return whether some convolutions, but fewer than half, have stride 2."""
    layers = layers_of_type(evidence, "all-cnn-c", "CONV")
    strided = sum(layer.strides == (2, 2) for layer in layers)
    return Fact(0 < strided < len(layers) / 2, f"{strided} of {len(layers)} convolutions")


def only_convolutions(evidence: Evidence) -> Fact:
    """Return whether All-CNN-C has neither pools nor fully connected layers before the global average."""
    layers = layers_of_type(evidence, "all-cnn-c", "MAX POOL", "POOL", "FC")
    others = [layer for layer in layers if "Global" not in layer.class_name]
    return Fact(not others, f"{len(others)} pools or fully connected layers before the average of the last maps")


def pools_across_channels(evidence: Evidence) -> Fact:
    """Return whether the convolution that replaces a pool has weights for more than one input channel."""
    layer = evidence.layer("all-cnn-c", "pool1")
    inputs, window = layer.weights // layer.output_shape[-1], math.prod(layer.kernel_size)
    return Fact(inputs > window, f"each output sees {inputs // window} maps")


def worse_with_large_kernels(evidence: Evidence) -> Fact:
    """Return whether VGG's error rises when pairs of 3x3 layers are replaced by 5x5 layers."""
    points = evidence.number("vgg/5x5 for two 3x3")
    return Fact(points > 0, f"{points} points worse")


def cifar10_sizes(evidence: Evidence) -> Fact:
    """Return whether the network of the demo has CIFAR-10's input and output sizes."""
    model = evidence.model("convnetjs-cifar10")
    sizes = model.input_shape[1:], model.output_shape[1:]
    return Fact(sizes == ((32, 32, 3), (10,)), "32x32x3 images, 10 classes")


EFFECT_REASON = "With convolutions in place of the pools, the test error is significantly higher."


def without_pooling() -> Iterator[Claim]:
    """Yield the claims of the slides on getting rid of pooling."""
    claim = partial(Claim, slide="Getting rid of pooling", study="all_cnn")
    layers = "all-cnn-c, layer by layer"
    quote = "discard the pooling layer and have an architecture that only consists of repeated CONV layers"
    yield claim("all-cnn-only-conv", quote, "only CONV layers", Source(layers, only_convolutions))
    quote = "using larger stride in CONV layer once in a while"
    yield claim("all-cnn-strides", quote, "larger stride", Source(layers, strided_convolutions))
    quote = "a stride of 2 also reduces the dimensionality of the output and widens the receptive field"
    pair = Source("pool1 of base-cnn-c and the convolution that replaces it in all-cnn-c", same_geometry)
    yield claim("all-cnn-field", quote, "stride of 2", pair)
    effect = measured("all_cnn", REPLACED_POOLS, "three runs each of all-cnn-c and base-cnn-c, by the paper's recipe")
    quote = "The same effect can be achieved by using a convolutional layer"
    yield claim("all-cnn-effect", quote, "same", effect, reason=EFFECT_REASON)
    additive = Source("max pool and convolution by Keras, of two inputs and of their sum", numerical_checks.no_true_max)
    yield claim("all-cnn-no-max", "it cannot perform a true max operation", "cannot", additive)
    wide = Source("weights of the convolution that replaces pool1 in all-cnn-c", pools_across_channels)
    yield claim("all-cnn-across", "it allows pooling across input channels", "across", wide)

    claim = partial(Claim, slide="Getting rid of pooling", study="vgg")
    worse = Source("published: vgg/5x5 for two 3x3, the loss with 5x5", worse_with_large_kernels)
    quote = "kernel sizes (say, 5x5 or 7x7) can be replaced by simply stacking homogenous 3x3 layers"
    yield claim("vgg-stacks", quote, "replaced", worse)
    field = formula("stacked_receptive_field", (3, 3, 3))
    yield claim("vgg-stack-field", "three stacked 3x3 have a 7x7 receptive field", "7", field)
    quote = "a 7x7 layer has 81% more parameters than three stacked 3x3 layers"
    description = f"{ONE_7X7.description} over {THREE_3X3.description}, less 1, in percent"
    yield claim("vgg-81", quote, "81%", Source(description, extra_parameters))

    slide = "[ConvNetJS demo: training on CIFAR-10]"
    sizes = Source("input and output of convnetjs-cifar10", cifar10_sizes)
    yield Claim("convnetjs-cifar10", "training on CIFAR-10", "CIFAR-10", sizes, slide, "convnetjs")
