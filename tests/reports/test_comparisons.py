"""What papers say of networks held against each other, and searches for settings, on the pages."""

import json
import re
from dataclasses import replace

import pytest

from reports.build import computed, published_comparisons, published_figures
from reports.pages import render, templates
from reports.run_groups import result_table, runs_of
from reports.sections import training_set_size, tuning
from reports.sections.comparisons import compared
from reproductions.lab.errors import UsageError
from reproductions.lab.results.trial_record import Trial
from tests.reports.test_report import LENET5, STUDIES, made_up

ORDER = {"study": "lenet5", "what": "Two networks", "networks": "lenet5 lenet5-lecture", "training_error": "",
         "printed": "one better", "place": "nowhere"}  # fmt: skip
SPEED = ORDER | {"training_error": "1"}
LECTURE = next(network for network in LENET5.networks if network.name == "lenet5-lecture")


def lecture(errors, seed=1, **changes):
    recipe = {**LECTURE.recipe.as_data(), **changes}
    return replace(made_up(errors, seed), network="lenet5-lecture", recipe=recipe)


def with_lecture_by(recipe):
    """LeNet-5's study with another recipe of the lecture's network."""
    return replace(LENET5, networks=tuple(replace(n, recipe=recipe) if n is LECTURE else n for n in LENET5.networks))


def answers(printed, *records):
    return compared(printed, runs_of(LENET5, records))


def test_every_comparison_is_of_networks_of_its_study_and_its_numbers_are_numbers():
    for row in published_comparisons():
        known = {network.name for network in STUDIES[row["study"]].networks}
        names = row["networks"].split()
        assert len(names) > 1 and set(names) <= known and row["printed"] and row["place"]
        assert not row["training_error"] or (float(row["training_error"]) > 0 and len(names) == 2)


def test_every_figure_in_a_comparison_is_printed_of_its_networks():
    for row in published_comparisons():
        figures = published_figures(row["study"])
        printed = set(figures[figures["network"].isin(row["networks"].split())]["printed"])
        assert set(re.findall(r"[\d.]+%", row["printed"])) <= printed, row["what"]


def test_an_order_is_the_printed_one_or_not():
    (found,) = answers(ORDER, made_up(90), made_up(100, 2), lecture(110), lecture(110, 2))
    assert (
        found["seen"]
        == "lenet5 0.95 ± 0.07%, lenet5-lecture 1.10 ± 0.00%: the printed order, where not every pair is told apart."
    )
    assert any("McNemar" in sentence for sentence in found["sentences"])
    (found,) = answers(ORDER, made_up(120), lecture(110))
    assert found["seen"] == "lenet5-lecture 1.10%, lenet5 1.20%: not the printed order. One run each."


def test_networks_are_compared_only_where_they_were_trained_alike():
    assert answers(ORDER, made_up(90)) == []
    assert answers(ORDER, made_up(90, epochs=3), lecture(110)) == []
    both = answers(ORDER, made_up(90), lecture(110), made_up(300, epochs=3), lecture(290, epochs=3))
    assert [answer["changes"] for answer in both] == [[], ["epochs 3, not 20"]]
    assert both[0]["seen"].endswith("lenet5-lecture 1.10%: the printed order. One run each.")
    assert both[1]["seen"] == (
        "lenet5-lecture 2.90%, lenet5 3.00%: not the printed order. One run each. "
        "Training error in the last pass: lenet5 0.25%, lenet5-lecture 0.25%."
    ), "a schedule cut short may end before training does"


def test_networks_of_unlike_recipes_are_alike_where_both_have_the_same_settings():
    study = with_lecture_by(replace(LECTURE.recipe, epochs=40))
    records = [made_up(90, epochs=3), lecture(110, epochs=3), made_up(80), lecture(70, epochs=20)]
    (found,) = compared(ORDER, runs_of(study, records))
    assert found["seen"].startswith("lenet5 0.90%") and found["changes"] == [
        "lenet5: epochs 3, not 20",
        "lenet5-lecture: epochs 3, not 40",
    ]


def test_networks_of_unlike_recipes_are_alike_where_both_have_the_one_s():
    own = made_up(90)
    study = with_lecture_by(replace(LENET5.networks[0].recipe, epochs=40))
    records = [own, *(replace(lecture(80), recipe={**own.recipe, "epochs": epochs}) for epochs in (20, 40, 3))]
    (found,) = compared(ORDER, runs_of(study, records[:2]))
    assert found["changes"] == ["lenet5-lecture: epochs 20, not 40"]
    found = compared(ORDER, runs_of(study, records))
    assert sorted(len(answer["changes"]) for answer in found) == [0, 1], "each by its own, and both by the one's"


