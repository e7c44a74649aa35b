"""Crops where the papers take them, counted and in place; names that figures and commands share."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import reproductions
from reports.build import published_figures
from reproductions.lab.data.transforms import decode, registry
from reproductions.lab.data.transforms.registry import TransformContext
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import crops
from reproductions.lab.spec import protocols
from reproductions.lab.spec.protocols import PROTOCOLS, find
from tests.helpers.small import ramp

SIZE = 28  # an eighth of 224: 256 becomes 32


def views_of(name: str, picture: np.ndarray, steps=(), size: int = SIZE) -> np.ndarray:
    encoded = tf.io.encode_png(picture)
    return crops.stacked(find(name), steps, TransformContext(size))(encoded, tf.constant(0, tf.int64)).numpy()


def six(square: np.ndarray) -> list[np.ndarray]:
    """Section 7 of Szegedy et al. 2014, for one square: corners, centre, and the square resized."""
    n, side = SIZE, len(square)
    margin = (side - n) // 2
    return [
        square[:n, :n], square[:n, -n:], square[-n:, :n], square[-n:, -n:],
        square[margin : margin + n, margin : margin + n],
        decode.resize(square, n, n).numpy(),
    ]  # fmt: skip


def test_ten_crops_are_corners_and_centre_of_the_central_square_and_their_mirrors():
    picture = ramp(32, 50)
    square = picture[:, 9:41].astype("float32")
    expected = six(square)[:5]
    expected += [crop[:, ::-1] for crop in expected]
    np.testing.assert_array_equal(views_of("ten crops", picture), expected)
    np.testing.assert_array_equal(views_of("10 crops", picture), expected)
    np.testing.assert_array_equal(views_of("centre crop", picture), expected[4:5])
    np.testing.assert_array_equal(views_of("1 crop", picture), expected[4:5])


def test_ten_patches_are_centre_and_corners_of_the_stored_image_and_their_mirrors():
    image = ramp(32, 30)
    views = [
        crops.stacked(find(name), (), TransformContext(SIZE))(tf.constant(image), tf.constant(0, tf.int64)).numpy()
        for name in ("ten patches", "centre patch")
    ]
    places = [(2, 1), (0, 0), (0, 2), (4, 0), (4, 2)]
    expected = [image[top : top + SIZE, left : left + SIZE] for top, left in places]
    np.testing.assert_array_equal(views[0], expected + [patch[:, ::-1] for patch in expected])
    np.testing.assert_array_equal(views[1], expected[:1])
    assert [find(name).views for name in ("ten patches", "centre patch")] == [10, 1]


@pytest.mark.parametrize("shape", [(40, 70), (70, 40), (33, 33)])
def test_144_crops_are_those_of_section_7(shape):
    picture = ramp(*shape)
    expected = []
    for side in (32, 36, 40, 44):
        resized = decode.short_side(picture, side).numpy()
        spare = max(resized.shape[:2]) - side
        for start in (0, spare // 2, spare):
            across = resized.shape[1] > side
            square = resized[:, start : start + side] if across else resized[start : start + side]
            expected += six(square)
    expected += [crop[:, ::-1] for crop in expected]
    found = views_of("144 crops", picture)
    assert len(found) == PROTOCOLS["144 crops"].views == 144
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_twelve_crops_are_those_of_one_square_of_section_7():
    picture = ramp(50, 32)
    expected = six(picture[9:41].astype("float32"))
    np.testing.assert_allclose(
        views_of("12 crops", picture), expected + [crop[:, ::-1] for crop in expected], atol=1e-3
    )


def test_multi_crop_is_a_grid_of_five_by_five_over_the_whole_picture_at_three_scales():
    picture = ramp(32, 60)
    found = views_of("multi-crop at 256, 384, 512", picture)
    assert len(found) == 150
    rows, columns = np.linspace(0, 32 - SIZE, 5).round().astype(int), np.linspace(0, 60 - SIZE, 5).round().astype(int)
    first = [picture[r : r + SIZE, c : c + SIZE] for r in rows for c in columns]
    np.testing.assert_array_equal(found[:25], first)
    np.testing.assert_array_equal(found[75:], found[:75, :, ::-1])


def test_one_crop_is_the_central_part_of_height_and_width_resized():
    picture = ramp(32, 64)
    part = picture[2:30, 4:60]
    np.testing.assert_allclose(views_of("one crop", picture), [decode.resize(part, SIZE, SIZE)], atol=1e-3)


def test_test_steps_see_the_picture_before_crops_are_taken(monkeypatch):
    seen = []

    def spy(image, key, view):
        seen.append(image.shape)
        return image - 100

    monkeypatch.setitem(registry.TRANSFORMS, "spy", spy)
    picture = ramp(40, 70)
    for name, shapes in ("ten crops", [(32, 32, 3)]), ("one crop", [(28, 28, 3)]), ("144 crops", [None] * 4):
        seen.clear()
        np.testing.assert_allclose(views_of(name, picture, ("spy",)), views_of(name, picture) - 100, atol=1e-3)
        assert len(seen) == len(shapes) and (shapes[0] is None or seen == shapes)


def test_random_views_are_six_results_of_the_training_steps_the_same_in_every_test(monkeypatch):
    def shift(image, key, view):
        return tf.cast(image, tf.float32) + tf.random.stateless_uniform((), key)

    monkeypatch.setitem(registry.TRANSFORMS, "shift", shift)
    views = crops.stacked(find("six random views"), ("shift",), TransformContext(4))
    image = np.zeros((4, 4, 3), np.uint8)
    first, again, other = (views(image, tf.constant(i, tf.int64)).numpy() for i in (0, 0, 1))
    assert first.shape == (6, 4, 4, 3) and len(np.unique(first[:, 0, 0, 0])) == 6
    np.testing.assert_array_equal(first, again)
    assert not np.isin(other, first).any()


def test_sizes_are_the_paper_s_at_its_input_and_in_proportion_at_others():
    ten, four = PROTOCOLS["ten crops"], PROTOCOLS["144 crops"]
    assert ten.sides(224) == ten.sides(227) == [256]
    assert ten.sides(112) == [128] and four.sides(224) == [256, 288, 320, 352]
    assert four.sides(299) == [342, 384, 427, 470]


def test_views_are_counted_as_they_are_made():
    picture = ramp(40, 52)
    for name, protocol in PROTOCOLS.items():
        if protocol.canvas != "stored" and not protocol.dense and not protocol.averages:
            assert len(views_of(name, picture)) == protocol.views, name


def test_every_printed_figure_of_a_network_is_by_a_protocol_of_the_suite():
    for name in reproductions.studies():
        for figure in published_figures(name).to_dict("records"):
            if figure["network"]:
                assert find(figure["protocol"]).name == figure["protocol"]


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(UsageError, match=r"'eleven crops' is not a protocol\..* Choose from: whole image, .*ten crops"):
        find("eleven crops")
    assert not find("144 crops, non-blacklisted").blacklisted
    assert find("144 crops").blacklisted


def test_files_of_different_protocols_have_different_names():
    slugs = {find(name + end).slug for name in PROTOCOLS for end in ("", protocols.NON_BLACKLISTED)}
    assert len(slugs) == 2 * len(PROTOCOLS)


def test_listing_protocols_imports_nothing_heavy():
    code = (
        "import sys\nfrom reproductions.cli.main import main\nmain(['evaluate', '--list-protocols'])\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'layers'} & set(sys.modules)\nsys.exit(f'{heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"{name}: {protocol.views} view" in done.stdout for name, protocol in PROTOCOLS.items())
