"""The slides on ZFNet and VGG."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from reproductions.lab.analysis import claims
from reproductions.lab.analysis.claims import (
    Bench,
    Claim,
    Source,
    derived,
    formula,
    layer,
    published,
    rank,
    total,
    trained,
)
from reproductions.lab.analysis.published import Fact
from reproductions.lecture.layer_queries import distinct, drawn, of_kind, share, weight_layers
from reproductions.lecture.slides_case_studies import first_window, middle

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
