"""The steps of a `FitRecipe` by class name: scikit-learn's and those of this package."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.pipeline import Pipeline, make_pipeline

from reproductions.lab.classifiers.boosting import MakeTrainer
from reproductions.lab.errors import unknown
from reproductions.lab.spec.recipe import KerasObject

HERE = __name__.rpartition(".")[0]

# The module of each class, imported when a recipe needs it.
MODULES = {
    "BoostedNetworks": f"{HERE}.boosting",
    "Flatten": f"{HERE}.images",
    "Reduced": f"{HERE}.images",
    "Normalizer": "sklearn.preprocessing",
    "PCA": "sklearn.decomposition",
    "PairProducts": f"{HERE}.linear",
    "PolynomialFeatures": "sklearn.preprocessing",
    "GaussianUnits": f"{HERE}.gaussian_units",
    "KNeighborsClassifier": "sklearn.neighbors",
    "PairwiseLinear": f"{HERE}.linear",
    "RidgeClassifier": "sklearn.linear_model",
    "SVC": "sklearn.svm",
    "TangentDistanceClassifier": f"{HERE}.tangent_distance",
    "VirtualSVC": f"{HERE}.virtual_support_vectors",
}


TRAINER = "trainer"  # parameter of the steps that train networks; no recipe gives it


def create(steps: Sequence[KerasObject], seed: int, trainer: MakeTrainer | None = None) -> Pipeline:
    """Return the estimator that a recipe describes, not fitted.

    Args:
        steps: Steps of the pipeline, `FitRecipe.steps`.
        seed: Random state of the steps that have one.
        trainer: Trainer of the steps that train networks; without it they cannot be fitted.

    Raises:
        UsageError: If a class or a parameter does not exist.
    """
    provided = {"random_state": seed, TRAINER: trainer}
    return make_pipeline(*(create_step(step["class_name"], step["config"], provided) for step in steps))


def create_step(class_name: str, parameters: Mapping[str, Any], provided: Mapping[str, Any]) -> Any:
    """Return one step of a pipeline, with those of the provided parameters that it has; see `create`."""
    step_class = find_class(class_name)
    known = step_class().get_params()
    for name in parameters:
        if name not in known or name == TRAINER:
            raise unknown(f"parameter of {class_name}", name, [each for each in known if each != TRAINER])
    own = {name: value for name, value in provided.items() if name in known}
    return step_class(**{**own, **parameters})


def find_class(class_name: str) -> Any:
    """Return the class of a step; UsageError if it does not exist."""
    if class_name not in MODULES:
        raise unknown("step of a classifier", class_name, MODULES)
    return getattr(importlib.import_module(MODULES[class_name]), class_name)


def trains_networks(steps: Sequence[KerasObject]) -> bool:
    """Return whether a step of a recipe trains networks."""
    return any(TRAINER in find_class(step["class_name"])().get_params() for step in steps)
