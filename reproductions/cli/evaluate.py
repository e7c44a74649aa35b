"""The command `reproduce evaluate`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import reproductions
from reproductions.cli import published
from reproductions.cli.options import Container, Subparsers, add_data_dir, add_format, table_alone
from reproductions.cli.recorded import compare_with_committed, compare_with_record, format_rate, write_or_compare
from reproductions.lab import environment
from reproductions.lab.errors import UsageError
from reproductions.lab.evaluation import tested
from reproductions.lab.evaluation.tested import Tested

if TYPE_CHECKING:
    import numpy as np

    from reproductions.lab.data.base import Dataset
    from reproductions.lab.evaluation.evaluate import EvaluationTask
    from reproductions.lab.results.ensemble_record import EnsembleRecord
    from reproductions.lab.results.entries import EvaluationResult
    from reproductions.lab.spec.protocols import Protocol

NOT_RECORDED = UsageError(
    "--to is for ensembles and imported weights: leave it out; the result of a run is in its record"
)


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `evaluate`."""
    parser = subparsers.add_parser("evaluate", help="test a trained network, or the average of several")
    subject = parser.add_argument_group("what to test")
    subject.add_argument(
        "tested",
        type=Path,
        nargs="*",
        metavar="RUN_OR_WEIGHTS",
        help="folder of a run, file of `reproduce weights import`, or .keras, .weights.h5 or ConvNetJS .json file",
    )
    subject.add_argument("--network", help="name of the network in a file of weights that were not imported")
    subject.add_argument("--ensemble", action="store_true", help="average the saved predictions of several networks")
    add_protocol(parser.add_argument_group("test protocol"))
    data = parser.add_argument_group("data")
    add_data_dir(data)
    data.add_argument("--images", type=Path, metavar="DIR", help="test the images in a folder: a sample of ImageNet")
    data.add_argument("--labels", type=Path, metavar="FILE", help='their list, with lines "FILE, CLASS"')
    output = parser.add_argument_group("output")
    output.add_argument("--by-class", action="store_true", help="also show the errors of each class")
    output.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="file for the record of an ensemble or of imported weights (default: in the folder ensembles beside the "
        "runs, or weights beside the file)",
    )
    add_format(output)
    parser.set_defaults(run=evaluate, resume_hint="the same command resumes with the images that are not tested yet")


def add_protocol(options: Container) -> None:
    """Add the options of the test protocol."""
    options.add_argument("--protocol", help="test protocol, see --list-protocols (default: the one of the recipe)")
    options.add_argument(
        "--non-blacklisted", action="store_true", help="test only the 48,238 images outside ImageNet's blacklist"
    )
    options.add_argument("--list-protocols", action="store_true", help="list the test protocols and their sources")


@dataclass(frozen=True)
class Answer:
    """The result of a test: what was tested, the scores (images, classes), and the labels (images,)."""

    name: str
    result: EvaluationResult
    scores: np.ndarray
    labels: np.ndarray


def evaluate(options: argparse.Namespace) -> None:
    """Test a network or an ensemble and print the result."""
    if options.list_protocols:
        list_protocols(options.format)
        return
    if bool(options.images) != bool(options.labels):
        raise UsageError("--images and --labels belong together: name the folder of the images and the list of them")
    protocol = protocol_of(options)
    with table_alone(options.format):
        if options.ensemble:
            if options.images:
                raise UsageError("--ensemble averages saved predictions: leave out --images and --labels")
            answer = evaluate_ensemble(options, protocol)
        elif len(options.tested) == 1:
            answer = evaluate_one(options, protocol)
        else:
            raise UsageError(
                f"expected one run or file of weights, got {len(options.tested)}; "
                "for the average of several add --ensemble"
            )
    if options.format != "text":
        print_table(class_rows(answer) if options.by_class else result_rows(answer), options.format)
    elif options.by_class:
        print_classes(answer)


def list_protocols(output_format: str) -> None:
    """Print the test protocols."""
    from reproductions.lab.spec.protocols import NON_BLACKLISTED, PROTOCOLS

    if output_format != "text":
        rows = [(each.name, each.crops_per_image, each.source) for each in PROTOCOLS.values()]
        print_table([dict(zip(("protocol", "crops per image", "source"), row)) for row in rows], output_format)
        return
    for protocol in PROTOCOLS.values():
        print(f"{protocol.name}: {protocol.crops_per_image} crop(s) per image\n    {protocol.source}")
    print(f"With {NON_BLACKLISTED!r} appended, as by --non-blacklisted, each leaves out ImageNet's blacklisted images.")


def protocol_of(options: argparse.Namespace) -> Protocol | None:
    """Return the chosen protocol; None for that of the recipe."""
    from reproductions.lab.spec.protocols import NON_BLACKLISTED, find

    if options.protocol is None:
        if options.non_blacklisted:
            raise UsageError("--non-blacklisted needs --protocol: name the test protocol as well")
        return None
    end = NON_BLACKLISTED if options.non_blacklisted else ""
    return find(options.protocol.removesuffix(end) + end)


