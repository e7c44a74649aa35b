"""The audit: verdicts can come out either way."""

import csv
from dataclasses import replace

import pytest

import reproductions
from reproductions import lecture
from reproductions.lab.analysis import claims
from reproductions.lab.analysis.claims import Claim, Evidence, audit
from reproductions.lab.analysis.published import DATA, FAILS, HOLDS, ROUNDED, TRAINING, Fact


def verdict(source: claims.Source, build=None) -> str:
    (result,) = audit([Claim("id", "quote", "60M", source, "slide")], Evidence(build))
    return result.verdict


def with_figures(folder, **changes: str):
    """Return a copy of the file of published figures with some of them changed."""
    with claims.FIGURES.open(encoding="utf-8") as lines:
        rows = {row["key"]: row for row in csv.DictReader(lines)}
    columns = list(next(iter(rows.values())))
    for key, value in changes.items():
        rows[key] = {**rows.get(key, dict.fromkeys(columns, "")), "key": key, "value": value}
    path = folder / "figures.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns)
        writer.writeheader()
        writer.writerows(rows.values())
    return path


def selected(*ids):
    return [claim for claim in lecture.CLAIMS if claim.id in ids]


def test_a_network_decides_either_way():
    def build(name):
        return reproductions.build({"small": "convnetjs-cifar10", "large": "alexnet"}[name])

    assert verdict(claims.total_quantity("large", "parameters"), build) == ROUNDED
    assert verdict(claims.total_quantity("small", "parameters"), build) == FAILS
    assert verdict(claims.total_quantity("large", "parameters")) == DATA


def test_a_published_figure_decides_either_way(tmp_path):
    chosen = selected("zfnet-winner", "zfnet-11.7", "vgg-11.7")
    assert [result.verdict for result in audit(chosen, Evidence())] == [FAILS] * 3
    figures = with_figures(tmp_path, **{"ilsvrc2013/Zeiler and Fergus": "11.69"})
    results = audit(chosen, Evidence(figures=figures))
    assert [result.verdict for result in results] == [HOLDS, ROUNDED, ROUNDED]
    assert not any(result.reason for result in results), "a reason is for a claim that does not hold"


def test_data_that_are_found_decide_a_claim(tmp_path):
    chosen = selected("lenet-checks")
    (before,) = audit(chosen, Evidence())
    assert before.verdict == DATA and "North American checks" in before.reason and not before.computed
    for share, answer in ("10.4", ROUNDED), ("20", FAILS):
        figures = with_figures(tmp_path, **{"lenet5/checks": share})
        assert audit(chosen, Evidence(figures=figures))[0].verdict == answer


def test_a_run_decides_what_needs_training():
    chosen = selected("all-cnn-effect")
    (before,) = audit(chosen, Evidence())
    assert before.verdict == TRAINING and before.reason.startswith("all_cnn: ")
    key = "all-cnn-c minus base-cnn-c"
    for fact, answer in (Fact(True, "0.1 points"), HOLDS), (Fact(False, "5 points"), FAILS):
        assert audit(chosen, Evidence(measured={key: fact}))[0].verdict == answer


def test_a_wrong_key_is_an_error_and_not_a_verdict():
    with pytest.raises(KeyError):
        audit([Claim("id", "quote", "1", claims.published("no such figure"), "slide")], Evidence())


def test_a_figure_that_is_not_a_number_is_an_error():
    with pytest.raises(TypeError, match="expected alexnet/venue to be a number, got 'NIPS 2012'"):
        Evidence().number("alexnet/venue")


def test_claims_of_a_study_keep_their_order():
    results = audit(lecture.CLAIMS, Evidence(), study="lenet5")
    assert [result.id for result in results] == [claim.id for claim in lecture.CLAIMS if claim.study == "lenet5"]


def test_networks_are_built_once():
    built = []

    def build(name):
        built.append(name)
        return reproductions.build(name)

    chosen = [claim for claim in lecture.CLAIMS if claim.study in ("zfnet", "convnetjs")]
    audit(chosen, Evidence(build))
    assert sorted(built) == ["alexnet", "convnetjs-cifar10", "zfnet", "zfnet-512"]


def test_a_changed_claim_does_not_hold():
    (claim,) = selected("vgg-stack-field")
    assert audit([claim], Evidence())[0].verdict == HOLDS
    assert audit([replace(claim, published="9")], Evidence())[0].verdict == FAILS
