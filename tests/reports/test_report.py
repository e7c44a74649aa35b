"""Pages are a pure function of the records, and `--check` finds what differs."""

import shutil
from dataclasses import replace

import pytest

import reproductions
from reports.build import MARKS, ReportOptions, read_sources, report, with_summary
from reports.figures.chart import drawn, is_drawn_from
from reports.figures.training import training_curves
from reports.published import PublishedComparison
from reports.run_groups import groups_of
from reproductions.lab.errors import UsageError
from reproductions.lab.results.run_record import Run, read, read_run
from tests.helpers.pages import pages
from tests.helpers.records import LENET5, STUDIES, as_runs, executed, learning, lecture, made_up, result


def test_pages_are_a_pure_function_of_records(finished):
    runs = [*as_runs(made_up(95)), read_run(finished / "run")]
    made = pages(runs)
    text = made.texts["lenet5.md"]
    assert "Made from `mnist-subset`, not from mnist." in text
    assert "| epochs 3, not 20 | error |" in text
    assert all(deviation in text for deviation in LENET5.networks[0].deviations)
    runs += as_runs(made_up(300, data="mnist-subset", epochs=2))
    assert pages(runs) == pages(runs[::-1])


def test_a_page_shows_the_sheet_of_misclassified_images(finished):
    made = pages([read_run(finished / "run")])
    ((name, path),) = made.images.items()
    assert path == finished / "run" / "misclassified.png" and f"]({name})" in made.texts["lenet5.md"]
    assert "they are not shown here" in pages([made_up(95)]).texts["lenet5.md"]


@pytest.mark.parametrize(
    "changes, execution, words",
    [
        ({}, {}, "--seed 1`"),
        ({"epochs": 3, "splits": ["train"]}, {}, "--seed 1 --epochs 3 --hold-out`"),
        ({"epochs": 3, "training_images": 15000}, {}, "--seed 1 --epochs 3 --training-images 15000`"),
        ({"epochs": 3, "batch_size": 64}, {},
         "--seed 1 --recipe RECORD` (RECORD: its record as that commit reads it, see `docs/reproducing-a-run.md`)"),
        ({}, {"precision": "mixed_bfloat16", "jit": True, "accumulation_steps": 2},
         "--seed 1 --precision mixed_bfloat16 --jit --accumulate 2`"),
        ({}, {"threads": 2}, "--seed 1 --threads 2`"),
    ],
)  # fmt: skip
def test_a_page_gives_the_command_of_a_run(changes, execution, words):
    text = pages([executed(made_up(95, **changes), **execution)]).texts["lenet5.md"]
    assert f"To reproduce: `reproduce train lenet5 --network lenet5 {words}\n" in text


def test_a_record_without_threads_had_one_per_core():
    record = replace(made_up(95), device="2 CPU cores, x86_64")
    assert "--seed 1 --threads 2`\n" in pages([record]).texts["lenet5.md"]


def test_pictures_are_on_the_page_of_their_network_and_of_their_method():
    made = pages([made_up(95)], pictures=read_sources(STUDIES).pictures)
    shown = "](googlenet-quick-deconv.png)"
    assert shown in made.texts["googlenet.md"] and shown in made.texts["zfnet.md"]
    assert shown not in made.texts["lenet5.md"] and made.images["googlenet-quick-deconv.png"].is_file()


def test_seeds_that_were_executed_alike_share_a_command():
    executions = {1: {}, 2: {"threads": 1}, 3: {"threads": 1}, 4: {"threads": 1, "jit": True}}
    records = [executed(made_up(90, seed), **execution) for seed, execution in executions.items()]
    several, one = (pages(made).texts["lenet5.md"] for made in (records, records[:1]))
    assert "\nTo reproduce seed 1: `reproduce train lenet5 --network lenet5 --seed 1`\n" in several
    assert "\nTo reproduce seed 2 or 3: `reproduce train lenet5 --network lenet5 --seed 2 --threads 1`\n" in several
    assert "\nTo reproduce seed 4: `reproduce train lenet5 --network lenet5 --seed 4 --jit --threads 1`\n" in several
    assert "\nTo reproduce: `reproduce train lenet5 --network lenet5 --seed 1`\n" in one


