"""Runs held against each other: spreads over seeds, seeds paired, and the test images that only one gets wrong."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reproductions.lab.errors import UsageError
from reproductions.lab.results import predictions, run_record
from reproductions.lab.results.run_record import Record
from reproductions.lab.results.stats import holm, mcnemar_exact, mean_and_deviation, paired_difference, wilson_interval
from reproductions.lab.spec import protocols, recipe_changes

DOUBT = 0.05  # the p value from which two networks are not told apart


@dataclass(frozen=True)
class Run:
    """A record, and where it was found: a run's folder or a file."""

    path: Path
    record: Record

    @property
    def settings(self) -> dict[str, Any]:
        """The recipe, and the precision it was computed in."""
        return {**recipe_changes.completed(self.record.recipe), "precision": self.record.precision}

    def test(self, protocol: str) -> dict[str, Any]:
        return self.record.by_protocol[protocol]


@dataclass(frozen=True)
class Kind:
    """Runs of one network by one recipe, by their seeds, under a name of its own."""

    name: str
    runs: dict[int, Run]

    @property
    def settings(self) -> dict[str, Any]:
        return next(iter(self.runs.values())).settings


def read(path: Path) -> Run:
    return Run(path, run_record.read(path / "record.json" if path.is_dir() else path))


def compare(paths: Sequence[Path], protocol: str | None = None, training_error: float | None = None) -> dict[str, Any]:
    """Everything that can be said of runs, as JSON would have it: protocol, data, runs, networks, pairs, images.

    `pairs` are paired t-tests over seeds, in points of percent; `images` McNemar's tests on the same test images.
    With a `training_error`, in percent, `training` too: the passes that each network takes to it.
    Raises UsageError for a single run, a damaged record, the same run twice, runs on different data, and runs that
    were not tested alike.
    """
    if len(paths) < 2:
        raise UsageError("name two runs or more: one alone has nothing to be compared with")
    return compare_runs([read(path) for path in paths], protocol, training_error)


def compare_runs(
    runs: Sequence[Run], protocol: str | None = None, training_error: float | None = None
) -> dict[str, Any]:
    """What `compare` finds, of runs that have been read."""
    same_data(runs)
    protocol = shared_protocol(runs, protocol)
    kinds = kinds_of(runs)
    couples = list(itertools.combinations(kinds, 2))
    return {
        "protocol": protocol,
        "data": " and ".join(dict.fromkeys(run.record.data["name"] for run in runs)),
        "runs": [described(kind, seed, protocol) for kind in kinds for seed in kind.runs],
        "networks": [summed_up(kind, protocol) for kind in kinds],
        "pairs": [paired(*couple, protocol) for couple in couples],
        "images": [row for couple in couples for row in on_the_same_images(*couple, protocol)],
        "training": [] if training_error is None else [trained_to(kind, training_error) for kind in kinds],
    }


