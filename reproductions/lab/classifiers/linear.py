"""Linear classifiers on pairs: of classes, and of input variables."""

from __future__ import annotations

import itertools

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from reproductions.lab.classifiers.images import FixedTransformer


class PairProducts(FixedTransformer):
    """Products of all pairs of variables, squares included: (n, d) to (n, d (d + 1) / 2) float64.

    LeCun et al. 1998, section III-C: a linear classifier of these and a bias is a polynomial classifier of degree two.
    """

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the products, those of the first variable first."""
        first, second = np.triu_indices(X.shape[1])
        variables = np.asarray(X, np.float64)
        return variables[:, first] * variables[:, second]


class PairwiseLinear(ClassifierMixin, BaseEstimator):
    """Units that each separate one class from another, with their outputs added up.

    LeCun et al. 1998, section III-C: unit i/j is trained to return 1 for patterns of class i, -1 for those of class j,
    and is not trained on others. The score of a class i is the sum of the outputs of units i/x minus the sum of those
    of units x/i. Units are logistic here, and return 2 p - 1 for the probability p of their first class. With linear
    units the scores would be linear functions of the input.

    Args:
        C: Inverse of the weight of the squared weights in each unit's logistic regression.
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(self, X: np.ndarray, y: np.ndarray) -> PairwiseLinear:
        """Fit each unit to the patterns of its two classes.

        Args:
            X: Vectors (n, d).
            y: Labels (n,).
        """
        self.classes_ = np.unique(y)
        self.pairs_ = list(itertools.combinations(range(len(self.classes_)), 2))
        self.units_ = []
        for pair in self.pairs_:
            first, second = self.classes_[list(pair)]
            own = (y == first) | (y == second)
            self.units_.append(LogisticRegression(C=self.C, max_iter=1000).fit(X[own], y[own] == first))
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the score of each class (n, classes)."""
        scores = np.zeros((len(X), len(self.classes_)))
        for (first, second), unit in zip(self.pairs_, self.units_):
            output = 2 * unit.predict_proba(X)[:, 1] - 1
            scores[:, first] += output
            scores[:, second] -= output
        return scores

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class with the largest score of each vector (n,)."""
        labels: np.ndarray = self.classes_[self.decision_function(X).argmax(axis=1)]
        return labels
