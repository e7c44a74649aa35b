"""Layer arithmetic."""

import pytest

from reproductions.lab.analysis.formulas import convolution_parameters, output_size, stacked_receptive_field


def test_output_size_is_the_lecture_s_formula():
    assert output_size(227, 11, 4) == 55
    assert output_size(55, 3, 2) == 27
    assert output_size(32, 5) == 28
    assert output_size(7, 3, 1, 1) == 7


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((224, 11, 4), r"\(224 - 11 \+ 2\*0\)/4 \+ 1 = 54.25 is not a whole number"),
        ((5, 7), "a window of 7 does not fit an input of 5 with padding 0"),
        ((5, 3, 0), "stride must be at least 1; got 0"),
        ((5, 3, 1, -1), "padding must be at least 0; got -1"),
    ],
)
def test_sizes_that_do_not_fit_are_errors(numbers, message):
    with pytest.raises(ValueError, match=message):
        output_size(*numbers)


def test_parameters_and_stacks_are_the_lecture_s():
    assert convolution_parameters(11, 3, 96, use_bias=False) == 34848
    assert convolution_parameters(5, 1, 6) == 156
    assert stacked_receptive_field([3, 3, 3]) == stacked_receptive_field([7]) == 7
    assert stacked_receptive_field([5, 2, 5], [1, 2, 1]) == 14
    with pytest.raises(ValueError, match="got 2 kernel sizes and 1 strides"):
        stacked_receptive_field([3, 3], [1])
