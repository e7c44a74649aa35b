"""The result tables: which runs answer which published figures, and with which verdict."""

from dataclasses import replace

import pytest

import reproductions
from reports.paths import PUBLISHED
from reports.published import TEST_IMAGES, Figure, read_figures
from reports.run_groups import groups_of
from reports.sections.results import ResultRow, comparison, headline, other_recipes, result_rows, signed
from reports.sections.run_details import confusion, published_mistakes
from reproductions.lab.errors import UsageError
from reproductions.lab.results.ensemble_record import parse_networks
from reproductions.lab.results.entries import ErrorRate, EvaluationResult
from reproductions.lab.results.run_record import Record
from reproductions.lab.results.verdict import verdict
from reproductions.lab.spec import Network, Recipe, keras_object, recipe_changes
from tests.helpers.records import LENET5, STUDIES, as_runs, executed, lecture, made_up, result

FIGURES = read_figures(PUBLISHED, "lenet5")


def rows(*records: Record, study=LENET5, figures=FIGURES) -> dict[str, ResultRow]:
    return {row.label: row for row in result_rows(figures, groups_of(study, as_runs(*records)))}


def test_the_verdict_is_that_of_the_rule():
    for errors in ([90, 95, 100], [100, 104, 109, 103], [140, 141, 142], [50, 51, 52], [95], [95, 96]):
        row = rows(*(made_up(each, seed) for seed, each in enumerate(errors)))["LeNet-5"]
        figure = next(figure for figure in FIGURES if figure.label == "LeNet-5")
        assert row.verdict == verdict(figure.value, [each / 100 for each in errors])
        assert row.difference == f"{sum(errors) / len(errors) / 100 - 0.95:+.2f}"


def test_seeds_make_a_mean_and_intervals():
    row = rows(made_up(100, 2), made_up(90, 1), made_up(110, 3))["LeNet-5"]
    assert (row.measured, row.runs, row.schedule) == ("1.00 ± 0.10%", 3, "60,000 images, 20 epochs")
    assert (row.confidence, row.prediction) == ("0.75 to 1.25", "0.50 to 1.50")


def test_figures_without_runs_say_why():
    found = rows()
    assert found["LeNet-5"].verdict == "not run"
    assert found["Human readers"].verdict == "out of scope"


def test_figures_that_need_other_data_are_out_of_scope():
    found = rows(study=STUDIES["alexnet"], figures=read_figures(PUBLISHED, "alexnet"))
    reasons = {label: row.verdict for label, row in found.items() if "2010" in label}
    assert len(reasons) == 4 and set(reasons.values()) == {"out of scope: ILSVRC-2010"}
    assert found["One network, pre-trained on Fall 2011, top-1"].verdict == "out of scope: ImageNet Fall 2011"
    assert found["AlexNet, top-1"].verdict == "not run"


@pytest.mark.parametrize("data", ["mnist-subset", "mnist-altered"])
def test_other_data_are_not_comparable(data):
    row = rows(made_up(95, data=data))["LeNet-5"]
    assert (row.verdict, row.foreign) == (f"not comparable: the data are {data}", data)


def test_runs_by_other_recipes_have_a_table_of_their_own():
    records = [made_up(95, epochs=2), made_up(96, splits=["train"]), made_up(97, batch_size=512, data="mnist-subset")]
    assert rows(*records)["LeNet-5"].verdict == "not run"
    found = other_recipes(groups_of(LENET5, as_runs(made_up(94), *records)))
    assert sorted("; ".join(row.changes) for row in found) == [
        "batch size 512, not 32",
        "epochs 2, not 20",
        "splits train, not train and validation",
    ]


def test_another_precision_is_another_recipe():
    half = executed(made_up(96), precision="mixed_bfloat16")
    assert rows(half)["LeNet-5"].verdict == "not run"
    (row,) = other_recipes(groups_of(LENET5, as_runs(made_up(94), half)))
    assert row.changes == ["precision mixed_bfloat16, not float32"]


def test_whitened_images_answer_figures_of_the_plain_set():
    study, figures = STUDIES["all_cnn"], read_figures(PUBLISHED, "all_cnn")
    own = study.networks[0]
    assert own.name == "all-cnn-c"

    def row(data: str) -> ResultRow:
        made = replace(made_up(930, data=data), study="all_cnn", network=own.name, recipe=own.to_train().as_data())
        (found,) = [row for row in rows(made, study=study, figures=figures).values() if row.runs]
        return found

    assert row("cifar10-whitened").published == "9.08%" and row("cifar10-whitened").verdict == "one run"
    assert row("cifar10-altered-whitened").verdict.startswith("not comparable")


def test_labels_tell_figures_apart_and_doubts_are_named():
    found = rows(study=STUDIES["all_cnn"], figures=read_figures(PUBLISHED, "all_cnn"))
    assert found["ALL-CNN-C, test of cifar10"].published == "9.08%"
    assert found["ALL-CNN-C, test of cifar100"].published == "33.71%"
    assert found["ALL-CNN with heavy augmentation"].published == "4.41% (unconfirmed)"


