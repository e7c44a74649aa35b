"""Convolutions of Inception networks, branch by branch, with their names in torchvision's and timm's networks.

Keras' own InceptionV3 creates them in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping

STEM_V3 = {
    "conv1": "Conv2d_1a_3x3", "conv2": "Conv2d_2a_3x3", "conv3": "Conv2d_2b_3x3", "conv4": "Conv2d_3b_1x1",
    "conv5": "Conv2d_4a_3x3",
}  # fmt: skip
FIGURE_5 = {
    "1x1": "branch1x1", "5x5_reduce": "branch5x5_1", "5x5": "branch5x5_2", "double_3x3_reduce": "branch3x3dbl_1",
    "double_3x3_1": "branch3x3dbl_2", "double_3x3_2": "branch3x3dbl_3", "pool_proj": "branch_pool",
}  # fmt: skip
REDUCTION_17 = {
    "branch1_1": "branch3x3", "branch2_1": "branch3x3dbl_1", "branch2_2": "branch3x3dbl_2",
    "branch2_3": "branch3x3dbl_3",
}  # fmt: skip
FIGURE_6 = {
    "1x1": "branch1x1", "7x7_reduce": "branch7x7_1", "1x7": "branch7x7_2", "7x1": "branch7x7_3",
    "double_7x7_reduce": "branch7x7dbl_1", "double_7x7_1": "branch7x7dbl_2", "double_7x7_2": "branch7x7dbl_3",
    "double_7x7_3": "branch7x7dbl_4", "double_7x7_4": "branch7x7dbl_5", "pool_proj": "branch_pool",
}  # fmt: skip
REDUCTION_8 = {
    "branch1_1": "branch3x3_1", "branch1_2": "branch3x3_2", "branch2_1": "branch7x7x3_1", "branch2_2": "branch7x7x3_2",
    "branch2_3": "branch7x7x3_3", "branch2_4": "branch7x7x3_4",
}  # fmt: skip
FIGURE_7 = {
    "1x1": "branch1x1", "3x3_reduce": "branch3x3_1", "3x3_1x3": "branch3x3_2a", "3x3_3x1": "branch3x3_2b",
    "double_3x3_reduce": "branch3x3dbl_1", "double_3x3_1": "branch3x3dbl_2", "double_3x3_1x3": "branch3x3dbl_3a",
    "double_3x3_3x1": "branch3x3dbl_3b", "pool_proj": "branch_pool",
}  # fmt: skip
BLOCKS_V3 = {
    **{f"mixed_35x35_{number}": (f"Mixed_5{letter}", FIGURE_5) for number, letter in enumerate("bcd", 1)},
    "mixed_17x17_1": ("Mixed_6a", REDUCTION_17),
    **{f"mixed_17x17_{number}": (f"Mixed_6{letter}", FIGURE_6) for number, letter in enumerate("bcde", 2)},
    "mixed_8x8_0": ("Mixed_7a", REDUCTION_8),
    **{f"mixed_8x8_{number}": (f"Mixed_7{letter}", FIGURE_7) for number, letter in enumerate("bc", 1)},
}

STEM_V4 = {
    "conv1": "features.0", "conv2": "features.1", "conv3": "features.2", "stem1_3x3": "features.3.conv",
    "stem2_3x3_reduce": "features.4.branch0.0", "stem2_3x3": "features.4.branch0.1",
    "stem2_7x7_reduce": "features.4.branch1.0", "stem2_1x7": "features.4.branch1.1",
    "stem2_7x1": "features.4.branch1.2", "stem2_7x7_3x3": "features.4.branch1.3", "stem3_3x3": "features.5.conv",
}  # fmt: skip
BLOCK_A = {
    "1x1": "branch0", "3x3_reduce": "branch1.0", "3x3": "branch1.1", "double_3x3_reduce": "branch2.0",
    "double_3x3_1": "branch2.1", "double_3x3_2": "branch2.2", "pool_proj": "branch3.1",
}  # fmt: skip
REDUCTION_A = {
    "branch1_1": "branch0", "branch2_1": "branch1.0", "branch2_2": "branch1.1", "branch2_3": "branch1.2",
}  # fmt: skip
BLOCK_B = {
    "1x1": "branch0", "7x7_reduce": "branch1.0", "1x7": "branch1.1", "7x1": "branch1.2",
    "double_7x7_reduce": "branch2.0", "double_7x7_1": "branch2.1", "double_7x7_2": "branch2.2",
    "double_7x7_3": "branch2.3", "double_7x7_4": "branch2.4", "pool_proj": "branch3.1",
}  # fmt: skip
REDUCTION_B = {
    "branch1_1": "branch0.0", "branch1_2": "branch0.1", "branch2_1": "branch1.0", "branch2_2": "branch1.1",
    "branch2_3": "branch1.2", "branch2_4": "branch1.3",
}  # fmt: skip
BLOCK_C = {
    "1x1": "branch0", "3x3_reduce": "branch1_0", "3x3_1x3": "branch1_1a", "3x3_3x1": "branch1_1b",
    "double_3x3_reduce": "branch2_0", "double_3x3_1": "branch2_1", "double_3x3_2": "branch2_2",
    "double_3x3_1x3": "branch2_3a", "double_3x3_3x1": "branch2_3b", "pool_proj": "branch3.1",
}  # fmt: skip
BLOCKS_V4 = {
    **{f"inception_a{number}": (f"features.{number + 5}", BLOCK_A) for number in range(1, 5)},
    "reduction_a": ("features.10", REDUCTION_A),
    **{f"inception_b{number}": (f"features.{number + 10}", BLOCK_B) for number in range(1, 8)},
    "reduction_b": ("features.18", REDUCTION_B),
    **{f"inception_c{number}": (f"features.{number + 18}", BLOCK_C) for number in range(1, 4)},
}


def convolutions(stem: Mapping[str, str], blocks: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, str]:
    """Return the names of the convolutions in timm by ours, "mixed_35x35_1/1x1" to "Mixed_5b.branch1x1"."""
    names = dict(stem)
    for block, (timm, branches) in blocks.items():
        names |= {f"{block}/{ours}": f"{timm}.{theirs}" for ours, theirs in branches.items()}
    return names


INCEPTION_V3 = convolutions(STEM_V3, BLOCKS_V3)
INCEPTION_V4 = convolutions(STEM_V4, BLOCKS_V4)
