"""The lecture's claims: complete, explained, and with the verdicts that follow from the networks."""

import csv
import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import reproductions
from reports.paths import COMPUTED
from reproductions import lecture
from reproductions.cli.claims import check_claims
from reproductions.lab.analysis import claims
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.analysis.claims import Evidence
from reproductions.lab.analysis.profile import profile_model, total, without_weights
from reproductions.lab.analysis.published import DATA, FAILS, HOLDS, ROUNDED, TRAINING, VERDICTS, judge, parse_number
from reproductions.lecture import numerical_checks
from reproductions.lecture.slides_googlenet import GOOGLENET_TABLE
from reproductions.lecture.slides_vgg import VGG16_LISTING


@pytest.fixture(scope="module")
def results():
    return {result["id"]: ClaimResult(**result) for result in check_claims()}


def test_every_verdict_is_one_of_five_with_its_reason(results):
    assert len(results) == len(lecture.CLAIMS) > 60, "ids must differ"
    assert {result.verdict for result in results.values()} == {HOLDS, ROUNDED, FAILS, TRAINING, DATA} == set(VERDICTS)
    for result in results.values():
        assert bool(result.reason) == (result.verdict not in (HOLDS, ROUNDED)), result
        assert bool(result.computed) == (result.verdict in (HOLDS, ROUNDED, FAILS)), result
        assert all((result.slide, result.quote, result.published, result.source)), result
        assert all(isinstance(value, str) for value in asdict(result).values())
    json.dumps([asdict(result) for result in results.values()])


def test_only_claims_that_fail_have_reasons(results):
    """Except for rows of GoogLeNet's table, which have one reason for two columns, and for what runs may refute."""
    failing = {id for id, result in results.items() if result.verdict == FAILS}
    by_runs = {claim.id for claim in lecture.CLAIMS if claim.source.description.startswith("measured: ")}
    explained = {claim.id for claim in lecture.CLAIMS if claim.reason} - (by_runs - failing)
    both = {
        "googlenet-3b-ops",
        "googlenet-4b-ops",
        "googlenet-4c-ops",
        "googlenet-4d-ops",
        "googlenet-4e-ops",
        "googlenet-5b-ops",
    }
    assert explained - failing == both
    assert failing <= explained


@pytest.mark.parametrize(
    ("id", "computed"),
    [
        ("vgg16-24m", "15,237,608"),
        ("vgg16-96mb", "60,950,432"),
        ("googlenet-4m", "6,998,552"),
        ("googlenet-conv1-params", "9408"),
        ("googlenet-5a-params", "1,042,432"),
        ("zfnet-11.7", "14.8"),
        ("zfnet-winner", "Clarifai"),
        ("alexnet-227", "224"),
        ("alexnet-units-counted", "659,272"),
        ("ilsvrc2012-1.2m", "1,281,167"),
        ("alexnet-first-relu", "Nair and Hinton"),
    ],
)
def test_false_statements_do_not_hold(results, id, computed):
    assert (results[id].verdict, results[id].computed) == (FAILS, computed)


@pytest.mark.parametrize(
    ("id", "computed"),
    [
        ("lenet-layers", "6: C1, S2, C3, S4, C5, F6"),
        ("lenet-maps", "6 in C1, 6 in S2, 16 in C3, 16 in S4, 120 in C5, replicated in 4 layers"),
        ("lenet-pooling", "2x2 of C1 in S2, 2x2 of C3 in S4"),
        ("pool-average", "18 windows, all equal"),
        ("pool-l2", "18 windows, all equal"),
        ("pool-switches", "8 switches, gradients of 32 inputs equal"),
        ("ilsvrc2012-overlap", "50% is enough, 49% is not"),
        ("alexnet-cores", "1,024 cores"),
    ],
)
def test_statements_without_a_number_hold(results, id, computed):
    assert (results[id].verdict, results[id].computed) == (HOLDS, computed)


def test_a_convolution_cannot_take_the_max(results):
    result = results["all-cnn-no-max"]
    off = float(re.search(r"up to (\d+\.\d+)", result.computed)[1])
    assert result.verdict == HOLDS and 0.1 < off < 10


