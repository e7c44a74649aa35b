"""JSON files: limits of size and depth, and errors that name the field."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TypedDict

import pytest

from reproductions.lab import json_files
from reproductions.lab.errors import UsageError
from reproductions.lab.ranges import Factor, Images, Name, Percent


class Point(TypedDict):
    x: int


@dataclass(frozen=True)
class Part:
    error: Percent
    batch: Images = 1


@dataclass(frozen=True)
class Whole:
    name: Name
    parts: list[Part] = field(default_factory=list)
    by_name: dict[str, Part] = field(default_factory=dict)
    best: Part | None = None
    points: list[Point] = field(default_factory=list)
    anything: dict[str, object] = field(default_factory=dict)


def read(tmp_path, content: object) -> Whole:
    path = tmp_path / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return json_files.read(path, Whole, "a whole")


def test_a_file_is_an_object(tmp_path):
    content = {"name": "a", "parts": [{"error": 2}], "by_name": {"b": {"error": 0.5, "batch": 3}}, "best": None}
    assert read(tmp_path, content) == Whole("a", [Part(2.0)], {"b": Part(0.5, 3)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "a.json is not a whole: expected `str`, got `int` - at `$.name`"),
        ({"name": ""}, "length >= 1, got '' - at `$.name`"),
        ({"parts": [{"error": 5}, {"error": 101}]}, "expected `float` <= 100.0, got 101 - at `$.parts[1].error`"),
        ({"parts": [{"error": True}]}, "expected `float`, got `bool` - at `$.parts[0].error`"),
        ({"parts": [{}]}, "missing required field `error` - at `$.parts[0]`"),
        ({"parts": [{"error": 1, "batch": 10**15}]}, "<= 1048576, got 1000000000000000 - at `$.parts[0].batch`"),
        ({"parts": [{"error": 1, "batch": 10**30}]}, "at `$.parts[0].batch`"),
        ({"parts": [{"error": 1, "bach": 2}]}, "it has an unknown field - at `$.parts[0].bach`"),
        ({"by_name": {"b": {"error": 1, "x": 2}}}, "it has an unknown field - at `$.by_name[b].x`"),
        ({"best": {"error": 1, "x": 2}}, "it has an unknown field - at `$.best.x`"),
        ({"points": [{"x": 1, "y": 2}]}, "it has an unknown field - at `$.points[0].y`"),
        ({"x": 1}, "it has an unknown field - at `$.x`"),
        ([], "expected `object`, got `array` - at `$`"),
    ],
)
def test_the_field_that_does_not_fit_is_named(change, message, tmp_path):
    content = {"name": "a", **change} if isinstance(change, dict) else change
    with pytest.raises(UsageError) as refused:
        read(tmp_path, content)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.json is not a whole: "),
        ("{", "a.json is not a whole: "),
        ('{"name": NaN}', "malformed"),
        ('{"name": "\\ud800"}', "a.json is not a whole: "),
        ("[" * 10_000 + "]" * 10_000, "nested more than 32 levels deep"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested more than 32 levels deep"),
        ("[" * 10_000, "nested more than 32 levels deep"),
        ('{"name": "a", "anything": {"a": ' + "[" * 31 + "]" * 31 + "}}", "nested more than 32 levels deep"),
        (" " * (json_files.LARGEST + 1), "a.json has more than 8,388,608 bytes"),
    ],
)
def test_text_beyond_the_limits_is_refused(text, message, tmp_path):
    with pytest.raises(UsageError) as refused:
        read(tmp_path, text)
    assert message in str(refused.value)


def test_brackets_in_texts_do_not_count(tmp_path):
    assert read(tmp_path, {"name": "[" * 100 + '"\\'}).name == "[" * 100 + '"\\'


def test_only_regular_files_are_read(tmp_path):
    """A pipe would be waited for."""
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("pipe.json", ""):
        with pytest.raises(UsageError, match="is not a regular file"):
            json_files.read_any(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        json_files.read_any(tmp_path / "none.json")


def test_a_value_of_any_type_is_converted():
    assert json_files.convert(1, Factor, "a.json", "a factor") == 1.0
    with pytest.raises(UsageError, match=r"a.json is not a factor: expected `float` > 0.0, got 0 - at `..b`"):
        json_files.convert(0, Factor, "a.json", "a factor", "$.b")


CONTROLS = {
    "\x1b[2J": r"\x1b[2J",
    "\0\x07\x08\x0b\r": r"\x00\x07\x08\x0b\r",
    "\x7f\x80\x9b31m": r"\x7f\x80\x9b31m",
    "\u202egnp.exe\u2066\u2028": r"\u202egnp.exe\u2066\u2028",
    "a\n\tb": "a\n\tb",
    "größer, 大\xa0±": "größer, 大\xa0±",
    r"\x1b": r"\x1b",
}


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("written", CONTROLS)
def test_control_characters_are_read_as_escapes(written, ascii_only, tmp_path):
    content = {"name": written, "anything": {written: [written]}}
    whole = read(tmp_path, json.dumps(content, ensure_ascii=ascii_only))
    shown = CONTROLS[written]
    assert (whole.name, whole.anything) == (shown, {shown: [shown]})
