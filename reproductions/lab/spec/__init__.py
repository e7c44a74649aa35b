"""Declarative specification of a paper: networks, recipes, schedules, search spaces."""

from reproductions.lab.spec.recipe import ImageStep, KerasObject, Recipe, keras_object
from reproductions.lab.spec.schedules import Decay, Plateau
from reproductions.lab.spec.search_space import Choice, Domain, LogUniform, Whole
from reproductions.lab.spec.study import Network, Study

__all__ = [
    "Choice", "Decay", "Domain", "ImageStep", "KerasObject", "LogUniform", "Network", "Plateau", "Recipe", "Study", "Whole", "keras_object",
]  # fmt: skip
