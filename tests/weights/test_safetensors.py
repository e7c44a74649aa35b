"""Safetensors files."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from reproductions.lab.errors import UsageError
from reproductions.lab.weights import tensor_file

NUMBER = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int64])
def test_numbers_are_read(tmp_path, kind):
    values = np.array([[1.5, -2.0], [0.0, 3.0]]).astype(kind)
    save_file({"a": values, "count": np.array(7)}, tmp_path / "a.safetensors")
    tensors = tensor_file.read(tmp_path / "a.safetensors").tensors
    np.testing.assert_array_equal(tensors["a"], values.astype(np.float64))
    assert tensors["count"] == 7


def written(path: Path, header: object, data: bytes = bytes(4)) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_a_file_made_by_hand_is_read(tmp_path):
    assert tensor_file.read(written(tmp_path / "a.safetensors", {"a": NUMBER})).tensors["a"] == 0


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"a": {**NUMBER, "shape": [10**12]}},
        {"a": {**NUMBER, "shape": [2**33, 2**33]}},
        {"a": {**NUMBER, "data_offsets": [0, 10**12]}},
        {"a": {**NUMBER, "dtype": "F8_E4M3", "shape": [4]}},
        {"a": NUMBER, "b": NUMBER},
        {"a": "not a tensor"},
        b"[" * 1_000_000,
    ],
    ids=["empty", "huge", "overflow", "outside", "float8", "overlap", "text", "nested"],
)
def test_a_damaged_header_is_refused(tmp_path, header):
    with pytest.raises(UsageError, match=r"a\.safetensors cannot be read"):
        tensor_file.read(written(tmp_path / "a.safetensors", header))


def test_a_huge_header_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes((10**9).to_bytes(8, "little"))
    with pytest.raises(UsageError, match=r"its header has 1,000,000,000 bytes"):
        tensor_file.read(path)


def test_values_that_are_not_finite_are_refused(tmp_path):
    save_file({"a": np.array([1, np.nan], np.float32)}, tmp_path / "a.safetensors")
    with pytest.raises(UsageError, match="a has values that are not finite"):
        tensor_file.read(tmp_path / "a.safetensors")
