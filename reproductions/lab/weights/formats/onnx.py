"""Weights in ONNX files: the initializers of the graph, by the protobuf library. The graph itself is not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from reproductions.lab.weights.formats.protobuf import BYTES, INT32, INT64, MESSAGE, STRING, Field, Schema, check_shape

# The fields of onnx.proto with names and weights.
SCHEMA = Schema(
    "onnx",
    {
        "Model": (Field("graph", 7, MESSAGE, "Graph"),),
        "Graph": (Field("initializer", 5, BYTES, repeated=True), Field("sparse_initializer", 15, BYTES, repeated=True)),
        "Tensor": (
            Field("dims", 1, INT64, repeated=True),
            Field("data_type", 2, INT32),
            Field("float_data", 4, BYTES),
            Field("name", 8, STRING),
            Field("raw_data", 9, BYTES),
            Field("double_data", 10, BYTES),
            Field("external_data", 13, BYTES, repeated=True),
            Field("data_location", 14, INT32),
        ),
    },
)
# TensorProto.DataType: NumPy's type, and the field that has the values if they are not raw.
FLOATS = {
    1: (np.dtype("<f4"), "float_data"),
    10: (np.dtype("<f2"), "raw_data"),
    11: (np.dtype("<f8"), "double_data"),
    16: (np.dtype(ml_dtypes.bfloat16), "raw_data"),
}
INTEGERS = 7  # int64: shapes and axes, which are arguments of operators


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the initializers by name, in ONNX's layout and the order of the file; those in bfloat16 as float32.

    Integers are left out: operators such as Reshape have them as arguments.

    Raises:
        ValueError: If the file is damaged, two initializers have one name, or one is sparse, quantized or in another
            file.
    """
    model = SCHEMA.parse("Model", path.read_bytes())
    SCHEMA.check_parts("Graph", model.graph)
    if model.graph.sparse_initializer:
        raise ValueError("it has sparse weights, which are not read")
    tensors: dict[str, np.ndarray] = {}
    for content in model.graph.initializer:
        tensor = SCHEMA.parse("Tensor", content)
        if tensor.data_type == INTEGERS:
            continue
        if tensor.name in tensors:
            raise ValueError(f"two initializers have the name {tensor.name!r}")
        tensors[tensor.name] = array(tensor)
    if not tensors:
        raise ValueError("it has no weights of an ONNX graph")
    return tensors


def array(tensor: Any) -> np.ndarray:
    """Return the values of an initializer in its shape.

    Raises:
        ValueError: If they are in another file or not floating-point numbers, or their number is not that of the shape.
    """
    if tensor.external_data or tensor.data_location:
        raise ValueError(
            f"the values of {tensor.name} are in another file, which is not read: make one file of both where you "
            "trust them, onnx.save_model(onnx.load(FILE), NEW_FILE)"
        )
    if tensor.data_type not in FLOATS:
        raise ValueError(
            f"{tensor.name} is of ONNX's data type {tensor.data_type}, not of floating-point numbers; quantized "
            "networks are not read"
        )
    kind, field = FLOATS[tensor.data_type]
    values = np.frombuffer(tensor.raw_data or getattr(tensor, field), kind)
    check_shape(tensor.name, tensor.dims, len(values))
    return (values.astype(np.float32) if kind == ml_dtypes.bfloat16 else values).reshape(tuple(tensor.dims))
