"""The committed records say what they said before they were converted to schema 2."""

import json
import subprocess
from pathlib import Path

import pytest

from reports.paths import RUNS, TUNED
from reproductions.lab.results import run_record, trial_record

BEFORE = "22ffce386c31ebbbf980673f57db5b6e6c761b28"  # the last commit with records of schema 1
ROOT = Path(__file__).parents[2]
RENAMED = {  # beginnings of the names of records whose network has another recipe now
    "convnetjs-cifar10-settled-": "convnetjs-cifar10-",
    "convnetjs-cifar10-seed": "convnetjs-cifar10-50-epochs-seed",
}
RECIPE = {
    "train_transforms": "images",
    "test_transforms": "test_images",
    "learning_rate": "rates",
    "batch_size": "batch",
    "kernel_initializer": "initial_weights",
    "splits": "parts",
    "bias_learning_rate_multiplier": "bias_rate",
    "loss_weights": "heads",
    "global_clipnorm": "clip_norm",
    "micro_batch_size": "micro_batch",
    "init_layers": "starts_from",
}
EXECUTION = {"forward_batch_size": "images_at_a_time", "accumulation_steps": "micro_batches"}
SETTINGS = {"learning_rate": "rate", "batch_size": "batch"}


def git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("the history of the repository is not here")
    return done.stdout


def before(path: str) -> dict:
    return json.loads(git("show", f"{BEFORE}:{path}"))


def name_now(name: str) -> str:
    """Return the present name of a file of that time."""
    for old, new in RENAMED.items():
        if name.startswith(old):
            return name.replace(old, new)
    return name.replace("-passes-", "-epochs-")


def renamed(data: dict, names: dict) -> dict:
    return {names.get(name, name): value for name, value in data.items()}


def history(rows: list) -> list:
    return [row.as_data() for row in rows]


def old_record(record: run_record.Record) -> dict:
    """Return the record as schema 1 had it, without the pictures."""
    data = record.as_data()
    result = data["test"]
    assert result.pop("top5") is None and data["tests"] == {}
    errors = [{"index": i, "label": a, "predicted": b} for i, a, b in record.misclassified]
    execution = {name: value for name, value in data["execution"].items() if value is not None}
    del data["schema"], data["history"]
    return {
        **data,
        "recipe": renamed(data["recipe"], RECIPE),
        "parameters": renamed(data["parameters"], {"non_trainable": "fixed"}),
        "replicas": execution["replicas"],
        "execution": renamed(execution, EXECUTION),
        "epochs": history(record.history),
        "test": {**result.pop("top1"), **renamed(result, {"images_per_class": "per_class"})},
        "misclassified": errors,
    }


@pytest.mark.parametrize("name", git("ls-tree", "--name-only", f"{BEFORE}:reports/runs").split())
def test_a_record_says_what_it_said(name):
    old, record = before(f"reports/runs/{name}"), run_record.read(RUNS / name_now(name))
    if record.commit != old["commit"]:
        pytest.skip("the network was retrained since")
    del old["pictures"]
    assert old_record(record) == old


@pytest.mark.parametrize("name", git("ls-tree", "--name-only", f"{BEFORE}:reports/tuned").split())
def test_a_search_and_its_trials_say_what_they_said(name):
    found = trial_record.read_search(TUNED / name)
    old = before(f"reports/tuned/{name}/search.json")
    assert renamed(found.recipe, RECIPE) == old["recipe"]
    assert renamed(found.search_space, SETTINGS) == old["domains"]
    for field in ("study", "network", "tuner", "seed", "epochs", "sha256", "data", "commit", "dirty"):
        assert getattr(found, field) == old[field]
    olds = [
        before(path) for path in git("ls-tree", "-r", "--name-only", BEFORE, f"reports/tuned/{name}/trials").split()
    ]
    trials = trial_record.read_all(TUNED / name)
    earlier_by_file = {(str(each["settings"]), each["recipe"]["epochs"]): each for each in olds}
    assert len(trials) == len(olds) == len(earlier_by_file)
    for trial in trials:
        earlier = earlier_by_file[str(renamed(trial.settings, SETTINGS)), trial.epochs]
        assert renamed(trial.settings, SETTINGS) == earlier["settings"]
        assert renamed(trial.recipe, RECIPE) == earlier["recipe"] and history(trial.history) == earlier["rows"]
        for field in ("seed", "error", "failed", "seconds", "worker", "finished"):
            assert getattr(trial, field) == earlier[field]
