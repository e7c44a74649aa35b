"""Structures in a MATLAB file: equal to scipy's, and read within limits from files that are made to do harm."""

import io
import struct
import zlib

import numpy as np
import pytest
import scipy.io

from reproductions.lab.data.imagenet import devkit, matlab
from tests.helpers import imagenet_files

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
LARGEST = 1 << 20


def saved(values: dict[str, object], compressed: bool = False) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, values, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_the_classes_are_those_that_scipy_reads(compressed):
    content = imagenet_files.meta(["n01440764", "n01443537", "n01484850"], 3, compressed)
    rows = scipy.io.loadmat(io.BytesIO(content), squeeze_me=True)["synsets"]
    leaves = [row for row in rows if int(row["num_children"]) == 0]
    wnids, words = devkit.parse_classes(content)
    assert wnids == {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in leaves} and len(wnids) == 3
    assert words == {str(row["WNID"]): str(row["words"]) for row in leaves}


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_numbers_of_every_type_and_texts_are_read(kind):
    row = np.array([[(np.array(7, kind), "größer, 大", np.arange(3), "")]], [(name, object) for name in "abcd"])
    [found] = matlab.read(saved({"other": 3, "x": row}), "x", LARGEST)
    assert found == {"a": 7.0, "b": "größer, 大", "c": None, "d": found["d"]} and not found["d"]


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def array(kind: int, shape: tuple[int, ...], *parts: bytes, name: bytes = b"synsets") -> bytes:
    head = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, head + element(1, name) + b"".join(parts))


def nested(depth: int) -> bytes:
    """Cells in cells, whose headers are made from the outermost inwards."""
    inner, size = [], 0
    for _ in range(depth):
        size += len(array(1, (1, 1), name=b""))
        inner.append(struct.pack("<II", 14, size - 8) + array(1, (1, 1), name=b"")[8:])
    return b"".join(reversed(inner))


FIELDS = element(5, struct.pack("<i", 32)) + element(1, b"num_children".ljust(32, b"\0"))
HOSTILE = {
    "expands to a gigabyte": element(15, zlib.compress(bytes(1 << 30))),
    "a billion cells": array(1, (1 << 30, 1)),
    "a billion structures": array(2, (1 << 15, 1 << 15), FIELDS),
    "many structures": array(2, (100_000, 1), FIELDS),
    "structures of a negative number": array(2, (-1, 1), FIELDS),
    "a million fields": array(2, (1, 1), element(5, struct.pack("<i", 1)), element(1, bytes(1 << 19))),
    "fields without length": array(2, (1, 1), element(5, struct.pack("<i", 0)), element(1, bytes(8))),
    "nested 10,000 deep": nested(10_000),
    "structures that are nested": array(2, (1, 1), FIELDS, nested(10_000)),
    "half an element": struct.pack("<II", 14, 1 << 31),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_files_that_are_made_to_do_harm_are_refused(name):
    with pytest.raises(ValueError, match=r"^it |a synset in meta\.mat has no number"):
        devkit.parse_classes(HEADER + HOSTILE[name])


@pytest.mark.parametrize("content", [b"", b"\0" * 200, HEADER[:126] + b"MI" + bytes(64)])
def test_other_files_are_refused(content):
    with pytest.raises(ValueError, match="it is not a MATLAB file of level 5"):
        matlab.read(content, "synsets", LARGEST)
