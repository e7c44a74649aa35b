"""The slides that introduce the case studies, LeNet and ImageNet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

from reproductions.lab.analysis.claims import Claim, Evidence, Source, published
from reproductions.lab.analysis.published import Fact, Range
from reproductions.lecture.layer_queries import distinct_windows, layer_type, layers_of_type


def stacked_convolutions(evidence: Evidence) -> Fact:
    """Compare the most consecutive convolutions in AlexNet and in LeNet-5."""
    longest = []
    for network in "alexnet", "lenet5":
        layers = "".join("c" if layer_type(layer) == "CONV" else "-" for layer in evidence.layers(network))
        longest.append(max(map(len, layers.split("-"))))
    return Fact(longest[0] > 1 == longest[1], f"up to {longest[0]} in a row, {longest[1]} in lenet5")


def more_parameters(evidence: Evidence) -> Fact:
    """Compare the parameters of AlexNet and LeNet-5."""
    counts = [sum(layer.parameters for layer in evidence.layers(network)) for network in ("alexnet", "lenet5")]
    return Fact(counts[0] > counts[1], f"{counts[0]:,} parameters, {counts[1]:,} in lenet5")


def more_trained_layers(evidence: Evidence) -> Fact:
    """Compare the numbers of layers with trainable weights of AlexNet and LeNet-5."""
    models = [evidence.model(network) for network in ("alexnet", "lenet5")]
    counts = [sum(bool(layer.trainable_weights) for layer in model.layers) for model in models]
    return Fact(counts[0] > counts[1], f"{counts[0]} layers with weights, {counts[1]} in lenet5")


def first_window(evidence: Evidence, network: str) -> str:
    """Return the window of conv1, such as "11x11 stride 4"."""
    layer = evidence.layer(network, "conv1")
    return f"{layer.kernel_size[0]}x{layer.kernel_size[1]} stride {layer.strides[0]}"


def smaller_first_window(evidence: Evidence) -> Fact:
    """Return whether kernel size and stride of conv1 are smaller in ZFNet than in AlexNet."""
    zfnet, alexnet = (evidence.layer(network, "conv1") for network in ("zfnet", "alexnet"))
    smaller = zfnet.kernel_size < alexnet.kernel_size and zfnet.strides < alexnet.strides
    return Fact(smaller, f"{first_window(evidence, 'zfnet')} for {first_window(evidence, 'alexnet')}")


def middle_filters(evidence: Evidence, network: str) -> str:
    """Return the filters of conv3, conv4 and conv5, such as "384, 384, 256"."""
    return ", ".join(str(evidence.layer(network, f"conv{number}").output_shape[-1]) for number in (3, 4, 5))


def more_middle_filters(evidence: Evidence) -> Fact:
    """Compare the filters of conv3, conv4 and conv5 in ZFNet (b) and AlexNet."""
    networks = ("zfnet-512", "alexnet")
    zfnet, alexnet = (sum(evidence.layer(n, f"conv{i}").output_shape[-1] for i in (3, 4, 5)) for n in networks)
    found = f"{middle_filters(evidence, 'zfnet-512')} maps for {middle_filters(evidence, 'alexnet')}"
    return Fact(zfnet > alexnet, found)


def decade(evidence: Evidence) -> str:
    """Return the decade in which LeNet-5 was published."""
    return f"{int(evidence.number('lenet5/year')) // 10}0's"


def lowest(table: str) -> Source:
    """Source: the name with the lowest error in a published table."""
    return Source(f"the lowest error in {table}", lambda evidence: next(iter(evidence.ranking(table))))


def second_lowest(evidence: Evidence) -> float:
    """Return the second lowest error in ILSVRC-2012."""
    return list(evidence.ranking("ilsvrc2012").values())[1]


WINNER_REASON = (
    "Among the figures for 2013 the lowest is Clarifai's 11.7. The paper of Zeiler and Fergus reports 14.8, for six "
    "networks."
)


def case_studies() -> Iterator[Claim]:
    """Yield the claims of the slides that introduce the case studies."""
    claim = partial(Claim, slide="Case Studies", study="lenet5")
    year = Source("published: lenet5/year", decade)
    yield claim("lenet-decade", "developed by Yann LeCun in 1990's", "1990's", year)
    use = published("lenet5/use")
    yield claim("lenet-use", "was used to read zip codes, digits, etc.", "zip codes", use)

    claim = partial(Claim, slide="Case Studies", study="alexnet")
    quote = "developed by Alex Krizhevsky, Ilya Sutskever and Geoff Hinton"
    yield claim("alexnet-authors", quote, "Krizhevsky, Sutskever, Hinton", published("alexnet/authors"))
    yield claim("alexnet-16", "top 5 error of 16%", "16%", published("ilsvrc2012/SuperVision"))
    second = Source("the second lowest error in ilsvrc2012", second_lowest)
    yield claim("alexnet-26", "compared to runner-up with 26% error", "26%", second)
    yield claim("alexnet-deeper", "but was deeper", "deeper", Source("alexnet and lenet5", more_trained_layers))
    yield claim("alexnet-bigger", "bigger", "bigger", Source("alexnet and lenet5", more_parameters))
    quote = "featured Convolutional Layers stacked on top of each other"
    stacked = Source("alexnet and lenet5, layer by layer", stacked_convolutions)
    yield claim("alexnet-stacked", quote, "stacked", stacked)

    claim = partial(Claim, slide="Case Studies", study="zfnet")
    quote = "The ILSVRC 2013 winner was a Convolutional Network from Matthew Zeiler and Rob Fergus"
    yield claim("zfnet-winner", quote, "Zeiler and Fergus", lowest("ilsvrc2013"), reason=WINNER_REASON)
    quote = "expanding the size of the middle convolutional layers"
    wider = Source("conv3, conv4, conv5 of zfnet-512 and alexnet", more_middle_filters)
    yield claim("zfnet-middle", quote, "expanding", wider)
    quote = "making the stride and filter size on the first layer smaller"
    yield claim("zfnet-first", quote, "smaller", Source("conv1 of zfnet and alexnet", smaller_first_window))


def lenet_order(evidence: Evidence) -> str:
    """Return the types of LeNet-5's trained layers, which the RBF units are not."""
    layers = layers_of_type(evidence, "lenet5", "CONV", "POOL", "FC")
    return f"[{'-'.join(map(layer_type, layers))}]"


