"""Anatomy, layer arithmetic and printed tables."""

import keras
import numpy as np
import pytest
from keras import ops

import reproductions
from reports import formats
from reports.build import computed
from reproductions.lab.analysis import architecture_tables
from reproductions.lab.analysis.formulas import convolution_parameters, output_size, stacked_receptive_field
from reproductions.lab.analysis.profile import anatomy, total, without_weights

STUDIES = list(reproductions.studies())


def sees(model, layer):
    """The side of the square of input pixels that reach the middle place of a layer, found by trying each row."""
    part = keras.Model(model.inputs, model.get_layer(layer).output)
    side = model.input_shape[1]
    x = np.zeros((side + 1, side, side, 1), "float32")
    for row in range(side):
        x[row, row] = 1
    y = ops.convert_to_numpy(part(x))
    middle = y[:, y.shape[1] // 2, y.shape[2] // 2]
    return int((np.abs(middle[:-1] - middle[-1]).max(-1) > 1e-12).sum())


def test_receptive_fields_are_the_pixels_that_reach_a_place():
    images = keras.Input((41, 41, 1))
    options = {"kernel_initializer": "ones", "padding": "same"}
    x = keras.layers.Conv2D(2, 5, strides=2, **options, name="a")(images)
    x = keras.layers.AveragePooling2D(3, 2, "same", name="b")(x)
    left = keras.layers.Conv2D(2, 3, **options, name="c")(x)
    x = keras.layers.Concatenate(name="d")([left, keras.layers.Conv2D(2, 1, **options, name="e")(x)])
    model = keras.Model(images, keras.layers.Conv2D(1, 3, **options, name="f")(x))
    rows = {row.name: row for row in anatomy(model)}
    for name in "abcdef":
        assert rows[name].receptive_field == sees(model, name), name
    assert [rows[name].jump for name in "abcdef"] == [2, 4, 4, 4, 4, 4]


def test_counts_of_a_small_network_by_hand():
    images = keras.Input((6, 6, 2))
    x = keras.layers.Conv2D(4, 3, padding="same", groups=2, name="conv")(images)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(2, name="pool")(x))
    rows = {row.name: row for row in anatomy(keras.Model(images, keras.layers.Dense(5, name="fc")(x)))}
    conv, fc = rows["conv"], rows["fc"]
    assert (conv.weights, conv.parameters, conv.multiply_adds, conv.activations) == (36, 40, 36 * 36, 144)
    assert (fc.weights, fc.parameters, fc.multiply_adds, fc.connections) == (180, 185, 180, 185)
    assert rows["pool"].multiply_adds == 0 and rows["pool"].output == (3, 3, 4)
    assert conv.forward_bytes == 4 * 144 and conv.backward_bytes == 2 * conv.forward_bytes


@pytest.mark.parametrize("name", ["googlenet", "inception-v3", "alexnet", "lenet5"])
def test_layers_add_up_to_the_model(name):
    with without_weights():
        model = reproductions.build(name)
        rows = anatomy(model)
    assert total(rows, "parameters") == model.count_params()
    assert len({row.name for row in rows}) == len(rows)
    if name == "googlenet":
        assert any(row.name == "inception_4a/3x3_reduce" for row in rows)


def test_building_for_anatomy_allocates_no_weights():
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with without_weights():
        assert total(anatomy(reproductions.build("vgg-e")), "parameters") == 143667240
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 143667240 * 4 / 2


def test_output_size_is_the_lecture_s_formula():
    assert output_size(227, 11, 4) == 55
    assert output_size(55, 3, 2) == 27
    assert output_size(32, 5) == 28
    assert output_size(7, 3, 1, 1) == 7


@pytest.mark.parametrize(
    "numbers, says",
    [
        ((224, 11, 4), r"\(224 - 11 \+ 2\*0\)/4 \+ 1 = 54.25 is no whole number"),
        ((5, 7), "a window of 7 does not fit an input of 5 with padding 0"),
        ((5, 3, 0), "stride must be at least 1; got 0"),
        ((5, 3, 1, -1), "padding must be at least 0; got -1"),
    ],
)
def test_sizes_that_do_not_fit_are_said_so(numbers, says):
    with pytest.raises(ValueError, match=says):
        output_size(*numbers)


def test_parameters_and_stacks_are_the_lecture_s():
    assert convolution_parameters(11, 3, 96, bias=False) == 34848
    assert convolution_parameters(5, 1, 6) == 156
    assert stacked_receptive_field([3, 3, 3]) == stacked_receptive_field([7]) == 7
    assert stacked_receptive_field([5, 2, 5], [1, 2, 1]) == 14
    with pytest.raises(ValueError, match="got 2 fields and 1 strides"):
        stacked_receptive_field([3, 3], [1])


@pytest.fixture(scope="module")
def cells():
    return {
        name: architecture_tables.compared(architecture_tables.printed_cells(name), reproductions.build)
        for name in STUDIES
    }


@pytest.mark.parametrize("name", STUDIES)
def test_every_cell_that_differs_is_explained_and_no_other(name, cells):
    printed = architecture_tables.printed_cells(name)
    differs = cells[name]["verdict"] == "does not hold"
    assert (printed["why"] != "").tolist() == differs.tolist()
    assert {"parameters", "output"} & set(printed["quantity"])


def test_the_committed_tables_are_what_the_networks_give(cells):
    assert computed().tables == {name: found.to_dict("records") for name, found in cells.items()}


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "json", "latex"])
def test_tables_are_written_in_every_format(form, cells):
    for own in (cells["googlenet"].set_index("table"), formats.side_by_side(cells["googlenet"])[0]):
        text = formats.written(own, form)
        assert "inception (3a)" in text
    assert "23851784" in formats.written(
        architecture_tables.listing(reproductions.find_network("inception-v3").build), form
    )


def test_a_cell_about_nothing_is_an_error():
    with without_weights():
        rows = anatomy(reproductions.build("lenet5"))
    with pytest.raises(LookupError, match="no layer is named C9"):
        architecture_tables.chosen(rows, "C9")
    with pytest.raises(LookupError, match="no quantity weight"):
        architecture_tables.quantity(rows, "weight")
