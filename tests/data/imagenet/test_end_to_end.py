"""Every ImageNet network by its real recipe, on fake official files: prepared, trained, killed, tested, reported.

The files hold enough pictures for the largest batch, 1,600; pictures and inputs are small.
"""

import shutil
import signal
import time

import numpy as np
import pytest

import reproductions
from reproductions.lab.results import run_record
from tests.conftest import Reproduce
from tests.helpers import imagenet_files as fake_imagenet

pytestmark = pytest.mark.imagenet

# Input pixels and passes: the smallest that leave every layer, the auxiliary heads too, something to see.
SIZES = {
    "alexnet": (67, 3), "alexnet-caffe": (67, 2), "alexnet-one-tower": (67, 2), "zfnet": (67, 3), "zfnet-512": (67, 2),
    "vgg-a": (32, 2), "vgg-a-lrn": (32, 2), "vgg-b": (32, 4), "vgg-c": (32, 4), "vgg-d": (32, 4), "vgg-e": (32, 4),
    "googlenet": (80, 2), "bn-inception": (64, 4), "inception-v2": (107, 2), "inception-v3": (107, 2),
    "inception-v4": (75, 2),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Reproduce:
    """A folder with the prepared data in `data`, where runs go into `runs`."""
    reproduce = Reproduce(tmp_path_factory.mktemp("imagenet"))
    fake_imagenet.make(reproduce.folder / "official", images=214, short=(72, 110), blacklist=(3,))
    for how in [], ["--keep-originals"]:
        done = reproduce("data", "prepare", "imagenet", "--from", "official", "--to", "data", "--shards", "4", *how)
        assert done.returncode == 0, done.stderr
    return reproduce


def words(name: str, run_dir: str) -> list[str]:
    network = reproductions.find_network(name)
    study = next(study for study in reproductions.studies().values() if network in study.networks)
    pixels, epochs = SIZES[name]
    chosen = ["train", study.name, "--network", name, "--input-size", pixels, "--epochs", epochs]
    start = ["--init-from", "runs/vgg-a"] if network.to_train().init_layers else []
    return [*map(str, chosen), *start, "--data-dir", "data", "--run-dir", run_dir, "--resume"]


def trained(place: Reproduce, name: str) -> run_record.Record:
    """The record of a run of this network, made now unless it was before."""
    run = place.folder / "runs" / name
    if not (run / "record.json").exists():
        done = place(*words(name, f"runs/{name}"), seconds=900)
        assert done.returncode == 0, done.stderr
    return run_record.read(run / "record.json")


def test_no_imagenet_network_is_left_out():
    networks = [network for study in reproductions.studies().values() for network in study.networks]
    assert set(SIZES) == {n.name for n in networks if n.recipe and n.recipe.dataset.startswith("imagenet")}


@pytest.mark.parametrize("name", SIZES)
def test_a_network_learns_by_its_own_recipe_and_is_tested_by_its_own_protocol(name, place):
    if reproductions.find_network(name).to_train().init_layers:
        trained(place, "vgg-a")
    done = trained(place, name)
    own = reproductions.find_network(name).to_train()
    changed = {key for key, value in own.as_data().items() if done.recipe[key] != value}
    assert changed == {"epochs", "input_size"}
    losses = [row["loss"] for row in done.epochs]
    assert min(losses[1:]) < losses[0], losses
    assert done.test["protocol"] == own.protocol and done.test["images"] == 32
    assert done.data["name"] == f"{own.dataset}-subset" and done.data["train"] + done.data["validation"] == 8 * 214
    if own.init_layers:
        assert done.execution["init_from"]["network"] == "vgg-a"


# Dropout and a rate by plateaus; heads and running averages; batch normalization.
@pytest.mark.parametrize("name", ["alexnet", "googlenet", "bn-inception"])
def test_a_network_killed_in_the_middle_of_a_pass_ends_with_the_bits_of_an_undisturbed_run(name, place):
    undisturbed = trained(place, name)
    killed = words(name, f"killed/{name}")
    state = place.folder / "killed" / name / "state.npz"
    process = place.start(*killed, "--save-every", "0")
    while not state.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = place(*killed, seconds=900)
    assert again.returncode == 0 and "going on after step" in again.stdout, again.stderr
    with np.load(state) as one, np.load(place.folder / "runs" / name / "state.npz") as other:
        for variable in set(one.files) - {"told"}:
            np.testing.assert_array_equal(one[variable], other[variable])
    assert run_record.read(state.parent / "record.json").without_times() == undisturbed.without_times()


def test_a_shard_damaged_after_it_was_prepared_is_named_when_it_is_read(place):
    copy = place.folder / "damaged" / "imagenet-256"
    shutil.copytree(place.folder / "data" / "imagenet-256", copy)
    for shard in copy.glob("train-*.tfrecord"):
        content = bytearray(shard.read_bytes())
        content[1000:] = bytes(len(content) - 1000)
        shard.write_bytes(content)
    chosen = words("alexnet", "runs/damaged")
    chosen[chosen.index("--data-dir") + 1] = "damaged"
    done = place(*chosen)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "tfrecord is damaged at byte" in done.stderr and "reproduce data verify" in done.stderr


def test_predictions_by_one_protocol_are_averaged_and_everything_is_reported(place):
    for name in "alexnet", "zfnet":
        trained(place, name)
        done = place("evaluate", f"runs/{name}", "--protocol", "centre crop", "--data-dir", "data")
        assert done.returncode == 0, done.stderr
    together = place("evaluate", "--ensemble", "runs/alexnet", "runs/zfnet", "--protocol", "centre crop")
    assert together.returncode == 0 and "2 networks, centre crop" in together.stdout, together.stderr
    clean = place("evaluate", "runs/zfnet", "--protocol", "ten crops, non-blacklisted", "--data-dir", "data")
    assert clean.returncode == 0 and "of 31" in clean.stdout, clean.stderr
    report = place("report", "--runs", "runs", "--out", "report")
    assert report.returncode == 0, report.stderr
    page = (place.folder / "report" / "alexnet.md").read_text()
    assert "imagenet-subset" in page and "not comparable" in page and "reproduced |" not in page
