"""LeNet-5 and its predecessors: the counts and tables of LeCun et al. 1998 and 1990."""

import math
import os
from pathlib import Path

import numpy as np
import pytest

import reproductions
from reproductions import lenet5, lenet5_smaller
from reproductions.lab.analysis.profile import connections


def test_lenet5_has_its_parameters_and_connections_by_layer():
    model = reproductions.build("lenet5")
    published = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48120, "F6": 10164}
    found = {layer.name: sum(math.prod(w.shape) for w in layer.trainable_weights) for layer in model.layers}
    assert {name: count for name, count in found.items() if count} == published
    published = {"C1": 122304, "S2": 5880, "C3": 151600, "S4": 2000, "C5": 48120, "F6": 10164, "RBF": 840}
    assert connections(model) == published and sum(published.values()) == 340908


def test_table_1_has_60_kernels_ten_for_each_s2_map():
    assert sum(map(len, lenet5.TABLE_I)) == 60
    assert [sum(channel in row for row in lenet5.TABLE_I) for channel in range(6)] == [10] * 6
    assert [len(row) for row in lenet5.TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert len(set(lenet5.TABLE_I)) == 16


def test_lenet4_uses_s2_maps_equally_and_no_c1_map_twice():
    """The S2 feature maps m and m + 4 come from one C1 feature map."""
    rows = lenet5_smaller.LENET4_TABLE
    assert len(rows) == len(set(map(frozenset, rows))) == 16
    assert {sum(channel in row for row in rows) for channel in range(8)} == {6}
    assert all(len({channel % 4 for channel in row}) == 3 for row in rows)


def test_the_ten_bitmaps_have_84_pixels_and_all_differ():
    centres = np.array(lenet5.digit_centres())
    assert centres.shape == (10, 84) and set(np.unique(centres)) == {-1, 1}
    distances = (centres[:, None] != centres[None]).sum(-1) + 84 * np.eye(10)
    assert distances.min() >= 6


@pytest.mark.skipif(
    not (Path(os.environ.get("REPRODUCTIONS_DATA", "")) / "mnist.npz").is_file(),
    reason="REPRODUCTIONS_DATA has no mnist.npz",
)
def test_least_squares_have_the_error_that_a_deviation_gives():
    """Solved exactly, the linear classifier with linear units has the test error that its deviations name."""
    with np.load(Path(os.environ["REPRODUCTIONS_DATA"]) / "mnist.npz") as data:
        inputs, tests = (np.c_[data[x].reshape(-1, 784) / 255.0, np.ones(len(data[x]))] for x in ("x_train", "x_test"))
        weights = np.linalg.lstsq(inputs, 2 * np.eye(10)[data["y_train"]] - 1, rcond=None)[0]
        error = 100 * np.mean((tests @ weights).argmax(axis=1) != data["y_test"])
    deviations = reproductions.find_network("linear-classifier").deviations
    assert any(f"whose test error is {error:.1f}%" in deviation for deviation in deviations)
