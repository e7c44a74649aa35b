"""Classifiers that are not Keras models: estimators in scikit-learn's sense, fitted at once. Data only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from reproductions.lab.spec.recipe import KerasObject, Split, keras_object, plain

if TYPE_CHECKING:
    from reproductions.lab.ranges import Name, Positive


def estimator(class_name: str, **parameters: Any) -> KerasObject:
    """Describe an estimator or transformer, one of `reproductions.lab.classifiers.registry`, and its parameters."""
    return keras_object(class_name, **parameters)


@dataclass(frozen=True)
class FitRecipe:
    """How a classifier is fitted. It is tested on whole images.

    Attributes:
        dataset: Name of the data set, a key of `reproductions.lab.data.registry.LOADERS`.
        steps: Steps of scikit-learn's `Pipeline`, each described by `estimator`: transformers of the images (n, height,
            width), with pixels in 0..1, and a classifier.
        splits: Splits of the training set that are trained on.
        training_images: Number of images of the splits to train on, the first ones; by default all.
    """

    dataset: Name
    steps: tuple[KerasObject, ...]
    splits: tuple[Split, ...] = ("train", "validation")
    training_images: Positive | None = None

    def as_data(self) -> dict[str, Any]:
        """Return the recipe as JSON would give it back, with lists for tuples."""
        return plain(asdict(self))


@dataclass(frozen=True)
class Classifier:
    """A classifier under the name by which it is trained and reported.

    Attributes:
        name: Name, unique in the suite, also among networks.
        recipe: How it is fitted.
        deviations: Deviations from the paper: what the paper does, what is done here, why. One item each.
    """

    name: str
    recipe: FitRecipe
    deviations: tuple[str, ...] = ()

    def to_train(self) -> FitRecipe:
        """Return the recipe."""
        return self.recipe
