"""ILSVRC's localization error, compared with the definition in a plain loop."""

import numpy as np
import pytest
from scipy.io import savemat

from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation.localization import Box, evaluate_predictions, overlap
from tests.helpers.boxes import WNIDS, write_guesses, write_truth


def random_boxes(random: np.random.Generator, most: int) -> list[Box]:
    found = []
    for _ in range(random.integers(1, most + 1)):
        x, y, width, height = random.integers(0, 12, 4)
        found.append(Box(WNIDS[random.integers(3)], x, y, x + width, y + height))
    return found


def pixels(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box.xmin, box.xmax + 1) for y in range(box.ymin, box.ymax + 1)}


def test_overlaps_are_those_of_sets_of_pixels():
    random = np.random.default_rng(1)
    for _ in range(300):
        one, other = random_boxes(random, 1)[0], random_boxes(random, 1)[0]
        expected = len(pixels(one) & pixels(other)) / len(pixels(one) | pixels(other))
        assert overlap(one, other) == pytest.approx(expected)


def test_the_error_is_the_definition_in_a_plain_loop(tmp_path):
    random = np.random.default_rng(2)
    truth = [random_boxes(random, 3) for _ in range(200)]
    guesses = [random_boxes(random, 7) for _ in range(200)]
    errors = wrong_classes = 0
    for own, boxes in zip(guesses, truth):
        best = class_best = 1
        for guess in own[:5]:
            for box in boxes:
                d = guess.wnid != box.wnid
                common = len(pixels(guess) & pixels(box))
                f = common / (len(pixels(guess)) + len(pixels(box)) - common) < 0.5
                best, class_best = min(best, max(d, f)), min(class_best, d)
        errors, wrong_classes = errors + best, wrong_classes + class_best
    result = evaluate_predictions(
        write_guesses(tmp_path / "guesses.txt", guesses), write_truth(tmp_path / "truth", truth)
    )
    assert 0 < errors < 200 and (result.localization.errors, result.images) == (errors, 200)
    assert result.localization.error == errors / 2 and result.classification.error == wrong_classes / 2


def test_half_an_overlap_is_enough_and_less_is_not(tmp_path):
    truth = write_truth(tmp_path / "truth", [[Box(WNIDS[0], 0, 0, 9, 9)]])
    for xmax, errors in (4, 0), (3, 1):
        guess = write_guesses(tmp_path / "guesses.txt", [[Box(WNIDS[0], 0, 0, xmax, 9)]])
        assert evaluate_predictions(guess, truth).localization.errors == errors


def test_class_numbers_are_those_of_the_kit(tmp_path):
    truth = write_truth(tmp_path / "truth", [[Box(WNIDS[0], 0, 0, 9, 9)]])
    guesses = tmp_path / "guesses.txt"
    guesses.write_text("3 0 0 9 9\n")
    kits = [tmp_path / "kit2012", tmp_path / "kit2015"]
    for kit in kits:
        (kit / "data").mkdir(parents=True)
    row = np.dtype([("ILSVRC2012_ID", "O"), ("WNID", "O")])
    savemat(kits[0] / "data" / "meta.mat", {"synsets": np.array([(1, WNIDS[1]), (2, WNIDS[2]), (3, WNIDS[0])], row)})
    (kits[1] / "data" / "map_clsloc.txt").write_text(f"{WNIDS[1]} 1 kit_fox\n{WNIDS[0]} 3 tench\n")
    for kit in kits:
        assert evaluate_predictions(guesses, truth, kit).localization.errors == 0
    guesses.write_text("1 0 0 9 9\n")
    assert evaluate_predictions(guesses, truth, kits[0]).localization.errors == 1
    with pytest.raises(UsageError, match="line 1: no class has the number 1; name the development kit with --devkit"):
        evaluate_predictions(guesses, truth)


def test_blacklisted_images_do_not_count(tmp_path):
    truth = write_truth(tmp_path / "truth", [[Box(WNIDS[0], 0, 0, 9, 9)]] * 3)
    guesses = write_guesses(tmp_path / "guesses.txt", [[Box(WNIDS[i], 0, 0, 9, 9)] for i in (0, 1, 1)])
    blacklist = tmp_path / "blacklist.txt"
    blacklist.write_text("2\n")
    assert evaluate_predictions(guesses, truth, blacklist=blacklist).localization.error == 50
    blacklist.write_text("2\n4\n")
    with pytest.raises(UsageError, match=r"blacklist\.txt, line 2: expected an image number from 1 to 3, got '4'"):
        evaluate_predictions(guesses, truth, blacklist=blacklist)
    blacklist.write_text("9" * 5000)
    with pytest.raises(UsageError, match=r"blacklist\.txt, line 1: expected an image number from 1 to 3, got '9{40}'"):
        evaluate_predictions(guesses, truth, blacklist=blacklist)


