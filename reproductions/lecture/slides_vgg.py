"""The slides on ZFNet and VGG."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reproductions.lab.analysis.claims import (
    Claim,
    Evidence,
    Source,
    formula,
    layer_quantity,
    published,
    rank,
    total_quantity,
)
from reproductions.lab.analysis.formulas import convolution_parameters
from reproductions.lab.analysis.published import Fact
from reproductions.lecture.layer_queries import (
    diagram,
    distinct_windows,
    layers_of_type,
    majority_share,
    weight_layers,
)
from reproductions.lecture.slides_case_studies import first_window, middle_filters

ERROR_REASON = (
    "11.7 is Clarifai's error in the challenge of 2013, with several networks. The lowest error in the paper of Zeiler "
    "and Fergus is 14.8, with six networks."
)


def zfnet() -> Iterator[Claim]:
    """Yield the claims of the slide on ZFNet."""
    claim = partial(Claim, slide="ZFNet", study="zfnet")
    for network, value in ("alexnet", "11x11 stride 4"), ("zfnet", "7x7 stride 2"):
        conv1 = Source(f"conv1 of {network}", partial(first_window, network=network))
        quote = "CONV1: change from (11x11 stride 4) to (7x7 stride 2)"
        yield claim(f"zfnet-conv1-{network}", quote, value, conv1)
    quote = "CONV3,4,5: instead of 384, 384, 256 filters use 512, 1024, 512"
    for id, network, value, reason in (
        ("zfnet-conv345-alexnet", "alexnet", "384, 384, 256", ""),
        ("zfnet-conv345-b", "zfnet-512", "512, 1024, 512", ""),
        (
            "zfnet-conv345-figure-3",
            "zfnet",
            "512, 1024, 512",
            "The network that the paper describes in Figure 3 keeps AlexNet's filters. 512, 1024, 512 are "
            "the filters of network (b) in Table 2.",
        ),
    ):
        filters = Source(f"filters of conv3, conv4, conv5 of {network}", partial(middle_filters, network=network))
        yield claim(id, quote, value, filters, reason=reason)
    quote = "ImageNet top 5 error: 16.4% -> 11.7%"
    yield claim("zfnet-16.4", quote, "16.4%", published("alexnet/5 CNNs"))
    yield claim("zfnet-11.7", quote, "11.7%", published("ilsvrc2013/Zeiler and Fergus"), reason=ERROR_REASON)


VGG_NETWORKS = ("vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg-d", "vgg-e")
# Configuration: the stages of Table 1 in the notation of `expand`, its weight layers, and its millions of parameters in
# Table 2.
VGG_TABLE = {
    "A": ("64 P 128 P 256 256 P 512 512 P 512 512 P", "11", "133"),
    "A-LRN": ("64 LRN P 128 P 256 256 P 512 512 P 512 512 P", "11", "133"),
    "B": ("64 64 P 128 128 P 256 256 P 512 512 P 512 512 P", "13", "133"),
    "C": ("64 64 P 128 128 P 256 256 1-256 P 512 512 1-512 P 512 512 1-512 P", "16", "134"),
    "D": ("64 64 P 128 128 P 256 256 256 P 512 512 512 P 512 512 512 P", "16", "138"),
    "E": ("64 64 P 128 128 P 256 256 256 256 P 512 512 512 512 P 512 512 512 512 P", "19", "144"),
}


def expand(stages: str, convolution: str) -> str:
    """Return the boxes that `layer_queries.diagram` would give for a network.

    Args:
        stages: Boxes separated by spaces: "P" for a pool, "LRN", "64" for a 3x3 convolution with 64 filters, "1-256"
            for a 1x1 convolution with 256 filters.
        convolution: Template of a convolution's box, with the fields `side` and `filters`.
    """
    boxes = []
    for stage in stages.split():
        side, _, filters = stage.rpartition("-")
        boxes.append({"P": "Pool", "LRN": "LRN"}.get(stage) or convolution.format(side=side or 3, filters=filters))
    return "; ".join([*boxes, "FC 4096; FC 4096; FC 1000"])


def increasing_depth(evidence: Evidence) -> Fact:
    """Return whether the networks of Table 1 get deeper from A to E."""
    from reproductions.lab.analysis.profile import depth

    depths = [depth(evidence.model(network)) for network in VGG_NETWORKS]
    return Fact(depths == sorted(depths) and depths[0] < depths[-1], ", ".join(map(str, depths)))


def convolutions_1x1(evidence: Evidence) -> Fact:
    """Return the 1x1 convolutions of the networks of Table 1."""
    layers = [layer for network in VGG_NETWORKS for layer in layers_of_type(evidence, network, "CONV")]
    found = sorted({layer.name for layer in layers if layer.kernel_size == (1, 1)})
    return Fact(bool(found), ", ".join(found))


def input_size(evidence: Evidence) -> str:
    """Return the input of VGG-A as Table 1 describes it."""
    return f"{evidence.layer('vgg-a', 'images').output_shape[0]} x 224 RGB image"


def convolution_weights(kernel_size: int, layers: int = 1) -> int:
    """Return the weights of stacked convolutions, in units of C * C for C input channels and C filters."""
    return layers * convolution_parameters(kernel_size, 1, 1, False)


ONE_7X7 = formula("convolution_parameters", 7, 1, 1, False)
THREE_3X3 = Source("3 * convolution_parameters(3, 1, 1, False)", lambda evidence: convolution_weights(3, layers=3))


def extra_parameters(evidence: Evidence) -> float:
    """Return how many more weights a 7x7 layer has than three 3x3 layers, in percent."""
    return 100 * (convolution_weights(7) / convolution_weights(3, layers=3) - 1)


def fewer_parameters(evidence: Evidence) -> Fact:
    """Return whether three 3x3 layers have fewer weights than a 7x7 layer."""
    three, one = convolution_weights(3, layers=3), convolution_weights(7)
    return Fact(three < one, f"{three} C^2 and {one} C^2")


def vgg_tables() -> Iterator[Claim]:
    """Yield the claims of the slide with VGG's Tables 1 and 2."""
    claim = partial(Claim, slide="VGGNet: ILSVRC 2014 2nd place", study="vgg")
    yield claim("vgg-2nd", "ILSVRC 2014 2nd place", "2", rank("ilsvrc2014", "VGG"))
    image = Source("input of vgg-a to vgg-e", input_size)
    yield claim("vgg-input", "input (224 x 224 RGB image)", "224 x 224 RGB image", image)
    for name, (stages, layers, _) in VGG_TABLE.items():
        network = f"vgg-{name.lower()}"
        yield claim(f"{network}-depth", f"{name}: {layers} weight layers", layers, weight_layers(network))
        template = "conv{side}-{filters}"
        column = partial(diagram, network=network, convolution=template, normalization="LRN")
        source = Source(f"{network}, layer by layer", column)
        yield claim(f"{network}-column", f"ConvNet Configuration, column {name}", expand(stages, template), source)
    for name, (_, _, millions) in VGG_TABLE.items():
        network = f"vgg-{name.lower()}"
        quote = f"Table 2: Number of parameters (in millions). {name}: {millions}"
        yield claim(f"{network}-params", quote, f"{millions}M", total_quantity(network, "parameters"))
    quote = "Sequence of deeper networks trained progressively"
    yield claim("vgg-sequence", quote, "deeper", Source("weight layers of vgg-a to vgg-e", increasing_depth))
    quote = "One 7x7 conv layer with C feature maps needs 49C^2 weights, three 3x3 conv layers need only 27C^2 weights"
    yield claim("vgg-49", quote, "49", ONE_7X7)
    yield claim("vgg-27", quote, "27", THREE_3X3)
    source = Source("convolutions of vgg-a to vgg-e", convolutions_1x1)
    yield claim("vgg-1x1", "Experimented with 1x1 convolutions", "1x1", source)
    yield claim("vgg-venue", "K. Simonyan and A. Zisserman, ICLR 2015", "ICLR 2015", published("vgg/venue"))


