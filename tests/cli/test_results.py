"""`reproduce results`, and the same in Python."""

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas
import pytest

import reproductions
from reports import audited, formats
from reports.paths import RUNS
from reproductions.cli.main import main
from reproductions.cli.options import FORMATS


def test_results_of_a_paper_are_shown_beside_its_figures(capsys):
    main(["results", "lenet5"])
    output = capsys.readouterr().out
    assert output.startswith("lenet5: Gradient-Based Learning Applied to Document Recognition, 1998\n")
    row = next(line for line in output.splitlines() if line.split()[:1] == ["LeNet-5"])
    assert "0.95%" in row and "reproduced" in row


def test_results_without_a_paper_are_those_with_runs(capsys):
    main(["results"])
    output = capsys.readouterr().out
    assert "lenet5: " in output and "convnetjs: " in output and "inception_v4: " not in output


@pytest.mark.parametrize("output_format", FORMATS)
def test_every_format_has_all_rows(output_format, capsys):
    main(["results", "convnetjs", "--format", output_format])
    output = capsys.readouterr().out
    assert "21.23" in output and "published" in output
    if output_format == "csv":
        assert {row["study"] for row in csv.DictReader(io.StringIO(output))} == {"convnetjs"}
    if output_format == "json":
        assert {row["network"] for row in json.loads(output)} == {"convnetjs-cifar10"}


def test_the_latex_table_has_a_label_and_its_paper(capsys):
    main(["results", "lenet5", "--format", "latex"])
    output = capsys.readouterr().out
    key = re.search(r"@misc\{(\w+),", output)[1]
    assert key == "lecun1998gradient"
    assert rf"\cite{{{key}}}" in output and r"\label{tab:lenet5}" in output and r"\toprule" in output
    assert "±" not in output and not re.search(r"[^\\]%(?! )", output), "a bare % would hide the rest of its line"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("study", reproductions.studies())
def test_the_latex_table_compiles_and_is_as_wide_as_the_text(study, tmp_path, capsys):
    main(["results", study, "--format", "latex"])
    log = compiled(capsys.readouterr().out, tmp_path)
    assert "Overfull" not in log


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_other_latex_tables_compile(tmp_path, capsys):
    runs = [str(path) for path in sorted(RUNS.glob("lenet5-seed*.json"))]
    for arguments in (["list"], ["claims"], ["table", "vgg"], ["compare", *runs], ["weights", "list"]):
        main([*arguments, "--format", "latex"])
    compiled(capsys.readouterr().out, tmp_path)


def compiled(tables: str, folder: Path) -> str:
    """Return what pdflatex says of a document with tables, the second time, when it knows the widths."""
    document = (
        r"\documentclass{article}\usepackage[utf8]{inputenc}\usepackage{array,booktabs,longtable}\begin{document}"
        f"\n{tables}\n"
        r"\end{document}"
    )
    (folder / "table.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def test_latex_has_commands_for_what_its_fonts_lack():
    text = formats.format_table(pandas.DataFrame({"a ± b": ["3 × 4", "1 ± 2"]}), "latex")
    assert text.count(r"$\pm$") == 2 and r"$\times$" in text and "±" not in text


def test_no_row_of_latex_is_an_option_of_the_one_above():
    text = formats.format_table(pandas.DataFrame({"a": [1, 2]}, index=["[2pt]", "*"]), "latex")
    assert "\n{[}2pt] & 1" in text and "\n{*} & 2" in text


def test_a_wrong_paper_is_refused(refusal):
    assert "'lenet6' is not a study. Did you mean 'lenet5'?" in refusal("results", "lenet6")


def test_own_recipe_and_network_give_the_figures_of_the_pages():
    runs = reproductions.records()
    own = runs[runs.own_recipe].groupby("network").test_error.agg(["mean", "count"])
    rows = reproductions.results("lenet5")
    row = rows[(rows.network == "lenet5") & (rows.label == "LeNet-5")].iloc[0]
    assert f"{own.loc['lenet5', 'mean']:.2f}" == row.measured.split()[0] and own.loc["lenet5", "count"] == row.runs
    assert set(runs[(runs.network == "lenet5") & runs.own_recipe].verdict) == {row.verdict}
    assert (runs[~runs.own_recipe].verdict == "").all()


def test_claims_and_tables_are_data_frames():
    claims = reproductions.claims("zfnet")
    assert set(claims.study) == {"zfnet"} and {"quote", "verdict"} <= set(claims.columns)
    cells = reproductions.table("vgg")
    assert {"table", "published", "computed", "verdict"} <= set(cells.columns)
    with pytest.raises(reproductions.UsageError, match="'zfnett' is not a study"):
        reproductions.claims("zfnett")


def test_what_was_computed_is_of_the_present_code():
    assert audited.is_current("tables") and audited.is_current("claims"), "run: reproduce audit; reproduce report"


def test_changed_code_is_not_answered_from_what_was_computed(monkeypatch, tmp_path):
    monkeypatch.setattr(audited, "ROOT", tmp_path)
    assert not audited.is_current("tables")


def test_an_unknown_option_of_train_is_named():
    with pytest.raises(reproductions.UsageError, match=r"'epoch' is not an option of train\. Did you mean 'epochs'"):
        reproductions.train("lenet5", epoch=1)


TABLE = pandas.DataFrame(
    {"what": ["short", "a statement " * 20], "number": [1, 2], "empty": ["", ""]},
    index=pandas.Index(["one", "two"], name="slide"),
)


@pytest.mark.parametrize("width", [40, 80, 99, 100, 140, 1000])
def test_text_fits_the_terminal(width):
    text = formats.fitting_text(TABLE, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.replace("\n", " ").count("statement") == 20 and "two" in text


def test_narrow_text_has_a_block_a_row():
    blocks = formats.fitting_text(TABLE, 60).split("\n\n")
    assert blocks[0] == "slide: one\nwhat: short\nnumber: 1" and len(blocks) == 2


def test_text_that_fits_is_not_wrapped():
    assert formats.fitting_text(TABLE, 1000) == TABLE.to_string()
