"""Every kind of file that the suite reads, damaged: it is loaded or refused with its name, within limits."""

import json

import pytest

from tests.helpers.hostile_files import check_damaged_files, survey
from tests.helpers.suite_files import READERS, write_all

READER = "tests.helpers.suite_files:read"


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite") / "files"
    write_all(folder)
    return folder


def test_the_files_are_good(originals):
    done = survey(originals, READER)
    assert json.loads(done.stdout) == dict.fromkeys(sorted(READERS), "loaded"), done.stderr


def test_damaged_files_are_loaded_or_refused(originals):
    outcomes = check_damaged_files(originals, READER, seed=1, count=2000)
    assert all(each["refused"] for each in outcomes.values())


@pytest.mark.slow
def test_many_damaged_files_are_loaded_or_refused(originals):
    outcomes = check_damaged_files(originals, READER, seed=2, count=20_000)
    assert all(each["loaded"] and each["refused"] for each in outcomes.values()), "some changes do harm, some do not"
