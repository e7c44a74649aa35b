"""The `reproduce` command: quick help, and clear errors."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import reproductions

LIST_MODULES = """
import sys
from reproductions.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"tensorflow", "keras", "jax", "numpy", "pandas", "layers"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["list"], ["list", "--format", "json"], ["train", "-h"]])
def test_help_and_listings_import_nothing_heavy(words):
    done = subprocess.run([sys.executable, "-c", LIST_MODULES, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_listed_study_can_be_built():
    code = "import reproductions; reproductions.studies(); print(reproductions.build('lenet5').count_params())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split()[-1] == "60840", done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "from keras.layers import Conv2D",
        "import keras.layers",
        "from layers import RBFOutput",
        "import keras\nclass L(keras.layers.Layer): pass",
    ],
)
def test_a_paper_may_import_keras_in_any_way(line, tmp_path):
    (tmp_path / "paper.py").write_text(line)
    code = (
        "import reproductions\n"
        "with reproductions.deferred_imports('keras', 'layers'):\n"
        "    import paper\n"
        "import keras; keras.Model"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_import_contracts_name_no_paper():
    """Adding a paper does not change the contracts, unless it has a second module."""
    contracts = (Path(__file__).parents[2] / "setup.cfg").read_text(encoding="utf-8")
    studies = reproductions.studies()
    for first, second in re.findall(r" *reproductions\.(\w+) -> reproductions\.(\w+)\n", contracts):
        if first in studies and second not in studies:
            contracts = contracts.replace(f"    reproductions.{first} -> reproductions.{second}\n", "")
    for name in studies:
        assert f"reproductions.{name}\n" not in contracts and f"reproductions.{name} " not in contracts


def test_an_unknown_command_is_refused(reproduce):
    assert reproduce("retrain").returncode == 2


def test_a_recipe_file_changes_the_batch_size(reproduce):
    (reproduce.folder / "batch.json").write_text('{"batch_size": 64}')
    done = reproduce("train", "lenet5", "--recipe", "batch.json", "--scale-batch", "1/3")
    assert (done.returncode, "a batch of 64 images into a whole number" in done.stderr) == (2, True), done.stderr
