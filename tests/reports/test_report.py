"""The report: verdicts by the rule it prints, pages that come back byte for byte."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import reproductions
from reports import figures as pictures
from reports import run_groups
from reports.build import MARKS, computed, published_figures, report, with_results
from reports.pages import render, templates
from reproductions.lab.results import run_record

STUDIES = reproductions.studies()
LENET5 = STUDIES["lenet5"]
FIGURES = published_figures("lenet5")
PRINTED = 0.95


def made_up(errors: int, seed: int = 1, data: str = "mnist", **changes) -> run_record.Record:
    """A record with that many errors of 10,000: figures for tests, of no run."""
    recipe = {**LENET5.networks[0].recipe.as_data(), **changes}
    return run_record.Record(
        study="lenet5",
        network="lenet5",
        seed=seed,
        recipe=recipe,
        data={"name": data, "source": "a test", "sha256": data, "train": 55000, "validation": 5000, "test": 10000},
        commit="c" * 40,
        dirty=False,
        versions={},
        device="none",
        strategy="one device",
        replicas=1,
        parameters={"trainable": 60000, "fixed": 840},
        epochs=[{"epoch": i, "error": 5 / i, "loss": 1.0, "seconds": 1.0} for i in range(1, 21)],
        test={
            "errors": errors,
            "images": 10000,
            "error": errors / 100,
            "interval": list(run_groups.wilson_interval(errors, 10000)),
            "per_class": [1000] * 10,
        },
        misclassified=[{"index": i, "label": i % 10, "predicted": (i + 1) % 10} for i in range(errors)],
        pictures=None,
        finished="",
        wall_seconds=20.0,
        images_per_second=60000.0,
    )


def verdict(*records: run_record.Record) -> str:
    table = run_groups.result_table(LENET5, FIGURES, records)
    return table[table["label"] == "LeNet-5"].iloc[0]["verdict"]


def test_the_verdict_turns_where_the_interval_s_lower_end_passes_the_printed_figure():
    verdicts = {errors: verdict(made_up(errors)) for errors in range(80, 140)}
    for errors, answer in verdicts.items():
        low = run_groups.wilson_interval(errors, 10000)[0]
        assert answer == ("reproduced" if low <= PRINTED else "not reached"), errors
    assert set(verdicts.values()) == {"reproduced", "not reached"}


def test_wilson_intervals_are_the_formula():
    n, p, z = 10000, 0.0106, 1.959963984540054
    centre, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n),
    )
    assert run_groups.wilson_interval(106, n) == pytest.approx((100 * (centre - half), 100 * (centre + half)))


def test_other_data_or_another_schedule_are_not_comparable():
    assert verdict() == "not run"
    table = run_groups.result_table(LENET5, FIGURES, [])
    assert set(table[table["label"] == "Nearest neighbours"]["verdict"]) == {"not of the suite"}
    assert verdict(made_up(95, data="mnist-subset")) == "not comparable"
    assert verdict(made_up(95, data="mnist-altered")) == "not comparable"
    other = "not comparable: another recipe: "
    assert verdict(made_up(95, epochs=2)) == other + "epochs 2, not 20"
    assert verdict(made_up(95, splits=["train"])) == other + "parts train, not train and validation"
    assert verdict(made_up(95, batch_size=512, data="mnist-subset")) == other + "batch 512, not 32"


def test_a_network_on_whitened_images_answers_the_figure_that_is_printed_for_the_data_set():
    study, figures = STUDIES["all_cnn"], published_figures("all_cnn")
    own = study.networks[0]
    assert own.name == "all-cnn-c"

    def of(data: str) -> dict:
        made = replace(made_up(930, data=data), study="all_cnn", network=own.name, recipe=own.to_train().as_data())
        table = run_groups.result_table(study, figures, [made])
        (row,) = table[table["runs"] == 1].to_dict("records")
        return row

    assert of("cifar10-whitened")["printed"] == "9.08%" and of("cifar10-whitened")["verdict"] == "reproduced"
    assert of("cifar10-altered-whitened")["verdict"] == "not comparable"


def test_seeds_make_a_mean_and_a_spread():
    (runs,) = run_groups.runs_of(LENET5, [made_up(100, 2), made_up(90, 1), made_up(110, 3)])
    assert [run.seed for run in runs.records] == [1, 2, 3]
    (measure,) = runs.measures
    assert runs.measured(measure) == "1.00 ± 0.10%"
    assert runs.interval(measure) == run_groups.wilson_interval(100, 10000)


def test_the_table_tells_how_many_seeds_come_to_the_printed_figure():
    table = run_groups.result_table(
        LENET5, FIGURES, [made_up(94, 1), made_up(95, 2), made_up(96, 3), made_up(90, epochs=2)]
    )
    rows = table[(table["label"] == "LeNet-5") & (table["runs"] > 0)]
    assert rows[["runs", "reached"]].values.tolist() == [[3, " (2)"], [1, ""]]


def test_figures_of_one_name_tell_their_images_and_doubtful_ones_their_doubt():
    table = run_groups.result_table(STUDIES["all_cnn"], published_figures("all_cnn"), [])
    printed = dict(zip(table["label"], table["printed"]))
    assert (printed["ALL-CNN-C, test of cifar10"], printed["ALL-CNN-C, test of cifar100"]) == ("9.08%", "33.71%")
    assert printed["ALL-CNN with heavy augmentation"] == "4.41% (unconfirmed)"


def test_runs_of_another_recipe_are_not_averaged_with_the_paper_s():
    found = run_groups.runs_of(LENET5, [made_up(90), made_up(300, 2, epochs=2), made_up(400, 3, "mnist-subset")])
    assert [len(runs.records) for runs in found] == [1, 1, 1]
    assert [runs.comparable for runs in found] == [True, False, False]


def test_the_confusion_matrix_counts_every_test_image_once():
    (runs,) = run_groups.runs_of(LENET5, [made_up(95, 1), made_up(105, 2)])
    table = run_groups.confusion(runs)
    assert sum(map(sum, table)) == 20000
    assert sum(table[i][i] for i in range(10)) == 20000 - 200


def test_printed_mistakes_stand_beside_those_of_the_network_that_they_are_of():
    (lecture,) = [figure for figure in FIGURES.to_dict("records") if figure["mistakes"]]
    recipes = {network.name: network.to_train().as_data() for network in LENET5.networks}
    own = replace(made_up(12), network=lecture["network"], recipe=recipes[lecture["network"]])
    (found,) = run_groups.printed_mistakes(run_groups.runs_of(LENET5, [own])[0], FIGURES)
    assert found["count"] == sum(map(sum, found["table"])) == 72  # of 82: the first row of the slide is no text
    assert found["table"][9][4] == lecture["mistakes"].split().count("9->4") == 8
    for another in (made_up(12), replace(own, recipe={**own.recipe, "training_images": 15000})):
        assert run_groups.printed_mistakes(run_groups.runs_of(LENET5, [another])[0], FIGURES) == []


def test_pages_are_a_pure_function_of_records(finished):
    records = [made_up(95), run_record.read(finished / "run" / "record.json")]
    published = {name: published_figures(name) for name in STUDIES}
    pages = render(STUDIES, published, records, computed())
    records.append(made_up(300, data="mnist-subset", epochs=2))
    assert render(STUDIES, published, records, computed()) == render(STUDIES, published, records[::-1], computed())
    page = pages["lenet5.md"]
    assert "Made from `mnist-subset`, not from mnist." in page
    assert "not comparable: another recipe: epochs 3, not 20 |" in page
    assert all(deviation in page for deviation in LENET5.networks[0].deviations)
    assert "<svg" in pages["lenet5.html"] and "<img" not in pages["lenet5.html"]
    picture = next(text for path, text in pages.items() if "subset-errors" in path)
    for error in records[1].misclassified:
        assert f"{error['label']}-&gt;{error['predicted']}</text>" in picture
    assert picture.count("<use ") == records[1].test["errors"]


def test_a_page_says_how_to_repeat_a_run_by_another_recipe():
    published = {name: published_figures(name) for name in STUDIES}
    for changes, words in (
        ({}, "--seed 1`"),
        ({"epochs": 3, "splits": ["train"]}, "--seed 1 --epochs 3 --hold-out`"),
        ({"epochs": 3, "training_images": 15000}, "--seed 1 --epochs 3 --training-images 15000`"),
        ({"epochs": 3, "batch_size": 64},
         "--seed 1 --recipe RECORD`, RECORD being a copy of its record, made before checking the commit out"),
        ({"precision": "mixed_bfloat16", "jit": True, "accumulation_steps": 2},
         "--seed 1 --precision mixed_bfloat16 --jit --accumulate 2`"),
        ({"threads": 2}, "--seed 1 --threads 2`"),
    ):  # fmt: skip
        how = {
            name: changes.pop(name) for name in ("precision", "jit", "accumulation_steps", "threads") if name in changes
        }
        run = replace(made_up(95, **changes), execution=how)
        page = render(STUDIES, published, [run], computed())["lenet5.md"]
        assert f"Again: `reproduce train lenet5 --network lenet5 {words}\n" in page


def test_a_page_repeats_each_run_as_it_was_executed():
    published = {name: published_figures(name) for name in STUDIES}
    executions = {1: {}, 2: {"threads": 1}, 3: {"threads": 1}, 4: {"threads": 1, "jit": True}}
    records = [replace(made_up(90, seed), execution=execution) for seed, execution in executions.items()]
    several, one = (render(STUDIES, published, runs, computed())["lenet5.md"] for runs in (records, records[:1]))
    assert "\nAgain, seed 1: `reproduce train lenet5 --network lenet5 --seed 1`\n" in several
    assert "\nAgain, seed 2 or 3: `reproduce train lenet5 --network lenet5 --seed 2 --threads 1`\n" in several
    assert "\nAgain, seed 4: `reproduce train lenet5 --network lenet5 --seed 4 --jit --threads 1`\n" in several
    assert "\nAgain: `reproduce train lenet5 --network lenet5 --seed 1`\n" in one


def test_check_fails_when_a_page_is_edited_missing_or_too_many(finished, tmp_path, capsys):
    runs, out = tmp_path / "runs", tmp_path / "pages"
    runs.mkdir()
    shutil.copy(finished / "run" / "record.json", runs / "a.json")
    report(runs, out)
    assert "lenet5 on mnist-subset: measured" in capsys.readouterr().out
    report(runs, out, check=True)
    page = out / "lenet5.md"
    text = page.read_text()
    page.write_text(text.replace("not comparable", "reproduced"))
    with pytest.raises(reproductions.UsageError, match=r"lenet5\.md is not what the records give"):
        report(runs, out, check=True)
    assert "reproduced" in page.read_text(), "--check must write nothing"
    page.unlink()
    with pytest.raises(reproductions.UsageError, match="not what the records give"):
        report(runs, out, check=True)
    page.write_text(text)
    (out / "old.md").write_text("")
    with pytest.raises(reproductions.UsageError, match=r"old\.md is made from no record"):
        report(runs, out, check=True)
    report(runs, out)
    assert page.read_text() == text
    assert (out / "old.md").exists(), "a folder of one's own may hold other files"


def test_a_damaged_record_is_named(tmp_path):
    whole = json.loads(json.dumps(vars(made_up(95))))
    for text in (
        "{", "[]", '{"study": "lenet5"}', *(json.dumps({**whole, part: {}}) for part in ("test", "data", "recipe")),
        json.dumps({**whole, "epochs": []}), json.dumps({**whole, "misclassified": [{"index": 1}]}),
    ):  # fmt: skip
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(reproductions.UsageError, match=r"a\.json is not a whole record"):
            report(tmp_path, tmp_path / "out")


def test_records_that_do_not_belong_together_are_refused(tmp_path):
    with pytest.raises(reproductions.UsageError, match="two records are of the same run"):
        run_groups.runs_of(LENET5, [made_up(90), made_up(90)])
    with pytest.raises(reproductions.UsageError, match="'lenet7' is not a .*Choose from: lenet5, lenet5-lecture"):
        run_groups.runs_of(LENET5, [replace(made_up(90), network="lenet7")])
    with pytest.raises(reproductions.UsageError, match="--runs needs --out"):
        report(tmp_path)
    with pytest.raises(reproductions.UsageError, match="nowhere is no folder"):
        report(tmp_path / "nowhere", tmp_path)


def test_curves_of_errors_that_are_all_alike_can_be_drawn():
    for error in (0.0, 10.0, 50.0):
        told = replace(made_up(95), epochs=[{"epoch": 1, "error": error}])
        (runs,) = run_groups.runs_of(LENET5, [told])
        assert "<polyline" in pictures.curves(templates(), runs)


def test_a_record_survives_its_file_and_its_table(tmp_path):
    told = made_up(95)
    told.write(tmp_path / "a.json")
    assert run_record.read(tmp_path / "a.json") == told
    frame = reproductions.records(tmp_path)
    assert frame.loc[0, "test_error"] == 0.95 and frame.loc[0, "network"] == "lenet5"


def test_a_record_is_written_whole_or_not_at_all(tmp_path):
    told = replace(made_up(95), device=object())
    with pytest.raises(TypeError):
        told.write(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_the_readme_takes_its_results_from_the_index():
    index = "# Results\n\nMade.\n\n## [Paper](lenet5.md), 1998\n"
    readme = with_results(f"top\n{MARKS[0]}old{MARKS[1]}\nend", index)
    assert "### [Paper](reports/pages/lenet5.md)" in readme and "old" not in readme and readme.endswith("\nend")


def test_every_published_network_is_one_of_the_suite():
    for name, study in STUDIES.items():
        known = {network.name for network in study.networks} | {""}
        assert set(published_figures(name)["network"]) <= known


def test_committed_records_hold_no_path_of_a_machine():
    for path in Path(reproductions.RUNS).glob("*.json"):
        told = json.loads(path.read_text())
        told.pop("pictures")
        assert '"/' not in json.dumps(told), path