def evaluate_ensemble(options: argparse.Namespace, protocol: Protocol | None) -> Answer:
    """Average saved predictions, and print, record and return the result."""
    from reproductions.lab.results import ensemble_record, predictions

    if protocol is None:
        raise UsageError("--ensemble needs --protocol: name the test protocol of the saved predictions")
    record, without = None, [tested for tested in options.tested if not (tested / "record.json").exists()]
    if without:
        ensemble = predictions.ensemble(options.tested, protocol)
    else:
        record, ensemble = ensemble_record.of_runs(options.tested, protocol)
        check_outputs(record)
    name = f"{len(options.tested)} networks"
    print_result(name, ensemble.result)
    if record:
        folder = ensemble.members[0].path.resolve().parent / ensemble_record.FOLDER
        write_or_compare(record, options.to or folder / record.filename, ensemble_record.read)
    elif options.to:
        raise UsageError(f"{options.to} is not written: {without[0]} is not the folder of a finished run")
    else:
        print(f"not recorded: {without[0]} is not the folder of a finished run")
    return Answer(name, ensemble.result, ensemble.predictions.scores, ensemble.predictions.labels)


def check_outputs(record: EnsembleRecord) -> None:
    """Raise UsageError if some members return logits and others penalties."""
    outputs = {reproductions.find_network(name).outputs: name for name in record.networks}
    if len(outputs) > 1:
        names = " and ".join(f"{kind} ({name})" for kind, name in sorted(outputs.items()))
        raise UsageError(f"the scores of networks with {names} cannot be averaged: choose networks of one kind")


def evaluate_one(options: argparse.Namespace, protocol: Protocol | None) -> Answer:
    """Test one run, or one file of weights, and print, record and return the result."""
    if options.to and options.tested[0].suffix not in tested.WEIGHTS:
        raise NOT_RECORDED
    found = tested.find(options.tested[0], options.network, reproductions.networks())
    if options.to and not found.provenance:
        raise NOT_RECORDED
    data = load_data(options, found)  # before TensorFlow is imported
    import layers  # noqa: F401, which registers what recipes name

    environment.set_up_keras()
    from reproductions.lab.evaluation.evaluate import EvaluationTask, test

    task = EvaluationTask(tested.load(found), found.network, tested.recipe_of(found), data, protocol)
    try:
        result, scores = test(task, None if found.given_out else found.path)
        print_result(found.network.name, result, bool(options.images))
        record_result(options, found, task, result)
    except OSError as error:
        raise UsageError(f"the predictions of {found.path} cannot be written: {error.strerror}") from None
    return Answer(found.network.name, result, scores, task.labels)


def load_data(options: argparse.Namespace, found: Tested) -> Dataset:
    """Return the data on which a network is tested: those of its run or recipe, or a sample of ImageNet."""
    if not options.images:
        return tested.data_of(found, options.data_dir)
    if found.record is not None:
        raise UsageError(f"--images is for files of weights; {found.path} is a run, which is tested on its own data")
    dataset = tested.recipe_of(found).dataset
    if not dataset.startswith("imagenet"):
        raise UsageError(f"--images is for networks of ImageNet's classes; {found.network.name} is for {dataset}")
    from reproductions.lab.data import sample

    return sample.load(options.images, options.labels)


def record_result(options: argparse.Namespace, found: Tested, task: EvaluationTask, result: EvaluationResult) -> None:
    """Compare the result of a test with its record, or write it where there is none."""
    if found.record is not None:
        compare_with_record(result, found.record, found.path / "record.json")
    elif found.given_out:
        compare_with_committed(result, task.data, found.given_out)
    elif found.provenance:
        from reproductions.lab.results import weights_record

        record = published.make_record(task, found.provenance, result, bool(options.images))
        path = options.to or found.path.parent / weights_record.FOLDER / record.filename
        write_or_compare(record, path, weights_record.read)


def print_result(name: str, result: EvaluationResult, sample: bool = False) -> None:
    """Print the result of a test; of a sample, the number of images that were classified correctly."""
    if sample:
        print(f"{name}, {result.protocol}: a sample, not an error rate, as somebody chose the {result.images} images")
        print(f"    correct {result.images - result.top1.errors} of {result.images}")
        if result.top5:
            print(f"    in the best five {result.images - result.top5.errors} of {result.images}")
        return
    print(f"{name}, {result.protocol}:\n    test error {format_rate(result.top1, result.images)}")
    if result.top5:
        print(f"    top-5 error {format_rate(result.top5, result.images)}")


def result_rows(answer: Answer) -> list[dict[str, object]]:
    """Return a row for each error rate of a result; rates and the ends of their 95% intervals are in percent."""
    result = answer.result
    rates = {"top-1": result.top1, "top-5": result.top5}
    return [
        {
            "network": answer.name,
            "protocol": result.protocol,
            "metric": metric,
            "error": round(rate.error, 4),
            "low": round(rate.interval[0], 4),
            "high": round(rate.interval[1], 4),
            "errors": rate.errors,
            "images": result.images,
        }
        for metric, rate in rates.items()
        if rate
    ]


def class_rows(answer: Answer) -> list[dict[str, object]]:
    """Return a row for the errors of each class."""
    from reproductions.lab.results import predictions

    rows = predictions.errors_by_class(answer.scores, answer.labels)
    return [
        {"class": row.label, "images": row.images, "errors": row.errors, "top-5 errors": row.top5_errors}
        for row in rows
    ]


def print_table(rows: list[dict[str, object]], output_format: str) -> None:
    """Print rows with the same columns as a table."""
    import pandas

    from reports.formats import format_table

    table = pandas.DataFrame(rows)
    print(format_table(table.set_index(table.columns[0]), output_format))


def print_classes(answer: Answer) -> None:
    """Print the errors of each class."""
    print("class images errors top-5 errors")
    for row in class_rows(answer):
        print(f"{row['class']:5d} {row['images']:6d} {row['errors']:6d} {row['top-5 errors']:12d}")
