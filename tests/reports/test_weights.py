"""Published weights on pages: a table of their own, beside the publisher's figures."""

from dataclasses import replace

import pytest

from reports.paths import WEIGHTS
from reports.weights import check_networks, weights_rows
from reproductions.lab.errors import UsageError
from reproductions.lab.results import weights_record
from reproductions.lab.results.entries import ErrorRate
from reproductions.lab.spec.provenance import Provenance
from tests.helpers.pages import pages
from tests.helpers.records import STUDIES, made_up, published_weights, result

GOOGLENET = Provenance("googlenet-quick", "bvlc", "BVLC", "bvlc_googlenet.caffemodel", "d" * 64)
VIEWS = "six random views"


def googlenet(protocol: str):
    test = replace(result(15500, 50000, protocol, 1000), top5=ErrorRate.of(5600, 50000))
    data = replace(published_weights(test).data, name="imagenet-originals", test=50000)
    return published_weights(test, study="googlenet", network="googlenet-quick", weights=GOOGLENET, data=data)


def test_a_figure_is_of_its_metric_and_protocol():
    top1, top5 = weights_rows([googlenet("centre crop")], "googlenet")
    assert (top1.published, top1.measured, top1.difference) == ("31.3%", "31.00%", "-0.30")
    assert (top5.published, top5.measured, top5.difference) == ("11.1%", "11.20%", "+0.10")
    for row in weights_rows([googlenet("144 crops")], "googlenet"):
        assert (row.published, row.difference, row.images) == ("", "", 50000)


def test_a_figure_of_a_part_shows_its_interval():
    (row,) = weights_rows([published_weights(result(2140, protocol=VIEWS))], "convnetjs")
    assert (row.published, row.difference) == ("20.0% (17.6 to 22.6% for 1,000 images)", "+1.40")


def test_weights_without_a_known_preset_have_no_figure():
    record = googlenet("centre crop")
    unknown = replace(record, weights=replace(GOOGLENET, preset="others"))
    assert {row.published for row in weights_rows([unknown], "googlenet")} == {""}


def test_samples_are_in_no_table():
    record = replace(googlenet("centre crop"), sample=True)
    assert weights_rows([record], "googlenet") == []
    assert "Tested here:" not in pages([made_up(90)], weights=[record]).texts["googlenet.md"]


def test_they_are_not_among_the_runs():
    record = published_weights(result(2427))
    made = pages([made_up(90)], weights=[record])
    line = "| convnetjs-cifar10 | 24.27% | - | - | 23.44 to 25.12 | error | Andrej Karpathy | net.json | 10,000 |"
    assert line in made.texts["convnetjs.md"] and "24.27" not in made.texts["index.md"]
    without = pages([made_up(90)], weights=[])
    assert "Tested here:" not in without.texts["convnetjs.md"]
    assert (made.headlines, made.summary) == (without.headlines, without.summary)
    assert made.texts["googlenet.md"] == without.texts["googlenet.md"]


def test_a_network_of_another_paper_is_refused():
    with pytest.raises(UsageError, match=r"\(in a record of Andrej Karpathy's weights\)"):
        check_networks(STUDIES, [published_weights(result(3), study="lenet5")])


def test_committed_records_are_of_committed_code():
    for record in weights_record.read_all(WEIGHTS):
        assert record.commit and record.dirty is False and not record.sample, record.subject
