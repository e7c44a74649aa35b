"""The page of measured ratios: by network, along curves, one by one, and which aims are missed."""

from dataclasses import replace

from reports.sections.benchmarks import benchmark_section
from tests.helpers.ratios import ONE

STEPS = replace(ONE, name="Steps", what="Rate of steps", better="higher", note="Gradients are slow.")


def of_network(network, ratio, what=STEPS.what):
    return replace(STEPS, name=f"{what} of {network}", what=what, network=network, ratio=ratio, aim=None)


def test_each_network_has_one_row_and_each_quantity_one_column():
    inference = of_network("vgg-d", 0.6, what="Rate of inference")
    section = benchmark_section([of_network("vgg-d", 0.5), of_network("alexnet", 0.4), inference, ONE])
    assert [column.what for column in section.networks.columns] == ["Rate of steps", "Rate of inference"]
    rows = [(name, [row and row.ratio for row in ratios]) for name, ratios in section.networks.rows]
    assert rows == [("alexnet", [0.4, None]), ("vgg-d", [0.5, 0.6])]
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