def test_a_figure_of_a_sample_shows_its_interval():
    figure = read_figures(PUBLISHED, "convnetjs")[0]
    assert figure.images == 1000 and figure.text.endswith("(17.6 to 22.6% for 1,000 images)")


def test_the_confusion_matrix_counts_every_test_image_once():
    (group,) = groups_of(LENET5, as_runs(made_up(95, 1), made_up(105, 2)))
    matrix = confusion(group)
    assert sum(map(sum, matrix)) == 20000
    assert sum(matrix[i][i] for i in range(10)) == 20000 - 200


def test_published_mistakes_are_beside_those_of_their_network():
    (quoted,) = [figure for figure in FIGURES if figure.mistakes]
    recipes = {network.name: network.to_train().as_data() for network in LENET5.networks}
    own = replace(made_up(12), network=quoted.network, recipe=recipes[quoted.network])
    (found,) = published_mistakes(groups_of(LENET5, as_runs(own))[0], FIGURES)
    assert found.count == sum(map(sum, found.matrix)) == 72  # of 82: the first row of the slide is not text
    assert found.matrix[9][4] == quoted.mistakes.split().count("9->4") == 8
    for another in (made_up(12), replace(own, recipe={**own.recipe, "training_images": 15000})):
        assert published_mistakes(groups_of(LENET5, as_runs(another))[0], FIGURES) == []


def test_records_that_do_not_belong_together_are_refused():
    with pytest.raises(UsageError, match="are of the same run, seed 1: keep one of them"):
        groups_of(LENET5, as_runs(made_up(90), made_up(90)))
    with pytest.raises(UsageError, match=r"'lenet7' is not a .*lenet5"):
        groups_of(LENET5, as_runs(replace(made_up(90), network="lenet7")))


def test_records_older_than_a_setting_have_its_default():
    old = made_up(95)
    plain = {
        name: value for name, value in old.recipe.items() if name not in recipe_changes.DEFAULTS or name == "splits"
    }
    assert "protocol" not in plain and "protocol" in old.recipe
    older = replace(old, recipe={**plain, "kernel_initializer": old.recipe["kernel_initializer"]}, seed=2)
    (group,) = groups_of(LENET5, as_runs(old, older))
    assert group.comparable and len(group.runs) == 2


def test_every_published_network_is_one_of_the_suite():
    for name, study in STUDIES.items():
        known = {model.name for model in study.models} | {""}
        assert {figure.network for figure in read_figures(PUBLISHED, name)} <= known


def test_every_averaged_network_is_one_of_the_suite():
    """And its test images are those of the figure, so that "not run" is not said of what cannot be run."""
    datasets = {network.name: network.to_train().dataset for study in STUDIES.values() for network in study.networks}
    figures = [figure for name in STUDIES for figure in read_figures(PUBLISHED, name) if figure.ensemble]
    assert len(figures) >= 10
    for figure in figures:
        assert not figure.network and not figure.out_of_scope
        for name in parse_networks(figure.ensemble):
            assert figure.is_on_test_images_of(datasets[name]), figure.label


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_of_a_network_can_be_reproduced(name):
    """It is on the network's own test images, so that "not run" is not said of what cannot be run."""
    datasets = {model.name: model.to_train().dataset for model in STUDIES[name].models}
    for figure in read_figures(PUBLISHED, name):
        if figure.network:
            dataset = datasets[figure.network]
            assert (figure.dataset, figure.split) == TEST_IMAGES.get(dataset, (dataset, "test")), figure.label
            assert not figure.out_of_scope


# --- Protocols and metrics

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
PUBLISHED_FIGURES = read_figures(PUBLISHED, "googlenet")


def evaluated(protocol: str, top1: float, top5: float, images: int = 50000) -> EvaluationResult:
    """A test with these errors, in percent; of no run."""
    made = result(round(top1 * images / 100), images, protocol, classes=1000)
    return replace(made, top5=ErrorRate.of(round(top5 * images / 100), images))


def run(test: EvaluationResult, *tests: EvaluationResult, seed: int = 1, **changes) -> Record:
    record = made_up(0, seed)
    return replace(
        record,
        study="googlenet",
        network="googlenet",
        recipe={**RECIPE.as_data(), **changes},
        data=replace(record.data, name="imagenet", test=50000),
        test=test,
        tests={each.protocol: each for each in tests},
    )


def googlenet(*records: Record, figures: list[Figure] = PUBLISHED_FIGURES) -> dict[str, ResultRow]:
    return rows(*records, study=GOOGLENET, figures=figures)


def test_a_figure_is_answered_by_its_protocol_and_metric():
    found = googlenet(run(evaluated("1 crop", 30.0, 10.2), evaluated("144 crops", 28.0, 9.0)))
    one, many = found["One network, 1 crop, top-5"], found["One network, 144 crops, top-5"]
    assert (one.published, one.measured, one.difference) == ("10.07%", "10.20%", "+0.13")
    assert (many.published, many.measured, many.difference) == ("7.89%", "9.00%", "+1.11")


