"""The file of measured ratios: what it may hold, and that the committed one holds it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.results import benchmark
from tests.helpers.ratios import ONE

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results.json"


def test_committed_ratios_are_complete():
    found = benchmark.read(COMMITTED)
    assert found and all({"python", "tensorflow", "keras", "numpy"} <= set(each.versions) for each in found)


def test_a_new_ratio_replaces_the_one_of_its_name(tmp_path):
    path, other = tmp_path / "results.json", replace(ONE, name="Input")
    benchmark.write(path, [ONE])
    benchmark.write(path, [other])
    assert benchmark.read(path) == [other, ONE]
    benchmark.write(path, [replace(ONE, ratio=0.45)])
    assert benchmark.read(path) == [other, replace(ONE, ratio=0.45)]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"ratio": 0.7}, "LRN has a ratio outside of its range"),
        ({"low": -1}, "expected `float` > 0"),
        ({"better": "faster"}, "invalid enum value 'faster'"),
        ({"date": "today"}, "unknown field - at `$[0].date`"),
        ({"machine": {"cores": 2}}, "missing required field"),
        ({"along": "batch size"}, "LRN has one of along and at, or along and a network"),
        ({"along": "batch size", "at": 2, "network": "vgg-d"}, "LRN has one of along and at, or along and a network"),
    ],
)
def test_wrong_files_raise_errors_that_say_what_is_wrong(tmp_path, change, message):
    path = tmp_path / "results.json"
    benchmark.write(path, [ONE])
    entry = json.loads(path.read_text())[0]
    path.write_text(json.dumps([{**entry, **change}]))
    with pytest.raises(UsageError) as raised:
        benchmark.read(path)
    assert message in str(raised.value)


def test_ratios_have_sorted_and_unique_names(tmp_path):
    path = tmp_path / "results.json"
    benchmark.write(path, [ONE])
    path.write_text(json.dumps(json.loads(path.read_text()) * 2))
    with pytest.raises(UsageError, match="each occur once"):
        benchmark.read(path)


@pytest.mark.parametrize(
    "better, ratio, missed",
    [("lower", 0.44, False), ("lower", 0.46, True), ("higher", 0.44, True), ("higher", 0.5, False)],
)
def test_an_aim_is_missed_on_one_side_only(better, ratio, missed):
    assert replace(ONE, better=better, ratio=ratio).is_missed is missed
    assert not replace(ONE, better=better, ratio=ratio, aim=None).is_missed


@pytest.mark.parametrize(
    "change, message",
    [
        ({}, "Z is a second ratio of vgg-d for Time of a layer"),
        ({"network": "alexnet", "aim": 2.0}, "Z has another aim than the same of other networks"),
        ({"network": "alexnet", "better": "higher"}, "Z has another aim than the same of other networks"),
    ],
)
def test_ratios_of_networks_do_not_contradict_each_other(tmp_path, change, message):
    path, one = tmp_path / "results.json", replace(ONE, network="vgg-d")
    benchmark.write(path, [one, replace(one, name="M", network="zfnet")])
    benchmark.write(path, [replace(one, name="Z", **change)])
    with pytest.raises(UsageError, match=message):
        benchmark.read(path)