def test_numerical_checks_can_fail(monkeypatch):
    """A pool that is not one, in place of Keras'."""
    from keras import ops

    checks = numerical_checks.average_pooling, numerical_checks.l2_norm_pooling, numerical_checks.switches
    strided = lambda x, *_: x[:, ::2, ::2]  # noqa: E731
    monkeypatch.setattr(ops, "average_pool", strided)
    monkeypatch.setattr(ops, "max_pool", strided)
    for check in (*checks, numerical_checks.no_true_max):
        assert not check(Evidence()).holds


def test_the_drawings_miss_pools_and_convolutions(results):
    for name in "alexnet", "vgg16", "vgg19":
        result = results[f"vgg-drawing-{name}"]
        assert result.verdict == FAILS
        assert result.computed.count("Pool") == {"alexnet": 3}.get(name, 5)
        assert result.published.count("Pool") == {"alexnet": 3}.get(name, 5)


def test_rounded_statements_hold(results):
    for id in (
        "alexnet-params-counted",
        "alexnet-35k",
        "vgg-81",
        "vgg16-138m",
        "alexnet-16",
        "lenet5-82",
        "alexnet-week",
        "imagenet-14m",
        "imagenet-20k",
        "vgg16-backward",
    ):
        assert results[id].verdict == ROUNDED, results[id]


def test_vgg16_s_rows_hold_and_their_total_does_not(results):
    columns = ("shape", "memory", "params")
    rows = [result for id, result in results.items() if id.rpartition("-")[2] in columns and "16-" in id]
    assert len(rows) == 3 * len(VGG16_LISTING)
    assert {result.verdict for result in rows} == {HOLDS, ROUNDED}
    published = sum(parse_number(memory).low for _, _, _, memory, _, _ in VGG16_LISTING)
    assert published == pytest.approx(15.2e6, rel=0.01)


def test_no_other_count_gives_googlenet_s_params():
    """3b's params would follow with biases, but then those of 3a and of the linear layer would not."""
    with without_weights():
        layers = profile_model(reproductions.build("googlenet"))
    explained = {name: reason for _, name, *_, reason in GOOGLENET_TABLE if reason}
    published = {name: params for _, name, _, _, _, _, params, _, _ in GOOGLENET_TABLE if params}
    for name, params in published.items():
        own = [layer for layer in layers if layer.name.startswith(name)]
        sums = [total(own, quantity) for quantity in ("weights", "parameters")]
        verdicts = {judge(params, count, kilo) for count in sums for kilo in (1000, 1024)}
        assert (verdicts == {FAILS}) == (name in explained and name != "inception_3b/"), (name, sums)
    assert sum(parse_number(params).low for params in published.values()) == pytest.approx(6.8e6, rel=0.005)


def test_claims_name_existing_studies():
    assert {claim.study for claim in lecture.CLAIMS} <= {"", *reproductions.studies()}


def test_every_published_figure_is_used_and_has_a_source():
    figures = Evidence().figures
    assert all(figure["source"] and figure["fact"] and figure["status"] for figure in figures.values())
    with claims.FIGURES.open(encoding="utf-8") as lines:
        assert len(list(csv.DictReader(lines))) == len(figures), "keys must differ"
    text = "".join(path.read_text(encoding="utf-8") for path in Path(lecture.__file__).parent.glob("*.py"))
    tables = ("ilsvrc2012/", "ilsvrc2013/", "ilsvrc2014/", "inception years/", "alexnet/")
    assert all(key in text or key.startswith(tables) for key in figures)


def test_claims_are_listed_without_numpy_or_keras():
    heavy = ("numpy", "keras", "tensorflow", "pandas")
    code = f"import sys; from reproductions import lecture; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_committed_claims_are_those_of_the_audit(results):
    committed = json.loads((COMPUTED / "claims.json").read_text(encoding="utf-8"))
    assert committed == [asdict(result) for result in results.values()]
