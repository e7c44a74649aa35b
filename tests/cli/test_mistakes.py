"""Mistakes in the arguments are found before TensorFlow is imported."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reports.paths import RUNS
from reproductions.lab.data import mnist
from tests.helpers.reproduce import offline

# Runs every line in one process, and prints the status, the error, and what is imported after each.
RUN = """
import contextlib, io, json, sys
from reproductions.cli.main import main
found = {}
for line in json.load(sys.stdin):
    status, errors = 0, io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            main(line.split())
        except SystemExit as stopped:
            status = stopped.code
    found[line] = status, errors.getvalue(), sorted({"tensorflow", "keras"} & set(sys.modules))
print(json.dumps(found))
"""

TRAINING = {
    "--epochs 0": "--epochs must be at least 1; got 0",
    "--save-every -5": "--save-every must be at least 0 seconds; got -5",
    "--save-every nan": "--save-every must be at least 0 seconds; got nan",
    "--threads 0": "--threads must be at least 1; got 0",
    "--seed -1": "--seed must lie between 0 and",
    "--scale-batch x": "invalid value for --scale-batch: expected a number such as 4 or 1/4, got 'x'",
    "--scale-batch 1/7": "--scale-batch must turn a batch of 32 images into a whole number of images",
    "--accumulate 7": "--accumulate 7 does not divide a batch of 32 images",
    "--strategy multi-worker": "--strategy multi-worker needs the workers' addresses",
    "--init-from nowhere": "--init-from is for networks that start from a trained one; lenet5 does not",
    "--training-images 60001": "--training-images 60001: mnist-altered has only 60000 training images",
    "--training-images 20": "mnist-altered has 20 training images, fewer than a batch of 32",
    "--recipe nowhere.json": "nowhere.json",
    "--recipe epochs.json": "epochs.json is not a recipe",
    "--recipe protocol.json": "'twelve looks' is not a protocol",
    "--recipe dataset.json": "'minst' is not a data set. Did you mean 'mnist'?",
    "--recipe train_transforms.json": "'random_flop' is not a transform. Did you mean 'random_flip'?",
    "--recipe test_transforms.json": "the transform 'shift' has no option 'pixel'; its options are: pixels",
    "--recipe optimizer.json": "'SDG' is not an optimizer (in optimizer.json). Did you mean 'SGD'?",
    "--recipe loss.json": "'layers>MeanPenality' is not a loss (in loss.json). Did you mean 'layers>MeanPenalty'?",
    "--recipe kernel_initializer.json": "'HeNormals' is not a kernel initializer (in kernel_initializer.json). Did you",
    "--run-dir started": "started already holds a run: resume it with --resume, or name another folder",
    "--run-dir finished": "finished already holds a run",
    "--run-dir finished --resume --seed 9": "finished holds a run with another seed (1, not 9)",
    "--run-dir epochs.json": "--run-dir: epochs.json is a file, not a folder",
    "--run-dir epochs.json/run": "--run-dir: epochs.json is a file, not a folder",
    "--data-dir empty": "empty does not contain MNIST",
}
OTHERS = {
    "train vgg": "ImageNet was not found",
    "train vgg --network vgg-d": "vgg-d initializes conv1-1,",
    "train vgg --network vgg-d --init-from started": "the run has not finished, or has not begun",
    "train vgg --network vgg-d --init-from epochs.json": "--init-from: epochs.json is not the folder of a run",
    "train lecun1989 --data-dir empty": "empty does not contain the USPS ZIP code digits",
    "train alexnet-cifar10 --data-dir empty": "empty does not contain CIFAR-10",
    "train lenet-5": "'lenet-5' is not a study or network. Did you mean 'lenet5'?",
    "evaluate empty": "the run has not finished, or has not begun",
    "evaluate finished --protocol once": "'once' is not a protocol",
    "evaluate finished --data-dir data": "the run was trained on mnist, but",
    "evaluate nowhere.keras": "name the network in nowhere.keras with --network",
    "evaluate nowhere.keras --network lenet5": "nowhere.keras is not a file",
    "evaluate lenet5 finished": "expected one run or file of weights, got 2",
    "evaluate saved.keras --network lenet1 --data-dir empty": "saved.keras is of the network lenet5, not of lenet1",
    "evaluate saved.keras --network lenet-1": "'lenet-1' is not a network. Did you mean 'lenet1'?",
    "evaluate saved.keras --data-dir empty": "empty does not contain MNIST",
    "classify nowhere.png --weights finished": "nowhere.png",
    "classify nowhere.png --weights finished --top 0": "--top must be at least 1; got 0",
    "classify nowhere.png --weights finished --protocol once": "'once' is not a protocol",
    "show": "name a network, run or file of weights and what to show of it: filters, features, deconv,",
    "show vgg-d filters": "the suite gives out no trained weights of vgg-d, only of",
    "show lenet-5 filters": "'lenet-5' is not a trained network, run or file. Did you mean 'lenet5'?",
    "show nowhere.keras filters": "name the network in nowhere.keras with --network",
    "show lenet5 filters --image cat": "--image is for features, deconv, guided, occlusion; filters has no image",
    "show lenet5 occlusion --layer C1": "--layer is for filters, features, deconv, guided; occlusion is of the whole",
    "show lenet5 features --image dog": "'dog' is not a file, number of a test image, or image of the suite",
    "show lenet5 features --image nowhere.png": "nowhere.png",
    "show lenet5 features --image 10000": "--image 10000: mnist-altered has only 10000 test images, from 0",
    "show lenet5 features --out a.jpg": "--out: a.jpg must end with .png or .pdf or .svg",
    "show lenet5 features --out a.png --format svg": "--out: a.png must end with .svg",
    "show lenet5 features --out nowhere/a.png": "--out: nowhere is not a folder",
    "show lenet5 features --weights a.keras": "--weights is for --all: name the file in place of the network",
    "show lenet5 errors": "the run was trained on mnist, but",
    "show --all": "--all needs --out: name the folder for the pictures",
    "show lenet5 filters --all --out all": "--all draws what the suite lists: leave out the network, --layer",
    "show --all --out epochs.json": "--out: epochs.json is a file, not a folder",
    "show --all --out all --weights nowhere.keras": "name the network in nowhere.keras with --network",
    "tune vgg": "vgg-a has no search space",
    "tune lenet5 --max-trials 0": "--max-trials must be at least 1; got 0",
    "tune lenet5 --tuner hyperband --max-trials 3": "--max-trials is not for hyperband",
    "tune lenet5 --workers 0": "--workers must be at least 1; got 0",
    "tune lenet5 --retrain -1": "--retrain must be at least 0; got -1",
    "tune lenet5 --threads 0": "--threads must be at least 1; got 0",
    "tune lenet5 --data-dir data --run-dir epochs.json": "--run-dir: epochs.json is a file, not a folder",
    "tune lenet5 --data-dir data --run-dir searched": "searched already holds a search",
}
RECIPES = {
    "epochs": 0,
    "protocol": "twelve looks",
    "dataset": "minst",
    "train_transforms": ["random_flop"],
    "test_transforms": [["shift", {"pixel": 1}]],
    "optimizer": {"class_name": "SDG", "config": {}},
    "loss": {"class_name": "layers>MeanPenality", "config": {}},
    "kernel_initializer": {"class_name": "HeNormals", "config": {}},
}
MISTAKES = {**{f"train lenet5 {options}": message for options, message in TRAINING.items()}, **OTHERS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with blank images in the place of MNIST, runs, a search, and recipes."""
    made = tmp_path_factory.mktemp("mistakes")
    for name in ("data", "empty", "started", "finished", "searched"):
        (made / name).mkdir()
    blank = {name: np.zeros(shape, np.uint8) for name, shape in mnist.SHAPES.items()}
    np.savez(made / "data" / "mnist.npz", **blank)
    (made / "started" / "state.npz").touch()
    shutil.copy(RUNS / "lenet5-15000-seed1.json", made / "finished" / "record.json")
    (made / "finished" / "model.keras").touch()
    (made / "searched" / "search.json").touch()
    with zipfile.ZipFile(made / "saved.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"name": "lenet5", "layers": []}}))
    for name, value in RECIPES.items():
        (made / f"{name}.json").write_text(json.dumps({name: value}), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def answers(folder) -> dict[str, tuple[int, str, list[str]]]:
    """Status, error and imports of every line."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(list(MISTAKES)),
        cwd=folder,
        env={**offline(folder), "REPRODUCTIONS_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_refused_without_tensorflow(line, answers):
    status, error, heavy = answers[line]
    assert status == 2 and MISTAKES[line] in error and not heavy
