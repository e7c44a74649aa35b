"""One update shared by two replicas, compared with that of one device."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.reproduce import TWO_DEVICES


@pytest.fixture(scope="module")
def replicas():
    code = f"{TWO_DEVICES}\nfrom tests.helpers import two_replicas\ntwo_replicas.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("kind", ["", " averaged"])
def test_two_replicas_make_the_update_of_one(replicas, kind):
    """Clipping, weight decay and constraints included."""
    (one, sums), (two, shared) = replicas["one" + kind], replicas["two" + kind]
    np.testing.assert_allclose(two, one, atol=1e-6)
    assert shared == pytest.approx(sums, rel=1e-5)


def test_overflow_on_any_replica_lowers_the_loss_scale(replicas):
    assert replicas["overflow"] == [True, 2.0**14]


def test_replicas_draw_different_dropout_masks(replicas):
    first, second = replicas["masks"]
    assert first != second


def test_moments_of_the_first_replica_are_averaged(replicas):
    found, expected = replicas["averaged moments"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
