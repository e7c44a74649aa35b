"""Arguments that `reproductions.build` refuses, among them inputs that are too small."""

import keras
import pytest

import reproductions
from reproductions.lab.analysis.profile import without_weights
from reproductions.lab.spec import Network
from tests.helpers.networks import BY_BUILDER, takes


@pytest.mark.parametrize(
    "name, options, message",
    [
        (
            "lenet-5",
            {},
            "'lenet-5' is not a network. Did you mean 'lenet5'.* `reproduce list` prints all of them",
        ),
        ("vgg-a", {"classes": 0}, "classes must be a positive integer; got 0"),
        ("vgg-a", {"clases": 3}, "'clases' is not an option of vgg-a.* Choose from: classes, input_size"),
        ("vgg-a", {"classes": True}, "got True"),
        ("vgg-a", {"input_size": "224"}, "input_size must be a positive integer; got '224'"),
        ("alexnet", {"layout": "three GPUs"}, "alexnet cannot be built with .*layout must be one of .* 'three GPUs'"),
        ("alexnet", {"removed": ("conv9",)}, "removed must be some of norm1, norm2, conv3, conv4; got conv9"),
        ("alexnet-cifar10-relu", {"activation": "rulu"}, "cannot be built with .*'activation': 'rulu'}: Could not"),
        ("googlenet", {"input_size": 16}, "an input_size of 16 is too small for googlenet.* its default of 224"),
        ("bn-inception", {"variant": "x6"}, "variant must be one of bn-inception, inception, .* got 'x6'"),
        ("bn-inception", {"input_size": 16}, "an input_size of 16 is too small for bn-inception"),
        ("alexnet", {"input_size": 20}, "an input_size of 20 is too small for alexnet"),
        ("inception-v3", {"input_size": 60}, "an input_size of 60 is too small for inception-v3"),
        ("vgg-d", {"input_size": 16}, "an input_size of 16 is too small for vgg-d"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(name, options, message):
    with pytest.raises(reproductions.UsageError, match=message) as refusal:
        reproductions.build(name, **options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [each for each in BY_BUILDER if takes(each.values[0], "input_size")])
@pytest.mark.parametrize("size", [1, 8, 31, 62])
def test_a_network_has_no_empty_outputs_or_is_refused(name, size):
    try:
        with without_weights():
            model = reproductions.build(name, input_size=size)
    except reproductions.UsageError as error:
        assert f"an input_size of {size} is too small for {name}" in str(error)
    else:
        assert all(side is None or side > 0 for layer in model.layers for side in layer.output.shape)


class Crop(keras.layers.Layer):
    """Rows from the fourth on, without a check of its own, as of all layers in some versions of Keras."""

    def call(self, inputs):
        return inputs[:, 4:]


def test_the_suite_itself_checks_for_empty_outputs():
    def cropped(input_size=8):
        images = keras.Input((input_size, 8, 1))
        return keras.Model(images, Crop(name="crop")(images))

    network = Network("cropped", cropped)
    assert network.model(input_size=5).output_shape == (None, 1, 8, 1)
    with pytest.raises(ValueError, match=r"the input is too small: the output of crop .* \(None, 0, 8, 1\)"):
        network.model(input_size=4)
