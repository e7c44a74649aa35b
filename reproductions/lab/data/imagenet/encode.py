"""From a picture's file as it was published to the JPEG that is kept, and to the pixels for statistics."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageChops, features

SIDE = 256
QUALITY = 95
# Pillow widens the filter as it shrinks a picture, which keeps it from aliasing. The papers name no filter; bicubic is
# sharp, and rings less than Lanczos.
FILTER = Image.Resampling.BICUBIC


class Undecodable(ValueError):
    """A file that no picture can be made of."""


class Picture(NamedTuple):
    """A picture that is kept.

    `encoded` is a JPEG, `size` its (width, height); `converted` says what the file was where it was no JPEG in grey or
    RGB; `centre` is (256, 256, 3) uint8, the middle of the picture at a short side of 256.
    """

    encoded: bytes
    size: tuple[int, int]
    converted: str | None
    centre: np.ndarray


def settings(originals: bool) -> dict[str, Any]:
    """What the bytes of prepared pictures depend on."""
    return {
        "short_side": None if originals else SIDE,
        "quality": QUALITY,
        "subsampling": "4:4:4",
        "resampling": FILTER.name.lower(),
        "pillow": Image.__version__,
        "libjpeg": features.version("libjpeg_turbo") or features.version("jpg"),
    }


def prepared(data: bytes, originals: bool = False) -> Picture:
    """The picture to keep: `data` itself where it is a JPEG in grey or RGB and is not to be shrunk.

    Otherwise an RGB JPEG, its short side shrunk to 256 unless `originals`. Raises Undecodable.
    """
    image, converted = decoded(data)
    kept = image
    if not originals and min(image.size) > SIDE:
        kept = image.resize(at_side(image.size), FILTER)
    same = kept is image and not converted
    return Picture(data if same else encoded(kept), kept.size, converted, centre(image))


def decoded(data: bytes) -> tuple[Image.Image, str | None]:
    """The picture in RGB, and what it was if it was no JPEG in grey or RGB."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            # Cameras' files of several pictures (MPO) begin with a plain JPEG, which is what decoders take.
            jpeg = image.format in ("JPEG", "MPO")
            if jpeg and image.mode == "CMYK":
                return from_cmyk(image), "CMYK JPEG"
            return image.convert("RGB"), None if jpeg and image.mode in ("L", "RGB") else f"{image.format} {image.mode}"
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them stumble on
        raise Undecodable(" ".join(str(error).split()) or type(error).__name__) from None


def from_cmyk(image: Image.Image) -> Image.Image:
    """RGB from CMYK, without colour profiles: R = (255 - C) (255 - K) / 255, as TensorFlow's decoder has it.

    Adobe's files, which say so in a marker, hold inverted values; Pillow takes every file for one of those.
    """
    return (image if "adobe" in image.info else ImageChops.invert(image)).convert("RGB")


def at_side(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) with the short side at 256, the long one rounded."""
    short = min(size)
    width, height = ((2 * SIDE * length + short) // (2 * short) for length in size)
    return width, height


def centre(image: Image.Image) -> np.ndarray:
    """(256, 256, 3) uint8: what the middle of the picture would be if all of it were resized to a short side of 256."""
    full = at_side(image.size)
    corner = [(length - SIDE) // 2 for length in full]
    scale = [own / length for own, length in zip(image.size, full)]
    box = [start * s for start, s in zip(corner, scale)] + [(start + SIDE) * s for start, s in zip(corner, scale)]
    return np.asarray(image.resize((SIDE, SIDE), FILTER, box=(box[0], box[1], box[2], box[3])))


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.info.clear()  # Pillow would carry comments over
    image.save(file, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return file.getvalue()
