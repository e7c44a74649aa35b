"""Contact sheet of misclassified test images, as the lecture shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reproductions.lab.files import atomic_write
from reproductions.lab.results.entries import Misclassified

MOST_IMAGES = 250
COLUMNS = 10
SCALE, MARGIN, CAPTION = 2, 4, 14  # pixels per pixel, around each image, and for the text below it


def tiles_of(images: np.ndarray) -> np.ndarray:
    """Return images as uint8; other than that, each is stretched from its smallest value, black, to its largest."""
    if images.dtype == np.uint8:
        return images
    axes = tuple(range(1, images.ndim))
    low, high = images.min(axes, keepdims=True), images.max(axes, keepdims=True)
    return np.rint(255 * (images - low) / np.maximum(high - low, 1e-8)).astype(np.uint8)


def draw_sheet(tiles: np.ndarray, errors: Misclassified) -> Image.Image:
    """Draw images in rows of ten, each with "label->predicted" below it.

    Args:
        tiles: Images (n, height, width) or (n, height, width, 3), uint8.
        errors: The labels and predictions of these n images.
    """
    height, width = tiles.shape[1] * SCALE, tiles.shape[2] * SCALE
    step_x, step_y = width + 2 * MARGIN, height + 2 * MARGIN + CAPTION
    mode = "L" if tiles.ndim == 3 else "RGB"
    columns, rows = min(COLUMNS, len(tiles)), -(-len(tiles) // COLUMNS)
    sheet = Image.new(mode, (columns * step_x, rows * step_y), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    for number, (tile, (_, label, predicted)) in enumerate(zip(tiles, errors)):
        left, top = number % COLUMNS * step_x + MARGIN, number // COLUMNS * step_y + MARGIN
        sheet.paste(Image.fromarray(tile).resize((width, height), Image.Resampling.NEAREST), (left, top))
        pen.text((left + width / 2, top + height + 2), f"{label}->{predicted}", fill="black", font=font, anchor="ma")
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Save a sheet as PNG in 16 shades, which look the same and take half the space."""
    sheet.quantize(16).save(path, optimize=True, bits=4)


def write_sheet(images: np.ndarray, errors: Misclassified, path: Path) -> None:
    """Write the contact sheet to a PNG file, unless there are no errors, or more than 250.

    Args:
        images: All test images (n, height, width[, channels]).
        errors: The misclassified ones.
        path: File to write.
    """
    if 0 < len(errors) <= MOST_IMAGES:
        with atomic_write(path) as unfinished:
            save_sheet(draw_sheet(tiles_of(images[errors.index]), errors), unfinished)
