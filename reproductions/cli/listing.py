"""The command `reproduce list`, which needs neither TensorFlow nor Keras, and as text or JSON no pandas."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

import reproductions
from reproductions.cli.options import Subparsers, add_format
from reproductions.lab.spec import Recipe, Study
from reproductions.lab.text import fitted


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `list`."""
    parser = subparsers.add_parser("list", help="list papers and their networks")
    add_format(parser)
    parser.set_defaults(run=list_studies)


def list_studies(options: argparse.Namespace) -> None:
    """Print every paper with its networks and classifiers."""
    studies = reproductions.studies().values()
    if options.format == "json":
        print(json.dumps([describe(study) for study in studies], indent=2))
        return
    if options.format != "text":
        print_table(studies, options.format)
        return
    for study in studies:
        print(fitted(f"{study.name}: {study.authors}, {study.title}, {study.year}"))
        for network in study.networks:
            recipe = network.recipe
            training = f", trained on {recipe.dataset} for {recipe.epochs} epochs" if recipe else ""
            print(fitted(f"    {network.name}{training}"))
        for classifier in study.classifiers:
            print(fitted(f"    {classifier.name}, fitted to {classifier.recipe.dataset}"))


def print_table(studies: Iterable[Study], output_format: str) -> None:
    """Print a row for each network and classifier."""
    import pandas

    from reports.formats import format_table

    rows = [
        {
            "network": model.name,
            "study": study.name,
            "year": study.year,
            "dataset": model.recipe.dataset if model.recipe else "",
            "epochs": str(model.recipe.epochs) if isinstance(model.recipe, Recipe) else "",
        }
        for study in studies
        for model in study.models
    ]
    print(format_table(pandas.DataFrame(rows).set_index("network"), output_format))


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
