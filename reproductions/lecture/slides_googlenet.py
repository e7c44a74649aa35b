"""The slides on GoogLeNet and Inception v2, v3."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from reproductions.lab.analysis.claims import (
    Claim,
    Evidence,
    Source,
    measured,
    published,
    rank,
    total_quantity,
)
from reproductions.lab.analysis.published import Fact
from reproductions.lecture.layer_queries import all_pass, blocks, layers_of_type
from reproductions.lecture.slides_alexnet import dropout_rate

if TYPE_CHECKING:
    from reproductions.lab.analysis.profile import LayerProfile

SEPARABLE = (
    "A 7x7 convolution from 3 channels to 64 has 9,408 weights and 118M multiply-adds. 2.7K and 34M are those of a "
    "separable convolution with depth multiplier 8: 7*7*3*8 + 3*8*64 = 2,712."
)
AGREE = "The row's params and ops agree with each other (ops are params times positions) but not with its filters."
DIFFER = "The row's filters, and its ops column, give more. Neither biases nor K = 1,000 explain the difference."
ONE_MORE = (
    "The row's filters give exactly 379K. With biases they give 380K, but then 3a would have 160K and linear 1001K."
)
ONE_LESS = "The row's filters give exactly 438K, or 449K if K = 1,000. Biases only increase it."
# Type, layers, patch size/stride, output size, depth, filters, params, ops, and why params or ops do not hold.
GOOGLENET_TABLE = (
    ("convolution", "conv1", "7x7/2", "112x112x64", "1", "", "2.7K", "34M", SEPARABLE),
    ("max pool", "pool1", "3x3/2", "56x56x64", "0", "", "", "", ""),
    ("convolution", "conv2_3x3", "3x3/1", "56x56x192", "2", "64 192", "112K", "360M", ""),
    ("max pool", "pool2", "3x3/2", "28x28x192", "0", "", "", "", ""),
    ("inception (3a)", "inception_3a/", "", "28x28x256", "2", "64 96 128 16 32 32", "159K", "128M", ""),
    ("inception (3b)", "inception_3b/", "", "28x28x480", "2", "128 128 192 32 96 64", "380K", "304M", ONE_MORE),
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


def last_layer(evidence: Evidence, layers: str) -> LayerProfile:
    """Return the layer that gives the output of a row of Table 1: the linear layer for softmax."""
    return evidence.layers("googlenet", layers)[-1]


def output_shape(evidence: Evidence, layers: str) -> tuple[int, ...]:
    """Return the output shape of a row."""
    return last_layer(evidence, layers).output_shape


def patch(evidence: Evidence, layers: str) -> str:
    """Return the window and stride of a row; for a global average, the size of the feature maps."""
    layer = last_layer(evidence, layers)
    side = layer.kernel_size[0] if layer.kernel_size else evidence.model("googlenet").get_layer(layers).input.shape[1]
    return f"{side}x{side}/{layer.strides[0] if layer.strides else 1}"


def row_depth(evidence: Evidence, layers: str) -> int:
    """Return the number of layers with weights on the longest path through a row."""
    from reproductions.lab.analysis.profile import depth

    if layers.endswith("/"):
        return depth(evidence.model("googlenet").get_layer(layers.rstrip("/")).inner)
    return sum(layer.weights > 0 for layer in evidence.layers("googlenet", layers)) if layers else 0


def filters(evidence: Evidence, layers: str) -> str:
    """Return a row's columns from #1x1 to pool proj."""
    found = {layer.name: str(layer.output_shape[-1]) for layer in evidence.layers("googlenet", layers) if layer.weights}
    if layers.endswith("/"):
        return " ".join(found[f"{layers}{column}"] for column in COLUMNS)
    return " ".join(found.values())


