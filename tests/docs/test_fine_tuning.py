"""The page on fine-tuning works as it is written, on a few small images and a small network of random weights."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import reproductions
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.weights import imported

PAGE = Path(__file__).parents[2] / "docs" / "fine-tuning.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
SMALLER = {"SIZE = 224": "SIZE = 32", "EPOCHS = 5": "EPOCHS = 1"}
COLOUR = (123.0, 117.0, 104.0)


def smaller(code: str) -> str:
    """The code with small images and one epoch."""
    for before, after in SMALLER.items():
        assert code.count(before) == 1
        code = code.replace(before, after)
    return code


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A folder with images of two classes, and a file of published weights."""
    random = np.random.default_rng(1)
    for name, low in (("dark", 0), ("light", 128)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(5):
            pixels = random.integers(low, low + 128, (40, 50, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    options = {"caffe": True, "classes": 3, "input_size": 64}
    transforms = (("subtract_colour", {"colour": COLOUR}),)
    provenance = Provenance("googlenet-quick", "bvlc", "BVLC", "a.caffemodel", "0" * 64, options, transforms)
    imported.write(tmp_path / "bvlc.keras", reproductions.build("googlenet-quick", **options), provenance)
    monkeypatch.chdir(tmp_path)


def test_the_page_trains_a_classifier_and_fine_tunes_the_network(user):
    names: dict = {}
    published = reproductions.load("bvlc.keras")
    exec(smaller(BLOCKS[0]), names)
    assert names["classes"] == ["dark", "light"] and names["model"].output_shape == (None, 2)
    images, _ = next(iter(names["images"][1]))
    given, _ = next(iter(names["validation"]))
    np.testing.assert_allclose(given, images - np.float32(COLOUR), atol=1e-4)

    def changed() -> set[str]:
        own = {weight.path: weight.numpy() for weight in published.weights}
        return {w.path for w in names["features"].weights if not np.array_equal(w, own[w.path])}

    assert changed() == set()
    exec(BLOCKS[1], names)
    assert changed() and all(path.startswith("inception_5") for path in changed())
    assert Path("mine.keras").is_file()


def test_the_page_uses_a_network_of_the_suite():
    names = {"reproductions": reproductions}
    exec(BLOCKS[2], names)
    digit = np.zeros((2, 28, 28), np.uint8)
    given = names["prepare"](digit)
    assert given.shape == (2, 32, 32, 1) and np.allclose(given, -0.1)
    assert names["digits"](given).shape == (2, 10)
