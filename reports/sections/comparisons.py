"""Published comparisons of networks, beside those of their runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.published import PublishedComparison
from reproductions.lab.results.compare import Comparison, compare_runs
from reproductions.lab.results.comparison_text import all_significant, describe_speed, sentences
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.stats import Spread
from reproductions.lab.spec import recipe_changes


@dataclass(frozen=True)
class MeasuredComparison:
    """Measured result of a published comparison.

    Attributes:
        summary: The result in one line.
        sentences: Each test in a sentence.
        changes: Human-readable differences to the networks' own recipes.
    """

    summary: str
    sentences: list[str]
    changes: list[str]


@dataclass(frozen=True)
class ComparisonSection:
    """A published comparison, and the measured ones of all sets of runs."""

    published: PublishedComparison
    answers: list[MeasuredComparison]


def comparison_sections(
    published: Sequence[PublishedComparison], study: str, groups: Sequence[RunGroup]
) -> list[ComparisonSection]:
    """Return the published comparisons of a paper for which there are runs."""
    own = [ComparisonSection(row, answers(row, groups)) for row in published if row.study == study]
    return [section for section in own if section.answers]


def answers(published: PublishedComparison, groups: Sequence[RunGroup]) -> list[MeasuredComparison]:
    """Return the result of every set of runs of all its networks that were trained alike."""
    names = list(published.networks)
    complete: list[list[RunGroup]] = []
    for alike in trained_alike(groups):
        own = [group for name in names for group in alike if group.network == name]
        if [group.network for group in own] == names and own not in complete:
            complete.append(own)
    return [measured(published, own) for own in complete]


def trained_alike(groups: Sequence[RunGroup]) -> list[list[RunGroup]]:
    """Return sets of groups on the paper's data, in the same precision and by like recipes.

    Recipes are alike if all are the networks' own but for the same settings, or if all are equal. A group may be in
    two sets.
    """
    sets: dict[str, list[RunGroup]] = {}
    for group in groups:
        recipe, own = group.first.recipe, group.own_recipe
        if group.data == own.dataset:
            changed = recipe_changes.changed_fields(recipe, own.as_data())
            for alike in changed, recipe_changes.completed(recipe):
                sets.setdefault(repr((alike, group.first.precision)), []).append(group)
    return list(sets.values())


def measured(published: PublishedComparison, groups: Sequence[RunGroup]) -> MeasuredComparison:
    """Return the result of a set of runs."""
    found = compare_runs([run for group in groups for run in group.runs], training_error=published.training_error)
    # Each network by its own recipe: their differences are among the deviations.
    found = replace(found, pairs=[replace(pair, changes=[]) for pair in found.pairs])
    if published.training_error:
        return MeasuredComparison(describe_speed(*found.training), [], changes(groups))
    return MeasuredComparison(order_of(groups, found), sentences(tests_shown(groups, found)), changes(groups))


def tests_shown(groups: Sequence[RunGroup], found: Comparison) -> Comparison:
    """Return a comparison with the tests that a page shows; `reproduce compare` has all.

    Single runs are compared image by image, since a t-test needs several seeds. More than two networks with several
    seeds are compared over these only.
    """
    if all(len(group.runs) == 1 for group in groups):
        return replace(found, pairs=[])
    return found if len(groups) == 2 else replace(found, images=[])


def changes(groups: Sequence[RunGroup]) -> list[str]:
    """Return differences to the networks' own recipes; for each network by name, unless they are the same for all."""
    each = [group.changes for group in groups]
    if all(own == each[0] for own in each):
        return each[0]
    return [f"{group.network}: {'; '.join(own)}" for group, own in zip(groups, each) if own]


def order_of(groups: Sequence[RunGroup], found: Comparison) -> str:
    """Return the networks by increasing error, and whether that is the order in which they are given."""
    means = [group.spread().mean for group in groups]
    by_error = sorted(groups, key=lambda group: group.spread().mean)
    rises = all(one < other for one, other in itertools.pairwise(means))
    order = "the paper's order" if rises else "the order differs from the paper's"
    errors = ", ".join(f"{group.network} {group.spread()}" for group in by_error)
    not_all = "the difference is not significant" if len(groups) == 2 else "not every difference is significant"
    apart = "" if all_significant(found) else f"; {not_all}"
    runs = " One run each, without the spread over seeds." if all(len(group.runs) == 1 for group in groups) else ""
    learning = f" {training_errors(groups, by_error)}" if any(group.changes for group in groups) else ""
    return f"{errors}: {order}{apart}.{runs}{learning}"


def training_errors(groups: Sequence[RunGroup], by_error: Sequence[RunGroup]) -> str:
    """Return the training errors at the end: with a shortened schedule they may explain the order of test errors."""
    final = {group.network: Spread.of([run.history[-1].error for run in group.records]).mean for group in groups}
    text = ", ".join(f"{name} {error:.2f}%" for name, error in sorted(final.items(), key=lambda item: item[1]))
    same = all(final[one.network] < final[other.network] for one, other in itertools.pairwise(by_error))
    note = ", the same order; the order may change with full training" if same else ""
    return f"Training error in the last epoch: {text}{note}."
