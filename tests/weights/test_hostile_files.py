"""Damaged and hostile files of weights: each is loaded or refused with its name, in bounded time and memory."""

import json
import signal
import struct
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from reproductions.lab.errors import UsageError
from reproductions.lab.weights import tensor_file
from tests.helpers.hostile_files import check_damaged_files, survey
from tests.helpers.weight_files import WRITERS, caffe_blob, caffe_file, onnx_file, onnx_tensor

READER = "reproductions.lab.weights.tensor_file:read"


@pytest.fixture
def originals(tmp_path):
    """A folder with a good file of each format."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, write in WRITERS.items():
        write(folder / name)
    return folder


def test_there_is_a_file_of_every_format(originals):
    endings = {path.suffix for path in originals.iterdir()}
    formats = {tensor_file.FORMATS[ending] for ending in endings}
    assert formats == set(tensor_file.FORMATS.values())
    done = survey(originals, READER)
    assert json.loads(done.stdout) == dict.fromkeys(sorted(WRITERS), "loaded"), done.stderr


def test_damaged_files_are_loaded_or_refused(originals):
    outcomes = check_damaged_files(originals, READER, seed=1, count=2000)
    assert all(each["loaded"] and each["refused"] for each in outcomes.values()), "some changes do harm, some do not"


@pytest.mark.slow
def test_many_damaged_files_are_loaded_or_refused(originals):
    check_damaged_files(originals, READER, seed=2, count=10_000)


@pytest.mark.parametrize(
    ("reader", "status", "reason"),
    [
        ("slow", -signal.SIGPROF, ""),
        ("greedy", 1, "no limit in the reader"),
        ("careless", 1, "KeyError"),
    ],
)
def test_a_reader_without_limits_would_be_noticed(tmp_path, reader, status, reason):
    (tmp_path / "a.h5").touch()
    done = survey(tmp_path, f"tests.helpers.hostile_files:{reader}")
    assert done.returncode == status
    assert reason in done.stderr


# --- Files that are made to do harm


def deflated_zeros(blocks: int) -> bytes:
    """A stream of about 65 kB for each block, which expands to 64 MB a block."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    return blocks * block + b"\3\0"


BLOCK = 1 << 26
ZIP_BOMB = deflated_zeros(63)  # 4 MB, which expand to 4 GB, the most without ZIP64


def archive(path: Path, members: dict[str, bytes], sizes: dict[str, int]) -> None:
    """Write an archive whose members are streams already, with any sizes in its directory."""
    content, directory = b"", b""
    for name, stream in members.items():
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(stream), sizes[name], len(name), 0)
        header = b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(content))
        directory += header + name.encode()
        content += b"PK\3\4" + fields + name.encode() + stream
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(content), 0)
    path.write_bytes(content + directory + b"PK\5\6" + end)


def zip_bomb(path: Path) -> None:
    archive(path, {"model.weights.h5": ZIP_BOMB}, {"model.weights.h5": 63 * BLOCK})


def lying_zip_bomb(path: Path) -> None:
    """The directory says that it expands to 10 MB."""
    archive(path, {"model.weights.h5": ZIP_BOMB}, {"model.weights.h5": 10_000_000})


def two_weights(path: Path) -> None:
    archive(path, {"model.weights.h5": b"\3\0"}, {"model.weights.h5": 0})
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("model.weights.h5", b"")


