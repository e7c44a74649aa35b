"""The site in Chromium: nothing broken, nothing cut off, nothing asked of the web."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import reproductions
from reports.build import ReportOptions, report

pytestmark = pytest.mark.browser

WIDTHS = (1400, 768, 390)
SCREENSHOTS = "screenshots"
# Elements wider than the page, except in what is scrolled by itself: tables, code and outputs.
SCROLLED = ".pst-scrollable-table-container, pre, .highlight, .cell_output, .visually-hidden"
CUT_OFF = f"""() => [...document.querySelectorAll(".bd-main *")].filter((element) => {{
    const box = element.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1 && !element.closest("{SCROLLED}");
}}).map((element) => element.outerHTML.slice(0, 100))"""
BROKEN = "() => [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)"
TARGETS = "() => [...document.querySelectorAll('a[href]')].map((link) => link.href)"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site: that of the session `site`, or built now."""
    if "REPRODUCTIONS_SITE" in os.environ:
        return Path(os.environ["REPRODUCTIONS_SITE"]).resolve()
    folder = tmp_path_factory.mktemp("site")
    report(reproductions.studies(), ReportOptions(html=folder))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Debian's Chromium without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def pages_of(site: Path) -> list[Path]:
    return sorted(path for path in site.glob("*.html") if path.name not in ("genindex.html", "search.html"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_whole(site, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = context.new_page(), []
    # The theme itself reports a mode that has not been chosen yet.
    page.on(
        "console", lambda line: found.append(line.text) if line.type == "error" and "theme mode" not in line.text else 0
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: found.append(request.url) if request.url.startswith("http") else 0)
    for path in pages_of(site):
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.evaluate("document.querySelectorAll('img').forEach((each) => { each.loading = 'eager'; })")
        found += [f"{path.name}: {cut} is cut off" for cut in page.evaluate(CUT_OFF)]
        found += [f"{path.name}: {image} is broken" for image in page.evaluate(BROKEN)]
        if path.stem in ("index", "lenet5", "googlenet"):
            shots = site / SCREENSHOTS
            shots.mkdir(exist_ok=True)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = false; })")
            page.screenshot(path=shots / f"{path.stem}-{width}-{scheme}.png")
    context.close()
    assert found == []


def test_links_lead_somewhere(site, browser):
    page = browser.new_page()
    missing = []
    for path in pages_of(site):
        page.goto(path.as_uri())
        for target in page.evaluate(TARGETS):
            place, _, anchor = target.partition("#")
            if not place.startswith("file:"):
                continue
            file = Path(place.removeprefix("file://"))
            if not file.is_file() or (anchor and f'id="{anchor}"' not in file.read_text(encoding="utf-8")):
                missing.append(f"{path.name}: {target}")
    assert missing == []


def test_the_verdict_is_seen_without_scrolling(site, browser):
    for width, columns in ((1400, 2), (390, 2)):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto((site / "lenet5.html").as_uri())
        headings = page.locator("table").first.locator("th")
        assert headings.nth(columns - 1).inner_text().strip() == "verdict"
        box = headings.nth(columns - 1).bounding_box()
        assert box and box["x"] + box["width"] <= width


def test_tables_can_be_sorted_and_filtered(site, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto((site / "index.html").as_uri())
    table = page.locator("table", has=page.locator("th", has_text="seeds")).first
    field = page.get_by_role("searchbox", name="Filter the rows of the table").first
    rows = table.locator("tbody tr")
    before = rows.count()
    field.fill("LeNet-1")
    assert 0 < table.locator("tbody tr:visible").count() < before
    field.fill("")
    table.locator("th", has_text="seeds").click()
    seeds = [int(row.locator("td").nth(5).inner_text()) for row in rows.all()]
    assert len(set(seeds)) > 1 and seeds in (sorted(seeds), sorted(seeds, reverse=True))


@pytest.mark.parametrize("name", ["index", "lenet5", "googlenet", "claims", "data"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(site, browser, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": 1400, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto((site / f"{name}.html").as_uri())
    found = [
        f"{violation['id']}: {[node['html'][:150] for node in violation['nodes'][:3]]}"
        for violation in axe.run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    context.close()
    assert found == []


@pytest.mark.parametrize("name", ["index", "lenet5", "googlenet"])
def test_printed_pages_are_not_clipped(site, browser, name, tmp_path):
    page = browser.new_page(viewport={"width": 718, "height": 1040})  # A4 at 96 dots per inch, less its margins
    page.emulate_media(media="print")
    page.goto((site / f"{name}.html").as_uri())
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").stat().st_size > 20_000
    assert page.evaluate(CUT_OFF) == []
    wide = "() => [...document.querySelectorAll('table')].filter((t) => t.scrollWidth > innerWidth).length"
    assert page.evaluate(wide) == 0
