"""A network of the `onnx` package that comes without weights, with random ones and the suite's conventions."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import helper, numpy_helper

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
EPSILON = 0.001  # of batch normalization; the file has Caffe's, 0.00001


class LightNetwork:
    """The batch-normalized Inception network of the `onnx` package.

    Two conventions of Caffe, which the paper does not give, are replaced by those of the suite: epsilon is 0.001, and
    convolutions with stride 2 have the smaller half of their padding at the top and left, as in TensorFlow.

    Attributes:
        model: The network from "data_0" to its logits.
        weights: Its weights by name, drawn at random.
    """

    def __init__(self, seed: int = 0) -> None:
        self.model = onnx.load(LIGHT / "light_inception_v2.onnx")
        graph = self.model.graph
        self.weights = random_weights(graph, seed)
        others = [each for each in graph.initializer if each.name.startswith("OC2_DUMMY")]  # the shape after a Reshape
        nodes = [node for node in graph.node if node.op_type not in ("ConstantOfShape", "Softmax")]
        for node in nodes:
            adapt(node)
        filled = [numpy_helper.from_array(value, name) for name, value in self.weights.items()]
        logits = helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, [1, 1000])
        images = next(each for each in graph.input if each.name == "data_0")
        for field, values in [
            (graph.node, nodes), (graph.initializer, others + filled), (graph.input, [images]), (graph.output, [logits])
        ]:  # fmt: skip
            kept = [type(value).FromString(value.SerializeToString()) for value in values]
            del field[:]
            field.extend(kept)

    def layer_weights(self, convolution: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the weights of a convolution and of the batch normalization after it, in Keras' layout.

        Caffe's normalization has no scale and shift of its own; a second layer scales and shifts. The file has both.
        """
        kernel = self.weights[f"{convolution}_w_0"].transpose(2, 3, 1, 0)
        scale, shift, mean, variance = (
            self.weights[f"{convolution}/bn_{name}_0"] for name in ("scale", "bias", "mean", "var")
        )
        gamma, beta = (self.weights[f"{convolution}/bn/sc_{name}_0"] for name in "wb")
        return [kernel], [scale * gamma, shift * gamma + beta, mean, variance]

    def copy_to(self, model: keras.Model) -> None:
        """Set the weights of the suite's network to those of this one; all of them must fit and be used."""
        used = 0
        for convolution, normalization, name in units(model):
            for layer, values in zip((convolution, normalization), self.layer_weights(name)):
                layer.set_weights(values)
            used += 7
        model.get_layer("linear").set_weights(
            [self.weights["loss3/classifier_w_0"].T, self.weights["loss3/classifier_b_0"]]
        )
        assert used + 2 == len(self.weights)


def random_weights(graph: onnx.GraphProto, seed: int) -> dict[str, np.ndarray]:
    """Return weights that preserve the scale of the signal, for all that the file fills with a constant."""
    random = np.random.default_rng(seed)
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    shapes = {each.output[0]: stored[each.input[0]] for each in graph.node if each.op_type == "ConstantOfShape"}
    shapes |= {name: value.shape for name, value in stored.items() if not name.endswith(("__SHAPE", "_139"))}
    weights = {}
    for name, shape in sorted(shapes.items()):
        values = random.normal(size=tuple(shape))
        if len(shape) > 1:
            values *= (2 / np.prod(shape[1:])) ** 0.5
        elif name.endswith(("var_0", "scale_0", "sc_w_0")):
            values = random.uniform(0.5, 1.5, size=tuple(shape))
        else:
            values *= 0.1
        weights[name] = values.astype("float32")
    return weights


def adapt(node: onnx.NodeProto) -> None:
    """Give a node the suite's epsilon, and the padding of TensorFlow if it is a convolution with stride 2."""
    attributes = {each.name: each for each in node.attribute}
    if node.op_type == "BatchNormalization":
        attributes["epsilon"].f = EPSILON
    if node.op_type == "Conv" and list(attributes["strides"].ints) == [2, 2]:
        side = attributes["kernel_shape"].ints[0]
        before = (side - 2) // 2
        attributes["pads"].ints[:] = [before, before, side - 2 - before, side - 2 - before]


def units(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, keras.layers.Layer, str]]:
    """Yield each convolution of the suite's network with its normalization and its name in the file."""
    for outer in model.layers:
        inside = {each.name: each for each in getattr(outer, "layers", ())}
        for name, layer in inside.items():
            if isinstance(layer, keras.layers.Conv2D):
                short = name.replace("double_3x3_1", "double3x3a").replace("double_3x3_2", "double3x3b")
                yield layer, inside[f"{name}_bn"], f"{outer.name}/{short.replace('double_3x3', 'double3x3')}"
        if isinstance(outer, keras.layers.Conv2D):
            name = {"conv1": "conv1/7x7_s2"}.get(outer.name, outer.name.replace("conv2_", "conv2/"))
            yield outer, model.get_layer(f"{outer.name}_bn"), name
