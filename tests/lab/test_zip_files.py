"""Archives: their members are bounded in number before they are listed, and in size before they are read."""

import io
import struct
import zipfile

import numpy as np
import pytest

from reproductions.lab import npz_files, zip_files
from reproductions.lab.errors import UsageError
from reproductions.lab.weights import imported, own, tensor_file

ENTRY = struct.Struct("<4s6H3L5H2L")


def crowd(count: int, claimed: int | None = None) -> bytes:
    """An archive whose directory lists a member many times, and claims another number of them."""
    local = b"PK\3\4" + struct.pack("<5H3L2H", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    directory = count * (ENTRY.pack(b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a")
    number = min(count if claimed is None else claimed, 0xFFFF)
    return local + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(directory), len(local), 0)


@pytest.mark.parametrize("claimed", [None, 1])
def test_an_archive_of_millions_of_members_is_refused_unread(claimed, monkeypatch):
    class Listed(Exception):
        """A member was listed."""

    def listed(*arguments):
        raise Listed

    content = crowd(2_000_000, claimed)
    monkeypatch.setattr(zipfile, "ZipInfo", listed)
    with pytest.raises(Listed):
        zipfile.ZipFile(io.BytesIO(content))
    with pytest.raises(ValueError, match="directory of the archive has more than 1,048,576 bytes"):
        zip_files.open_archive(io.BytesIO(content))


def test_an_archive_of_many_members_is_refused():
    assert len(zip_files.open_archive(io.BytesIO(crowd(10_000))).infolist()) == 10_000
    with pytest.raises(ValueError, match="has 10,001 members, more than 10,000"):
        zip_files.open_archive(io.BytesIO(crowd(10_001)))


READERS = {
    "npz": lambda path: npz_files.open_npz(path).__enter__(),
    "keras": tensor_file.read,
    "configuration.keras": own.configuration,
    "provenance.keras": imported.provenance_of,
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_of_archives_refuses_crowds(name, tmp_path):
    path = tmp_path / f"a.{name}"
    path.write_bytes(crowd(200_000))
    with pytest.raises(UsageError, match=rf"a\.{name} cannot be read: the directory of the archive has more than"):
        READERS[name](path)


def test_a_large_network_has_few_members():
    file = io.BytesIO()
    np.savez(file, **{f"variable{number}": np.zeros(1) for number in range(5000)})
    assert len(zip_files.open_archive(file).infolist()) == 5000


def test_a_member_is_read_whole_or_not_at_all():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"text" * 100)
    archive = zip_files.open_archive(file)
    assert zip_files.read_member(archive, "a", 400) == b"text" * 100
    with pytest.raises(ValueError, match="its a has 400 bytes, more than 399"):
        zip_files.read_member(archive, "a", 399)
    with pytest.raises(ValueError, match="expected one b in it"):
        zip_files.read_member(archive, "b", 400)
