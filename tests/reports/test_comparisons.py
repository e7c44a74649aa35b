"""What papers say about networks compared with each other, and the sections on training set size."""

import re
from dataclasses import replace

from reports.paths import PUBLISHED
from reports.published import PublishedComparison, read_comparisons, read_figures
from reports.run_groups import groups_of
from reports.sections.comparisons import answers
from reports.sections.training_set_size import by_size, size_section
from tests.helpers.records import LECTURE, LENET5, STUDIES, as_runs, executed, lecture, made_up

ORDER = PublishedComparison("lenet5", "Two networks", ("lenet5", "lenet5-lecture"), None, "one better", "nowhere")
ONE_EACH = "One run each, without the spread over seeds."
SPEED = replace(ORDER, training_error=1.0)


def lenet5_with(recipe):
    """LeNet-5's study with another recipe of the lecture's network."""
    networks = (replace(n, recipe=recipe) if n.name == LECTURE.name else n for n in LENET5.networks)
    return replace(LENET5, networks=tuple(networks))


def found(published, *records, study=LENET5):
    return answers(published, groups_of(study, as_runs(*records)))


def test_every_comparison_is_of_networks_of_its_study():
    for row in read_comparisons(PUBLISHED):
        known = {network.name for network in STUDIES[row.study].networks}
        assert len(row.networks) > 1 and set(row.networks) <= known and row.published and row.place
        assert row.training_error is None or (row.training_error > 0 and len(row.networks) == 2)


def test_every_figure_in_a_comparison_is_of_its_networks():
    for row in read_comparisons(PUBLISHED):
        published = {each.published for each in read_figures(PUBLISHED, row.study) if each.network in row.networks}
        assert set(re.findall(r"[\d.]+%", row.published)) <= published, row.what


def test_the_order_is_the_paper_s_or_not():
    (answer,) = found(ORDER, made_up(90), made_up(100, 2), lecture(110), lecture(110, 2))
    assert answer.summary == (
        "lenet5 0.95 ± 0.07%, lenet5-lecture 1.10 ± 0.00%: the paper's order; the difference is not significant."
    )
    assert any("McNemar" in sentence for sentence in answer.sentences)
    (answer,) = found(ORDER, made_up(120), lecture(110))
    assert answer.summary == f"lenet5-lecture 1.10%, lenet5 1.20%: the order differs from the paper's. {ONE_EACH}"


def test_networks_are_compared_if_they_were_trained_alike():
    assert found(ORDER, made_up(90)) == []
    assert found(ORDER, made_up(90, epochs=3), lecture(110)) == []
    both = found(ORDER, made_up(90), lecture(110), made_up(300, epochs=3), lecture(290, epochs=3))
    assert [answer.changes for answer in both] == [[], ["epochs 3, not 20"]]
    assert both[0].summary.endswith(f"lenet5-lecture 1.10%: the paper's order. {ONE_EACH}")
    assert both[1].summary == (
        f"lenet5-lecture 2.90%, lenet5 3.00%: the order differs from the paper's. {ONE_EACH} "
        "Training error in the last epoch: lenet5 0.25%, lenet5-lecture 0.25%."
    ), "a shortened schedule may end before training does"


def test_unlike_recipes_are_alike_with_the_same_settings():
    study = lenet5_with(replace(LECTURE.recipe, epochs=40))
    records = [made_up(90, epochs=3), lecture(110, epochs=3), made_up(80), lecture(70, epochs=20)]
    (answer,) = found(ORDER, *records, study=study)
    changes = ["lenet5: epochs 3, not 20", "lenet5-lecture: epochs 3, not 40"]
    assert answer.summary.startswith("lenet5 0.90%") and answer.changes == changes


def test_unlike_recipes_are_alike_if_both_used_one_of_them():
    own = made_up(90)
    study = lenet5_with(replace(LENET5.networks[0].recipe, epochs=40))
    records = [own, *(replace(lecture(80), recipe={**own.recipe, "epochs": epochs}) for epochs in (20, 40, 3))]
    (answer,) = found(ORDER, *records[:2], study=study)
    assert answer.changes == ["lenet5-lecture: epochs 20, not 40"]
    both = found(ORDER, *records, study=study)
    assert sorted(len(answer.changes) for answer in both) == [0, 1], "each by its own, and both by the one's"


def test_the_order_of_training_errors_is_named():
    """With a shortened schedule it may explain the order of test errors."""
    slow = lecture(110, epochs=3)
    slow = replace(slow, history=[replace(row, error=2 * row.error) for row in slow.history])
    (answer,) = found(ORDER, made_up(90, epochs=3), slow)
    assert answer.summary.endswith(", the same order; the order may change with full training.")
    (answer,) = found(ORDER, made_up(120, epochs=3), slow)
    assert "the same order" not in answer.summary


def test_a_tie_is_not_the_paper_s_order():
    for names in (("lenet5", "lenet5-lecture"), ("lenet5-lecture", "lenet5")):
        (answer,) = found(replace(ORDER, networks=names), made_up(90), lecture(90))
        says = f": the order differs from the paper's; the difference is not significant. {ONE_EACH}"
        assert answer.summary.endswith(says)


def test_other_precisions_and_other_data_are_kept_apart():
    halved = {"precision": "mixed_bfloat16"}
    assert found(ORDER, made_up(90), executed(lecture(110), **halved)) == []
    (answer,) = found(ORDER, made_up(90), lecture(110), executed(made_up(200), **halved))
    assert answer.summary.startswith("lenet5 0.90%")
    subset = made_up(90, data="mnist-subset")
    assert found(ORDER, subset, replace(lecture(110), data=subset.data)) == []


def test_speed_is_in_epochs():
    slow = lecture(110)
    slow = replace(slow, history=[replace(row, error=15 / row.epoch) for row in slow.history])
    (answer,) = found(SPEED, made_up(90), slow)  # 5 / i and 15 / i percent after epoch i
    assert answer.summary == (
        "1% training error: reached by lenet5 after 5.0 epochs, by lenet5-lecture after 15.0, 3.0 times as many."
    )
    assert answer.sentences == [], "tests of test errors say nothing about speed"


# --- Training set size


def test_runs_on_parts_of_the_training_set_make_a_curve():
    small, whole = made_up(150, training_images=15000), made_up(90)
    other = made_up(200, training_images=15000, batch_size=64)
    records = [whole, other, small, made_up(130, 2, training_images=15000), lecture(99)]
    groups = groups_of(LENET5, as_runs(*records))
    (sized,) = by_size(groups)
    assert [group.first.training_images for group in sized] == [15000, 60000]
    section = size_section(groups)
    assert [row.measured for row in section.rows] == ["1.40 ± 0.14%", "0.90%"]
    assert list(section.chart.data) == ["lenet5"] and "15,000" in section.chart.alt


def test_one_size_makes_no_curve():
    other = made_up(200, training_images=15000, batch_size=64)
    for second in (other, made_up(95, data="mnist-subset")):
        assert size_section(groups_of(LENET5, as_runs(made_up(90), second))) is None
