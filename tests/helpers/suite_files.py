"""Good files of every kind that the suite reads, by name, and how each is read."""

import contextlib
import gzip
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import layers  # noqa: F401, registers the losses of recipes
import reproductions
from reports import audited
from reports.ensembles import read_ensemble
from reports.pages import render
from reports.sections.tuning import Search
from reports.sources import Sources
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.data import base, mnist, sample
from reproductions.lab.data.imagenet import dataset, devkit, manifest, pixel_statistics, shards, survey
from reproductions.lab.errors import UsageError, file_errors
from reproductions.lab.evaluation import localization, networks
from reproductions.lab.evaluation.partial_scores import ScoreCollector
from reproductions.lab.results import benchmark, picture_record, predictions, run_record, trial_record, weights_record
from reproductions.lab.results.entries import EpochResult
from reproductions.lab.results.trial_record import CodeState
from reproductions.lab.spec import recipe_changes, recipe_files
from reproductions.lab.spec.provenance import Provenance
from reproductions.lab.training import config
from reproductions.lab.training.checkpoint import Checkpoint
from reproductions.lab.weights import imported, own, suite_file, trained
from tests.helpers import boxes, imagenet_files, prepared_imagenet

REPORTS = Path(reproductions.__file__).parents[1] / "reports"
STUDIES = reproductions.studies()
LENET5 = STUDIES["lenet5"]
LENET1 = reproductions.build("lenet1")
PREPARED = "prepared"
MNIST = {"x_train": (6, 4, 4), "y_train": (6,), "x_test": (2, 4, 4), "y_test": (2,)}
PARTIAL = {"network": "a", "images": 6}


def pages(**sources: object) -> None:
    """Make the pages of LeNet-5 from some records."""
    nothing = {"figures": {"lenet5": []}, "runs": [], "tables": {}, "claims": []}
    render(Sources(**{"studies": {"lenet5": LENET5}, **nothing, **sources}))  # type: ignore[arg-type]


def read_record(path: Path) -> None:
    record = run_record.read(path)
    if record.study == "lenet5":
        pages(runs=[run_record.Run(path, record)])


def read_trial(path: Path) -> None:
    trial = trial_record.read(path)
    record = trial_record.read_search(REPORTS / "tuned" / "lenet5-hyperband")
    pages(searches=[Search("x", record, [trial])])


def read_search(path: Path) -> None:
    record = trial_record.read_search(path.parent)
    trial = next((REPORTS / "tuned" / "lenet5-hyperband" / "trials").glob("*.json"))
    if record.study == "lenet5":
        pages(searches=[Search("x", record, [trial_record.read(trial)])])


def read_picture(path: Path) -> None:
    record = picture_record.read(path)
    pages(pictures={path.parent / record.picture: record})


def read_recipe(path: Path) -> None:
    recipe = recipe_files.overridden(LENET5.networks[0].to_train(), recipe_files.read(path), path)
    config.check_keras_objects(recipe, path)
    recipe.learning_rate_at(3, [5.0, 5.0])
    recipe_changes.changes(recipe.as_data(), LENET5.networks[0].to_train().as_data())


def read_layout(path: Path) -> None:
    work = path.parent / "layout" / "work"
    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, work / survey.SAVED_LAYOUT)
    try:
        survey.read_saved(work.parent)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def read_manifest(path: Path) -> None:
    done = manifest.read(path.parent)
    manifest.damaged_shards(path.parent, done)
    manifest.checksum(done)


def read_index(path: Path) -> None:
    done = manifest.read(prepared(path))
    images = dataset.read_split(path.parent, "train", done)
    dataset.is_validation(images.labels, images.filenames)


def prepared(path: Path) -> Path:
    """Return the folder of prepared images beside a file, or beside its folder."""
    return next(each / PREPARED for each in path.parents if (each / PREPARED).is_dir())


