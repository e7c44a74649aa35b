"""Networks of the onnx package with random weights, imported: the same outputs as in onnxruntime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from keras import ops
from onnx import helper, numpy_helper

import reproductions
from reproductions.cli.main import main
from reproductions.lab.errors import UsageError
from reproductions.lab.weights import matching, presets, tensor_file
from tests.helpers.light_onnx import LIGHT, light_network
from tests.helpers.networks import assert_close
from tests.helpers.weight_files import caffe_blob, caffe_file

NETWORKS = {
    "inception_v1": ("googlenet-quick", 224),
    "inception_v2": ("bn-inception", 224),
    # The size for which BVLC trained; at 224 the file's poolings leave out columns.
    "bvlc_alexnet": ("alexnet", 227),
}


def check_import(tmp_path, light, network, size):
    """Compare the outputs of the imported network, for an image in RGB, with those of the file, for one in BGR."""
    model = light_network(light, size)
    path = tmp_path / f"{light}.onnx"
    onnx.save_model(model, path)
    preset = presets.find(network, "onnx")
    ours = reproductions.build(network, **preset.options)
    matching.assign(matching.match(ours, tensor_file.read(path), preset))
    images = np.random.default_rng(1).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"data_0": images[..., ::-1].transpose(0, 3, 1, 2).copy()})
    assert np.std(expected) > 0.1 * np.abs(expected).max()
    found = ops.convert_to_numpy(ours(images, training=False))
    print(f"{light}: largest difference {np.abs(found - expected).max() / np.abs(expected).max():.1e} of the largest")
    assert_close(found, expected, 1e-5)


@pytest.mark.parametrize("light", NETWORKS)
def test_the_imported_network_equals_onnx_s(tmp_path, light):
    """BN-Inception has 96 filters in the pool projections of 4c and 4d; with 128 the weights would not fit."""
    check_import(tmp_path, light, *NETWORKS[light])


def test_bvlc_s_alexnet_is_read_from_caffe_s_file_too(tmp_path):
    onnx.save_model(light_network("bvlc_alexnet", 227), tmp_path / "a.onnx")
    zoo = tensor_file.read(tmp_path / "a.onnx")
    layers = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    blobs = [(layer, [caffe_blob(zoo.tensors[f"{layer}_{kind}_0"], old=True) for kind in "wb"]) for layer in layers]
    caffe_file(tmp_path / "a.caffemodel", [], blobs)
    files = {"onnx": zoo, "bvlc": tensor_file.read(tmp_path / "a.caffemodel")}
    ours = reproductions.build("alexnet", caffe=True)
    matches = [matching.match(ours, file, presets.find("alexnet", name)) for name, file in files.items()]
    for first, second in zip(*matches, strict=True):
        np.testing.assert_array_equal(first.value, second.value)


@pytest.mark.slow
def test_the_imported_vgg_equals_onnx_s(tmp_path):
    check_import(tmp_path, "vgg19", "vgg-e", 224)


def saved(tmp_path, *tensors):
    path = tmp_path / "a.onnx"
    graph = helper.make_graph([], "a", [], [], list(tensors))
    onnx.save_model(helper.make_model(graph), path)
    return path


def test_zfnet512_is_refused_with_the_reason(tmp_path, refusal):
    graph = onnx.load(LIGHT / "light_zfnet512.onnx").graph
    name = "gpu_0/fc7_w_0"
    (shape,) = [numpy_helper.to_array(each) for each in graph.initializer if each.name == f"{name}__SHAPE"]
    path = saved(tmp_path, numpy_helper.from_array(np.zeros(shape, np.float32), name))
    error = refusal("weights", "import", "zfnet", path)
    assert "is of ONNX's zfnet512" in error and "1,024 units in fc7" in error and "The nearest one is zfnet" in error


@pytest.mark.parametrize("kind", ["FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16"])
@pytest.mark.parametrize("raw", [True, False])
def test_every_kind_of_floating_point_number_is_read(tmp_path, kind, raw):
    values = np.array([[1, -2, 0.5], [0, 3, 4]], np.float32)
    number = getattr(onnx.TensorProto, kind)
    content = values.astype(helper.tensor_dtype_to_np_dtype(number))
    tensor = helper.make_tensor("a", number, (2, 3), content.tobytes() if raw else content.ravel(), raw=raw)
    path = saved(tmp_path, tensor, numpy_helper.from_array(np.array([2, 3]), "shape"))
    if not raw and "16" in kind:
        with pytest.raises(UsageError, match="a has 0 values"):
            tensor_file.read(path)
    else:
        (found,) = tensor_file.read(path).tensors.values()
        np.testing.assert_array_equal(found, values)


def test_values_in_another_file_are_refused(tmp_path):
    (tmp_path / "values").write_bytes(bytes(4000))
    tensor = numpy_helper.from_array(np.zeros(1000, np.float32), "a")
    model = helper.make_model(helper.make_graph([], "a", [], [], [tensor]))
    onnx.save_model(model, tmp_path / "a.onnx", save_as_external_data=True, location="values2", size_threshold=0)
    with pytest.raises(UsageError, match=r"a\.onnx cannot be read: the values of a are in another file.*save_model"):
        tensor_file.read(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    "tensors, reason",
    [
        ([np.zeros(2, np.int8)], "quantized networks are not read"),
        ([np.zeros(2, np.float32)] * 2, "two initializers have the name 'a'"),
        ([np.zeros(2, np.int64)], "no weights of an ONNX graph"),
        ([np.array([np.inf], np.float32)], "not finite"),
    ],
)
def test_what_is_not_read_is_refused_with_the_reason(tmp_path, tensors, reason):
    with pytest.raises(UsageError, match=reason):
        tensor_file.read(saved(tmp_path, *(numpy_helper.from_array(each, "a") for each in tensors)))


def test_the_command_imports_an_onnx_file(tmp_path, capsys):
    onnx.save_model(light_network("inception_v2"), tmp_path / "inception-v2-9.onnx")
    out = tmp_path / "out.keras"
    main(["weights", "import", "bn-inception", str(tmp_path / "inception-v2-9.onnx"), "--to", str(out), "--verbose"])
    output = capsys.readouterr().out
    assert (
        "inception_3a/1x1/bn_scale_0 (64,), inception_3a/1x1/bn/sc_w_0 (64,) -> inception_3a/1x1_bn/gamma (64,)"
        in output
    )
    assert out.is_file()
