"""Published figures compared with computed values."""

import pytest

from reproductions.lab.analysis.published import FAILS, HOLDS, ROUNDED, Fact, Range, judge


@pytest.mark.parametrize(
    ("published", "computed", "verdict"),
    [
        ("35K", 35000, HOLDS),
        ("35K", 34848, ROUNDED),
        ("35K", 35501, FAILS),
        ("2.7K", 2712, ROUNDED),
        ("2.7K", 9408, FAILS),
        ("138M", 138357544, ROUNDED),
        ("138M", 138500001, FAILS),
        ("60M", 60965224, ROUNDED),
        ("60M", 65000001, FAILS),
        ("650K", 659272, FAILS),
        ("~14 million", 14197122, ROUNDED),
        ("24M * 4 bytes ~= 96MB", 24000000, HOLDS),
        ("96MB", 60950432, FAILS),
        ("16%", 16.422, ROUNDED),
        ("16%", 16.6, FAILS),
        ("18.2%", 18.2, HOLDS),
        ("18.2%", 18.26, FAILS),
        ("81% more", 100 * 22 / 27, ROUNDED),
        ("1,728", 1728, HOLDS),
        ("1,728", 1729, FAILS),
        ("1e-2", 0.01, HOLDS),
        ("5e-4", 0.0006, FAILS),
        ("20 to 30", 25, HOLDS),
        ("20 to 30", 41, FAILS),
        ("16 - 19", Range(16, 19), HOLDS),
        ("16 - 19", Range(11, 13), FAILS),
        ("82", Range(75, 85), ROUNDED),
        ("82", Range(90, 100), FAILS),
        ("[55x55x96]", (55, 55, 96), HOLDS),
        ("[55x55x96]", (54, 54, 96), FAILS),
        ("[1x1x4096]", (4096,), HOLDS),
        ("CONV1 Max POOL1", "CONV1 MAX POOL1", HOLDS),
        ("CONV1 MAX POOL1 NORM1", "CONV1 NORM1 MAX POOL1", FAILS),
        ("deeper", Fact(True, ""), HOLDS),
        ("deeper", Fact(False, ""), FAILS),
    ],
)
def test_figures_are_compared_at_their_own_precision(published, computed, verdict):
    assert judge(published, computed) == verdict


def test_the_k_of_a_table_may_be_1024():
    assert judge("112K", 114688, 1024) == HOLDS
    assert judge("112K", 114688) == FAILS


def test_a_word_is_not_compared_with_a_number():
    with pytest.raises(ValueError, match="expected a published text with a number, got 'deeper'"):
        judge("deeper", 8)
