"""Fixtures of several packages: the `reproduce` command, a finished run, and fake ImageNet files."""

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reproductions.cli.main import COLLECT_AFTER, main
from tests.helpers import imagenet_files
from tests.helpers.imagenet_files import FakeImageNet
from tests.helpers.once import once_per_session
from tests.helpers.prepared_imagenet import prepare
from tests.helpers.reproduce import Reproduce, offline

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
gc.set_threshold(COLLECT_AFTER)  # as the command does
os.environ["COLUMNS"] = "160"  # tables fit the terminal, which is not that of whoever runs the tests


@pytest.fixture
def reproduce(tmp_path: Path) -> Reproduce:
    """The `reproduce` command in the folder of the test, in processes that have imported TensorFlow."""
    return Reproduce(tmp_path)


@pytest.fixture
def new_reproduce(tmp_path: Path) -> Reproduce:
    """The `reproduce` command in the folder of the test, in processes that have imported nothing."""
    return Reproduce(tmp_path, warm=False)


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """A function from the arguments of `reproduce` to the error message with which it refuses them.

    It runs in the folder of the test and in this process. Only for arguments that are refused before a training begins,
    which would leave determinism switched on for the tests that follow.
    """

    def refused(*arguments: object) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert ended.value.code == 2
        return capsys.readouterr().err

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    for name, value in offline(tmp_path).items():
        monkeypatch.setenv(name, value)
    return refused


def train_finished(folder: Path) -> Path:
    """Train LeNet-5 for three epochs with seed 1, in `run`; the output is in `output.txt`."""
    done = Reproduce(folder)("train", "lenet5", "--epochs", "3", "--run-dir", "run")
    assert done.returncode == 0, done.stderr
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with one finished run of three epochs, of seed 1, in `run`. Not to be written to."""
    return once_per_session(tmp_path_factory, worker_id, "finished", train_finished)


@pytest.fixture(scope="session")
def ilsvrc(tmp_path_factory: pytest.TempPathFactory) -> FakeImageNet:
    """Synthetic official files: five classes of seven images, one of them truncated. Read only."""
    return imagenet_files.make(
        tmp_path_factory.mktemp("ilsvrc"), classes=5, images=7, validation=3, truncated=1, blacklist=(2, 5)
    )


@pytest.fixture(scope="session")
def prepared_imagenet(ilsvrc: FakeImageNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that contains `imagenet-256`, prepared from them. Read only."""
    return prepare(ilsvrc.folder, tmp_path_factory.mktemp("prepared")).parent


@pytest.fixture
def own_imagenet(prepared_imagenet: Path, tmp_path: Path) -> Path:
    """A copy of `imagenet-256` that a test may change."""
    shutil.copytree(prepared_imagenet / "imagenet-256", tmp_path / "imagenet-256")
    return tmp_path / "imagenet-256"
