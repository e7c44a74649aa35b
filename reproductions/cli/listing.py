"""The command `reproduce list`, which needs neither TensorFlow nor Keras."""

from __future__ import annotations

import argparse
import json

import reproductions
from reproductions.lab.spec.study import Study


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `list`."""
    parser = subparsers.add_parser("list", help="list papers and their networks")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    parser.set_defaults(run=list_studies)


def list_studies(options: argparse.Namespace) -> None:
    """Print every paper with its networks and classifiers."""
    studies = reproductions.studies().values()
    if options.format == "json":
        print(json.dumps([describe(study) for study in studies], indent=2))
        return
    for study in studies:
        print(f"{study.name}: {study.authors}, {study.title}, {study.year}")
        for network in study.networks:
            recipe = network.recipe
            training = f", trained on {recipe.dataset} for {recipe.epochs} epochs" if recipe else ""
            print(f"    {network.name}{training}")
        for classifier in study.classifiers:
            print(f"    {classifier.name}, fitted to {classifier.recipe.dataset}")


def describe(study: Study) -> dict[str, object]:
    """Return a paper, its networks and its classifiers as data for JSON."""
    return {
        "study": study.name,
        "title": study.title,
        "authors": study.authors,
        "year": study.year,
        "url": study.url,
        "networks": [
            {"name": network.name, "dataset": network.recipe and network.recipe.dataset, "outputs": network.outputs}
            for network in study.networks
        ],
        "classifiers": [{"name": each.name, "dataset": each.recipe.dataset} for each in study.classifiers],
    }
