"""The steps of a `FitRecipe` by class name: scikit-learn's and those of this package."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.pipeline import Pipeline, make_pipeline

from reproductions.lab.errors import unknown
from reproductions.lab.spec.recipe import KerasObject

HERE = __name__.rpartition(".")[0]

# The module of each class, imported when a recipe needs it.
MODULES = {
    "Flatten": f"{HERE}.images",
    "Reduced": f"{HERE}.images",
    "Normalizer": "sklearn.preprocessing",
    "PCA": "sklearn.decomposition",
    "PairProducts": f"{HERE}.linear",
    "GaussianUnits": f"{HERE}.gaussian_units",
    "KNeighborsClassifier": "sklearn.neighbors",
    "PairwiseLinear": f"{HERE}.linear",
    "RidgeClassifier": "sklearn.linear_model",
    "SVC": "sklearn.svm",
    "TangentDistanceClassifier": f"{HERE}.tangent_distance",
    "VirtualSVC": f"{HERE}.virtual_support_vectors",
}


def create(steps: Sequence[KerasObject], seed: int) -> Pipeline:
    """Return the estimator that a recipe describes, not fitted.

    Args:
        steps: Steps of the pipeline, `FitRecipe.steps`.
        seed: Random state of the steps that have one.

    Raises:
        UsageError: If a class or a parameter does not exist.
    """
    return make_pipeline(*(create_step(step["class_name"], step["config"], seed) for step in steps))


def create_step(class_name: str, parameters: Mapping[str, Any], seed: int) -> Any:
    """Return one step of a pipeline; see `create`."""
    if class_name not in MODULES:
        raise unknown("step of a classifier", class_name, MODULES)
    step_class = getattr(importlib.import_module(MODULES[class_name]), class_name)
    known = step_class().get_params()
    for name in parameters:
        if name not in known:
            raise unknown(f"parameter of {class_name}", name, known)
    random_state = {"random_state": seed} if "random_state" in known else {}
    return step_class(**{**random_state, **parameters})