def test_an_order_of_networks_that_still_learn_says_when_it_is_that_of_their_training():
    slow = lecture(110, epochs=3)
    slow = replace(slow, epochs=[{**row, "error": 2 * row["error"]} for row in slow.epochs])
    (found,) = answers(ORDER, made_up(90, epochs=3), slow)
    assert found["seen"].endswith(", the same order; trained in full they may stand in another.")
    (found,) = answers(ORDER, made_up(120, epochs=3), slow)
    assert "the same order" not in found["seen"]


def test_a_tie_is_no_order():
    for names in "lenet5 lenet5-lecture", "lenet5-lecture lenet5":
        (found,) = answers(ORDER | {"networks": names}, made_up(90), lecture(90))
        assert found["seen"].endswith(": not the printed order, where not every pair is told apart. One run each.")


def test_other_precisions_and_other_data_stay_apart():
    halved = {"execution": {"precision": "mixed_bfloat16"}}
    assert answers(ORDER, made_up(90), replace(lecture(110), **halved)) == []
    (found,) = answers(ORDER, made_up(90), lecture(110), replace(made_up(200), **halved))
    assert found["seen"].startswith("lenet5 0.90%")
    subset = made_up(90, data="mnist-subset")
    assert answers(ORDER, subset, replace(lecture(110), data=subset.data)) == []


def test_speed_is_told_in_passes():
    slow = lecture(110)
    slow = replace(slow, epochs=[{**row, "error": 15 / row["epoch"]} for row in slow.epochs])
    (found,) = answers(SPEED, made_up(90), slow)  # 5 / i and 15 / i percent after pass i
    assert (
        found["seen"]
        == "1% training error: lenet5 comes to it in 5.0 passes, lenet5-lecture in 15.0, 3.0 times as many."
    )
    assert found["sentences"] == [], "tests of test errors say nothing of it"


def pages(records, comparisons=(), searched=()):
    published = {name: published_figures(name) for name in STUDIES}
    return render(STUDIES, published, records, computed(), comparisons, searched)


def test_the_pages_and_the_index_show_what_was_printed_and_seen():
    made = pages([made_up(90), lecture(110)], [ORDER, ORDER | {"networks": "lenet5 lenet1"}])
    assert "**Two networks.** Printed: one better (nowhere).\n\nSeen: lenet5 0.90%" in made["lenet5.md"]
    assert made["index.md"].count("Two networks: printed one better; seen: lenet5 0.90%") == 1


def trial(rate, error):
    recipe = {**LENET5.networks[0].recipe.as_data(), "learning_rate": [[1, rate]], "splits": ["train"]}
    return Trial(
        {"learning_rate": rate}, recipe, 1, [{"epoch": 1, "val_error": error}], error, None, 1.0, "tuner0", f"{rate}"
    )


BEST = {"learning_rate": [[1, 0.01]]}
TOLD = {"study": "lenet5", "network": "lenet5", "tuner": "random", "epochs": 20, "seed": 1, "data": "mnist",
        "sha256": "mnist", "recipe": LENET5.networks[0].recipe.as_data()}  # fmt: skip


def test_a_search_is_shown_with_its_winner_s_runs_against_the_recipe_s():
    search = tuning.Search("lenet5-random", TOLD, [trial(0.1, 3.0), trial(0.01, 2.0)])
    made = pages([made_up(90), made_up(80, **BEST)], searched=[search])
    page = made["lenet5.md"]
    assert "tune lenet5 --network lenet5 --tuner random --epochs 20 --seed 1 --max-trials 2 --retrain 0`. The" in page
    assert "The best: rate 0.01: validation error 2.00% after 20 pass(es), 1 s." in page
    own, winner = ("The network's own recipe, lenet5 (1)", "the winner trained again, lenet5 (2)")
    assert f"- {own}: test error 0.90%, 1 seed(s); {winner}: test error 0.80%, 1 seed(s)." in page
    longer = pages([made_up(90), made_up(80, epochs=25, **BEST)], searched=[search])["lenet5.md"]
    assert f"{winner}: test error 0.80%" in longer, "trials may have been of less passes"
    assert made["lenet5-search-lenet5-random.svg"].startswith("<svg") and "search-lenet5-random.svg" in page
    assert "<img" not in made["lenet5.html"]
    alone = pages([made_up(90)], searched=[search])["lenet5.md"]
    assert "The best: rate 0.01" in alone and "the winner" not in alone
    elsewhere = pages([made_up(90), made_up(80, data="mnist-subset", **BEST)], searched=[search])["lenet5.md"]
    assert "the winner" not in elsewhere


