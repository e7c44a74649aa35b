"""Steps that take images (n, height, width), with pixels in 0..1 and a background of 0. They are not fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin

from reproductions.lab.data.deslanting import SIZE, centred


class FixedTransformer(TransformerMixin, BaseEstimator):
    """Transformer that has nothing to fit."""

    def fit(self, X: np.ndarray, y: Any = None) -> FixedTransformer:
        """Return the transformer."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Flatten(FixedTransformer):
    """Images (n, height, width) to vectors (n, height * width)."""

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the vectors."""
        return X.reshape(len(X), -1)


class Reduced(FixedTransformer):
    """The 20x20 pixels about the centre of a digit, reduced bilinearly with antialiasing.

    LeCun et al. 1998, section III-A: images of 16x16 pixels.

    Args:
        size: Height and width of the result, in pixels.
    """

    def __init__(self, size: int = 16) -> None:
        self.size = size

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return images (n, size, size) float32."""
        digits = centred(np.asarray(X, np.float32), SIZE)
        shape = (self.size, self.size)
        return np.stack([np.asarray(Image.fromarray(each).resize(shape, Image.Resampling.BILINEAR)) for each in digits])
