"""Records of pictures."""

from dataclasses import replace

import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.results import picture_record
from tests.helpers.records import picture


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = picture()
    record.write(tmp_path / "pictures" / record.filename)
    assert picture_record.read_all(tmp_path / "pictures") == [record]
    assert picture_record.read_all(tmp_path / "nothing") == []
    assert (record.filename, record.picture) == ("lenet5-features.json", "lenet5-features.png")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": None}, "features are of an image, but it names none"),
        ({"alt": " "}, "its alt is empty"),
        ({"kind": "dreams"}, "invalid enum value"),
        ({"width": 0}, "expected `int` >= 1"),
    ],
)
def test_an_inconsistent_record_is_refused(changes, message, tmp_path):
    replace(picture(), **changes).write(tmp_path / "record.json")
    with pytest.raises(UsageError, match=message):
        picture_record.read(tmp_path / "record.json")


def test_filters_need_no_image(tmp_path):
    replace(picture(), kind="filters", image=None).write(tmp_path / "record.json")
    assert picture_record.read(tmp_path / "record.json").image is None
