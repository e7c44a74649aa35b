"""The commands that test: `reproduce evaluate` and `reproduce localization`. Heavy imports wait until they run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reproductions
from reproductions.lab.errors import UsageError

if TYPE_CHECKING:
    from reproductions.lab.results.run_record import Record
    from reproductions.lab.spec.protocols import Protocol


def evaluate(options: argparse.Namespace) -> None:
    from reproductions.lab.spec import protocols

    if options.list_protocols:
        for protocol in protocols.ALL:
            print(f"{protocol.name}: {protocol.views} view(s)\n    {protocol.source}")
        print(f"Each may be followed by {protocols.NON_BLACKLISTED!r}, as by --non-blacklisted.")
        return
    chosen = protocol_of(options)
    if options.ensemble:
        if chosen is None:
            raise UsageError("--ensemble needs --protocol: the one whose predictions are averaged")
        from reproductions.lab.results import predictions

        test, scores, labels = predictions.ensemble(options.tested, chosen)
        show_test(f"{len(options.tested)} networks", test)
    elif len(options.tested) != 1:
        raise UsageError("name one run, or one file of weights, or several runs with --ensemble")
    else:
        try:
            test, scores, labels = evaluate_one(options, chosen)
        except KeyboardInterrupt:
            print("\nreproduce: stopped; the same command goes on with the images not yet tested", file=sys.stderr)
            sys.exit(130)
    if options.by_class:
        show_classes(scores, labels)


def protocol_of(options: argparse.Namespace) -> Protocol | None:
    """The protocol that is asked for; None for the recipe's own."""
    from reproductions.lab.spec.protocols import NON_BLACKLISTED, find

    if options.protocol is None:
        if options.non_blacklisted:
            raise UsageError("--non-blacklisted needs --protocol")
        return None
    end = NON_BLACKLISTED if options.non_blacklisted else ""
    return find(options.protocol.removesuffix(end) + end)


def evaluate_one(options: argparse.Namespace, protocol: Protocol | None) -> tuple[dict[str, Any], Any, Any]:
    """Tests one run, or one file of weights; its figures, scores and labels."""
    from reproductions.lab.results import run_record

    tested = options.tested[0]
    if tested.suffix in (".keras", ".h5"):
        if not options.network:
            raise UsageError(f"name the network in {tested} with --network")
        network, done = reproductions.find_network(options.network), None
    else:
        done = run_record.read(tested / "record.json")
        network = reproductions.find_network(done.network, reproductions.find_study(done.study))
    import layers  # noqa: F401, which registers what saved networks are made of
    from reproductions.lab.evaluation import evaluate

    try:
        if done is None:
            found = evaluate.evaluate_weights(tested, network, options.data_dir, protocol)
        else:
            found = evaluate.evaluate_run(tested, done, network, options.data_dir, protocol)
    except OSError as error:
        raise UsageError(f"the predictions of {tested} cannot be written: {error.strerror}") from None
    show_test(network.name, found[0])
    if done:
        compare(done, found[0], tested / "record.json")
    return found


def compare(done: Record, test: dict[str, Any], path: Path) -> None:
    """Says whether a test gave what the record says of the same protocol; the record takes up one by another."""
    before = done.by_protocol.get(test["protocol"])
    if before is None:
        done.tested(test).write(path)
        print(f"written into {path}")
    elif any(test.get(name) != value for name, value in before.items()):
        sys.exit(f"but its record says {before['error']:.2f}% ({before['errors']} of {before['images']})")
    else:
        print("as its record says")


def show_test(what: str, test: dict[str, Any]) -> None:
    """The figures of a test, top-1 and, where there are, top-5."""
    print(f"{what}, {test['protocol']}:")
    for words, start in ("test error", ""), ("top-5 error", "top5_"):
        if f"{start}error" in test:
            low, high = test[f"{start}interval"]
            wrong = f"{test[f'{start}errors']} of {test['images']}; 95% interval {low:.2f} to {high:.2f}%"
            print(f"    {words} {test[f'{start}error']:.2f}% ({wrong})")


def show_classes(scores: Any, labels: Any) -> None:
    from reproductions.lab.results import predictions

    print("class images errors top-5 errors")
    for row in predictions.by_class(scores, labels):
        print(f"{row['class']:5d} {row['images']:6d} {row['errors']:6d} {row['top5_errors']:12d}")


def localize(options: argparse.Namespace) -> None:
    from reproductions.lab.evaluation.localization import score

    found = score(options.predictions, options.truth, options.devkit, options.blacklist)
    low, high = found["interval"]
    print(
        f"localization error {found['error']:.2f}% ({found['errors']} of {found['images']} images; "
        f"95% interval {low:.2f} to {high:.2f}%)\n"
        f"classification error of the same guesses {found['class_error']:.2f}%"
    )
