"""Records of published weights."""

import json
from dataclasses import asdict, replace

import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.results import weights_record
from reproductions.lab.results.run_record import SCHEMA
from tests.helpers.records import published_weights, result


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = published_weights(result(2427))
    path = tmp_path / "new" / record.filename
    record.write(path)
    assert path.name == "convnetjs-cifar10-demo-whole-image.json"
    assert weights_record.read_all(path.parent) == [record]
    assert weights_record.read_all(tmp_path / "nowhere") == []


def test_a_sample_says_so_in_the_name_of_its_file():
    assert replace(published_weights(result(3)), sample=True).filename.endswith("-whole-image-sample.json")


WHOLE = published_weights(result(2427)).as_data()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "run"}, "kind"),
        ({"network": "lenet5"}, "the weights are of convnetjs-cifar10, not of lenet5"),
        ({"test": asdict(result(3, images=20000))}, "20000 images were tested, but there are 10000"),
        ({"test": {**WHOLE["test"], "images": 0}}, "expected `int` >= 1, got 0 - at `.*test.images`"),
        ({"author": "nobody"}, r"unknown field - at `\$\.author`"),
        ({"weights": {**WHOLE["weights"], "x": 1}}, r"unknown field - at `\$\.weights\.x`"),
        ({"schema": SCHEMA + 1}, "update the suite"),
    ],
)
def test_a_damaged_record_is_named(change, message, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**WHOLE, **change}))
    with pytest.raises(UsageError, match=rf"(?s)a\.json.*{message}"):
        weights_record.read(path)
