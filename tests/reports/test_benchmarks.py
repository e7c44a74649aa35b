"""The page of measured ratios: by network, along curves, one by one, and which aims are missed."""

from dataclasses import replace

from reports.pages import render
from reports.sections.benchmarks import benchmark_section, format_ratio
from reports.sources import Sources
from tests.helpers.ratios import ONE

STEPS = replace(ONE, name="Steps", what="Rate of steps", better="higher", note="Gradients are slow.")


def of_network(network, ratio, what=STEPS.what):
    return replace(STEPS, name=f"{what} of {network}", what=what, network=network, ratio=ratio, aim=None)


def test_each_network_has_one_row_and_each_quantity_one_column():
    inference = of_network("vgg-d", 0.6, what="Rate of inference")
    section = benchmark_section([of_network("vgg-d", 0.5), of_network("alexnet", 0.4), inference, ONE])
    assert [column.what for column in section.networks.columns] == ["Rate of inference", "Rate of steps"]
    rows = [(name, [row and row.ratio for row in ratios]) for name, ratios in section.networks.rows]
    assert rows == [("alexnet", [None, 0.4]), ("vgg-d", [0.6, 0.5])]
    assert section.others == [ONE]


def test_curves_are_ordered_by_value_not_by_name():
    points = [replace(ONE, name=f"batch size {size}", along="batch size", at=size) for size in (16, 2, 8)]
    (curve,) = benchmark_section(points).curves
    assert [point.at for point in curve.points] == [2, 8, 16] and curve.along == "batch size"
    assert benchmark_section([ONE]).curves == []


def test_a_cause_is_given_once_for_all_aims_that_it_misses():
    section = benchmark_section([ONE, replace(ONE, name="reached", ratio=0.45), STEPS, replace(STEPS, name="Z", aim=2)])
    assert section.missed == [("It computes powers.", ["LRN"]), ("Gradients are slow.", ["Z"])]


def test_machines_are_listed_once_with_whether_they_were_quiet():
    busy = replace(ONE, machine=replace(ONE.machine, quiet=False))
    assert benchmark_section([ONE, STEPS, busy]).machines == [
        "some processor, 2 cores: python 3.11.7",
        "some processor, 2 cores, with other work: python 3.11.7",
    ]


def test_a_range_stays_on_its_line():
    assert format_ratio(ONE) == "0.50 (0.40 to 0.60)".replace(" ", "\N{NO-BREAK SPACE}")


def test_the_page_has_every_ratio():
    point = replace(ONE, name="P", along="batch size", at=2, ratio=0.43)
    network = replace(of_network("vgg-d", 0.57), batch_size=8)
    nothing = {"studies": {}, "figures": {}, "runs": [], "tables": {}, "claims": []}
    page = render(Sources(**nothing, benchmarks=[ONE, point, network])).texts["benchmarks.md"]
    for line in (
        "| Time of a layer | 0.50 (0.40 to 0.60) | another | lower | 0.45 |",
        "| vgg-d | 0.57 (0.40 to 0.60), 8 images |",
        "- Rate of steps: compared with another; higher is better.",
        "- LRN: It computes powers.",
        "| batch size | 2 |",
        "| ratio | 0.43 |",
    ):
        assert line in page.replace("\N{NO-BREAK SPACE}", " ").splitlines()
