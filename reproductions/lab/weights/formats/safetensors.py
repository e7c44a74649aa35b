"""Safetensors files, by the library of that name."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes  # noqa: F401  (by its import, NumPy knows bfloat16)
import numpy as np
import safetensors

LARGEST_HEADER = 10_000_000  # bytes
NUMBERS = ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "BF16", "F32", "F64")


def read(path: Path) -> dict[str, np.ndarray]:
    """Return all tensors by name; those in bfloat16 as float32.

    Raises:
        ValueError: If the file is damaged, its header is too large, or a tensor is not made of numbers.
    """
    check_header(path)
    tensors = {}
    # The library checks that the tensors do not overlap and are as long as their shapes say.
    with safetensors.safe_open(path, framework="numpy") as file:
        for name in file.keys():  # noqa: SIM118  (not a dictionary)
            kind = file.get_slice(name).get_dtype()
            if kind not in NUMBERS:
                raise ValueError(f"{name} is of type {kind}, not one of {', '.join(NUMBERS)}")
            values = file.get_tensor(name)
            tensors[name] = values.astype(np.float32) if kind == "BF16" else values
    if not tensors:
        raise ValueError("it has no weights")
    return tensors


def check_header(path: Path) -> None:
    """Raise ValueError if the header of a file, which is read whole, is too large."""
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > LARGEST_HEADER:
        raise ValueError(f"its header has {header:,} bytes, more than {LARGEST_HEADER:,}")
