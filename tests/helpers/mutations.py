"""Changes to the values in JSON, npz, Keras and safetensors files, after which they are still such files."""

import copy
import io
import json
import random
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

DEEP = "nested 10,000 deep"  # stands for such lists, which json cannot write
VALUES = (
    0, 1, -1, 2, 2.5, -0.0, 1e308, 10**15, 2**63, 2**64, 10**400, float("nan"), float("inf"), True, False, None,
    "", "..", "../../x", "/etc/passwd", "<script>alert(1)</script>", "[x](javascript:alert(1))", "a|b*c_d`", "\ud800",
    "x\n# y", "\0", "é" * 300, "n" * 100_000, [], {}, [[]], [0] * 100_000, {"class_name": "SGD", "config": {}}, DEEP,
)  # fmt: skip
DTYPES = ("u1", "<i8", ">i4", "<f2", "<f4", "<f8", "<c16", "<U3", "S2", "?", "M8[s]", "V4", "O")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a JSON value as its container and its key or index."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def changed_json(content: bytes, chance: random.Random) -> bytes:
    """Return JSON with one to four values of other types, out of range, missing, renamed, repeated or exchanged."""
    value = [json.loads(content)]
    for _ in range(chance.choice((1, 1, 2, 4))):
        found = list(places(value))
        container, key = chance.choice(found) if found else (value, 0)
        if not found:
            break
        match chance.randrange(8):
            case 0 | 1 | 2:
                container[key] = copy.deepcopy(chance.choice(VALUES))
            case 3 if container is not value:
                del container[key]
            case 4 if isinstance(container, dict):
                container[chance.choice(("x", "", "schema", "a/../b", "é", "<b>"))] = container[key]
            case 5 if isinstance(container, list) and container is not value:
                container.extend([container[key]] * chance.choice((1, 1, 1000)))
            case 6:
                other, its_key = chance.choice(found)
                container[key] = json.loads(json.dumps(other[its_key]))
            case 7:
                old = container[key]
                container[key] = chance.choice(([old], {"a": old}, str(old)[:1000], [old, old]))
    text = json.dumps(value[0]) if value else ""
    return text.replace(json.dumps(DEEP), "[" * 10_000 + "]" * 10_000).encode()


def changed_npz(content: bytes, chance: random.Random) -> bytes:
    """Return an npz file with one to three arrays of other values, types or shapes, missing or new; or other JSON."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = dict(file)
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice(sorted(arrays)) if arrays else "x"
        if arrays.get("metadata") is not None and chance.random() < 0.5 and arrays["metadata"].dtype == np.uint8:
            changed = changed_json(arrays["metadata"].tobytes() or b"{}", chance) if is_json(arrays) else b"{"
            arrays["metadata"] = np.frombuffer(changed, np.uint8)
        elif chance.random() < 0.2:
            arrays.pop(name, None)
        elif chance.random() < 0.1:
            arrays[chance.choice(("x", "../x", "variable0", name + "2"))] = np.zeros(3)
        else:
            arrays[name] = changed_array(arrays.get(name, np.zeros(2)), chance)
    file = io.BytesIO()
    with np.errstate(all="ignore"):
        chance.choice((np.savez, np.savez_compressed))(file, **arrays)
    return file.getvalue()


def is_json(arrays: dict[str, np.ndarray]) -> bool:
    """Return whether the metadata among some arrays are JSON that can be changed."""
    try:
        json.loads(arrays["metadata"].tobytes())
    except (ValueError, RecursionError):
        return False
    return True


def changed_array(array: np.ndarray, chance: random.Random) -> np.ndarray:
    """Return an array of other values, another type or another shape."""
    kind = chance.randrange(6)
    flat = np.array(array).reshape(-1)
    if kind == 0 and array.dtype.kind == "f" and len(flat):
        flat[chance.randrange(len(flat))] = chance.choice((np.nan, np.inf, -np.inf))
        return flat.reshape(array.shape)
    if kind == 1 and array.dtype.kind in "iu" and len(flat):
        limits = np.iinfo(array.dtype)
        flat[chance.randrange(len(flat))] = chance.choice((0, limits.max, limits.min))
        return flat.reshape(array.shape)
    if kind == 2:
        return chance.choice((flat, array[np.newaxis], flat[: len(flat) // 2], np.zeros((0, 3)), np.zeros(())))
    if kind == 3:
        return np.zeros(array.shape, chance.choice(DTYPES))
    if kind == 4:
        return np.concatenate([flat, flat])
    return np.zeros(chance.choice(((1 << 20,), (1 << 10, 1 << 10), (1,) * 32)), chance.choice(("u1", "<f4", "S1")))


def with_member(content: bytes, name: str, changed: bytes) -> bytes:
    """Return a zip archive with other content of a member."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.infolist():
            new.writestr(member, changed if member.filename == name else old.read(member))
    return file.getvalue()


def changed_keras(content: bytes, chance: random.Random) -> bytes:
    """Return a Keras file with changes to one of its JSON members."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = chance.choice([each for each in archive.namelist() if each.endswith(".json")])
        changed = changed_json(archive.read(name), chance)
    return with_member(content, name, changed)


def changed_safetensors(content: bytes, chance: random.Random) -> bytes:
    """Return a safetensors file with changes to the JSON in its metadata, or to the header that has it."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = header.get("__metadata__")
    if metadata and chance.random() < 0.8:
        name = chance.choice(sorted(metadata))
        metadata[name] = changed_json(metadata[name].encode(), chance).decode()
        changed = json.dumps(header).encode()
    else:
        changed = changed_json(content[8 : 8 + length], chance)
    return len(changed).to_bytes(8, "little") + changed + content[8 + length :]
