"""Tables as text, Markdown, CSV, JSON or LaTeX."""

from __future__ import annotations

from collections.abc import Callable

import pandas

from reports import markup
from reproductions.lab.analysis.published import FAILS


def side_by_side(cells: pandas.DataFrame) -> tuple[pandas.DataFrame, list[str]]:
    """Return an architecture table in the shape of the paper's.

    Args:
        cells: Cells of one table, as `architecture_tables.check_cells` returns them.

    Returns:
        Table with cells such as "60M (60,965,224)", the published content and the computed value, and a list of notes.
        "[1]" after a cell refers to the first note, which explains the difference.
    """
    notes: list[str] = []
    table: dict[str, dict[str, str]] = {}
    for cell in cells.to_dict("records"):
        mark = ""
        if cell["verdict"] == FAILS:
            reason = cell["reason"] or "not explained yet"
            if reason not in notes:
                notes.append(reason)
            mark = f" [{notes.index(reason) + 1}]"
        table.setdefault(cell["row"], {})[cell["column"]] = f"{cell['published']} ({cell['computed']}){mark}"
    columns = list(dict.fromkeys(cells["column"]))
    return pandas.DataFrame(list(table.values()), index=list(table), columns=columns).fillna(""), notes


def escaped(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table whose texts Markdown shows as they are."""

    def escape(value: object) -> object:
        return str(markup.text(value)) if isinstance(value, str) else value

    return table.map(escape).rename(index=escape, columns=escape)


def format_table(table: pandas.DataFrame, output_format: str) -> str:
    """Return a table as a string.

    Args:
        table: Table, with its index.
        output_format: "text", "markdown", "csv", "json" or "latex".
    """
    writers: dict[str, Callable[[], str | None]] = {
        "text": table.to_string,
        "markdown": lambda: escaped(table).to_markdown(),
        "csv": table.to_csv,
        "json": lambda: table.reset_index().to_json(orient="records", indent=1),
        "latex": lambda: (
            table.style.format(escape="latex")
            .format_index(escape="latex")
            .format_index(escape="latex", axis=1)
            .to_latex(hrules=True)
        ),
    }
    return str(writers[output_format]()).rstrip("\n")
