"""Printed figures are answered by runs that were tested as they were: the same protocol, metric and images."""

from dataclasses import replace

import pandas
import pytest

import reproductions
from reports import run_groups
from reports.build import computed, published_figures
from reports.pages import render
from reproductions.lab.results import run_record
from reproductions.lab.spec import Network, Recipe, keras_object, recipe_changes
from tests.reports.test_report import FIGURES, LENET5, made_up

RECIPE = Recipe(
    dataset="imagenet",
    train_transforms=(),
    optimizer=keras_object("SGD"),
    loss=keras_object("SparseCategoricalCrossentropy"),
    learning_rate=((1, 0.1),),
    batch_size=256,
    epochs=20,
    protocol="1 crop",
)
GOOGLENET = replace(
    reproductions.find_study("googlenet"), networks=(Network("googlenet", lambda: None, RECIPE),)
)  # its recipe made up
PRINTED = published_figures("googlenet")


def figures(protocol: str, error: float, top5: float, images: int = 50000) -> dict:
    """The figures of a test with these errors, in percent; of no run."""
    wrong = {"": round(error * images / 100), "top5_": round(top5 * images / 100)}
    told = {"protocol": protocol, "images": images, "per_class": [images // 1000] * 1000}
    for start, errors in wrong.items():
        interval = list(run_groups.wilson_interval(errors, images))
        told |= {f"{start}errors": errors, f"{start}error": 100 * errors / images, f"{start}interval": interval}
    return told


def run(test: dict, *tests: dict, seed: int = 1, **changes) -> run_record.Record:
    told = replace(
        made_up(0), study="googlenet", network="googlenet", recipe={**RECIPE.as_data(), **changes}, seed=seed
    )
    return replace(
        told,
        data={**told.data, "name": "imagenet", "test": 50000},
        test=test,
        tests={each["protocol"]: each for each in tests},
    )


def rows(*records: run_record.Record, study=GOOGLENET, published=PRINTED) -> pandas.DataFrame:
    return run_groups.result_table(study, published, records).set_index("label")


def test_a_figure_is_held_against_the_test_by_its_own_protocol_and_metric():
    found = rows(run(figures("1 crop", 30.0, 10.2), figures("144 crops", 28.0, 9.0)))
    one, all_crops = found.loc["One network, 1 crop, top-5"], found.loc["One network, 144 crops, top-5"]
    assert (one["printed"], one["measured"], one["verdict"]) == ("10.07%", "10.20%", "reproduced")
    assert (all_crops["printed"], all_crops["measured"], all_crops["verdict"]) == ("7.89%", "9.00%", "not reached")


def test_a_figure_by_another_protocol_is_not_held_against_a_run_and_no_number_stands_beside_it():
    found = rows(run(figures("1 crop", 30.0, 9.0), figures("144 crops", 28.0, 7.9)))
    ten = found.loc["One network, 10 crops, top-5"]
    assert ten["verdict"] == "not comparable: tested by 1 crop; 144 crops"
    assert ten["measured"] == ten["interval"] == ""


def test_what_was_measured_and_never_printed_is_told_once():
    found = rows(run(figures("1 crop", 30.0, 10.0), figures("ten crops", 28.0, 9.0)))
    nothing = found[found["verdict"] == "nothing printed"]
    assert list(nothing.index) == [
        "googlenet, top-1, 1 crop",
        "googlenet, top-1, ten crops",
        "googlenet, top-5, ten crops",
    ]
    assert list(nothing["measured"]) == ["30.00%", "28.00%", "9.00%"]


def test_figures_on_other_images_are_not_answered():
    found = rows(run(figures("144 crops", 28.0, 7.9), figures("144 crops, non-blacklisted", 27.8, 7.8, 48238)))
    on_test = PRINTED[PRINTED["split"] == "test"]
    assert len(on_test) and set(rows(published=on_test.assign(network="googlenet"))["verdict"]) == {"not run"}
    ours = on_test.assign(network="googlenet")
    assert rows(run(figures("144 crops", 28.0, 7.9)), published=ours).iloc[0]["verdict"] == "not run"
    assert found.loc["One network, 144 crops, top-5"]["measured"] == "7.90%"
    assert found.loc["googlenet, top-5, 144 crops, non-blacklisted"]["measured"] == "7.80%"


def test_only_what_all_seeds_were_tested_by_is_averaged():
    first = run(figures("1 crop", 30.0, 10.0), figures("144 crops", 28.0, 7.0))
    second = run(figures("1 crop", 31.0, 11.0), seed=2)
    found = rows(first, second)
    assert found.loc["One network, 1 crop, top-5"]["measured"] == "10.50 ± 0.71%"
    assert found.loc["One network, 144 crops, top-5"]["verdict"] == "not comparable: tested by 1 crop"
    third = run(figures("144 crops", 29.0, 8.0), figures("1 crop", 30.0, 10.0), seed=2, protocol="144 crops")
    verdicts = set(rows(first, third)["verdict"])
    assert "not comparable: another recipe: protocol 144 crops, not 1 crop" in verdicts


def test_records_older_than_recipes_that_name_a_protocol_are_of_whole_images():
    old = made_up(95)
    plain = {
        name: value for name, value in old.recipe.items() if name not in recipe_changes.DEFAULTS or name == "splits"
    }
    assert "protocol" not in plain and "protocol" in old.recipe
    older = replace(old, recipe={**plain, "kernel_initializer": old.recipe["kernel_initializer"]}, seed=2)
    (runs,) = run_groups.runs_of(LENET5, [old, older])
    assert runs.comparable and runs.protocols == ["whole image"]
    assert rows(old, study=LENET5, published=FIGURES).loc["LeNet-5"]["verdict"] == "reproduced"


def test_a_run_on_whole_images_does_not_answer_figures_of_random_views():
    other = FIGURES.assign(protocol="six random views")
    found = rows(made_up(95), study=LENET5, published=other)
    assert found.loc["LeNet-5"]["verdict"] == "not comparable: tested by whole image"
    assert found.loc["lenet5"]["verdict"] == "nothing printed"


def test_pages_tell_every_test_and_leave_out_matrices_that_nobody_could_read():
    told = run(figures("1 crop", 30.0, 10.0), figures("144 crops", 28.0, 7.9))
    studies = {**reproductions.studies(), "googlenet": GOOGLENET}
    published = {name: published_figures(name) for name in studies}
    page = render(studies, published, [told, made_up(95)], computed())["googlenet.md"]
    assert "| 1 | 144 crops | top-5 | 7.90% |" in page and "| 1 | 1 crop | top-1 | 30.00% |" in page
    assert "Test images by class" not in page
    assert run_groups.confusion(run_groups.runs_of(LENET5, [made_up(95)])[0]) is not None


def test_the_headline_is_of_the_test_at_the_end_of_training():
    (runs,) = run_groups.runs_of(LENET5, [made_up(95)])
    assert run_groups.headline(runs, FIGURES) == "lenet5 on mnist: measured 0.95% (1 run(s)), printed 0.95%: reproduced"
    (runs,) = run_groups.runs_of(GOOGLENET, [run(figures("1 crop", 30.0, 10.0))])
    says = "googlenet on imagenet (top-1, 1 crop): measured 30.00% (1 run(s)), nothing printed"
    assert run_groups.headline(runs, PRINTED) == says


def test_a_record_with_half_a_test_is_refused(tmp_path):
    told = run(figures("1 crop", 30.0, 10.0), {"protocol": "144 crops", "errors": 1})
    told.write(tmp_path / "a.json")
    with pytest.raises(reproductions.UsageError, match="the test by '144 crops' lacks images"):
        run_record.read(tmp_path / "a.json")
    whole = run(figures("1 crop", 30.0, 10.0)).tested(figures("144 crops", 28.0, 7.9))
    whole.write(tmp_path / "a.json")
    assert run_record.read(tmp_path / "a.json") == whole
