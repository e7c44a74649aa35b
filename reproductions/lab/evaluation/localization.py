"""ILSVRC's localization error: the development kit of 2012, readme and eval_localization_flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from reproductions.lab.errors import UsageError
from reproductions.lab.results.stats import wilson_interval

GUESSES = 5
OVERLAP = 0.5
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class Box(NamedTuple):
    """A class, as a WNID, and a box in pixels whose right and lower ends still belong to it."""

    wnid: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def area(self) -> float:
        return (self.xmax - self.xmin + 1) * (self.ymax - self.ymin + 1)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, with the ends of the boxes inside them, as PASCAL VOC counts."""
    width = min(one.xmax, other.xmax) - max(one.xmin, other.xmin) + 1
    height = min(one.ymax, other.ymax) - max(one.ymin, other.ymin) + 1
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one.area + other.area - width * height)


def localized(guesses: Sequence[Box], truth: Sequence[Box]) -> bool:
    """Whether one of the guesses has the class of a true box and covers it, or another of its class, by half."""
    return any(
        guess.wnid == box.wnid and overlap(guess, box) >= OVERLAP for guess in guesses[:GUESSES] for box in truth
    )


def score(predictions: Path, truth: Path, devkit: Path | None = None, blacklist: Path | None = None) -> dict[str, Any]:
    """The localization error of a file of predictions, in percent, and the classification error of its guesses.

    `predictions` has a line an image, in the order of their file names: `label xmin ymin xmax ymax` up to five
    times, what follows is ignored. Labels are WNIDs, or the kit's own numbers from 1 on, which its folder `devkit`
    explains. `truth` is a folder with an XML file an image; `blacklist` numbers, from 1 on, images to leave out.
    Raises UsageError, naming file and line, for what cannot be read or does not fit.
    """
    files = sorted(truth.glob("*.xml"))
    if not files:
        raise UsageError(f"{truth} holds no XML files of boxes")
    lines = read_text(predictions).splitlines()
    if len(lines) != len(files):
        raise UsageError(f"{predictions} has {len(lines)} lines, but {truth} has boxes of {len(files)} images")
    wnids = synsets(devkit) if devkit else {}
    out = left_out(blacklist, len(files)) if blacklist else set()
    right, classes, images = 0, 0, 0
    for number, (line, file) in enumerate(zip(lines, files), 1):
        if number in out:
            continue
        guesses, boxes = guessed(line, f"{predictions}, line {number}", wnids), true_boxes(file)
        images += 1
        right += localized(guesses, boxes)
        classes += bool({guess.wnid for guess in guesses} & {box.wnid for box in boxes})
    if not images:
        raise UsageError(f"{blacklist} leaves no image of {truth} to test")
    errors = images - right
    return {
        "errors": errors,
        "images": images,
        "error": 100 * errors / images,
        "interval": list(wilson_interval(errors, images)),
        "class_error": 100 * (images - classes) / images,
    }


def read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: it is no text") from None


def guessed(line: str, where: str, wnids: Mapping[int, str]) -> list[Box]:
    """The guesses of one line, five at most."""
    words = line.split()[: 5 * GUESSES]
    if len(words) % 5:
        raise UsageError(f"{where}: a label and four numbers are wanted for each guess; there are {len(words)} words")
    return [guess(words[first : first + 5], where, wnids) for first in range(0, len(words), 5)]


def guess(words: Sequence[str], where: str, wnids: Mapping[int, str]) -> Box:
    label = words[0]
    if label.isdecimal():
        if int(label) not in wnids:
            known = f"the kit numbers {min(wnids)} to {max(wnids)}" if wnids else "name the kit with --devkit"
            raise UsageError(f"{where}: no class has the number {label}; {known}")
        label = wnids[int(label)]
    try:
        box = Box(label, *map(float, words[1:]))
    except ValueError:
        raise UsageError(f"{where}: {' '.join(words[1:])} are not four numbers") from None
    if not (np.isfinite(box[1:]).all() and box.xmin <= box.xmax and box.ymin <= box.ymax):
        raise UsageError(f"{where}: {' '.join(words[1:])} is no box of xmin ymin xmax ymax")
    return box


class NoDoctype(ElementTree.TreeBuilder):
    """Builds a tree, but of no document that declares a type: its entities could grow without bound."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it declares a document type, which is refused")


def true_boxes(path: Path) -> list[Box]:
    """The boxes in a file of annotations in PASCAL VOC's format."""
    try:
        root = ElementTree.parse(path, ElementTree.XMLParser(target=NoDoctype())).getroot()
        boxes = [true_box(found) for found in root.iter("object")]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ElementTree.ParseError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not boxes:
        raise UsageError(f"{path} holds no object with a box")
    return boxes


def true_box(found: ElementTree.Element) -> Box:
    texts = [found.findtext(name) for name in ("name", *(f"bndbox/{corner}" for corner in CORNERS))]
    if None in texts:
        raise ValueError("an object lacks its name, or a corner of its box")
    return Box(str(texts[0]).strip(), *(float(str(text)) for text in texts[1:]))


def left_out(path: Path, images: int) -> set[int]:
    """The numbers in a blacklist."""
    found = set()
    for number, line in enumerate(read_text(path).split("\n"), 1):
        word = line.strip()
        if word and not (word.isdecimal() and 1 <= int(word) <= images):
            raise UsageError(f"{path}, line {number}: {word!r} is not the number of one of {images} images")
        if word:
            found.add(int(word))
    return found


def synsets(devkit: Path) -> dict[int, str]:
    """The WNID of each class by its number, from the kit's data/meta.mat, or its data/map_clsloc.txt of later years."""
    listed, meta = devkit / "data" / "map_clsloc.txt", devkit / "data" / "meta.mat"
    if listed.is_file():
        rows = [line.split() for line in read_text(listed).splitlines() if line.strip()]
        for number, row in enumerate(rows, 1):
            if len(row) < 2 or not row[1].isdecimal():
                raise UsageError(f"{listed}, line {number}: a WNID and a number are wanted")
        return {int(row[1]): row[0] for row in rows}
    if not meta.is_file():
        raise UsageError(f"{devkit} is no development kit: it has neither data/meta.mat nor data/map_clsloc.txt")
    from scipy.io import loadmat

    try:
        found = loadmat(meta, squeeze_me=True, struct_as_record=False)["synsets"]
        return {int(synset.ILSVRC2012_ID): str(synset.WNID) for synset in np.atleast_1d(found)}
    except Exception as error:  # scipy raises many kinds on damaged files
        raise UsageError(f"{meta} cannot be read: {error}") from None