def read_guesses(path: Path) -> None:
    """The boxes are those beside the original files."""
    localization.evaluate_predictions(path, prepared(path).parent / "truth")


def read_devkit(path: Path) -> None:
    with file_errors(path):
        devkit.parse(devkit.read_tar(path))


def read_partial(path: Path) -> None:
    ScoreCollector(path, PARTIAL, 60)


def read_keras(path: Path) -> None:
    imported.provenance_of(path)
    own.check_configuration(path, LENET1)


def read_meta(path: Path) -> None:
    with file_errors(path):
        devkit.parse_classes(path.read_bytes())


READERS: dict[str, Callable[[Path], object]] = {
    "record.json": read_record,
    "ensemble.json": lambda path: pages(ensembles=[read_ensemble(path, STUDIES)]),
    "weights.json": weights_record.read,
    "picture.json": read_picture,
    "benchmarks.json": lambda path: pages(benchmarks=benchmark.read(path)),
    "trial.json": read_trial,
    "search.json": read_search,
    "recipe.json": read_recipe,
    "fit-record.json": read_record,
    "manifest.json": read_manifest,
    "layout.json": read_layout,
    "index-train.npz": read_index,
    "statistics.npz": pixel_statistics.read,
    "state.npz": lambda path: Checkpoint.read(path, "remove it"),
    "predictions.npz": predictions.read,
    "partial.npz": read_partial,
    "boxes.xml": localization.read_boxes,
    "claims.json": lambda path: pages(claims=[ClaimResult(**row) for row in audited.read("claims", path.parent)]),
    "tables.json": lambda path: pages(tables=audited.read("tables", path.parent)),
    "notes.npz": lambda path: shards.read_notes(path, classes=2),
    "listing-train.npy": shards.open_listing,
    "guesses.txt": read_guesses,
    "blacklist.txt": lambda path: localization.read_blacklist(path, 50),
    "labels.txt": sample.read_labels,
    "images-idx3-ubyte": mnist.read_idx,
    "images-idx3-ubyte.gz": mnist.read_idx,
    "mnist.npz": lambda path: base.read_npz(path, MNIST),
    "devkit.tar.gz": read_devkit,
    "imported.keras": read_keras,
    "weights.safetensors": suite_file.contents_of,
    "trained.json": lambda path: trained.read_list(path.parent),
    "meta.mat": read_meta,
    "compressed-meta.mat": read_meta,
}


