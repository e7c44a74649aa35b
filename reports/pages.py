"""From studies, published figures and records to pages: no clock, no disk, the same bytes every time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import markdown
import pandas

from reports import figures as pictures
from reports import formats, run_groups
from reports.sections import rerun, training_set_size
from reports.sections import tuning as searches
from reports.sections.comparisons import compared
from reproductions.lab.analysis.published import FAILS
from reproductions.lab.results.run_record import Record
from reproductions.lab.spec.study import Study

Pages = dict[str, str]

FIELDS = ("network", "data", "schedule", "records", "changes", "by_record")  # of runs, that their section shows


def templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    environment.filters["cell"] = lambda text: text.replace("|", "\\|").replace("<", "&lt;")
    return environment


@dataclass(frozen=True)
class Computed:
    """What `reproduce audit` computed without training: cells of tables by study, and claims."""

    tables: Mapping[str, Sequence[Mapping[str, str]]]
    claims: Sequence[Mapping[str, str]]


def render(
    studies: Mapping[str, Study],
    published: Mapping[str, pandas.DataFrame],
    records: Sequence[Record],
    computed: Computed,
    comparisons: Sequence[Mapping[str, str]] = (),
    searched: Sequence[searches.Search] = (),
) -> Pages:
    """Every page by path: an index, the claims, and each study's page in Markdown and HTML with its pictures."""
    environment = templates()
    pages: Pages = {}
    summaries = []
    for study in studies.values():
        figures = published[study.name]
        rows = run_groups.result_table(study, figures, records).to_dict("records")
        found = run_groups.runs_of(study, records)
        told = {"rows": rows, "against": compared_with_print(comparisons, study, found)}
        summaries.append({"name": study.name, "title": study.title, "year": study.year, "ran": bool(found), **told})
        shapes = architecture_tables(computed.tables.get(study.name, ()))
        told |= {"figures": figures.to_dict("records"), "shapes": shapes}
        own = [search for search in searched if search.told["study"] == study.name]
        pages |= study_pages(environment, study, figures, found, own, told)
    pages |= claims_pages(environment, computed.claims)
    index = environment.get_template("index.md.jinja").render(studies=summaries, rule=run_groups.RULE)
    pages["index.md"] = tidy(index)
    return pages


def study_pages(
    environment: jinja2.Environment,
    study: Study,
    figures: pandas.DataFrame,
    found: Sequence[run_groups.Runs],
    searched: Sequence[searches.Search],
    told: Mapping[str, Any],
) -> Pages:
    """One study: page.md, the same as page.html with its pictures inside, and the pictures."""
    pages: Pages = {}
    sections = []
    for number, runs in enumerate(found, 1):
        name = f"{study.name}-{number}-{runs.network.name}-{runs.data}"
        pages[f"{name}-curves.svg"] = pictures.curves(environment, runs)
        errors = pictures.misclassified(environment, runs.records[0])
        if errors:
            pages[f"{name}-errors.svg"] = errors
        sections.append(
            {
                **{field: getattr(runs, field) for field in FIELDS},
                "again": rerun.commands(runs),
                "curves": f"{name}-curves.svg",
                "errors": f"{name}-errors.svg" if errors else None,
                "confusion": run_groups.confusion(runs),
                "mistakes": run_groups.printed_mistakes(runs, figures),
                "tests": run_groups.further_tests(runs),
            }
        )
    tunings = [searches.described(environment, search, found) for search in searched]
    for tuning in tunings:
        pages[f"{study.name}-search-{tuning['name']}.svg"] = tuning["picture"]
    sized = training_set_size.described(environment, found)
    if sized:
        pages[f"{study.name}-sizes.svg"] = sized["picture"]
    told = {**told, "rule": run_groups.RULE, "deviations": deviations(study), "found": sections, "tunings": tunings}
    text = tidy(environment.get_template("study.md.jinja").render(study=study, sizes=sized, **told))
    pages[f"{study.name}.html"] = html(environment, study.title, text, pages)
    pages[f"{study.name}.md"] = text
    return pages


def deviations(study: Study) -> list[tuple[tuple[str, ...], list[str]]]:
    """Each deviation once, under the names of the networks that depart so."""
    names: dict[str, list[str]] = {}
    for network in study.networks:
        for deviation in network.deviations or ("none known",):
            names.setdefault(deviation, []).append(network.name)
    together: dict[tuple[str, ...], list[str]] = {}
    for deviation, networks in names.items():
        together.setdefault(tuple(networks), []).append(deviation)
    return list(together.items())


def compared_with_print(
    comparisons: Sequence[Mapping[str, str]], study: Study, found: Sequence[run_groups.Runs]
) -> list[dict[str, Any]]:
    """What the paper says of its networks against each other, and what runs say of that, where there are any."""
    own = [row for row in comparisons if row["study"] == study.name]
    return [{**row, "answers": answers} for row in own if (answers := compared(row, found))]


def architecture_tables(cells: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Each printed table of a study, in Markdown, with its notes."""
    if not cells:
        return []
    found = []
    for title, own in pandas.DataFrame(cells).groupby("table", sort=False):
        table, notes = formats.side_by_side(own)
        found.append({"title": title, "table": formats.written(table, "markdown"), "notes": notes})
    return found


def claims_pages(environment: jinja2.Environment, claims: Sequence[Mapping[str, str]]) -> Pages:
    """The lecture's claims, in Markdown and HTML."""
    text = tidy(
        environment.get_template("claims.md.jinja").render(
            claims=claims,
            counts=Counter(claim["verdict"] for claim in claims).most_common(),
            failing=[claim for claim in claims if claim["verdict"] == FAILS],
        )
    )
    return {"claims.md": text, "claims.html": html(environment, "What the lecture says, checked", text, {})}


def html(environment: jinja2.Environment, title: str, text: str, images: Pages) -> str:
    """A Markdown page as one HTML file that needs no other."""
    body = markdown.markdown(text, extensions=["tables"])
    body = re.sub(r'<img alt="[^"]*" src="([^"]*)" />', lambda image: images[image[1]], body)
    return environment.get_template("page.html.jinja").render(title=title, body=body)


def tidy(text: str) -> str:
    """No runs of empty lines, one newline at the end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