def test_pages_and_overview_show_comparisons():
    order = PublishedComparison("lenet5", "Two networks", ("lenet5", "lenet5-lecture"), None, "one better", "nowhere")
    unanswered = replace(order, networks=("lenet5", "lenet1"))
    made = pages([made_up(90), lecture(110)], comparisons=[order, unanswered])
    text = made.texts["lenet5.md"]
    assert "**Two networks.** Published: one better (nowhere).\n\nMeasured: lenet5 0.90%" in text
    assert made.texts["index.md"].count("Two networks: published one better; measured: lenet5 0.90%") == 1


def test_matrices_of_many_classes_are_left_out():
    many = replace(made_up(95), test=replace(result(95), images_per_class=[10] * 1000))
    assert "by class (rows)" not in pages([many]).texts["lenet5.md"]
    assert "by class (rows)" in pages([made_up(95)]).texts["lenet5.md"]


def test_check_finds_pages_that_differ(finished, tmp_path, capsys):
    runs, out = tmp_path / "runs", tmp_path / "pages"
    runs.mkdir()
    shutil.copy(finished / "run" / "record.json", runs / "a.json")
    make, check = ReportOptions(runs, out), ReportOptions(runs, out, check=True)
    report(STUDIES, make)
    assert "lenet5 on mnist-subset: measured" in capsys.readouterr().out
    report(STUDIES, check)
    page = out / "lenet5.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("not 20", "not 30"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"lenet5\.md is not what the records give"):
        report(STUDIES, check)
    assert "not 30" in page.read_text(encoding="utf-8"), "--check must write nothing"
    page.unlink()
    (out / "old.md").write_text("")
    with pytest.raises(UsageError, match=r"(?s)old\.md is not made from any record.*lenet5\.md is missing"):
        report(STUDIES, check)
    page.write_text(text, encoding="utf-8")
    report(STUDIES, make)
    assert page.read_text(encoding="utf-8") == text
    assert (out / "old.md").exists(), "a folder of one's own may hold other files"


def test_html_is_written_on_demand(finished, tmp_path):
    report(STUDIES, ReportOptions(runs=finished, html=tmp_path / "html"))
    names = {path.name for path in (tmp_path / "html").iterdir()}
    assert {"index.html", "lenet5.html", "claims.html", "data.html"} <= names
    assert list((tmp_path / "html" / "_images").glob("*-misclassified.png"))


def test_check_and_html_exclude_each_other(tmp_path):
    with pytest.raises(UsageError, match="--check writes nothing"):
        report(STUDIES, ReportOptions(html=tmp_path / "html", check=True))
    assert not (tmp_path / "html").exists()


def test_a_record_of_an_unknown_study_is_named(tmp_path):
    replace(made_up(95), study="foo").write(tmp_path / "a.json")
    with pytest.raises(UsageError, match=r"'foo' is not a study \(in .*a\.json\)"):
        report(STUDIES, ReportOptions(tmp_path, tmp_path / "out"))


@pytest.mark.parametrize("readme", ["no marks", f"{MARKS[0]}no end", f"{MARKS[0] * 2}{MARKS[1]}"])
def test_a_readme_without_marks_is_refused(readme):
    with pytest.raises(UsageError, match=r"README\.md must have the lines"):
        with_summary(readme, "table")


def test_records_of_one_s_own_need_a_folder_for_pages(tmp_path):
    with pytest.raises(UsageError, match="--runs needs --out"):
        report(STUDIES, ReportOptions(runs=tmp_path))
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        report(STUDIES, ReportOptions(runs=tmp_path / "nowhere", out=tmp_path))


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UsageError, match=r"a\.json is not the record of a run"):
        report(STUDIES, ReportOptions(runs=tmp_path, out=tmp_path / "out"))


@pytest.mark.parametrize("error", [0.0, 10.0, 50.0])
def test_curves_of_equal_errors_can_be_drawn(error):
    (group,) = groups_of(LENET5, as_runs(learning([error], made_up(95))))
    chart = training_curves(group, None)
    assert is_drawn_from(drawn(chart), chart)


def test_the_readme_takes_its_summary_from_the_records():
    readme = with_summary(f"top\n{MARKS[0]}old{MARKS[1]}\nend", "new\n")
    assert readme == f"top\n{MARKS[0]}new\n{MARKS[1]}\nend"


def test_committed_sheets_belong_to_records():
    sources = read_sources(reproductions.studies())
    for run in sources.runs:
        assert isinstance(run, Run) and read(run.path) == run.record
    records = {run.sheet for run in sources.runs}
    assert set(sources.runs[0].path.parent.glob("*.png")) <= records
