"""Model cards of the trained networks that the suite gives out: functions of the records alone."""

from __future__ import annotations

from dataclasses import dataclass

from reports.pages import page_environment
from reports.sections.rerun import rerun_commands
from reproductions.lab.results.run_group import RunGroup
from reproductions.lab.results.run_record import Run
from reproductions.lab.spec.study import Network, Study


@dataclass(frozen=True)
class GivenOut:
    """A run whose network is given out.

    Attributes:
        study: Paper of the network.
        network: The network.
        group: All runs that differ from it in their seed only.
        run: The run.
    """

    study: Study
    network: Network
    group: RunGroup
    run: Run

    @property
    def rank(self) -> int:
        """Place of the run among all, by increasing error, from 1; of equal ones, the smaller seed comes first."""
        return ranked(self.group).index(self.run) + 1


def ranked(group: RunGroup) -> list[Run]:
    """Return the runs by increasing error; of equal ones, the smaller seed comes first."""
    return sorted(group.runs, key=lambda run: (run.record.test.top1.errors, run.record.seed))


def median(group: RunGroup) -> Run:
    """Return the run with the median error; of an even number the better one of the middle."""
    return ranked(group)[(len(group.runs) - 1) // 2]


def nearest(group: RunGroup, runs: list[Run]) -> Run:
    """Return the run, among some, whose number of errors is nearest to the median; of equal ones the worse."""
    middle = median(group).record.test.top1.errors
    return min(runs, key=lambda run: (abs(run.record.test.top1.errors - middle), -run.record.test.top1.errors))


def command(given: GivenOut) -> str:
    """Return the command that trains the run."""
    seed = given.run.record.seed
    found = next(each for each in rerun_commands(given.group) if seed in each.seeds)
    return found.command.replace(f"--seed {found.seeds[0]}", f"--seed {seed}")


def model_card(given: GivenOut, sha256: str) -> str:
    """Return the model card as Markdown.

    Args:
        given: What is given out.
        sha256: Checksum of the file of weights.
    """
    template = page_environment().get_template("model_card.md.jinja")
    return template.render(
        given=given,
        record=given.run.record,
        recipe={name: value for name, value in given.run.record.recipe.items() if value not in (None, [], {})},
        command=command(given),
        is_median=given.run is median(given.group),
        sha256=sha256,
    )