def googlenet_table() -> Iterator[Claim]:
    """Yield the claims of the slide with GoogLeNet's Table 1."""
    claim = partial(Claim, slide="GoogLeNet: An alternative view", study="googlenet")
    for kind, layers, window, shape, depth, columns, params, ops, reason in GOOGLENET_TABLE:
        id = f"googlenet-{(layers or 'softmax').removeprefix('inception_').rstrip('/')}"
        row = f"{layers.rstrip('/') or 'the logits'} of googlenet"
        if window:
            source = Source(f"window of {row}", partial(patch, layers=layers))
            yield claim(f"{id}-patch", f"{kind}: {window}", window, source)
        source = Source(f"shape of {row}", partial(output_shape, layers=layers))
        yield claim(f"{id}-shape", f"{kind}: output size {shape}", shape, source)
        source = Source(f"weight layers on the longest path of {row}", partial(row_depth, layers=layers))
        yield claim(f"{id}-depth", f"{kind}: depth {depth}", depth, source)
        if columns:
            source = Source(f"filters of {row}", partial(filters, layers=layers))
            yield claim(f"{id}-filters", f"{kind}: {columns}", columns, source)
        if params:
            note = "; K = 1,024, with which 112K and 1000K are exact"
            source = total_quantity("googlenet", "weights", layers, note)
            yield claim(f"{id}-params", f"{kind}: params {params}", params, source, reason=reason, kilo=1024)
            source = total_quantity("googlenet", "multiply_adds", layers)
            yield claim(f"{id}-ops", f"{kind}: ops {ops}", ops, source, reason=reason)
    yield claim("googlenet-dropout-published", "dropout (40%)", "0.4", published("googlenet/dropout"))
    yield claim("googlenet-dropout", "dropout (40%)", "40%", dropout_rate("googlenet", 0.4))


def average_pooling(evidence: Evidence) -> Fact:
    """Return whether GoogLeNet has an average pool and no hidden fully connected layers before its classifier."""
    hidden = layers_of_type(evidence, "googlenet", "FC")[:-1]
    names = [layer.class_name for layer in evidence.layers("googlenet")]
    top = [name for name in names if name not in ("Dropout", "Dense")][-1]
    found = f"{top}, and {len(hidden)} fully connected layers before the classifier"
    return Fact("Average" in top and not hidden, found)


def parallel_paths(evidence: Evidence) -> Fact:
    """Return whether the paths of an Inception block have different receptive fields and operations."""
    layers = [evidence.layer("googlenet", f"inception_3a/{name}") for name in ("1x1", "3x3", "5x5", "pool")]
    fields = [layer.receptive_field for layer in layers]
    operations = sorted({layer.class_name for layer in layers})
    found = f"fields of {', '.join(map(str, fields))} pixels, {', '.join(operations)}"
    return Fact(len(set(fields)) > 1 and len(operations) > 1, found)


def is_reduction(layer: LayerProfile) -> bool:
    """Return whether a layer is a 1x1 convolution with fewer filters than input channels."""
    return layer.kernel_size == (1, 1) and layer.output_shape[-1] < layer.weights // layer.output_shape[-1]


def reductions(evidence: Evidence) -> Fact:
    """Return whether all reduce columns of GoogLeNet's blocks are 1x1 convolutions that reduce the channels."""
    layers = [layer for layer in evidence.layers("googlenet", "inception") if layer.name.endswith("_reduce")]
    return all_pass(layers, is_reduction, "reductions")


def latest_version(evidence: Evidence) -> str:
    """Return the latest of the Inception papers."""
    return list(evidence.ranking("inception years"))[-1]