def same_data(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if run.record.data["sha256"] != first.record.data["sha256"]:
            names = [f"{each.path} is of {each.record.data['name']}" for each in (run, first)]
            raise UsageError(f"{' and '.join(names)}, by their checksums: only runs on the same data can be compared")


def shared_protocol(runs: Sequence[Run], wanted: str | None) -> str:
    """The protocol asked for, or the first that all runs were tested by."""
    for name in [protocols.find(wanted).name] if wanted else runs[0].record.by_protocol:
        lacking = [run for run in runs if name not in run.record.by_protocol]
        if not lacking:
            return name
    run = lacking[0]
    raise UsageError(
        f"{run.path} was tested by {' and '.join(run.record.by_protocol)}, not by {name}; "
        f"test it with: reproduce evaluate {run.path} --protocol {name!r}"
    )


def kinds_of(runs: Sequence[Run]) -> list[Kind]:
    """The runs that differ in their seed alone together, in the order in which they were named."""
    together: dict[str, dict[int, Run]] = {}
    for run in runs:
        same = together.setdefault(run.record.kind, {})
        if run.record.seed in same:
            raise UsageError(f"{same[run.record.seed].path} and {run.path} are of the same run; name one of them")
        same[run.record.seed] = run
    networks = [next(iter(same.values())).record.network for same in together.values()]
    numbers = {name: itertools.count(1) for name in networks}
    names = [name if networks.count(name) == 1 else f"{name} ({next(numbers[name])})" for name in networks]
    return [Kind(name, dict(sorted(same.items()))) for name, same in zip(names, together.values())]


def described(kind: Kind, seed: int, protocol: str) -> dict[str, Any]:
    test = kind.runs[seed].test(protocol)
    told = {name: test[name] for name in ("errors", "images", "error")}
    return {
        "network": kind.name,
        "seed": seed,
        **told,
        "interval": list(wilson_interval(test["errors"], test["images"])),
    }


def summed_up(kind: Kind, protocol: str) -> dict[str, Any]:
    mean, deviation = mean_and_deviation([run.test(protocol)["error"] for run in kind.runs.values()])
    return {"network": kind.name, "seeds": list(kind.runs), "error": mean, "deviation": deviation}


def passes_to(rows: Sequence[dict[str, float]], error: float) -> float | None:
    """The passes after which the training error is down to so many percent; None where it never is.

    Between two passes in proportion. The training error of a pass is that of its images as they were trained on.
    """
    for before, row in zip([None, *rows], rows):
        if row["error"] <= error:
            whole = row["epoch"]
            return whole - (error - row["error"]) / (before["error"] - row["error"]) if before else whole
    return None


def trained_to(kind: Kind, error: float) -> dict[str, Any]:
    """The passes to a training error, a mean over seeds; null where a seed never came to it, and `more_than` instead.

    To `more_than`, a seed that never came to it counts with the passes that it was trained for.
    """
    passes = [passes_to(run.record.epochs, error) for run in kind.runs.values()]
    least = [each or run.record.epochs[-1]["epoch"] for each, run in zip(passes, kind.runs.values())]
    mean, known = statistics.mean(least), None not in passes
    told = {"network": kind.name, "seeds": list(kind.runs), "training_error": error}
    return {**told, "passes": mean if known else None, "more_than": None if known else mean}


def paired(one: Kind, other: Kind, protocol: str) -> dict[str, Any]:
    """By how much the second errs more, seed by seed; null what cannot be had."""
    seeds = [seed for seed in one.runs if seed in other.runs]
    told: dict[str, Any] = {
        "first": one.name, "second": other.name, "changes": recipe_changes.changes(other.settings, one.settings),
        "seeds": seeds, "difference": None, "interval": None, "p": None,
    }  # fmt: skip
    if seeds:
        tests = [[kind.runs[seed].test(protocol) for seed in seeds] for kind in (one, other)]
        wrong = [[test["errors"] for test in own] for own in tests]
        a_point = tests[0][0]["images"] / 100
        told["difference"] = (statistics.mean(wrong[1]) - statistics.mean(wrong[0])) / a_point
        found = paired_difference(wrong[1], wrong[0]) if len(seeds) > 1 else None
        if found:
            told |= {"interval": [end / a_point for end in found.interval], "p": found.p}
    return told


def on_the_same_images(one: Kind, other: Kind, protocol: str) -> list[dict[str, Any]]:
    """Two networks on the same images, for each seed that both have, or else for the only run of each."""
    couples = [(seed, seed) for seed in one.runs if seed in other.runs]
    if not couples and len(one.runs) == len(other.runs) == 1:
        couples = list(zip(one.runs, other.runs))
    return [image_by_image(one, other, seeds, protocol) for seeds in couples]


def image_by_image(one: Kind, other: Kind, seeds: tuple[int, int], protocol: str) -> dict[str, Any]:
    """Images that both, only the first and only the second get wrong; null where nothing lists them."""
    first, second = one.runs[seeds[0]], other.runs[seeds[1]]
    told = {"first": one.name, "second": other.name, "seeds": list(seeds), "images": first.test(protocol)["images"],
            "both": None, "only_first": None, "only_second": None, "p": None}  # fmt: skip
    wrong, also = wrong_images(first, protocol), wrong_images(second, protocol)
    if wrong is not None and also is not None:
        only = len(wrong - also), len(also - wrong)
        told |= {"both": len(wrong & also), "only_first": only[0], "only_second": only[1], "p": mcnemar_exact(*only)}
    return told


def wrong_images(run: Run, protocol: str) -> frozenset[int] | None:
    """Places in the test set of the images it gets wrong, from its record or saved predictions; None without either.

    UsageError where the predictions are damaged, or not those that the record tells of.
    """
    test = run.test(protocol)
    if protocol == run.record.protocol and len(run.record.misclassified) == test["errors"]:
        return frozenset(error["index"] for error in run.record.misclassified)
    path = predictions.path_of(run.path, protocols.find(protocol))
    if not run.path.is_dir() or not path.exists():
        return None
    saved = predictions.read(path)
    wrong = np.flatnonzero(predictions.predicted_classes(saved.scores) != saved.labels)
    if saved.told["sha256"] != run.record.data["sha256"] or len(wrong) != test["errors"]:
        raise UsageError(
            f"{path} is not of the test that the record tells of; "
            f"make it again with: reproduce evaluate {run.path} --protocol {protocol!r}"
        )
    return frozenset(wrong.tolist())


# --- In words


def sentences(found: dict[str, Any]) -> list[str]:
    """One sentence a comparison, and what to bear in mind."""
    said = [pair_in_words(pair) for pair in found["pairs"]] + [images_in_words(row) for row in found["images"]]
    said += [times_as_fast(*couple) for couple in itertools.combinations(found["training"], 2)]
    if len(found["networks"]) == 1:
        said.append(f"All runs are of {found['networks'][0]['network']} by one recipe: there is nothing to compare.")
    found_p = [each["p"] for each in found["pairs"] + found["images"] if each["p"] is not None]
    if len(found_p) > 1:
        below, still = (sum(p < DOUBT for p in each) for each in (found_p, holm(found_p)))
        said.append(f"Of {len(found_p)} p values {below} are below {DOUBT}; {still} by Holm's correction for so many.")
    return said


def pair_in_words(pair: dict[str, Any]) -> str:
    head = f"{pair['second']} against {pair['first']}"
    recipe = f" ({'; '.join(pair['changes'])})" if pair["changes"] else ""
    if not pair["seeds"]:
        return f"{head}{recipe}: no seed that both have, so there is nothing to pair."
    by = f"{head}{recipe}: {pair['difference']:+.2f} points of test error, seed by seed ({listed(pair['seeds'])})"
    if pair["p"] is None:
        why = "one pair" if len(pair["seeds"]) == 1 else "the same difference for every seed"
        return f"{by}; {why}, so no t-test."
    low, high = pair["interval"]
    lower = pair["first"] if pair["difference"] > 0 else pair["second"]
    interval = f"95% interval {low:+.2f} to {high:+.2f}"
    return f"{by}, {interval}, paired t-test p = {pair['p']:.2g}: {verdict(pair['p'], lower, 'the two')}."


def images_in_words(row: dict[str, Any]) -> str:
    one, other = row["seeds"]
    head = f"{row['second']} against {row['first']}, {f'seed {one}' if one == other else f'seeds {other} and {one}'}"
    if row["p"] is None:
        return f"{head}: nothing lists the images that they get wrong, neither records nor saved predictions."
    lower = row["first"] if row["only_first"] < row["only_second"] else row["second"]
    return (
        f"{head}: of {row['images']:,} images both get {row['both']} wrong, "
        f"only {row['second']} {row['only_second']} and only {row['first']} {row['only_first']}; "
        f"McNemar's exact p = {row['p']:.2g}: {verdict(row['p'], lower, 'these two runs')}."
    )


def times_as_fast(one: dict[str, Any], other: dict[str, Any]) -> str:
    head = f"{one['training_error']:g}% training error"
    first, second = sorted((one, other), key=lambda each: each["passes"] or each["more_than"])
    if first["passes"] is None:
        never = [each["network"] for each in (one, other) if each["passes"] is None]
        return f"{head}: not every run of {' and '.join(never)} came to it."
    more = "" if second["passes"] else "more than "
    passes = second["passes"] or second["more_than"]
    return (
        f"{head}: {first['network']} comes to it in {first['passes']:.1f} passes, {second['network']} in "
        f"{more}{passes:.1f}, {more}{passes / first['passes']:.1f} times as many."
    )


def listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def verdict(p: float, lower: str, of: str) -> str:
    return f"of {of}, {lower} errs less" if p < DOUBT else f"{of} are not told apart"