def write_all(folder: Path) -> None:
    """Write a good file of every kind."""
    runs = REPORTS / "runs"
    folder.mkdir()
    shutil.copy(runs / "lenet5-seed1.json", folder / "record.json")
    shutil.copy(runs / "nearest-neighbours-seed1.json", folder / "fit-record.json")
    shutil.copy(next((REPORTS / "ensembles").iterdir()), folder / "ensemble.json")
    shutil.copy(next((REPORTS / "weights").iterdir()), folder / "weights.json")
    shutil.copy(REPORTS / "pictures" / "lenet5-features.json", folder / "picture.json")
    ratios = benchmark.read(REPORTS.parent / "benchmarks" / "results.json")
    kinds = {(bool(row.network), bool(row.along)): row for row in ratios}
    benchmark.write(folder / "benchmarks.json", list(kinds.values()))
    search = REPORTS / "tuned" / "lenet5-hyperband"
    shutil.copy(search / "search.json", folder / "search.json")
    shutil.copy(next((search / "trials").glob("*.json")), folder / "trial.json")
    recipe = LENET5.networks[0].to_train().as_data()
    (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    write_prepared(folder)
    write_arrays(folder)
    write_weights(folder)
    write_texts(folder)


def write_weights(folder: Path) -> None:
    """Write an imported network, one that the suite trained, and the list of those that it gives out."""
    shutil.copy(trained.FOLDER / trained.LIST, folder)
    transforms = (("subtract_mean", {"of": "pixels"}), "crop")
    imported.write(
        folder / "imported.keras", LENET1, Provenance("lenet1", "a", "b", "c.h5", "0" * 64, {"classes": 10}, transforms)
    )
    record = run_record.read(REPORTS / "runs" / "lenet1-seed1.json")
    suite_file.write(folder / "weights.safetensors", LENET1, networks.contents_of(record))


def write_texts(folder: Path) -> None:
    """Write boxes, guesses and lists, and images of MNIST's format."""
    box = localization.Box("n01440764", 1, 2, 30, 40)
    boxes.write_truth(folder / "truth", [[box], [box, box]])
    shutil.copy(folder / "truth" / "ILSVRC2012_val_00000001.xml", folder / "boxes.xml")
    boxes.write_guesses(folder / "guesses.txt", [[box], [box]])
    (folder / "blacklist.txt").write_text("3\n17\n", encoding="ascii")
    (folder / "labels.txt").write_text("a.JPEG, 65\nb.JPEG n01440764\n", encoding="ascii")
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    content = bytes([0, 0, 8, 3]) + np.array(images.shape, ">u4").tobytes() + images.tobytes()
    (folder / "images-idx3-ubyte").write_bytes(content)
    (folder / "images-idx3-ubyte.gz").write_bytes(gzip.compress(content, mtime=0))
    np.savez_compressed(folder / "mnist.npz", **{name: np.ones(shape, np.uint8) for name, shape in MNIST.items()})
    for name in ("claims", "tables"):
        content = json.loads((REPORTS / "computed" / f"{name}.json").read_text(encoding="utf-8"))
        few = content[:5] if name == "claims" else {"lenet5": content["googlenet"][:9]}
        (folder / f"{name}.json").write_text(json.dumps(few), encoding="utf-8")


def write_prepared(folder: Path) -> None:
    """Prepare a few images, and copy the files beside the shards."""
    made = imagenet_files.make(folder / "source", classes=2, images=3, validation=2, short=(60, 80), blacklist=(1,))
    shutil.copy(made.folder / imagenet_files.DEVKIT, folder / "devkit.tar.gz")
    for name, compressed in (("meta.mat", False), ("compressed-meta.mat", True)):
        (folder / name).write_bytes(imagenet_files.meta(["n01440764", "n01443537"], 3, compressed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda work: shutil.copytree(work, folder / "work"))
        done = prepared_imagenet.prepare(made.folder, folder / "made", shards=2)
    done.rename(folder / PREPARED)
    shutil.copy(next((folder / "work").glob("train-*.npz")), folder / "notes.npz")
    shutil.copy(folder / "work" / "listing-train.npy", folder)
    shutil.copy(folder / "work" / "layout.json", folder)
    for name in ("manifest.json", "index-train.npz", "statistics.npz"):
        shutil.copy(folder / PREPARED / name, folder)


def write_arrays(folder: Path) -> None:
    """Write a state, predictions and unfinished scores."""
    checkpoint = Checkpoint(folder, {"recipe": {"epochs": 3}, "seed": 1}, CodeState("c" * 40, False))
    checkpoint.state.end_epoch(EpochResult(1, 0.5, 10.0, 0.1, 3.0))
    checkpoint.save([np.zeros((3, 3), np.float32), np.ones(4, np.float32), np.array(7, np.uint32)])  # type: ignore[list-item]
    random = np.random.default_rng(0)
    scores = random.random((6, 12)).astype(np.float32)
    names = np.array([f"{i}.JPEG" for i in range(6)])
    metadata = dict.fromkeys(predictions.METADATA, "a")
    predictions.Predictions(scores, np.arange(6), names, metadata).write(folder / "predictions.npz")
    partial = ScoreCollector(folder / "partial.npz", PARTIAL, 60)
    partial.batches, partial.done = [scores[:4]], 4
    partial.write()


def read(path: Path) -> None:
    """Read a file by its name; what is printed on the way is not shown."""
    with contextlib.redirect_stdout(io.StringIO()):
        READERS[path.name](path)
