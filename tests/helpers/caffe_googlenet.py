"""BVLC's GoogLeNet as Caffe's deploy.prototxt describes it, for other readers of its weights."""

from collections.abc import Iterator

# Filters: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection; None is a max pooling.
BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "pool3": None,
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128), "pool4": None,
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


def prototxt() -> str:
    """The network, from "data" (1, 3, 224, 224) in BGR to the probabilities "prob"."""
    return 'name: "GoogleNet"\ninput: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: 224\ninput_dim: 224\n' + "".join(
        layers()
    )


def layers() -> Iterator[str]:
    """Yield the layers in their order."""
    yield from convolution("conv1/7x7_s2", "data", 64, 7, 3, 2)
    yield pool("pool1", "conv1/7x7_s2")
    yield layer("pool1/norm1", "LRN", "pool1", "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }")
    yield from convolution("conv2/3x3_reduce", "pool1/norm1", 64)
    yield from convolution("conv2/3x3", "conv2/3x3_reduce", 192, 3, 1)
    yield layer("conv2/norm2", "LRN", "conv2/3x3", "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }")
    yield pool("pool2", "conv2/norm2")
    below = "pool2"
    for name, filters in BLOCKS.items():
        if filters is None:
            yield pool(name, below)
            below = name
        else:
            yield from block(f"inception_{name}", below, filters)
            below = f"inception_{name}/output"
    yield layer("pool5", "Pooling", below, "pooling_param { pool: AVE kernel_size: 7 stride: 1 }")
    yield layer("loss3/classifier", "InnerProduct", "pool5", "inner_product_param { num_output: 1000 }")
    yield layer("prob", "Softmax", "loss3/classifier")


def block(name: str, below: str, filters: tuple[int, ...]) -> Iterator[str]:
    """Yield the layers of a block."""
    yield from convolution(f"{name}/1x1", below, filters[0])
    yield from convolution(f"{name}/3x3_reduce", below, filters[1])
    yield from convolution(f"{name}/3x3", f"{name}/3x3_reduce", filters[2], 3, 1)
    yield from convolution(f"{name}/5x5_reduce", below, filters[3])
    yield from convolution(f"{name}/5x5", f"{name}/5x5_reduce", filters[4], 5, 2)
    yield layer(f"{name}/pool", "Pooling", below, "pooling_param { pool: MAX kernel_size: 3 stride: 1 pad: 1 }")
    yield from convolution(f"{name}/pool_proj", f"{name}/pool", filters[5])
    bottoms = " ".join(f'bottom: "{name}/{branch}"' for branch in ("1x1", "3x3", "5x5", "pool_proj"))
    yield f'layer {{ name: "{name}/output" type: "Concat" {bottoms} top: "{name}/output" }}\n'


def convolution(name: str, below: str, filters: int, size: int = 1, pad: int = 0, stride: int = 1) -> Iterator[str]:
    """Yield a convolution and its ReLU."""
    parameters = f"num_output: {filters} kernel_size: {size} pad: {pad} stride: {stride}"
    yield layer(name, "Convolution", below, f"convolution_param {{ {parameters} }}")
    yield f'layer {{ name: "{name}/relu" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'


def pool(name: str, below: str) -> str:
    """A max pooling with stride 2, which Caffe rounds up."""
    return layer(name, "Pooling", below, "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")


def layer(name: str, kind: str, below: str, parameters: str = "") -> str:
    """A layer with one input."""
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{below}" top: "{name}" {parameters} }}\n'
