"""The `reproduce` command. Nothing here imports TensorFlow before it is needed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.study import Study


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="reproduce", description="Regenerate the tables of classic papers.")
    top.add_argument("--version", action="version", version=f"reproductions {reproductions.__version__}")
    commands = top.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", help="studies and their networks")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.set_defaults(run=show_list)

    training = commands.add_parser("train", help="train a network by its paper's recipe, and write the record")
    training.add_argument("study")
    training.add_argument("--network", help="default: the paper's own, the first that `list` names")
    training.add_argument("--seed", type=int, default=1)
    training.add_argument("--epochs", type=int, help="passes, where not the recipe's")
    training.add_argument("--data-dir", type=Path, help="default: the folder that REPRODUCTIONS_DATA names")
    training.add_argument("--run-dir", type=Path, help="default: runs/NETWORK-DATA-seedN")
    training.add_argument("--resume", action="store_true", help="go on with the run in the folder, if there is one")
    training.add_argument("--strategy", choices=("auto", "single", "mirrored"), default="auto")
    training.add_argument("--hold-out", action="store_true", help="keep the validation part out, and show its error")
    training.add_argument("--report", action="store_true", help="then report all runs beside the run, in report/")
    training.set_defaults(run=train)

    evaluation = commands.add_parser("evaluate", help="test the network of a finished run again")
    evaluation.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    evaluation.add_argument("--data-dir", type=Path, help="default: the folder that REPRODUCTIONS_DATA names")
    evaluation.set_defaults(run=evaluate)

    report = commands.add_parser("report", help="the pages, from the records and the published figures")
    report.add_argument("--runs", type=Path, help="folder of records or of runs; default: the committed records")
    report.add_argument("--out", type=Path, help="default: the committed pages")
    report.add_argument("--check", action="store_true", help="write nothing; fail if the pages would change")
    report.set_defaults(run=make_report)
    return top


def summary(study: Study) -> dict[str, object]:
    return {
        "study": study.name, "title": study.title, "authors": study.authors, "year": study.year, "url": study.url,
        "networks": [
            {"name": n.name, "dataset": n.recipe.dataset if n.recipe else None, "outputs": n.outputs}
            for n in study.networks
        ],
    }  # fmt: skip


def show_list(options: argparse.Namespace) -> None:
    found = reproductions.studies().values()
    if options.format == "json":
        print(json.dumps([summary(study) for study in found], indent=2))
        return
    for study in found:
        print(f"{study.name}: {study.authors}, {study.title}, {study.year}")
        for network in study.networks:
            recipe = network.recipe
            print(f"    {network.name}" + (f", trained on {recipe.dataset}, {recipe.epochs} passes" if recipe else ""))


def train(options: argparse.Namespace) -> None:
    study = reproductions.find_study(options.study)
    network = reproductions.find_network(options.network or study.networks[0].name, study)
    from reproductions.lab import record
    from reproductions.lab.train import train as run

    folder = run(
        study, network, options.seed, options.epochs, options.data_dir, options.run_dir,
        options.resume, options.strategy, options.hold_out,
    )  # fmt: skip
    done = record.read(folder / "record.json")
    low, high = done.test["interval"]
    print(
        f"{network.name} on {done.data['name']}: test error {done.test['error']:.2f}% "
        f"({done.test['errors']} of {done.test['images']}; 95% interval {low:.2f} to {high:.2f}%)\n"
        f"record: {folder / 'record.json'}"
    )
    if options.report:
        from reports.__main__ import report

        report(folder.parent, folder.parent / "report")


def evaluate(options: argparse.Namespace) -> None:
    from reproductions.lab import record

    done = record.read(options.run_dir / "record.json")
    network = reproductions.find_network(done.network, reproductions.find_study(done.study))
    from reproductions.lab.evaluate import evaluate_run

    test = evaluate_run(options.run_dir, done, network, options.data_dir)
    answer = f"{network.name}: test error {test['error']:.2f}% ({test['errors']} of {test['images']})"
    if test != done.test:
        sys.exit(f"{answer}, but its record says {done.test['error']:.2f}%")
    print(f"{answer}, as its record says")


def make_report(options: argparse.Namespace) -> None:
    from reports.__main__ import report

    report(options.runs, options.out, options.check)


def main(words: Sequence[str] | None = None) -> None:
    options = parser().parse_args(words)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        options.run(options)
    except UsageError as mistake:
        print(f"reproduce: {mistake}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nreproduce: stopped; the same command with --resume goes on after the last whole pass", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
