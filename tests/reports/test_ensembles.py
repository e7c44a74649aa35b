"""Ensembles on pages: which of them answer published figures, and their own table."""

from dataclasses import replace

import pytest

from reports.ensembles import ensemble_rows, measured_ensembles, read_ensembles
from reports.paths import ENSEMBLES, PUBLISHED
from reports.published import read_figures
from reports.sections.results import ResultRow, result_rows
from reproductions.lab.errors import UsageError
from reproductions.lab.results.ensemble_record import EnsembleRecord, Member
from reproductions.lab.results.entries import ErrorRate, EvaluationResult
from tests.helpers.pages import pages
from tests.helpers.records import STUDIES, ensemble, executed, made_up, member, result

ALEXNET = read_figures(PUBLISHED, "alexnet")
INCEPTION = read_figures(PUBLISHED, "inception_v3")


def on_imagenet(top1: float, top5: float, protocol: str = "ten crops", images: int = 50000) -> EvaluationResult:
    """A test on ImageNet with these errors, in percent."""
    made = result(round(top1 * images / 100), images, protocol, classes=1000)
    return replace(made, top5=ErrorRate.of(round(top5 * images / 100), images))


def big(seed: int, network: str = "alexnet", images: int = 50000, **changes) -> Member:
    made = member(images // 2, seed, network, images, **changes)
    return replace(made, top5=ErrorRate.of(images // 4, images))


def rows(record: EnsembleRecord, figures=ALEXNET) -> dict[str, ResultRow]:
    return {row.label: row for row in result_rows(figures, [], measured_ensembles(STUDIES, [record]))}


FIVE = [big(seed) for seed in range(1, 6)]


def test_five_networks_answer_the_figure_of_five():
    found = rows(ensemble(on_imagenet(38.0, 16.5), *FIVE, data="imagenet"))
    top1 = found["Five networks, top-1"]
    assert (top1.published, top1.measured, top1.difference) == ("38.1%", "38.00%", "-0.10")
    assert (top1.verdict, top1.runs, top1.confidence) == ("one ensemble", 5, "")
    assert found["Five networks, top-5, validation of imagenet-2012"].difference == "+0.10"
    assert found["Five networks, top-5, test of imagenet-2012"].verdict.startswith("out of scope")
    assert found["AlexNet, top-1"].verdict == "not run"


@pytest.mark.parametrize(
    "test, members",
    [
        (on_imagenet(38, 16), FIVE[:4]),
        (on_imagenet(38, 16), [*FIVE[:4], big(1, "zfnet")]),
        (on_imagenet(38, 16, "centre crop"), FIVE),
    ],
)
def test_other_networks_or_protocols_do_not_answer_it(test, members):
    found = rows(ensemble(test, *members, data="imagenet"))
    assert {row.verdict for label, row in found.items() if "Five" in label and " test " not in label} == {"not run"}


@pytest.mark.parametrize(
    "members, data, why",
    [
        ([*FIVE[:4], big(5, epochs=3)], "imagenet", "alexnet seed 5 has another recipe: epochs 3, not 90"),
        ([*FIVE[:4], replace(FIVE[0], weights="others")], "imagenet", "alexnet seed 1 is in it 2 times"),
        (FIVE, "imagenet-altered", "the data are imagenet-altered"),
    ],
)
def test_only_own_recipes_with_different_seeds_count(members, data, why):
    record = ensemble(on_imagenet(38, 16), *members, data=data)
    row = rows(record)["Five networks, top-1"]
    assert (row.verdict, row.measured, row.difference) == (f"not comparable: {why}", "", "")
    listed = ensemble_rows(measured_ensembles(STUDIES, [record]), "alexnet")
    assert [each.comparable for each in listed] == [f"no: {why}"] * 2 and listed[0].measured == "38.00%"


def test_members_normalize_as_many_images_as_the_recipe_says():
    test = on_imagenet(17, 4, "144 crops, non-blacklisted", 48238)
    four = [big(seed, "inception-v3", 48238) for seed in range(1, 5)]
    label = "Four networks, 144 crops, top-1"
    assert rows(ensemble(test, *four, data="imagenet-originals"), INCEPTION)[label].measured == "17.00%"
    four[2] = executed(four[2], forward_batch_size=16)
    verdict = rows(ensemble(test, *four, data="imagenet-originals"), INCEPTION)[label].verdict
    assert verdict == "not comparable: in inception-v3 seed 3, batch normalization saw other numbers of images"


def test_a_network_that_does_not_exist_is_named(tmp_path):
    record = ensemble(result(9), member(9), replace(member(9, 2), network="lenet7"))
    with pytest.raises(UsageError, match=r"'lenet7' is not a network \(in the record of the ensemble lenet5 \+ lenet7"):
        measured_ensembles(STUDIES, [record])
    record.write(tmp_path / "a.json")
    with pytest.raises(UsageError, match=rf"'lenet7' is not a network \(in {tmp_path}/a\.json\)"):
        read_ensembles(tmp_path, STUDIES)
    assert read_ensembles(tmp_path / "none", STUDIES) == []


def test_the_page_lists_ensembles_with_the_mean_of_their_members():
    record = ensemble(result(80), member(90), member(94, 2), member(100, 3))
    made = pages([made_up(90)], ensembles=[record])
    line = "| lenet5, seeds 1, 2 and 3 | 0.80% | 0.64 to 0.99 | error | 0.95% | yes |"
    assert line in made.texts["lenet5.md"] and "## Ensembles" not in made.texts["alexnet.md"]
    assert "## Ensembles" not in pages([made_up(90)], ensembles=[]).texts["lenet5.md"]


def test_committed_ensembles_are_of_committed_code():
    for record in read_ensembles(ENSEMBLES, STUDIES):
        assert all(each.commit and each.dirty is False for each in record.members), record.name