def test_another_protocol_does_not_answer_a_figure():
    found = googlenet(run(evaluated("1 crop", 30.0, 9.0), evaluated("144 crops", 28.0, 7.9)))
    ten = found["One network, 10 crops, top-5"]
    assert ten.verdict == "not comparable: tested by 1 crop; 144 crops"
    assert ten.measured == ten.confidence == ten.difference == ""
    other = [replace(figure, protocol="six random views") for figure in FIGURES]
    found = rows(made_up(95), figures=other)
    assert found["LeNet-5"].verdict == "not comparable: tested by whole image"
    assert found["lenet5"].verdict == "nothing published"


def test_what_has_no_published_figure_has_a_row():
    found = googlenet(run(evaluated("1 crop", 30.0, 10.0), evaluated("ten crops", 28.0, 9.0)))
    nothing = {label: row.measured for label, row in found.items() if row.verdict == "nothing published"}
    assert nothing == {
        "googlenet, top-1, 1 crop": "30.00%",
        "googlenet, top-1, ten crops": "28.00%",
        "googlenet, top-5, ten crops": "9.00%",
    }


def test_figures_on_other_images_are_not_answered():
    both = evaluated("144 crops", 28.0, 7.9), evaluated("144 crops, non-blacklisted", 27.8, 7.8, 48238)
    found = googlenet(run(*both))
    ours = [replace(figure, network="googlenet") for figure in PUBLISHED_FIGURES if figure.split == "test"]
    assert ours and {row.verdict for row in googlenet(figures=ours).values()} == {"not run"}
    answered = googlenet(run(both[0]), figures=ours)
    assert next(iter(answered.values())).verdict == "not run"
    assert found["One network, 144 crops, top-5"].measured == "7.90%"
    assert found["googlenet, top-5, 144 crops, non-blacklisted"].measured == "7.80%"


def test_only_protocols_of_all_seeds_are_averaged():
    first = run(evaluated("1 crop", 30.0, 10.0), evaluated("144 crops", 28.0, 7.0))
    second = run(evaluated("1 crop", 31.0, 11.0), seed=2)
    found = googlenet(first, second)
    assert found["One network, 1 crop, top-5"].measured == "10.50 ± 0.71%"
    assert found["One network, 144 crops, top-5"].verdict == "not comparable: tested by 1 crop"


def test_other_normalization_batches_are_not_comparable():
    micro = replace(RECIPE, micro_batch_size=32)
    study = replace(GOOGLENET, networks=(Network("googlenet", lambda: None, micro),))
    for images, comparable in ((32, True), (16, False)):
        record = executed(run(evaluated("1 crop", 30.0, 10.0), micro_batch_size=32), forward_batch_size=images)
        (group,) = groups_of(study, as_runs(record))
        assert group.comparable == comparable


def test_one_run_is_compared_with_its_figure():
    (group,) = groups_of(LENET5, as_runs(made_up(110)))
    assert comparison(group, FIGURES) == "published 0.95%, difference +0.15 points: one run"
    shorter = made_up(110)
    (group,) = groups_of(LENET5, as_runs(replace(shorter, recipe={**shorter.recipe, "epochs": 3})))
    changed = "published 0.95%: not comparable, by another recipe: epochs 3, not 20"
    assert comparison(group, FIGURES) == changed
    record = made_up(95)
    subset = replace(record, data=replace(record.data, name="mnist-subset"))
    (group,) = groups_of(LENET5, as_runs(subset))
    assert comparison(group, FIGURES) == "published 0.95%: not comparable: the data are mnist-subset"
    (group,) = groups_of(GOOGLENET, as_runs(run(evaluated("1 crop", 30.0, 10.0))))
    assert comparison(group, PUBLISHED_FIGURES) == "no published figure"


def test_the_headline_is_of_the_test_after_training():
    (group,) = groups_of(LENET5, as_runs(made_up(95)))
    assert headline(group, FIGURES) == "lenet5 on mnist: measured 0.95% (1 run), published 0.95%: one run"
    (group,) = groups_of(LENET5, as_runs(lecture(95, epochs=3)))
    assert headline(group, FIGURES).endswith("(1 run), by another recipe: epochs 3, not 20")
    (group,) = groups_of(GOOGLENET, as_runs(run(evaluated("1 crop", 30.0, 10.0))))
    says = "googlenet on imagenet (top-1, 1 crop): measured 30.00% (1 run), no published figure"
    assert headline(group, PUBLISHED_FIGURES) == says


def test_a_difference_that_rounds_to_zero_has_no_minus():
    assert [signed(points) for points in (-0.001, -0.02, 0.0, 1.0)] == ["+0.00", "-0.02", "+0.00", "+1.00"]
