"""Occlusion, compared with plain loops."""

import numpy as np
import pytest

from reproductions.lab.visualization.occlusion import Square, occlusion_scores, square_for

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("square", [Square(3, 2), Square(4, 1), Square(1, 5)])
def test_scores_are_those_of_covered_images(square):
    image, weights = RANDOM.normal(size=(9, 7, 2)), RANDOM.normal(size=(9, 7, 2, 4))
    cover = np.full_like(image, 0.5)
    cover[0] = 0.25
    batches = []

    def scores(images: np.ndarray) -> np.ndarray:
        batches.append(len(images))
        return np.tensordot(images, weights, 3)

    found = occlusion_scores(scores, image, cover, square)
    rows, columns = range(0, 9, square.stride), range(0, 7, square.stride)
    assert found.shape == (len(rows), len(columns), 4) and sum(batches) == len(rows) * len(columns)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            covered = image.copy()
            for y in range(9):
                for x in range(7):
                    first = row - square.side // 2, column - square.side // 2
                    if 0 <= y - first[0] < square.side and 0 <= x - first[1] < square.side:
                        covered[y, x] = cover[y, x]
            np.testing.assert_allclose(found[i, j], np.tensordot(covered, weights, 3), atol=1e-12)


def test_squares_grow_with_the_image():
    assert square_for(224) == Square(45, 9)
    assert square_for(28) == Square(6, 1)
    assert square_for(8) == Square(3, 1)