def test_a_search_that_was_gone_on_with_at_another_commit_says_so():
    one, other = ({"commit": letter * 40, "dirty": False} for letter in "ab")
    first = replace(trial(0.1, 3.0), code=one, execution={"threads": 2})
    for code, said in ((one, False), (other, True)):
        search = tuning.Search("s", TOLD | one, [first, replace(trial(0.01, 2.0), code=code)])
        page = pages([made_up(90)], searched=[search])["lenet5.md"]
        assert f"at commit {'a' * 10}{', gone on with at ' + 'b' * 10 if said else ''}. The best" in page
        assert " threads " in page, "one of them tells"
    before = pages([made_up(90)], searched=[tuning.Search("s", TOLD, [trial(0.1, 3.0)])])["lenet5.md"]
    assert "at commit" not in before and " threads " not in before


def test_a_winner_that_became_the_recipe_is_not_held_against_itself():
    own = LENET5.networks[0].recipe.as_data()
    winner = replace(trial(0.01, 2.0), recipe={**own, "splits": ["train"]})
    page = pages([made_up(90)], searched=[tuning.Search("lenet5-random", TOLD, [winner])])["lenet5.md"]
    assert "The best: rate 0.01" in page and "the winner" not in page


def test_a_committed_search_that_is_not_whole_is_named(tmp_path):
    folder = tmp_path / "lenet5-random"
    folder.mkdir()
    (folder / "search.json").write_text(json.dumps(TOLD))
    with pytest.raises(UsageError, match="lenet5-random is not a whole search: it has no trials"):
        tuning.read_all(tmp_path)
    trial(0.1, 3.0).write(folder / "trials" / "a-20.json")
    (found,) = tuning.read_all(tmp_path)
    assert (found.name, found.told, len(found.trials)) == ("lenet5-random", TOLD, 1)
    described = tuning.described(templates(), found, [])
    assert described["count"] == 1 and described["against"] == []


# --- Parts of the training set


def test_runs_on_parts_of_the_training_set_make_a_curve():
    small, whole = made_up(150, training_images=15000), made_up(90)
    other = made_up(200, training_images=15000, batch=64)
    (sized,) = training_set_size.by_size(
        runs_of(LENET5, [whole, other, small, made_up(130, 2, training_images=15000), lecture(99)])
    )
    assert [runs.images for runs in sized] == [15000, 60000]
    told = training_set_size.described(templates(), [*sized])
    assert [row["measured"] for row in told["rows"]] == ["1.40 ± 0.14%", "0.90%"]
    assert told["picture"].count("<polyline") == 1 and ">15,000</text>" in told["picture"]
    assert training_set_size.described(templates(), runs_of(LENET5, [whole, other])) is None
    assert training_set_size.described(templates(), runs_of(LENET5, [whole, made_up(95, data="mnist-subset")])) is None


def test_runs_by_another_recipe_stand_beside_one_printed_figure_alone():
    distorted = next(network for network in LENET5.networks if network.name == "lenet5-distorted")
    own = replace(made_up(80), network=distorted.name, recipe=distorted.recipe.as_data())
    part = replace(own, recipe={**own.recipe, "training_images": 15000})
    table = result_table(LENET5, published_figures("lenet5"), [own, part])
    rows = table[table["runs"] > 0][["label", "verdict"]].values.tolist()
    assert [(label, verdict[:8]) for label, verdict in rows] == [
        ("LeNet-5 with distortions", "reproduc"), ("LeNet-5 with distortions", "not comp"),
        ("LeNet-5 as the lecture quotes it", "reproduc"),
    ]  # fmt: skip
    alone = result_table(LENET5, published_figures("lenet5"), [part])
    quoted = alone[alone["label"] == "LeNet-5 as the lecture quotes it"]
    assert quoted["verdict"].tolist() == ["not run"]
