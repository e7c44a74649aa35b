"""Whatever a record says is text on the pages and in the figures, and decides nothing about where they are written."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import reproductions
from reports import build
from reports.figures.chart import drawn
from reports.pages import page_environment, render, render_claims
from reports.sections.tuning import Search, read_searches
from reports.sources import Pages, Sources
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.errors import UsageError
from tests.helpers.html import to_html
from tests.helpers.records import as_runs, made_up, member, published_weights, result
from tests.helpers.records import ensemble as ensemble_of

LENET5 = reproductions.studies()["lenet5"]
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](javascript:alert(1))",
    "[x]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "`</code><script>alert(1)</script>`",
    "a|b\n\n<script>alert(1)</script>",
    "&lt;script&gt;",
    "\x1b[31m\0 ]]><svg onload=alert(1)>",
)


FIGURE = re.compile(r"[\w.-]+\.(svg|png)")


def is_script(target: str) -> bool:
    return "script" in target and not FIGURE.fullmatch(target)


class Live(HTMLParser):
    """Collects what a browser would run, and the targets of links."""

    def __init__(self) -> None:
        super().__init__()
        self.found, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        figure = tag == "img" and FIGURE.fullmatch(dict(attrs).get("src", ""))
        allowed = not tag.startswith(("script", "img", "iframe", "a")) or tag == "a" or figure
        if not allowed or any(name.startswith("on") for name, _ in attrs):
            self.found.append((tag, attrs))
        self.found += [value for name, value in attrs if name in ("href", "src") and is_script(value or "")]

    def handle_data(self, data):
        self.text += data


def live_parts(page: str) -> list:
    parser = Live()
    parser.feed(page)
    return parser.found


def test_live_parts_are_found():
    for part in ("<script>", "<img src=x>", "<svg onload=x>", '<a href="javascript:x">'):
        assert live_parts(part)


def sources_with(text: str) -> Sources:
    """Records of LeNet-5 that have a text wherever they can."""
    record = made_up(90)
    recipe = {**record.recipe, "dataset": text, "options": {text: text}, "init_layers": [text]}
    hostile = replace(
        record,
        recipe=recipe,
        data=replace(record.data, name=text, source=text),
        device=text,
        commit=text,
        strategy=text,
        test=replace(record.test, protocol=text),
        tests={text: replace(record.test, protocol=text)},
    )
    search = read_searches(build.TUNED)[-1]
    trial = search.trials[0]
    tried = replace(trial, settings={text: text}, worker=text, error=None, failed=text)
    best = replace(trial, settings={text: text}, worker=text)
    found = Search(text, replace(search.record, data=text, commit=text), [tried, best])
    test = result(90, protocol=text)
    return Sources(
        studies={"lenet5": LENET5},
        figures={"lenet5": []},
        runs=as_runs(hostile),
        tables={},
        claims=[],
        ensembles=[ensemble_of(test, member(90, 1), member(91, 2), data=text)],
        searches=[found],
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_in_records_are_not_markup(text):
    pages = render(sources_with(text))
    for name, page in pages.texts.items():
        assert live_parts(to_html(page)) == [], name
    for name, chart in pages.charts.items():
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn(chart)).iter()}
        assert not tags & {"script", "a", "image", "foreignObject"}, name


@pytest.mark.parametrize(
    "text", ["(3*3*64)*64 = 36,864", "_a_ b_c_", "**x**", "a|b", "<b>", "`x`", "~~x~~", "\\*", "&amp;"]
)
def test_a_text_is_shown_as_it_is(text):
    claim = dict.fromkeys([field.name for field in fields(ClaimResult)], "")
    page = render_claims(page_environment(), [ClaimResult(**{**claim, "quote": text, "verdict": "holds"})])
    parser = Live()
    parser.feed(to_html(page))
    assert f"\n{text}\n" in parser.text


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "JaVaScRiPt:x", "java\tscript:x", "data:text/html,x", "vbscript:x"]
)
def test_links_lead_to_pages_and_to_the_web(target):
    claim = dict.fromkeys([field.name for field in fields(ClaimResult)], "")
    hostile = ClaimResult(**{**claim, "quote": f"[x]({target}) ![x]({target})", "verdict": "holds"})
    page = to_html(render_claims(page_environment(), [hostile]))
    assert live_parts(page) == [] and "<img" not in page


@pytest.mark.parametrize("name", ["/../../../tmp/x", "..", "a/b", "/etc/passwd", "x" * 200])
def test_names_in_records_do_not_decide_where_pages_are_written(name, tmp_path):
    pages = render(sources_with(name))
    own = build.own_files(tmp_path, pages)
    assert all(path.parent == tmp_path and len(path.name) < 200 for path in own)


@pytest.mark.parametrize("name", ["../x.svg", "/x.svg", "a/b.svg", "..", ""])
def test_a_page_outside_of_its_folder_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="would lie outside"):
        build.own_files(tmp_path, Pages(texts={name: "x"}))


def test_file_names_of_weights_records_are_slugs():
    record = published_weights(result(1), network="../../x")
    assert "/" not in record.filename
