"""ILSVRC's localization error, as in the development kit of 2012: its readme, and eval_localization_flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from reproductions.lab.data.imagenet.devkit import LARGEST_META, synsets
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.files import read_bytes
from reproductions.lab.results.entries import ErrorRate

GUESSES = 5
OVERLAP = 0.5
CORNERS = ("xmin", "ymin", "xmax", "ymax")
FARTHEST = 1e9  # pixels
LARGEST, LARGEST_XML = 1 << 27, 1 << 20  # bytes; all guesses for the official test images have some 25 million
DIGITS = 9  # of a class or an image
WORDS = 1 + len(CORNERS)  # of a guess


class Box(NamedTuple):
    """A class, given by its WNID, and a box in pixels, which includes its right and lower ends."""

    wnid: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def area(self) -> float:
        """Number of pixels."""
        return (self.xmax - self.xmin + 1) * (self.ymax - self.ymin + 1)

    @property
    def is_valid(self) -> bool:
        """Whether its ends are numbers in order, of no more than `FARTHEST` pixels."""
        return -FARTHEST <= self.xmin <= self.xmax <= FARTHEST and -FARTHEST <= self.ymin <= self.ymax <= FARTHEST


@dataclass(frozen=True)
class LocalizationResult:
    """Result of a localization test.

    Attributes:
        images: Number of images tested.
        localization: Error rate of the guesses with their boxes.
        classification: Error rate of their classes alone.
    """

    images: int
    localization: ErrorRate
    classification: ErrorRate


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes, as PASCAL VOC computes it."""
    width = min(one.xmax, other.xmax) - max(one.xmin, other.xmin) + 1
    height = min(one.ymax, other.ymax) - max(one.ymin, other.ymin) + 1
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one.area + other.area - width * height)


def localized(guesses: Sequence[Box], truth: Sequence[Box]) -> bool:
    """Return whether one of the first five guesses overlaps a true box of its class by at least half."""
    return any(
        guess.wnid == box.wnid and overlap(guess, box) >= OVERLAP for guess in guesses[:GUESSES] for box in truth
    )


def evaluate_predictions(
    predictions: Path, truth: Path, devkit: Path | None = None, blacklist: Path | None = None
) -> LocalizationResult:
    """Compute the localization error of a file of predictions.

    Args:
        predictions: Text file with one line per image, in the order of the names of their XML files: up to five of
            `label xmin ymin xmax ymax`; further words are ignored. Labels are WNIDs, or class numbers of the kit.
        truth: Folder with one XML file per image.
        devkit: Folder of the development kit, which maps class numbers, from 1, to WNIDs.
        blacklist: Text file with the numbers, from 1, of images to leave out.

    Returns:
        The localization error, and the classification error of the same guesses.

    Raises:
        UsageError: If something cannot be read or does not fit; it names the file and the line.
    """
    files = sorted(truth.glob("*.xml"))
    if not files:
        raise UsageError(f"{truth} contains no XML files; expected one file of boxes per image")
    lines = read_text(predictions).splitlines()
    if len(lines) != len(files):
        raise UsageError(
            f"{predictions} has {len(lines)} lines, but {truth} has boxes of {len(files)} images; "
            "expected one line per image"
        )
    wnids = read_wnids(devkit) if devkit else {}
    skipped = read_blacklist(blacklist, len(files)) if blacklist else set()
    images = right_boxes = right_classes = 0
    for number, (line, file) in enumerate(zip(lines, files), 1):
        if number in skipped:
            continue
        guesses, boxes = parse_guesses(line, f"{predictions}, line {number}", wnids), read_boxes(file)
        images += 1
        right_boxes += localized(guesses, boxes)
        right_classes += bool({guess.wnid for guess in guesses} & {box.wnid for box in boxes})
    if not images:
        raise UsageError(f"{blacklist} leaves no image of {truth} to test")
    return LocalizationResult(
        images, ErrorRate.of(images - right_boxes, images), ErrorRate.of(images - right_classes, images)
    )


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; UsageError if it cannot be read."""
    try:
        return read_bytes(path, LARGEST).decode()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: it is not UTF-8 text") from None


def parse_guesses(line: str, where: str, wnids: Mapping[int, str]) -> list[Box]:
    """Return the guesses of a line, at most five.

    Args:
        line: Line of a file of predictions.
        where: File and line, for error messages.
        wnids: WNIDs by class number.
    """
    words = line.split()[: WORDS * GUESSES]
    if len(words) % WORDS:
        raise UsageError(f"{where}: expected a label and four numbers for each guess; got {len(words)} words")
    return [parse_guess(words[first : first + WORDS], where, wnids) for first in range(0, len(words), WORDS)]


def parse_guess(words: Sequence[str], where: str, wnids: Mapping[int, str]) -> Box:
    """Return the guess of a label and four numbers; see `parse_guesses`."""
    label, numbers = words[0], " ".join(words[1:])
    if label.isdecimal():
        if whole_number(label) not in wnids:
            known = f"the kit has {min(wnids)} to {max(wnids)}" if wnids else "name the development kit with --devkit"
            raise UsageError(f"{where}: no class has the number {label[:40]}; {known}")
        label = wnids[whole_number(label)]
    try:
        box = Box(label, *map(float, words[1:]))
    except ValueError:
        raise UsageError(
            f"{where}: expected xmin ymin xmax ymax, got {numbers[:80]}, which are not four numbers"
        ) from None
    if not box.is_valid:
        raise UsageError(f"{where}: expected xmin ymin xmax ymax, got {numbers[:80]}, which is not a box")
    return box


class NoDoctype(ElementTree.TreeBuilder):
    """Builds a tree, and refuses document type declarations, whose entities could grow without bound."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Raise ValueError."""
        raise ValueError("it declares a document type, which is not allowed")


