"""Fixtures of searches: the made-up data of `tests.helpers.tiny_search`."""

import pytest
from tensorflow.python.framework import config as tensorflow_config

from reproductions.lab.data import registry
from tests.helpers.tiny_search import Untouchable, made_up_data


@pytest.fixture(scope="module", autouse=True)
def determinism_switched_off():
    """Training switches op determinism on for the whole process; other tests must not have it."""
    yield
    tensorflow_config.disable_op_determinism()


@pytest.fixture(autouse=True)
def data(monkeypatch):
    """The made-up data; returns a dictionary whose "test" may be replaced."""
    splits = {"test": Untouchable()}
    monkeypatch.setitem(registry.LOADERS, "made-up", lambda _: made_up_data(splits["test"]))
    return splits