POOLS_REASON = (
    "AlexNet pools after its first, second and fifth convolution, as in the lecture's listing. The drawing lacks the "
    "pool after the first and has one after the third."
)
# Network, its name on the slide, its boxes in the notation of `expand`, and why the drawing differs.
DRAWINGS = (
    ("alexnet", "AlexNet", "11-96 5-256 P 384 P 384 256 P", POOLS_REASON),
    (
        "vgg-d",
        "VGG16",
        "64 64 P 128 128 P 256 256 P 512 512 512 P 512 512 512 P",
        "The drawing has two convolutions with 256 filters. The network has three, as in the table and the listing.",
    ),
    (
        "vgg-e",
        "VGG19",
        "64 64 P 128 128 P 256 256 P 512 512 512 512 P 512 512 512 512 P",
        "The drawing has two convolutions with 256 filters. The network has four, as in the table.",
    ),
)


def vgg_small_filters() -> Iterator[Claim]:
    """Yield the claims of the slide on VGG's small filters."""
    claim = partial(Claim, slide="VGGNet [Simonyan and Zisserman, 2014]", study="vgg")
    yield claim("vgg-year", "[Simonyan and Zisserman, 2014]", "2014", published("vgg/year"))
    quote = "8 layers (AlexNet) -> 16 - 19 layers (VGG16Net)"
    yield claim("vgg-8-layers", quote, "8", weight_layers("alexnet"))
    yield claim("vgg-16-19-layers", quote, "16 - 19", weight_layers("vgg-d", "vgg-e"))
    for id, type_name, value, template in (
        ("vgg-only-3x3", "CONV", "3x3 stride 1, pad 1", "{side}x{side} stride {stride}, pad {pad}"),
        ("vgg-only-2x2", "MAX POOL", "2x2 stride 2", "{side}x{side} stride {stride}"),
    ):
        windows = partial(distinct_windows, networks=("vgg-d", "vgg-e"), type_name=type_name, template=template)
        quote = "Only 3x3 CONV stride 1, pad 1 and 2x2 MAX POOL stride 2"
        yield claim(id, quote, value, Source(f"{type_name} layers of vgg-d and vgg-e", windows))
    quote = "11.7% top 5 error in ILSVRC'13 (ZFNet) -> 7.3% top 5 error in ILSVRC'14"
    yield claim("vgg-11.7", quote, "11.7%", published("ilsvrc2013/Zeiler and Fergus"), reason=ERROR_REASON)
    yield claim("vgg-7.3", quote, "7.3%", published("vgg/submission"))
    template = "{side}x{side} conv, {filters}"
    for network, name, boxes, reason in DRAWINGS:
        column = Source(f"{network}, layer by layer", partial(diagram, network=network, convolution=template))
        drawing = expand(boxes, template)
        yield claim(f"vgg-drawing-{name.lower()}", f"the drawing of {name}", drawing, column, reason=reason)
    same = formula("stacked_receptive_field", (3, 3, 3))
    quote = "Stack of three 3x3 conv (stride 1) layers has same effective receptive field as one 7x7 conv layer"
    yield claim("vgg-same-field", quote, "7", same)
    both = Source(f"{THREE_3X3.description}, {ONE_7X7.description}", fewer_parameters)
    yield claim("vgg-fewer", "And fewer parameters: 3 * (3^2 C^2) vs. 7^2 C^2", "fewer", both)


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