def read_boxes(path: Path) -> list[Box]:
    """Return the boxes in an XML file in PASCAL VOC's format."""
    try:
        root = ElementTree.fromstring(read_bytes(path, LARGEST_XML), ElementTree.XMLParser(target=NoDoctype()))
        boxes = [parse_box(found) for found in root.iter("object")]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not boxes:
        raise UsageError(f"{path} contains no object with a box")
    return boxes


def parse_box(element: ElementTree.Element) -> Box:
    """Return the box of an "object" element; ValueError if it is incomplete."""
    texts = [element.findtext(name) for name in ("name", *(f"bndbox/{corner}" for corner in CORNERS))]
    if None in texts:
        raise ValueError("an object lacks its name, or a corner of its box")
    box = Box(str(texts[0]).strip(), *(float(str(text)) for text in texts[1:]))
    if not box.is_valid:
        raise ValueError(f"expected xmin <= xmax and ymin <= ymax, got {', '.join(f'{end:g}' for end in box[1:])}")
    return box


def whole_number(text: str) -> int:
    """Return a number of decimal digits; one of more than `DIGITS` is taken for the largest possible."""
    return int(text) if len(text) <= DIGITS else 10**DIGITS


def read_blacklist(path: Path, images: int) -> set[int]:
    """Return the image numbers in a blacklist of `images` images, one per line."""
    found = set()
    for number, line in enumerate(read_text(path).split("\n"), 1):
        word = line.strip()
        if word and not (word.isdecimal() and 1 <= whole_number(word) <= images):
            raise UsageError(f"{path}, line {number}: expected an image number from 1 to {images}, got {word[:40]!r}")
        if word:
            found.add(int(word))
    return found


def read_wnids(devkit: Path) -> dict[int, str]:
    """Return the WNID of each class by its number in a development kit.

    Args:
        devkit: Folder with data/meta.mat, as in 2012, or data/map_clsloc.txt, as in later years.
    """
    listed, meta = devkit / "data" / "map_clsloc.txt", devkit / "data" / "meta.mat"
    if listed.is_file():
        rows = [line.split() for line in read_text(listed).splitlines() if line.strip()]
        for number, row in enumerate(rows, 1):
            if len(row) < 2 or not row[1].isdecimal():
                raise UsageError(f"{listed}, line {number}: expected a WNID and a number, got {' '.join(row)[:40]!r}")
        return {whole_number(row[1]): row[0] for row in rows}
    if not meta.is_file():
        raise UsageError(f"{devkit} is not a development kit: expected data/meta.mat or data/map_clsloc.txt in it")
    with file_errors(meta):
        return {synset.number: synset.wnid for synset in synsets(read_bytes(meta, LARGEST_META))}
