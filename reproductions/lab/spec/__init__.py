"""Declarative specification of a paper: its networks, recipes, schedules and search spaces."""

from reproductions.lab.spec.classifier import Classifier, FitRecipe, estimator
from reproductions.lab.spec.recipe import KerasObject, Recipe, Transform, keras_object
from reproductions.lab.spec.schedules import ExponentialDecay, PolynomialDecay, ReduceLROnPlateau
from reproductions.lab.spec.search_space import Choice, Domain, IntRange, LogUniform
from reproductions.lab.spec.study import Network, Study

__all__ = [
    "Choice",
    "Classifier",
    "Domain",
    "ExponentialDecay",
    "FitRecipe",
    "IntRange",
    "KerasObject",
    "LogUniform",
    "Network",
    "PolynomialDecay",
    "Recipe",
    "ReduceLROnPlateau",
    "Study",
    "Transform",
    "estimator",
    "keras_object",
]