def listing_total(quantity: str, factor: int = 1) -> Source:
    """Source: the sum of a quantity over the rows of the listing, times a factor."""
    description = f"{quantity} of vgg-d, added up over the rows of the listing"

    def compute(evidence: Evidence) -> int:
        return factor * sum(getattr(evidence.layer("vgg-d", name), quantity) for name, *_ in VGG16_LISTING)

    return Source(f"{description}, times {factor}" if factor > 1 else description, compute)


def backward_memory(evidence: Evidence) -> float:
    """Return the numbers kept for the backward pass over those of the forward pass.

    The backward pass needs the outputs of all layers, and computes a gradient as large as each but that of the image.
    """
    forward = sum(evidence.layer("vgg-d", name).activations for name, *_ in VGG16_LISTING)
    return (2 * forward - evidence.layer("vgg-d", "images").activations) / forward


def layer_names(evidence: Evidence) -> str:
    """Return the names of VGG-D's convolutions and fully connected layers."""
    return " ".join(layer.name for layer in layers_of_type(evidence, "vgg-d", "CONV", "FC"))


def vgg_listing() -> Iterator[Claim]:
    """Yield the claims of the slide that lists VGG-16's layers, memory and parameters."""
    claim = partial(Claim, slide="VGGNet [Simonyan and Zisserman, 2014], VGG16", study="vgg")
    for name, label, shape, memory, product, params in VGG16_LISTING:
        output_shape = layer_quantity("vgg-d", name, "output_shape")
        yield claim(f"vgg16-{name}-shape", f"{label}: [{shape}]", f"[{shape}]", output_shape)
        quote = f"{label}: [{shape}] memory: {memory}"
        yield claim(f"vgg16-{name}-memory", quote, memory, layer_quantity("vgg-d", name, "activations"))
        quote = f"{label}: [{shape}] params: {product}{params}"
        yield claim(f"vgg16-{name}-params", quote, params, layer_quantity("vgg-d", name, "weights"))
    quote = "TOTAL memory: 24M * 4 bytes ~= 96MB / image (only forward! ~*2 for bwd)"
    reason = "The memory column of the listing adds up to 15.2M numbers, including the input."
    yield claim("vgg16-24m", quote, "24M", listing_total("activations"), reason=reason)
    yield claim("vgg16-24m-bytes", quote, "96M", Source("24M * 4", lambda _: 24 * 10**6 * 4))
    reason = "It follows from the total of 24M. The listing's 15.2M numbers of 4 bytes are 61 MB."
    yield claim("vgg16-96mb", quote, "96MB", listing_total("activations", 4), reason=reason)
    twice = Source("outputs of vgg-d with their gradients, over outputs, in the rows of the listing", backward_memory)
    yield claim("vgg16-backward", quote, "2", twice)
    yield claim("vgg16-138m", "TOTAL params: 138M parameters", "138M", total_quantity("vgg-d", "parameters"))
    memory_share = partial(
        majority_share, network="vgg-d", quantity="activations", prefixes=("conv1", "conv2"), types="CONV, MAX POOL, FC"
    )
    weight_share = partial(majority_share, network="vgg-d", quantity="weights", prefixes=("fc",), types="CONV, FC")
    early = Source("conv1-1 to conv2-2 of vgg-d, of all outputs", memory_share)
    late = Source("fc6, fc7, fc8 of vgg-d, of all weights", weight_share)
    yield claim("vgg16-early", "Most memory is in early CONV", "early CONV", early)
    yield claim("vgg16-late", "Most params are in late FC", "late FC", late)
    names = Source("names of vgg-d", layer_names)
    reason = "conv3-3 is missing. The network has three convolutions with 256 filters."
    yield claim("vgg16-names", "Common names", NAMES, names, reason=reason)
