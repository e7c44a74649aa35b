"""Networks of the papers with small inputs, and weights and images for them."""

import functools
import inspect
import math

import numpy as np
import pytest

import reproductions

NETWORKS = [network for study in reproductions.studies().values() for network in study.networks]
NAMES = [network.name for network in NETWORKS]


def architecture(network):
    """The builder with its arguments but for the name: equal for networks that differ in their recipes alone."""
    build = network.build if isinstance(network.build, functools.partial) else functools.partial(network.build)
    return build.func, build.args, repr({key: value for key, value in build.keywords.items() if key != "name"})


# The first network of each architecture, and of each builder, for tests that take long. What was released differs from
# the paper's network in a few layers only.
ARCHITECTURES = list({architecture(network): network.name for network in reversed(NETWORKS)}.values())[::-1]
FIRST = {architecture(network)[0]: network.name for network in reversed(NETWORKS)}
BUILDERS = [name for name in reversed(FIRST.values()) if not name.endswith("-released")]

# Every architecture: those that share the builder of another are slow tests.
BY_BUILDER = [pytest.param(name, marks=[] if name in BUILDERS else pytest.mark.slow) for name in ARCHITECTURES]

# Tried in this order, so that a test of each network takes seconds. The last resort is the default of the network.
SMALL_INPUTS = (32, 63, 67, 75)
# The one that suits most networks with this default, tried first: building an Inception in vain takes seconds.
SMALL_INPUT_OF = {227: 67, 299: 75}


def takes(name, option):
    """Whether the builder of a network has this argument."""
    return option in inspect.signature(reproductions.find_network(name).build).parameters


def small_inputs(name):
    """Input sizes to build a network with, in the order in which they are tried."""
    parameter = inspect.signature(reproductions.find_network(name).build).parameters.get("input_size")
    if parameter is None:
        return ()
    first = SMALL_INPUT_OF.get(parameter.default)
    return (first, *SMALL_INPUTS) if first else SMALL_INPUTS


def small_network(name):
    """The network with ten classes and a small input."""
    options = {"classes": 10} if takes(name, "classes") else {}
    for size in small_inputs(name):
        try:
            return reproductions.build(name, **options, input_size=size)
        except reproductions.UsageError:
            continue
    return reproductions.build(name, **options)


def all_layers(layer):
    """Yield a layer, or those inside of it."""
    inside = getattr(layer, "layers", None)
    yield from (each for one in inside for each in all_layers(one)) if inside else [layer]


def trainable_parameters(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def output_shapes(model, names):
    return {name: tuple(model.get_layer(name).output.shape[1:]) for name in names}


def random_images(model, count=2):
    return np.random.default_rng(0).normal(size=(count, *model.input_shape[1:])).astype("float32")


def with_random_weights(model):
    """The model, with weights that preserve the scale of the signal through all layers."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        fan_in = max(math.prod(weight.shape[:-1]), 1)
        values = random.normal(size=weight.shape) * (2 / fan_in) ** 0.5
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    return model


def assert_close(outputs, expected, tolerance=1e-3):
    """Assert that outputs are equal up to a tolerance, relative to each and to the largest."""
    np.testing.assert_allclose(outputs, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