def path_outside(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../model.weights.h5", b"")


def chunk_bomb(path: Path) -> None:
    """One chunk of a small data set expands to 4 GB."""
    with h5py.File(path, "w") as file:
        values = file.create_dataset("a", (BLOCK,), "f4", chunks=(BLOCK,), compression="gzip")
        values.id.write_direct_chunk((0,), b"\x78\xda" + ZIP_BOMB)


def huge_shape(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (1 << 40, 1 << 10), "f4")


def group_in_itself(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["b/c"] = group


def many_names_of_one_array(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros(100_000, np.float32)
        for number in range(5000):
            file[f"b{number}"] = file["a"]


def deep_groups(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["/".join(["a"] * 2000)] = np.zeros(1, np.float32)


def objects(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=["text"], dtype=h5py.string_dtype())


def not_a_number(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = np.array([1.0, np.nan])


def huge_tensor(path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def one_name_twice(path: Path) -> None:
    entry = '{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    header = f'{{"a": {entry}, "a": {entry.replace("[0, 4]", "[4, 8]")}}}'.encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def huge_volume(path: Path) -> None:
    volume = {"sx": 10**9, "sy": 10**9, "depth": 10**9, "w": {}}
    layer = {"layer_type": "conv", "filters": [volume], "biases": volume}
    path.write_text(json.dumps({"layers": [layer]}), encoding="utf-8")


def many_lists(path: Path) -> None:
    path.write_text("[" + "[]," * 4_000_000 + "[]]", encoding="utf-8")


def nested_lists(path: Path) -> None:
    path.write_text("[" * 1_000_000, encoding="utf-8")


def huge_blob(path: Path) -> None:
    caffe_file(path, [("a", [caffe_blob(np.zeros(1, np.float32), shape=(1 << 40, 1 << 40))])])


def two_layers_of_one_name(path: Path) -> None:
    layer = "a", [caffe_blob(np.zeros(1, np.float32))]
    caffe_file(path, [layer, layer])


def many_dimensions(path: Path) -> None:
    caffe_file(path, [("a", [caffe_blob(np.zeros(1, np.float32), shape=(1,) * 4_000_000)])])


def many_empty_layers(path: Path) -> None:
    path.write_bytes(b"\xa2\x06\x00" * 4_000_000)


def many_initializers(path: Path) -> None:
    tensors = b"\x2a\x00" * 4_000_000
    path.write_bytes(b"\x3a" + varint(len(tensors)) + tensors)


def many_nested_graphs(path: Path) -> None:
    """A node with a graph in its attribute, which has a node..."""
    content = b""
    for _ in range(3000):
        content = b"\x0a" + varint(len(content)) + content
        content = b"\x2a" + varint(len(content)) + content
    path.write_bytes(b"\x3a" + varint(len(content)) + content)


def varint(number: int) -> bytes:
    """A number as Protocol Buffers have it."""
    return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])


def huge_initializer(path: Path) -> None:
    onnx_file(path, [onnx_tensor("a", np.zeros(1, np.float32), dims=(1 << 40, 1 << 40))])


def many_dimensions_of_onnx(path: Path) -> None:
    onnx_file(path, [onnx_tensor("a", np.zeros(1, np.float32), dims=(1,) * 4_000_000)])


def values_elsewhere(path: Path) -> None:
    onnx_file(path, [onnx_tensor("a", np.zeros(1, np.float32), external_data=[b"\n\x08location\x12\x0b/etc/passwd"])])


def renamed_pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.")


HOSTILE = {
    **dict.fromkeys([zip_bomb, lying_zip_bomb, two_weights, path_outside], ".keras"),
    **dict.fromkeys([chunk_bomb, huge_shape, group_in_itself, many_names_of_one_array, deep_groups], ".h5"),
    **dict.fromkeys([objects, not_a_number], ".h5"),
    **dict.fromkeys([huge_tensor, one_name_twice, renamed_pickle], ".safetensors"),
    **dict.fromkeys([huge_volume, nested_lists, many_lists], ".json"),
    **dict.fromkeys([many_initializers, many_nested_graphs, huge_initializer], ".onnx"),
    **dict.fromkeys([many_dimensions_of_onnx, values_elsewhere], ".onnx"),
    **dict.fromkeys([huge_blob, two_layers_of_one_name, many_empty_layers, many_dimensions], ".caffemodel"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for write, ending in HOSTILE.items():
        write(folder / f"{write.__name__}{ending}")
    return folder


def test_hostile_files_are_refused_within_limits(hostile):
    done = survey(hostile, READER)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout).values()) == {"refused"}, done.stdout
    assert len(json.loads(done.stdout)) == len(HOSTILE)


REASONS = {
    "zip_bomb.keras": "its model.weights.h5 has 4,227,858,432 bytes, more than",
    "path_outside.keras": "expected one model.weights.h5",
    "chunk_bomb.h5": "compressed",
    "huge_shape.h5": "has more values than the file",
    "not_a_number.h5": "not finite",
    "objects.h5": "not an array of numbers",
    "many_empty_layers.caffemodel": "field 100 of NetParameter is there more than 10,000 times",
    "many_dimensions.caffemodel": "a/0 has more than 32 dimensions",
    "many_initializers.onnx": "field 5 of Graph is there more than 10,000 times",
    "many_dimensions_of_onnx.onnx": "field 1 of Tensor is there more than 10,000 times",
    "values_elsewhere.onnx": "the values of a are in another file",
    "two_layers_of_one_name.caffemodel": "two layers have the name 'a'",
}


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_of_a_refusal_is_given(hostile, name):
    with pytest.raises(UsageError, match=name) as refused:
        tensor_file.read(hostile / name)
    assert REASONS[name] in str(refused.value)
