"""Pictures of misclassified images. Without Keras."""

from __future__ import annotations

import matplotlib
import numpy as np

from reproductions.lab.evaluation import contact_sheet
from reproductions.lab.results.entries import Misclassified
from reproductions.lab.visualization import figure
from reproductions.lab.visualization.figure import STYLE, WIDTH, Canvas, Drawing

MOST_ERRORS = 100


def errors(name: str, images: np.ndarray, wrong: Misclassified, test: str) -> Drawing:
    """Draw misclassified test images with label and answer.

    Args:
        name: Name of the network.
        images: All test images (n, height, width[, 3]).
        wrong: The misclassified ones.
        test: What was tested.
    """
    first = Misclassified(wrong.index[:MOST_ERRORS], wrong.label[:MOST_ERRORS], wrong.predicted[:MOST_ERRORS])
    sheet = contact_sheet.draw_sheet(contact_sheet.tiles_of(images[first.index]), first)
    pixels = np.asarray(sheet.convert("RGB"), np.float32) / 255
    title = f"{name}: misclassified test images"
    height = WIDTH * pixels.shape[0] / pixels.shape[1]
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(title, figure.TITLE + height)
        axes = canvas.image(pixels, 0, figure.TITLE, WIDTH, height)
        axes.set_axis_off()
    number = f"The {len(wrong)}" if len(first) == len(wrong) else f"The first {len(first)} of {len(wrong)}"
    return Drawing(
        canvas.figure,
        title,
        f"{number} misclassified images of {test}: below each its class, an arrow, and the answer.",
        f"{-(-len(first) // contact_sheet.COLUMNS)} rows of test images, with class and answer below each.",
    )
