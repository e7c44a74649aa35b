"""The slides that introduce the case studies, LeNet and ImageNet."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from reproductions.lab.analysis.claims import Bench, Claim, Source, derived, if_published, published
from reproductions.lab.analysis.published import Fact, Range
from reproductions.lecture.layer_queries import distinct, of_kind, word


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
