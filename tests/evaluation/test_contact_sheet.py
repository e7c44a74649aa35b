"""Contact sheets of misclassified images."""

import numpy as np
from PIL import Image

from reproductions.lab.evaluation.contact_sheet import CAPTION, MARGIN, SCALE, draw_sheet, tiles_of, write_sheet
from reproductions.lab.results.entries import Misclassified
from tests.helpers.small import photographs

IMAGES = np.stack(photographs([(28, 28)] * 13).pixels)


def errors_at(*index: int) -> Misclassified:
    return Misclassified(list(index), [3] * len(index), [5] * len(index))


def test_stored_images_are_shown_unchanged():
    assert tiles_of(IMAGES) is IMAGES
    sheet = np.asarray(draw_sheet(IMAGES[[2, 0]], errors_at(2, 0)))
    for number, index in enumerate((2, 0)):
        left = MARGIN + number * (28 * SCALE + 2 * MARGIN)
        tile = sheet[MARGIN : MARGIN + 28 * SCALE, left : left + 28 * SCALE]
        np.testing.assert_array_equal(tile[::SCALE, ::SCALE], IMAGES[index])


def test_whitened_images_are_shown_from_black_to_white():
    white = tiles_of(IMAGES[[2, 0]].astype(np.float32) / 50 - 1)
    for tile, image in zip(white, IMAGES[[2, 0]].astype(float)):
        np.testing.assert_allclose(tile, 255 * (image - image.min()) / (image.max() - image.min()), atol=0.51)
    assert not tiles_of(np.ones((3, 8, 8, 3), np.float32)).any()


def test_rows_have_ten_images():
    sheet = draw_sheet(IMAGES[..., 0], errors_at(*range(13)))
    assert sheet.size == (10 * (28 * SCALE + 2 * MARGIN), 2 * (28 * SCALE + 2 * MARGIN + CAPTION))


def test_a_sheet_is_written_unless_errors_are_none_or_many(tmp_path):
    path = tmp_path / "misclassified.png"
    for errors in errors_at(), errors_at(*[1] * 251):
        write_sheet(IMAGES, errors, path)
        assert not path.exists()
    write_sheet(IMAGES, errors_at(2, 0), path)
    assert Image.open(path).size == (2 * (28 * SCALE + 2 * MARGIN), 28 * SCALE + 2 * MARGIN + CAPTION)