def hidden_layers(evidence: Evidence) -> Fact:
    """Return whether LeNet-5 has more than one hidden layer."""
    names = [layer.name for layer in layers_of_type(evidence, "lenet5", "CONV", "POOL", "FC")]
    return Fact(len(names) > 1, f"{len(names)}: {', '.join(names)}")


def replicated_maps(evidence: Evidence) -> Fact:
    """Return whether each layer of LeNet-5 before F6 has several maps, whose units share weights.

    If they did not, a layer would have as many weights as multiplications, as C5 has, whose maps are single units.
    """
    layers = layers_of_type(evidence, "lenet5", "CONV", "POOL")
    replicated = [layer for layer in layers if layer.parameters < layer.multiply_adds]
    single = [layer for layer in layers if layer.output_shape[:2] == (1, 1)]
    maps = ", ".join(f"{layer.output_shape[-1]} in {layer.name}" for layer in layers)
    holds = all(layer.output_shape[-1] > 1 for layer in layers) and len(replicated) + len(single) == len(layers)
    return Fact(holds and bool(replicated), f"{maps}, replicated in {len(replicated)} layers")


def pooled_neighbours(evidence: Evidence) -> Fact:
    """Return whether LeNet-5's pools take adjacent outputs of convolutions, map by map."""
    layers = layers_of_type(evidence, "lenet5", "CONV", "POOL", "FC")
    pairs = [(one, pool) for one, pool in itertools.pairwise(layers) if layer_type(pool) == "POOL"]
    windows = ("x".join(map(str, pool.kernel_size)) for _, pool in pairs)
    pools = ", ".join(f"{window} of {one.name} in {pool.name}" for window, (one, pool) in zip(windows, pairs))
    holds = all(
        layer_type(one) == "CONV" and pool.kernel_size == pool.strides and one.output_shape[-1] == pool.output_shape[-1]
        for one, pool in pairs
    )
    return Fact(bool(pairs) and holds, pools)


def errors_with_distortions(evidence: Evidence) -> Range:
    """Return the range of misclassified test images; the paper reports the error in tenths of a percent."""
    error, images = evidence.number("lenet5/error with distortions"), evidence.number("lenet5/test images")
    return Range(*(round((error + half) / 100 * images, 6) for half in (-0.05, 0.05)))


