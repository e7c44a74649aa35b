"""How the papers test: which views of a picture a network sees, and what becomes of its answers. Data only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from reproductions.lab.errors import unknown

Canvas = Literal["stored", "central part", "centre square", "three squares", "whole picture"]
Crop = Literal["whole", "centre", "corners", "resized", "grid", "random"]

NON_BLACKLISTED = ", non-blacklisted"
SQUARES = 3
GRID = 5
CROPS: dict[Crop, int] = {"whole": 1, "centre": 1, "corners": 4, "resized": 1, "grid": GRID**2, "random": 6}


@dataclass(frozen=True)
class Protocol:
    """One way of testing, under the name that its figures carry.

    Attributes:
        source: where it is described, and what was decided here where the paper is silent.
        canvas: what crops are taken from: the image as it is stored; the `central` part of a picture, resized to
            the input whatever its shape; or of a picture resized to each of the `short_sides` the central square,
            three squares (left, centre, right, or top, centre, bottom), or all of it. The steps of a recipe's
            `test_transforms` are applied to the canvas (of the three squares, to the picture they are cut from).
        short_sides: pixels of the shorter side, for a network of one of the `inputs`; in proportion to the first
            of these for others.
        crops: which crops of the canvas, of stored images the first in validation too: "whole" takes it as it is,
            "resized" resizes it to the input, "grid" is five rows of five, and "random" are so many results of the
            random steps of training.
        mirrored: whether every crop is also seen in the mirror.
        dense: whether the network is made fully convolutional, and its map of logits averaged, before the softmax.
        averages: the protocols whose scores are averaged, where it is made of others.
        blacklisted: whether the 1,762 validation images of ILSVRC's blacklist are tested on.

    Scores are the softmax of the logits, averaged over all views.
    """

    name: str
    source: str
    canvas: Canvas = "stored"
    crops: tuple[Crop, ...] = ("whole",)
    short_sides: tuple[int, ...] = ()
    mirrored: bool = False
    dense: bool = False
    averages: tuple[str, ...] = ()
    blacklisted: bool = True
    central: float = 0.875
    inputs: tuple[int, ...] = (224, 227)

    @property
    def views(self) -> int:
        """Views of one image; of a dense test, passes over one image."""
        if self.averages:
            return sum(find(name).views for name in self.averages)
        squares = SQUARES if self.canvas == "three squares" else 1
        crops = sum(CROPS[crop] for crop in self.crops)
        return (len(self.short_sides) or 1) * squares * crops * (1 + self.mirrored)

    @property
    def slug(self) -> str:
        """The name as a part of a file's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())

    def sides(self, size: int) -> list[int]:
        """The shorter sides for a network whose input has `size` pixels a side."""
        if size in self.inputs:
            return list(self.short_sides)
        return [round(side * size / self.inputs[0]) for side in self.short_sides]

    def components(self) -> list[Protocol]:
        """The protocols whose scores are averaged: itself alone, or those that it is made of."""
        return [replace(find(name), blacklisted=self.blacklisted) for name in self.averages] or [self]


def positions(crop: str, height: Any, width: Any, size: Any) -> list[tuple[Any, Any]]:
    """Top and left of the crops of this kind, `size` pixels a side; sizes are whole numbers, or tensors of them."""
    down, across = height - size, width - size
    if crop == "centre":
        return [(down // 2, across // 2)]
    if crop == "corners":
        return [(0, 0), (0, across), (down, 0), (down, across)]
    if crop == "three squares":  # of the shorter side: one of down and across is 0
        return [(down * i // 2, across * i // 2) for i in range(SQUARES)]
    last = GRID - 1
    return [
        ((down * i + last // 2) // last, (across * j + last // 2) // last) for i in range(GRID) for j in range(GRID)
    ]


def vgg(name: str, *short_sides: int, source: str = "", **options: Any) -> Protocol:
    """A protocol of Simonyan and Zisserman 2014: of the whole picture at these short sides, and mirrored."""
    told = f"{name} at {', '.join(map(str, short_sides))}"
    return Protocol(told, source, "whole picture", short_sides=short_sides, mirrored=True, **options)


DENSE = "Simonyan and Zisserman 2014, section 3.2: fully connected layers as convolutions over the uncropped image"
GRID_CROPS = "Simonyan and Zisserman 2014, section 3.2: a regular 5 x 5 grid, taken here over the uncropped image"
JITTERED = (256, 384, 512)
TABLE_3 = "Szegedy et al. 2014, Table 3, which does not say where"

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

PATCHES = "cuda-convnet, Krizhevsky's code of 2011 and 2012, of images held in memory: patches of the input's size"

ALL = (
    Protocol("whole image", "the image as it is stored, once"),
    Protocol("centre patch", f"{PATCHES}, the centre", crops=("centre",)),
    Protocol("ten patches", f"{PATCHES}, centre and corners, mirrored", crops=("centre", "corners"), mirrored=True),
    Protocol(
        "six random views",
        "ConvNetJS' CIFAR-10 demo: six random shifts and flips, those of training",
        crops=("random",),
    ),
    CENTRE_CROP,
    TEN_CROPS,
    replace(CENTRE_CROP, name="1 crop", source=f"{TABLE_3}: here as Krizhevsky's centre crop"),
    replace(TEN_CROPS, name="10 crops", source=f"{TABLE_3}: here as Krizhevsky's ten"),
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
        "Szegedy et al. 2015 and 2016, which do not say where: here the central 87.5% of height and width, "
        "resized to the input, as TF-slim tests these networks",
        "central part",
    ),
    Protocol(
        "12 crops",
        "Szegedy et al. 2015 and 2016, which do not say which: here the 6 crops that Szegedy et al. 2014 take of "
        "a square, of the central one at their smallest scale, mirrored",
        "centre square",
        ("corners", "centre", "resized"),
        (256,),
        mirrored=True,
    ),
    vgg("dense", 256, source=DENSE, dense=True),
    vgg("dense", 384, source=DENSE, dense=True),
    vgg("dense", 224, 256, 288, source=DENSE, dense=True),
    vgg("dense", 352, 384, 416, source=DENSE, dense=True),
    vgg("dense", *JITTERED, source=DENSE, dense=True),
    vgg("multi-crop", *JITTERED, source=GRID_CROPS, crops=("grid",)),
    Protocol(
        "multi-crop and dense at 256, 384, 512",
        "Simonyan and Zisserman 2014, Table 5: the average of the two softmax outputs",
        "whole picture",
        averages=("multi-crop at 256, 384, 512", "dense at 256, 384, 512"),
    ),
)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in ALL}


def find(name: str) -> Protocol:
    """The protocol of this name, which may end in ", non-blacklisted"; UsageError lists the right ones."""
    plain = name.removesuffix(NON_BLACKLISTED)
    if plain not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    found = PROTOCOLS[plain]
    return found if plain == name else replace(found, name=name, blacklisted=False)
