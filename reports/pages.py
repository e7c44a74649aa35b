"""From studies, published figures and records to pages: no clock, no disk, the same text every time."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import jinja2

from reports import markup, overview, paper
from reports.ensembles import measured_ensembles
from reports.figures.network import short
from reports.run_groups import groups_of
from reports.sections.benchmarks import benchmark_section, format_ratio
from reports.sections.results import headline
from reports.sources import Pages, Sources
from reports.weights import check_networks
from reproductions.lab.analysis.claim_result import ClaimResult
from reproductions.lab.analysis.published import FAILS
from reproductions.lab.results.verdict import RULE
from reproductions.lab.spec import recipe_changes


def page_environment() -> jinja2.Environment:
    """Return the environment of the templates."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=markup.finalize,
    )
    environment.filters |= {
        "code": markup.code,
        "setting": recipe_changes.format_value,
        "count": short,
        "part": deciding_part,
        "range": format_ratio,
    }
    return environment


def render(sources: Sources) -> Pages:
    """Return every page: the overview, the networks, the lecture's statements, and one page for each paper."""
    environment, pages, summaries = page_environment(), Pages(), []
    ensembles = measured_ensembles(sources.studies, sources.ensembles)
    check_networks(sources.studies, sources.weights)
    for study in sources.studies.values():
        groups = groups_of(study, sources.runs)
        pages.headlines.extend(headline(group, sources.figures[study.name]) for group in groups)
        summaries.append(paper.summarize(study, sources, groups, ensembles))
        context = paper.page(summaries[-1], sources, groups, pages)
        pages.texts[f"{study.name}.md"] = tidy(environment.get_template("study.md.jinja").render(context, rule=RULE))
    pages.texts["claims.md"] = render_claims(environment, sources.claims)
    if sources.benchmarks:
        template = environment.get_template("benchmarks.md.jinja")
        pages.texts["benchmarks.md"] = tidy(template.render(section=benchmark_section(sources.benchmarks)))
    context = overview.page(summaries, sources, pages)
    pages.texts["index.md"] = tidy(environment.get_template("index.md.jinja").render(context, rule=RULE))
    networks = environment.get_template("networks.md.jinja")
    pages.texts["networks.md"] = tidy(networks.render(studies=sources.studies.values(), profiles=sources.networks))
    return replace(pages, summary=tidy(environment.get_template("summary.md.jinja").render(context)))


def deciding_part(claim: ClaimResult) -> str:
    """Return which part of a paper's page has what decides a statement."""
    words = claim.source.split()
    if words[:1] == ["measured:"]:
        return "runs"
    return "published figures" if words[:1] == ["published:"] or "ilsvrc" in claim.source else "architecture"


ANCHORS = {"runs": "", "published figures": "#published-figures", "architecture": "#architecture"}


def render_claims(environment: jinja2.Environment, claims: Sequence[ClaimResult]) -> str:
    """Return the page of the lecture's statements, by slide; those that do not hold come first."""
    return tidy(
        environment.get_template("claims.md.jinja").render(
            slides=[(slide, list(found)) for slide, found in itertools.groupby(claims, lambda claim: claim.slide)],
            anchors=ANCHORS,
            counts=Counter(claim.verdict for claim in claims).most_common(),
            failing=[claim for claim in claims if claim.verdict == FAILS],
        )
    )


def tidy(text: str) -> str:
    """Return text without runs of empty lines and with one newline at its end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