def googlenet() -> Iterator[Claim]:
    """Yield the claims of the slide on GoogLeNet."""
    claim = partial(Claim, slide="GoogLeNet: ILSVRC 2014 winner", study="googlenet")
    yield claim("googlenet-winner", "ILSVRC 2014 winner", "1", rank("ilsvrc2014", "GoogLeNet"))
    quote = "dramatically reduced the number of parameters in the network (4M, compared to AlexNet with 60M)"
    reason = (
        "7.0M with biases and without the auxiliary heads, which are only used in training. The params column of the "
        "lecture's table adds up to 6.8M."
    )
    yield claim("googlenet-4m", quote, "4M", total_quantity("googlenet", "parameters"), reason=reason)
    yield claim("googlenet-60m", quote, "60M", total_quantity("alexnet", "parameters"))
    quote = "Uses Average Pooling instead of Fully Connected layers at the top of the ConvNet"
    yield claim("googlenet-average", quote, "Average Pooling", Source("googlenet, from the top", average_pooling))
    latest = Source("the latest in inception years", latest_version)
    quote = "Several followup versions to the GoogLeNet, most recently Inception-v4"
    yield claim("googlenet-latest", quote, "Inception-v4", latest)
    quote = "Parallel paths with different receptive field sizes and operations"
    yield claim("googlenet-paths", quote, "different", Source("the paths of inception_3a of googlenet", parallel_paths))
    needed = "the correlations between the feature maps of a trained network, which no record holds"
    sparse = measured("googlenet", "sparse patterns", needed)
    yield claim("googlenet-sparse", "meant to capture sparse patterns of correlations", "sparse", sparse)
    quote = "Use 1x1 convolutions for dimensionality reduction before expensive convolutions"
    yield claim("googlenet-1x1", quote, "1x1", Source("the reduce columns of googlenet's blocks", reductions))


# --- Inception v2, v3


def batch_normalization(evidence: Evidence) -> Fact:
    """Return whether Inception-v3 has batch normalization, in its auxiliary head too."""
    names = [layer.name for layer in evidence.model("inception-v3", auxiliary=True).layers]
    head = [name for name in names if name.startswith("auxiliary") and name.endswith("_bn")]
    network = [layer for layer in evidence.layers("inception-v3") if layer.class_name == "BatchNormalization"]
    return Fact(bool(network and head), f"{len(network)} in the network, {len(head)} in the auxiliary head")


def block_variants(evidence: Evidence) -> Fact:
    """Compare the numbers of block types in Inception-v3 and GoogLeNet."""
    before, after = (
        {type(block).__name__ for block in blocks(evidence, network)} for network in ("googlenet", "inception-v3")
    )
    return Fact(len(after) > len(before), f"{len(after)} kinds for {len(before)}")


def factorized_convolutions(evidence: Evidence) -> Fact:
    """Compare the numbers of 1xn and nx1 convolutions in Inception-v3 and GoogLeNet."""
    before, after = (
        sum(len(set(layer.kernel_size)) > 1 for layer in layers_of_type(evidence, network, "CONV"))
        for network in ("googlenet", "inception-v3")
    )
    return Fact(after > before, f"{after} convolutions of 1xn or nx1, {before} in googlenet")


def more_feature_maps(evidence: Evidence) -> Fact:
    """Return whether every block that reduces the size of the feature maps increases their number."""
    shapes = [block.output.shape[1:] for block in blocks(evidence, "inception-v3")]
    steps = [(a, b) for a, b in itertools.pairwise(shapes) if b[0] < a[0]]
    return all_pass(steps, lambda step: step[1][-1] > step[0][-1], "steps to smaller maps have more of them")


def inception() -> Iterator[Claim]:
    """Yield the claims of the slide on Inception v2 and v3."""
    claim = partial(Claim, slide="Inception v2, v3", study="inception_v3")
    quote = "Regularize training with batch normalization, reducing importance of auxiliary classifiers"
    yield claim(
        "inception-bn", quote, "batch normalization", Source("inception-v3, layer by layer", batch_normalization)
    )
    needed = "test errors with and without the auxiliary head, and with and without its batch normalization"
    heads = measured("inception_v3", "inception-v3 without its head", needed)
    yield claim("inception-heads", quote, "reducing importance", heads)
    quote = "More variants of inception modules with aggressive factorization of filters"
    yield claim(
        "inception-variants", quote, "More variants", Source("blocks of inception-v3 and googlenet", block_variants)
    )
    kernels = Source("kernels of inception-v3 and googlenet", factorized_convolutions)
    yield claim("inception-factorized", quote, "factorization", kernels)
    quote = "Increase the number of feature maps while decreasing spatial resolution (pooling)"
    yield claim("inception-maps", quote, "Increase", Source("outputs of the blocks of inception-v3", more_feature_maps))
    venue = published("inception_v3/venue")
    yield claim("inception-venue", "C. Szegedy et al., CVPR 2016", "CVPR 2016", venue)
