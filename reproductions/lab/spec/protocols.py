"""Test protocols of the papers: which crops of an image a network sees, and how its outputs are averaged. Data only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from reproductions.lab.errors import unknown

Region = Literal["stored", "central part", "centre square", "three squares", "uncropped"]
Crop = Literal["whole", "centre", "corners", "resized", "grid", "random"]

NON_BLACKLISTED = ", non-blacklisted"
SQUARES = 3
GRID = 5
CROP_COUNTS: dict[Crop, int] = {"whole": 1, "centre": 1, "corners": 4, "resized": 1, "grid": GRID**2, "random": 6}


@dataclass(frozen=True)
class Protocol:
    """A test protocol, under the name that its results carry.

    Scores are the softmax of the logits, averaged over all crops.

    Attributes:
        name: Name of the protocol.
        source: Where it is described, and the choices made here for what the paper leaves open.
        region: What crops are taken from: the image as it is stored; the `central_fraction` of height and width,
            resized to the input whatever its shape; or, of the image resized to each of the `short_sides`, the central
            square, three squares (left, centre, right, or top, centre, bottom), or all of it. The recipe's
            `test_transforms` are applied to the region, or to the image that three squares are cut from.
        crops: Crops of each region: "whole" is the region itself, "resized" is the region resized to the input, "grid"
            is five rows of five, and "random" is several results of the random transforms of training. Validation
            uses the first kind only.
        short_sides: Shorter sides in pixels for a network with one of the `input_sizes`; for other networks they are
            in proportion to the first of these.
        mirrored: Whether the mirror image of every crop is used too.
        dense: Whether the network is made fully convolutional, and its map of logits averaged before the softmax.
        averages: Names of the protocols whose scores are averaged, for a protocol that combines others.
        blacklisted: Whether the 1,762 blacklisted validation images of ILSVRC are included.
        central_fraction: Fraction of height and width of the region "central part".
        input_sizes: Input sizes of the networks that the paper tests.
    """

    name: str
    source: str
    region: Region = "stored"
    crops: tuple[Crop, ...] = ("whole",)
    short_sides: tuple[int, ...] = ()
    mirrored: bool = False
    dense: bool = False
    averages: tuple[str, ...] = ()
    blacklisted: bool = True
    central_fraction: float = 0.875
    input_sizes: tuple[int, ...] = (224, 227)

    @property
    def crops_per_image(self) -> int:
        """Number of crops of an image; for dense tests, number of forward passes."""
        if self.averages:
            return sum(find(name).crops_per_image for name in self.averages)
        squares = SQUARES if self.region == "three squares" else 1
        crops = sum(CROP_COUNTS[crop] for crop in self.crops)
        return (len(self.short_sides) or 1) * squares * crops * (1 + self.mirrored)

    @property
    def slug(self) -> str:
        """The name as part of a file name."""
        return slug(self.name)

    def short_sides_for(self, size: int) -> list[int]:
        """Return the shorter sides for a network with an input of `size` pixels."""
        if size in self.input_sizes:
            return list(self.short_sides)
        return [round(side * size / self.input_sizes[0]) for side in self.short_sides]

    def components(self) -> list[Protocol]:
        """Return the protocols whose scores are averaged: those it combines, or itself."""
        return [replace(find(name), blacklisted=self.blacklisted) for name in self.averages] or [self]


def slug(text: str) -> str:
    """Return text as part of a file name: lower case, with hyphens for all but letters and digits."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def positions(crop: str, height: int, width: int, size: int) -> list[tuple[int, int]]:
    """Return the top left corners of all crops of a kind.

    Args:
        crop: "centre", "corners", "grid" or "three squares".
        height: Height of the region, an integer or an integer tensor; likewise `width`.
        width: Width of the region.
        size: Height and width of the crops.

    Returns:
        (top, left) pairs of the same type.
    """
    down, across = height - size, width - size
    if crop == "centre":
        return [(down // 2, across // 2)]
    if crop == "corners":
        return [(0, 0), (0, across), (down, 0), (down, across)]
    if crop == "three squares":  # as large as the shorter side: down or across is 0
        return [(down * i // 2, across * i // 2) for i in range(SQUARES)]
    last = GRID - 1
    return [
        ((down * i + last // 2) // last, (across * j + last // 2) // last) for i in range(GRID) for j in range(GRID)
    ]


def dense(*short_sides: int) -> Protocol:
    """Return the dense test of Simonyan and Zisserman 2014 at these shorter sides."""
    source = "Simonyan and Zisserman 2014, section 3.2: fully connected layers as convolutions over the uncropped image"
    name = f"dense at {', '.join(map(str, short_sides))}"
    return Protocol(name, source, "uncropped", short_sides=short_sides, mirrored=True, dense=True)


JITTERED = (256, 384, 512)
TABLE_3 = "Szegedy et al. 2014, Table 3, which does not give the positions"

CENTRE_CROP = Protocol(
    "centre crop",
    "Krizhevsky et al. 2012, sections 4.1 and 6: the centre of the central 256 x 256",
    "centre square",
    ("centre",),
    (256,),
)
TEN_CROPS = Protocol(
    "ten crops",
    "Krizhevsky et al. 2012, section 4.1: corners and centre of the central 256 x 256, mirrored",
    "centre square",
    ("corners", "centre"),
    (256,),
    mirrored=True,
)

PATCHES = "cuda-convnet, Krizhevsky's code of 2011 and 2012: patches of the input size of the image as it is stored"

_PROTOCOLS = (
    Protocol("whole image", "the image as it is stored, once; it must have the size of the input"),
    Protocol("centre patch", f"{PATCHES}, the centre", crops=("centre",)),
    Protocol("ten patches", f"{PATCHES}, centre and corners, mirrored", crops=("centre", "corners"), mirrored=True),
    Protocol(
        "six random views",
        "ConvNetJS' CIFAR-10 demo: six random shifts and flips, as in training",
        crops=("random",),
    ),
    CENTRE_CROP,
    TEN_CROPS,
    replace(CENTRE_CROP, name="1 crop", source=f"{TABLE_3}: here the centre crop of Krizhevsky et al. 2012"),
    replace(TEN_CROPS, name="10 crops", source=f"{TABLE_3}: here the ten crops of Krizhevsky et al. 2012"),
    Protocol(
        "144 crops",
        "Szegedy et al. 2014, section 7: 4 scales, 3 squares of each, 6 crops of each square, mirrored",
        "three squares",
        ("corners", "centre", "resized"),
        (256, 288, 320, 352),
        mirrored=True,
    ),
    Protocol(
        "one crop",
        "Szegedy et al. 2015 and 2016, which do not give its position: here the central 87.5% of height and width, "
        "resized to the input, as in TF-slim's evaluation of these networks",
        "central part",
    ),
    Protocol(
        "12 crops",
        "Szegedy et al. 2015 and 2016, which do not give their positions: here the 6 crops of a square of "
        "Szegedy et al. 2014, taken of the central square at their smallest scale, mirrored",
        "centre square",
        ("corners", "centre", "resized"),
        (256,),
        mirrored=True,
    ),
    dense(256),
    dense(384),
    dense(224, 256, 288),
    dense(352, 384, 416),
    dense(*JITTERED),
    Protocol(
        "multi-crop at 256, 384, 512",
        "Simonyan and Zisserman 2014, section 3.2: a regular 5 x 5 grid, taken here over the uncropped image",
        "uncropped",
        ("grid",),
        JITTERED,
        mirrored=True,
    ),
    Protocol(
        "multi-crop and dense at 256, 384, 512",
        "Simonyan and Zisserman 2014, Table 5: the average of the two softmax outputs",
        "uncropped",
        averages=("multi-crop at 256, 384, 512", "dense at 256, 384, 512"),
    ),
)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _PROTOCOLS}


def find(name: str) -> Protocol:
    """Return the protocol of a name, which may end in ", non-blacklisted".

    Raises:
        UsageError: If there is none; it lists the names.
    """
    plain = name.removesuffix(NON_BLACKLISTED)
    if plain not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    found = PROTOCOLS[plain]
    return found if plain == name else replace(found, name=name, blacklisted=False)
