"""Files of weights in any of the formats, as tensors by name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reproductions.lab import files
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.text import visible

# Module of `formats` by the ending of the file's name.
FORMATS = {
    ".caffemodel": "caffe",
    ".h5": "keras",
    ".hdf5": "keras",
    ".json": "convnetjs",
    ".keras": "keras",
    ".onnx": "onnx",
    ".safetensors": "safetensors",
}
PICKLES = (".pth", ".pt", ".pkl", ".pickle", ".ckpt", ".bin", ".tar")


@dataclass(frozen=True)
class TensorFile:
    """The content of a file of weights.

    Attributes:
        path: The file.
        tensors: Arrays by their names in the file, control characters escaped, in its order and layout.
    """

    path: Path
    tensors: Mapping[str, np.ndarray]

    @functools.cached_property
    def sha256(self) -> str:
        """Checksum of the file."""
        return files.sha256(self.path)


def read(path: Path) -> TensorFile:
    """Read a file of weights.

    Raises:
        UsageError: If the format is not known or not safe, or the file is missing or damaged.
    """
    with file_errors(path):
        if not path.is_file():
            raise UsageError(f"{path} is not a file")
        check_ending(path)
        module = importlib.import_module(f"{__package__}.formats.{FORMATS[path.suffix]}")
        tensors = module.read(path)
        for name, tensor in tensors.items():
            if not np.isfinite(tensor).all():
                raise ValueError(f"{name} has values that are not finite")
        return TensorFile(path, {visible(name): tensor for name, tensor in tensors.items()})


def check_ending(path: Path) -> None:
    """Raise UsageError unless a file has the ending of a format that is known and safe."""
    if path.suffix in PICKLES:
        raise UsageError(
            f"{path} contains Python objects (pickles), which are not loaded because they can run code; convert "
            "it where you trust it: safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW_FILE)"
        )
    if path.suffix not in FORMATS:
        raise UsageError(f"{path} is not a file of weights: expected one that ends with {', '.join(FORMATS)}")
