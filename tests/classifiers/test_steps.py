"""The steps of classifiers, each compared with a plain statement of what it computes."""

import itertools

import numpy as np
import pytest

from reproductions import lenet5_figure9
from reproductions.lab.classifiers import registry
from reproductions.lab.classifiers.gaussian_units import GaussianUnits
from reproductions.lab.classifiers.images import Reduced
from reproductions.lab.classifiers.linear import PairProducts, PairwiseLinear
from reproductions.lab.data import mnist
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import estimator

DATA = mnist.subset()
TRAINING = (DATA.train.images[:1000].astype(np.float32) / 255, DATA.train.labels[:1000])
TEST = DATA.test.images[:200].astype(np.float32) / 255
CLASSIFIERS = {each.name: each for each in lenet5_figure9.CLASSIFIERS}


def fitted(name: str):
    """The pipeline of a classifier of Figure 9, fitted to the first 1,000 images of the subset."""
    return registry.create(CLASSIFIERS[name].recipe.steps, seed=1).fit(*TRAINING)


def test_nearest_neighbours_vote_as_in_a_plain_loop():
    answers = fitted("nearest-neighbours").predict(TEST)
    vectors = TRAINING[0].reshape(len(TRAINING[0]), -1).astype(np.float64)
    for image, answer in zip(TEST[:100], answers):
        distances = ((vectors - image.reshape(-1)) ** 2).sum(axis=1)
        votes = np.bincount(TRAINING[1][np.argsort(distances)[:3]], minlength=10)
        assert answer == votes.argmax()


@pytest.mark.parametrize("name, linear_terms", [("quadratic", False), ("quadratic-linear-terms", True)])
def test_the_quadratic_classifier_is_least_squares_on_821_or_861_inputs(name, linear_terms):
    """Components by an eigendecomposition of the covariance, products in a loop."""
    vectors, tests = (each.reshape(len(each), -1).astype(np.float64) for each in (TRAINING[0], TEST))
    mean = vectors.mean(axis=0)
    components = np.linalg.eigh(np.cov(vectors.T))[1][:, -40:]

    def inputs(x: np.ndarray) -> np.ndarray:
        z = (x - mean) @ components
        products = [z[:, i] * z[:, j] for i, j in itertools.combinations_with_replacement(range(40), 2)]
        return np.column_stack([*products, z] if linear_terms else products)

    centre, targets = inputs(vectors).mean(axis=0), 2.0 * np.eye(10)[TRAINING[1]] - 1
    own = inputs(vectors) - centre
    weights = np.linalg.solve(own.T @ own + 0.1 * np.eye(own.shape[1]), own.T @ (targets - targets.mean(axis=0)))
    scores = (inputs(tests) - centre) @ weights + targets.mean(axis=0)
    assert np.mean(fitted(name).predict(TEST) == scores.argmax(axis=1)) >= 0.99
    assert PairProducts().transform(np.zeros((2, 40))).shape == (2, 820)


def test_pair_products_are_in_order():
    np.testing.assert_array_equal(PairProducts().transform(np.array([[2, 3, 5]])), [[4, 6, 10, 9, 15, 25]])


def test_pairwise_units_see_two_classes_and_add_up():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(300, 2)), random.integers(0, 3, 300)
    x += np.array([[3, 0], [-3, 0], [0, 4]])[y]
    model = PairwiseLinear(C=1.0).fit(x, y)
    assert model.pairs_ == [(0, 1), (0, 2), (1, 2)]
    probability = [unit.predict_proba(x)[:, 1] for unit in model.units_]
    ab, ac, bc = (2 * each - 1 for each in probability)
    np.testing.assert_allclose(model.decision_function(x), np.stack([ab + ac, bc - ab, -ac - bc], axis=1), atol=1e-12)
    others = y != 2
    again = PairwiseLinear(C=1.0).fit(x[others], y[others])
    np.testing.assert_array_equal(again.units_[0].coef_, model.units_[0].coef_)
    assert (model.predict(x) == y).mean() > 0.9


def test_gaussian_units_have_centres_of_their_classes():
    vectors = TRAINING[0].reshape(len(TRAINING[0]), -1)
    units = GaussianUnits(per_class=5, width=1.5, random_state=3).fit(vectors, TRAINING[1])
    assert units.centres_.shape == (50, 784)
    nearest = []
    for digit in range(10):
        own = vectors[TRAINING[1] == digit].astype(np.float64)
        distances = ((own[:, np.newaxis] - units.centres_[5 * digit : 5 * digit + 5]) ** 2).sum(axis=2)
        nearest.append(distances.min(axis=1))
        for number in range(5):  # converged: a centre is the mean of the vectors that are nearest to it
            members = own[distances.argmin(axis=1) == number]
            np.testing.assert_allclose(units.centres_[5 * digit + number], members.mean(axis=0), atol=0.05)
    scale = 1.5 * np.sqrt(np.concatenate(nearest).mean())
    assert units.scale_ == pytest.approx(scale, rel=1e-3)
    distance = ((TEST[0].reshape(-1) - units.centres_[7]) ** 2).sum()
    found = units.transform(TEST[:1].reshape(1, -1))
    assert found[0, 7] == pytest.approx(np.exp(-distance / (2 * units.scale_**2)), rel=1e-5)


def test_gaussian_units_depend_on_the_seed_only():
    vectors = TRAINING[0].reshape(len(TRAINING[0]), -1)
    first, same, other = (
        GaussianUnits(per_class=5, random_state=seed).fit(vectors, TRAINING[1]).centres_ for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_reduced_digits_keep_their_mean():
    """20x20 pixels become 16x16, so that the same grey covers 0.64 times as many pixels."""
    reduced = Reduced().transform(TEST[:20])
    assert reduced.shape == (20, 16, 16)
    np.testing.assert_allclose(reduced.sum(axis=(1, 2)), 0.64 * TEST[:20].sum(axis=(1, 2)), rtol=0.03)


@pytest.mark.parametrize(
    "step, message",
    [
        (estimator("KNearest"), "'KNearest' is not a step of a classifier"),
        (estimator("PCA", components=40), "'components' is not a parameter of PCA. Did you mean 'n_components'"),
    ],
)
def test_an_unknown_step_or_parameter_is_refused(step, message):
    with pytest.raises(UsageError, match=message):
        registry.create([step], seed=1)


@pytest.mark.parametrize("name", ["nearest-neighbours", "pairwise-linear"])
def test_classifiers_learn_from_a_thousand_images(name):
    assert np.mean(fitted(name).predict(TEST) == DATA.test.labels[:200]) > 0.8
