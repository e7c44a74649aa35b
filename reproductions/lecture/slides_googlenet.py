"""The slides on GoogLeNet and Inception v2, v3."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from reproductions.lab.analysis import claims
from reproductions.lab.analysis.claims import (
    Bench,
    Claim,
    Source,
    derived,
    if_published,
    published,
    rank,
    total,
    trained,
)
from reproductions.lab.analysis.published import Fact
from reproductions.lecture.layer_queries import blocks, every, of_kind
from reproductions.lecture.slides_alexnet import dropouts

SEPARABLE = (
    "a 7x7 convolution from 3 maps to 64 has 9,408 weights and 118M multiply-adds; 2.7K and 34M are those of a "
    "separable one with depth multiplier 8: 7*7*3*8 + 3*8*64 = 2,712"
)
AGREE = "the row's params and ops agree with each other (times the places of the map) but not with its filters"
DIFFER = "the row's filters, and its ops column too, give more; biases or K = 1,000 mend nothing"
ONE_MORE = "the row's filters give exactly 379K; with biases 380K, but then 3a would have 160K and linear 1001K"
ONE_LESS = "the row's filters give exactly 438K, or 449K where K = 1,000; biases only add to it"
# Type, layers, patch size/stride, output size, depth, filters, params, ops, why params or ops do not hold.
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
