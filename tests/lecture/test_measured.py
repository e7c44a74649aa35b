"""Statements that runs decide: recomputed from whatever runs there are."""

from dataclasses import replace

import pytest

from reproductions import lecture
from reproductions.lab.analysis.claims import Evidence, audit
from reproductions.lab.analysis.published import FAILS, HOLDS, TRAINING
from reproductions.lab.results.run_record import Record
from reproductions.lecture.measured import measured
from tests.helpers.records import STUDIES, as_runs, made_up

NETWORKS = {network.name: network for study in STUDIES.values() for network in study.networks}


def runs(network: str, *errors: int, **changes) -> list[Record]:
    """Runs of a network of All-CNN with these errors of 10,000, of seeds 1, 2, ..."""
    own = NETWORKS[network].to_train().as_data()
    made = (made_up(each, seed, data="cifar10-whitened") for seed, each in enumerate(errors, 1))
    return [replace(each, study="all_cnn", network=network, recipe={**own, **changes}) for each in made]


def result(id: str, *records: Record):
    (claim,) = (claim for claim in lecture.CLAIMS if claim.id == id)
    (found,) = audit([claim], Evidence(measured=measured(as_runs(*records), NETWORKS)))
    return found


@pytest.mark.parametrize(
    "all_cnn, base, verdict, words",
    [
        ((900, 905, 910), (980, 970, 975), HOLDS, "all-cnn-c 9.05 ± 0.05%, base-cnn-c 9.75 ± 0.05%"),
        ((970, 905, 980), (940, 975, 960), HOLDS, "no significant difference"),
        ((980, 970, 975), (900, 905, 910), FAILS, "all-cnn-c 9.75 ± 0.05%, base-cnn-c 9.05 ± 0.05%"),
    ],
)
def test_convolutions_in_place_of_pools_must_not_be_worse(all_cnn, base, verdict, words):
    found = result("all-cnn-effect", *runs("all-cnn-c", *all_cnn), *runs("base-cnn-c", *base))
    assert found.verdict == verdict and words in found.computed
    assert bool(found.reason) == (verdict == FAILS)


@pytest.mark.parametrize(
    "augmented, verdict", [((725, 730, 728), HOLDS), ((900, 912, 907), FAILS), ((980, 990, 985), FAILS)]
)
def test_patches_and_reflections_must_be_better(augmented, verdict):
    records = [*runs("all-cnn-c", 905, 908, 911), *runs("all-cnn-c-augmented", *augmented)]
    assert result("alexnet-patches", *records).verdict == verdict


@pytest.mark.parametrize(
    "other",
    [
        [],
        runs("base-cnn-c", 980, 970),
        runs("base-cnn-c", 980, 970, 975, epochs=35),
        [replace(each, data=replace(each.data, name="altered")) for each in runs("base-cnn-c", 980, 970, 975)],
    ],
    ids=["no runs", "two runs", "another recipe", "other data"],
)
def test_runs_that_say_nothing_leave_it_open(other):
    found = result("all-cnn-effect", *runs("all-cnn-c", 900, 905, 910), *other)
    assert found.verdict == TRAINING and "three runs each of all-cnn-c and base-cnn-c" in found.reason
