"""The tutorial that adds a paper works as it is written: two files, and every command finds the paper."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-paper.md"
FILE = re.compile(r"^`([^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SIZES = {"train": 200, "test": 40}
VALIDATION = 20

# In one process, because TensorFlow's import takes longer than both.
BUILD_AND_TABULATE = """
import math
import reproductions
from reproductions.cli.main import main
network = reproductions.find_network("nin")
model = reproductions.build("nin")
assert network.shapes, "the tutorial gives shapes"
for name, shape in network.shapes.items():
    assert model.get_layer(name).output.shape[1:] == shape, name
assert sum(math.prod(weight.shape) for weight in model.trainable_weights) == network.trainable_parameters
main(["table", "nin", "--network", "nin"])
"""
# CIFAR-10 has 60,000 images, which take minutes to whiten.
SMALL_CIFAR10 = f"""
import sys
from reproductions.cli.main import main
from reproductions.lab.data import cifar10
counts = dict(zip(("x_train", "y_train", "x_test", "y_test"), ({SIZES["train"]},) * 2 + ({SIZES["test"]},) * 2))
cifar10.SHAPES = {{name: (counts[name], *shape[1:]) for name, shape in cifar10.SHAPES.items()}}
cifar10.VALIDATION = {VALIDATION}
main(sys.argv[1:])
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the checkout with the paper of the tutorial, and a folder for what commands write."""

    folder: Path
    work: Path

    def run(self, *arguments: object) -> str:
        """Run a command in the copy, which must succeed, and return its output."""
        # Without the variables of pytest and its workers, since one command is pytest itself.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [str(argument) for argument in arguments],
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(self.folder), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def reproduce(self, *arguments: object) -> str:
        """Run the `reproduce` command."""
        return self.run(sys.executable, "-m", "reproductions", *arguments)


def tutorial_files() -> dict[str, str]:
    """Return the files that the page gives, by name."""
    return dict(FILE.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the files of the suite are listed by git, and this is not a git checkout")
    folder, work = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("work")
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for name, text in tutorial_files().items():
        assert not (folder / name).exists(), f"{name} is in the suite already"
        (folder / name).write_text(text, encoding="utf-8")
    return Checkout(folder, work)


@pytest.fixture(scope="module")
def runs(checkout: Checkout) -> Path:
    """Return a folder with a run of one epoch on made-up images."""
    random, data = np.random.default_rng(0), checkout.work / "data"
    data.mkdir()
    images = {f"x_{split}": random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for split, n in SIZES.items()}
    labels = {f"y_{split}": (np.arange(n) % 10).astype(np.uint8) for split, n in SIZES.items()}
    np.savez(data / "cifar10.npz", **images, **labels)
    folder = checkout.work / "runs"
    arguments = [
        "train",
        "nin",
        "--epochs",
        1,
        "--training-images",
        128,
        "--data-dir",
        data,
        "--run-dir",
        folder / "nin",
    ]
    output = checkout.run(sys.executable, "-c", SMALL_CIFAR10, *arguments)
    assert "nin on cifar10-altered-whitened: test error" in output
    return folder


def test_the_page_gives_one_module_and_one_table():
    assert list(tutorial_files()) == ["reproductions/nin.py", "reproductions/published/nin.csv"]


def test_the_paper_is_listed(checkout):
    output = checkout.reproduce("list")
    assert "nin: Lin, Chen and Yan, Network in Network, 2013\n    nin, trained on cifar10-whitened" in output


def test_the_network_is_built_and_tabulated(checkout):
    output = checkout.run(sys.executable, "-c", BUILD_AND_TABULATE)
    (row,) = [line.split() for line in output.splitlines() if line.startswith("mlpconv2-1")]
    assert "16x16x192" in row and "460992" in row


def test_the_report_shows_the_paper_with_its_run(checkout, runs):
    out = checkout.work / "pages"
    checkout.reproduce("report", "--runs", runs, "--out", out)
    page = (out / "nin.md").read_text(encoding="utf-8")
    expected = [
        "NIN (Lin et al. 2013)",
        "10.41%",
        "8.81%",
        "out of scope",
        "128 images, 1 epoch",
        "standard deviation 0.05",
    ]
    assert [text for text in expected if text not in page] == []


@pytest.mark.skipif(not importlib.util.find_spec("importlinter"), reason="import-linter is not installed")
def test_the_paper_keeps_the_import_contracts(checkout):
    output = checkout.run(
        sys.executable, "-c", "from importlinter.cli import lint_imports_command as f; f()", "--no-cache"
    )
    assert "0 broken" in output


def test_the_tests_of_every_paper_pass_for_it(checkout):
    output = checkout.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/papers", "-k", "[nin]")
    passed = re.search(r"(\d+) passed", output)
    assert passed and int(passed[1]) >= 3, output


def test_ruff_and_the_style_of_the_repository_accept_the_file(checkout):
    if not shutil.which("ruff"):
        pytest.skip("ruff is not installed")
    checkout.run("ruff", "check", "reproductions/nin.py")
    checkout.run("ruff", "format", "--check", "reproductions/nin.py")
