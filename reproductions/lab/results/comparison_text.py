"""Comparisons of runs as sentences."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from reproductions.lab.results.compare import Comparison, ImageComparison, SeedComparison, TimeToError
from reproductions.lab.results.stats import holm

SIGNIFICANCE = 0.05


def all_significant(found: Comparison) -> bool:
    """Return whether every two networks differ significantly: over their seeds, or else image by image."""
    for pair in found.pairs:
        by_image = [row.p for row in found.images if (row.first, row.second) == (pair.first, pair.second)]
        p_values = by_image if pair.p is None else [pair.p]
        if not p_values or any(p is None or p >= SIGNIFICANCE for p in p_values):
            return False
    return True


def sentences(found: Comparison) -> list[str]:
    """Return one sentence for each comparison, and a note on the number of tests."""
    lines = [describe_seeds(pair) for pair in found.pairs] + [describe_images(row) for row in found.images]
    lines += [describe_speed(*couple) for couple in itertools.combinations(found.training, 2)]
    if len(found.networks) == 1:
        lines.append(f"All runs are of {found.networks[0].network} by one recipe: there is nothing to compare.")
    p_values = [p for p in (*(pair.p for pair in found.pairs), *(row.p for row in found.images)) if p is not None]
    if len(p_values) > 1:
        below, corrected = (sum(p < SIGNIFICANCE for p in each) for each in (p_values, holm(p_values)))
        lines.append(
            f"Of {len(p_values)} p values {below} are below {SIGNIFICANCE}; "
            f"{corrected} after Holm's correction for multiple tests."
        )
    return lines


def describe_seeds(pair: SeedComparison) -> str:
    """Return a comparison over seeds as a sentence."""
    head = f"{pair.second} compared with {pair.first}"
    recipe = f" ({'; '.join(pair.changes)})" if pair.changes else ""
    if pair.difference is None:
        return f"{head}{recipe}: no common seed, so no paired test."
    line = f"{head}{recipe}: {pair.difference:+.2f} points of test error over {format_seeds(pair.seeds)}"
    if pair.p is None or pair.interval is None:
        reason = "one pair" if len(pair.seeds) == 1 else "equal differences for all seeds"
        return f"{line}; {reason}, so no t-test."
    low, high = pair.interval
    lower = pair.first if pair.difference > 0 else pair.second
    interval = f"95% interval {low:+.2f} to {high:+.2f}"
    return f"{line}, {interval}, paired t-test p = {pair.p:.2g}: {significance(pair.p, lower)}."


def describe_images(row: ImageComparison) -> str:
    """Return an image by image comparison as a sentence."""
    one, other = row.seeds
    head = f"{row.second} compared with {row.first}, {f'seed {one}' if one == other else f'seeds {other} and {one}'}"
    if row.p is None or row.only_first is None or row.only_second is None:
        return f"{head}: neither records nor saved predictions list the misclassified images."
    lower = row.first if row.only_first < row.only_second else row.second
    return (
        f"{head}: of {row.images:,} images {row.both:,} are misclassified by both, "
        f"{row.only_second:,} by {row.second} only and {row.only_first:,} by {row.first} only; "
        f"McNemar's exact p = {row.p:.2g}: {significance(row.p, lower)}."
    )


def describe_speed(one: TimeToError, other: TimeToError) -> str:
    """Return a comparison of the epochs to a training error as a sentence."""
    head = f"{one.training_error:g}% training error"
    first, second = sorted((one, other), key=lambda each: each.least)
    if first.epochs is None:
        never = [each.network for each in (one, other) if each.epochs is None]
        return f"{head}: not reached by every run of {' and '.join(never)}."
    more = "" if second.epochs else "more than "
    return (
        f"{head}: reached by {first.network} after {first.epochs:.1f} epochs, by {second.network} after "
        f"{more}{second.least:.1f}, {more}{second.least / first.epochs:.1f} times as many."
    )


def format_seeds(seeds: Sequence[int]) -> str:
    """Return seeds as text: "seed 1", "seeds 1, 2"."""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"


def significance(p: float, lower: str) -> str:
    """Return what a p value means for two networks, of which `lower` has the lower error."""
    return f"{lower} has a significantly lower error" if p < SIGNIFICANCE else "no significant difference"
