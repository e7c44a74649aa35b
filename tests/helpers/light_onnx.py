"""Networks of the `onnx` package, which come without weights, with random ones."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
SHAPE = "OC2_DUMMY"  # beginning of the names of shapes, arguments of Reshape


def light_network(name: str, size: int = 224, seed: int = 0) -> onnx.ModelProto:
    """Return a network from "data_0" to its logits, with weights drawn at random.

    Args:
        name: What follows "light_" in the name of its file.
        size: Height and width of the images; the files have 224.
        seed: Seed of the weights.
    """
    model = onnx.load(LIGHT / f"light_{name}.onnx")
    graph = model.graph
    shapes = [each for each in graph.initializer if each.name.startswith(SHAPE)]
    filled = [numpy_helper.from_array(value, name) for name, value in random_weights(graph, seed).items()]
    nodes = [node for node in graph.node if node.op_type not in ("ConstantOfShape", "Softmax")]
    images = next(each for each in graph.input if each.name.endswith("data_0"))
    images = helper.make_tensor_value_info(images.name, onnx.TensorProto.FLOAT, [1, 3, size, size])
    logits = helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, [1, 1000])
    small = helper.make_graph(nodes, graph.name, [images], [logits], shapes + filled)
    return helper.make_model(small, opset_imports=model.opset_import, ir_version=4)


def random_weights(graph: onnx.GraphProto, seed: int) -> dict[str, np.ndarray]:
    """Return weights that preserve the scale of the signal, for all that the file has or fills with a constant."""
    random = np.random.default_rng(seed)
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    shapes = {each.output[0]: tuple(stored[each.input[0]]) for each in graph.node if each.op_type == "ConstantOfShape"}
    shapes |= {name: value.shape for name, value in stored.items() if value.dtype == np.float32}
    used = {name for node in graph.node for name in node.input}
    return {name: random_weight(name, shape, random) for name, shape in sorted(shapes.items()) if name in used}


def random_weight(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return a kernel or matrix, a scale or variance, or a bias or mean."""
    if len(shape) > 1:
        # Caffe's matrices have two dimensions of one before theirs.
        inputs = shape[-1] if shape[:2] == (1, 1) else np.prod(shape[1:])
        return random.standard_normal(shape, np.float32) * np.float32((2 / inputs) ** 0.5)
    if name.endswith(("var_0", "scale_0", "sc_w_0")):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    return 0.1 * random.standard_normal(shape, np.float32)