def box_xml(*corners: str) -> str:
    """An annotation with one box."""
    names = "xmin", "ymin", "xmax", "ymax"
    inside = "".join(f"<{name}>{corner}</{name}>" for name, corner in zip(names, corners))
    return f"<annotation><object><name>n1</name><bndbox>{inside}</bndbox></object></annotation>"


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<annotation><object><name>&b;</name></object></annotation>"
)


@pytest.mark.parametrize(
    "text, message",
    [
        (BOMB, "declares a document type"),
        (BOMB.encode("utf-16"), "declares a document type"),
        ("<annotation>", "cannot be read"),
        ("<annotation/>", "contains no object"),
        ("<annotation><object><name>n1</name></object></annotation>", "lacks its name, or a corner"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "cannot be read"),
        ('<?xml version="1.0" encoding="utf-7"?><annotation/>', "cannot be read"),
        (box_xml("nan", "0", "9", "9"), "expected xmin <= xmax and ymin <= ymax, got nan"),
        (box_xml("0", "0", "inf", "9"), "expected xmin <= xmax and ymin <= ymax, got 0, 0, inf"),
        (box_xml("0", "0", "9" * 5000, "9"), "expected xmin <= xmax and ymin <= ymax, got 0, 0, inf"),
        (box_xml("0", "9", "9", "0"), "expected xmin <= xmax and ymin <= ymax, got 0, 9, 9, 0"),
        (box_xml("9", "0", "0", "9"), "expected xmin <= xmax and ymin <= ymax, got 9, 0, 0, 9"),
        (box_xml("x", "0", "0", "9"), "cannot be read"),
        ("<a>" * 400_000, "has more than 1,048,576 bytes"),
        ("<a>" * 100_000 + "</a>" * 100_000, "contains no object"),
    ],
)
def test_damaged_or_dangerous_annotations_are_named(text, message, tmp_path):
    truth = write_truth(tmp_path / "truth", [[Box(WNIDS[0], 0, 0, 9, 9)]])
    (truth / "ILSVRC2012_val_00000001.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    guesses = write_guesses(tmp_path / "guesses.txt", [[Box(WNIDS[0], 0, 0, 9, 9)]])
    with pytest.raises(UsageError, match=rf"ILSVRC2012_val_00000001\.xml .*{message}"):
        evaluate_predictions(guesses, truth)


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "n1 0 0 9 9\nn1 0 0 9\n",
            "guesses.txt, line 2: expected a label and four numbers for each guess; got 4 words",
        ),
        (
            "n1 0 0 9 9\nn1 0 0 x 9\n",
            "guesses.txt, line 2: expected xmin ymin xmax ymax, got 0 0 x 9, which are not four numbers",
        ),
        ("n1 0 0 9 9\nn1 0 0 -1 9\n", "guesses.txt, line 2: .*got 0 0 -1 9, which is not a box"),
        ("n1 0 0 9 9\nn1 0 0 nan 9\n", "guesses.txt, line 2: .*got 0 0 nan 9, which is not a box"),
        ("n1 0 0 9 9\n" + "9" * 5000 + " 0 0 9 9\n", "guesses.txt, line 2: no class has the number 9{40}; "),
        ("n1 0 0 9 9\nn1 0 0 inf 9\n", "guesses.txt, line 2: .*got 0 0 inf 9, which is not a box"),
        ("n1 0 0 9 9\nn1 0 0 9 " + "9" * 5000 + "\n", "guesses.txt, line 2: .*which is not a box"),
        ("n1 0 0 9 9\n", "guesses.txt has 1 lines, but .* has boxes of 2 images"),
    ],
)
def test_damaged_guesses_are_named_by_their_line(text, message, tmp_path):
    truth = write_truth(tmp_path / "truth", [[Box("n1", 0, 0, 9, 9)]] * 2)
    (tmp_path / "guesses.txt").write_text(text)
    with pytest.raises(UsageError, match=message):
        evaluate_predictions(tmp_path / "guesses.txt", truth)
