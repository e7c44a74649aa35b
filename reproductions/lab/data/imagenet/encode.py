"""From an image file to the JPEG that is stored, and to the pixels for statistics."""

from __future__ import annotations

import io
import re
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, features

SIDE = 256
QUALITY = 95
# Pillow widens the filter as it shrinks an image, which prevents aliasing. The papers do not name a filter; bicubic is
# sharp, and rings less than Lanczos.
FILTER = Image.Resampling.BICUBIC

ADDRESS = re.compile(r" <\S+ object at 0x[0-9a-f]+>")  # it differs every time

Settings = dict[str, int | str | None]


class UndecodableImage(ValueError):
    """A file that cannot be decoded."""


class PreparedImage(NamedTuple):
    """An image as it is stored.

    Attributes:
        encoded: JPEG.
        size: (width, height).
        converted: Format and mode of the file if it was not a grey or RGB JPEG, else None.
        centre: Central square of the image at a short side of 256, (256, 256, 3) uint8.
    """

    encoded: bytes
    size: tuple[int, int]
    converted: str | None
    centre: np.ndarray


def settings(originals: bool) -> Settings:
    """Return what the bytes of prepared images depend on."""
    return {
        "short_side": None if originals else SIDE,
        "quality": QUALITY,
        "subsampling": "4:4:4",
        "resampling": FILTER.name.lower(),
        "pillow": Image.__version__,
        "libjpeg": features.version("libjpeg_turbo") or features.version("jpg"),
    }


def prepare_image(data: bytes, originals: bool = False) -> PreparedImage:
    """Return the image to store.

    Args:
        data: File. It is stored unchanged if it is a grey or RGB JPEG and is not resized.
        originals: Keep the size. By default, a shorter side over 256 is resized to 256.

    Returns:
        The image, re-encoded as an RGB JPEG unless it is unchanged.

    Raises:
        UndecodableImage: If the file cannot be decoded.
    """
    image, converted = decode(data)
    stored = image
    if not originals and min(image.size) > SIDE:
        stored = image.resize(resized_size(image.size), FILTER)
    unchanged = stored is image and not converted
    return PreparedImage(data if unchanged else encode_jpeg(stored), stored.size, converted, central_square(image))


def decode(data: bytes) -> tuple[Image.Image, str | None]:
    """Return the image in RGB, and format and mode of the file if it is not a grey or RGB JPEG."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            # Cameras' files of several images (MPO) begin with a plain JPEG, which is what decoders read.
            jpeg = image.format in ("JPEG", "MPO")
            if jpeg and image.mode == "CMYK":
                return rgb_from_cmyk(image), "CMYK JPEG"
            return image.convert("RGB"), None if jpeg and image.mode in ("L", "RGB") else f"{image.format} {image.mode}"
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        reason = ADDRESS.sub("", " ".join(str(error).split()))
        raise UndecodableImage(reason or type(error).__name__) from None


def rgb_from_cmyk(image: Image.Image) -> Image.Image:
    """Convert CMYK to RGB as TensorFlow's decoder does: R = (255 - C) (255 - K) / 255, without colour profiles.

    Adobe's files, which have a marker, store inverted values; Pillow assumes that for every file.
    """
    return (image if "adobe" in image.info else ImageChops.invert(image)).convert("RGB")


def resized_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) at a short side of 256; the long side is rounded."""
    short = min(size)
    width, height = ((2 * SIDE * length + short) // (2 * short) for length in size)
    return width, height


def central_square(image: Image.Image) -> np.ndarray:
    """Return the central square of the image as resized to a short side of 256: (256, 256, 3) uint8."""
    full = resized_size(image.size)
    corner = [(length - SIDE) // 2 for length in full]
    scale = [own / length for own, length in zip(image.size, full)]
    box = [start * s for start, s in zip(corner, scale)] + [(start + SIDE) * s for start, s in zip(corner, scale)]
    return np.asarray(image.resize((SIDE, SIDE), FILTER, box=(box[0], box[1], box[2], box[3])))


def encode_jpeg(image: Image.Image) -> bytes:
    """Return the image as a JPEG."""
    file = io.BytesIO()
    image.info.clear()  # Pillow would copy comments
    image.save(file, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return file.getvalue()
