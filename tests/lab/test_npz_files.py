"""npz files: headers are read first, so that no array is larger than expected."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from reproductions.lab import npz_files
from reproductions.lab.errors import UsageError


def test_arrays_are_those_that_were_saved(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.array(7), "d": np.zeros((0, 2))}
    arrays["f"] = np.asfortranarray(arrays["a"])
    for save in np.savez, np.savez_compressed:
        save(tmp_path / "a.npz", **arrays)
        with npz_files.open_npz(tmp_path / "a.npz") as file:
            for name, array in arrays.items():
                np.testing.assert_array_equal(file.array(name, array.dtype.kind, array.shape), array)


def test_tables_have_the_columns_that_are_expected(tmp_path):
    table = np.array([(1, b"a")], dtype=[("x", "<i4"), ("y", "S3")])
    np.savez(tmp_path / "a.npz", table=table)
    with npz_files.open_npz(tmp_path / "a.npz") as file:
        assert file.table("table", {"x": "iu", "y": "S"}) == table
        for columns in ({"x": "iu"}, {"x": "f", "y": "S"}, {"x": "iu", "y": "S", "z": "S"}):
            with pytest.raises(ValueError, match="has the columns"):
                file.table("table", columns)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "it lacks a"),
        ({"a": np.zeros(3, np.int32)}, "a in it is int32 of shape (3,), expected floats of shape (2, None)"),
        ({"a": np.zeros((3, 2))}, "a in it is float64 of shape (3, 2), expected floats of shape (2, None)"),
        ({"a": np.array([[None], [None]])}, "pickles"),
        ({"a": np.zeros((2, 1), "M8[s]")}, "expected floats"),
    ],
)
def test_other_arrays_are_refused(arrays, message, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UsageError, match=r"a\.npz") as refused, npz_files.open_npz(tmp_path / "a.npz") as file:
        file.array("a", npz_files.FLOATS, (2, None))
    assert message in str(refused.value)


def member(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """An array with a header that says so."""
    data = io.BytesIO()
    np.lib.format.write_array_header_1_0(data, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return data.getvalue() + content


def test_a_bomb_is_refused_before_it_expands(tmp_path):
    """A few hundred kilobytes that expand to 256 MB."""
    size = 1 << 28
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", member((size,), bytes(size)))
    assert (tmp_path / "a.npz").stat().st_size < 1 << 20
    tracemalloc.start()
    with (
        pytest.raises(UsageError, match="would expand to more than 1,048,576 bytes"),
        npz_files.open_npz(tmp_path / "a.npz", largest=1 << 20) as file,
    ):
        file.array("a", "u", (None,))
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


@pytest.mark.parametrize("shape", [(10**12,), (1 << 62, 8), (0, 10**30), (-1,), (3,)])
def test_a_header_that_lies_is_refused(shape, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", member(shape, b"xy"))
    with pytest.raises(UsageError, match="a in it is damaged"), npz_files.open_npz(tmp_path / "a.npz") as file:
        file.array("a", "u")


def test_many_names_of_one_array_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", member((1000,), bytes(1000)))
        for number in range(9):
            archive.filelist.append(alias := zipfile.ZipInfo(f"{number}.npy"))
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(alias, name, getattr(archive.filelist[0], name))
    with pytest.raises(UsageError), npz_files.open_npz(tmp_path / "a.npz") as file:
        for name in file.members:
            file.array(name, "u")