def lenet() -> Iterator[Claim]:
    """Yield the claims of the slides on LeNet."""
    claim = partial(Claim, slide="LeNet", study="lenet5")
    for id, quote, value, source in (
        ("lenet-layers", "Many hidden layers", "Many", Source("layers of lenet5 before the output", hidden_layers)),
        ("lenet-maps", "Many maps of replicated units in each layer", "Many",
         Source("maps and weights of the convolutions and pools of lenet5", replicated_maps)),
        ("lenet-pooling", "Pooling of the outputs of nearby replicated units", "nearby",
         Source("windows and inputs of the pools of lenet5", pooled_neighbours)),
    ):  # fmt: skip
        yield claim(id, quote, value, source)
    several = published("lenet5/overlapping", "images of several characters that overlap, with their labels")
    yield claim("lenet-overlap", "can cope with several characters at once even if they overlap", "several", several)
    checks = published("lenet5/checks", "the share of North American checks that it read")
    yield claim("lenet-checks", "used for reading ~10% of the checks in North America", "10%", checks)
    claim = partial(Claim, slide="LeNet-5", study="lenet5")
    yield claim("lenet5-year", "[LeCun et al., 1998]", "1998", published("lenet5/year"))
    template = "{side}x{side}, applied at stride {stride}"
    for id, quote, value, type_name in (
        ("lenet5-filters", "Conv filters were 5x5, applied at stride 1", "5x5, applied at stride 1", "CONV"),
        ("lenet5-pools", "layers were 2x2 applied at stride 2", "2x2, applied at stride 2", "POOL"),
    ):
        windows = partial(distinct_windows, networks=("lenet5",), type_name=type_name, template=template)
        yield claim(id, quote, value, Source(f"{type_name} layers of lenet5", windows))
    order = Source("layers of lenet5 that are trained, in order", lenet_order)
    architecture = "[CONV-POOL-CONV-POOL-CONV-FC]"
    yield claim("lenet5-order", f"architecture is {architecture}", architecture, order)
    claim = partial(Claim, slide="The 82 errors made by LeNet5", study="lenet5")
    errors = Source("published: lenet5/error with distortions, of 10,000 images", errors_with_distortions)
    yield claim("lenet5-82", "The 82 errors made by LeNet5", "82", errors)
    people = published("lenet5/people", "the errors of people on the test images; the lecture itself estimates them")
    quote = "The human error rate is probably 20 to 30 errors"
    yield claim("lenet5-people", quote, "20 to 30", people)
    easy = published("lenet5/easy", "the answers of people to the misclassified digits")
    yield claim("lenet5-easy", "most of the errors are cases that people find quite easy", "most", easy)


# --- ImageNet


def groups(evidence: Evidence) -> Fact:
    """Return the teams of Oxford, INRIA and XRCE in ILSVRC-2012."""
    teams = evidence.ranking("ilsvrc2012")
    found = [next((team for team in teams if part in team), "") for part in ("OXFORD", "INRIA", "XRCE")]
    return Fact(all(found), ", ".join(filter(None, found)))


def training_images(evidence: Evidence) -> int:
    """Return the number of training images of ILSVRC-2012."""
    from reproductions.lab.data.imagenet.official import TRAIN_IMAGES

    return TRAIN_IMAGES


def half_overlap(evidence: Evidence) -> Fact:
    """Return whether a guess that overlaps the correct box by 50% is right, and one by 49% is wrong."""
    from reproductions.lab.evaluation.localization import Box, localized, overlap

    correct = Box("n1", 1, 1, 100, 100)
    half, less = (Box("n1", 1, 1, 100, height) for height in (50, 49))
    holds = localized([half], [correct]) and not localized([less], [correct])
    return Fact(holds, f"{overlap(half, correct):.0%} is enough, {overlap(less, correct):.0%} is not")


IMAGES_REASON = (
    "ILSVRC-2012 has 1,281,167 training images, which round to 1.3 million. AlexNet's paper says roughly 1.2 million."
)


def imagenet() -> Iterator[Claim]:
    """Yield the claims of the slides on ImageNet."""
    claim = partial(Claim, slide="The arrival of big visual data...")
    training = Source("training images of ILSVRC-2012, by which its files are checked", training_images)
    yield claim("imagenet-14m", "~14 million labeled images", "14 million", published("imagenet/images"))
    yield claim("imagenet-20k", "20k classes", "20k", published("imagenet/all classes"))
    labels = published("imagenet/labels")
    yield claim("imagenet-labels", "Human labels via Amazon MTurk", "Amazon MTurk", labels)
    yield claim("ilsvrc-1.2m", "ILSVRC: 1.2 million training images", "1.2 million", training, reason=IMAGES_REASON)
    yield claim("ilsvrc-1000", "1000 classes", "1000", published("imagenet/classes"))

    claim = partial(Claim, slide="The ILSVRC-2012 competition on ImageNet")
    quote = "1.2 million high-resolution training images"
    yield claim("ilsvrc2012-1.2m", quote, "1.2 million", training, reason=IMAGES_REASON)
    yield claim("ilsvrc2012-top5", "the correct class in your top 5 bets", "5", published("imagenet/guesses"))
    yield claim("ilsvrc2012-1000", "There are 1000 classes", "1000", published("imagenet/classes"))
    overlap = Source("the rule of the development kit, as `reproduce localization` applies it", half_overlap)
    yield claim("ilsvrc2012-overlap", "at least 50% overlap with the correct box", "50%", overlap)
    quote = "leading computer vision groups from Oxford, INRIA, XRCE, ..."
    yield claim("ilsvrc2012-groups", quote, "Oxford, INRIA, XRCE", Source("teams in ilsvrc2012", groups))
